"""Isoflop in a Python session: one namespace, results that show themselves, frames of any library."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isoflop as iso
from isoflop import divide, portability, progress, routing, scaling
from isoflop.evidence import SCHEMAS, load
from isoflop.findings import Estimate, Finding, Provenance
from isoflop.present.notebook import ROWS, result_html

INSTRUMENTS = ("scaling", "progress", "divide", "routing", "portability")
PROTOCOL = ("frame", "to_dict", "summary", "cautions", "provenance")
SCREEN = 60
"""Lines of one screen, generously; a row of a terminal holds 120 characters."""


def result_classes() -> list[type]:
    """Return every class of the instruments that satisfies the protocol, and the report's."""
    found: dict[type, None] = {}
    for name in (*INSTRUMENTS, "report"):
        package = importlib.import_module(f"isoflop.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".worker" in module.name or ".encoders" in module.name or ".gateway" in module.name:
                continue
            for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                fields = getattr(cls, "__dataclass_fields__", {})
                held = all(hasattr(cls, part) or part in fields for part in PROTOCOL)
                ours = cls.__module__.startswith("isoflop") and ".evidence." not in cls.__module__
                if held and ours and not getattr(cls, "_is_protocol", False):
                    found[cls] = None
    return list(found)


class Strict(HTMLParser):
    """Fails on tags left open, and collects what is there."""

    VOID = ("br", "hr", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("id", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Strict:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert not parser.tags & {"script", "style", "link", "iframe"}
    assert not re.search(r"(?<![-\w])(color|background)\s*:", html)
    return parser


def shows_itself(result: Any) -> None:
    parser = read(result._repr_html_())
    assert type(result).__name__ in parser.text
    for caution in result.cautions[:3]:
        assert caution.split("`")[0].split("**")[0].strip()[:40] in parser.text
    lines = repr(result).splitlines()
    assert sum(1 + len(line) // 120 for line in lines) <= SCREEN
    assert "array([" not in repr(result)


def test_the_namespace_lists_what_there_is_and_each_name_works() -> None:
    assert set(iso.__all__) <= set(dir(iso))
    for name in (*INSTRUMENTS, "outlook", "evidence", "report", "findings", "errors"):
        assert inspect.ismodule(getattr(iso, name))
    assert callable(iso.report)
    assert iso.load is load
    with pytest.raises(AttributeError, match="Did you mean 'scaling'"):
        iso.scalng  # type: ignore[attr-defined]  # noqa: B018


def test_a_package_that_is_a_verb_is_still_a_package() -> None:
    import isoflop.report.build as build

    assert inspect.ismodule(build)
    offered: object = iso.report
    assert offered is sys.modules["isoflop.report"]


@pytest.mark.parametrize("name", [*INSTRUMENTS, "outlook", "evidence", "report"])
def test_completion_shows_verbs_and_no_files(name: str) -> None:
    package = getattr(iso, name)
    public = {word for word in dir(package) if not word.startswith("_")}
    assert public == set(package.__all__)
    assert package.__doc__.strip()
    for word in public:
        shown = getattr(package, word)
        assert not inspect.ismodule(shown)
        assert inspect.getdoc(shown) or not callable(shown)


def test_importing_isoflop_imports_nothing_heavy() -> None:
    program = "import sys, isoflop; print(*sorted(m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours = {m for m in done.stdout.split() if m.startswith("isoflop")}
    assert ours == {"isoflop", "isoflop.lazy"}
    assert not {"numpy", "polars", "click", "scipy"} & set(done.stdout.split())


def test_every_result_class_shows_itself_in_a_notebook() -> None:
    classes = result_classes()
    assert len(classes) >= 70
    assert [cls.__qualname__ for cls in classes if not hasattr(cls, "_repr_html_")] == []
    assert [cls.__qualname__ for cls in classes if "__repr__" not in vars(cls)] == []


SMALL: dict[str, Callable[[], Any]] = {
    "divide.growth": lambda: divide.growth(load("notable_systems")),
    "divide.coverage": lambda: divide.coverage(load("notable_systems")),
    "divide.openness": lambda: divide.openness(load("notable_systems")),
    "divide.deciles": lambda: divide.deciles(load("notable_systems")),
    "progress.match": lambda: progress.match(progress.select(load("language_evaluations"))),
    "portability.shares": lambda: portability.shares(portability.shipped_run()),
    "routing.winners": lambda: routing.winners(
        routing.join(load("measured_model_scores"), load("measured_prompts"))
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_result_of_the_shipped_tables_fits_one_screen_and_shows_itself(name: str) -> None:
    shows_itself(SMALL[name]())


LIBRARIES: dict[str, Callable[[Any], Any]] = {
    "Polars": lambda frame: frame,
    "pandas": lambda frame: frame.to_pandas(),
    "Arrow": lambda frame: frame.to_arrow(),
}
TAKES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "scaling.select": ("scaling_runs", lambda runs: scaling.select(runs, where={"dataset": "zipf_words"})),
    "scaling.fit_studies": ("one_paper", scaling.fit_studies),
    "progress.select": ("language_evaluations", progress.select),
    "progress.match": ("language_evaluations", progress.match),
    "divide.growth": ("notable_systems", lambda models: divide.growth(models)),
    "divide.coverage": ("notable_systems", lambda models: divide.coverage(models)),
    "routing.join": (
        "measured_model_scores",
        lambda scores: routing.winners(routing.join(scores, load("measured_prompts"))),
    ),
}


@pytest.mark.parametrize("name", TAKES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_frame_of_any_library_gives_what_its_loaded_table_gives(name: str, library: str) -> None:
    table_name, verb = TAKES[name]
    table = load("study_points" if table_name == "one_paper" else table_name)
    if table_name == "one_paper":
        table = replace(table, frame=table.frame.filter(table.frame["paper_id"] == "2504.13059"))
    columns = [column for column in table.frame.columns if column in SCHEMAS[table.schema].names]
    of_frame = verb(LIBRARIES[library](table.frame.select(columns)))
    of_table = verb(load(table.frame.select(columns), schema=table.schema))
    if isinstance(of_frame.frame, Callable):  # type: ignore[arg-type]
        assert of_frame.frame().equals(of_table.frame())
        assert of_frame.frame().to_pandas().shape == of_table.frame().shape
    else:
        assert of_frame.frame.height == of_table.frame.height


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """A result whose every text came from somebody else's table."""

    text: str
    answers: int
    cautions: tuple[str, ...] = ()

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        return (
            Provenance(
                name=self.text, source="", kind="own", rows_used=3, rows_dropped=0, fingerprint=self.text
            ),
        )

    def findings(self) -> tuple[Finding, ...]:
        value = Estimate(value=2.0, low=1.0, high=3.0, level=0.95, unit="×")
        return tuple(
            Finding(id=f"a.{i}", instrument="a", label=self.text, estimate=value, method="", n=3)
            for i in range(self.answers)
        )

    def frame(self) -> Any:
        import polars as pl

        return pl.DataFrame({f"column {i}": [self.text] * 20 for i in range(12)})

    def to_dict(self) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return self.text


@given(
    text=st.text(max_size=30) | st.just("<script>alert(1)</script>") | st.just('"><img src=x onerror=y>'),
    answers=st.integers(0, 20),
)
def test_no_text_of_a_table_becomes_markup_and_no_fragment_exceeds_a_screen(text: str, answers: int) -> None:
    plain = result_html(Planted(text="x", answers=answers, cautions=("y",)))
    html = result_html(Planted(text=text, answers=answers, cautions=(text,)))
    assert read(html).tags - {"code", "strong", "a"} == read(plain).tags - {"code", "strong", "a"}
    assert html.count("<tr>") <= ROWS + 1
    left = (answers or 20) - ROWS
    assert (f"and {left} more" in html) == (left > 0)


@pytest.mark.slow
def test_every_result_behind_the_report_fits_one_screen_and_shows_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[type, Any] = {}

    def noting(made: Callable[..., None]) -> Callable[..., None]:
        def __init__(self: Any, *values: Any, **fields: Any) -> None:
            made(self, *values, **fields)
            seen[type(self)] = self

        return __init__

    for cls in result_classes():
        monkeypatch.setattr(cls, "__init__", noting(cls.__init__))  # type: ignore[misc]
    report = iso.report("embedded", quick=True)
    read(report._repr_html_())
    for result in seen.values():
        shows_itself(result)
    assert len(seen) >= 50, sorted(cls.__name__ for cls in seen)
