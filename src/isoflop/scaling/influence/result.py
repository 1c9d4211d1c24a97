"""What single runs do to a fit, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.scaling.fit_findings import scaling_finding
from isoflop.scaling.influence.quantities import WORDS
from isoflop.scaling.model import Array
from isoflop.scaling.result import LawFit

if TYPE_CHECKING:
    import polars as pl

UNEVEN_P = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The runs whose removal carries a quantity across a value, found greedily.

    Parameters
    ----------
    quantity : str
    bar : float
    removed : tuple of int
        Positions of the runs, in the order removed.
    values : tuple of float
        The quantity before and after each removal.
    flipped : bool
        Whether it crossed within the most removals tried.
    """

    quantity: str
    bar: float
    removed: tuple[int, ...]
    values: tuple[float, ...]
    flipped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heteroscedasticity:
    """Koenker's test of whether squared residuals vary with the inputs: statistic, df and p."""

    statistic: float
    df: int
    p: float


def leverage(fitted: LawFit) -> Array:
    """Return how far each run lies from the others in its inputs, shape (n,), 0 to 1."""
    u = fitted.found.problem.centred
    design = np.column_stack([np.ones(fitted.n), u.T])
    q, _ = np.linalg.qr(design)
    return np.asarray((q**2).sum(axis=1))


def heteroscedasticity(fitted: LawFit) -> Heteroscedasticity:
    """Return n·R² of squared residuals on ln of the inputs, chi-squared under even noise.

    Source: Koenker (1981), J. Econometrics 17, 107-112.
    """
    from scipy.special import gammaincc

    u = fitted.found.problem.centred
    design = np.column_stack([np.ones(fitted.n), u.T])
    squares = fitted.residuals**2
    explained = design @ np.linalg.lstsq(design, squares, rcond=None)[0]
    total = float(((squares - squares.mean()) ** 2).sum())
    share = float(((explained - squares.mean()) ** 2).sum()) / total if total > 0 else 0.0
    df = int(np.linalg.matrix_rank(design)) - 1
    return Heteroscedasticity(
        statistic=fitted.n * share, df=df, p=float(gammaincc(df / 2, fitted.n * share / 2))
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Influence:
    """How a fit depends on single runs.

    Parameters
    ----------
    fitted : LawFit
    at_flop : float
        Budget of optimal tokens per parameter.
    point : mapping of str to float
        Each quantity on all runs.
    without : mapping of str to array, shape (n,)
        Each quantity with one run left out.
    exact : bool array, shape (n,)
        Whether that is a refit or an approximation.
    path : tuple of mapping
        Refits without the 0, 1, 5, 10 highest losses.
    flip : Flip or None
    leverage : array, shape (n,)
    heteroscedasticity : Heteroscedasticity
    """

    fitted: LawFit
    at_flop: float
    point: Mapping[str, float]
    without: Mapping[str, Array]
    exact: np.ndarray
    path: tuple[Mapping[str, float], ...]
    flip: Flip | None
    leverage: Array
    heteroscedasticity: Heteroscedasticity

    @property
    def n(self) -> int:
        """Number of runs."""
        return self.fitted.n

    @property
    def seed(self) -> int | None:
        """Seed of the fit's draws."""
        return self.fitted.seed

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.fitted.provenance

    @property
    def method(self) -> str:
        """How runs were left out."""
        how = "every run left out once and the law refitted"
        if not self.exact.all():
            how = f"infinitesimal jackknife, the {int(self.exact.sum())} largest refitted"
        return f"{how}; {self.fitted.method}"

    @property
    def main(self) -> str:
        """The quantity that tables are sorted by: the allocation where there is one."""
        return "tokens_per_param" if "tokens_per_param" in self.point else next(iter(self.point))

    @cached_property
    def shifts(self) -> dict[str, Array]:
        """Change of each quantity when a run is left out, shape (n,)."""
        return {name: values - self.point[name] for name, values in self.without.items()}

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = list(self.fitted.cautions)
        if self.heteroscedasticity.p < UNEVEN_P:
            said.append(
                f"the size of residuals varies with the inputs (Koenker's test, p = "
                f"{self.heteroscedasticity.p:.1g}): runs of one end count too much. Give "
                "weights, or weights='loss_se'."
            )
        if not self.exact.all():
            said.append("effects of most runs are approximate; near least absolute loss they may be far off.")
        return tuple(said)

    def rows(self, top: int | None = None) -> list[dict[str, Any]]:
        """Return one row per run, the most influential first, JSON-ready."""
        frame = self.fitted.runs.frame
        order = np.argsort(-np.abs(np.nan_to_num(self.shifts[self.main], nan=np.inf)), kind="stable")[:top]
        errors = self.fitted.standard_errors
        out = []
        for i in order.tolist():
            row = {
                "run": str(frame["run_id"][i]) if "run_id" in frame.columns else "",
                "row": int(frame["row"][i]) if "row" in frame.columns else i + 1,
                **{name: float(self.fitted.runs.column(name)[i]) for name in self.fitted.law.inputs},
                "outcome": float(self.fitted.runs.column(self.fitted.runs.outcome)[i]),
                "residual": float(self.fitted.residuals[i]),
                "leverage": float(self.leverage[i]),
            }
            for name, moved in self.shifts.items():
                row[f"shift_{name}"] = float(moved[i])
                se = errors.get(name)
                if se:
                    row[f"dfbeta_{name}"] = float(moved[i]) / se
            out.append(row)
        rows: list[dict[str, Any]] = json_ready(out)
        return rows

    def frame(self) -> pl.DataFrame:
        """Return one row per run, the most influential first."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def findings(self) -> tuple[Finding, ...]:
        """Return how far the answer moves when a few runs go."""
        found = []
        name = self.main
        values = [float(row[name]) for row in self.path]
        if len(values) > 1:
            found.append(
                scaling_finding(
                    self,
                    f"drop_highest_range.{name}",
                    f"{WORDS.get(name, name)} without the highest losses: largest over smallest",
                    Estimate(value=max(values) / min(values) if min(values) > 0 else None, unit="×"),
                    {"path": list(self.path), "at_flop": self.at_flop},
                    method="refits without the "
                    + ", ".join(str(int(row["dropped"])) for row in self.path)
                    + " highest losses; a range over choices, no interval",
                )
            )
        if self.flip is not None:
            found.append(
                scaling_finding(
                    self,
                    "runs_that_flip",
                    f"runs whose removal carries {WORDS.get(self.flip.quantity, self.flip.quantity)} "
                    f"across {self.flip.bar:g}",
                    Estimate(value=float(len(self.flip.removed)) if self.flip.flipped else None, unit="runs"),
                    {
                        "quantity": self.flip.quantity,
                        "bar": self.flip.bar,
                        "values": list(self.flip.values),
                        "runs": [str(self.fitted.runs.frame["row"][i]) for i in self.flip.removed],
                        "tried": len(self.flip.removed),
                    },
                    method="greedy removal with exact refits: an upper bound on the fewest; no interval",
                )
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "method": self.method,
            "point": json_ready(self.point),
            "path": json_ready(list(self.path)),
            "runs": self.rows(),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [self.method]
        lines += [
            f"  {row['run']} (row {row['row']}): {self.main} {row[f'shift_{self.main}']:+.3g}"
            for row in self.rows(8)
        ]
        return "\n".join([*lines, *(f"  ! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
