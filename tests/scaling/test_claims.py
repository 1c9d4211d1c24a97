"""The six claims: planted findings give each verdict, and the published figures give theirs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Estimate, Finding
from isoflop.scaling import claims as rules
from isoflop.scaling.claims import ALIKE, BY_CHANCE, CLAIMS, HALF, RESEMBLES, judge
from isoflop.scaling.published import published_findings

RULES = {rule.id.removeprefix("scaling."): rule for rule in CLAIMS}
Numbers = tuple[float | None, float | None, float | None]


def found(id_: str, value: float | None, low: float | None = None, high: float | None = None, **details: Any):
    return Finding(
        id=id_,
        instrument="scaling",
        label=id_,
        estimate=Estimate(value=value, low=low, high=high, level=0.95, unit="1"),
        method="planted",
        n=10,
        details=details,
    )


def verdict(claim: str, *findings: Finding) -> str:
    return RULES[claim].verdict(findings)[0]


FALLS, REACHES, RISES, POINT = (-0.3, -0.4, -0.2), (-0.1, -0.3, 0.1), (0.2, 0.1, 0.3), (-0.2, None, None)


@pytest.mark.parametrize(
    ("data", "size", "compute", "expected"),
    [
        (FALLS, FALLS, FALLS, "holds"),
        (FALLS, FALLS, None, "holds_with_caution"),
        (FALLS, FALLS, (None, None, None), "holds_with_caution"),
        (FALLS, REACHES, FALLS, "holds_with_caution"),
        (FALLS, POINT, FALLS, "holds_with_caution"),
        (FALLS, FALLS, RISES, "does_not_hold"),
        ((0.0, -0.1, 0.1), FALLS, FALLS, "not_identified"),
        (RISES, FALLS, None, "does_not_hold"),
        ((None, None, None), FALLS, FALLS, "not_identified"),
    ],
)
def test_laws_apply_gives_each_verdict(
    data: Numbers, size: Numbers, compute: Numbers | None, expected: str
) -> None:
    findings = [found(rules.DATA, *data), found(rules.SIZE, *size)]
    if compute is not None:
        findings.append(found(rules.COMPUTE, *compute))
    assert verdict("laws_apply", *findings) == expected


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        ((0.01, -0.08, 0.09), "holds"),
        ((0.05, 0.01, 0.15), "holds_with_caution"),
        ((-0.05, -0.15, -0.01), "holds_with_caution"),
        ((0.2, 0.05, 0.4), "does_not_hold"),
        ((0.05, -0.2, 0.3), "not_identified"),
        ((0.05, None, None), "not_identified"),
        ((None, None, None), "not_identified"),
    ],
)
def test_likeness_of_classes_gives_each_verdict(difference: Numbers, expected: str) -> None:
    assert verdict("rfm_like_llm", found(rules.CLASSES, *difference)) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((1.0, 0.6, 1.8), "holds_with_caution"),
        ((3.0, 2.2, 4.0), "does_not_hold"),
        ((0.2, 0.1, 0.4), "does_not_hold"),
        ((1.0, 0.3, 1.8), "not_identified"),
        ((1.0, 0.6, None), "not_identified"),
        ((None, None, None), "not_identified"),
    ],
)
def test_likeness_to_vision_is_never_more_than_a_caution(ratio: Numbers, expected: str) -> None:
    decided, why = RULES["like_vision_above_language"].verdict([found(rules.VISION, *ratio)])
    assert decided == expected
    if ratio[0] is not None:
        assert "cross-entropy" in why


@pytest.mark.parametrize(
    ("difference", "within", "expected"),
    [
        ((0.2, 0.1, 0.3), {"value": 0.2, "low": 0.05, "high": 0.4}, "holds"),
        ((0.2, 0.1, 0.3), {"value": 0.2, "low": -0.05, "high": 0.4}, "holds_with_caution"),
        ((0.2, 0.1, 0.3), {"value": 0.2, "low": None, "high": None}, "holds_with_caution"),
        ((0.2, 0.1, 0.3), None, "holds_with_caution"),
        ((0.1, -0.1, 0.3), None, "not_identified"),
        ((0.1, None, None), None, "not_identified"),
        ((-0.2, -0.3, -0.1), None, "does_not_hold"),
    ],
)
def test_familiarity_asks_for_a_difference_within_papers(
    difference: Numbers, within: dict[str, Any] | None, expected: str
) -> None:
    assert (
        verdict("familiar_scales_better", found(rules.FAMILIAR, *difference, within_papers=within))
        == expected
    )


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        ((0.7, 0.6, 0.8), {"flattens": 7, "not_distinguished": 3}, "holds"),
        ((0.1, 0.05, 0.2), {"flattens": 1, "steepens": 6, "not_distinguished": 3}, "does_not_hold"),
        ((0.1, 0.05, 0.2), {"flattens": 1, "not_distinguished": 9}, "not_identified"),
        ((0.1, 0.05, 0.2), {}, "not_identified"),
        ((0.5, 0.4, 0.6), {"flattens": 5, "steepens": 5}, "not_identified"),
        ((0.7, None, None), {"flattens": 7, "steepens": 3}, "not_identified"),
    ],
)
def test_diminishing_returns_need_studies_that_can_tell(
    share: Numbers, counts: dict[str, int], expected: str
) -> None:
    decided, why = RULES["diminishing_returns"].verdict([found(rules.CURVED, *share, counts=counts)])
    assert decided == expected
    assert "no evidence" in why


def test_the_distance_to_a_target_is_said_beside_the_curvature() -> None:
    curved, target = found(rules.CURVED, 0.7, 0.6, 0.8), found(rules.TARGET, 0.4, 0.3, 0.5)
    assert "90 % success is out of reach" in RULES["diminishing_returns"].verdict([curved, target])[1]
    assert "out of reach" not in RULES["diminishing_returns"].verdict([curved])[1]


@pytest.mark.parametrize(
    ("share", "verdicts", "expected"),
    [
        ((0.3, 0.2, 0.4), {"break_supported": 3, "smooth": 7}, "holds"),
        ((0.01, 0.0, 0.03), {"smooth": 9, "undetermined": 1}, "does_not_hold"),
        ((0.01, 0.0, 0.03), {"smooth": 4, "undetermined": 6}, "not_identified"),
        ((0.05, 0.01, 0.1), {"smooth": 9, "undetermined": 1}, "not_identified"),
        ((0.05, None, None), {"smooth": 9}, "not_identified"),
    ],
)
def test_emergence_is_more_thresholds_than_by_chance(
    share: Numbers, verdicts: dict[str, int], expected: str
) -> None:
    zeros = found(rules.ZEROS, 0.1, 0.05, 0.2)
    assert verdict("emergence", found(rules.THRESHOLDS, *share, verdicts=verdicts), zeros) == expected


# -------------------------------------------------------------------------- the ledger as a whole


def test_a_missing_finding_needs_evidence() -> None:
    assert {claim.verdict for claim in judge(())} == {"needs_evidence"}


def test_published_figures_are_judged_by_the_same_rules() -> None:
    assert {claim.id: claim.verdict for claim in judge(published_findings())} == {
        "scaling.laws_apply": "holds",
        "scaling.rfm_like_llm": "needs_evidence",
        "scaling.like_vision_above_language": "needs_evidence",
        "scaling.familiar_scales_better": "holds_with_caution",
        "scaling.diminishing_returns": "needs_evidence",
        "scaling.emergence": "needs_evidence",
    }


def test_both_columns_stand_in_the_ledger() -> None:
    first = judge([found(rules.DATA, *RISES), found(rules.SIZE, *FALLS)])[0]
    assert first.verdict == "does_not_hold"
    assert first.published is not None
    assert first.published["verdict"] == "holds"
    assert "−0.28 (−0.32 to −0.24" in first.published["why"]


def test_every_claim_says_its_rule_and_what_would_change_it() -> None:
    assert list(RULES) == [
        "laws_apply",
        "rfm_like_llm",
        "like_vision_above_language",
        "familiar_scales_better",
        "diminishing_returns",
        "emergence",
    ]
    for claim in judge(()):
        assert claim.finding_ids
        assert claim.rule
        assert claim.would_change
        assert "  " not in claim.text + claim.rule


interval = st.tuples(st.floats(-1.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))


def closed(drawn: tuple[float, float, float]) -> tuple[float, float, float]:
    value, below, above = drawn
    return value, value - below, value + above


@given(interval, interval, interval)
def test_laws_apply_follows_its_rule_as_written(data, size, compute) -> None:
    numbers = [closed(one) for one in (data, size, compute)]
    names = (rules.DATA, rules.SIZE, rules.COMPUTE)
    findings = [found(name, *one) for name, one in zip(names, numbers, strict=True)]
    if any(low > 0 for _, low, _ in numbers):
        expected = "does_not_hold"
    elif any(value >= 0 for value, _, _ in numbers):
        expected = "not_identified"
    elif all(high < 0 for _, _, high in numbers):
        expected = "holds"
    else:
        expected = "holds_with_caution"
    assert verdict("laws_apply", *findings) == expected


@given(interval)
def test_likeness_of_classes_follows_its_rule_as_written(drawn) -> None:
    value, low, high = closed(drawn)
    if low >= -ALIKE and high <= ALIKE:
        expected = "holds"
    elif low <= 0 <= high:
        expected = "not_identified"
    else:
        expected = "holds_with_caution" if abs(value) <= ALIKE else "does_not_hold"
    assert verdict("rfm_like_llm", found(rules.CLASSES, value, low, high)) == expected


@given(st.floats(0.01, 5.0), st.floats(0.0, 0.9), st.floats(0.0, 3.0))
def test_likeness_to_vision_follows_its_rule_as_written(value, below, above) -> None:
    low, high = value * (1 - below), value * (1 + above)
    least, most = RESEMBLES
    if low >= least and high <= most:
        expected = "holds_with_caution"
    else:
        expected = "does_not_hold" if high < least or low > most else "not_identified"
    assert verdict("like_vision_above_language", found(rules.VISION, value, low, high)) == expected


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5), st.integers(0, 20))
def test_shares_are_judged_by_their_intervals(value, below, above, undecided) -> None:
    low, high = max(value - below, 0.0), min(value + above, 1.0)
    told = {"flattens": 10, "not_distinguished": undecided}
    if low > HALF:
        expected = "holds"
    else:
        expected = (
            "does_not_hold" if high < HALF and undecided < HALF * (10 + undecided) else "not_identified"
        )
    assert verdict("diminishing_returns", found(rules.CURVED, value, low, high, counts=told)) == expected
    tested = {"smooth": 10, "undetermined": undecided}
    if low > BY_CHANCE:
        expected = "holds"
    elif undecided >= HALF * (10 + undecided) or high >= BY_CHANCE:
        expected = "not_identified"
    else:
        expected = "does_not_hold"
    thresholds = found(rules.THRESHOLDS, value, low, high, verdicts=tested)
    assert verdict("emergence", thresholds, found(rules.ZEROS, 0.1, 0.0, 0.2)) == expected
