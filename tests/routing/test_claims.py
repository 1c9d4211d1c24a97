"""The three claims: planted findings give each verdict, and the published figures give theirs."""

from __future__ import annotations

from typing import Any

import pytest

from isoflop.findings import Estimate, EvidenceKind, Finding, Provenance
from isoflop.routing import claims as rules
from isoflop.routing.claims import CLAIMS, judge
from isoflop.routing.published import published_findings

RULES = {rule.id.removeprefix("routing."): rule for rule in CLAIMS}
Numbers = tuple[float | None, float | None, float | None]


def found(
    id_: str,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    n: int = 20,
    kind: EvidenceKind = "own",
    **details: Any,
) -> Finding:
    rows = Provenance(name="made", source="made", kind=kind, rows_used=9, rows_dropped=0, fingerprint="")
    return Finding(
        id=id_,
        instrument="routing",
        label=id_,
        estimate=Estimate(value=value, low=low, high=high, level=0.95, unit="1"),
        method="planted",
        n=n,
        evidence=(rows,),
        details=details,
    )


def verdict(claim: str, *findings: Finding) -> str:
    return RULES[claim].verdict(findings)[0]


@pytest.mark.parametrize(
    ("lost", "leaders", "kind", "expected"),
    [
        (3.0, {"a": 8, "b": 3}, "own", "holds"),
        (3.0, {"a": 8, "b": 3}, "measured", "holds_with_caution"),
        (0.0, {"a": 8, "b": 3}, "own", "not_identified"),
        (0.0, {"a": 11}, "own", "does_not_hold"),
    ],
)
def test_no_winner_gives_each_verdict(
    lost: float, leaders: dict[str, int], kind: EvidenceKind, expected: str
) -> None:
    finding = found(rules.HARDEST, lost, kind=kind, leaders=leaders, model="a", models=5)
    assert verdict("no_model_wins_everywhere", finding) == expected


@pytest.mark.parametrize(
    ("gain", "n", "expected"),
    [
        ((0.02, 0.01, 0.03), 20, "holds"),
        ((0.02, 0.01, 0.03), 5, "holds_with_caution"),
        ((0.02, -0.01, 0.05), 20, "not_identified"),
        ((0.0, 0.0, 0.0), 20, "not_identified"),
        ((-0.02, -0.03, -0.01), 20, "does_not_hold"),
        ((0.02, None, None), 20, "holds_with_caution"),
        ((-0.02, None, None), 20, "does_not_hold"),
        ((None, None, None), 20, "not_identified"),
    ],
)
def test_beating_a_single_model_gives_each_verdict(gain: Numbers, n: int, expected: str) -> None:
    assert verdict("beats_any_single_model", found(rules.GAIN, *gain, n=n)) == expected


def test_a_model_chosen_in_hindsight_that_does_better_is_a_caution() -> None:
    gain, own = found(rules.GAIN, 0.02, 0.01, 0.03), found(rules.SELECTOR, 0.7)
    claim = "beats_any_single_model"
    assert verdict(claim, gain, own, found(rules.HINDSIGHT, 0.69)) == "holds"
    assert verdict(claim, gain, own, found(rules.HINDSIGHT, 0.71)) == "holds_with_caution"


@pytest.mark.parametrize(
    ("loss", "n", "expected"),
    [
        ((0.03, 0.01, 0.05), 20, "holds"),
        ((0.03, 0.01, 0.05), 4, "holds_with_caution"),
        ((0.03, -0.01, 0.05), 20, "not_identified"),
        ((-0.03, -0.05, -0.01), 20, "does_not_hold"),
        ((0.03, None, None), 20, "not_identified"),
    ],
)
def test_loss_away_from_the_benchmarks_gives_each_verdict(loss: Numbers, n: int, expected: str) -> None:
    assert verdict("limits_out_of_distribution", found(rules.LOSS, *loss, n=n)) == expected


def test_published_figures_stand_beside_and_no_evidence_is_said() -> None:
    judged = {claim.id: claim for claim in judge(())}
    assert {claim.verdict for claim in judged.values()} == {"needs_evidence"}
    beats = judged["routing.beats_any_single_model"].published
    assert beats is not None
    assert beats["verdict"] == "holds_with_caution"
    assert all(p.evidence[0].kind == "published" for p in published_findings())
