"""The result of `divide.remedies`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.representation.topics import FEW, TOPIC_NAMES, topic_id
from isoflop.divide.representation.trend import TopicTrend
from isoflop.divide.works_sample import WorksSample
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

CRUDE_TREND = (
    "The share by year mixes change with the venues present in each year: read it beside the share that the "
    "venues would give."
)

CLEAR = 0.05
"""Below this p a trend is called rising or falling."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Remedies:
    """Academia's share of topics that the paper's remedies are about.

    Parameters
    ----------
    sample : WorksSample
    trends : tuple of TopicTrend
        Most frequent topic first; empty where the table has none of the kind.
    """

    sample: WorksSample
    trends: tuple[TopicTrend, ...]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares."""
        return self.sample.provenance()

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the shares, each with what would cure it."""
        said = [*self.sample.cautions, CRUDE_TREND]
        if not self.trends:
            said.append(
                "No topic of this table speaks of interpretability, safety or audit by its name. Name the "
                "topics to count."
            )
        return tuple(said)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share over all years for each topic, and for each year with enough papers."""
        made = []
        for one in self.trends:
            name = TOPIC_NAMES.get(one.topic, one.topic)
            details: dict[str, Any] = {"papers": one.k, "topic_papers": one.n, "expected_share": one.expected}
            if one.trend is not None:
                details |= {
                    "trend_z": one.trend.z,
                    "trend_p": one.trend.p,
                    "trend_p_exact": one.trend.p_exact,
                }
            head = f"divide.remedy_share.{topic_id(one.topic)}"
            made.append(self._finding(head, f"academia's share of {name} papers", one.share, one.n, details))
            made += [
                self._finding(
                    f"{head}.{year.year}",
                    f"academia's share of {name} papers, {year.year}",
                    year.share,
                    year.n,
                    {"papers": year.k, "expected_share": year.expected},
                )
                for year in one.years
                if year.n >= FEW
            ]
        return tuple(made)

    def _finding(self, id: str, label: str, estimate: Any, n: int, details: dict[str, Any]) -> Finding:
        return Finding(
            id=id,
            instrument="divide",
            label=label,
            estimate=estimate,
            method="papers of academic-only teams over papers of known team on the topic, Wilson interval",
            n=n,
            evidence=self.provenance,
            cautions=self.cautions,
            details=details,
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each topic and year."""
        return [row for one in self.trends for row in one.rows()]

    def frame(self) -> pl.DataFrame:
        """Return the shares by topic and year as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "by_year": json_ready(self.rows()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return one line for each topic."""
        lines = []
        for one in self.trends:
            moved = ""
            if one.trend is not None:
                way = "falls" if one.trend.z < 0 else "rises"
                clear = way if one.trend.p < CLEAR else "shows no clear trend"
                test = f"z = {formats.number(one.trend.z, 2)}, p = {formats.number(one.trend.p, 2)}"
                moved = f"; over the years the share itself {clear} ({test})"
            lines.append(
                f"{TOPIC_NAMES.get(one.topic, one.topic)}: academia alone signs "
                f"{formats.percent(one.share.value or 0.0)} of {formats.count(one.n)} papers "
                f"({formats.percent(one.expected)} by their venues){moved}."
            )
        return "\n".join(lines) or "No topic of the remedies in this table."

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
