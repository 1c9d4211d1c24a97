"""What the joined findings say: answers with intervals, and who carries their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.outlook.model import Assumptions
from isoflop.present import formats

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One number that several findings give together.

    Parameters
    ----------
    id, label : str
    estimate : Estimate
        No value where an input is missing or not identified.
    formula : str
        In words.
    inputs : tuple of str
        Ids of the findings it needs.
    draws : tuple of float
        Finite joint draws, rising.
    open_share : float
        Share of draws in which there is no finite answer.
    shares : mapping of str to float
        Share of the variance of the answer's logarithm that each input carries (Shapley effects); empty
        where the logarithm does not exist in every draw.
    reason : str
        Why there is no value.
    """

    id: str
    label: str
    estimate: Estimate
    formula: str
    inputs: tuple[str, ...]
    draws: tuple[float, ...] = ()
    open_share: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    reason: str = ""

    def row(self) -> dict[str, Any]:
        """Return the answer as a table row."""
        estimate = self.estimate
        return {
            "id": self.id,
            "label": self.label,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "unit": estimate.unit,
            "formula": self.formula,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A finding that was joined, or was wanted and is not there."""

    id: str
    finding: Finding | None

    @classmethod
    def of(cls, name: str, finding: Finding | None) -> Used:
        """Return the entry of one id."""
        return cls(id=name, finding=finding)

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
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The answers, the findings they rest on, and the assumptions."""

    answers: tuple[Answer, ...]
    assumptions: Assumptions
    used: tuple[Used, ...]

    def __getitem__(self, name: str) -> Answer:
        return {answer.id: answer for answer in self.answers}[name]

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the answers, each with what would cure it."""
        return tuple(dict.fromkeys(caution for answer in self.answers for caution in answer.cautions))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the findings that were joined."""
        known = (p for one in self.used if one.finding is not None for p in one.finding.evidence)
        return tuple({(p.name, p.rows_used): p for p in known}.values())

    def findings(self) -> tuple[Finding, ...]:
        """Return each answer as a finding of the instrument ``outlook``."""
        return tuple(self._finding(answer) for answer in self.answers)

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
        for answer in self.answers:
            said = f"not identified: {answer.reason}" if answer.reason else formats.estimate(answer.estimate)
            lines.append(f"  {answer.label}: {said}")
        return "\n".join(lines)

    def _finding(self, answer: Answer) -> Finding:
        chosen = self.assumptions
        details: dict[str, Any] = {
            "formula": answer.formula,
            "inputs": list(answer.inputs),
            "diffusion": chosen.diffusion,
        }
        if answer.reason:
            details["reason"] = answer.reason
        else:
            details |= {
                "draws": equal_probability_quantiles(answer.draws),
                "open_share": answer.open_share,
                "variance_shares": dict(answer.shares),
            }
        known = {one.id: one.finding for one in self.used}
        evidence = {
            (p.name, p.rows_used): p
            for name in answer.inputs
            if (finding := known.get(name)) is not None
            for p in finding.evidence
        }
        return Finding(
            id=answer.id,
            instrument="outlook",
            label=answer.label,
            estimate=answer.estimate,
            method=f"{answer.formula}; joint Monte Carlo over the findings' draws, "
            f"{'independent' if not chosen.correlation else 'with the stated correlations'}",
            n=None,
            evidence=tuple(evidence.values()),
            seed=chosen.seed,
            cautions=answer.cautions,
            status="ok" if answer.estimate.value is not None else "not_identified",
            details=details,
        )
