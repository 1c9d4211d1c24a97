"""Every command refuses what it cannot use in one line that says what came, what is needed and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop import cli
from isoflop.errors import IsoflopError
from isoflop.present.refusal import explain

PATTERN = re.compile(r"error: .+?: .+[.?]\n", re.DOTALL)
LONG_RUNNING = {("serve",), ("routing", "serve")}
"""Servers: started elsewhere."""


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(cli.root))
OWN_OPTIONS = [
    path for path, command in COMMANDS.items() if not command.context_settings.get("ignore_unknown_options")
]
"""Without the command that hands unknown options on to the program that it watches."""
TAKES_FILES = {
    path: command
    for path, command in COMMANDS.items()
    if path not in LONG_RUNNING and any(p.name == "files" for p in command.params)
}


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert PATTERN.fullmatch(err), err
    return err


def test_the_grid_is_that_of_all_commands() -> None:
    assert len(COMMANDS) >= 45
    assert len(TAKES_FILES) >= 25
    assert len(OWN_OPTIONS) >= len(COMMANDS) - 1
    assert {path[0] for path in COMMANDS} >= {
        "scaling",
        "progress",
        "divide",
        "routing",
        "portability",
        "data",
    }


@pytest.mark.parametrize("path", OWN_OPTIONS, ids=" ".join)
def test_an_unknown_option_is_refused_everywhere(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused([*path, "--nonsense"], capsys)
    assert said.startswith(f"error: isoflop {' '.join(path)}: '--nonsense' is no option here")


@pytest.mark.parametrize("path", OWN_OPTIONS, ids=" ".join)
def test_a_misspelt_option_is_answered_with_the_right_one(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    options = [p for p in COMMANDS[path].params if isinstance(p, click.Option)]
    long = [max(p.opts, key=len) for p in options if len(max(p.opts, key=len)) > 6]
    for name in long[:2]:
        misspelt = f"{name[:4]}{name[5:]}x"
        assert f"Did you mean '{name}'?" in refused([*path, misspelt], capsys)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_number_is_refused_where_one_is_needed(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    numeric = [
        max(p.opts, key=len)
        for p in COMMANDS[path].params
        if isinstance(p, click.Option) and p.nargs == 1 and p.type.name.split()[0] in ("integer", "float")
    ]
    given_ = ["x.csv" for p in COMMANDS[path].params if isinstance(p, click.Argument) and p.required]
    for name in numeric:
        said = refused([*path, *given_, name, "many"], capsys)
        assert said.startswith(f"error: {name}: 'many', must be a")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("path", TAKES_FILES, ids=" ".join)
def test_a_file_that_is_none_is_refused_without_traceback(
    path: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, binary = tmp_path / "empty.csv", tmp_path / "binary.csv"
    empty.write_bytes(b"")
    binary.write_bytes(bytes(range(256)) * 4)
    needed = [
        word
        for p in TAKES_FILES[path].params
        if isinstance(p, click.Option) and p.required
        for word in (max(p.opts, key=len), "1")
    ]
    for file in (tmp_path / "absent.csv", empty, binary, tmp_path):
        refused([*path, *needed, str(file)], capsys)


@given(word=st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=12))
def test_any_word_that_is_no_command_is_named_in_the_refusal(word: str) -> None:
    group = click.Group("tool", commands={"fit": click.Command("fit"), "pool": click.Command("pool")})
    if word not in group.commands:
        with pytest.raises(click.UsageError) as error:
            group.main([word], prog_name="tool", standalone_mode=False)
        assert explain(error.value).startswith(f"tool: no command {word!r}, needs one of fit, pool. ")


@given(
    low=st.none() | st.integers(-9, 0),
    high=st.none() | st.integers(1, 9),
    value=st.integers(-99, 99) | st.just("x"),
)
def test_a_number_out_of_range_is_answered_with_the_range(
    low: int | None, high: int | None, value: int | str
) -> None:
    kind = click.IntRange(min=low, max=high)
    command = click.Command("fit", params=[click.Option(["--reps"], type=kind)])
    try:
        command.main([f"--reps={value}"], prog_name="tool", standalone_mode=False)
    except click.ClickException as error:
        said = explain(error)
        assert said.startswith(f"--reps: '{value}', must be a whole number")
        assert all(str(bound) in said for bound in (low, high) if bound is not None)
    else:
        assert isinstance(value, int)
        assert low is None or low <= value
        assert high is None or value <= high


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "tool: no FILE given, needs one. Write tool [OPTIONS] FILE"),
        (["a", "b"], "tool: 'b' is too much, takes FILE alone. Leave it out."),
        (["a", "--law"], "--law: no value came, needs one. Write --law VALUE."),
        (["a", "--json=3"], "--json: a value came, takes none. Write --json alone."),
        (["a", "--law", "powr"], "--law: 'powr', must be one of power, broken. Did you mean 'power'?"),
    ],
)
def test_each_refusal_of_clicks_is_said_in_our_words(words: list[str], said: str) -> None:
    command = click.Command(
        "fit",
        params=[
            click.Argument(["file"]),
            click.Option(["--law"], type=click.Choice(["power", "broken"])),
            click.Option(["--json"], is_flag=True),
        ],
    )
    with pytest.raises(click.ClickException) as error:
        command.main(words, prog_name="tool", standalone_mode=False)
    assert not isinstance(error.value, IsoflopError)
    assert explain(error.value) == said
