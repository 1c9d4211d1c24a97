"""Bad input through the command line: exit 2, one message that says where, what and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from isoflop.cli import main
from isoflop.errors import IsoflopError
from isoflop.stats.exp_sum import ExpSumDesign
from isoflop.stats.optimise import fit_exp_sum

from .made_table import Rows, cell, every, good_rows, spoiled, written

Make = Callable[[Path], Path]


def text(content: str | bytes, name: str = "runs.csv") -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def _rename(rows: Rows, ours: str, theirs: str) -> None:
    for row in rows:
        row[theirs] = row.pop(ours)


def _drop_from(count: int) -> Make:
    def change(rows: Rows) -> None:
        del rows[count:]

    return spoiled(change)


def renamed(ours: str, theirs: str) -> Make:
    return spoiled(lambda rows: _rename(rows, ours, theirs))


def image(value: str) -> Make:
    """Return a maker of an image table whose fourth error is `value`."""

    def make(folder: Path) -> Path:
        rows = []
        for i, row in enumerate(good_rows()):
            kept = {
                k: v for k, v in row.items() if k not in ("perplexity", "train_tokens", "vocabulary_size")
            }
            error = value if i == 3 else f"{0.2 + 0.01 * (i % 9):g}"
            rows.append({**kept, "benchmark": "ImageNet", "top1_error": error, "train_images": "1280000"})
        return written(rows, folder / "images.csv")

    return make


def mixed(folder: Path) -> Path:
    language = [{**r, "top1_error": "", "train_images": ""} for r in good_rows()]
    images = [
        {**r, "perplexity": "", "train_tokens": "", "top1_error": "0.3", "train_images": "1e6"}
        for r in good_rows()
    ]
    return written(language + images, folder / "runs.csv")


def two_islands(folder: Path) -> Path:
    rows = [
        {"model": f"{island}{i}", "benchmark": f"{island}{b}", "score": f"{0.1 + 0.05 * i + 0.1 * b:g}"}
        for island in ("x", "y")
        for i in range(6)
        for b in range(2)
    ]
    return written(rows, folder / "scores.csv")


def one_year(rows: Rows) -> None:
    for i, row in enumerate(rows):
        row["publication_date"] = f"2017-{1 + i % 12:02d}-01"


HEADER = ",".join(good_rows()[0])
BODY = "\n".join(",".join(row.values()) for row in good_rows())
GOOD = spoiled(lambda _rows: None)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A spoilt input, the words after its file, and what the message must hold."""

    make: Make
    words: tuple[str, ...]
    says: tuple[str, ...]
    verb: str = "fit"


def case(make: Make, *says: str, words: str = "", verb: str = "fit") -> Case:
    return Case(make=make, words=tuple(words.split()), says=says, verb=verb)


CASES: dict[str, Case] = {
    # cells
    "a percentage for an error": case(
        image("52.3"), "row 4, column 'top1_error'", "52.3", "(0, 1)", "by 100"
    ),
    "a percent sign": case(image("52.3%"), "row 4, column 'top1_error'", "Write it as 0.523"),
    "a perplexity below one": case(
        cell(5, "perplexity", "0.9"), "row 5, column 'perplexity'", ">= 1", "loss_nats"
    ),
    "zero tokens": case(cell(5, "train_tokens", "0"), "row 5, column 'train_tokens'", "> 0"),
    "a negative size": case(cell(5, "parameters", "-5"), "row 5, column 'parameters'", "-5", "> 0"),
    "an infinite size": case(cell(5, "parameters", "inf"), "row 5, column 'parameters'", "must be finite"),
    "UNK": case(cell(5, "parameters", "UNK"), "row 5, column 'parameters'", "'UNK' is no number"),
    "#VALUE!": case(cell(5, "perplexity", "#VALUE!"), "row 5, column 'perplexity'", "'#VALUE!' is no number"),
    "a question mark": case(cell(5, "train_tokens", "?"), "row 5, column 'train_tokens'", "'?' is no number"),
    "a missing paper": case(cell(5, "paper", ""), "row 5, column 'paper'", "must not be empty", "cluster"),
    "a thirteenth month": case(
        cell(5, "publication_date", "2023/13/01"),
        "row 5, column 'publication_date'",
        "2023/13/01",
        "YYYY-MM-DD",
    ),
    # samples
    "one date": case(every(publication_date="2017-06-12"), "2017", "two years"),
    "one year": case(spoiled(one_year), "2017", "two years"),
    "one benchmark by default": case(every(benchmark="WT103"), "law 7", "one benchmark (WT103)", "Use law 1"),
    "one benchmark for law 7": case(every(benchmark="WT103"), "law 7", "Use law 1", words="--law 7"),
    "only transformers for law 13": case(
        every(is_transformer="1"), "law 13", "both classes", words="--law 13"
    ),
    "no vocabulary for law 19": case(
        cell(5, "vocabulary_size", ""),
        "row 5 (System 2), column 'vocabulary_size'",
        "--impute-vocabulary",
        words="--law 19",
    ),
    "one size": case(every(parameters="1000000"), "one value in parameter counts", "at least two"),
    "one row": case(_drop_from(1), "1 row for", "needs at least"),
    "twelve rows": case(_drop_from(12), "12 rows for", "needs at least 13"),
    "mixed tasks": case(mixed, "mixes the tasks", "--task language"),
    "a task that is not there": case(
        GOOD, "no rows of task", "it has language", words="--task image_classification"
    ),
    "no row left": case(GOOD, "published since 2100", "Relax that rule", words="--since 2100"),
    "islands of scores": case(
        two_islands, "2 separate groups", "link them", verb="stitch", words="--anchor x0"
    ),
    "an anchor that is not there": case(two_islands, "'Winogrande'", "It has x0, x1, y0, y1", verb="stitch"),
    # files
    "an empty file": case(text(""), "runs.csv is empty", "right file?"),
    "a header alone": case(text(HEADER + "\n"), "no data rows", "at least one"),
    "a repeated header": case(
        text(HEADER.replace("vocabulary_size", "perplexity") + "\n" + BODY), "'perplexity' occurs 2 times"
    ),
    "no file": case(lambda folder: folder / "nope.csv", "no file", "nope.csv", "Check the path"),
    "a folder": case(lambda folder: folder, "folder", "Name one file"),
    "bytes": case(text(bytes(range(256)) * 20), "runs.csv is not UTF-8", "Save it as UTF-8"),
    "a picture": case(text(b"\x89PNG\r\n\x1a\n", "runs.png"), "runs.png", ".csv", "Save the table as CSV"),
    "another encoding": case(
        text((HEADER + "\n" + BODY).replace("System 3", "Système 3").encode("latin-1")),
        "not UTF-8",
        "Save it as",
    ),
    "semicolons": case(text((HEADER + "\n" + BODY).replace(",", ";")), "separator seems to be ';'"),
    "a ragged row": case(text(HEADER + "\n" + BODY + ",x,y"), "row 48", "11 cells, needs 9"),
    # columns
    "a column under another name": case(
        renamed("parameters", "n_params"),
        "'parameters'",
        "closest is 'n_params'",
        "--map parameters=n_params",
    ),
    "a column that is not there": case(renamed("parameters", "q"), "'parameters'", "--map parameters=NAME"),
    "half a map": case(GOOD, "--map", "'perplexity', needs COLUMN=THEIRS", words="--map perplexity"),
    "a map of an unknown column": case(GOOD, "closest is 'perplexity'", words="--map perplexty=perplexity"),
    "a map to a column not there": case(GOOD, "column 'ppl' not in runs.csv", words="--map perplexity=ppl"),
    "a map twice": case(GOOD, "given twice", words="--map paper=a --map paper=b"),
    "an unknown importer": case(GOOD, "Did you mean lm_evaluations?", words="--importer lm_evals"),
    "scores for evaluations": case(two_islands, "column 'system' not in scores.csv"),
    "evaluations for capabilities": case(GOOD, "column 'model' not in runs.csv", verb="trend"),
    # settings
    "a level in per cent": case(GOOD, "level=95", "(0, 1)", "0.95", words="--ci-level 95"),
    "a level without draws": case(GOOD, "level=95", words="--ci-level 95 --bootstrap 0"),
    "a negative penalty": case(GOOD, "delta=-0.1", "[0, inf)", words="--delta -0.1"),
    "a penalty that is no number": case(GOOD, "delta=nan", words="--delta nan"),
    "law 99": case(GOOD, "law: 99", "1 to 22", "isoflop progress laws", words="--law 99"),
    "a law in words": case(GOOD, "--law: 'seven'", "whole number", words="--law seven"),
    "a law without time": case(GOOD, "law 16 has no time term", words="--law 16"),
    "fewer than no draws": case(GOOD, "--bootstrap: -1", "at least 0", words="--bootstrap -1"),
    "an unknown unit of resampling": case(GOOD, "'papers'", "Did you mean paper?", words="--by papers"),
    "no rows of a paper": case(GOOD, "--top-per-paper: '0'", "or all", words="--top-per-paper 0"),
    "a date in words": case(GOOD, "--since: 'soon'", "2017-06-12", words="--since soon"),
    "fewer than no starts": case(GOOD, "count=-1", "at least 0", words="--starts -1"),
    "papers in the published procedure": case(
        GOOD, "--by: paper", "uses row", words="--compat paper --by paper"
    ),
    "free constants in the published procedure": case(
        GOOD, "--mask: slopes", "penalises every parameter", words="--compat paper --mask slopes"
    ),
    "a split before the data": case(GOOD, "split_year=1999", "2012", words="--split-year 1999"),
    "a picture of unknown kind": case(GOOD, "'x.svgg'", "Did you mean x.svg?", words="--figure x.svgg"),
    "two files": case(GOOD, "2 files", "Name a single file", words="other.csv"),
    "laws beyond the last": case(GOOD, "law 23", "1 to 22", verb="compare", words="--laws 20-25"),
    "laws in words": case(GOOD, "--laws: 'all'", "1-20", verb="compare", words="--laws all"),
    "penalties in words": case(GOOD, "--penalties: 'a,b'", verb="compare", words="--penalties a,b"),
    "a negative penalty among others": case(
        GOOD, "delta=-1", verb="compare", words="--penalties 0,-1 --laws 1"
    ),
    "a holdout in per cent": case(GOOD, "holdout=20", "[0, 1)", verb="compare", words="--holdout 20"),
    "a holdout in time order": case(
        GOOD, "--scheme time does not use it", verb="compare", words="--scheme time --holdout 0.2"
    ),
    "an unknown scheme": case(GOOD, "'loocv'", "Did you mean loo?", verb="compare", words="--scheme loocv"),
    "an unknown choice to sweep": case(
        GOOD, "'penalties'", "penalty", verb="sweep", words="--over penalties"
    ),
    "an unknown check": case(GOOD, "'mainn'", "Did you mean 'main'?", verb="check", words="--checks mainn"),
    "pairs without a penalty": case(GOOD, "--pairs: '7'", "LAW:DELTA", verb="aggregate", words="--pairs 7"),
    "a pool without draws": case(GOOD, "--bootstrap: 0", "pooled", verb="aggregate", words="--bootstrap 0"),
    # questions
    "an unknown system": case(GOOD, "--start: 'GPT-9'", "N:D:date", verb="decompose", words="--start GPT-9"),
    "a misspelt system": case(
        GOOD, "--end: 'Chinchila'", "Did you mean 'Chinchilla'?", verb="decompose", words="--end Chinchila"
    ),
    "half a system": case(GOOD, "--start", "2 parts", verb="decompose", words="--start 1e9:1e10"),
    "a system without size": case(
        GOOD, "--start", "positive number", verb="decompose", words="--start 0:1e10:2020-01-01"
    ),
    "a system without date": case(GOOD, "--start", "'soon'", verb="decompose", words="--start 1e9:1e10:soon"),
    "one system twice": case(
        GOOD, "does not change", verb="decompose", words="--start RNN --end RNN --bootstrap 0"
    ),
    "an unknown benchmark of a decomposition": case(
        GOOD, "'WT104'", "Did you mean 'WT103'?", verb="decompose", words="--benchmark WT104 --bootstrap 0"
    ),
    "an unknown benchmark of a gain": case(
        GOOD, "'C4'", "WT103, PTB", verb="gain", words="--benchmark C4 --bootstrap 0"
    ),
    "a falling range of compute": case(GOOD, "--flop", "rising range", verb="gain", words="--flop 1e25:1e19"),
    "compute below zero": case(GOOD, "--flop", "positive number", verb="gain", words="--flop=-1e25"),
    "a ratio that nothing needs": case(GOOD, "--ratio: 20", "fixed_ratio", verb="gain", words="--ratio 20"),
    "a constraint without its number": case(
        GOOD, "fixed_data, needs --tokens", verb="gain", words="--constraint fixed_data"
    ),
    "a ratio below zero": case(
        GOOD, "ratio=-1", verb="gain", words="--constraint fixed_ratio --ratio -1 --bootstrap 0"
    ),
    "a year before print": case(GOOD, "--from: '12'", "2017", verb="gain", words="--from 12"),
    "matches in negative time": case(GOOD, "min_gap_years=-1", verb="match", words="--min-gap-years -1"),
    "a slope in words": case(GOOD, "--slope: 'steep'", "common", verb="trend", words="--slope steep"),
}

PATTERN = re.compile(r"error: [^:]+: .+\S", re.DOTALL)
REMARKS = ("evidence: ", "law: ")


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_one_message(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = CASES[name]
    source = wanted.make(tmp_path)
    assert main(["progress", wanted.verb, str(source), *wanted.words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    before, _, message = err.rpartition("error: ")
    assert before.count("error") == 0
    assert not before or before.startswith(REMARKS)
    assert "Traceback" not in err
    assert message.count("\n") == 1
    assert PATTERN.match(f"error: {message.strip()}")
    for part in wanted.says:
        assert part in message
    # what to do, or a question that hints at it, closes the message; a command to copy may end without a stop
    assert re.search(r"[.?)]\)?\s*$|--map \S+=\S+( \(also.*\))?$", message.strip())


def test_the_table_that_is_spoilt_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress", "fit", str(GOOD(tmp_path)), "--bootstrap", "0", "--starts", "4"]) == 0
    assert "Certified minima" in capsys.readouterr().out


def test_a_map_without_a_file_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress", "fit", "--evidence", "embedded", "--map", "parameters=N"]) == 2
    assert "--map: no FILE" in capsys.readouterr().err


def test_an_evidence_folder_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["progress", "fit", "--evidence", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_a_verb_without_shipped_evidence_says_how_to_fetch_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress", "stitch", "--evidence", "embedded"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "benchmark_scores" in err
    assert "isoflop data pull" in err


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_weights_that_are_no_weights_are_refused(bad: float) -> None:
    x = np.column_stack([np.ones(12), np.linspace(0.0, 1.0, 12)])
    weights = np.full((1, 12), 1 / 12)
    weights[0, 3] = bad
    with pytest.raises(IsoflopError, match="weight"):
        fit_exp_sum(
            ExpSumDesign(terms=(x,), linear=None), np.ones(12), starts=np.zeros((1, 2)), weights=weights
        )
