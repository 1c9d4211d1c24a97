"""The result of `scaling.emergence`: verdicts with the numbers that led to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import Sample, Series, View
from isoflop.scaling.breaks.share import share_by_paper
from isoflop.scaling.emergence.numbers import Numbers
from isoflop.scaling.emergence.verdict import MEANING, VERDICTS, Verdict

if TYPE_CHECKING:
    import polars as pl

PUBLISHED_ZERO_THEN_POSITIVE = {"data": (18, 275), "model_size": (10, 125)}
"""Studies with the label, of how many with two points or more: Sartor & Thompson, version 2."""
_LATE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedStudy:
    """One study with its verdict.

    Parameters
    ----------
    series : Series
    verdict : {"smooth", "sharp_by_metric", "sharp_by_sampling", "break_supported", "undetermined"}
    why : str
    numbers : tuple of Numbers
        One for each number of trials tried.
    q : tuple of float
        Benjamini-Hochberg values, likewise.
    verdicts : tuple
        Verdict under each number of trials.
    partner : str or None
        The same study under a linear metric.
    """

    series: Series
    verdict: Verdict
    why: str
    numbers: tuple[Numbers, ...]
    q: tuple[float, ...]
    verdicts: tuple[Verdict, ...]
    partner: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class EmergenceTests:
    """Verdicts on every study of a table.

    Parameters
    ----------
    sample : Sample
    studies : tuple of JudgedStudy
    trials : tuple of int
        Numbers tried where none is printed.
    null : Null
    false_discovery : float
    view : {"resource", "loss"}
    """

    sample: Sample
    studies: tuple[JudgedStudy, ...]
    trials: tuple[int, ...]
    null: Null
    false_discovery: float
    view: View

    @property
    def n(self) -> int:
        """Number of studies tested."""
        return len(self.studies)

    @property
    def verdicts(self) -> dict[Verdict, int]:
        """Number of studies with each verdict."""
        said = [one.verdict for one in self.studies]
        return {verdict: said.count(verdict) for verdict in VERDICTS}

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The rows behind the tests."""
        return self.sample.provenance

    @property
    def method(self) -> str:
        """One line for findings."""
        assumed = f"; trials where unknown {', '.join(map(str, self.trials))}" if self.sample.assumed else ""
        return (
            "one threshold against smooth laws, binomial likelihood ratio, parametric bootstrap of up to "
            f"{self.null.reps} draws, Benjamini-Hochberg at {self.false_discovery:g}{assumed}"
        )

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the verdicts, each with what would cure it."""
        said = list(self.sample.cautions(self.trials))
        few = sum(one.series.m <= 4 for one in self.studies)
        if few > _LATE * self.n:
            said.append(
                f"{few} of {self.n} studies have 3 or 4 points: a threshold behind the first point cannot be "
                "told from saturation, and one behind the second only if it is tall. Six amounts a study "
                "would cure it."
            )
        family = max(self.sample.assumed, self.n - self.sample.assumed)
        reachable = family / (self.null.reps + 1.0)
        if reachable > self.false_discovery:
            said.append(
                f"{self.null.reps} draws cannot make a single threshold significant among {family} studies "
                f"(smallest q {reachable:.2g}): {int(family / self.false_discovery)} draws would."
            )
        if self.sample.left_out:
            said.append(
                f"{len(self.sample.left_out)} studies are not tested (fewer than three amounts, or no rate): "
                "more points would cure it."
            )
        return tuple(said)

    def share(
        self, holds: Callable[[JudgedStudy], bool], among: Callable[[JudgedStudy], bool] | None = None
    ) -> Estimate:
        """Return the share of studies for which `holds` is true, each paper counting once."""
        kept = [one for one in self.studies if among is None or among(one)]
        return share_by_paper(
            [holds(one) for one in kept], [one.series.paper for one in kept], seed=self.null.seed
        )

    def shares(self) -> dict[Verdict, Estimate]:
        """Return the share of each verdict, each paper counting once."""
        return {verdict: self.share(_has(verdict)) for verdict in VERDICTS}

    def labels(self, resource: str | None = None) -> tuple[Estimate, int, int]:
        """Return the share of zero-then-positive studies by paper, their number, and how many were looked at.

        Two points are enough for the label.
        """
        seen = [
            one
            for one in (*(t.series for t in self.studies), *self.sample.pairs)
            if resource is None or one.about["resource"] == resource
        ]
        flags = [one.zero_then_positive for one in seen]
        return share_by_paper(flags, [one.paper for one in seen], seed=self.null.seed), sum(flags), len(seen)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of supported breaks, the same among studies that start at zero, and theirs."""
        zero = [one for one in self.studies if one.series.zero_then_positive]
        papers = {one.series.paper for one in self.studies}
        shares = self.shares()
        at_each = {
            str(n): sum(one.verdicts[i] == "break_supported" for one in self.studies)
            for i, n in enumerate(self.trials)
        }
        found = [
            self._finding(
                "emergence_share",
                "studies in which a threshold is supported, by paper",
                shares["break_supported"],
                self.n,
                {
                    "verdicts": self.verdicts,
                    "shares": {v: e.value for v, e in shares.items()},
                    "papers": len(papers),
                    "papers_with_break": len(
                        {one.series.paper for one in self.studies if one.verdict == "break_supported"}
                    ),
                    "breaks_at_each_number_of_trials": at_each,
                    "view": self.view,
                },
            ),
            self._finding(
                "emergence_share.zero_then_positive",
                "among studies that start at zero success: a threshold is supported, by paper",
                self.share(_has("break_supported"), lambda one: one.series.zero_then_positive),
                len(zero),
                {"verdicts": {v: sum(one.verdict == v for one in zero) for v in VERDICTS}},
            ),
        ]
        for resource in (None, *PUBLISHED_ZERO_THEN_POSITIVE):
            value, labelled, seen = self.labels(resource)
            if resource is not None and not seen:
                continue
            details: dict[str, Any] = {"labelled": labelled}
            if resource is not None:
                count, of = PUBLISHED_ZERO_THEN_POSITIVE[resource]
                details["published"] = {"labelled": count, "studies": of, "version": "v2"}
            suffix = "" if resource is None else f".{resource}"
            what = "" if resource is None else f" ({resource.replace('_', ' ')})"
            found.append(
                self._finding(
                    f"zero_then_positive_share{suffix}",
                    f"studies with no success at first and some later, by paper{what}",
                    value,
                    seen,
                    details,
                    method="success 0 at the smallest amount, above 0 later; two points or more",
                )
            )
        return tuple(found)

    def _finding(
        self, name: str, label: str, estimate: Estimate, n: int, details: dict[str, Any], method: str = ""
    ) -> Finding:
        return Finding(
            id=f"scaling.{name}",
            instrument="scaling",
            label=label,
            estimate=estimate,
            method=method or self.method,
            n=n,
            evidence=self.provenance,
            seed=self.null.seed,
            cautions=self.cautions,
            details=details,
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per study: verdict, reason and the range of each number over trials."""
        return [_row(one) for one in self.studies]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def numbers_frame(self) -> pl.DataFrame:
        """Return one row per study and number of trials, with every number."""
        import polars as pl

        rows = [
            {
                "study": one.series.study,
                "trials": numbers.trials,
                "verdict": verdict,
                "q": q,
                **{
                    name: getattr(numbers, name)
                    for name in Numbers.__slots__
                    if name not in ("smooth", "trials")
                },
            }
            for one in self.studies
            for numbers, q, verdict in zip(one.numbers, one.q, one.verdicts, strict=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "studies": json_ready(self.rows()),
            "left_out": dict(self.sample.left_out),
            "trials": list(self.trials),
            "view": self.view,
        }

    def summary(self) -> str:
        """Return the verdicts in one screen."""
        shares = self.shares()
        lines = [f"{self.n} studies of {self.sample.papers} papers; {self.method}"]
        lines += [
            f"  {verdict.replace('_', ' '):18} {count:4d}   by paper {formats.estimate(shares[verdict])}: "
            f"{MEANING[verdict]}"
            for verdict, count in self.verdicts.items()
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _has(verdict: Verdict) -> Callable[[JudgedStudy], bool]:
    return lambda one: one.verdict == verdict


def _row(one: JudgedStudy) -> dict[str, Any]:
    series = one.series
    last = one.numbers[-1]
    zeros = [n.zeros_probability for n in one.numbers if n.zeros_probability is not None]
    return {
        "study": series.study,
        "paper_id": series.paper,
        "resource": series.about["resource"],
        "x_unit": series.about["x_unit"],
        "points": series.m,
        "trials": None if series.trials is None else int(series.trials.min()),
        "zero_then_positive": series.zero_then_positive,
        "verdict": one.verdict,
        "why": one.why,
        "p_low": min(n.p for n in one.numbers),
        "p_high": max(n.p for n in one.numbers),
        "q_low": min(one.q),
        "q_high": max(one.q),
        "likelihood_ratio_low": min(n.likelihood_ratio for n in one.numbers),
        "likelihood_ratio_high": max(n.likelihood_ratio for n in one.numbers),
        "p_smooth_low": min(n.p_smooth for n in one.numbers),
        "p_threshold_low": min(n.p_threshold for n in one.numbers),
        "zeros_probability_low": min(zeros, default=None),
        "zeros_probability_high": max(zeros, default=None),
        "detection_limit_low": min(n.detection_limit for n in one.numbers),
        "detection_limit_high": max(n.detection_limit for n in one.numbers),
        "threshold_after_x": float(series.x[last.position - 1]) if last.position else None,
        "success_before": last.before if last.position else None,
        "success_after": last.after if last.position else None,
        "stages_needed": last.stages_needed,
        "linear_partner": one.partner,
    }
