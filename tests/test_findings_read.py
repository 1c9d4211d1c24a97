"""Documents come back as they were written; what is no document is refused by name."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.findings import Claim, Document, Estimate, Finding, Interval, Provenance, Status, Verdict

WORDS = st.text(max_size=12)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TABLES = st.builds(
    Provenance,
    name=WORDS,
    source=WORDS,
    kind=st.sampled_from(["embedded", "measured", "own"]),
    rows_used=st.integers(0, 9),
    rows_dropped=st.integers(0, 9),
    fingerprint=WORDS,
)
ESTIMATES = st.builds(
    Estimate,
    value=NUMBERS,
    low=NUMBERS,
    high=NUMBERS,
    level=st.none() | st.floats(0.5, 0.99),
    unit=WORDS,
    interval=st.sampled_from(get_args(Interval)),
)
PLAIN = st.recursive(
    NUMBERS | WORDS | st.booleans() | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
FINDINGS = st.builds(
    Finding,
    id=WORDS,
    instrument=WORDS,
    label=WORDS,
    estimate=ESTIMATES,
    method=WORDS,
    n=st.none() | st.integers(0, 99),
    evidence=st.lists(TABLES, max_size=2).map(tuple),
    seed=st.none() | st.integers(0, 9),
    cautions=st.lists(WORDS, max_size=2).map(tuple),
    status=st.sampled_from(get_args(Status)),
    details=st.dictionaries(WORDS.filter(lambda word: word != "interval"), PLAIN, max_size=3),
)
CLAIMS = st.builds(
    Claim,
    id=WORDS,
    paper=WORDS,
    text=WORDS,
    verdict=st.sampled_from(get_args(Verdict)),
    finding_ids=st.lists(WORDS, max_size=2).map(tuple),
    rule=WORDS,
    why=WORDS,
    would_change=WORDS,
    evidence=st.lists(WORDS, max_size=2).map(tuple),
    published=st.none() | st.just({"verdict": "holds", "why": "so"}),
)
DOCUMENTS = st.builds(
    Document,
    findings=st.lists(FINDINGS, max_size=2, unique_by=lambda one: one.id).map(tuple),
    claims=st.lists(CLAIMS, max_size=2).map(tuple),
    tables=st.dictionaries(
        WORDS, st.lists(st.dictionaries(WORDS, PLAIN, max_size=2), max_size=2), max_size=2
    ),
)


@given(FINDINGS)
def test_a_finding_comes_back_from_its_json(one):
    again = Finding.from_dict(json.loads(json.dumps(one.to_dict(), allow_nan=False)))
    assert again == one


@given(DOCUMENTS, st.dictionaries(st.sampled_from(["remark", "colour"]), PLAIN, max_size=2))
def test_a_file_comes_back_whole_and_unknown_fields_are_left_out(tmp_path_factory, document, more):
    path = tmp_path_factory.mktemp("read") / "findings.json"
    record = document.to_dict()
    for one in (record, *record["findings"], *record["claims"]):
        one.update(more)
    path.write_text(json.dumps(record), encoding="utf-8")
    again = Document.read(path)
    assert (again.findings, again.claims) == (document.findings, document.claims)
    assert again.to_dict()["tables"] == document.to_dict()["tables"]


def written(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "no JSON"),
        ("", "no JSON"),
        ("[1]", "schema None"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 1}', "no field 'findings'"),
        ('{"schema": 1, "findings": [3], "claims": [], "tables": {}}', "finding: no field 'details'"),
    ],
)
def test_what_is_no_document_is_refused_with_what_to_do(tmp_path, text, words):
    with pytest.raises(EvidenceError, match=words) as refused:
        Document.read(written(tmp_path, text))
    assert str(tmp_path) in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EvidenceError, match=r"absent\.json: No such file.*isoflop report"):
        Document.read(tmp_path / "absent.json")


GOOD = Finding(
    id="a.b", instrument="a", label="b", estimate=Estimate(value=1.0, unit="1"), method="", n=1
).to_dict()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": None}, "finding 'a.b': unit is None, must be text"),
        ({"value": "1"}, "finding 'a.b': value is '1', must be a number"),
        ({"n": True}, "finding 'a.b': n is True, must be a whole number"),
        ({"status": "fine"}, "status 'fine', must be one of ok, not_identified, refused"),
        ({"evidence": {}}, "must be a list"),
    ],
)
def test_a_field_of_another_kind_is_refused_with_the_finding_it_is_in(change, words):
    with pytest.raises(EvidenceError, match=words):
        Finding.from_dict(GOOD | change)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_field_is_named(name):
    with pytest.raises(EvidenceError, match=f"no field {name!r}"):
        Finding.from_dict({key: value for key, value in GOOD.items() if key != name})
