"""Predictions of every recipe for runs that were not fitted, with one set of draws through both steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.scaling.downstream.links import Link, link_named
from isoflop.scaling.downstream.sample import Mask, Sample
from isoflop.scaling.downstream.steps import Fitted, Linked, fit_link, fit_losses, predict_losses
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array

Route = Literal["task", "val", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Law of the loss, link to the accuracy, and whose loss stands between.

    Parameters
    ----------
    law : str
        Key in `LAWS`, of parameters and tokens.
    link : str
        Key in `LINKS`.
    route : {"task", "val", "both"}
        The task's own loss, a validation loss, or the mean of both predictions.
    """

    law: str
    link: str
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """One route through both steps, for T tasks, R replicates and m targets.

    Parameters
    ----------
    losses : Fitted
        One set of parameters where all tasks share a loss.
    linked : Linked
    log_loss, accuracy : arrays, shape (1 or T, R, m) and (T, R, m)
    """

    losses: Fitted
    linked: Linked
    log_loss: Array
    accuracy: Array


def loss_of(sample: Sample, route: Literal["task", "val"]) -> Array:
    """Return the losses of a route, shape (T, n), or (1, n) where all tasks share one."""
    return sample.task_loss if route == "task" else sample.val_loss[None]


def routes_of(sample: Sample, route: Route | None) -> tuple[Literal["task", "val"], ...]:
    """Return the single routes that a choice needs, or all that the table allows."""
    here: list[Literal["task", "val"]] = []
    if sample.has_task_loss and route != "val":
        here.append("task")
    if sample.val_name is not None and route != "task":
        here.append("val")
    return tuple(here)


def inputs(sample: Sample) -> Array:
    """Return ln parameters and ln tokens, shape (2, n)."""
    return np.asarray(np.log(np.array([sample.column("params"), sample.column("tokens")])))


def paths(
    sample: Sample, fitted: Mask, at: Mask, *, laws: Sequence[str], links: Sequence[str],
    routes: Sequence[Literal["task", "val"]], weights: Array,
) -> dict[Recipe, Path]:  # fmt: skip
    """Fit every combination to the rows `fitted` and predict the rows `at`.

    Parameters
    ----------
    weights : array, shape (R, n)
        Of all rows of the sample; a run's checkpoints share its weight. The first row is all ones.
    """
    final = fitted & sample.flags("is_final")
    u = inputs(sample)
    out: dict[Recipe, Path] = {}
    for route in routes:
        loss = loss_of(sample, route)
        per_task = np.broadcast_to(loss, (len(sample.tasks), loss.shape[1]))
        linked = {
            name: fit_link(
                link_named(name), per_task[:, fitted], sample.accuracy[:, fitted], weights[:, fitted]
            )
            for name in links
        }
        for law_name in laws:
            law = law_named(law_name)
            losses = fit_losses(law, u[:, final], loss[:, final], weights[:, final])
            ahead = predict_losses(law, losses, u[:, at])
            x = np.broadcast_to(np.exp(ahead), (len(sample.tasks), *ahead.shape[1:]))
            for name, second in linked.items():
                out[Recipe(law=law_name, link=name, route=route)] = Path(
                    losses=losses, linked=second, log_loss=ahead, accuracy=second.accuracies(x)
                )
    return out


def accuracies(found: dict[Recipe, Path], recipe: Recipe) -> Array:
    """Return the predicted accuracies of a recipe, shape (T, R, m)."""
    if recipe.route != "both":
        return found[recipe].accuracy
    single = [
        found[Recipe(law=recipe.law, link=recipe.link, route=route)].accuracy for route in ("task", "val")
    ]
    return np.asarray(0.5 * (single[0] + single[1]))


def one_step(sample: Sample, fitted: Mask, at: Mask, link: Link) -> Array:
    """Return accuracies predicted from training FLOP alone, shape (T, m)."""
    final = fitted & sample.flags("is_final")
    x = np.broadcast_to(-np.log(sample.column("train_flop")), sample.accuracy.shape)
    done = fit_link(link, x[:, final], sample.accuracy[:, final], np.ones((1, int(final.sum()))))
    return done.accuracies(x[:, None, at])[:, 0]


def last_value(sample: Sample, fitted: Mask, at: Mask) -> Array:
    """Return the accuracies of the fitted final run with most compute, shape (T, m)."""
    rows = np.flatnonzero(fitted & sample.flags("is_final"))
    largest = rows[np.argmax(sample.column("train_flop")[rows])]
    return np.repeat(sample.accuracy[:, [largest]], int(at.sum()), axis=1)
