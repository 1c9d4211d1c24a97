"""Building and writing a report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from isoflop.errors import SettingError
from isoflop.report import build as building
from isoflop.report import workers
from isoflop.report.build import FINDINGS, PAGE, assemble, write
from isoflop.report.contents import Report
from isoflop.report.instruments import INSTRUMENTS, Instrument, choose
from isoflop.report.page import render


def test_both_files_are_written_and_hold_the_document(report: Report, page: str, tmp_path: Path) -> None:
    written = write(report, tmp_path / "new" / "report")
    assert [p.name for p in written] == [PAGE, FINDINGS]
    assert written[0].read_text(encoding="utf-8") == page
    document = json.loads(written[1].read_text(encoding="utf-8"))
    assert [f["id"] for f in document["findings"]] == [f.id for c in report.chapters for f in c.findings]
    assert document["tables"]["progress.waterfall"][1]["dropped"] == 8
    assert sorted(p.name for p in written[0].parent.iterdir()) == sorted([PAGE, FINDINGS])


@pytest.mark.slow
@pytest.mark.ci
def test_an_interrupted_run_leaves_the_earlier_report(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PAGE).write_text("earlier")
    (tmp_path / FINDINGS).write_text("{}")
    calls = []

    def interrupted(*_: object, **__: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(report, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([PAGE, FINDINGS])
    assert (tmp_path / PAGE).read_text() == "earlier"


@pytest.mark.slow
@pytest.mark.ci
def test_an_interrupted_first_run_leaves_no_folder(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(report, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_files_get_the_permissions_of_the_user(report: Report, tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        page, _ = write(report, tmp_path)
    finally:
        os.umask(umask)
    assert page.stat().st_mode & 0o777 == 0o644


def test_a_file_in_the_way_is_refused(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(SettingError, match="needs a folder"):
        write(report, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "mine"


def test_chapters_are_run_with_the_settings_and_labelled_progress(
    made_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, object] = {}

    class Place:
        def describe(self) -> str:
            return "a shelf"

    def make(library: object, *, quick: bool, seed: int, progress: object) -> object:
        seen.update(library=library, quick=quick, seed=seed)
        progress("fit", 0.5)  # type: ignore[operator]
        return made_up.chapter()

    monkeypatch.setattr(workers, "resolve", lambda _target: make)
    place, said = Place(), []
    report = building.build(
        place,  # type: ignore[arg-type]
        instruments=choose(("progress",)),
        quick=True,
        seed=7,
        progress=lambda label, fraction: said.append((label, fraction)),
    )
    assert seen == {"library": place, "quick": True, "seed": 7}
    assert said == [("progress: fit", 0.5)]
    assert (report.evidence, report.seed, report.quick) == ("a shelf", 7, True)


def test_two_chapters_of_one_instrument_or_none_are_refused(made_up: ModuleType) -> None:
    for chapters in ([], [made_up.chapter(), made_up.chapter()]):
        with pytest.raises(SettingError, match="each once"):
            assemble(chapters)


@pytest.mark.slow
@pytest.mark.ci
def test_a_quick_report_says_so(made_up: ModuleType) -> None:
    text = render(assemble([made_up.chapter()], quick=True))
    assert "quick run" in text
    assert "quick run" not in render(assemble([made_up.chapter()]))


def test_instruments_are_chosen_in_the_order_of_the_table() -> None:
    assert choose(()) == INSTRUMENTS
    names = tuple(i.name for i in INSTRUMENTS)
    assert choose(tuple(reversed(names))) == INSTRUMENTS
    with pytest.raises(SettingError, match="Did you mean 'progress'"):
        choose(("progres",))


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.name)
def test_each_listed_instrument_asks_a_question_and_names_its_paper(instrument: Instrument) -> None:
    assert instrument.question.endswith("?")
    assert any(character.isdigit() for character in instrument.paper)
    for target in (instrument.commands, instrument.chapter):
        assert target.startswith(f"isoflop.{instrument.name}.")
        assert target.count(":") == 1
