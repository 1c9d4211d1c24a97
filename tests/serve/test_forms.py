"""Forms are read off the commands, and a filled form is the command line that the command reads back."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.evidence import EMBEDDED, SCHEMAS
from isoflop.present.parse import Number
from isoflop.serve.fields import HIDDEN, fields
from isoflop.serve.verbs import MAIN, ONLY_TYPED, OUTPUTS, verbs
from isoflop.serve.verbs import SCHEMAS as READ
from isoflop.serve.words import Source, check, command_line

VERBS = list(verbs().values())
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=8)


def by_word(name: str) -> Source:
    return Source(word=name)


def parsed(verb, words):
    return verb.command.make_context(verb.title, list(words[2:])).params


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.title)
def test_every_parameter_has_a_field_or_a_reason(verb):
    asked = {one.name for one in fields(verb)}
    known = {str(param.name) for param in verb.command.params}
    assert known - asked <= {*HIDDEN, *verb.outputs}
    assert all(one.label for one in fields(verb))
    assert {*verb.main, *verb.outputs} <= known


def test_the_tables_of_the_page_name_commands_that_exist():
    from isoflop.report.instruments import INSTRUMENTS, resolve

    known = {(i.name, word) for i in INSTRUMENTS for word in resolve(i.commands).commands}
    for names in (MAIN, OUTPUTS, ONLY_TYPED, [name for some in READ.values() for name in some]):
        assert set(names) <= known
    assert set(READ) <= set(SCHEMAS)
    assert known == {*verbs(), *ONLY_TYPED}


def sample(one, verb):
    """A value that is not the default."""
    if one.kind == "select":
        return one.choices[-1]
    if one.kind == "choices":
        return one.choices[0]
    if one.kind == "checkbox":
        return "1"
    if one.kind == "number" or (one.kind == "lines" and _is_number(one, verb)):
        return "3"
    param = next(param for param in verb.command.params if param.name == one.name)
    is_day = type(param.type).__name__ == "_Day" or one.name in ("since", "until", "split_year")
    is_limit = verb.name == ("routing", "lint") and one.option == "--fail-on"
    return "2020-01-02" if is_day else "leakage" if is_limit else "a=b"


def _is_number(one, verb):
    return isinstance(next(p for p in verb.command.params if p.name == one.name).type, Number)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.title)
def test_a_form_filled_in_everywhere_is_read_back_by_the_command(verb):
    sent = {one.name: [sample(one, verb)] for one in fields(verb)}
    line = command_line(verb, sent, by_word, evidence="embedded")
    found = parsed(verb, line.words)
    for one in fields(verb):
        value = found[one.name]
        value = value[0] if isinstance(value, tuple) else value
        if one.kind == "number":
            assert float(value) == 3.0, one.name
        elif one.kind == "checkbox":
            assert value is not next(p for p in verb.command.params if p.name == one.name).get_default(
                click.Context(verb.command)
            ), one.name
        elif sample(one, verb) == "a=b":
            assert str(value) == "a=b", one.name
    for name, target in verb.outputs.items():
        assert str(found[name]) == target


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.title)
def test_an_empty_form_is_the_bare_command(verb):
    needed = {one.name: [sample(one, verb)] for one in fields(verb) if one.is_required}
    empty = {one.name: ["  "] for one in fields(verb)}
    line = command_line(verb, {**empty, **needed}, by_word)
    added = {"--json", "--figure", "picture.svg", *verb.outputs.values(), "--out", "--"}
    extra = [word for word in line.words[2:] if word not in added and not word.startswith("--")]
    assert len(extra) <= len(needed)
    if needed:
        with pytest.raises(SettingError, match="nothing given"):
            command_line(verb, empty, by_word)


@given(value=PLAIN, other=PLAIN)
def test_no_text_becomes_another_option(value, other):
    verb = verbs()["scaling", "fit"]
    line = command_line(verb, {"law": [value], "where": [f"{value}\n{other}"], "files": [other]}, by_word)
    found = parsed(verb, line.words)
    assert found["law"] == value.strip()
    assert found["where"] == (value.strip(), other.strip())
    assert found["files"] == (other.strip(),)


def test_a_file_of_the_same_name_as_another_gets_a_name_of_its_own(tmp_path):
    paths = [tmp_path / str(number) / "runs.csv" for number in range(2)]
    found = {str(path): Source(word=path.name, file=path, mapping={"params": "N"}) for path in paths}
    line = command_line(
        verbs()["scaling", "fit"], {"files": [str(path) for path in paths]}, found.__getitem__
    )
    assert dict(line.inputs) == {"runs.csv": paths[0], "runs-2.csv": paths[1]}
    assert line.words[-2:] == ("runs.csv", "runs-2.csv")
    assert "params=N" in line.words


def test_columns_named_in_the_form_win_over_those_kept_with_the_file(tmp_path):
    kept = Source(word="runs.csv", file=tmp_path / "runs.csv", mapping={"params": "N"})
    line = command_line(verbs()["scaling", "fit"], {"files": ["x"], "mapping": ["params=M"]}, lambda _: kept)
    assert "params=M" in line.words
    assert "params=N" not in line.words


def test_a_word_that_the_command_would_refuse_is_refused_before_it_runs():
    verb = verbs()["scaling", "pool"]
    line = command_line(verb, {"trials": ["many"]}, by_word)
    with pytest.raises(SettingError, match="--trials"):
        check(verb, line)


@pytest.mark.parametrize("schema", sorted(READ))
def test_every_kind_of_table_that_ships_leads_to_a_command(schema):
    assert READ[schema]
    assert all(name in verbs() for name in READ[schema])
    assert {table.schema for table in EMBEDDED.values()} & set(READ)
