"""Robustness checks as a table: what was printed beside what the same question gives here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.halving import MEANING

if TYPE_CHECKING:
    import polars as pl

Certainty = Literal["notebook output", "text", "not stored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A published number with where it was printed.

    Parameters
    ----------
    estimate : Estimate
    certainty : {"notebook output", "text", "not stored"}
        "not stored": the notebook has the check but no output.
    n : int or None
    note : str
    """

    estimate: Estimate
    certainty: Certainty = "notebook output"
    n: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckRow:
    """One question with its answer here and the published one.

    Parameters
    ----------
    check : str
        Name in the registry.
    slug : str
        Part of the finding's id.
    label : str
    estimate : Estimate
        Ours; the unit says what it is.
    published : Printed or None
    n : int or None
    objective, certificate : float or None
        Of the best minimum, where a law was fitted.
    minima_months : tuple of float or None
        Halving time of every certified minimum, best first; None where it has none.
    note : str
        What is known to be wrong with the published number, or what the row can say.
    why_not : str
        Why there is no answer.
    method : str
    provenance : tuple of Provenance
    """

    check: str
    slug: str
    label: str
    estimate: Estimate
    published: Printed | None = None
    n: int | None = None
    objective: float | None = None
    certificate: float | None = None
    minima_months: tuple[float | None, ...] = ()
    note: str = ""
    why_not: str = ""
    method: str = ""
    provenance: tuple[Provenance, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the row, JSON-ready."""
        printed = self.published
        return {
            "check": self.check,
            "slug": self.slug,
            "label": self.label,
            "value": self.estimate.value,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "level": self.estimate.level,
            "interval": self.estimate.interval if self.estimate.level is not None else None,
            "unit": self.estimate.unit,
            "published_value": None if printed is None else printed.estimate.value,
            "published_low": None if printed is None else printed.estimate.low,
            "published_high": None if printed is None else printed.estimate.high,
            "published_from": None if printed is None else printed.certainty,
            "published_n": None if printed is None else printed.n,
            "n": self.n,
            "objective": self.objective,
            "certificate": self.certificate,
            "minima_months": list(self.minima_months),
            "note": self.note,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CheckTable:
    """The checks that were asked for."""

    rows: tuple[CheckRow, ...]
    name: str
    seed: int
    sample_cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def frame(self) -> pl.DataFrame:
        """Return one row per question; list columns are joined as text."""
        import polars as pl

        rows = []
        for row in self.rows:
            flat = row.to_dict()
            flat["minima_months"] = ", ".join("none" if m is None else f"{m:.2f}" for m in row.minima_months)
            rows.append(flat)
        return pl.DataFrame(rows, infer_schema_length=None)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the table."""
        said = [
            "published numbers come from unconverged fits and row resamples: a difference from ours is first "
            "of all a difference of procedure."
        ]
        bare = [r for r in self.rows if r.estimate.value is not None and r.estimate.level is None]
        if bare:
            said.append(
                f"{len(bare)} of {len(self.rows)} rows have no interval: ask for one (--bootstrap 200, or "
                "ci=Bootstrap(by='paper'))."
            )
        unanswered = [r for r in self.rows if r.why_not]
        if unanswered:
            said.append(
                f"{len(unanswered)} of {len(self.rows)} rows cannot be answered, e.g. {unanswered[0].label}: "
                f"{unanswered[0].why_not}"
            )
        several = [r for r in self.rows if len(r.minima_months) > 1]
        if several:
            said.append(f"{len(several)} rows have further certified minima: see minima_months.")
        return (*said, *self.sample_cautions)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding per row; halving times under progress.halving_time_months.check."""
        found = []
        for row in self.rows:
            months = row.estimate.unit == "months"
            stem = "progress.halving_time_months.check" if months else "progress.check"
            flat = row.to_dict()
            kept = ("published_value", "published_low", "published_high", "published_from", "published_n")
            found.append(
                Finding(
                    id=f"{stem}.{row.slug}",
                    instrument="progress",
                    label=row.label,
                    estimate=row.estimate,
                    method=row.method or "see note",
                    n=row.n,
                    evidence=row.provenance or self.provenance,
                    seed=self.seed,
                    cautions=tuple(text for text in (row.note,) if text),
                    # a row with evidence was computed; without a value it is not identified
                    status="refused" if row.why_not and not row.provenance else "ok",
                    details=json_ready(
                        {
                            **{name: flat[name] for name in kept},
                            "objective": row.objective,
                            "certificate": row.certificate,
                            "minima_months": list(row.minima_months),
                            "why_not": row.why_not,
                            **({"unbounded": MEANING} if months else {}),
                            **row.details,
                        }
                    ),
                )
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "rows": [json_ready(row.to_dict()) for row in self.rows],
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return ours beside the published number of every row, and the cautions."""
        from isoflop.present import formats

        lines = [f"{self.name}: {len(self.rows)} checks"]
        for row in self.rows:
            ours = row.why_not or formats.estimate(row.estimate)
            printed = ""
            if row.published is not None and row.published.estimate.value is not None:
                printed = f"; published {formats.estimate(row.published.estimate)}"
            lines.append(f"  {row.label}: {ours}{printed}")
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
