"""Schema ``study_points``: one row is one point of one scaling study, as its paper prints it.

Outcomes are made comparable once, here: ``success`` and ``error`` = 1 − success lie in [0, 1] for
rates in percent or as fractions, whichever direction the paper prints; a loss stays as it is
(``outcome_kind`` says which). What a study holds fixed must be fixed: resource, unit, metric and
direction may not change inside one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import raise_first
from isoflop.evidence.schema import Column, Rule, Schema
from isoflop.evidence.study_checks import cautions, problems

if TYPE_CHECKING:
    import polars as pl

RESOURCES = ("data", "model_size", "compute", "inference")
X_UNITS = (
    "demonstrations",
    "demonstrations_per_task",
    "generated_demonstrations_per_task",
    "trajectories",
    "episodes",
    "frames",
    "images",
    "tokens",
    "hours",
    "fraction",
    "percent_of_dataset",
    "pairs",
    "training_environments",
    "training_objects",
    "training_environment_object_pairs",
    "training_tasks",
    "pretraining_datasets",
    "prompt_examples",
    "parameters",
    "parameters_nominal_from_model_name",
    "encoder_parameters",
    "FLOP",
    "PF_days",
    "epochs",
    "gradient_steps",
)
FREE_METRICS = r"(?i)partial|score|progress"
"""A metric so named gives part marks, so its value is no success frequency."""
_COUNT = Rule(low=1.0, open_low=False, hint="Leave it empty if it is unknown.")
_UNREPORTED = "unreported"

_PAPER = (
    Column(name="paper_id", dtype="text", required=True, filled=True, doc="arXiv id or DOI: the cluster."),
    Column(name="title", dtype="text", doc="Title of the paper."),
    Column(name="year", dtype="number", unit="year", rule=Rule(low=1950.0, high=2100.0), doc="Year."),
    Column(name="venue", dtype="text", doc="Where it was published."),
    Column(
        name="sector",
        dtype="text",
        choices=("industry", "academia", "both", _UNREPORTED),
        doc="Sector of the authors.",
    ),
)
_STUDY = (
    Column(name="study_id", dtype="text", required=True, filled=True, doc="One curve; unique in its paper."),
    Column(
        name="model_class",
        dtype="text",
        choices=("RFM:PVR", "RFM:VLM", "RFM:VLA", "LLM", "other"),
        doc="Robot foundation model (pre-trained visual representation, vision-language or "
        "vision-language-action model), language model, or other.",
    ),
    Column(name="architecture", dtype="text", doc="Model or method."),
    Column(name="task", dtype="text", doc="Task or task set."),
    Column(
        name="task_family",
        dtype="text",
        choices=(
            "manipulation",
            "navigation_manipulation",
            "planning",
            "reasoning",
            "instruction",
            "control",
        ),
        doc="Kind of task; control is reaching and locomotion without objects.",
    ),
    Column(name="embodiment", dtype="text", doc="Robot."),
    Column(name="environment", dtype="text", choices=("real", "sim", _UNREPORTED), doc="Where tested."),
    Column(
        name="familiarity", dtype="text", choices=("seen", "unseen", _UNREPORTED), doc="Tested conditions."
    ),
    Column(
        name="training_phase",
        dtype="text",
        choices=(
            "pretraining",
            "finetuning",
            "pretraining_and_finetuning",
            "cotraining",
            "cofinetuning",
            "train_from_demonstrations",
            "none_prompted",
            _UNREPORTED,
        ),
        doc="Phase in which the resource was varied; none_prompted: the model was prompted, not trained.",
    ),
    Column(name="resource", dtype="text", required=True, filled=True, choices=RESOURCES, doc="What grows."),
    Column(
        name="x_unit",
        dtype="text",
        required=True,
        filled=True,
        choices=X_UNITS,
        doc="Unit of x; never two in one study.",
    ),
)
_POINT = (
    Column(
        name="x",
        dtype="number",
        unit="x_unit",
        required=True,
        filled=True,
        rule=Rule(low=0.0, high=1e35, open_low=False, hint="Write the amount of the resource."),
        doc="Amount of the resource.",
    ),
    Column(name="repeat", dtype="text", doc="Names repeats at one x, e.g. the seed."),
    Column(name="metric", dtype="text", required=True, filled=True, doc="Metric as the paper names it."),
    Column(name="y", dtype="number", unit="y_unit", required=True, filled=True, doc="Outcome as printed."),
    Column(
        name="y_unit",
        dtype="text",
        required=True,
        filled=True,
        choices=("percent", "fraction", "nats", "other"),
        doc="Unit of y.",
    ),
    Column(name="higher_is_better", dtype="flag", required=True, filled=True, doc="Direction of y."),
    Column(name="n_trials", dtype="number", unit="1", rule=_COUNT, doc="Trials behind y."),
    Column(
        name="n_success",
        dtype="number",
        unit="1",
        rule=Rule(low=0.0, open_low=False),
        doc="Successes among the trials; from y and n_trials where empty.",
    ),
    Column(name="n_seeds", dtype="number", unit="1", rule=_COUNT, doc="Training runs that y is the mean of."),
    Column(
        name="y_se",
        dtype="number",
        unit="y_unit",
        rule=Rule(low=0.0, hint="Leave it empty if none is printed."),
        doc="Standard error of y.",
    ),
    Column(name="partial_credit", dtype="flag", doc="y gives part marks: not a success frequency."),
    Column(
        name="is_aggregate",
        dtype="flag",
        doc="A mean over tasks that the table also lists one by one: pooled with them, it counts twice.",
    ),
    Column(
        name="source_locator", dtype="text", required=True, filled=True, doc="Table or figure in the paper."
    ),
    Column(
        name="extraction",
        dtype="text",
        required=True,
        filled=True,
        choices=("table", "text", "digitised", "author", "measured", "generated"),
        doc="How the number was taken; generated: synthetic, not measured.",
    ),
    Column(name="extractor", dtype="text", doc="Who took it."),
    Column(
        name="verified",
        dtype="text",
        choices=("read", "yes", "partly", "secondary", "no", "recalled"),
        doc="How it was checked; read and yes both mean: in the source itself.",
    ),
    Column(name="seen_in", dtype="text", doc="Text in which the figure was seen."),
    Column(name="notes", dtype="text", doc="Remarks."),
)


def identified(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with ``study``, a name that is unique over papers, and `partial_credit` filled."""
    import polars as pl

    credit = pl.col("metric").str.contains(FREE_METRICS)
    return frame.with_columns(
        study=pl.format("{}/{}", "paper_id", "study_id"),
        partial_credit=pl.col("partial_credit").fill_null(credit),
        is_aggregate=pl.col("is_aggregate").fill_null(False),
    )


def with_outcomes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with ``success``, ``error``, ``outcome_kind``, and successes where they follow."""
    import polars as pl

    share = pl.col("y") / pl.when(pl.col("y_unit") == "percent").then(100.0).otherwise(1.0)
    rate = pl.col("y_unit").is_in(("percent", "fraction"))
    success = pl.when(rate).then(pl.when("higher_is_better").then(share).otherwise(1.0 - share))
    nats = pl.col("y_unit") == "nats"
    kind = pl.when(rate).then(pl.lit("success_error")).when(nats).then(pl.lit("cross_entropy"))
    frame = frame.with_columns(
        success=success, error=1.0 - success, outcome_kind=kind.otherwise(pl.lit("other"))
    )
    counted = pl.when(~pl.col("partial_credit")).then((pl.col("n_trials") * pl.col("success")).round())
    return frame.with_columns(n_success=pl.coalesce("n_success", counted))


def _study_points(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    frame = identified(frame)
    raise_first(problems(frame), where)
    frame = with_outcomes(frame)
    return frame, cautions(frame)


STUDY_POINTS = Schema(
    name="study_points",
    columns=(*_PAPER, *_STUDY, *_POINT),
    doc="One row is one point of one scaling study.",
    derive=_study_points,
)
