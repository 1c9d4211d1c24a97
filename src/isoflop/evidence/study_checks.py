"""What a table of study points must satisfy across rows, and the doubts that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.curves import mixed, repeats
from isoflop.evidence.problem import Problem, broken

if TYPE_CHECKING:
    import polars as pl

FIXED = ("resource", "x_unit", "metric", "y_unit", "higher_is_better")
"""What may not change inside a study."""
LIKE = ("familiarity", "model_class", "training_phase", "environment", "task_family", "year", "sector")
"""What meta-regression takes from a study, so that two values make the study's value unclear."""
BETTER_HIGH = r"(?i)success|accura|reward|return"
BETTER_LOW = r"(?i)error|failure|loss|perplexity|\bfail"
WHOLE = 0.02
"""Distance of trials × success from a whole number that float noise explains."""
COARSE, FINE = 0.005, 0.0005
"""Half of the last digit of a rate printed in whole percent (97 %), and of one printed finer (97.2 %)."""
ONE_TRIAL = 0.51
"""Successes by which a stated count may differ from a rounded rate: half of one, and float noise."""
MAJORITY = 0.5


def problems(frame: pl.DataFrame) -> list[Problem]:
    """Return what makes rows or studies unusable, beyond single cells.

    Values outside their unit, mixed studies, wrong directions, one x twice, impossible counts.
    """
    todo = "De-duplicate, give the mean with n_seeds, or name the repeats in a column 'repeat'."
    return [
        *_ranges(frame),
        *_percents(frame),
        *mixed(frame, "study", "study", FIXED),
        *_directions(frame),
        *repeats(frame, "study", "study", apart=("repeat",), todo=todo),
        *_counts(frame),
    ]


def _ranges(frame: pl.DataFrame) -> list[Problem]:
    import polars as pl

    found = []
    for column, name, top, larger in (
        ("y", "fraction", 1.0, "percent"),
        ("y", "percent", 100.0, ""),
        ("x", "fraction", 1.0, "percent_of_dataset"),
        ("x", "percent_of_dataset", 100.0, ""),
    ):
        within = pl.col(f"{column}_unit") == name
        highest = frame.filter(within)[column].max()
        meant = larger and highest is not None and float(str(highest)) <= 100.0
        found += broken(
            frame,
            within & ~pl.col(column).is_between(0.0, top),
            column,
            f"with {column}_unit '{name}' must lie in [0, {top:g}]",
            f"Did you mean '{larger}'?" if meant else "Correct the cell or its unit.",
        )
    loss = (pl.col("y_unit") == "nats") & (pl.col("y") <= 0.0)
    return [*found, *broken(frame, loss, "y", "a loss must be > 0", "Correct the cell or its unit.")]


def _percents(frame: pl.DataFrame) -> list[Problem]:
    """Return the papers whose percentages are surely fractions: none above 1, and not all whole."""
    import polars as pl

    y = pl.col("y")
    small = (
        frame.filter(pl.col("y_unit") == "percent")
        .group_by("paper_id", maintain_order=True)
        .agg(y.max().alias("highest"), (y % 1.0 > 0).any().alias("uneven"), pl.col("record"))
        .filter((pl.col("highest") <= 1.0) & pl.col("uneven"))
    )
    return [
        Problem(
            rows=tuple(row["record"]),
            column="y_unit",
            came=f"every y lies in [0, 1] with y_unit 'percent' (from row {row['record'][0]})",
            need="needs percentages up to 100",
            todo="Did you mean 'fraction'?",
            group=f"paper '{row['paper_id']}'",
        )
        for row in small.iter_rows(named=True)
    ]


def _directions(frame: pl.DataFrame) -> list[Problem]:
    import polars as pl

    metric, high = pl.col("metric"), pl.col("higher_is_better")
    low = metric.str.contains(BETTER_LOW)
    return [
        problem
        for wrong, better in (
            (low & high, "lower"),
            (metric.str.contains(BETTER_HIGH) & ~low & ~high, "higher"),
        )
        for problem in broken(
            frame,
            wrong,
            "metric",
            f"is better when {better}, but higher_is_better says otherwise",
            "Correct the flag, or the name of the metric.",
        )
    ]


def _success() -> pl.Expr:
    """Return the success rate that y, its unit and its direction state; missing where y is no rate."""
    import polars as pl

    whole = pl.when(pl.col("y_unit") == "percent").then(100.0).when(pl.col("y_unit") == "fraction").then(1.0)
    share = pl.col("y") / whole
    return pl.when("higher_is_better").then(share).otherwise(1.0 - share)


def _counts(frame: pl.DataFrame) -> list[Problem]:
    import polars as pl

    trials, wins = pl.col("n_trials"), pl.col("n_success")
    count = "Write a count of trials."
    return [
        *broken(
            frame, wins.is_not_null() & trials.is_null(), "n_success", "says nothing without n_trials", count
        ),
        *broken(frame, wins > trials, "n_success", "cannot exceed n_trials", "Are the two columns swapped?"),
        *broken(frame, trials % 1.0 != 0, "n_trials", "must be a whole number", count),
        *broken(frame, wins % 1.0 != 0, "n_success", "must be a whole number", count),
        *broken(
            frame,
            (wins / trials - _success()).abs() > COARSE + ONE_TRIAL / trials,
            "n_success",
            "disagrees with y and n_trials",
            "Correct one of the three.",
        ),
    ]


def cautions(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the doubts that concern the table as a whole, each with its cure."""
    import polars as pl

    rows = frame.height
    rates = frame.filter(pl.col("outcome_kind") == "success_error")
    counts = [
        (
            rates.filter(pl.col("n_trials").is_null() & ~pl.col("partial_credit")).height,
            f"of {rates.height} success rates come without n_trials: their precision is assumed, not known. "
            "Add the number of trials.",
        ),
        (
            int(frame["partial_credit"].sum()),
            f"of {rows} rows give partial credit: no success frequencies, so their spread is not binomial. "
            "Leave them out with partial_credit = false, or weigh them apart.",
        ),
        (
            int(frame["is_aggregate"].sum()),
            f"of {rows} rows are means of other rows of the table: pooled as well, a result counts twice. "
            "Keep is_aggregate = false.",
        ),
        (
            frame.filter(pl.col("extraction") == "generated").height,
            f"of {rows} rows are synthetic: they try methods and say nothing about the world. "
            "Replace them by measurements.",
        ),
        (
            frame.filter(pl.col("extraction") == "digitised").height,
            f"of {rows} rows were read off a figure: they carry reading error. Ask the authors for the "
            "numbers.",
        ),
        (
            frame.filter(pl.col("verified").is_in(("partly", "secondary", "no", "recalled"))).height,
            f"of {rows} rows were not read in the source itself. Look them up.",
        ),
        (
            broken_counts(rates).height,
            "success rates times n_trials are no whole numbers: means over tasks or misread trials. Check.",
        ),
        (
            frame.filter(pl.col("x") == 0).height,
            "rows have x = 0, which has no place on a logarithmic axis: analyses leave them out. Use the "
            "next scale.",
        ),
        (
            frame.filter(pl.col("x_unit") == "epochs").height,
            "rows count epochs, which are not comparable across papers. Convert them to samples seen.",
        ),
    ]
    return tuple(f"{count} {text}" for count, text in counts if count) + _weights(frame) + _mixed(frame)


def broken_counts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose successes, as implied by rate and trials, are no whole number."""
    import polars as pl

    implied = pl.col("n_trials") * pl.col("success")
    percent = 100.0 * pl.col("success")
    half = pl.when((percent - percent.round()).abs() < 1e-6).then(COARSE).otherwise(FINE)
    allowed = WHOLE + pl.col("n_trials") * half
    known = pl.col("n_trials").is_not_null() & ~pl.col("partial_credit")
    return frame.filter(known & ((implied - implied.round()).abs() > allowed))


def _weights(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the caution about a paper that supplies more than half of the studies."""
    import polars as pl

    papers = frame.group_by("paper_id", maintain_order=True).agg(pl.col("study").n_unique().alias("studies"))
    total = int(papers["studies"].sum())
    largest = papers.sort("studies", descending=True, maintain_order=True).row(0, named=True)
    if papers.height < 2 or largest["studies"] <= MAJORITY * total:
        return ()
    return (
        f"paper {largest['paper_id']} supplies {largest['studies']} of {total} studies: unweighted means are "
        "its own. Weigh by paper, or add papers.",
    )


def _mixed(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the caution about studies with two values of a moderator."""
    import polars as pl

    two = frame.group_by("study", maintain_order=True).agg(
        *[pl.col(column).drop_nulls().n_unique() > 1 for column in LIKE]
    )
    said = []
    for column in LIKE:
        studies = two.filter(pl.col(column))["study"].to_list()
        if studies:
            said.append(
                f"{len(studies)} studies (e.g. {studies[0]}) have two values of {column}: comparisons by it "
                "take the first. Split them."
            )
    return tuple(said)
