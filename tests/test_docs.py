"""The documentation agrees with the code, and what it shows runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_origin

import click
import pytest
from click.testing import CliRunner

import isoflop
from docs import generate
from isoflop.cli import main, root
from isoflop.findings import Claim, Document, Estimate, Finding, Provenance
from isoflop.report.instruments import INSTRUMENTS

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "validation" / "README.md"])
FENCE = re.compile(r"^```(\w+)([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
BUILDS = [page for page in PAGES if TITLE.search(page.read_text(encoding="utf-8"))]
"""Pages whose blocks are files of the repository, or changes to them."""
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------------------ reference


def test_the_reference_is_what_the_code_says():
    stale = [path.relative_to(ROOT).as_posix() for path in generate.stale(generate.pages())]
    assert not stale, f"{', '.join(sorted(stale))} out of date. Run `make docs`."


def test_every_command_has_a_section_with_its_help():
    found = [context.command_path for context in generate.commands()]
    assert {"isoflop", "isoflop report", "isoflop data", "isoflop progress", "isoflop progress fit"} <= set(
        found
    )
    for path in found:
        name = (*path.split(), "index")[1]
        page = (REFERENCE / "cli" / f"{name}.md").read_text(encoding="utf-8")
        words = [*path.split()[1:], "--help"]
        printed = CliRunner().invoke(root, words, prog_name="isoflop", terminal_width=generate.WIDTH).output
        assert f"\n## {path}\n\n```text\n{printed.rstrip()}\n```\n" in page


def test_every_command_knows_the_short_word_for_help_by_itself():
    # click keeps the help option of the first call: one called without the root would keep plain --help.
    lacking = [
        c.command_path
        for c in generate.commands()
        if c.command.context_settings.get("help_option_names") is None
    ]
    assert not lacking


def test_every_command_and_option_says_what_it_does():
    silent = []
    for context in generate.commands():
        command, words = context.command, context.command_path
        if not (command.help or "").strip():
            silent.append(words)
        options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        silent += [f"{words} {one.opts[0]}" for one in options if not (one.help or "").strip()]
    assert not silent


def _packages():
    for entry in pkgutil.iter_modules(isoflop.__path__, "isoflop."):
        if entry.ispkg:
            module = importlib.import_module(entry.name)
            if hasattr(module, "__all__"):
                yield module


def test_every_public_name_of_every_package_is_in_the_reference():
    packages = [module for module in _packages() if module.__name__ != "isoflop.cli"]
    assert {"isoflop.evidence", "isoflop.progress", "isoflop.report"} <= {m.__name__ for m in packages}
    for module in packages:
        short = module.__name__.removeprefix("isoflop.")
        page = (REFERENCE / "python" / f"{short}.md").read_text(encoding="utf-8")
        for name in module.__all__:
            assert f"\n### {short}.{name}\n" in page


def test_every_public_name_has_a_docstring_that_is_a_sentence():
    poor = []
    for module, names in {**generate.packages(), **generate.building_blocks()}.items():
        for name, value in names.items():
            if (inspect.isclass(value) or inspect.isfunction(value)) and get_origin(value) is None:
                first = (value.__doc__ or "").strip().split("\n\n")[0].split("\n    ---")[0]
                invented = first.startswith(f"{name}(")
                if not first or invented or first.rstrip()[-1] not in ".:?)":
                    poor.append(f"{module}.{name}")
    assert not poor


def test_every_column_of_every_table_is_in_the_reference():
    from isoflop.evidence import SCHEMAS

    page = (REFERENCE / "tables.md").read_text(encoding="utf-8")
    for name, schema in SCHEMAS.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for column in schema.columns:
            assert f"\n| `{column.name}` | {column.dtype} | {column.unit} |" in section
            assert column.doc, f"{name}.{column.name} says nothing"


def test_every_field_of_the_document_is_explained():
    page = (REFERENCE / "document.md").read_text(encoding="utf-8")
    estimate = Estimate(value=1.0, low=0.5, high=2.0, level=0.95, unit="1")
    finding = Finding(id="a.b", instrument="a", label="", estimate=estimate, method="", n=1)
    fields = {*Document().to_dict(), *finding.to_dict(), *Claim.__slots__, *Provenance.__slots__}
    assert not [field for field in sorted(fields) if f"`{field}`" not in page]


# -------------------------------------------------------------------------- pages as a whole


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_within_the_project_leads_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for found in LINK.finditer(text):
        target = next(group for group in found.groups() if group)
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{_name(page)}: {target}"


@pytest.mark.parametrize("instrument", [one.name for one in INSTRUMENTS])
def test_the_explanation_of_a_paper_opens_with_what_it_says_what_holds_and_what_does_not(instrument):
    page = (ROOT / "docs" / "explanation" / f"{instrument}.md").read_text(encoding="utf-8")
    says, *rest = re.findall(r"^## (.+)$", page, re.MULTILINE)[:3]
    assert says in ("What the paper says", "What the papers say")
    assert rest == ["What holds", "What does not"]


def test_a_decision_note_is_short_and_has_its_four_parts():
    notes = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert len(notes) >= 3
    for number, note in enumerate(notes, 1):
        text = note.read_text(encoding="utf-8")
        assert note.name.startswith(f"{number:04d}-")
        assert len(text.splitlines()) < 40
        for part in ("Question", "Options", "Choice", "What would change our mind"):
            assert f"\n## {part}\n" in text, f"{note.name} lacks {part!r}"


# ------------------------------------------------------------------------------------ site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; one warning would have stopped the build."""
    pytest.importorskip("material", reason="the group docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
@pytest.mark.ci
def test_every_page_is_in_the_navigation_of_the_site(site):
    linked = set(re.findall(r'href="([^"#:]+\.html)"', (site / "index.html").read_text(encoding="utf-8")))
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    expected = {page.with_suffix(".html").as_posix() for page in pages}
    assert expected | {"changelog.html", "contributing.html", "validation.html"} <= linked


@pytest.mark.slow
@pytest.mark.ci
def test_no_list_or_table_of_the_site_runs_together_as_prose(site):
    """The builder wants a blank line before a list; readers of the repository do not see the difference."""
    raw = re.compile(r"<p>[^<]*\n(?:[-*] |\d+\. |\|[^\n]*\|$)")
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert not [
        page.name
        for page, text in pages.items()
        if raw.search(re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL))
    ]


@pytest.mark.slow
@pytest.mark.ci
def test_no_page_of_the_site_fetches_anything_from_another_host(site):
    pattern = re.compile(
        r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(?:https?:)?//[^>]*>"""
        r"""|<link[^>]*\shref=["']?(?:https?:)?//[^>]*>|url\(["']?(?:https?:)?//[^)]*\)"""
    )
    fetched = {
        (path.name, found[0])
        for path in [*site.rglob("*.html"), *site.rglob("*.css")]
        for found in pattern.finditer(path.read_text(encoding="utf-8"))
    }
    assert not fetched


# ------------------------------------------------------------------------- what it shows runs


def _blocks(language: str):
    for page in (page for page in PAGES if page not in BUILDS):
        groups: dict[bool, list[str]] = {}
        for found in FENCE.finditer(page.read_text(encoding="utf-8")):
            if found[1] == language:
                groups.setdefault("slow" in found[2].split(), []).append(found[3])
        for slow, blocks in groups.items():
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(blocks, marks=marks, id=_name(page) + (" (slow)" if slow else ""))


@pytest.fixture
def newcomer(tmp_path, monkeypatch):
    """A folder with nothing but the examples, and no public tables anywhere."""
    examples = ROOT / "examples"
    if examples.is_dir():
        (tmp_path / "examples").symlink_to(examples)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("ISOFLOP_EVIDENCE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("blocks", list(_blocks("python")))
def test_python_shown_in_the_pages_runs(blocks, newcomer):
    names: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(blocks, 1):
        if ">>>" in block:
            runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
            test = doctest.DocTestParser().get_doctest(block, names, f"block {number}", None, None)
            runner.run(test, clear_globs=False)
            names.update(test.globs)
            assert runner.summarize(verbose=False).failed == 0
        else:
            exec(compile(block, f"<block {number}>", "exec"), names)


@pytest.fixture
def repository(tmp_path):
    """A copy of what a contributor changes."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _write(language: str, path: Path, block: str) -> None:
    if language != "diff":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
        return
    before, after = (
        "".join(f"{line[1:]}\n" for line in block.splitlines() if line[0] != sign) for sign in "+-"
    )
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} holds {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("page", BUILDS, ids=_name)
def test_a_page_for_contributors_works_on_a_copy_of_the_repository(page, repository):
    scripts = Path(sys.executable).parent
    search = {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(repository / "src")}
    environment = {**os.environ, **search, "HOME": str(repository), "XDG_CACHE_HOME": str(repository)}
    environment.pop("ISOFLOP_EVIDENCE", None)
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        title = TITLE.search(found[2])
        if title:
            _write(found[1], repository / title[1], found[3])
        elif found[1] == "console":
            for command in (line[2:] for line in found[3].splitlines() if line.startswith("$ ")):
                ran = subprocess.run(
                    shlex.split(command),
                    cwd=repository,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"


SLOW = {"isoflop scaling pool study_points --by familiarity"}
"""Fits every study that ships; the fast tests pool two of each paper."""


def _lines():
    for shown in _blocks("console"):
        lines = "".join(shown.values[0]).replace("\\\n", " ").splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ isoflop")]
        for kind, mark in (("", ()), (" (slow lines)", (pytest.mark.slow,))):
            chosen = [command for command in commands if (command in SLOW) == bool(mark)]
            if chosen:
                yield pytest.param(chosen, marks=[*shown.marks, *mark], id=f"{shown.id}{kind}")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("commands", list(_lines()))
def test_commands_shown_in_the_pages_run(commands, newcomer, capsys):
    for command in commands:
        code = main(shlex.split(command, comments=True)[1:])
        assert code == 0, f"{command}\n{capsys.readouterr().err}"
