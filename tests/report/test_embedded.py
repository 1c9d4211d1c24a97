"""The whole report on the facts that ship: every promised id, every claim, small enough, one of each."""

from __future__ import annotations

import pytest

from isoflop.report.contents import Report
from isoflop.report.make import report as make
from isoflop.report.page import render
from tests.report.test_ledger import CLAIMS

IDS = (
    "scaling.frontier_exponent_a",
    "scaling.optimal_tokens_per_param",
    "scaling.exponent_data_robotics",
    "scaling.halving_factor_data_robotics",
    "progress.rate_per_year",
    "progress.halving_time_months",
    "progress.compute_share",
    "divide.doubling_time_months_all",
    "divide.gap_oom",
    "divide.academia_share_first",
    "divide.academia_share_last",
    "routing.selector_score",
    "routing.best_on_average_score",
    "routing.oracle_score",
    "routing.compute_equivalent_gain",
    "portability.failure_share",
    "portability.slowdown_median",
    "portability.share_over_10x",
    "outlook.academic_lag_years",
    "outlook.portability_tax_months",
    "outlook.routing_gain_months",
)
MOST_BYTES = 8_000_000
FEWEST_OK = 16

pytestmark = [pytest.mark.slow, pytest.mark.ci]


@pytest.fixture(scope="module")
def whole() -> Report:
    """Return the quick report of all six parts."""
    return make("embedded", quick=True, workers=2)


def test_every_promised_id_is_there_and_most_have_a_value(whole: Report) -> None:
    known = [whole.finding(name) for name in IDS]
    blank = [finding for finding in known if finding.status != "ok"]
    assert len(known) - len(blank) >= FEWEST_OK
    for finding in blank:
        assert finding.details.get("reason"), finding.id


def test_all_six_parts_and_all_claims_are_there_in_order(whole: Report) -> None:
    parts = ["scaling", "progress", "divide", "routing", "portability", "outlook"]
    assert [chapter.instrument for chapter in whole.chapters] == parts
    assert tuple(claim.id for claim in whole.claims) == CLAIMS
    assert {claim.verdict for claim in whole.claims} - {"needs_evidence"}


def test_the_signature_has_a_row_for_each_instrument(whole: Report) -> None:
    assert whole.signature is not None
    assert set(whole.signature.frame["instrument"]) == {part.instrument for part in whole.chapters[:-1]}


def test_the_page_is_small_enough_to_mail_and_names_each_kind_of_evidence(whole: Report) -> None:
    page = render(whole)
    assert len(page.encode()) <= MOST_BYTES
    for kind in {provenance.kind for provenance in whole.provenance}:
        assert f'<span class="kind {kind}">' in page
