"""How far off are two-step predictions on the public tables, at every cut? Bars of the specification.

OpenLM: the four smaller sizes (95 runs) predict the five runs of 1.44B parameters, and every lower cut in
size and in over-training; bars 1 % on the loss and 5 % on the mean top-1 error. Ladder: runs up to 3B
predict the final 7B and 13B; bar 2.5 points of accuracy, by set of tasks. Needs the public tables.
``python -m validation.downstream_bars`` takes about a minute.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from isoflop.errors import IsoflopError
from isoflop.evidence import Library, Table, load, locate
from isoflop.scaling.downstream.find import downstream
from isoflop.scaling.downstream.result import TwoStepFit
from isoflop.stats.resample import Bootstrap

LOSS_BAR, ERROR_BAR, LADDER_BAR = 0.01, 0.05, 0.025
POINT = Bootstrap(reps=1)
DRAWS = Bootstrap(reps=200)
PREDICTABLE = ("mmlu", "hellaswag", "piqa", "arc_easy")
"""The four tasks that Bhagia et al. (2024) single out in their abstract."""
OTHERS_OF_EIGHT = ("arc_challenge", "csqa", "socialiqa", "openbookqa")


def value(found: TwoStepFit, name: str) -> float:
    """Return the value of a finding of downstream errors, NaN where there is none."""
    for finding in found.findings():
        if finding.id == f"scaling.downstream_error.{name}" and finding.estimate.value is not None:
            return finding.estimate.value
    return float("nan")


def below(table: Table, size: float, multiple: float, count: float) -> Table:
    """Return the table where runs of the predicted size `count` stay and others obey both bounds."""
    kept = pl.col("params") == count
    small = (pl.col("params") < size) & (pl.col("tokens") <= 20 * multiple * pl.col("params") * 1.01)
    frame = table.frame.filter(kept | small)
    columns = ["run_id", "source", "family", "dataset", "params", "params_no_embed", "tokens", "is_final"]
    return load(frame.select(*columns, "task", "kind", "value"), schema="downstream_runs")


def openlm(library: Library) -> None:
    """Print errors on OpenLM: the bar, then every cut."""
    table = library.table("openlm")
    for law in (None, "overtrain", "chinchilla"):
        found = downstream(table, fit_below=1e9, law=law, ci=POINT)
        loss, error = value(found, "loss_relative"), value(found, "mean_relative")
        print(
            f"  {found.n} runs -> {found.n_targets}, law {found.recipe.law} ({law or 'chosen'}), link "
            f"{found.recipe.link}: loss {100 * loss:.2f} % (bar 1), mean top-1 error {100 * error:.2f} % "
            f"(bar 5): {'holds' if loss <= LOSS_BAR and error <= ERROR_BAR else 'misses'}"
        )
    sizes = sorted(table.frame["params"].unique())
    print("  every cut: sizes fitted, largest multiple of 20 tokens a parameter, predicted size")
    for k in (2, 3, 4):
        for multiple in (4.0, 8.0, 32.0):
            for target in sizes[k:]:
                _cut(table, sizes, k, multiple, target)


def _cut(table: Table, sizes: list[float], k: int, multiple: float, target: float) -> None:
    try:
        part = below(table, sizes[k], multiple, target)
        found = downstream(part, fit_below=target * 0.999, params="no_embed", ci=POINT)
    except IsoflopError as error:
        print(f"  {k} sizes, <= {multiple:g}x -> {target:.3g}: refused ({str(error)[:60]})")
        return
    print(
        f"  {k} sizes, <= {multiple:g}x -> {target:.3g}: {found.n} runs -> {found.n_targets}, "
        f"{found.recipe.law}, {found.recipe.link}: loss {100 * value(found, 'loss_relative'):.2f} %, "
        f"mean top-1 error {100 * value(found, 'mean_relative'):.2f} %"
    )


def ladder(library: Library) -> None:
    """Print errors on the ladder by set of tasks, and by recipe."""
    table = library.table("olmo_ladder")
    found = downstream(table, ci=DRAWS)
    rows = found.task_rows()

    def mean(starts: tuple[str, ...], split: str) -> tuple[float, int]:
        here = [row for row in rows if row["task"].startswith(starts)]
        if split:
            here = [row for row in here if f"({split})" in row["task"] or "(" not in row["task"]]
        return float(np.mean([row["mean_abs_error"] for row in here])), len(here)

    sets = {
        "all tasks and splits": ("",),
        "the paper's four": PREDICTABLE,
        "the paper's other four": OTHERS_OF_EIGHT,
        "the paper's eight": PREDICTABLE + OTHERS_OF_EIGHT,
    }
    used = found.recipe
    print(f"  recipe {used.law}, {used.link}, {used.route}; coverage {found.coverage:.2f}")
    for name, starts in sets.items():
        for split in ("", "val", "test"):
            error, count = mean(starts, split)
            verdict = "holds" if error <= LADDER_BAR else "misses"
            which = f", {split} split where there are two" if split else ""
            print(f"  {name}{which}: {100 * error:.2f} points on {count} (bar 2.5): {verdict}")
    for finding in found.findings():
        if finding.id.endswith("mean_abs"):
            print(
                f"  from compute alone {100 * finding.details['one_step_mean_abs']:.2f}, largest fitted run "
                f"{100 * finding.details['last_value_mean_abs']:.2f}"
            )
    for route in ("task", "val", "both"):
        for link in ("logistic", "logistic_free", "exponential"):
            other = downstream(table, route=route, link=link, ci=POINT)
            held = value(other, "held_out_sizes")
            print(
                f"  route {route}, link {link}: held-out sizes {100 * held:.2f}, targets "
                f"{100 * value(other, 'mean_abs'):.2f}"
            )


def study() -> None:
    """Print every bar with what was measured; the public tables are needed."""
    library = locate()
    here = library.available()
    for name, run in (("openlm", openlm), ("olmo_ladder", ladder)):
        print(f"## {name}")
        if name in here:
            run(library)
        else:
            print("  not measured: the table is not here. Set ISOFLOP_EVIDENCE, or pull it.")


if __name__ == "__main__":
    study()
