"""The three claims: planted findings give each verdict, and the published figures give theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Estimate, Finding
from isoflop.progress.claims import ABOUT_RANGE, CLAIMED_RANGE, CLAIMS, judge, rival_times
from isoflop.progress.published import PUBLISHED, published_findings

RULES = {rule.id.removeprefix("progress."): rule for rule in CLAIMS}


def found(name, value, low=None, high=None, *, interval="closed", unit="months", **details):
    return Finding(
        id=f"progress.{name}",
        instrument="progress",
        label=name,
        estimate=Estimate(value=value, low=low, high=high, level=0.95, unit=unit, interval=interval),
        method="planted",
        n=10,
        details=details,
    )


def minimum(months, above):
    return {"halving_time_months": months, "objective_above_best": above}


RIVALS = [minimum(8.0, 0.0), minimum(16.0, 0.001)]
POOR_RIVALS = [minimum(8.0, 0.0), minimum(16.0, 0.01)]
SAME_STORY = [minimum(8.0, 0.0), minimum(9.0, 0.001)]


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        (found("halving_time_months", 8.0, 5.0, 14.0), "holds"),
        (found("halving_time_months", 8.4, 4.5, 14.3, minima=POOR_RIVALS), "holds"),
        (found("halving_time_months", 8.4, 4.5, 14.3, minima=SAME_STORY), "holds"),
        (found("halving_time_months", 8.4, 4.5, 14.3, minima=RIVALS), "holds_with_caution"),
        (found("halving_time_months", 8.0, 2.0, 22.0), "holds_with_caution"),
        (found("halving_time_months", 8.0), "holds_with_caution"),
        (found("halving_time_months", 3.7, 1.1, 10.4), "not_identified"),
        (found("halving_time_months", 12.0, 9.0, 20.0), "not_identified"),
        (found("halving_time_months", 8.0, 3.0, interval="open_above"), "not_identified"),
        (found("halving_time_months", 8.0, -3.0, 4.0, interval="two_pieces"), "not_identified"),
        (found("halving_time_months", 3.0, 2.0, 4.9), "does_not_hold"),
        (found("halving_time_months", 20.0, 15.0, 30.0), "does_not_hold"),
        (found("halving_time_months", 24.0), "does_not_hold"),
        (found("halving_time_months", None), "not_identified"),
    ],
)
def test_halving_time_gives_each_verdict(time, verdict):
    assert RULES["halves_in_8_months"].verdict([time])[0] == verdict


@pytest.mark.parametrize(
    ("moore", "hardware", "verdict"),
    [
        ((3.0, 1.7, 4.8), None, "holds"),
        ((3.0, 1.7, 4.8), (2.0, 1.1, 4.0), "holds"),
        ((3.0, 1.7, 4.8), (2.0, 0.9, 4.0), "holds_with_caution"),
        ((3.0, 0.2, 4.8), (2.0, 1.1, 4.0), "holds_with_caution"),
        ((0.8, 0.2, 1.4), (2.0, 1.1, 4.0), "not_identified"),
        ((0.5, 0.2, 0.9), (2.0, 1.1, 4.0), "does_not_hold"),
        ((3.0, None, None), None, "holds_with_caution"),
        ((0.9, None, None), None, "does_not_hold"),
    ],
)
def test_weaker_of_two_baselines_decides(moore, hardware, verdict):
    findings = [found("ratio_to_moore", *moore, unit="×")]
    if hardware is not None:
        findings.append(found("ratio_to_hardware", *hardware, unit="×"))
    assert RULES["faster_than_moore"].verdict(findings)[0] == verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        ((0.81, 0.60, 0.95), "holds"),
        ((0.75, 0.45, 0.90), "holds_with_caution"),
        ((0.75, None, None), "holds_with_caution"),
        ((0.45, 0.30, 0.70), "not_identified"),
        ((0.30, 0.10, 0.45), "does_not_hold"),
    ],
)
def test_compute_share_gives_each_verdict(share, verdict):
    assert RULES["compute_contributed_more"].verdict([found("compute_share", *share, unit="1")])[0] == verdict


def test_a_missing_finding_needs_evidence():
    assert {claim.verdict for claim in judge(())} == {"needs_evidence"}


def test_published_figures_meet_their_own_claims():
    assert {claim.id: claim.verdict for claim in judge(published_findings())} == {
        "progress.halves_in_8_months": "holds",
        "progress.faster_than_moore": "holds",
        "progress.compute_contributed_more": "holds",
    }


def test_conference_interval_asks_for_caution():
    wide = PUBLISHED["halving_time_neurips"].estimate
    again = found("halving_time_months", wide.value, wide.low, wide.high)
    verdict, why = RULES["halves_in_8_months"].verdict([again])
    assert verdict == "holds_with_caution"
    assert "4 to 17" in why


def test_both_columns_stand_in_the_ledger():
    (time, *_) = judge([found("halving_time_months", 20.0, 15.0, 30.0)])
    assert time.verdict == "does_not_hold"
    assert time.published == {"verdict": "holds", "why": time.published["why"]}
    assert "8" in time.published["why"]


def test_every_claim_says_its_rule_and_what_would_change_it():
    for claim in judge(published_findings()):
        assert claim.rule.startswith("Holds if")
        assert claim.would_change
        assert claim.finding_ids


@given(point=st.floats(0.5, 60.0), below=st.floats(0.0, 0.95), above=st.floats(0.0, 3.0), rival=st.booleans())
def test_verdict_follows_the_rule_as_written(point, below, above, rival):
    low, high = point * (1 - below), point * (1 + above)
    minima = RIVALS if rival else POOR_RIVALS
    verdict = RULES["halves_in_8_months"].verdict(
        [found("halving_time_months", point, low, high, minima=minima)]
    )[0]
    first, last = CLAIMED_RANGE
    if high < first or low > last:
        expected = "does_not_hold"
    elif not first <= point <= last or not low <= 8 <= high:
        expected = "not_identified"
    elif rival or low < ABOUT_RANGE[0] or high > ABOUT_RANGE[1]:
        expected = "holds_with_caution"
    else:
        expected = "holds"
    assert verdict == expected


def test_rivals_are_near_in_objective_and_far_in_time():
    assert rival_times(found("halving_time_months", 8.0, minima=RIVALS)) == [16.0]
    assert rival_times(found("halving_time_months", 8.0, minima=POOR_RIVALS)) == []
    assert rival_times(found("halving_time_months", 8.0, minima=SAME_STORY)) == []
    assert rival_times(found("halving_time_months", 8.0)) == []


def test_a_rival_without_progress_is_a_doubt_in_words():
    minima = [minimum(8.0, 0.0), minimum(None, 0.001)]
    claim = judge([found("halving_time_months", 8.4, 4.5, 14.3, minima=minima)])[0]
    assert claim.verdict == "holds_with_caution"
    assert "(no halving time)" in claim.why
