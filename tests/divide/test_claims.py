"""The three claims: planted findings give each verdict, and the published figures give theirs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide import claims as rules
from isoflop.divide.claims import CLAIMS, judge
from isoflop.divide.published import published_findings
from isoflop.findings import Estimate, EvidenceKind, Finding, Provenance

RULES = {rule.id.removeprefix("divide."): rule for rule in CLAIMS}
Numbers = tuple[float | None, float | None, float | None]


def found(
    id_: str,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    kind: EvidenceKind = "pulled",
    **details: Any,
) -> Finding:
    rows = Provenance(name="made", source="made", kind=kind, rows_used=9, rows_dropped=0, fingerprint="")
    return Finding(
        id=id_,
        instrument="divide",
        label=id_,
        estimate=Estimate(value=value, low=low, high=high, level=0.95, unit="1"),
        method="planted",
        n=9,
        evidence=(rows,),
        details=details,
    )


def verdict(claim: str, *findings: Finding) -> str:
    return RULES[claim].verdict(findings)[0]


@pytest.mark.parametrize(
    ("deciles", "foundation", "kind", "expected"),
    [
        ((-0.8, -0.9, -0.3), (0.2, 0.1, 0.6), "pulled", "holds"),
        ((-0.8, -0.9, -0.3), (0.2, 0.1, 0.6), "embedded", "holds_with_caution"),
        ((-0.3, -0.7, 0.2), (0.2, 0.1, 0.6), "pulled", "holds_with_caution"),
        ((-0.3, -0.7, 0.2), (0.7, 0.4, 1.2), "pulled", "not_identified"),
        ((-0.8, None, None), (0.2, 0.1, 0.6), "pulled", "holds_with_caution"),
        ((-0.8, -0.9, -0.3), (1.4, 0.8, 2.0), "pulled", "not_identified"),
        ((-0.8, -0.9, -0.3), (1.4, 1.1, 2.0), "pulled", "does_not_hold"),
        ((0.5, 0.2, 0.8), (0.2, 0.1, 0.6), "pulled", "does_not_hold"),
        ((-0.8, -0.9, -0.3), (None, None, None), "pulled", "not_identified"),
    ],
)
def test_rarer_where_compute_is_larger_gives_each_verdict(
    deciles: Numbers, foundation: Numbers, kind: EvidenceKind, expected: str
) -> None:
    findings = [found(rules.DECILES, *deciles, kind), found(rules.FOUNDATION, *foundation, kind)]
    assert verdict("academia_less_in_compute_intensive", *findings) == expected


def test_most_of_all_foundation_models_is_doubted_where_another_group_is_lower() -> None:
    findings = [found(rules.DECILES, -0.8, -0.9, -0.3), found(rules.FOUNDATION, 0.4, 0.2, 0.7)]
    lower, higher = found(rules.SELF_SUPERVISED, 0.3), found(rules.SELF_SUPERVISED, 0.6)
    claim = "academia_less_in_compute_intensive"
    assert verdict(claim, *findings, higher) == "holds"
    assert verdict(claim, *findings, lower) == "holds_with_caution"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ((0.61, 0.45, 0.75), (0.12, 0.08, 0.2), "holds"),
        ((0.61, 0.45, 0.75), (0.16, 0.11, 0.23), "holds_with_caution"),
        ((0.4, 0.3, 0.5), (0.1, 0.05, 0.15), "holds_with_caution"),
        ((0.4, 0.2, 0.6), (0.3, 0.15, 0.45), "not_identified"),
        ((0.1, 0.05, 0.15), (0.4, 0.3, 0.5), "does_not_hold"),
        ((0.65, None, None), (0.1, None, None), "holds_with_caution"),
        ((0.1, None, None), (0.65, None, None), "does_not_hold"),
    ],
)
def test_the_fall_of_the_share_gives_each_verdict(first: Numbers, last: Numbers, expected: str) -> None:
    assert verdict("academia_share_fell", found(rules.FIRST, *first), found(rules.LAST, *last)) == expected


def test_a_fall_that_unknown_teams_could_undo_is_not_identified() -> None:
    first = found(rules.FIRST, 0.61, 0.45, 0.75, unknown_bounds=[0.3, 0.8])
    last = found(rules.LAST, 0.12, 0.08, 0.2, unknown_bounds=[0.1, 0.4])
    assert verdict("academia_share_fell", first, last) == "not_identified"


@given(*[st.floats(0.01, 0.99) for _ in range(2)])
def test_a_share_of_rows_picked_by_hand_decides_nothing(first: float, last: float) -> None:
    findings = [
        found(name, share, share - 0.005, share + 0.005, "embedded")
        for name, share in ((rules.FIRST, first), (rules.LAST, last))
    ]
    assert verdict("academia_share_fell", *findings) == "not_identified"


@pytest.mark.parametrize(
    ("z", "growth", "kind", "expected"),
    [
        (4.0, (8.0, 3.0, 20.0), "pulled", "holds_with_caution"),
        (4.0, (1.5, 0.8, 3.0), "pulled", "not_identified"),
        (4.0, None, "pulled", "not_identified"),
        (1.0, (8.0, 3.0, 20.0), "pulled", "not_identified"),
        (-3.0, (8.0, 3.0, 20.0), "pulled", "does_not_hold"),
        (4.0, (8.0, 3.0, 20.0), "embedded", "not_identified"),
    ],
)
def test_the_shift_to_models_of_industry_gives_each_verdict(
    z: float, growth: Numbers | None, kind: EvidenceKind, expected: str
) -> None:
    findings = [found(rules.TREND, z, kind=kind), found(rules.BASES, 0.5, 0.3, 0.7, kind)]
    if growth is not None:
        findings.append(found(rules.GROWTH, *growth))
    assert verdict("shift_to_open_industry_models", *findings) == expected


def test_published_figures_are_judged_beside_ours_and_never_mixed_in() -> None:
    first, last = found(rules.FIRST, 0.4, 0.2, 0.6), found(rules.LAST, 0.3, 0.15, 0.45)
    by_id = {claim.id: claim for claim in judge([first, last])}
    fell = by_id["divide.academia_share_fell"]
    assert (fell.verdict, fell.published["verdict"]) == ("not_identified", "holds_with_caution")
    assert by_id["divide.shift_to_open_industry_models"].published["verdict"] == "needs_evidence"
    assert fell.evidence == ("made",)


def test_each_claim_says_what_would_change_it_and_reads_ids_of_its_own() -> None:
    assert [rule.id for rule in CLAIMS] == [
        "divide.academia_less_in_compute_intensive",
        "divide.academia_share_fell",
        "divide.shift_to_open_industry_models",
    ]
    for rule in CLAIMS:
        assert rule.would_change.endswith(".")
        assert rule.rule.endswith(".")
        assert all(name.startswith("divide.") for name in rule.finding_ids)
    assert all(f.estimate.low is None for f in published_findings())
