"""Reading published result files: what is refused, what is doubted, and what the command says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from isoflop.errors import EvidenceError, IsoflopError, SettingError
from isoflop.portability.paper import paper_slowdown, read_paper
from isoflop.portability.paper.failures import failure_rows
from isoflop.portability.paper.raw import read_junit, read_raw
from isoflop.portability.paper.study import study
from isoflop.portability.shares.find import shares
from isoflop.present.console import WIDTH

OUTCOMES = "framework,target,function,test,outcome,exception,message,call_seconds\n"
TIMINGS = "framework,target,run,function,test,op_index,seconds\n"
PASSES = "".join(
    f"mine,{target},{function},C::t,{word},,,\n"
    for target, words in (("old chip", "passed passed passed"), ("Chip-9", "passed failed skipped"))
    for function, word in zip("fgh", words.split(), strict=True)
)
CALLS = "".join(
    f"mine,{target},{run},{function},t,{place},{seconds}\n"
    for target, seconds in (("old chip", 1.0), ("Chip-9", 12.0))
    for run in (1, 4)
    for function in "fg"
    for place in range(3)
)


def folder(tmp_path: Path, *, outcomes: str | None = PASSES, timings: str | None = CALLS) -> Path:
    """Write result files of a framework and targets that nobody has seen."""
    for name, head, text in (("outcomes", OUTCOMES, outcomes), ("timings", TIMINGS, timings)):
        if text is not None:
            (tmp_path / f"{name}.csv").write_text(head + text)
    return tmp_path


def test_targets_never_seen_and_gaps_in_run_numbers_are_read(tmp_path: Path) -> None:
    found = read_paper(folder(tmp_path))
    rows = {row["target"]: row for row in failure_rows(found)}
    lost = [rows["Chip-9"][k] for k in ("counted", "success", "partial", "complete", "not_counted", "stated")]
    assert lost == [2, 1, 0, 1, 1, None]
    slow = paper_slowdown(found, source="old chip", target="Chip-9")
    assert slow.ratios == pytest.approx({"f": 12.0})
    assert slow.framework == "mine"
    assert {f.id for f in study(found).findings()} >= {
        "portability.failure_share.mine.chip-9",
        "portability.share_over_10x.mine.old_chip.chip-9",
    }


def test_a_skipped_test_changes_no_share(tmp_path: Path) -> None:
    before = failure_rows(read_paper(folder(tmp_path)))
    after = failure_rows(read_paper(folder(tmp_path, outcomes=PASSES + "mine,Chip-9,f,C::more,skipped,,,\n")))
    assert before == after


def test_timings_alone_and_outcomes_alone_answer_what_they_can(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    timed = study(read_paper(folder(tmp_path / "a", outcomes=None)), compat="paper")
    assert [one.rule for one in timed.slowdowns] == ["opwise"]
    assert timed.failures == []
    assert "no report of outcomes" in " ".join(timed.cautions)
    tested = study(read_paper(folder(tmp_path / "b", timings=None)))
    assert tested.slowdowns == ()
    assert {f.id.split(".")[1] for f in tested.findings()} == {"failure_share"}


def test_shares_take_published_results_and_leave_faults_of_the_harness_out(tmp_path: Path) -> None:
    wrapper = "mine,Chip-9,h,C::u,failed,TypeError,wrapper() takes 1 positional argument but 2 were given,\n"
    found = shares(read_paper(folder(tmp_path, outcomes=PASSES + wrapper)))
    cell = found.cell("mine", "Chip-9")
    assert cell.level == "ran"
    assert cell.success + cell.partial + cell.complete == cell.counted


def test_copies_are_told_from_reports(tmp_path: Path) -> None:
    text = PASSES + PASSES.replace("Chip-9", "Chip-10").split("\n", 3)[3]
    assert "identical: one is a copy" in " ".join(read_paper(folder(tmp_path, outcomes=text)).cautions)


@pytest.mark.parametrize(
    ("outcomes", "timings", "message"),
    [
        (PASSES, CALLS.replace("12.0", "0"), "takes time"),
        (PASSES, CALLS.replace("12.0", "-3"), "takes time"),
        (PASSES, CALLS.replace("12.0", "NaN"), "seconds"),
        (PASSES, CALLS.replace("12.0", "soon"), "seconds"),
        (PASSES + "mine,Chip-9,f,C::t,passed,,,\n", CALLS, "another row has the same"),
        (PASSES, CALLS + CALLS[: CALLS.index("\n") + 1], "another row has the same"),
        (PASSES.replace("failed", "exploded"), CALLS, "exploded"),
        (PASSES.replace("mine", ""), CALLS, "framework"),
        ("", "", "no rows|is empty|no data|header"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(
    outcomes: str, timings: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(EvidenceError, match=message):
        read_paper(folder(tmp_path, outcomes=outcomes, timings=timings))


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no folder"):
        read_paper(tmp_path / "none")
    with pytest.raises(EvidenceError, match="neither outcomes nor timings"):
        read_paper(tmp_path)
    (tmp_path / "timings.csv").write_text(TIMINGS.replace("seconds", "second") + CALLS)
    with pytest.raises(EvidenceError, match=r"seconds.*closest is 'second'"):
        read_paper(tmp_path)
    (tmp_path / "timings.csv").write_text("")
    with pytest.raises(EvidenceError, match="empty"):
        read_paper(tmp_path)
    (tmp_path / "timings.csv").unlink()
    (tmp_path / "timings.csv.gz").write_bytes(gzip.compress((TIMINGS + CALLS).encode())[:-20])
    with pytest.raises(EvidenceError, match="timings"):
        read_paper(tmp_path)


def test_marks_line_ends_and_long_messages_do_no_harm(tmp_path: Path) -> None:
    plain = read_paper(folder(tmp_path)).rows()
    text = (OUTCOMES + PASSES).replace("C::t,failed,,", f"C::t,failed,E,{'x' * 10**5}")
    mixed = text.replace("\n", "\r\n", 3)
    (tmp_path / "outcomes.csv").write_bytes(b"\xef\xbb\xbf" + mixed.encode())
    assert read_paper(tmp_path).rows() == plain
    (tmp_path / "outcomes.csv").write_text(text.replace("x", "x" * 10))
    with pytest.raises(EvidenceError, match="after row 4: field larger than"):
        read_paper(tmp_path)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"source": "old chip", "target": "Chip-8"}, EvidenceError, "no framework was timed on both"),
        (
            {"framework": "mine", "source": "old chip", "target": "Chip-8"},
            EvidenceError,
            "Did you mean 'Chip-9'",
        ),
        ({"source": "old chip", "target": "Chip-9", "rule": "best"}, SettingError, "must be one of"),
        (
            {"source": "old chip", "target": "Chip-9", "rule": "paper", "first_call": "drop"},
            SettingError,
            "fixes it",
        ),
        ({"source": "old chip", "target": "Chip-9", "first_call": "often"}, SettingError, "keep, drop"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    settings: dict[str, Any], error: type[IsoflopError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        paper_slowdown(read_paper(folder(tmp_path)), **settings)


def suite(tmp_path: Path) -> Path:
    """Write results as a suite does: a report and timings of two runs, for two devices."""
    for device, word in (("gpu", "passed"), ("tpu", "failed")):
        home = tmp_path / "pytorch_timings" / f"{device}_vm" / device
        home.mkdir(parents=True)
        call = {"duration": 0.1, "outcome": word}
        if word == "failed":
            call["crash"] = {"path": "/somewhere/add_test.py", "message": "RuntimeError: no kernel"}
        test = {"nodeid": f"src/add_test.py::C::test_add_{device}", "outcome": word, "call": call}
        (home / "report.json").write_text(json.dumps({"tests": [test], "summary": {}}))
        for run in (1, 2):
            key = f"add_test.py:test_add_{device}"
            timed = {
                key: {"operations": [0.1, 0.2], "test_time": 0.4},
                "add_test.py:idle": {"operations": []},
            }
            (home / f"{device}_{run}.json").write_text(json.dumps(timed))
    (home / "notes.json").write_text("[]")
    return tmp_path


def test_a_tree_of_reports_and_timings_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = read_raw(suite(tmp_path))
    assert found.rows() == [
        {
            "framework": "torch",
            "target": f"{device}_vm_{device}",
            "passed": passed,
            "failed": failed,
            "skipped": None,
            "runs": 2,
            "calls_by_run": "2 2",
        }
        for device, passed, failed in (("gpu", 1, None), ("tpu", None, 1))
    ]
    failed = found.tests.filter(found.tests["outcome"] == "failed").row(0, named=True)
    assert (failed["function"], failed["exception"]) == ("add", "RuntimeError")
    assert "notes.json" in found.cautions[0]


def test_a_tree_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no timings and no test reports"):
        read_raw(tmp_path)
    home = suite(tmp_path) / "pytorch_timings" / "gpu_vm" / "gpu"
    (home / "report.json").write_text('{"tests": [{"nodeid": "a_test.py::t", "outcome": "maybe"}]}')
    with pytest.raises(EvidenceError, match=r"test 1 of report\.json .* unknown outcome"):
        read_raw(tmp_path)
    (home / "report.json").write_text('{"tests": [')
    with pytest.raises(EvidenceError, match="no readable JSON"):
        read_raw(tmp_path)
    (home / "report.json").write_text("{}")
    (home / "gpu_1.json").write_text('{"add_test.py:t": ["fast"]}')
    with pytest.raises(EvidenceError, match="is 'fast', needs seconds"):
        read_raw(tmp_path)


def test_junit_reports_are_read_and_strange_ones_refused(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    cases = (
        '<testcase classname="tests.test_add.TestAdd" name="t1" time="0.1"/>'
        '<testcase classname="tests.test_add.TestAdd" name="t2" time="1,000.5">'
        '<failure message="ValueError: no">trace</failure></testcase>'
        '<testcase classname="tests.test_sort" name="t3"><skipped/></testcase>'
    )
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    rows = failure_rows(read_junit(file, framework="mine", target="chip"))
    assert [rows[0][k] for k in ("counted", "partial", "not_counted")] == [1, 1, 1]
    for text, message in (
        ("<testsuite/>", "holds no testcase"),
        ("<testsuite>", "no readable XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "declares entities"),
        ('<testsuite><testcase name="t" time="long"/></testsuite>', "needs seconds"),
    ):
        file.write_text(text)
        with pytest.raises(EvidenceError, match=message):
            read_junit(file, framework="mine", target="chip")


def call(*arguments: str) -> str:
    """Run the command in this process; errors are raised as the root command sees them."""
    from isoflop.portability.commands.paper import paper

    result = CliRunner().invoke(paper, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_command_gives_findings_and_every_table(tmp_path: Path) -> None:
    told = json.loads(call(str(folder(tmp_path)), "--compat", "paper", "--json"))
    ids = [finding["id"] for finding in told["findings"]]
    assert ids[:4] == [
        "portability.failure_share",
        "portability.share_over_10x",
        "portability.share_slower",
        "portability.slowdown_median",
    ]
    assert len(ids) == len(set(ids))
    over = told["findings"][1]
    assert (over["value"], over["details"]["rule"], len(over["details"]["draws"])) == (1.0, "paper", 200)
    assert len(told["tables"]["grid"]) == 32
    assert set(told["tables"]) >= {"failure", "grid", "first_calls", "contamination", "functions"}
    text = call(str(tmp_path), "--source", "Chip-9", "--target", "old chip")
    assert "Every way of counting the headline pair" in text
    assert text.count("Cautions") == 1
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    with pytest.raises(EvidenceError, match="present are old chip, Chip-9"):
        call(str(tmp_path), "--target", "Chip-8")


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_has_its_pictures_and_tables(tmp_path: Path) -> None:
    from isoflop.portability.chapter.paper import paper_section

    section = paper_section(study(read_paper(folder(tmp_path))))
    assert {figure.id for figure in section.figures} == {
        "paper-functions-lost", "paper-slowdown", "paper-grid", "paper-first-calls",
    }  # fmt: skip
    for figure in section.figures:
        assert figure.frame.height > 0
        assert figure.chart().to_dict()
    assert any("over ten times" in text for text in section.prose)
