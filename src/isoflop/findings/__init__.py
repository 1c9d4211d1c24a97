"""One kind of answer: `Estimate`, `Finding`, `Claim` and the document that carries them.

The report, ``--json``, the command line and `isoflop.outlook` read nothing else. A missing
number is None with a status that says why; a document never holds NaN or infinity.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from isoflop.errors import EvidenceError
from isoflop.findings.plain import MAX_DRAWS as MAX_DRAWS
from isoflop.findings.plain import equal_probability_quantiles as equal_probability_quantiles
from isoflop.findings.plain import json_ready as json_ready
from isoflop.findings.plain import one_of, part
from isoflop.findings.plain import write_atomically as write_atomically

if TYPE_CHECKING:
    import polars as pl

Status = Literal["ok", "not_identified", "refused"]
Interval = Literal["closed", "open_above", "open_below", "two_pieces"]
Verdict = Literal["holds", "holds_with_caution", "not_identified", "does_not_hold", "needs_evidence"]
EvidenceKind = Literal["embedded", "measured", "pulled", "own", "published"]

SCHEMA = 1
_MIRRORED: Mapping[Interval, Interval] = {"open_above": "open_below", "open_below": "open_above"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval.

    ``low`` or ``high`` is None where the interval is open or there is none; `interval` says
    which. Both are None under an open kind where no value is excluded. ``two_pieces`` means
    everything *outside* (low, high): the usual case of a ratio whose denominator may be zero.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    unit: str
    interval: Interval = "closed"

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None:
                object.__setattr__(self, name, float(number) if math.isfinite(number) else None)

    def map(self, transform: Callable[[float], float], *, unit: str) -> Estimate:
        """Return the estimate under a monotone transform; a falling one swaps the bounds.

        Examples
        --------
        >>> rate = Estimate(value=2.0, low=1.0, unit="ln/yr", interval="open_above")
        >>> rate.map(lambda x: 6 / x, unit="months")
        Estimate(value=3.0, low=None, high=6.0, level=None, unit='months', interval='open_below')
        """
        value, low, high = (None if v is None else transform(v) for v in (self.value, self.low, self.high))
        interval = self.interval
        rising = [v for v in (low, value, high) if v is not None]
        if len(rising) > 1 and rising[0] > rising[-1]:
            low, high = high, low
            interval = _MIRRORED.get(interval, interval)
        return replace(self, value=value, low=low, high=high, unit=unit, interval=interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Which rows of which table a number rests on."""

    name: str
    source: str
    kind: EvidenceKind
    rows_used: int
    rows_dropped: int
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Provenance:
        """Return what `to_dict` gave."""
        return cls(**{name: part(record, name, "provenance") for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer with everything needed to judge it.

    Parameters
    ----------
    id : str
        Dotted and stable; a document holds each id once. Variants append qualifiers.
    estimate : Estimate
    method : str
        One line: law, loss, penalty, interval.
    n : int or None
        Rows (or systems, pairs) behind the number.
    details : mapping
        JSON-ready extras; ``details["draws"]`` holds at most 200 quantiles.
    """

    id: str
    instrument: str
    label: str
    estimate: Estimate
    method: str
    n: int | None
    evidence: tuple[Provenance, ...] = ()
    seed: int | None = None
    cautions: tuple[str, ...] = ()
    status: Status = "ok"
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == "ok" and self.estimate.value is None:
            object.__setattr__(self, "status", "not_identified")

    def to_dict(self) -> dict[str, Any]:
        """Return the contract's JSON object; see docs/reference/document.md."""
        estimate = self.estimate
        details = dict(self.details)
        if estimate.interval != "closed" or estimate.high is not None:
            details.setdefault("interval", estimate.interval)
        return {
            "id": self.id,
            "instrument": self.instrument,
            "label": self.label,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "level": estimate.level,
            "unit": estimate.unit,
            "method": self.method,
            "n": self.n,
            "evidence": [p.to_dict() for p in self.evidence],
            "seed": self.seed,
            "cautions": list(self.cautions),
            "status": self.status,
            "details": json_ready(details),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Finding:
        """Return the finding of a document's JSON object; fields it does not know are left out.

        Raises
        ------
        EvidenceError
            A field is missing, or holds something else than it should.

        Examples
        --------
        >>> made = Finding(
        ...     id="a.b",
        ...     instrument="a",
        ...     label="b",
        ...     method="",
        ...     n=3,
        ...     estimate=Estimate(value=1.0, low=0.5, unit="×", interval="open_above"),
        ... )
        >>> Finding.from_dict(made.to_dict()) == made
        True
        """
        where = f"finding {record.get('id')!r}" if isinstance(record, Mapping) else "finding"
        details = dict(part(record, "details", where, Mapping))
        status: Any = one_of(record, "status", where, get_args(Status))
        estimate = Estimate(
            **{name: part(record, name, where, float, None) for name in ("value", "low", "high", "level")},
            unit=part(record, "unit", where, str),
            # to_dict writes the kind of the interval among the details
            interval=details.pop("interval") if details.get("interval") in get_args(Interval) else "closed",
        )
        return cls(
            **{name: part(record, name, where, str) for name in ("id", "instrument", "label", "method")},
            **{name: part(record, name, where, int, None) for name in ("n", "seed")},
            estimate=estimate,
            evidence=tuple(Provenance.from_dict(p) for p in part(record, "evidence", where, list)),
            cautions=tuple(part(record, "cautions", where, list)),
            status=status,
            details=details,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A paper's claim with the verdict that this evidence gives it."""

    id: str
    paper: str
    text: str
    verdict: Verdict
    finding_ids: tuple[str, ...]
    rule: str
    why: str
    would_change: str = ""
    evidence: tuple[str, ...] = ()
    published: Mapping[str, str] | None = None
    """Verdict and reason of the same rule on the published figures."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {name: json_ready(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Claim:
        """Return the claim of a document's JSON object; fields it does not know are left out.

        Raises
        ------
        EvidenceError
            A field is missing, or the verdict is none.
        """
        where = f"claim {record.get('id')!r}" if isinstance(record, Mapping) else "claim"
        one_of(record, "verdict", where, get_args(Verdict))
        lists = {name: tuple(part(record, name, where, list)) for name in ("finding_ids", "evidence")}
        return cls(**{name: part(record, name, where) for name in cls.__slots__} | lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRule:
    """A claim together with the rule that judges it.

    `judge` maps the needed findings (by id, all present and ``ok``) to a verdict and its reason.
    A missing finding gives ``needs_evidence``; one without a value, ``not_identified``.
    """

    id: str
    paper: str
    text: str
    rule: str
    finding_ids: tuple[str, ...]
    judge: Callable[[Mapping[str, Finding]], tuple[Verdict, str]]
    would_change: str = ""

    def verdict(self, findings: Iterable[Finding]) -> tuple[Verdict, str]:
        """Return the verdict and its reason on these findings."""
        known = {f.id: f for f in findings}
        missing = [i for i in self.finding_ids if i not in known]
        if missing:
            return "needs_evidence", f"no finding {', '.join(missing)} on this evidence"
        blank = [known[i] for i in self.finding_ids if known[i].estimate.value is None]
        if blank:
            return "not_identified", "; ".join(_without_value(finding) for finding in blank)
        return self.judge(known)

    def apply(self, findings: Iterable[Finding], published: Iterable[Finding] = ()) -> Claim:
        """Return the claim as judged on these findings, beside the published figures."""
        findings, published = list(findings), list(published)
        verdict, why = self.verdict(findings)
        beside = None
        if published:
            verdict_then, why_then = self.verdict(published)
            if verdict_then == "needs_evidence":
                why_then = "the paper prints no figure that this rule could judge"
            beside = {"verdict": verdict_then, "why": why_then}
        names = {p.name: None for f in findings if f.id in self.finding_ids for p in f.evidence}
        return Claim(
            id=self.id,
            paper=self.paper,
            text=self.text,
            verdict=verdict,
            finding_ids=self.finding_ids,
            rule=self.rule,
            why=why,
            would_change=self.would_change,
            evidence=tuple(names),
            published=beside,
        )


def _without_value(finding: Finding) -> str:
    """Return why a finding has no value, in its own words where it says so."""
    reason = finding.details.get("reason")
    return f"{finding.label}: {reason}" if reason else f"{finding.id} has no value on this evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What every ``--json`` prints and `report` writes as ``findings.json``."""

    findings: tuple[Finding, ...] = ()
    claims: tuple[Claim, ...] = ()
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = [f.id for f in self.findings]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"Document: id {twice[0]!r} occurs twice. Qualify the variants.")

    def to_dict(self) -> dict[str, Any]:
        """Return the document of design contract 1."""
        from isoflop import __version__

        return {
            "schema": SCHEMA,
            "isoflop": __version__,
            "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "findings": [f.to_dict() for f in self.findings],
            "claims": [c.to_dict() for c in self.claims],
            "tables": {name: [json_ready(dict(row)) for row in rows] for name, rows in self.tables.items()},
        }

    def to_json(self) -> str:
        """Return the document as JSON text; NaN and infinity cannot occur."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)

    def write(self, path: Path) -> None:
        """Write the JSON text to `path`, whole or not at all."""
        write_atomically(path, self.to_json() + "\n")

    @classmethod
    def read(cls, path: str | Path) -> Document:
        """Return the document in a file: a report's ``findings.json``, or what any ``--json`` printed.

        Raises
        ------
        EvidenceError
            There is no such file, it is no JSON, it has another schema, or a field is missing.
        """
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise EvidenceError(
                f"{path}: {error.strerror}, needs a findings.json. Make one with isoflop report, or name "
                "another file."
            ) from None
        except ValueError:
            raise EvidenceError(
                f"{path}: no JSON, needs a findings.json or the output of any command with --json. Name one."
            ) from None
        try:
            return cls.from_dict(record)
        except ValueError as error:
            raise EvidenceError(f"{path}: {error}") from None

    @classmethod
    def from_dict(cls, record: Any) -> Document:
        """Return the document of a JSON object.

        Raises
        ------
        EvidenceError
            It has another schema, or a field is missing.
        """
        schema = record.get("schema") if isinstance(record, Mapping) else None
        if schema != SCHEMA:
            raise EvidenceError(
                f"document: schema {schema}, needs {SCHEMA}. Make it with this version: isoflop report."
            )
        return cls(
            findings=tuple(Finding.from_dict(one) for one in part(record, "findings", "document", list)),
            claims=tuple(Claim.from_dict(one) for one in part(record, "claims", "document", list)),
            tables=part(record, "tables", "document", Mapping),
        )


class Result(Protocol):
    """What every result of every instrument can do."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the number, each with what would cure it."""
        ...

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        ...

    def frame(self) -> pl.DataFrame:
        """Return the result as a tidy table."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        ...

    def summary(self) -> str:
        """Return a text of one screen."""
        ...
