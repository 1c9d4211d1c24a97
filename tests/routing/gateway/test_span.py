"""A name is put into a request; every other byte stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.span import model_spans, replace_model

SPACE = st.text(" \t\r\n", max_size=2)
ESCAPED = st.sampled_from(
    ['"model"', r'"mod\u0065l"', r'"\u006D\u006f\u0064\u0065\u006C"', r'"a\"model\":\"b"', r'"\\"', '"Zü 🙂"']
)
NUMBERS = st.sampled_from(["0", "-0.0", "1.0E+2", "1e-400", "123456789012345678901234567890", "1.10"])


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    pairs = draw(st.lists(st.tuples(ESCAPED, SPACE, SPACE, values, SPACE), max_size=3))
    return "{" + ",".join(f"{a}{key}{b}:{value}{c}" for key, a, b, value, c in pairs) + "}"


@st.composite
def lists(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    return "[" + ",".join(draw(st.lists(values, max_size=3))) + "]"


NESTED = st.recursive(
    st.one_of(ESCAPED, NUMBERS, st.sampled_from(["true", "null"])),
    lambda inner: st.one_of(objects(inner), lists(inner)),
    max_leaves=8,
)
OTHER_KEYS = st.sampled_from(
    ['"messages"', '"models"', '"Model"', r'"\"model"', r'"model\u0000"', '"model "', '""']
)
MODEL_KEYS = st.sampled_from(['"model"', r'"m\u006fdel"', r'"\u006d\u006F\u0064\u0065\u006c"'])
NAMES = st.sampled_from(['"auto"', r'"a\"}{[b"', r'"\\"', '""', '"Zü"'])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[str], int]:
    """Return the texts between the names of the model, and how many names there are."""
    count = draw(st.integers(1, 2))
    pairs = draw(st.lists(st.tuples(OTHER_KEYS, NESTED), max_size=3))
    texts = [f"{key}{draw(SPACE)}:{draw(SPACE)}{value}" for key, value in pairs]
    marks = [f"{draw(MODEL_KEYS)}{draw(SPACE)}:{draw(SPACE)}\0" for _ in range(count)]
    members = draw(st.permutations(texts + marks))
    body = draw(SPACE) + "{" + f"{draw(SPACE)},{draw(SPACE)}".join(members) + "}" + draw(SPACE)
    return body.split("\0"), count


def check(parts: list[str], names: list[str], new: str) -> None:
    before = "".join(part + name for part, name in zip(parts, [*names, ""], strict=True))
    after = json.dumps(new).join(parts)
    for mark in ("", "\ufeff"):
        assert replace_model((mark + before).encode(), new) == (mark + after).encode()
    assert json.loads(after)["model"] == new


@given(bodies(), st.lists(NAMES, min_size=2, max_size=2), st.sampled_from(["small", 'a"b\\', "Zü/1"]))
@settings(max_examples=40, deadline=None)
def test_only_names_at_the_top_are_replaced(found: tuple[list[str], int], names: list[str], new: str) -> None:
    check(found[0], names[: found[1]], new)


@pytest.mark.slow
@given(bodies(), st.lists(NAMES, min_size=2, max_size=2), st.text(max_size=5))
@settings(max_examples=2000, deadline=None)
def test_only_names_at_the_top_are_replaced_in_many_bodies(
    found: tuple[list[str], int], names: list[str], new: str
) -> None:
    check(found[0], names[: found[1]], new)


def test_a_number_that_strict_parsers_refuse_does_not_matter() -> None:
    assert replace_model(b'{"n": NaN, "model": "a"}', "b") == b'{"n": NaN, "model": "b"}'


def test_long_texts_and_many_brackets_are_no_obstacle() -> None:
    image = b'"' + b"A" * 3_000_000 + rb"\"model\": \"x\"" + b'"'
    raw = (
        b'{"a": [' + b",".join([b'{"model": "x"}'] * 1000) + b"], " + b'"b": ' + image + b', "model": "auto"}'
    )
    assert model_spans(raw) == [(len(raw) - 7, len(raw) - 1)]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{}", "model_required"),
        (b'{"a": {"model": "auto"}, "b": "model"}', "model_required"),
        (b'["model", "auto"]', "model_required"),
        (b'{"model": 5}', "model_not_text"),
        (b'{"model": "a", "model": {"model": "b"}}', "model_not_text"),
    ],
)
def test_a_body_without_a_name_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        replace_model(raw, "small")
    assert (caught.value.status, caught.value.code) == (400, code)
