"""Predict task accuracy of runs not yet made: scale to loss, loss to accuracy, draws through both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from isoflop.errors import SettingError
from isoflop.scaling.downstream.choice import choose
from isoflop.scaling.downstream.links import link_named
from isoflop.scaling.downstream.predict import (
    Path,
    Recipe,
    Route,
    accuracies,
    inputs,
    last_value,
    one_step,
    paths,
    routes_of,
)
from isoflop.scaling.downstream.result import GroupFit, TwoStepFit
from isoflop.scaling.downstream.sample import Mask, Sample, sample
from isoflop.scaling.downstream.steps import Fitted, predict_losses
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

REPS = 200
"""Draws by default: both steps are refitted for every task in each."""


def downstream(
    table: Table,
    *,
    tasks: Sequence[str] | None = None,
    link: str | None = None,
    route: Route | None = None,
    law: str | None = None,
    fit_below: float | None = None,
    val_loss: str | None = None,
    params: Literal["total", "no_embed"] | None = None,
    by: str | None = None,
    ci: Bootstrap | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> TwoStepFit:
    """Fit loss to scale and accuracy to loss, and predict the accuracy of larger runs.

    Parameters
    ----------
    table : Table
        Evidence of schema ``downstream_runs``.
    tasks : sequence of str, optional
        Default: every task with accuracies; none is dropped silently.
    link : {"logistic", "logistic_free", "exponential"}, optional
        From loss to accuracy. Law, link and route left open are those with the least error on the largest
        fitted sizes, predicted from the smaller ones.
    route : {"task", "val", "both"}, optional
        The loss in between: the task's own (bits per byte), a validation loss, or both predictions' mean.
    law : str, optional
        Key in `LAWS`, of parameters and tokens.
    fit_below : float, optional
        Runs with as many parameters or more, embeddings included (as many FLOP, above 1e15), are
        predicted, never fitted. Runs of a family named target… are never fitted either.
    val_loss : str, optional
        Name of the validation loss; default: the first with c4 in its name, else the first.
    params : {"total", "no_embed"}, optional
        Default: without embeddings where every run has that count.
    by : str, optional
        Column of groups fitted apart; default: ``dataset`` where the runs name several.
    ci : Bootstrap, optional
        Over runs, whose checkpoints stay together; default 200 draws. Intervals are of a new run: they hold
        the residuals of both steps too.

    Returns
    -------
    TwoStepFit

    Raises
    ------
    EvidenceError
        No accuracies, no losses, or too few runs for the law.
    SettingError
        A setting is unknown.

    Notes
    -----
    Step 1 sees final checkpoints only: the loss of an unfinished run depends on its schedule. Step 2 also
    sees the intermediate ones of fitted runs. Source: Bhagia et al. (2024), Gadre et al. (2024); ours: the
    choice by held-out sizes, the mean of two routes, the joint draws.
    """
    setting = ci or Bootstrap(reps=REPS)
    if setting.by not in ("row", "run_id"):
        raise SettingError(
            f"downstream: by={setting.by!r} in ci, must be 'run_id': runs are resampled. Use it."
        )
    known = sample(
        table, tasks=tasks, val_loss=val_loss, fit_below=fit_below, params=params, by=by
    )  # fmt: skip
    if progress is not None:
        progress("choice", 0.0)
    ranked = choose(known, law=law, link=link, route=route)
    if progress is not None:
        progress("choice", 1.0)
    groups, unfitted = [], []
    for i, group in enumerate(known.groups):
        if progress is not None:
            progress("fits", i / len(known.groups))
        one = _group(known, group, ranked[0].recipe, setting)
        if one is None:
            unfitted.append(group)
        else:
            groups.append(one)
    if progress is not None:
        progress("fits", 1.0)
    return TwoStepFit(
        sample=known,
        ranked=ranked,
        groups=tuple(groups),
        unfitted=tuple(unfitted),
        ci=replace(setting, by="run_id"),
        fit_below=fit_below,
    )


def _group(known: Sample, group: str, recipe: Recipe, ci: Bootstrap) -> GroupFit | None:
    """Fit one group and predict its targets; None for a group that has nothing to fit."""
    here = np.asarray((known.frame["group"] == group).to_numpy(), bool)
    target, final = known.flags("is_target"), known.flags("is_final")
    fitted, at = here & ~target, here & target & final
    if not (fitted & final).any():
        return None
    found = paths(
        known,
        fitted,
        at,
        laws=(recipe.law,),
        links=(recipe.link,),
        routes=routes_of(known, recipe.route),
        weights=_weights(known, fitted, ci),
    )
    mean = accuracies(found, recipe)
    return GroupFit(
        name=group,
        fitted=fitted,
        targets=at,
        paths={path.route: one for path, one in found.items()},
        accuracy=mean[:, 0],
        draws=np.clip(mean[:, 1:] + _residuals(known, found, fitted, mean.shape, ci), 0.0, 1.0),
        one_step=one_step(known, fitted, at, link_named(recipe.link)),
        last_value=last_value(known, fitted, at),
    )


def _weights(known: Sample, fitted: Mask, ci: Bootstrap) -> Array:
    """Return row weights, shape (1 + reps, n): ones, then counts of resampled runs."""
    names = known.frame["run_id"].to_numpy()
    runs, place = np.unique(names[fitted], return_inverse=True)
    weights = np.ones((1 + ci.reps, known.frame.height))
    counts = replace(ci, by="row").weights(len(runs)) * len(runs)
    weights[1:, fitted] = counts[:, place]
    return weights


def _residuals(
    known: Sample, found: dict[Recipe, Path], fitted: Mask, shape: tuple[int, ...], ci: Bootstrap
) -> Array:
    """Draw what a new run differs by, shape (T, reps, m): a fitted run's residuals on all tasks at once."""
    final = fitted & known.flags("is_final")
    left = np.mean([_both_steps(known, recipe, path, final) for recipe, path in found.items()], axis=0)
    spare = max(1.0 - (2 + next(iter(found.values())).linked.link.p) / final.sum(), 0.25)
    pool = np.nan_to_num(left - np.nanmean(left, axis=1, keepdims=True)) / np.sqrt(spare)
    rng = np.random.default_rng([ci.seed, 1])
    picked = rng.integers(0, pool.shape[1], size=(shape[1] - 1, shape[2]))
    return np.asarray(pool[:, picked])


def _both_steps(known: Sample, recipe: Recipe, path: Path, final: Mask) -> Array:
    """Return observed minus predicted accuracy of the fitted final runs, through both steps, (T, n)."""
    first = Fitted(theta=path.losses.theta[:, :1], certified=path.losses.certified)
    ahead = np.exp(predict_losses(law_named(recipe.law), first, inputs(known)[:, final]))
    linked = replace(path.linked, theta=path.linked.theta[:, :1])
    x = np.broadcast_to(ahead, (len(known.tasks), *ahead.shape[1:]))
    return np.asarray(known.accuracy[:, final] - linked.accuracies(x)[:, 0])
