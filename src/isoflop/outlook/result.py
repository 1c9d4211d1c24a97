"""What the joined findings say: answers with intervals, and who carries their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.findings import Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.outlook.answer import Answer
from isoflop.outlook.model import EXPONENT, Assumptions
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A finding that was joined, or was wanted and is not there."""

    id: str
    finding: Finding | None

    def row(self) -> dict[str, Any]:
        """Return the entry as a table row."""
        found = self.finding
        estimate = None if found is None else found.estimate
        return {
            "id": self.id,
            "label": None if found is None else found.label,
            "value": None if estimate is None else estimate.value,
            "low": None if estimate is None else estimate.low,
            "high": None if estimate is None else estimate.high,
            "unit": None if estimate is None else estimate.unit,
            "status": "missing" if found is None else found.status,
            "evidence": None if found is None else ", ".join(p.name for p in found.evidence) or None,
            "cautions": [] if found is None else list(found.cautions),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Outlook:
    """The answers, the findings they rest on, and the assumptions."""

    answers: tuple[Answer, ...]
    assumptions: Assumptions
    used: tuple[Used, ...]

    _repr_html_ = result_html

    def __getitem__(self, name: str) -> Answer:
        return {answer.id: answer for answer in self.answers}[name]

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the answers, each with what would cure it."""
        return tuple(dict.fromkeys(caution for answer in self.answers for caution in answer.cautions))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the findings that were joined."""
        return evidence_of([one.finding for one in self.used if one.finding is not None])

    def findings(self) -> tuple[Finding, ...]:
        """Return each answer as a finding of the instrument ``outlook``."""
        return tuple(finding_of(answer, self.used, self.assumptions) for answer in self.answers)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an answer."""
        return [answer.row() for answer in self.answers]

    def share_rows(self) -> list[dict[str, Any]]:
        """Return one row an answer and input: the share of variance that the input carries."""
        return [
            {"id": answer.id, "label": answer.label, "input": name, "share": share}
            for answer in self.answers
            for name, share in answer.shares.items()
        ]

    def used_rows(self) -> list[dict[str, Any]]:
        """Return one row a finding that was joined or wanted."""
        return [one.row() for one in self.used]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "answers": json_ready(self.rows()),
            "shares": json_ready(self.share_rows()),
            "inputs": json_ready(self.used_rows()),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = ["outlook: what the instruments say together"]
        lines += [f"  {answer.label}: {said(answer)}" for answer in self.answers]
        return "\n".join(lines)

    __repr__ = __str__ = summary


def said(answer: Answer) -> str:
    """Return an answer in one phrase, with its reason where it has no value."""
    if answer.details.get("already_reached"):
        return "reached already"
    if not answer.reason:
        return formats.estimate(answer.estimate)
    bound = f"{formats.estimate(answer.estimate)}; " if answer.estimate.low is not None else ""
    return f"{bound}not identified: {answer.reason}"


def used(answers: Sequence[Answer], known: Mapping[str, Finding]) -> tuple[Used, ...]:
    """Return the findings behind answers, and the frontier's, in the order in which they are needed."""
    names = dict.fromkeys(name for one in answers for name in (*one.inputs, EXPONENT))
    return tuple(Used(id=name, finding=known.get(name)) for name in names)


def finding_of(answer: Answer, inputs: Sequence[Used], chosen: Assumptions) -> Finding:
    """Return an answer as a finding of the instrument ``outlook``; its inputs' cautions go with it."""
    details: dict[str, Any] = {
        "formula": answer.formula,
        "inputs": list(answer.inputs),
        "diffusion": chosen.diffusion,
        **answer.details,
    }
    if answer.reason:
        details["reason"] = answer.reason
    if answer.draws:
        details |= {
            "draws": equal_probability_quantiles(answer.draws),
            "open_share": answer.open_share,
            "variance_shares": dict(answer.shares),
        }
    behind = [one.finding for one in inputs if one.id in answer.inputs and one.finding is not None]
    inherited = (caution for finding in behind for caution in finding.cautions)
    return Finding(
        id=answer.id,
        instrument="outlook",
        label=answer.label,
        estimate=answer.estimate,
        method=f"{answer.formula}; joint Monte Carlo of {chosen.draws} draws over the findings' draws, "
        f"{chosen.dependence}",
        n=None,
        evidence=evidence_of(behind),
        seed=chosen.seed,
        cautions=tuple(dict.fromkeys((*answer.cautions, *inherited))),
        status="ok" if answer.estimate.value is not None else "not_identified",
        details=details,
    )


def evidence_of(findings: Sequence[Finding]) -> tuple[Provenance, ...]:
    """Return the tables behind findings, each once."""
    return tuple({(p.name, p.rows_used): p for finding in findings for p in finding.evidence}.values())
