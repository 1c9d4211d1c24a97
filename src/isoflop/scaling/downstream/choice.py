"""Which law, link and loss: those that predict the largest fitted sizes from the smaller ones.

The choice sees fitted runs only, so that targets stay unseen. One recipe serves all tasks and groups:
a choice for each task would follow its noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.scaling.downstream.links import LINKS, link_named
from isoflop.scaling.downstream.predict import Recipe, Route, accuracies, paths, routes_of
from isoflop.scaling.downstream.sample import Mask, Sample
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array

LAWS_TRIED = ("chinchilla", "overtrain")
CUTS = 2
"""The largest size, and the two largest, are left out in turn."""
LEAST_SIZES = 2
"""Sizes that must stay below a cut, so that the exponent of the size is still known."""
COMPUTE_CUT = 0.7
"""With fewer sizes the runs above this quantile of compute are left out instead."""
_ROUTES: tuple[Route, ...] = ("task", "val", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A recipe and its mean absolute error on fitted sizes that it had not seen; None where untested."""

    recipe: Recipe
    error: float | None


def choose(sample: Sample, *, law: str | None, link: str | None, route: Route | None) -> tuple[Scored, ...]:
    """Return the recipes that the settings leave open, best first.

    Raises
    ------
    SettingError
        An unknown law, link or route, or a route that the table does not allow.
    """
    laws = LAWS_TRIED if law is None else (_joint(law),)
    links = tuple(LINKS) if link is None else (link_named(link).name,)
    wanted = _routes(sample, route)
    single = routes_of(sample, route)
    recipes = [Recipe(law=a, link=b, route=c) for c in wanted for a in laws for b in links]
    errors: dict[Recipe, list[float]] = {recipe: [] for recipe in recipes}
    for group in sample.groups:
        rows = _rows(sample, group)
        for fitted, held in _cuts(sample, rows):
            try:
                found = paths(
                    sample,
                    fitted,
                    held,
                    laws=laws,
                    links=links,
                    routes=single,
                    weights=np.ones((1, sample.frame.height)),
                )
            except EvidenceError:  # too few runs below this cut for the law: the cut says nothing
                continue
            for recipe in recipes:
                gap = np.abs(accuracies(found, recipe)[:, 0] - sample.accuracy[:, held])
                errors[recipe].append(float(np.nanmean(gap)))
    scored = [
        Scored(recipe=recipe, error=float(np.mean(gaps)) if gaps else None) for recipe, gaps in errors.items()
    ]
    if all(one.error is None for one in scored):
        return tuple(sorted(scored, key=lambda one: one.recipe != _default(sample, law, link, route)))
    return tuple(sorted(scored, key=lambda one: np.inf if one.error is None else one.error))


def _default(sample: Sample, law: str | None, link: str | None, route: Route | None) -> Recipe:
    return Recipe(
        law=law or "chinchilla",
        link=link or "logistic",
        route=_routes(sample, route)[-1],
    )


def _joint(name: str) -> str:
    law = law_named(name)
    if law.inputs != ("params", "tokens"):
        raise SettingError(
            f"downstream: law {name!r} takes {', '.join(law.inputs)}, needs params and tokens. Use "
            "'chinchilla'."
        )
    return law.name


def _routes(sample: Sample, route: Route | None) -> tuple[Route, ...]:
    if route is not None and route not in _ROUTES:
        near = closest(str(route), _ROUTES) or "both"
        raise SettingError(f"downstream: route={route!r}, must be one of {', '.join(_ROUTES)}. Use {near!r}.")
    single = routes_of(sample, None)
    here: tuple[Route, ...] = (*single, "both") if len(single) > 1 else single
    if not here:
        raise EvidenceError(
            "downstream: no losses beside the accuracies, needs rows of kind task_loss_bpb or "
            "val_loss_nats. Add them."
        )
    if route is not None and route not in here:
        raise SettingError(f"downstream: route={route!r}, but the table allows {', '.join(here)}. Use that.")
    return here if route is None else (route,)


def _rows(sample: Sample, group: str) -> Mask:
    return np.asarray((sample.frame["group"] == group).to_numpy(), bool) & ~sample.flags("is_target")


def _cuts(sample: Sample, rows: Mask) -> Sequence[tuple[Mask, Mask]]:
    """Return the rows below and at or above each cut, among the fitted ones."""
    final = sample.flags("is_final")
    scale: Array = sample.column("params")
    sizes = np.unique(scale[rows])
    cuts = sizes[max(LEAST_SIZES, len(sizes) - CUTS) :]
    if not cuts.size:
        scale = sample.column("train_flop")
        cuts = np.quantile(scale[rows & final], [COMPUTE_CUT])
    return [(rows & (scale < cut), rows & final & (scale >= cut)) for cut in cuts]
