"""Is a table of extracted study points fit for pooling? Every problem at once, and the template.

`load` refuses at the first problem. Whoever types numbers from papers wants all of them: cells that
cannot be read, values outside their unit, studies that mix two units, points given twice. These are
errors. What only weakens an answer is a warning: no number of trials, two points in a study, a range
below a tenfold, rates that no whole number of successes gives.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isoflop.errors import closest
from isoflop.evidence.problem import Problem
from isoflop.evidence.read import from_frame, read_file
from isoflop.evidence.studies import STUDY_POINTS, identified, with_outcomes
from isoflop.evidence.study_checks import broken_counts, problems
from isoflop.evidence.validate import fold, inspect

if TYPE_CHECKING:
    import polars as pl

Severity = Literal["error", "warning"]

FEWEST_POINTS = 3
"""Scales below which a study says nothing about curvature."""
NARROW = 10.0
"""Ratio of largest to smallest x below which an exponent rests on little."""
EXAMPLE = "EXAMPLE"
"""Paper of the template's rows, so that none is pooled by mistake."""
_EXAMPLE_ROW = {
    "paper_id": EXAMPLE,
    "title": "Replace these rows by your own",
    "year": "2024",
    "venue": "CoRL 2024",
    "sector": "academia",
    "study_id": "grasping-demonstrations-seen",
    "model_class": "other",
    "architecture": "Diffusion policy, 25M parameters",
    "task": "grasping",
    "task_family": "manipulation",
    "embodiment": "Franka Panda",
    "environment": "real",
    "familiarity": "seen",
    "training_phase": "train_from_demonstrations",
    "resource": "data",
    "x_unit": "demonstrations",
    "metric": "success_rate",
    "y_unit": "percent",
    "higher_is_better": "1",
    "n_trials": "50",
    "n_seeds": "1",
    "source_locator": "Table 3, row 2",
    "extraction": "table",
    "extractor": "your initials",
    "verified": "read",
    "notes": "criterion: object lifted for 3 s",
}
_EXAMPLE_POINTS = (("10", "24"), ("30", "46"), ("100", "72"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One line of a report.

    Parameters
    ----------
    severity : {"error", "warning"}
        An error keeps the table from being loaded.
    rows : tuple of int
        Data rows, counted from 1 without the header; empty where the header is meant.
    column : str
        Column, or empty where several are meant.
    group : str
        Study or paper, or empty for a single cell.
    text : str
        What is there and what is needed.
    todo : str
        What to do about it.
    """

    severity: Severity
    rows: tuple[int, ...]
    column: str
    group: str
    text: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LintReport:
    """Everything that is wrong with, or weak about, a table of study points.

    Parameters
    ----------
    name : str
        Name of the table.
    rows, studies, papers : int
        What was read.
    remarks : tuple of Remark
        Errors first, then warnings, each by row.
    """

    name: str
    rows: int
    studies: int
    papers: int
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> int:
        """Number of errors; with none the table loads."""
        return sum(remark.severity == "error" for remark in self.remarks)

    @property
    def warnings(self) -> int:
        """Number of warnings."""
        return len(self.remarks) - self.errors

    def frame(self) -> pl.DataFrame:
        """Return one row for each remark."""
        import polars as pl

        schema = dict.fromkeys(("severity", "rows", "column", "group", "text", "todo"), pl.String)
        return pl.DataFrame([_row(remark) for remark in self.remarks], schema=schema)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        counts = {"errors": self.errors, "warnings": self.warnings}
        size = {"rows": self.rows, "studies": self.studies, "papers": self.papers}
        return {"name": self.name, **size, **counts, "remarks": [_row(remark) for remark in self.remarks]}

    def summary(self) -> str:
        """Return one line: what was read and how many errors and warnings there are."""
        verdict = "it loads" if self.errors == 0 else "it does not load"
        return (
            f"{self.name}: rows {self.rows}, studies {self.studies}, papers {self.papers}; "
            f"errors {self.errors}, warnings {self.warnings}: {verdict}."
        )


def lint(source: Any, *, columns: dict[str, str] | None = None, name: str | None = None) -> LintReport:
    """Check a table of study points and list everything at once.

    Parameters
    ----------
    source : path, str or data frame
        A csv, tsv or parquet file, or a frame, in the columns of schema ``study_points``.
    columns : mapping of str to str, optional
        Canonical column name to the name in the source.
    name : str, optional
        Name for the report. Default: the file's name.

    Returns
    -------
    LintReport

    Raises
    ------
    EvidenceError
        The file cannot be read, or a required column is missing, so that no row can be checked.

    Examples
    --------
    >>> import io, polars as pl
    >>> report = lint(pl.read_csv(io.StringIO(template()), infer_schema=False), name="template")
    >>> report.errors, report.remarks[0].text
    (1, 'rows of the template are left in')
    """
    path = Path(source) if isinstance(source, (str, Path)) else None
    where = name or (path.name if path else "frame")
    raw = read_file(path) if path else from_frame(source, where)
    frame, cells = inspect(raw, STUDY_POINTS, where, columns)
    frame = identified(frame)
    errors = [_error(problem) for problem in (*cells, *problems(frame))]
    remarks = [*_examples(frame), *errors]
    warnings = [*_unknown(raw.columns, columns or {}), *_weak(with_outcomes(frame))]
    return LintReport(
        name=where,
        rows=frame.height,
        studies=frame["study"].drop_nulls().n_unique(),
        papers=frame["paper_id"].drop_nulls().n_unique(),
        remarks=(*sorted(remarks, key=lambda remark: remark.rows[:1]), *warnings),
    )


def template() -> str:
    """Return a csv text with every column of the schema and three example rows.

    The rows belong to a paper named EXAMPLE, which `lint` refuses, so that none is pooled by mistake.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, STUDY_POINTS.names, lineterminator="\n")
    writer.writeheader()
    for x, y in _EXAMPLE_POINTS:
        writer.writerow({**_EXAMPLE_ROW, "x": x, "y": y})
    return out.getvalue()


def _row(remark: Remark) -> dict[str, str]:
    return {
        "severity": remark.severity,
        "rows": _spans(remark.rows),
        "column": remark.column,
        "group": remark.group,
        "text": remark.text,
        "todo": remark.todo,
    }


def _spans(rows: Sequence[int]) -> str:
    """Return row numbers with neighbours joined.

    Examples
    --------
    >>> _spans((1, 2, 3, 7))
    '1-3, 7'
    """
    spans: list[list[int]] = []
    for row in sorted(rows):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _error(problem: Problem) -> Remark:
    joint = " " if problem.need.startswith("is ") else ", "
    return Remark(
        severity="error",
        rows=problem.rows,
        column=problem.column,
        group=problem.group,
        text=f"{problem.came}{joint}{problem.need}",
        todo=problem.todo,
    )


def _examples(frame: pl.DataFrame) -> list[Remark]:
    import polars as pl

    rows = frame.filter(pl.col("paper_id") == EXAMPLE)["record"].to_list()
    if not rows:
        return []
    text, todo = "rows of the template are left in", "Delete them."
    return [Remark(severity="error", rows=tuple(rows), column="paper_id", group="", text=text, todo=todo)]


def _unknown(header: Sequence[str], mapping: dict[str, str]) -> list[Remark]:
    """Return a warning for each column that the schema does not know, and that is therefore not read."""
    known = {fold(name) for column in STUDY_POINTS.columns for name in (column.name, *column.aliases)}
    present = {fold(name) for name in header}
    free = [name for name in STUDY_POINTS.names if fold(name) not in present]
    found = []
    for name in header:
        if fold(name) in known or name in mapping.values():
            continue
        near = closest(name, free)
        todo = f"Did you mean '{near}'?" if near else "Leave it out, or put its content into notes."
        found.append(
            Remark(
                severity="warning",
                rows=(),
                column=name,
                group="",
                text="no column of study_points: not read",
                todo=todo,
            )
        )
    return found


def _weak(frame: pl.DataFrame) -> list[Remark]:
    """Return what weakens an answer: by study, studies alike in one line, then by row."""
    import polars as pl

    studies: dict[tuple[str, str, str], list[tuple[str, list[int]]]] = {}
    for (study,), part in frame.drop_nulls(("study", "x")).group_by("study", maintain_order=True):
        for remark in _study_remarks(part):
            studies.setdefault(remark, []).append((str(study), part["record"].to_list()))
    found = [
        Remark(
            severity="warning",
            rows=tuple(row for _, rows in alike for row in rows),
            column=column,
            group=_several([study for study, _ in alike]),
            text=text,
            todo=todo,
        )
        for (column, text, todo), alike in studies.items()
    ]
    uneven = broken_counts(frame)
    if uneven.height:
        text = "success times n_trials is no whole number"
        todo = "Check both; where y is a mean over tasks, n_trials is the sum of their trials."
        rows = tuple(uneven["record"])
        found.append(Remark(severity="warning", rows=rows, column="n_trials", group="", text=text, todo=todo))
    doubtful = frame.filter(pl.col("verified").is_null() | pl.col("verified").is_in(("no", "recalled")))
    if doubtful.height:
        text, todo = "not verified", "Look the numbers up in the source and set verified to read."
        rows = tuple(doubtful["record"])
        found.append(Remark(severity="warning", rows=rows, column="verified", group="", text=text, todo=todo))
    return found


def _several(studies: Sequence[str]) -> str:
    more = f" and {len(studies) - 1} more" if len(studies) > 1 else ""
    return f"study '{studies[0]}'{more}"


def _study_remarks(part: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return column, text and cure of what is weak about one study."""
    import polars as pl

    said = []
    above = part.filter(pl.col("x") > 0).sort("x")
    scales = above["x"].n_unique()
    if scales < FEWEST_POINTS:
        todo = "Add scales; two points carry no curvature and one no slope."
        said.append(("x", f"{scales} scale{'' if scales == 1 else 's'}, a curve needs {FEWEST_POINTS}", todo))
    elif above["x"][-1] < NARROW * above["x"][0]:
        todo = "Add scales further apart."
        said.append(("x", f"x spans less than a factor of {NARROW:g}", todo))
    rates = part.filter(pl.col("success").is_not_null() & ~pl.col("partial_credit"))
    if rates.height and rates["n_trials"].null_count() == rates.height:
        said.append(("n_trials", "no number of trials", "Add it: without it the precision is assumed."))
    outcome = above["success"].drop_nulls()
    if scales >= FEWEST_POINTS and outcome.len() == above.height and outcome[-1] < outcome[0]:
        todo = "Keep it if the paper prints it so; else check higher_is_better."
        said.append(("higher_is_better", "success is lower at the largest x than at the smallest", todo))
    return said
