"""From a table of study points to counts of errors, one series for each study.

A rate is a share of trials that went wrong. Where a paper prints no trials, a declared number stands
in; where it prints a spread over seeds or repeats that exceeds the binomial one, fewer trials count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Provenance
from isoflop.scaling.studies.likelihood import Array, Counts

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

DEFAULT_TRIALS = 50
"""Trials a point where none are printed: the middle of what robotics papers report."""
TRIALS_SET = (10, 20, 50, 100)
"""Numbers tried in their place for the sensitivity."""
OWN_STUDY = "isoflop-robotics-study"
"""``paper_id`` of the study that this project measured itself."""
FEWEST_X = 2
FACTS = (
    "paper_id", "study_id", "title", "year", "venue", "sector", "model_class", "architecture", "task",
    "task_family", "embodiment", "environment", "familiarity", "training_phase", "resource", "x_unit",
    "metric", "partial_credit", "verified",
)  # fmt: skip
"""What is the same for all points of a study."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudySample:
    """Studies with a success or error rate at two or more amounts of a resource.

    Parameters
    ----------
    table : Table
    facts : polars.DataFrame
        One row a study: `FACTS`, with ``study`` (paper/study), ``points``, ``decades`` (log10 of the
        range of x), ``trials_known``, ``row`` numbers.
    counts : Counts
        Errors and effective trials, studies in the order of `facts`.
    default_trials : int
    dropped : tuple of (rule, rows, studies)
        What was left out, by rule.
    notes : tuple of str
        Cautions of the selection, each with its cure.
    """

    table: Table
    facts: pl.DataFrame
    counts: Counts
    default_trials: int
    dropped: tuple[tuple[str, int, tuple[str, ...]], ...]
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of studies."""
        return self.facts.height

    @property
    def n_points(self) -> int:
        """Number of points of these studies."""
        return int(self.facts["points"].sum())

    @property
    def papers(self) -> tuple[str, ...]:
        """Paper of each study."""
        return tuple(self.facts["paper_id"].to_list())

    @property
    def n_papers(self) -> int:
        """Number of papers."""
        return int(self.facts["paper_id"].n_unique())

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the studies."""
        return (self.table.provenance(self.n_points),)

    def percent(self, study: int) -> tuple[Array, Array]:
        """Return x and the error in percent of one study, as printed, x rising."""
        given = self.counts.given[study]
        x = np.exp(self.counts.log_x[study][given])
        error = 100.0 * self.counts.errors[study][given] / self.counts.trials[study][given]
        return x, error

    def rows(self, which: Array | Any) -> StudySample:
        """Return the studies that a boolean array selects."""
        keep = np.asarray(which, bool)
        return StudySample(
            table=self.table,
            facts=self.facts.filter(keep),
            counts=self.counts.rows(keep),
            default_trials=self.default_trials,
            dropped=self.dropped,
            notes=self.notes,
        )

    def waterfall(self) -> list[dict[str, Any]]:
        """Return what was left out, rule by rule, as rows for the document."""
        left, rows = self.table.frame.height, []
        for rule, gone, _ in self.dropped:
            left -= gone
            rows.append({"kept": left, "unit": "rows", "rule": rule, "dropped": gone})
        return rows


def select_studies(table: Table | Any, *, default_trials: int = DEFAULT_TRIALS) -> StudySample:
    """Return the studies of a table that a law of the error rate can be fitted to.

    Parameters
    ----------
    table : Table
        Schema ``study_points``.
    default_trials : int, >= 1
        Trials a point where the paper prints none.

    Raises
    ------
    EvidenceError
        Another schema, or no study with two amounts of its resource.
    SettingError
        `default_trials` < 1.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> sample = select_studies(load("study_points"))
    >>> sample.n > 300, sample.n_papers > 15
    (True, True)
    """
    import polars as pl

    from isoflop.evidence.load import accept

    if default_trials < 1:
        raise SettingError(f"fit_studies: default_trials={default_trials}, needs at least 1. Use 50, say.")
    table = accept(table, "study_points")
    if table.schema != "study_points":
        raise EvidenceError(
            f"fit_studies: table '{table.name}' has schema {table.schema}, needs study_points. "
            "See the template: isoflop scaling lint --template."
        )
    frame, dropped = _usable(table.frame)
    frame = _with_trials(frame, default_trials).sort(["paper_id", "study_id", "x"], maintain_order=True)
    studies = frame.partition_by("study", maintain_order=True)
    if not studies:
        raise EvidenceError(
            f"fit_studies: no study of '{table.name}' has a success or error rate at {FEWEST_X} amounts of "
            "its resource, needs 1. Add points."
        )
    longest = max(part.height for part in studies)
    log_x, errors, trials = (np.zeros((len(studies), longest)) for _ in range(3))
    facts = []
    for i, part in enumerate(studies):
        n = part.height
        log_x[i, :n] = np.log(part["x"].to_numpy())
        trials[i, :n] = part["effective"].to_numpy()
        errors[i, :n] = trials[i, :n] * part["error"].to_numpy()
        facts.append(
            {name: part[name][0] for name in FACTS}
            | {
                "study": part["study"][0],
                "points": n,
                "scales": part["x"].n_unique(),
                "decades": float(part["x"].max() / part["x"].min()),  # type: ignore[operator, arg-type]
                "trials_known": bool(part["n_trials"].is_not_null().all()),
            }
        )
    described = pl.DataFrame(facts, infer_schema_length=None).with_columns(pl.col("decades").log10())
    return StudySample(
        table=table,
        facts=described,
        counts=Counts(log_x=log_x, errors=errors, trials=trials),
        default_trials=default_trials,
        dropped=dropped,
        notes=_notes(frame, described, default_trials),
    )


def _usable(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[tuple[str, int, tuple[str, ...]], ...]]:
    """Return the rows that can be used, and what was left out by rule."""
    import polars as pl

    rules = (
        ("a result of its own (not a mean of other rows of the table)", ~pl.col("is_aggregate")),
        ("a success or error rate (losses are another quantity)", pl.col("error").is_not_null()),
        ("x > 0 (a power law has no value at 0)", pl.col("x") > 0),
        (
            f"a study with {FEWEST_X} or more amounts of its resource",
            pl.col("x").n_unique().over("study") >= FEWEST_X,
        ),
    )
    dropped = []
    for rule, keep in rules:
        kept = frame.filter(keep)
        gone = sorted(set(frame["study"]) - set(kept["study"]))
        dropped.append((rule, frame.height - kept.height, tuple(gone)))
        frame = kept
    return frame, tuple(dropped)


def _with_trials(frame: pl.DataFrame, default_trials: int) -> pl.DataFrame:
    """Add the effective number of trials of each point.

    A printed standard error larger than the binomial one means that runs differ: the paper's mean
    variance ratio divides its trials, as in a beta-binomial law of equal ratio. A standard error without
    trials gives the trials whose binomial has it. Repeats at one x enter with the ratio of their spread.
    """
    import polars as pl

    p = pl.col("error").clip(0.02, 0.98)
    unit = pl.when(pl.col("y_unit") == "percent").then(100.0).otherwise(1.0)
    ratio = (pl.col("y_se") / unit).pow(2) * pl.col("n_trials") / (p * (1 - p))
    inside = pl.col("error").is_between(0.02, 0.98)
    implied = p * (1 - p) / (pl.col("y_se") / unit).pow(2)
    base = pl.coalesce(
        pl.col("n_trials"),
        pl.when(inside & (pl.col("y_se") > 0)).then(implied),
        pl.lit(float(default_trials)),
    )
    frame = frame.with_columns(base_trials=base, spread=pl.when(inside).then(ratio))
    same_x = ["study", "x"]
    many = pl.len().over(same_x) > 1
    pooled = ((pl.col("error") * pl.col("base_trials")).sum() / pl.col("base_trials").sum()).over(same_x)
    excess = pl.col("base_trials") * (pl.col("error") - pooled).pow(2) / (pooled * (1 - pooled))
    counted = many & pooled.is_between(0.02, 0.98)
    repeats = pl.when(counted).then(excess).sum().over("paper_id")
    groups = pl.when(counted).then(1.0 / pl.len().over(same_x)).sum().over("paper_id")
    freedom = pl.when(counted).then(1.0).sum().over("paper_id") - groups
    over_repeats = pl.when(freedom > 0).then(repeats / freedom)
    factor = pl.max_horizontal(pl.col("spread").mean().over("paper_id"), over_repeats, pl.lit(1.0))
    return frame.with_columns(
        effective=pl.max_horizontal(pl.col("base_trials") / factor, pl.lit(1.0)), overdispersion=factor
    )


def _notes(frame: pl.DataFrame, facts: pl.DataFrame, default_trials: int) -> tuple[str, ...]:
    """Return what limits these studies, each with what would cure it."""
    import polars as pl

    said = []
    unknown = facts.filter(~pl.col("trials_known")).height
    if unknown:
        said.append(
            f"{unknown} of {facts.height} studies print no number of trials: {default_trials} a point are "
            "assumed. Ask the authors; --trials tries another number."
        )
    credit = facts.filter(pl.col("partial_credit")).height
    if credit:
        said.append(
            f"{credit} of {facts.height} studies give partial credit: a mean score varies less than a "
            "frequency, so their binomial intervals are too wide. Success counts would cure it."
        )
    spread = frame.filter(pl.col("overdispersion") > 1.0)
    if spread.height:
        count = spread["paper_id"].n_unique()
        papers = "1 paper" if count == 1 else f"{count} papers"
        factor = float(spread["overdispersion"].max())  # type: ignore[arg-type]
        said.append(
            f"runs differ more over seeds or repeats than trials alone explain in {papers} (variance up to "
            f"{factor:.1f} times): their trials count for less. More seeds cure it."
        )
    largest = facts.group_by("paper_id").len().sort("len", "paper_id", descending=True).row(0)
    if facts["paper_id"].n_unique() > 1 and largest[1] > facts.height / 2:
        said.append(
            f"paper {largest[0]} supplies {largest[1]} of {facts.height} studies. Weights by paper keep it "
            "from deciding; more papers would cure it."
        )
    narrow = facts.filter(pl.col("decades") < 1).height
    if narrow:
        said.append(
            f"{narrow} of {facts.height} studies span less than a factor of ten of their resource: their "
            "exponents are weakly determined. Wider ranges cure it."
        )
    return tuple(said)
