"""Encoders: unit vectors that depend on the text alone, an identity, and refusals that name the row."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, MissingExtraError, SettingError
from isoflop.routing.encoders import ENCODERS, Encoder, EncoderId, Own, encode, encoder_of
from isoflop.routing.encoders import hashed as hashed_module
from isoflop.routing.encoders import minilm as minilm_module
from isoflop.routing.encoders import static as static_module

ROUNDING = 1e-6
"""A few units in the last place of float32, at length 1."""
BUILT_IN = ["static", "hashed", pytest.param("minilm", marks=pytest.mark.slow)]
LARGEST = (-0.20701967, 0.20701967, 0.20701967, -0.20701967, 0.13801311, 0.13801311)
HARD = (
    "",
    "\0",
    " \n\t",
    "😀😀",
    "שלום עולם",
    "\ud800 half",
    "\udfff",
    "漢字" * 40,
    "a\0b",
    "é" * 30,
    "x" * 90_000,
)


def built_in(name: str) -> Encoder:
    """Return an encoder, or skip with the reason where its package is missing."""
    try:
        return encoder_of(name)
    except MissingExtraError as problem:
        pytest.skip(str(problem))


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_text_gets_a_unit_vector_however_odd_it_is(name: str) -> None:
    tool = built_in(name)
    vectors = tool.encode(HARD)
    assert vectors.shape == (len(HARD), tool.width)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=ROUNDING)
    np.testing.assert_array_equal(vectors, np.stack([tool.encode_one(text) for text in HARD]))


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", ["static", "hashed"])
@given(st.lists(st.text(max_size=30), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_a_vector_depends_on_its_text_alone(name: str, texts: list[str], random: Any) -> None:
    tool = built_in(name)
    vectors = tool.encode(texts)
    assert vectors.shape == (len(texts), tool.width)
    order = list(range(len(texts)))
    random.shuffle(order)
    np.testing.assert_array_equal(tool.encode([texts[at] for at in order]), vectors[order])
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(tool.encode_one(text), vector)


@pytest.mark.parametrize("name", BUILT_IN)
def test_texts_of_one_subject_are_nearer_than_of_two(name: str) -> None:
    tool = built_in(name)
    sums, sorts = tool.encode(["What is 12 plus 30? Give the sum.", "Sort the words pear, fig and plum."])
    near = tool.encode_one("What is the sum of 7 plus 5?")
    assert near @ sums > near @ sorts + 0.1


@pytest.mark.parametrize("name", ["static", "hashed"])
def test_only_head_and_tail_of_a_long_text_count(name: str) -> None:
    tool = built_in(name)
    longest = tool.max_chars
    assert longest is not None
    head, tail = "alpha " * (longest // 6), " omega" * (longest // 6)
    one = tool.encode_one(head + "first middle " * 50 + tail)
    np.testing.assert_array_equal(tool.encode_one(head + "another kernel " * 90 + tail), one)
    assert tool.encode_one(head) @ one < 1 - ROUNDING


def test_static_is_the_mean_of_token_vectors() -> None:
    tool = built_in("static")
    table, tokenizer, *_ = static_module._files()
    text = "Translate 'good morning' into French, please: 3 times."
    mean = table.astype(float)[tokenizer.encode(text, add_special_tokens=False).ids].mean(axis=0)
    np.testing.assert_allclose(tool.encode_one(text), mean / np.linalg.norm(mean), atol=ROUNDING)


@pytest.mark.slow
@pytest.mark.ci
def test_static_is_what_the_package_of_its_table_computes() -> None:
    built_in("static")
    from pathlib import Path

    import wordllama

    package = Path(wordllama.__file__).parent
    theirs = wordllama.WordLlama.load(cache_dir=package, disable_download=True)
    texts = ["What is 12 plus 30?", "Sort pear, fig and plum.", "naïve café 😀", "def f(x):\n    return x"]
    np.testing.assert_allclose(encoder_of("static").encode(texts), theirs.embed(texts, norm=True), atol=1e-5)


@given(
    st.lists(st.sampled_from(["the", "Answer", "zebra", "", "<s>", "▁", "naïve", "x\ny", "</s>", "12"])).map(
        " ".join
    )
)
def test_static_words_looked_up_are_the_tokens_of_the_whole_text(text: str) -> None:
    tool = static_module.Static()
    tokens = tool._tokenizer.encode(text, add_special_tokens=False).ids
    ids, left = tool._looked_up(text)
    rest = tool._tokenizer.encode(left, add_special_tokens=False).ids
    assert sorted(ids + rest) == sorted(tokens)


def test_every_word_of_the_static_vocabulary_is_its_own_token() -> None:
    built_in("static")
    _, tokenizer, digest, _, words = static_module._files()
    assert digest == static_module.CHECKED
    assert static_module.words_of(tokenizer, checked=False) == words
    assert len(words) > 10_000


def test_hashed_vectors_never_change_within_a_version() -> None:
    """Saved routers hold such vectors: when this test must change, raise `VERSION`."""
    assert hashed_module.VERSION == "1"
    vector = encoder_of("hashed").encode_one("Which model for this task?")
    found = np.argsort(-np.abs(vector), kind="stable")[:6]
    assert found.tolist() == [8, 49, 171, 172, 0, 12]
    np.testing.assert_allclose(vector[found], LARGEST, atol=ROUNDING)


def test_hashed_texts_without_a_common_feature_are_nearly_orthogonal() -> None:
    letters = ["".join(chr(ord("a") + 5 * i + (7 * i + j) % 5) for j in range(5)) for i in range(5)]
    vectors = encoder_of("hashed").encode([" ".join([word] * 3) for word in letters])
    between = vectors @ vectors.T - np.eye(len(letters))
    assert np.abs(between).max() < 0.5
    assert abs(between.mean()) < 0.1


def test_identities_tell_encoders_and_their_settings_apart() -> None:
    default, whole = hashed_module.Hashed(), hashed_module.Hashed(max_chars=None)
    assert str(default.id) == "hashed-256@1"
    assert str(whole.id) == "hashed-256@1+chars=all"
    assert default.id != whole.id
    identity = EncoderId(name="static", version="2+chars=9", width=256, weights_sha256="a1b2c3d4")
    assert str(identity) == "static-256@a1b2+chars=9"
    static = built_in("static")
    assert static.id.weights_sha256[:4] in str(static.id)
    assert len(static.id.weights_sha256) == 64


def test_prompts_that_were_cut_are_counted_and_said() -> None:
    made = encode(["short", "w" * 7000, "y" * 6000], "hashed")
    assert made.cut == 1
    assert any("1 of 3 prompts" in text for text in made.cautions)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["Sort these words by their length, please", "A naïve question about a café"], False),
        (["Отсортируй слова по алфавиту", "Сколько будет два плюс два?"], True),
        (["😀😀😀", "1 + 2 = ?", ""], False),
    ],
)
def test_prompts_in_other_scripts_get_a_caution(texts: list[str], said: bool) -> None:
    assert any("English" in text for text in encode(texts, "hashed").cautions) is said


def test_vectors_given_beforehand_are_made_unit_rows_of_any_scale() -> None:
    own = Own(name="mine", version="1", width=3)
    rows = np.array([[3.0, 0, 4.0], [1e300, 1e300, 0], [0, 0, 1e-300]])
    made = encode(["a", "b", "c"], own, vectors=rows)
    np.testing.assert_allclose(
        made.vectors, [[0.6, 0, 0.8], [0.5**0.5, 0.5**0.5, 0], [0, 0, 1]], atol=ROUNDING
    )
    assert made.encoder == own.id


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.ones((2, 3)), r"vectors \(2, 3\) but 3 prompts"),
        (np.ones((3, 4)), r"vectors \(3, 4\) but 3 prompts need width 3"),
        (np.ones(9), r"vectors \(9,\)"),
        ([[1, 2, 3], [1, 2], [1, 2, 3]], "differ in length"),
        ([[1, 2, 3], [1, np.nan, 3], [1, 2, 3]], r"row 1\), need numbers"),
        ([[1, 2, 3], [1, 2, 3], [1, -np.inf, 3]], r"row 2\), need numbers"),
        ([[0, 0, 0], [1, 2, 3], [1, 2, 3]], "vector 0 is all zero"),
        ([["a", "b", "c"]] * 3, "need real numbers"),
        ([[1j, 1, 1]] * 3, "need real numbers"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(vectors: Any, said: str) -> None:
    own = Own(name="mine", version="1", width=3, run=lambda _: vectors)
    with pytest.raises(EvidenceError, match=said):
        encode(["a", "b", "c"], own, vectors=vectors)
    with pytest.raises(EvidenceError, match=said):
        own.encode(["a", "b", "c"])


def test_own_encoders_encode_new_text_only_with_a_function() -> None:
    asked: list[list[str]] = []

    def run(texts: list[str]) -> list[list[float]]:
        asked.append(texts)
        return [[float(len(text)), 1.0] for text in texts]

    own = Own(name="lengths", version="1", width=2, run=run, max_chars=6)
    np.testing.assert_allclose(own.encode_one("abcdefghi"), np.array([7, 1]) / 50**0.5, atol=ROUNDING)
    assert asked == [["abcd\nhi"]]
    assert own.encode([]).shape == (0, 2)
    with pytest.raises(EvidenceError, match="has only vectors given beforehand"):
        Own(name="mine", version="1", width=2).encode_one("new")
    with pytest.raises(SettingError, match="built-in"):
        Own(name="static", version="1", width=2)
    with pytest.raises(SettingError, match="width=0"):
        Own(name="mine", version="1", width=0)


def test_an_unknown_encoder_is_refused_with_the_closest_name() -> None:
    with pytest.raises(SettingError, match="Did you mean 'hashed'"):
        encoder_of("hash")
    with pytest.raises(SettingError, match="passed as objects"):
        encoder_of("zzz")
    assert set(ENCODERS) == {"static", "hashed", "minilm"}


@pytest.mark.parametrize(
    ("module", "load", "extra"),
    [(static_module, static_module._files, "routing"), (minilm_module, minilm_module._loaded, "minilm")],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, module: Any, load: Any, extra: str
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'isoflop\[{extra}\]'"):
        load.__wrapped__()


@pytest.mark.parametrize(
    "load", [static_module._files, pytest.param(minilm_module._loaded, marks=pytest.mark.slow)]
)
def test_encoders_load_without_the_network(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    def refuse(*args: object, **settings: object) -> None:
        raise AssertionError("an encoder opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    try:
        loaded: tuple[Any, ...] = load.__wrapped__()
    except MissingExtraError as problem:
        pytest.skip(str(problem))
    assert len(loaded) >= 4


@pytest.mark.slow
def test_minilm_reads_no_more_tokens_than_it_is_told() -> None:
    built_in("minilm")
    make: Callable[..., Encoder] = minilm_module.MiniLM
    short, long = make(max_chars=None, tokens=16), make(max_chars=None)
    text = "one two three four five six seven eight nine ten " * 4
    np.testing.assert_array_equal(short.encode_one(text), short.encode_one(text + "and much more"))
    assert long.encode_one(text) @ long.encode_one(text + "and much more") < 1 - ROUNDING
    assert str(short.id).endswith("+chars=all,tokens=16")
    assert short.reads_whole("one two")
    assert not short.reads_whole(text)
    with pytest.raises(SettingError, match="tokens=4"):
        make(tokens=4)
    with pytest.raises(SettingError, match="threads=0"):
        make(threads=0)
    np.testing.assert_array_equal(make(threads=2).encode_one(text), make().encode_one(text))
