"""Sections on task accuracy: of one's own larger runs, and of public models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.downstream.find import REPS, downstream
from isoflop.scaling.figures import downstream as pictures
from isoflop.scaling.observational.find import REPS as OBSERVE_REPS
from isoflop.scaling.observational.find import observe
from isoflop.scaling.observational.result import METHODS

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.scaling.downstream.result import TwoStepFit
    from isoflop.scaling.observational.result import ObservationalFit

RUN_TABLES = {"olmo_ladder": None, "openlm": 1e9}
"""Public tables and the size from which their runs are predicted; None where the table says so itself."""
SCORE_TABLES = {"obsscaling": "MMLU", "sloth": "MMLU"}
"""Public tables and the benchmark that is predicted; the first at hand is shown."""

TASK_COLUMNS = (
    Column(name="task", label="task"),
    Column(name="mean_abs_error", label="error", format="number"),
    Column(name="bias", label="bias", format="number"),
    Column(name="one_step_abs_error", label="from compute alone", format="number"),
    Column(name="last_value_abs_error", label="largest fitted run", format="number"),
    Column(name="loss_abs_relative_error", label="loss, relative", format="percent"),
    Column(name="residual_sd", label="scatter of step 2", format="number"),
    Column(name="above_chance", label="above chance"),
)
MEAN_COLUMNS = (
    Column(name="run", label="run"),
    Column(name="predicted", label="predicted", format="number"),
    Column(name="low", label="from", format="number"),
    Column(name="high", label="to", format="number"),
    Column(name="observed", label="came", format="number"),
    Column(name="relative_error", label="error rate, relative", format="percent"),
    Column(name="last_value", label="largest fitted run", format="number"),
)
ERROR_COLUMNS = (
    Column(name="knows", label="predicted from"),
    Column(name="mean_abs_error", label="mean absolute error", format="number"),
    Column(name="worst", label="worst", format="number"),
    Column(name="models", label="models", format="count"),
)
HELD_OUT_COLUMNS = (
    Column(name="model", label="model"),
    Column(name="observed", label="observed", format="number"),
    Column(name="observational", label="from other scores", format="number"),
    Column(name="low", label="from", format="number"),
    Column(name="high", label="to", format="number"),
    Column(name="compute", label="from compute", format="number"),
    Column(name="equivalent_flop", label="equivalent compute", format="flop"),
)


def downstream_of(
    library: Library, *, seed: int, draws: int = REPS, progress: Callable[[str, float], None] | None = None
) -> tuple[TwoStepFit, ...]:
    """Return the two-step fits that this evidence allows; none where it holds no such table."""
    from isoflop.stats.resample import Bootstrap

    here = library.available()
    return tuple(
        downstream(
            library.table(name),
            fit_below=bound,
            ci=Bootstrap(reps=draws, by="run_id", seed=seed),
            progress=progress,
        )
        for name, bound in RUN_TABLES.items()
        if name in here
    )


def observed_of(
    library: Library,
    *,
    seed: int,
    draws: int = OBSERVE_REPS,
    progress: Callable[[str, float], None] | None = None,
) -> ObservationalFit | None:
    """Return the observational law that this evidence allows, or None."""
    from isoflop.stats.resample import Bootstrap

    here = library.available()
    for name, target in SCORE_TABLES.items():
        if name in here:
            return observe(
                library.table(name),
                target=target,
                ci=Bootstrap(reps=draws, by="family", seed=seed),
                progress=progress,
            )
    return None


def needs_table_section() -> Section:
    """Return the section that says which tables task accuracy needs, where nobody gave them."""
    return Section(
        id="downstream",
        title="Task accuracy: needs a table nobody gave",
        prose=(
            "Laws of task accuracy need runs with losses and accuracies (schema downstream_runs), or "
            "scores of many public models with what they cost to train (schema model_scores with "
            "train_flop). Neither ships with isoflop: the published scores that do carry no training "
            "compute. `isoflop data list` names the public ones; `isoflop scaling downstream FILE` and "
            "`isoflop scaling observe FILE` take yours.",
        ),
    )


def downstream_section(found: TwoStepFit) -> Section:
    """Return the section on one table of runs: predictions, errors by task, and what chose the recipe."""
    key = f"downstream-{_slug(found.sample.table.name)}"
    source, n = found.sample.table.name, found.n
    by_id = {finding.id: finding for finding in found.findings()}
    error = by_id.get("scaling.downstream_error.mean_abs")
    figures = [
        Figure(
            id=f"{key}-steps",
            title="Loss follows scale, accuracy follows loss",
            subtitle="Above: loss of final runs by compute, crosses are the law; below: accuracy by loss. "
            "Open circles were predicted, not fitted",
            frame=pictures.two_steps_data(found),
            chart=lambda: pictures.two_steps(found),
            alt="Three tasks in two rows of panels: points of runs with the fitted curves.",
            source=source,
            n=n,
            interval="Not drawn here: the next picture has the intervals of predictions",
        )
    ]
    if found.n_targets:
        figures.append(
            Figure(
                id=f"{key}-accuracies",
                title="Predicted accuracy of the largest run, and what came",
                subtitle="Dot and rule: prediction and interval; diamond: observed; tick: largest fitted run",
                frame=pictures.accuracies_data(found),
                chart=lambda: pictures.accuracies(found),
                alt="One row a task.",
                source=source,
                n=n,
                interval=f"{formats.percent(found.ci.level)} intervals of a new run, {found.ci.reps} draws",
            )
        )
    tables = [
        Table(id=f"{key}-tasks", title="By task", columns=TASK_COLUMNS, rows=tuple(found.task_rows())),
        Table(
            id=f"{key}-recipes",
            title="Recipes by their error on fitted sizes left out",
            columns=(
                Column(name="law", label="law"),
                Column(name="link", label="link"),
                Column(name="route", label="through"),
                Column(name="held_out_error", label="error", format="number"),
            ),
            rows=tuple(found.ranked_rows()),
        ),
    ]
    if found.n_targets:
        means = tuple(found.mean_rows)
        tables.insert(0, Table(id=f"{key}-mean", title="Mean over tasks", columns=MEAN_COLUMNS, rows=means))
    return Section(
        id=key,
        title=_title(found),
        prose=(
            f"{found.n} final runs of `{source}` are fitted and {found.n_targets} larger ones predicted on "
            f"{len(found.sample.tasks)} tasks; {found.method}.",
            *(() if error is None or error.estimate.value is None else (_judged(found),)),
        ),
        figures=tuple(figures),
        tables=tuple(tables),
        cautions=found.cautions,
    )


def _title(found: TwoStepFit) -> str:
    error = next((f for f in found.findings() if f.id == "scaling.downstream_error.mean_abs"), None)
    if error is None or error.estimate.value is None:
        return "Task accuracy through the loss"
    return f"Task accuracy of larger runs: {100 * error.estimate.value:.1f} points off on average"


def _judged(found: TwoStepFit) -> str:
    by_id = {finding.id: finding for finding in found.findings()}
    error = by_id["scaling.downstream_error.mean_abs"]
    worst = by_id["scaling.downstream_error.worst"]
    said = (
        f"Predictions are off by {formats.estimate(error.estimate)} in accuracy on average, "
        f"{formats.number(worst.estimate.value or 0.0)} on the worst task ({worst.details['task']}). From "
        f"compute alone they would be off by {formats.number(error.details['one_step_mean_abs'])}; taking "
        f"the largest fitted run, by {formats.number(error.details['last_value_mean_abs'])}."
    )
    if found.coverage is not None:
        level, covered = formats.percent(found.ci.level), formats.percent(found.coverage)
        said += f" The {level} intervals hold {covered} of what came."
    return said


def observe_section(found: ObservationalFit) -> Section:
    """Return the section on public models: held-out errors, loadings, equivalent compute."""
    key = f"observe-{_slug(found.scores.table.name)}"
    target, source = found.scores.target, found.scores.table.name
    rows = {row["method"]: row for row in found.error_rows()}
    here, alone = rows["observational"]["mean_abs_error"], rows["compute"]["mean_abs_error"]
    n = sum(len(one.models) for one in found.predictions)
    interval = (
        "Intervals of each model are in the table"
        if found.coverage is not None
        else "No interval: each family was held out once"
    )
    figures = [
        Figure(
            id=f"{key}-held-out",
            title=f"{target} of held-out models",
            subtitle="Predicted against observed score; on the dashed line they agree",
            frame=pictures.held_out_data(found),
            chart=lambda: pictures.held_out(found),
            alt="Two clouds of points about the diagonal.",
            source=source,
            n=n,
            interval=interval,
        ),
        Figure(
            id=f"{key}-loadings",
            title="What the components of capability are made of",
            subtitle="Loading of each benchmark on each principal component of standardised scores",
            frame=pictures.loadings_data(found),
            chart=lambda: pictures.loadings(found),
            alt="A grid of benchmarks by components; the first component loads on all.",
            source=source,
            n=found.n,
            interval="No interval: loadings of one fit; shares of the variance in brackets",
        ),
    ]
    equal = pictures.equivalent_data(found)
    if equal.height:
        figures.append(
            Figure(
                id=f"{key}-equivalent",
                title=f"Compute that {found.reference} would need for the same capability",
                subtitle="First component of capability; above the dashed line a model makes more of compute",
                frame=equal,
                chart=lambda: pictures.equivalent(found),
                alt="Points about the line of equal compute.",
                source=source,
                n=equal.height,
                interval="No interval: the reference family's line rests on few models",
            )
        )
    beside = "" if here is None or alone is None else (
        f" From their other scores, {target} of held-out models is off by {formats.number(here)} on average; "
        f"from compute alone by {formats.number(alone)}."
    )  # fmt: skip
    return Section(
        id=key,
        title=f"Public models: {target} from what other scores show",
        prose=(f"{found.n} models of `{source}`; {found.method}.{beside}",),
        figures=tuple(figures),
        tables=(
            Table(
                id=f"{key}-errors",
                title="Error on held-out models, by what is known of them",
                columns=ERROR_COLUMNS,
                rows=tuple(found.error_rows()),
                note=f"{len(METHODS)} predictions side by side; nothing of a held-out model enters a fit.",
            ),
            Table(
                id=f"{key}-models", title="Held-out models", columns=HELD_OUT_COLUMNS, rows=tuple(found.rows)
            ),
        ),
        cautions=found.cautions,
    )


def _slug(name: str) -> str:
    kept = "".join(ch if ch.isalnum() else "-" for ch in name.lower())
    return "-".join(part for part in kept.split("-") if part) or "table"
