"""Does routing pay on new tasks: the section on methods compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.evaluation.methods import METHODS
from isoflop.routing.evaluation.result import noise_sentence, regime_sentence
from isoflop.routing.figures import evaluation as pictures
from isoflop.routing.figures import neighbours

if TYPE_CHECKING:
    from isoflop.routing.evaluation.result import RoutingEvaluation

COMPARED = (
    Column(name="label", label="Way of choosing"),
    Column(name="score", label="Score", format="number"),
    Column(name="gain", label="Gain, points", format="points"),
    Column(name="gain_low", label="from", format="points"),
    Column(name="gain_high", label="to", format="points"),
    Column(name="p_better", label="P(better)", format="percent"),
    Column(name="wins", label="Won", format="count"),
    Column(name="ties", label="Tied", format="count"),
    Column(name="losses", label="Lost", format="count"),
    Column(name="micro_score", label="By prompts", format="number"),
    Column(name="ratio_to_best", label="Of the best", format="percent"),
    Column(name="spearman", label="Rank corr.", format="number"),
    Column(name="same_as_best_on_average", label="As average", format="percent"),
    Column(name="mean_params", label="Parameters", format="flop"),
)
PRINTED = tuple(
    column
    for column in COMPARED
    if column.name not in ("ties", "micro_score", "ratio_to_best", "spearman", "mean_params")
)
"""What fits the width of a terminal."""
CLASSIFIERS = (
    Column(name="model", label="Model"),
    Column(name="base_rate", label="Right", format="percent"),
    Column(name="auc", label="ROC area", format="number"),
    Column(name="brier", label="Brier", format="number"),
    Column(name="base_brier", label="Brier of the rate", format="number"),
    Column(name="log_loss", label="Log loss", format="number"),
    Column(name="slope", label="Slope", format="number"),
)
LABELS = (
    Column(name="n", label="Labels", format="count"),
    Column(name="raw_score", label="Sample mean", format="number"),
    Column(name="posterior_score", label="Posterior", format="number"),
    Column(name="low", label="from", format="number"),
    Column(name="high", label="to", format="number"),
)
MANY_TASKS = 60


def evaluation_section(found: RoutingEvaluation) -> Section:
    """Return the section on how ways of choosing do on datasets left out."""
    gain = found.macro.gains[found.methods.index(found.lead)]
    label = METHODS[found.lead].label
    return Section(
        id="evaluation",
        title="Does choosing by neighbours beat one model for all?",
        prose=(
            f"Each of {len(found.scored.datasets)} datasets in turn is a new task without labels; nothing "
            f"that a method uses has seen it. The {label} reaches "
            f"**{formats.estimate(found.macro.means[found.methods.index(found.lead)])}**, best on average "
            f"{formats.number(found.macro.means[found.base].value or 0)}: a gain of "
            f"**{formats.estimate(gain)}**; {noise_sentence(gain)} Differences of one or two points over a "
            "few dozen tasks lie within noise: an answer without its interval is none.",
            regime_sentence(found) + f" Prompts were placed by {found.encoder}; {_leakage(found)}",
            _levels(found),
            "{figure:routing-comparison}",
            "{figure:routing-tasks}",
            "{figure:routing-scores}",
            "{figure:routing-picks}",
            "The method reduces choosing to one question a model: will it answer this prompt rightly? "
            + _reduction(found),
            "{figure:routing-reliability}",
            "{figure:routing-distance}",
            "{figure:routing-neighbours}",
        ),
        figures=evaluation_figures(found),
        tables=(
            Table(
                id="routing-methods",
                title="Ways of choosing compared",
                columns=COMPARED,
                rows=tuple(found.rows()),
                note=f"Means over datasets; gains over best on average with paired "
                f"{formats.percent(found.level)} intervals from {formats.count(found.reps)} resamples of "
                "datasets. Bounds know the labels and are no methods.",
            ),
            Table(
                id="routing-classifiers",
                title="Predictors of correctness, one a model",
                columns=CLASSIFIERS,
                rows=tuple(found.classifiers.rows()),
                note="Votes of the nearest prompts of other datasets. A Brier score above that of the base "
                "rate tells less than the rate does.",
            ),
        ),
    )


def _leakage(found: RoutingEvaluation) -> str:
    if found.settings.leakage == "keep":
        return "copies of a task's prompts in other datasets stay in the pool, as in the paper."
    copies = int(found.leaked.sum())
    if not copies:
        return "no prompt of one dataset is a copy of another's."
    return f"{formats.count(copies)} copies of a task's prompts in other datasets left the pool."


def _levels(found: RoutingEvaluation) -> str:
    """Return how far the level of a score is from the truth, beside how far its order is."""
    k = found.methods.index(found.lead)
    score, truth = found.outcomes.score[k], found.scores.accuracy
    level = float(np.nanmean(np.abs(np.nanmean(score, axis=1) - np.nanmean(truth, axis=1))))
    centred = (score - np.nanmean(score, axis=1, keepdims=True)) - (
        truth - np.nanmean(truth, axis=1, keepdims=True)
    )
    return (
        "How hard a new task is can hardly be told from its prompts: the mean score of the models is missed "
        f"by {formats.number(level)} on average, differences between models by "
        f"{formats.number(float(np.nanmean(np.abs(centred))))}. So read the gain over best on average first "
        "and the level second."
    )


def _reduction(found: RoutingEvaluation) -> str:
    judged = found.classifiers
    useful = int(np.sum(judged.brier < judged.base_brier))
    return (
        f"On datasets left out the votes have a median ROC area of "
        f"{formats.number(float(np.nanmedian(judged.auc)))}, and beat the base rate's Brier score for "
        f"{useful} of {len(judged.models)} models."
    )


def evaluation_figures(found: RoutingEvaluation) -> tuple[Figure, ...]:
    """Return the pictures of the comparison; those with a row a dataset only where they can be read."""
    few = len(found.scored.datasets) <= MANY_TASKS
    by_task = (_tasks(found),) if few else ()
    by_pair = (_shares(found),) if few else ()
    return (
        _comparison(found),
        *by_task,
        _scores(found),
        _picks(found),
        _reliability(found),
        _distance(found),
        *by_pair,
    )


def _comparison(found: RoutingEvaluation) -> Figure:
    gain = found.macro.gains[found.methods.index(found.lead)]
    return Figure(
        id="routing-comparison",
        title=f"{METHODS[found.lead].label.capitalize()} less best on average: {formats.estimate(gain)}",
        subtitle="Mean difference over datasets, score points",
        frame=pictures.comparison_data(found),
        chart=lambda: pictures.comparison(found),
        alt="A dot a way of choosing with its paired interval; the line at zero is best on average.",
        source=found.scored.tables[0].name,
        n=len(found.scored.datasets),
        interval=f"Paired {formats.percent(found.level)} intervals over datasets",
    )


def _tasks(found: RoutingEvaluation) -> Figure:
    k = found.methods.index(found.lead)
    return Figure(
        id="routing-tasks",
        title=f"Better on {found.macro.wins[k]}, worse on {found.macro.losses[k]} of "
        f"{len(found.scored.datasets)} tasks",
        subtitle="Mean score on each task: best on average, chosen, and the best model of the task",
        frame=pictures.tasks_data(found),
        chart=lambda: pictures.tasks(found),
        alt="A line a task with three marks, tasks with the largest gain first.",
        source=found.scored.tables[0].name,
        n=len(found.scored.datasets),
        interval="No interval a task: that of the gain is over tasks",
    )


def _scores(found: RoutingEvaluation) -> Figure:
    return Figure(
        id="routing-scores",
        title="What was expected of each model on each task, and what it did",
        subtitle=f"{METHODS[found.lead].label.capitalize()} against true mean score, a dot a task and model",
        frame=pictures.scores_data(found),
        chart=lambda: pictures.scores(found),
        alt="Dots of tasks and models; the chosen ones are coloured, the diagonal is dashed.",
        source=found.scored.tables[0].name,
        n=int(np.isfinite(found.scores.accuracy).sum()),
        interval="No interval: every point is shown",
    )


def _picks(found: RoutingEvaluation) -> Figure:
    return Figure(
        id="routing-picks",
        title="Which models are chosen, and which are best",
        subtitle="Share of tasks",
        frame=pictures.picks_data(found),
        chart=lambda: pictures.picks(found),
        alt="Two bars a model: how often it is chosen, and how often it is the best of a task.",
        source=found.scored.tables[0].name,
        n=len(found.scored.datasets),
        interval="Counts: no interval",
    )


def _reliability(found: RoutingEvaluation) -> Figure:
    return Figure(
        id="routing-reliability",
        title="How far the neighbours' votes can be believed",
        subtitle="Share of right answers against the mean vote of the nearest prompts of other datasets",
        frame=pictures.reliability_data(found),
        chart=lambda: pictures.reliability(found),
        alt="A dot a bin of votes with quartiles over models; on the dashed diagonal votes would be chances.",
        source=found.scored.tables[0].name,
        n=int(found.classifiers.n.sum()),
        interval="Bars: quartiles over models",
    )


def _distance(found: RoutingEvaluation) -> Figure:
    error = formats.number(float(found.p_hat_error.mean()))
    return Figure(
        id="routing-distance",
        title=f"Guessed accuracy of the predictors is off by {error} on average",
        subtitle="Share of right predictions (dots: median model; diamonds: guessed) against distance",
        frame=neighbours.distance_data(found),
        chart=lambda: neighbours.distance(found),
        alt="A dot and a diamond a dataset, by distance to the nearest prompts of other datasets.",
        source=found.scored.tables[0].name,
        n=len(found.scored.datasets),
        interval="Bars: quartiles over models",
    )


def _shares(found: RoutingEvaluation) -> Figure:
    return Figure(
        id="routing-neighbours",
        title="Which datasets surround which",
        subtitle="Share of each dataset (columns) among the 50 nearest prompts of each dataset (rows)",
        frame=neighbours.shares_data(found),
        chart=lambda: neighbours.shares(found),
        alt="A map with a row and a column a dataset; darker cells hold more of the neighbours.",
        source=found.scored.tables[0].name,
        n=found.scored.n,
        interval="Shares of neighbours: no interval",
    )
