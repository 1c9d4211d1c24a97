"""What a table of study points must satisfy across rows, and the doubts that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.curves import one_unit, refuse_repeats
from isoflop.evidence.validate import refuse

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
MAJORITY = 0.5


def check(frame: pl.DataFrame, where: str) -> None:
    """Refuse values outside their unit, mixed studies, wrong directions, repeats and impossible counts.

    Raises
    ------
    EvidenceError
        The first row or study that cannot be used, with what to do.
    """
    _ranges(frame, where)
    one_unit(frame, "study", "study", FIXED, where)
    _directions(frame, where)
    refuse_repeats(
        frame,
        "study",
        "study",
        where,
        apart=("repeat",),
        cure="De-duplicate, give the mean with n_seeds, or name the repeats in a column 'repeat'",
    )
    _counts(frame, where)


def _ranges(frame: pl.DataFrame, where: str) -> None:
    import polars as pl

    unit, y = pl.col("y_unit"), pl.col("y")
    for name, top, other in (("fraction", 1.0, "percent"), ("percent", 100.0, None)):
        above = frame.filter((unit == name) & (y > top))
        meant = other is not None and above.height and bool((above["y"] <= 100.0).all())
        hint = f"Did you mean '{other}'?" if meant else "Correct the cell or its unit."
        need = f"with y_unit '{name}' must lie in [0, {top:g}]"
        refuse(frame, (unit == name) & ~y.is_between(0.0, top), "y", where, need, hint)
    refuse(frame, (unit == "nats") & (y <= 0.0), "y", where, "a loss must be > 0", "Correct the cell.")
    small = (
        frame.filter(unit == "percent")
        .group_by("paper_id", maintain_order=True)
        .agg(y.max().alias("highest"), (y % 1.0 > 0).any().alias("broken"), pl.col("record").first())
        .filter((pl.col("highest") <= 1.0) & pl.col("broken"))
    )
    if small.height:
        row = small.row(0, named=True)
        raise EvidenceError(
            f"load: paper '{row['paper_id']}' of {where} (from row {row['record']}): every y is in [0, 1] "
            "with y_unit "
            "'percent'. Did you mean 'fraction'?"
        )
    share = {"fraction": 1.0, "percent_of_dataset": 100.0}
    for name, top in share.items():
        refuse(
            frame,
            (pl.col("x_unit") == name) & (pl.col("x") > top),
            "x",
            where,
            f"with x_unit '{name}' must lie in [0, {top:g}]",
            "Correct the cell or its unit.",
        )


def _directions(frame: pl.DataFrame, where: str) -> None:
    import polars as pl

    metric, high = pl.col("metric"), pl.col("higher_is_better")
    low = metric.str.contains(BETTER_LOW)
    for wrong, is_better in (
        (low & high, "lower"),
        (metric.str.contains(BETTER_HIGH) & ~low & ~high, "higher"),
    ):
        refuse(
            frame,
            wrong,
            "metric",
            where,
            f"is better when {is_better}, but higher_is_better says otherwise",
            "Correct the flag, or the name of the metric.",
        )


def _counts(frame: pl.DataFrame, where: str) -> None:
    import polars as pl

    trials, wins = pl.col("n_trials"), pl.col("n_success")
    refuse(
        frame,
        wins.is_not_null() & trials.is_null(),
        "n_success",
        where,
        "says nothing without n_trials",
        "Give the number of trials.",
    )
    refuse(frame, wins > trials, "n_success", where, "cannot exceed n_trials", "Are the two columns swapped?")
    for column in ("n_trials", "n_success"):
        refuse(
            frame,
            pl.col(column) % 1.0 != 0,
            column,
            where,
            "must be a whole number",
            "Write a count of trials.",
        )


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
            "Leave them out "
            "with partial_credit = false, or weigh them apart.",
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
            _broken_counts(rates),
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


def _broken_counts(rates: pl.DataFrame) -> int:
    """Return the rows whose successes, as implied by rate and trials, are no whole number."""
    import polars as pl

    implied = pl.col("n_trials") * pl.col("success")
    percent = 100.0 * pl.col("success")
    half = pl.when((percent - percent.round()).abs() < 1e-6).then(COARSE).otherwise(FINE)
    allowed = WHOLE + pl.col("n_trials") * half
    known = pl.col("n_trials").is_not_null() & ~pl.col("partial_credit")
    return rates.filter(known & ((implied - implied.round()).abs() > allowed)).height


def _weights(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the caution about a paper that supplies more than half of the studies."""
    import polars as pl

    papers = frame.group_by("paper_id", maintain_order=True).agg(pl.col("study").n_unique().alias("studies"))
    total = int(papers["studies"].sum())
    largest = papers.sort("studies", descending=True, maintain_order=True).row(0, named=True)
    if papers.height < 2 or largest["studies"] <= MAJORITY * total:
        return ()
    return (
        f"paper {largest['paper_id']} supplies {largest['studies']} of {total} studies: unweighted means "
        "are its own. "
        "Weigh by paper, or add papers.",
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
                f"{len(studies)} studies (e.g. {studies[0]}) have two values of {column}: comparisons by "
                "it take the first. "
                "Split them."
            )
    return tuple(said)
