"""The grid of small language models that this project trained: does a fit find what is known?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding
from isoflop.present import formats
from isoflop.present.chapter import Column, Section, Table
from isoflop.scaling.fit import fit
from isoflop.scaling.fit_findings import scaling_finding
from isoflop.scaling.frontier.find import frontier
from isoflop.scaling.runs import select
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Table as Evidence
    from isoflop.scaling.frontier.result import Frontier
    from isoflop.scaling.result import LawFit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextFit:
    """The law on one text of the grid.

    Parameters
    ----------
    text : str
    fitted : LawFit
    optimum : Frontier
        At the largest budget.
    dearer : LawFit
        The law on the dearer half of the runs: where it is only roughly true, the floor moves.
    entropy_rate : float or None
        Known floor of the loss, nats per token; None for a natural text.
    """

    text: str
    fitted: LawFit
    optimum: Frontier
    dearer: LawFit
    entropy_rate: float | None

    @property
    def floor_error(self) -> Estimate | None:
        """Fitted floor minus the known one, nats."""
        if self.entropy_rate is None or "E" not in self.fitted.parameters:
            return None
        known = self.entropy_rate
        return self.fitted.parameters["E"].map(lambda v: v - known, unit="nats")


def own_grid(table: Evidence, ci: Bootstrap) -> tuple[TextFit, ...]:
    """Fit the law to each text of the measured grid."""
    out = []
    for text in table.frame["dataset"].drop_nulls().unique(maintain_order=True):
        runs = select(table, where={"dataset": text})
        flop = runs.column("train_flop")
        half = runs.without(flop >= np.median(flop), "the dearer half by compute")
        fitted = fit(runs, ci=ci)
        out.append(
            TextFit(
                text=text,
                fitted=fitted,
                optimum=frontier(fitted),
                dearer=fit(half, ci=ci),
                entropy_rate=known_floor(fitted),
            )
        )
    return tuple(out)


def known_floor(fitted: LawFit) -> float | None:
    """Return the entropy rate of the runs' text, where the table knows it.

    Raises
    ------
    EvidenceError
        The runs name several.
    """
    frame = fitted.runs.frame
    if "entropy_rate_nats" not in frame.columns:
        return None
    known = np.unique(frame["entropy_rate_nats"].drop_nulls().to_numpy())
    if len(known) > 1:
        raise EvidenceError(
            f"{fitted.runs.table.name}: {len(known)} entropy rates in one fit, needs one text. Choose one."
        )
    return float(known[0]) if len(known) else None


def own_grid_findings(fits: tuple[TextFit, ...]) -> tuple[Finding, ...]:
    """Return how far the fitted floor lies from the known entropy rate."""
    found = []
    for one in fits:
        error = one.floor_error
        if error is not None:
            found.append(
                scaling_finding(
                    one.fitted,
                    "floor_error",
                    f"fitted floor minus the known entropy rate of {one.text}",
                    error,
                    {
                        "entropy_rate_nats": one.entropy_rate,
                        "text": one.text,
                        "dearer_half": {
                            "n": one.dearer.n,
                            "E": one.dearer.parameters["E"].value,
                            "low": one.dearer.parameters["E"].low,
                            "high": one.dearer.parameters["E"].high,
                        },
                    },
                )
            )
    return tuple(found)


def own_grid_section(fits: tuple[TextFit, ...]) -> Section:
    """Return the section on the measured grid: exponents of both texts, and the floor beside the truth."""
    rows: list[dict[str, Any]] = []
    prose = [
        "These runs were trained by this project (`python -m validation.tiny_chinchilla`): small models on "
        "characters. One text comes from a generator whose entropy rate is known, so that the floor of "
        "the law has a truth to be held against; the other is a public-domain text.",
        "{table:own-grid}",
    ]
    for one in fits:
        fitted, error = one.fitted, one.floor_error
        rows.append(
            {
                "text": one.text,
                "runs": fitted.n,
                "alpha": formats.estimate(fitted.parameters["alpha"]),
                "beta": formats.estimate(fitted.parameters["beta"]),
                "floor": formats.estimate(fitted.parameters["E"]),
                "known": None if one.entropy_rate is None else f"{one.entropy_rate:.4f} nats",
                "dearer": formats.estimate(one.dearer.parameters["E"]),
                "a": formats.estimate(one.optimum.exponent_a),
                "ratio": formats.estimate(one.optimum.tokens_per_param),
            }
        )
        if error is not None:
            prose.append(_beside_truth(one, error))
    columns = (
        Column(name="text", label="text"),
        Column(name="runs", label="runs", format="count"),
        Column(name="alpha", label="alpha"),
        Column(name="beta", label="beta"),
        Column(name="floor", label="fitted floor"),
        Column(name="known", label="known entropy rate", align="right"),
        Column(name="dearer", label="floor, dearer half"),
        Column(name="a", label="a"),
        Column(name="ratio", label="tokens per parameter, largest budget"),
    )
    return Section(
        id="own-grid",
        title="Our own grid of small language models",
        prose=tuple(prose),
        tables=(Table(id="own-grid", title="The law on our own runs", columns=columns, rows=tuple(rows)),),
    )


def _beside_truth(one: TextFit, error: Estimate) -> str:
    """Return how the fitted floor stands to the known one, on all runs and on the dearer half."""
    known, dearer = one.entropy_rate or 0.0, one.dearer.parameters["E"]
    said = (
        f"On {one.text} the fitted floor is {formats.estimate(error)} from the entropy rate: the interval "
        f"{_contains(error, 0.0)} the truth. On the dearer half of its runs the floor is "
        f"{formats.estimate(dearer)}, and that interval {_contains(dearer, known)} it"
    )
    if _contains(error, 0.0) == "contains" and _contains(dearer, known) != "contains":
        return f"{said}: the law is approximate, its floor extrapolated, and the good answer partly luck."
    return f"{said}."


def _contains(estimate: Estimate, truth: float) -> str:
    inside = estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high
    return "contains" if inside else "does not contain"
