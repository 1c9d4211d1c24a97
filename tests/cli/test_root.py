"""The root command: quick to start, clear when it refuses, silent when a pipe closes."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

import isoflop
from isoflop import cli
from isoflop.errors import SettingError
from isoflop.report.instruments import INSTRUMENTS

HEAVY = ("numpy", "scipy", "polars", "altair", "rich", "jinja2", "narwhals", "vl_convert", "httpx", "pooch")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isoflop", *arguments], capture_output=True, text=True, check=False
    )


def test_help_imports_nothing_heavy_and_no_instrument() -> None:
    program = (
        "import json, sys\n"
        "from isoflop.cli import main\n"
        "code = main(['--help'])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0
    assert not [m for m in modules if m.split(".")[0] in HEAVY]
    packages = [f"isoflop.{i.name}" for i in INSTRUMENTS] + ["isoflop.evidence", "isoflop.stats"]
    assert not [m for m in modules if any(m == p or m.startswith(f"{p}.") for p in packages)]
    for instrument in INSTRUMENTS:
        assert instrument.name in done.stdout
        assert instrument.question in " ".join(done.stdout.split())


def test_version_is_the_package_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"isoflop {isoflop.__version__}")


def test_an_unknown_command_or_option_exits_two_without_traceback() -> None:
    for arguments in (["nonsense"], ["--nonsense"], ["report", "--seed", "-1"], ["report", "--seed", "x"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_misspelt_instrument_is_refused_with_the_closest_name() -> None:
    refused = run("progres", "fit").stderr
    assert refused.startswith("error: isoflop: no command 'progres', needs one of scaling, progress,")
    assert refused.endswith("Did you mean 'progress'?\n")
    assert "Did you mean" not in run("zzz").stderr


def test_a_refusal_of_ours_is_one_line_on_stderr() -> None:
    done = run("report", "--only", "progres")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --only: 'progres', must be one of ")
    assert "Traceback" not in done.stderr


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return a function that makes the root command do one thing."""

    def arrange(action: object) -> None:
        @click.command()
        @click.pass_context
        def command(context: click.Context) -> None:
            action(context)  # type: ignore[operator]

        monkeypatch.setattr(cli, "root", command)

    return arrange


def failing(error: BaseException) -> object:
    def action(_context: object) -> None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (SettingError("here: 1, needs 2. Give 2."), 2, "error: here: 1, needs 2. Give 2.\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
    ],
)
def test_errors_become_exit_codes_and_messages(
    raising: object, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    raising(failing(error))  # type: ignore[operator]
    assert cli.main([]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(message)


def test_an_unexpected_error_keeps_its_traceback(raising: object) -> None:
    raising(failing(ZeroDivisionError("a fault of ours")))  # type: ignore[operator]
    with pytest.raises(ZeroDivisionError):
        cli.main([])


def test_a_command_may_choose_its_exit_code(raising: object) -> None:
    raising(lambda context: context.exit(1))  # type: ignore[operator]
    assert cli.main([]) == 1
    raising(lambda _context: None)  # type: ignore[operator]
    assert cli.main([]) == 0


def test_a_closed_pipe_ends_quietly() -> None:
    program = (
        "import sys, click\n"
        "from isoflop import cli\n"
        "@click.command()\n"
        "def command():\n"
        "    for _ in range(100000):\n"
        "        sys.stdout.write('row\\n')\n"
        "cli.root = command\n"
        "sys.exit(cli.main([]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "row\n"
        child.stdout.close()
        errors = child.stderr.read()
    assert child.returncode == cli.PIPE_CLOSED
    assert errors == ""
