"""The ledger, and the command that prints it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.cli import main
from isoflop.findings import Document
from isoflop.report.instruments import INSTRUMENTS, choose
from isoflop.report.ledger import VERDICTS, complete, tally, tally_text

CLAIMS = (
    "scaling.laws_apply",
    "scaling.rfm_like_llm",
    "scaling.like_vision_above_language",
    "scaling.familiar_scales_better",
    "scaling.diminishing_returns",
    "scaling.emergence",
    "progress.halves_in_8_months",
    "progress.faster_than_moore",
    "progress.compute_contributed_more",
    "divide.academia_less_in_compute_intensive",
    "divide.academia_share_fell",
    "divide.shift_to_open_industry_models",
    "routing.no_model_wins_everywhere",
    "routing.beats_any_single_model",
    "routing.limits_out_of_distribution",
    "portability.loses_over_40_percent",
    "portability.extreme_slowdown",
)


@pytest.fixture
def document(made_up: ModuleType, tmp_path: Path) -> Path:
    """Return a file of findings and claims of one instrument."""
    chapter = made_up.chapter()
    path = tmp_path / "findings.json"
    Document(findings=chapter.findings, claims=chapter.claims).write(path)
    return path


def test_every_claim_of_every_paper_is_listed_in_order_even_without_evidence() -> None:
    ledger = complete([], [])
    assert tuple(claim.id for claim in ledger) == CLAIMS
    assert {claim.verdict for claim in ledger} == {"needs_evidence"}
    for claim in ledger:
        assert claim.why
        assert claim.rule
        assert claim.would_change


def test_a_claim_that_was_judged_keeps_its_verdict_and_others_are_added(made_up: ModuleType) -> None:
    chapter = made_up.chapter()
    ledger = complete(chapter.claims, chapter.findings)
    assert tuple(claim.id for claim in ledger) == CLAIMS
    known = {claim.id: claim for claim in ledger}
    for claim in chapter.claims:
        assert known[claim.id] is claim


def test_a_claim_of_no_instrument_is_not_lost(made_up: ModuleType) -> None:
    stray = replace(made_up.chapter().claims[0], id="elsewhere.claim")
    assert complete([stray], [])[-1] is stray


@given(st.lists(st.sampled_from(list(VERDICTS))))
def test_the_tally_counts_each_claim_once(verdicts: list[str]) -> None:
    counted = tally(verdicts)  # type: ignore[arg-type]
    assert sum(number for _, number in counted) == len(verdicts)
    assert [verdict for verdict, _ in counted] == [v for v in VERDICTS if v in verdicts]


def test_one_claim_is_said_in_the_singular() -> None:
    assert tally_text(complete([], [])[:1]) == "1 claim on this evidence: 1 needs evidence"


def test_the_command_reads_a_document_and_judges_what_it_does_not_hold(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", str(document)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("17 claims on this evidence")
    assert all(f"({name})" in printed for name in CLAIMS)
    assert "what would change it: Systems trained after 2024" in printed
    for instrument in INSTRUMENTS:
        assert instrument.paper in printed


def test_only_one_paper_is_judged_when_one_is_named(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", str(document), "--only", "progress", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [claim["id"] for claim in printed["claims"]] == [n for n in CLAIMS if n.startswith("progress.")]
    assert {f["id"] for f in printed["findings"]} == {
        "progress.halving_time_months",
        "progress.compute_share",
    }
    assert choose(("progress",))[0].claims == "isoflop.progress.claims:judge"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.json"], "needs a findings.json"),
        (["DOCUMENT", "--evidence", "embedded"], "needs one of the two"),
        (["DOCUMENT", "--quick"], "needs one of the two"),
        (["DOCUMENT", "--only", "progres"], "Did you mean 'progress'"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    document: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", *(str(document) if word == "DOCUMENT" else word for word in words)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
