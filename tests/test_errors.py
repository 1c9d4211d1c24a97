"""Errors: one root, builtin kinship, and proposals that name a real choice."""

from __future__ import annotations

import inspect
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop import errors
from isoflop.errors import EvidenceError, IsoflopError, MissingExtraError, SettingError, SourceError, closest

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, IsoflopError)]
NAMES = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=20)


def test_every_error_is_caught_by_the_root_and_the_list_is_flat():
    assert len(ERRORS) >= 7
    for kind in set(ERRORS) - {IsoflopError}:
        assert kind.__bases__[0] is IsoflopError, f"{kind.__name__} is a subclass of a subclass"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (EvidenceError, ValueError),
        (SettingError, ValueError),
        (SourceError, OSError),
        (MissingExtraError, ImportError),
    ],
)
def test_an_error_is_also_the_builtin_that_callers_expect(kind, builtin):
    with pytest.raises(builtin, match="needs at least 3"):
        raise kind("fit: 2 rows, needs at least 3. Add rows.")


@given(st.lists(NAMES, max_size=8), NAMES)
def test_closest_names_one_of_the_choices_or_nothing(choices, name):
    assert closest(name, choices) in {None, *choices}


@given(st.sampled_from(["train_flop", "parameters", "train_tokens", "perplexity"]))
def test_closest_ignores_case_and_separators(choice):
    choices = ["train_flop", "parameters", "train_tokens", "perplexity"]
    assert closest(choice.upper().replace("_", "-"), choices) == choice


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("flops", "train_flop"), ("paramters", "parameters"), ("Train Tokens", "train_tokens")],
)
def test_closest_finds_the_column_behind_a_common_slip(typed, meant):
    assert closest(typed, ["train_flop", "parameters", "train_tokens"]) == meant


def test_closest_says_nothing_when_nothing_is_near():
    assert closest("benchmark", ["train_flop", "parameters"]) is None
    assert closest("anything", []) is None
    assert closest("", ["train_flop"]) is None
