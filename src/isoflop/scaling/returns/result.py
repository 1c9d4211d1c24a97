"""The result of `scaling.returns`: three labels for each study, with their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import Sample, Series
from isoflop.scaling.breaks.share import share_by_paper
from isoflop.scaling.returns.numbers import Bend, Marginal, Reach, change_interval

if TYPE_CHECKING:
    import polars as pl

CURVATURE = ("diminishing", "not_distinguished", "increasing")
COST = ("diminishing", "not_distinguished", "increasing", "not_identified")
TARGET = ("reached", "within_reach", "open", "beyond_reach", "not_reachable")
FAR = ("beyond_reach", "not_reachable")
NO_COST = (
    "no cost of the points is known: a column of costs (--cost COLUMN) or a price per unit (--cost "
    "UNIT=PRICE) would identify success per unit of cost."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnsSettings:
    """What was asked; see `scaling.returns`."""

    target: float
    reach: float
    trials: tuple[int, ...]
    null: Null
    draws: int
    level: float
    cost: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returning:
    """One study with its three labels; numbers are given for each number of trials tried.

    Parameters
    ----------
    series : Series
    bends, reaches, marginals : tuples
        marginals is empty where no cost is known.
    curvature : str
        One of `CURVATURE`.
    cost : str
        One of `COST`.
    target : str
        One of `TARGET`.
    """

    series: Series
    bends: tuple[Bend, ...]
    reaches: tuple[Reach, ...]
    marginals: tuple[Marginal, ...]
    curvature: str
    cost: str
    target: str


Is = Callable[[Returning], bool]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Returns:
    """Labels of every study of a table.

    Parameters
    ----------
    sample : Sample
    studies : tuple of Returning
    settings : ReturnsSettings
    """

    sample: Sample
    studies: tuple[Returning, ...]
    settings: ReturnsSettings

    @property
    def n(self) -> int:
        """Number of studies labelled."""
        return len(self.studies)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The rows behind the labels."""
        return self.sample.provenance

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the labels, each with what would cure it."""
        said = list(self.sample.cautions(self.settings.trials))
        undecided = sum(one.curvature == "not_distinguished" for one in self.studies)
        if undecided > 0.5 * self.n:
            said.append(
                f"{undecided} of {self.n} studies are too short or too noisy to tell a bent law from a "
                "straight one: their share is no evidence either way. More amounts and trials a study would "
                "cure it."
            )
        if any(one.series.m < 4 for one in self.studies):
            short = sum(one.series.m < 4 for one in self.studies)
            said.append(
                f"{short} studies of three points are extrapolated without an error floor, which makes "
                "targets look nearer than they may be. A fourth amount would cure it."
            )
        return tuple(said)

    def share(self, holds: Is, among: Is | None = None) -> Estimate:
        """Return the share of studies for which `holds` is true, each paper counting once."""
        kept = [one for one in self.studies if among is None or among(one)]
        return share_by_paper(
            [holds(one) for one in kept],
            [one.series.paper for one in kept],
            seed=self.settings.null.seed,
            level=self.settings.level,
        )

    def counts(self, label: str) -> dict[str, int]:
        """Return the number of studies under each value of ``curvature``, ``cost`` or ``target``."""
        values = {"curvature": CURVATURE, "cost": COST, "target": TARGET}[label]
        said = [getattr(one, label) for one in self.studies]
        return {value: said.count(value) for value in values}

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of diminishing returns by each label, and of studies that speed up."""
        setting = self.settings
        between = sum(0.0 < one.bends[-1].alpha < 1.0 for one in self.studies)
        decided = self.share(
            lambda s: s.curvature == "diminishing", lambda s: s.curvature != "not_distinguished"
        )
        bend = (
            "bent against straight power law of the error, parametric bootstrap of up to "
            f"{setting.null.reps} draws, 5 % two-sided"
        )
        curvature: dict[str, Any] = {
            "counts": self.counts("curvature"),
            "share_of_decided": json_ready({k: getattr(decided, k) for k in ("value", "low", "high")}),
            "share_flatter_at_the_end": self.share(lambda s: s.bends[-1].change > 0).value,
            "not_evidence": {"alpha_between_0_and_1": between, "studies": self.n},
        }
        far = (
            f"power law with a floor: {formats.percent(setting.target)} success needs more than "
            f"{formats.multiple(setting.reach)} the largest amount, or is never reached"
        )
        costed = [one for one in self.studies if one.cost != "not_identified"]
        return (
            self._finding(
                "diminishing_share.curvature",
                "studies whose error flattens in log-log terms, by paper",
                self.share(lambda s: s.curvature == "diminishing"),
                bend,
                self.n,
                curvature,
            ),
            self._finding(
                "increasing_share.curvature",
                "studies whose error falls faster and faster in log-log terms, by paper",
                self.share(lambda s: s.curvature == "increasing"),
                bend,
                self.n,
                {"counts": self.counts("curvature")},
            ),
            self._finding(
                "diminishing_share.cost",
                "studies in which the last unit of cost buys less success than the first, by paper",
                self.share(lambda s: s.cost == "diminishing", lambda s: s.cost != "not_identified"),
                "gain in success per unit of cost, first step against last, draws from Jeffreys' posteriors",
                len(costed),
                {"counts": self.counts("cost"), "cost": setting.cost, "reason": None if costed else NO_COST},
                extra=() if len(costed) == self.n else (NO_COST,),
            ),
            self._finding(
                "diminishing_share.target",
                f"studies in which {formats.percent(setting.target)} success is beyond reach, by paper",
                self.share(lambda s: s.target in FAR),
                far,
                self.n,
                {"counts": self.counts("target"), "target": setting.target, "reach": setting.reach},
            ),
        )

    def _finding(
        self,
        name: str,
        label: str,
        estimate: Estimate,
        method: str,
        n: int,
        details: dict[str, Any],
        extra: tuple[str, ...] = (),
    ) -> Finding:
        return Finding(
            id=f"scaling.{name}",
            instrument="scaling",
            label=label,
            estimate=estimate,
            method=method,
            n=n,
            evidence=self.provenance,
            seed=self.settings.null.seed,
            cautions=(*self.cautions, *extra),
            details=details,
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per study; numbers are those of the largest number of trials tried."""
        return [_row(one, self.settings.level) for one in self.studies]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "studies": json_ready(self.rows()),
            "left_out": dict(self.sample.left_out),
        }

    def summary(self) -> str:
        """Return the labels in one screen."""
        lines = [f"{self.n} studies of {self.sample.papers} papers"]
        for label in ("curvature", "cost", "target"):
            told = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in self.counts(label).items())
            lines.append(f"  {label}: {told}")
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _row(one: Returning, level: float) -> dict[str, Any]:
    bend, reach = one.bends[-1], one.reaches[-1]
    low, high = change_interval(bend, level)
    paid = one.marginals[-1] if one.marginals else None
    return {
        "study": one.series.study,
        "paper_id": one.series.paper,
        "resource": one.series.about["resource"],
        "x_unit": one.series.about["x_unit"],
        "points": one.series.m,
        "trials": None if one.series.trials is None else int(one.series.trials.min()),
        "best_success": float(one.series.success.max()),
        "curvature": one.curvature,
        "elasticity_first": bend.first,
        "elasticity_last": bend.last,
        "elasticity_change": bend.change,
        "elasticity_change_low": low,
        "elasticity_change_high": high,
        "curvature_p_low": min(b.p for b in one.bends),
        "curvature_p_high": max(b.p for b in one.bends),
        "alpha": bend.alpha,
        "cost": one.cost,
        "gain_per_cost_first": None if paid is None else paid.first,
        "gain_per_cost_last": None if paid is None else paid.last,
        "gain_falls_probability": None if paid is None else paid.p_falls,
        "target": one.target,
        "multiple_to_target": reach.multiple,
        "multiple_low": reach.low,
        "multiple_high": reach.high,
        "multiple_with_floor": reach.multiple_with_floor,
        "error_floor": reach.floor,
        "p_floor_above_target": reach.p_floor_above,
        "p_unreachable": reach.p_unreachable,
    }
