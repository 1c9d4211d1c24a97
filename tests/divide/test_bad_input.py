"""What is wrong is refused in one message that says where, what came, what is needed and what to do."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from isoflop.cli import main

from .made_models import systems, written

Rows = list[dict[str, str]]
Make = Callable[[Path], Path]
NAME = "systems.csv"
HEADER = ",".join(systems(1)[0])


def raw(content: str | bytes, name: str = NAME) -> Make:
    """Return a maker of a file with that content."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def table(change: Callable[[Rows], object] = lambda _rows: None, separator: str = ",") -> Make:
    """Return a maker of the good table after a change of its rows."""

    def make(folder: Path) -> Path:
        rows = systems()
        change(rows)
        return written(rows, folder / NAME, separator=separator)

    return make


def cell(column: str, value: str, row: int = 4) -> Make:
    """Return a maker of the good table with one cell changed; rows count from 1."""
    return table(lambda rows: rows[row - 1].update({column: value}))


def every(**values: str) -> Make:
    """Return a maker of the good table with columns set to one value."""
    return table(lambda rows: [row.update(values) for row in rows])


def first(count: int) -> Make:
    """Return a maker of the first rows of the good table."""
    return table(lambda rows: rows.__delitem__(slice(count, None)))


def as_powers(rows: Rows) -> None:
    for row in rows:
        row["train_flop"] = f"{math.log10(float(row['train_flop'])):.2f}"


def bounds(low: str, high: str, row: int = 4) -> Make:
    return table(lambda rows: rows[row - 1].update(train_flop_low=low, train_flop_high=high))


def papers(**changed: str) -> Make:
    """Return a maker of sixty papers, every second with cells of its own."""
    text = io.StringIO()
    plain = {"title": "", "venue": "icml", "year": "2020", "affiliations": "MIT", "topics": "llm"}
    writer = csv.DictWriter(text, list(plain | changed))
    writer.writeheader()
    for i in range(60):
        row = plain | {"title": f"Paper {i}", "year": str(2019 + i % 3)}
        writer.writerow(row | (changed if i % 2 else {}))
    return raw(text.getvalue())


def strings(content: str) -> Make:
    return raw("id,affiliation\n" + content)


@dataclass(frozen=True, kw_only=True)
class Case:
    """An input, the verb, the words after its file, and what must be said."""

    make: Make
    verb: str
    words: tuple[str, ...]
    says: tuple[str, ...]


def case(make: Make, *says: str, verb: str = "growth", words: str = "") -> Case:
    return Case(make=make, verb=verb, words=tuple(words.split()), says=says)


GOOD = table()

REFUSED: dict[str, Case] = {
    # files
    "an empty file": case(raw(""), "systems.csv is empty", "right file?"),
    "blank lines alone": case(raw("\n\n"), "systems.csv is empty"),
    "a header alone": case(raw(HEADER + "\n"), "no data rows"),
    "semicolons": case(table(separator=";"), "separator seems to be ';'", "save the table with ','"),
    "tabs": case(table(separator="\t"), "separator seems to be '\\t'"),
    "a NUL byte": case(cell("organisations", "A\0B"), "line 5", "NUL byte", "Save the table anew"),
    "another encoding": case(
        raw(HEADER.encode() + b"\nUniversit\xe9,,,,,,,,,,,,\n"), "not UTF-8", "Save it as UTF-8"
    ),
    "a row too long": case(raw(f"{HEADER}\n{',' * 20}\n"), "row 1", "21 cells, needs 13"),
    "a missing column": case(
        table(lambda rows: [row.update(made=row.pop("date")) for row in rows]), "'date'", "--map date="
    ),
    "two files": case(GOOD, "2 files", "takes one", words=NAME),
    # cells
    "text in FLOP": case(cell("train_flop", "1e21 FLOP"), "row 4, column 'train_flop'", "'1e21 FLOP' is no"),
    "no FLOP": case(cell("train_flop", "0"), "row 4, column 'train_flop'", "0, must lie in"),
    "negative FLOP": case(cell("train_flop", "-1e20"), "row 4, column 'train_flop'", "-1e+20"),
    "infinite FLOP": case(cell("train_flop", "inf"), "row 4, column 'train_flop'", "finite"),
    "too much FLOP": case(cell("train_flop", "1e300"), "row 4, column 'train_flop'", "(0, 1e+35)"),
    "a power of ten for FLOP": case(cell("train_flop", "21.3"), "row 4", "21.3", "looks like a power of ten"),
    "powers of ten for FLOP": case(table(as_powers), "most cells", "Raise 10 to them", "47 more rows"),
    "a month 13": case(cell("date", "2023-13-01"), "row 4, column 'date'", "'2023-13-01'", "YYYY-MM-DD"),
    "a year for a date": case(cell("date", "2023"), "row 4, column 'date'", "'2023' is no date"),
    "a fractional year for a date": case(cell("date", "2023.5"), "'2023.5' is no date"),
    "a date of another order": case(cell("date", "3/14/2023"), "'3/14/2023' is no date"),
    "a date before computers": case(cell("date", "1890-01-01"), "1890-01-01", "1940"),
    "a date to come": case(cell("date", "2090-01-01"), "2090-01-01", "Correct the year"),
    "a lower bound above the upper": case(
        bounds("1e22", "1e20"), "row 4", "train_flop_low", "Swap the bounds"
    ),
    # teams
    "an unseen team label": case(
        cell("team_label", "Startup"), "team label 'Startup'", "--unknown-labels other", verb="shares"
    ),
    "codings mixed": case(
        cell("team_label", "Industry - Academia Collaboration"),
        "systems: team label 'Industry - Academia Collaboration'",
        "one coding",
        verb="shares",
    ),
    "no team known": case(every(team_label=""), "none of 48 rows", "--resolve-names", verb="shares"),
    "no sponsor": case(GOOD, "who paid", verb="shares", words="--attribution sponsor"),
    "industry alone, the gap": case(every(team_label="Industry"), "no system of academia alone", verb="gap"),
    "academia alone, power": case(every(team_label="Academia"), "no system of industry alone", verb="power"),
    "academia alone, deciles": case(every(team_label="Academia"), "20 of 20 systems", verb="deciles"),
    # rows
    "all dates equal": case(every(date="2020-06-15"), "1 distinct date", "needs at least 3"),
    "all dates equal, shares": case(every(date="2020-06-15"), "48 systems", "Name periods", verb="shares"),
    "all dates equal, specification": case(
        every(date="2020-06-15"), "have one date", "Add systems of other dates", verb="specification"
    ),
    "one system": case(first(1), "1 system of known team", verb="shares"),
    "compute without spread": case(every(train_flop="1e21"), "needs a spread", verb="power"),
    "no compute": case(every(train_flop=""), "no row is left after 'training compute is known'"),
    "no date": case(every(date=""), "no row is left after 'date is known'"),
    "nothing notable": case(every(notability="Training cost"), "no row is left after 'notable"),
    "a period without rows": case(
        GOOD, "1990-91", "Choose years within 2011 to 2022", verb="shares", words="--period 1990-1991"
    ),
    "a period backwards": case(GOOD, "2022 to 2012", "Swap", verb="shares", words="--period 2022-2012"),
    "a snapshot given twice": case(GOOD, "holds the same rows", verb="specification", words=NAME),
    "a snapshot given twice, audit": case(GOOD, "Name each once", verb="audit", words=NAME),
    "one snapshot to audit": case(GOOD, "at least two editions", verb="audit"),
    # settings
    "a level in per cent": case(GOOD, "level=95", "0.95", words="--level 95"),
    "a date of an option": case(GOOD, "--since: '2023-13-01'", words="--since 2023-13-01"),
    "an unknown definition": case(GOOD, "'top'", "Did you mean 'top_k'", verb="shares", words="--large top"),
    "a quantile in per cent": case(GOOD, "q=50.0", verb="gap", words="--quantile 50"),
    "a year of no calendar": case(GOOD, "20222", "Write 2022", verb="coverage", words="--at-year 20222"),
    "year 1": case(GOOD, "year 1,", "calendar year", verb="influence", words="--at-year 1"),
    "one group": case(GOOD, "groups=1", "at least 2", verb="deciles", words="--groups 1"),
    "no holder": case(GOOD, "top=0", "at least 1", verb="concentration", words="--top 0"),
    "a budget in words": case(GOOD, "--budget: 'much'", verb="afford", words="--budget much"),
    "an unknown machine": case(
        GOOD, "Did you mean 'Leonardo'", verb="afford", words="--facility Leonrdo --budget 1e6"
    ),
    "an unknown dictionary": case(GOOD, "no shipped table", verb="openness", words="--dictionary nope"),
    "few replicates": case(GOOD, "joint=50", "at least 100", verb="specification", words="--joint 50"),
    # papers and affiliations
    "papers of an empty file": case(raw(""), "is empty", verb="represent"),
    "papers with semicolons": case(raw("title;venue;year\na;b;2020\n"), "separator", verb="impact"),
    "a fractional year of a paper": case(papers(year="2019.5"), "2019.5", "whole year", verb="adopt"),
    "a year of papers in words": case(papers(), "--since: '20x'", verb="impact", words="--since 20x"),
    "few papers with citations": case(papers(citations="3"), "no venue and year has", verb="impact"),
    "affiliations of an empty file": case(raw(""), "is empty", verb="classify", words="--column affiliation"),
    "affiliations of a header": case(
        strings(""), "no data rows", verb="classify", words="--column affiliation"
    ),
    "affiliations of another column": case(
        strings("1,MIT\n"), "closest is 'affiliation'", verb="classify", words="--column affil"
    ),
    "affiliations with a NUL byte": case(
        strings("1,MI\0T\n"), "line 2", "NUL byte", verb="classify", words="--column affiliation"
    ),
    # snapshots of works
    "no manifest": case(raw("not JSON"), "needs the JSON manifest", verb="plan"),
    "no folder of a snapshot": case(
        raw("x"), "needs that of an OpenAlex", verb="extract", words="--out n.parquet"
    ),
    "no ledger": case(raw("x"), "no ledger", verb="status"),
    "no narrow table": case(raw("x"), "needs a narrow table", verb="query"),
}

PATTERN = re.compile(r"error: [^:]+: .+\S", re.DOTALL)


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_in_one_message_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    source = wanted.make(tmp_path)
    assert main(["divide", wanted.verb, source.name, *wanted.words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    before, _, message = err.rpartition("error: ")
    assert not before or before.startswith("evidence: ")
    assert "Traceback" not in err
    assert message.count("\n") == 1
    assert PATTERN.match(f"error: {message.strip()}")
    assert wanted.says
    for part in wanted.says:
        assert part in message
    # what to do, or a question that hints at it, closes the message
    assert re.search(r"[.?)]\s*$|--map \S+=\S+( \(also.*\))?$", message.strip())
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


# --------------------------------------------------------------- odd input that has an answer


def with_bom(folder: Path) -> Path:
    return written(systems(), folder / NAME, bom=True)


def twice(rows: Rows) -> None:
    rows[1]["model"] = rows[0]["model"]


HANDLED: dict[str, Case] = {
    "a byte order mark": case(with_bom, "academia 25 % (3/12)", verb="shares"),
    "an unseen label taken as other": case(
        cell("team_label", "Startup", 40), "other 8.3 % (1/12)", verb="shares", words="--unknown-labels other"
    ),
    "a label of separators is unknown": case(
        cell("team_label", ";;", 40), "1 of unknown team", verb="shares"
    ),
    "organisations of separators": case(cell("organisations", ";;"), "(3/12)", verb="shares"),
    "compute of nan is not known": case(cell("train_flop", "nan"), "47 systems of known team"),
    "a lower bound above the point": case(bounds("1e25", "1e26"), "exceed the point: 1"),
    "a slip of the unit": case(cell("train_flop", "1e6", 40), "below 1e+10 FLOP: 1"),
    "a bound that is a slip of the unit": case(
        bounds("5.4", "1e26", 40), "Lower bounds", "below 1e+10 FLOP: 1"
    ),
    "a name twice": case(table(twice), "Names occur more than once (such as system 0)"),
    "one date of each team, growth": case(first(4), "academia: no trend; 1 distinct date"),
    "compute without spread, growth": case(every(train_flop="1e21"), "all: doubling time not identified"),
    "one sector, growth": case(every(team_label="Industry"), "industry: doubling in"),
    "one sector, shares": case(every(team_label="Industry"), "academia 0 % (0/12)", verb="shares"),
    "one sector, concentration": case(every(team_label="Industry"), "Largest holders", verb="concentration"),
    "no compute, coverage": case(every(train_flop=""), "compute known for 0 of 12", verb="coverage"),
    "one system, affordable": case(first(1), "1 of 1", verb="afford"),
    "a name of ten thousand letters": case(
        cell("organisations", "University of A " * 625, 40), "organisations hold", verb="concentration"
    ),
    "another script": case(cell("organisations", "清华大学", 40), "清华大学", verb="concentration"),
    "an entity in a name": case(
        cell("organisations", "Universit&eacute; de Montr&eacute;al; AT&amp;T", 40),
        "Université de Montréal",
        verb="concentration",
    ),
    "names that decide a label": case(
        table(lambda rows: rows[39].update(team_label="", organisations="清华大学; AT&amp;T")),
        "1 of 1 rows without a label were decided",
        verb="shares",
        words="--resolve-names",
    ),
    "affiliations of separators": case(papers(affiliations=";;"), "30 more (50 %)", verb="represent"),
    "affiliations in another script": case(
        papers(affiliations="清华大学"), "academia 100 %", verb="represent"
    ),
    "affiliations with entities": case(
        papers(affiliations="Universit&eacute; de Paris; AT&amp;T"), "collaboration 50 %", verb="represent"
    ),
    "an affiliation of ten thousand letters": case(
        strings("1," + "Department of A " * 625 + "University of B\n"),
        "academia 100 %",
        verb="classify",
        words="--column affiliation",
    ),
    "a word of twenty thousand letters": case(
        strings("1," + "x" * 20_000 + "\n"), "unknown 100 %", verb="classify", words="--column affiliation"
    ),
    "a string of separators": case(
        strings("1,;;\n"), "unknown 100 %", verb="classify", words="--column affiliation"
    ),
}


@pytest.mark.parametrize("name", HANDLED)
def test_odd_input_has_an_answer_that_says_what_was_odd(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = HANDLED[name]
    assert main(["divide", wanted.verb, str(wanted.make(tmp_path)), *wanted.words]) == 0
    out, err = capsys.readouterr()
    assert "error" not in err
    shown = " ".join(out.split())
    assert wanted.says
    for part in wanted.says:
        assert part in shown
    assert "Cautions" in out
    assert not {"nan", "inf", "None"} & set(shown.split())


DICTIONARY = "name,aliases,family,developer,developer_type,release_date,is_open_weights\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Whisper,whisper,W,OpenAI,industry,2022-09-21,true", "must not be an English word"),
        ("Falcon,(falcon,F,TII,industry,2023-06-01,true", "must be a regular expression"),
        ("Falcon,falcon-\\d+b,F,TII,industry,2023-13-01,true", "'2023-13-01' is no date"),
        ("Falcon,falcon-\\d+b,F,TII,industri,2023-06-01,true", "Did you mean 'industry'"),
    ],
    ids=["an English word", "no expression", "no date", "no type"],
)
def test_a_dictionary_that_would_count_wrongly_is_refused(
    row: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = papers()(tmp_path)
    dictionary = tmp_path / "dictionary.csv"
    dictionary.write_text(DICTIONARY + row + "\n", encoding="utf-8")
    assert main(["divide", "adopt", str(source), "--dictionary", str(dictionary)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "row 1, column" in err
    assert says in err
