"""The result of `scaling.pool`: groups, differences, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.pooling.bias import BiasTests, bias_tests
from isoflop.scaling.pooling.differences import Difference
from isoflop.scaling.pooling.findings import findings_of
from isoflop.scaling.pooling.group import ESTIMATORS, Group, Pool
from isoflop.scaling.pooling.leave_out import cumulative_by_year, leave_one_paper_out
from isoflop.scaling.pooling.moderators import meta_regression
from isoflop.scaling.pooling.scales import logit_slopes, trials_sensitivity
from isoflop.scaling.studies.comparators import DomainRatio
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    import polars as pl

DECISIVE = 0.5
"""Share of the interval's half-width by which the absence of one paper is worth a warning."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pooled:
    """Exponents pooled over studies.

    Parameters
    ----------
    fits : StudyFits
    groups : tuple of Group
        All studies of each resource first, then its groups.
    groupings : tuple of str
        Columns of the groups.
    familiarity : tuple of Difference
        Unseen − seen, by resource.
    class_difference : tuple of Difference
        Robot models − language models; then with prompted models counted as language models.
    weights : {"paper", "study"}
    level : float
    domain : DomainRatio or None
        Robotics beside vision, if published exponents were given.
    """

    fits: StudyFits
    groups: tuple[Group, ...]
    groupings: tuple[str, ...]
    familiarity: tuple[Difference, ...]
    class_difference: tuple[Difference, Difference]
    weights: str
    level: float
    domain: DomainRatio | None = field(default=None)

    @property
    def resources(self) -> tuple[str, ...]:
        """Resources with studies."""
        return tuple(self.fits.curves)

    def group(self, resource: str, by: str = "", name: str = "") -> Group | None:
        """Return one group, or None."""
        found = (g for g in self.groups if (g.resource, g.by, g.name) == (resource, by, name))
        return next(found, None)

    def exponent(self, resource: str = "data", method: str | None = None) -> Estimate:
        """Return the pooled slope of one resource, by the leading method unless another is named."""
        group = self.group(resource)
        if group is None:
            return Estimate(value=None, unit="1")
        return group.pools[method or self.fits.method].exponent

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the pooled numbers."""
        said = []
        for resource in self.resources:
            group = self.group(resource)
            pools = group.pools if group is not None else {}
            lead = pools.get("hierarchical")
            words = resource.replace("_", " ")
            if lead is not None and lead.reason:
                said.append(f"{words}: {lead.reason}")
            one = self.decisive_paper(resource)
            if one:
                said.append(f"{words}: {one}")
        return (*said, *self.fits.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the pool."""
        return self.fits.provenance

    def leave_one_out(self) -> pl.DataFrame:
        """Return the mean of each resource without each of its papers."""
        return self._without_each

    @cached_property
    def _without_each(self) -> pl.DataFrame:
        return leave_one_paper_out(self.fits, level=self.level, by_paper=self.weights == "paper")

    def decisive_paper(self, resource: str) -> str:
        """Return a caution where one paper moves the mean by more than half its interval's half-width."""
        import polars as pl

        exponent = self.exponent(resource, "hierarchical")
        if exponent.low is None or exponent.high is None or self._without_each.height == 0:
            return ""
        rows = self._without_each.filter(pl.col("resource") == resource)
        if rows.height == 0:
            return ""
        most = rows.with_columns(size=pl.col("change").abs()).sort("size", descending=True).row(0, named=True)
        if most["size"] < DECISIVE * (exponent.high - exponent.low) / 2.0:
            return ""
        return (
            f"paper {most['paper_id']} ({most['studies_left_out']} studies) decides much of this mean: "
            f"without it the exponent is {formats.number(most['exponent'])}. More papers would cure it."
        )

    def cumulative(self) -> pl.DataFrame:
        """Return the mean of each resource as papers came out."""
        return cumulative_by_year(self.fits, level=self.level, by_paper=self.weights == "paper")

    def trials_sensitivity(self) -> pl.DataFrame:
        """Return the mean of each resource for each assumed number of trials."""
        return trials_sensitivity(self.fits, level=self.level, by_paper=self.weights == "paper")

    @cached_property
    def logit_slopes(self) -> dict[str, Estimate]:
        """Rise of logit(success) per tenfold of each resource."""
        return logit_slopes(self.fits, level=self.level, by_paper=self.weights == "paper")

    def moderators(self) -> pl.DataFrame:
        """Return the meta-regressions, one moderator at a time."""
        return meta_regression(self.fits, level=self.level)

    def bias(self, *, seed: int = 0) -> BiasTests:
        """Return tests of small-study effects on the studies that have a standard error."""
        return bias_tests(self.fits, level=self.level, seed=seed)

    def rows(self, by: str = "") -> list[dict[str, Any]]:
        """Return one row a group and method of one grouping; groups without a study say so."""
        return [row for g in self.groups if g.by == by for row in _rows(g)]

    def frame(self) -> pl.DataFrame:
        """Return one row a group and method."""
        import polars as pl

        every = [row for by in dict.fromkeys(g.by for g in self.groups) for row in self.rows(by)]
        return pl.DataFrame(every, infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return groups, differences and settings, JSON-ready."""
        return {
            "method": self.fits.method,
            "floor": self.fits.floor,
            "weights": self.weights,
            "level": self.level,
            "groups": [json_ready(row) for row in self.frame().to_dicts()],
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of a few lines."""
        lines = [self.fits.summary()]
        for resource in self.resources:
            group = self.group(resource)
            if group is not None:
                lead = group.pools[self.fits.method]
                lines.append(
                    f"{resource.replace('_', ' ')}: exponent {formats.estimate(lead.exponent)}, "
                    f"{lead.n_studies} studies of {lead.n_papers} paper{'' if lead.n_papers == 1 else 's'}"
                )
        return "\n".join(lines)

    def findings(self) -> tuple[Finding, ...]:
        """Return the exponents, halving factors and differences; see `pooled_findings`."""
        return findings_of(self)

    def __repr__(self) -> str:
        return f"Pooled (by {', '.join(self.groupings)}; weights by {self.weights})\n{self.summary()}"

    _repr_html_ = result_html


def _rows(group: Group) -> list[dict[str, Any]]:
    head = {"resource": group.resource, "by": group.by, "group": group.name or "all"}
    if not group.pools:
        return [head | _row("hierarchical", None)]
    return [head | _row(method, group.pools[method]) for method in ESTIMATORS if method in group.pools]


def _row(method: str, pool: Pool | None) -> dict[str, Any]:
    names = ("exponent", "low", "high", "level", "sd", "prediction_low", "prediction_high", "median")
    if pool is None:
        blank = dict.fromkeys((*names, "halving_factor", "halving_low", "halving_high"))
        return {"method": method, "n_studies": 0, "n_papers": 0} | blank | {"reason": "no data"}
    e, prediction, halving = pool.exponent, pool.prediction, pool.halving
    return {
        "method": method,
        "n_studies": pool.n_studies,
        "n_papers": pool.n_papers,
        "exponent": e.value,
        "low": e.low,
        "high": e.high,
        "level": e.level,
        "sd": pool.sd,
        "prediction_low": prediction.low if prediction else None,
        "prediction_high": prediction.high if prediction else None,
        "median": pool.median,
        "halving_factor": halving.value,
        "halving_low": halving.low,
        "halving_high": halving.high,
        "reason": pool.reason,
    }
