"""Findings: no NaN leaves the house, ids are unique, verdicts follow from findings."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import (
    MAX_DRAWS,
    Claim,
    ClaimRule,
    Document,
    Estimate,
    Finding,
    Provenance,
    equal_probability_quantiles,
    json_ready,
    write_atomically,
)

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(-1e6, 1e6)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    ANY_FLOAT,
    st.text(max_size=5),
    st.dates(),
    ANY_FLOAT.map(np.float64),
    st.integers(-99, 99).map(np.int64),
    st.booleans().map(np.bool_),
    st.lists(ANY_FLOAT, max_size=4).map(np.array),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers(0, 9)), inner, max_size=3),
    ),
    max_leaves=12,
)
TABLE = Provenance(
    name="evaluations", source="planted", kind="own", rows_used=9, rows_dropped=1, fingerprint="0" * 16
)


def finding(id="progress.rate_per_year", value: float | None = 1.0, **rest) -> Finding:
    settings = {"instrument": "progress", "label": "rate", "method": "planted", "n": 9, "evidence": (TABLE,)}
    estimate = rest.pop("estimate", None) or Estimate(
        value=value, low=0.5, high=1.5, level=0.95, unit="ln/yr"
    )
    return Finding(id=id, estimate=estimate, **{**settings, **rest})


def numbers_within(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers_within(item)
    elif isinstance(value, float):
        yield value


# ---------------------------------------------------------------------------- estimates


@given(ANY_FLOAT, ANY_FLOAT, ANY_FLOAT)
def test_an_estimate_never_holds_a_number_that_is_not_finite(value, low, high):
    estimate = Estimate(value=value, low=low, high=high, unit="1")
    for given_number, kept in zip(
        (value, low, high), (estimate.value, estimate.low, estimate.high), strict=True
    ):
        assert kept == (given_number if math.isfinite(given_number) else None)


@given(FINITE, st.floats(0, 10), st.floats(0, 10))
def test_a_rising_transform_keeps_the_order_of_the_bounds(value, below, above):
    estimate = Estimate(value=value, low=value - below, high=value + above, level=0.9, unit="a")
    moved = estimate.map(lambda x: 2 * x + 1, unit="b")
    assert moved == Estimate(
        value=2 * value + 1, low=2 * (value - below) + 1, high=2 * (value + above) + 1, level=0.9, unit="b"
    )


@given(FINITE, st.floats(0, 10), st.floats(0, 10))
def test_a_falling_transform_swaps_the_bounds_and_undoes_itself(value, below, above):
    estimate = Estimate(value=value, low=value - below, high=value + above, unit="a")
    moved = estimate.map(lambda x: -x, unit="a")
    assert moved.low <= moved.value <= moved.high
    assert moved.map(lambda x: -x, unit="a") == estimate


@pytest.mark.parametrize(("kind", "mirrored"), [("open_above", "open_below"), ("open_below", "open_above")])
def test_a_falling_transform_turns_an_open_side_to_the_other_side(kind, mirrored):
    bounds = {"low": 1.0} if kind == "open_above" else {"high": 3.0}
    moved = Estimate(value=2.0, unit="ln/yr", interval=kind, **bounds).map(lambda x: 6 / x, unit="months")
    assert moved.interval == mirrored
    assert (moved.low, moved.high) == ((None, 6.0) if kind == "open_above" else (2.0, None))


def test_an_estimate_without_value_or_bounds_survives_a_transform():
    empty = Estimate(value=None, unit="a")
    assert empty.map(math.exp, unit="b") == Estimate(value=None, unit="b")


# ------------------------------------------------------------------------------- findings


def test_a_finding_without_a_value_is_never_ok():
    assert finding(value=math.nan).status == "not_identified"
    assert finding(value=None, status="refused").status == "refused"
    assert finding(value=0.0).status == "ok"


def test_a_finding_prints_every_field_of_the_contract():
    assert list(finding().to_dict()) == [
        *("id", "instrument", "label", "value", "low", "high", "level", "unit", "method", "n"),
        *("evidence", "seed", "cautions", "status", "details"),
    ]
    assert list(finding().to_dict()["evidence"][0]) == [
        *("name", "source", "kind", "rows_used", "rows_dropped", "fingerprint")
    ]


@pytest.mark.parametrize("kind", ["closed", "open_above", "open_below", "two_pieces"])
def test_the_kind_of_interval_is_written_into_the_details(kind):
    high = None if kind == "open_above" else 2.0
    estimate = Estimate(value=1.0, low=0.5, high=high, level=0.95, unit="months", interval=kind)
    assert finding(estimate=estimate).to_dict()["details"]["interval"] == kind


def test_findings_and_claims_cannot_be_altered():
    with pytest.raises(AttributeError):
        finding().id = "other"
    with pytest.raises(AttributeError):
        TABLE.rows_used = 10


@given(st.lists(ANY_FLOAT, max_size=3 * MAX_DRAWS))
def test_draws_are_finite_sorted_few_and_within_the_range_drawn(draws):
    kept = equal_probability_quantiles(draws)
    finite = sorted(x for x in draws if math.isfinite(x))
    assert kept == sorted(kept)
    assert len(kept) == min(len(finite), MAX_DRAWS)
    if kept:
        assert finite[0] <= kept[0]
        assert kept[-1] <= finite[-1]


def test_draws_keep_the_quantiles_of_what_they_stand_for():
    kept = np.array(equal_probability_quantiles(np.random.default_rng(0).normal(size=20_001)))
    # 200 of 20,001 normal draws: the mean and spread move by less than one part in fifty.
    assert abs(kept.mean()) < 0.02
    assert abs(kept.std() - 1) < 0.02


# ----------------------------------------------------------------------------------- JSON


@given(NESTED)
def test_no_nested_value_becomes_json_with_a_number_that_is_not_finite(value):
    text = json.dumps(json_ready(value), allow_nan=False)
    assert all(math.isfinite(number) for number in numbers_within(json.loads(text)))


@given(NESTED)
def test_what_is_json_ready_stays_as_it_is(value):
    once = json_ready(value)
    assert json_ready(once) == once


def test_objects_without_a_json_form_are_refused():
    with pytest.raises(TypeError, match="object has no JSON form"):
        json_ready({"a": object()})


@given(ANY_FLOAT, NESTED)
def test_a_document_is_strict_json_whatever_the_findings_hold(value, extra):
    document = Document(
        findings=(finding(value=value, details={"extra": extra}),),
        tables={"rows": [{"x": value, "y": extra}]},
    )

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    read = json.loads(document.to_json(), parse_constant=refuse)
    assert list(read) == ["schema", "isoflop", "created", "findings", "claims", "tables"]
    assert read["findings"][0]["value"] == (value if math.isfinite(value) else None)


def test_a_document_says_when_and_by_which_version_it_was_made():
    from isoflop import __version__

    read = json.loads(Document().to_json())
    assert read["schema"] == 1
    assert read["isoflop"] == __version__
    assert abs(dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(read["created"])) < dt.timedelta(minutes=5)


def test_a_document_refuses_the_same_id_twice():
    with pytest.raises(ValueError, match=r"'progress\.rate_per_year' occurs twice"):
        Document(findings=(finding(), finding(value=2.0)))


# --------------------------------------------------------------------------------- verdicts


def rule(**rest) -> ClaimRule:
    settings = {
        "id": "progress.grows",
        "paper": "a paper",
        "text": "compute goes further every year",
        "rule": "the interval of the rate lies above 0",
        "finding_ids": ("progress.rate_per_year",),
        "judge": lambda known: (
            ("holds", "above 0")
            if known["progress.rate_per_year"].estimate.low > 0
            else ("does_not_hold", "0 is not excluded")
        ),
    }
    return ClaimRule(**{**settings, **rest})


@given(st.floats(-5, 5))
def test_a_verdict_is_what_the_rule_says_of_the_finding(low):
    estimate = Estimate(value=low + 1, low=low, high=low + 2, level=0.95, unit="ln/yr")
    claim = rule().apply([finding(estimate=estimate)])
    assert claim.verdict == ("holds" if low > 0 else "does_not_hold")
    assert claim.evidence == ("evaluations",)


def test_a_missing_finding_needs_evidence_and_is_named():
    claim = rule().apply([finding(id="progress.compute_share")])
    assert claim.verdict == "needs_evidence"
    assert "progress.rate_per_year" in claim.why


def test_a_finding_without_a_value_leaves_the_claim_unidentified():
    claim = rule().apply([finding(value=math.nan)])
    assert claim.verdict == "not_identified"
    assert "progress.rate_per_year" in claim.why


def test_the_published_figures_are_judged_by_the_same_rule_and_stand_beside():
    against = Estimate(value=0.1, low=-0.2, high=0.4, level=0.95, unit="ln/yr")
    claim = rule().apply([finding()], published=[finding(estimate=against)])
    assert claim.verdict == "holds"
    assert claim.published == {"verdict": "does_not_hold", "why": "0 is not excluded"}
    assert rule().apply([finding()]).published is None


def test_a_claim_names_each_table_once_and_only_the_tables_it_rests_on():
    both = [
        finding(),
        finding(id="progress.halving_time_months"),
        finding(id="progress.compute_share", evidence=()),
    ]
    claim = rule(finding_ids=("progress.rate_per_year", "progress.halving_time_months")).apply(both)
    assert claim.evidence == ("evaluations",)
    assert json.dumps(claim.to_dict(), allow_nan=False)
    assert set(claim.to_dict()) == set(Claim.__slots__)


# ----------------------------------------------------------------------------------- writing


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "findings.json"
    write_atomically(path, "one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["findings.json"]


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_part(tmp_path, monkeypatch, failure):
    path = tmp_path / "findings.json"
    write_atomically(path, "old")

    def fail(handle, mode):
        os.close(handle)
        raise failure

    monkeypatch.setattr(os, "fdopen", fail)
    with pytest.raises(type(failure)):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["findings.json"]


def test_a_written_file_has_the_permissions_of_an_ordinary_one(tmp_path):
    ordinary, written = tmp_path / "ordinary", tmp_path / "written"
    ordinary.write_text("x")
    write_atomically(written, "x")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_document_is_written_as_the_text_it_prints(tmp_path):
    Document(findings=(finding(),)).write(tmp_path / "findings.json")
    read = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    assert read["findings"] == [finding().to_dict()]
