"""Schema ``models``: one row is one trained system, who made it and with how much compute.

A missing number stays missing: compute is never imputed, and a team nobody coded is unknown. Lists
(organisations, notability, base models) are kept as text joined by "; "; `listed` takes them apart.
Where a cell has no semicolon, commas outside brackets separate.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from isoflop.evidence.problem import Problem, broken, raise_first
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema, recalled
from isoflop.units import calendar_year

if TYPE_CHECKING:
    import polars as pl

SEPARATOR = "; "
CONFIDENCE = ("Confident", "Likely", "Speculative", "Unverified", "Unknown", "Wrong")
"""How well the compute is known, in the words of Epoch AI; the first three are factors of 3, 10 and 30."""
FIRST_YEAR = 1940
BOUND_TOO_LOW_FLOP = 1e10
"""A bound below this on a system after 2012 is a slip: one minute of a processor is more."""
LISTS = ("organisations", "org_types", "notability", "base_models", "domain", "task", "countries", "hardware")
ORG_TYPES = (
    "education",
    "company",
    "government",
    "nonprofit",
    "collective",
    "facility",
    "healthcare",
    "other",
)
LAST_SMALL_YEAR = 2000
"""Systems up to here may have used less than 40 FLOP: a relay maze of 1950 did."""
_COUNT = Rule(low=0.0, open_low=False, hint="Leave it empty if it is unknown.")
_FLOP = Rule(low=0.0, high=1e35, hint="Write FLOP such as 5.88e23, or leave it empty if it is unknown.")


def split_list(cell: str | None) -> tuple[str, ...]:
    """Return the entries of a cell: split at semicolons, else at commas outside brackets.

    HTML entities are read first: the semicolon of ``&eacute;`` separates nothing.

    Examples
    --------
    >>> split_list("OpenAI,University of California (UC, Berkeley)")
    ('OpenAI', 'University of California (UC, Berkeley)')
    >>> split_list("University of California, San Diego; Google")
    ('University of California, San Diego', 'Google')
    >>> split_list("Universit&eacute; de Montr&eacute;al; AT&amp;T")
    ('Université de Montréal', 'AT&T')
    """
    if not cell:
        return ()
    if "&" in cell:
        from isoflop.evidence.affiliations.words import unescaped

        cell = unescaped(cell)
    sign = ";" if ";" in cell else ","
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(cell):
        depth = max(0, depth + (letter in "([") - (letter in ")]"))
        if letter == sign and depth == 0:
            parts.append(cell[start:place])
            start = place + 1
    parts.append(cell[start:])
    return tuple(part.strip() for part in parts if part.strip())


def listed(cell: str | None) -> tuple[str, ...]:
    """Return the entries of a canonical list cell, joined by "; "."""
    return tuple(cell.split(SEPARATOR)) if cell else ()


def _models(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    last = dt.date.today().year + 1
    year = pl.col("date").dt.year()
    problems = broken(
        frame,
        (year < FIRST_YEAR) | (year > last),
        "date",
        f"must lie in {FIRST_YEAR} to {last}",
        "Correct the year, or leave the cell empty.",
    )
    problems += broken(
        frame,
        pl.col("train_flop_low") > pl.col("train_flop_high"),
        "train_flop_low",
        "must not exceed train_flop_high",
        "Swap the bounds, or leave both empty.",
    )
    problems += _powers_of_ten(frame)
    raise_first(problems, where)
    frame = frame.with_columns(
        pl.col(name).map_elements(lambda cell: SEPARATOR.join(split_list(cell)), return_dtype=pl.String)
        for name in LISTS
    ).with_columns(
        pl.col("notability").str.to_lowercase(),
        year=pl.Series([None if d is None else calendar_year(d) for d in frame["date"]], dtype=pl.Float64),
        log10_flop=pl.col("train_flop").log10(),
    )
    return frame, (*recalled(frame), *_cautions(frame))


def _powers_of_ten(frame: pl.DataFrame) -> list[Problem]:
    """Refuse compute that was written as its power of ten: a whole column, or a cell of a later year."""
    import polars as pl

    given = frame["train_flop"].drop_nulls()
    like = pl.col("train_flop").is_between(1, 40)
    if given.len() >= 3 and 2 * int(given.is_between(1, 40).sum()) > given.len():
        need = "needs FLOP, and most cells of the column look like powers of ten"
        return broken(frame, like, "train_flop", need, "Raise 10 to them first.")
    return broken(
        frame,
        like & (pl.col("date").dt.year() > LAST_SMALL_YEAR),
        "train_flop",
        f"needs FLOP, and after {LAST_SMALL_YEAR} that looks like a power of ten",
        "Raise 10 to it first, or leave it empty.",
    )


def _cautions(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the doubts about single cells, each counted."""
    import polars as pl

    def count(expression: pl.Expr) -> int:
        return frame.filter(expression).height

    said = []
    names = ", ".join(sorted(frame.filter(pl.col("model").is_duplicated())["model"].unique())[:3])
    if names:
        said.append(
            f"Names occur more than once (such as {names}): each row counts. Merge rows of one system."
        )
    if n := count(pl.col("train_flop_low") > pl.col("train_flop")):
        said.append(f"Lower bounds of compute that exceed the point: {n}. Check these rows.")
    if n := count((pl.col("train_flop") < BOUND_TOO_LOW_FLOP) & (pl.col("year") > 2012)):
        said.append(
            f"Compute after 2012 below {BOUND_TOO_LOW_FLOP:.0e} FLOP: {n}, likely a slip of the unit. Check "
            "these rows."
        )
    if n := count((pl.col("train_flop_low") < BOUND_TOO_LOW_FLOP) & (pl.col("year") > 2012)):
        said.append(
            f"Lower bounds after 2012 below {BOUND_TOO_LOW_FLOP:.0e} FLOP: {n}, likely a slip of the unit. "
            "Check these rows."
        )
    if n := count(pl.col("confidence") == "Wrong"):
        said.append(
            f"Rows whose compute the table marks as wrong: {n}, kept. drop_wrong (--drop-wrong) drops them."
        )
    first = count(pl.col("date").dt.day() == 1)
    if first > 0.05 * max(frame.height, 1):
        january = count((pl.col("date").dt.day() == 1) & (pl.col("date").dt.month() == 1))
        said.append(
            f"{first} dates are the first of a month ({january} of them 1 January): likely imputed. A slope "
            "over years hardly moves; counts by year may."
        )
    return tuple(said)


MODELS = Schema(
    name="models",
    columns=(
        Column(
            name="model",
            dtype="text",
            required=True,
            filled=True,
            aliases=("system",),
            doc="Name; may repeat.",
        ),
        Column(
            name="date",
            dtype="date",
            required=True,
            aliases=("publication_date",),
            doc="First public version; missing rows are left out of timed statistics.",
        ),
        Column(
            name="train_flop",
            dtype="number",
            unit="FLOP",
            required=True,
            rule=_FLOP,
            aliases=("training_flop", "training_compute_flop"),
            doc="Compute of the final training run; missing where unpublished.",
        ),
        Column(name="train_flop_low", dtype="number", unit="FLOP", rule=_FLOP, doc="Lower bound."),
        Column(name="train_flop_high", dtype="number", unit="FLOP", rule=_FLOP, doc="Upper bound."),
        Column(name="organisations", dtype="text", aliases=("organizations",), doc="Organisations; a list."),
        Column(name="org_types", dtype="text", doc=f"Their types, a list of {', '.join(ORG_TYPES)}."),
        Column(
            name="team_label",
            dtype="text",
            aliases=("sector", "organization_categorization"),
            doc="Coding of the team as its maker wrote it.",
        ),
        Column(
            name="sponsor_type", dtype="text", choices=("Academia", "Industry"), doc="Who paid the compute."
        ),
        Column(name="notability", dtype="text", doc="Why the system is in the table; a list, lower case."),
        Column(name="confidence", dtype="text", choices=CONFIDENCE, doc="How well the compute is known."),
        Column(name="is_self_supervised", dtype="flag", doc="Trained without labels."),
        Column(name="is_foundation", dtype="flag", doc="A foundation model."),
        Column(name="accessibility", dtype="text", doc="Who may use the weights."),
        Column(name="base_models", dtype="text", aliases=("base_model",), doc="Models it builds on; a list."),
        Column(name="domain", dtype="text", doc="Field of use; a list."),
        Column(name="task", dtype="text", doc="Tasks; a list."),
        Column(name="countries", dtype="text", aliases=("country",), doc="Countries; a list."),
        Column(name="parameters", dtype="number", unit="1", rule=POSITIVE, doc="Parameters."),
        Column(
            name="citations", dtype="number", unit="1", rule=_COUNT, doc="Citations at the time of the table."
        ),
        Column(name="hardware", dtype="text", doc="Accelerators used; a list."),
        Column(name="hardware_n", dtype="number", unit="1", rule=POSITIVE, doc="How many."),
        Column(name="cost_usd", dtype="number", unit="USD", rule=POSITIVE, doc="Cost as the source says."),
        *SOURCING,
    ),
    doc="One row is one trained system.",
    derive=_models,
)
