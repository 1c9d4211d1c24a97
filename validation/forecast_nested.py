"""What are forecasts worth on curves that no setting was chosen on?

Prints errors (mean RMSLE) and coverage on the public curves, on far cuts of them and on planted curves of
each law; then what the settings change, and what choosing the best one on other datasets would have
given. Needs the public tables: set ISOFLOP_EVIDENCE to their folder; without them only planted curves run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import polars as pl

from isoflop.evidence import Table, load, locate
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.result import Forecast
from isoflop.scaling.forecast.settings import DEFAULT_LAWS, LAST_VALUE, STACK, Stack
from isoflop.scaling.laws import LAWS

PUBLIC = ("learning_curves_image", "learning_curves_language")
CUTS = (0.1, 0.2, 0.3)
FLOORS = (2.0, 5.0, 15.0, 40.0, 1e6)
OTHERS = (
    Stack(origins=0),
    Stack(origins=3),
    Stack(effective_rows=1.0),
    Stack(effective_rows=1e9),
    Stack(few_rows=2),
    Stack(prior_origins=4.0),
)
PLANTED = 12
"""Curves of each law, number of points and noise."""
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "power": {"A": (0.5, 3.0), "alpha": (0.03, 0.4)},
    "power_floor": {"E": (0.2, 0.8), "A": (0.3, 2.0), "alpha": (0.1, 0.6)},
    "m3": {"beta": (0.5, 2.0), "gamma": (3e-4, 5e-2), "c": (0.05, 0.4)},
    "m4": {"E": (0.05, 0.4), "span": (0.4, 0.7), "kappa": (0.5, 2.0), "beta": (1.0, 8.0), "c": (0.2, 0.8)},
    "shifted_power": {"E": (0.05, 0.5), "A": (0.5, 4.0), "alpha": (0.2, 0.6), "s": (3.0, 50.0)},
    "bnsl_1": {
        "a": (0.01, 0.3), "b": (0.4, 1.0), "c0": (0.0, 0.15), "c1": (-0.1, 0.4), "d1": (8.0, 150.0),
        "f1": (0.2, 1.0),
    },
    "sigmoid": {"lo": (0.05, 0.5), "span": (0.3, 0.6), "k": (0.4, 1.5), "x0": (8.0, 150.0)},
}  # fmt: skip
"""Reported parameters are drawn evenly from these, for x from 1 to between 100 and 1,000."""


def study() -> None:
    """Print every table."""
    library = locate()
    for name in PUBLIC:
        if name not in library.available():
            print(f"{name}: not in {library.describe()}; left out")
            continue
        _public(library.table(name))
    _planted()


def _public(table: Table) -> None:
    print(f"\n## {table.name}")
    found = forecast(table)
    for domain, scores in found.scores_by_domain.items():
        print(f"{domain:<6}", "  ".join(f"{s.law} {s.rmsle.value:.4f}" for s in scores))
    _coverage(found, "bands of 80 %")
    if table.name == PUBLIC[0]:
        for cut in CUTS:
            far = forecast(table, cut=cut)
            print(f"fit up to {cut:.0%} of x:", "  ".join(f"{s.law} {s.rmsle.value:.4f}" for s in far.scores))
            _coverage(far, "   bands")
    _settings(table)


def _coverage(found: Forecast, label: str) -> None:
    covered = next(f for f in found.findings() if f.id == "scaling.forecast_coverage")
    by_curve = covered.details["mean_over_curves"]
    print(f"{label}: {covered.estimate.value:.3f} of points, {by_curve:.3f} as mean over curves")


def _settings(table: Table) -> None:
    """Print the stack's error under other settings, and under the floor that other datasets prefer."""
    floors = [forecast(table, stack=Stack(floor=floor)) for floor in FLOORS]
    errors = np.array([_errors(found) for found in floors])
    for floor, row in zip(FLOORS, errors, strict=True):
        print(f"floor {floor:<9g} {row.mean():.4f}")
    datasets = [c.curve.dataset for c in floors[0].scored]
    print(f"floor chosen on the other datasets, scored on the one left out: {_nested(errors, datasets):.4f}")
    for stack in OTHERS:
        print(f"{stack}: {_errors(forecast(table, stack=stack)).mean():.4f}")


def _errors(found: Forecast) -> np.ndarray:
    return np.array([c.errors()[STACK] for c in found.scored])


def _nested(errors: np.ndarray, datasets: Sequence[tuple[str, str]]) -> float:
    """Return the mean error where each dataset is scored under the setting best on the others."""
    scored = []
    for dataset in dict.fromkeys(datasets):
        here = np.array([d == dataset for d in datasets])
        best = int(errors[:, ~here].mean(axis=1).argmin()) if (~here).any() else 0
        scored.append(errors[best, here])
    return float(np.concatenate(scored).mean())


def _planted() -> None:
    print("\n## planted curves, horizon 2 to 6: stack, last value, the true law; coverage of 80 % bands")
    print("rows  noise   " + "  ".join(f"{law:<22}" for law in DEFAULT_LAWS) + "  coverage")
    for rows in (8, 15, 40, 100):
        for noise in (0.002, 0.02):
            found = {law: forecast(_curves(law, rows, noise)) for law in DEFAULT_LAWS}
            cells = [_cell(law, result) for law, result in found.items()]
            covered = np.mean([c.covered().mean() for result in found.values() for c in result.curves])
            print(f"{rows:>4}  {noise:<6g}  {'  '.join(cells)}  {covered:.2f}", flush=True)


def _cell(law: str, found: Forecast) -> str:
    by_law = {s.law: s.rmsle.value for s in found.scores}
    true = by_law.get(law)
    shown = "  –   " if true is None else f"{true:.4f}"
    return f"{by_law[STACK]:.4f} {by_law[LAST_VALUE]:.4f} {shown}  "


def _curves(law: str, rows: int, noise: float) -> Table:
    """Return planted curves, each a dataset of its own; the forecast part is free of noise."""
    rng = np.random.default_rng([rows, int(1e4 * noise), sorted(RANGES).index(law)])
    frames = []
    for i in range(PLANTED):
        theta = LAWS[law].working({name: rng.uniform(*ends) for name, ends in RANGES[law].items()})
        last = rng.uniform(np.log(1e2), np.log(1e3))
        u = np.concatenate(
            [np.linspace(0.0, last, rows), last + np.linspace(0.1, 1.0, 10) * np.log(rng.uniform(2, 6))]
        )
        fitted = np.arange(u.size) < rows
        log_y = LAWS[law].log_predict(theta, u[None])[0] + noise * fitted * rng.standard_normal(u.size)
        text = {"curve_id": f"{law} {i}", "domain": "planted", "task": f"{law} {i}", "model": "none"}
        frames.append(
            pl.DataFrame(
                {
                    **{name: [value] * u.size for name, value in text.items()},
                    "x": np.exp(u),
                    "x_unit": ["x"] * u.size,
                    "outcome": np.exp(log_y),
                    "outcome_kind": ["error"] * u.size,
                    "is_fit": fitted.astype(int),
                }
            )
        )
    return load(pl.concat(frames), schema="learning_curves", name="planted")


if __name__ == "__main__":
    sys.exit(study())
