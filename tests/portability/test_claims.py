"""The two claims as rules, and the published aggregates that they read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from isoflop.evidence import load
from isoflop.findings import Estimate, Finding
from isoflop.portability.claims import CLAIMS, FAILURE, OVER, judge
from isoflop.portability.counted import share_draws, share_estimate
from isoflop.portability.published import published_findings, recounted_findings

RULES = {rule.id: rule for rule in CLAIMS}


def finding(name: str, value: float, low: float | None, high: float | None, **details: Any) -> Finding:
    known: Mapping[str, Any] = {"framework": "torch", "target": "elsewhere", **details}
    return Finding(
        id=name,
        instrument="portability",
        label="share",
        estimate=Estimate(value=value, low=low, high=high, level=0.95, unit="1"),
        method="planted",
        n=50,
        details=known,
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "level", "verdict"),
    [
        (0.6, 0.45, 0.7, "ran", "holds"),
        (0.5, 0.38, 0.62, "ran", "holds_with_caution"),
        (0.44, None, None, "ran", "holds_with_caution"),
        (0.3, None, None, "ran", "does_not_hold"),
        (0.2, 0.1, 0.3, "ran", "does_not_hold"),
        (0.35, 0.2, 0.5, "ran", "not_identified"),
        (0.9, 0.8, 0.95, "lowered", "not_identified"),
        (0.9, 0.8, 0.95, "agreed", "holds"),
    ],
)
def test_a_loss_of_over_40_percent_is_judged_by_its_interval(value, low, high, level, verdict):
    judged = RULES["portability.loses_over_40_percent"].apply(
        [finding(FAILURE, value, low, high, level=level)]
    )
    assert judged.verdict == verdict


@pytest.mark.parametrize(
    ("value", "low", "high", "details", "verdict"),
    [
        (0.8, 0.67, 0.9, {}, "holds"),
        (0.8, 0.67, 0.9, {"doubts": ["the timer does not wait"]}, "holds_with_caution"),
        (0.8, 0.67, 0.9, {"grid_low": 0.05}, "holds_with_caution"),
        (0.8, 0.67, 0.9, {"grid_low": 0.5}, "holds"),
        (0.15, 0.09, 0.3, {}, "not_identified"),
        (0.8, None, None, {}, "not_identified"),
        (0.0, 0.0, 0.06, {}, "does_not_hold"),
    ],
)
def test_an_extreme_slow_down_is_judged_by_its_interval_and_its_doubts(value, low, high, details, verdict):
    judged = RULES["portability.extreme_slowdown"].apply([finding(OVER, value, low, high, **details)])
    assert judged.verdict == verdict


def test_claims_without_findings_need_evidence():
    assert {claim.verdict for claim in judge([])} == {"needs_evidence"}


def test_published_figures_are_judged_beside_the_evidence():
    claims = judge(recounted_findings())
    assert [claim.verdict for claim in claims] == ["holds_with_caution"] * 2
    assert all(claim.published and claim.published["verdict"] == "holds_with_caution" for claim in claims)


def test_recounted_shares_are_counts_over_functions_and_told_as_published():
    for one in recounted_findings():
        assert one.details["published"]
        assert all(evidence.kind == "published" for evidence in one.evidence)
        if one.estimate.unit == "1":
            assert math.isclose(one.estimate.value, one.details["count"] / one.details["functions"])
            assert one.estimate.low < one.estimate.high


def test_the_headline_is_the_pair_under_its_qualified_id():
    found = {one.id: one for one in recounted_findings()}
    for name, pair in (
        ("portability.failure_share", "torch.tpu_v3"),
        ("portability.share_over_10x", "torch.gpu_t4.tpu_v3"),
        ("portability.slowdown_median", "torch.gpu_t4.tpu_v3"),
    ):
        assert found[name].estimate == found[f"{name}.{pair}"].estimate


def test_functions_that_fail_fail_partly_or_completely():
    rows = load("published_portability").frame.to_dicts()
    counts = {(r["framework"], r["target"], r["measure"]): r["count"] for r in rows if not r["source_target"]}
    pairs = {(framework, target) for framework, target, measure in counts if measure == "failing"}
    assert len(pairs) == 5
    for pair in pairs:
        assert counts[*pair, "failing"] == counts[*pair, "partial"] + counts[*pair, "complete"]


@pytest.mark.parametrize(("count", "functions"), [(0, 57), (35, 43), (43, 43)])
def test_draws_of_a_share_rise_and_lie_about_its_interval(count, functions):
    draws, share = share_draws(count, functions), share_estimate(count, functions)
    assert draws == sorted(draws)
    assert 0 < draws[0] < draws[-1] < 1
    inside = sum(share.low <= draw <= share.high for draw in draws) / len(draws)
    assert inside > 0.9


def test_no_function_gives_no_share():
    assert share_estimate(0, 0).value is None


def test_the_stated_share_carries_no_interval():
    stated = next(one for one in published_findings() if one.id == FAILURE)
    assert (stated.estimate.value, stated.estimate.low) == (0.44, None)
