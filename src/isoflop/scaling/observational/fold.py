"""One fold: everything is fitted to the training models, and the held-out ones are predicted.

Three predictions stand side by side. *Observational*: from the components that a model's other scores
show. *Compute*: from ln C alone, the baseline. *Sloth*: before any score is known, from the family's own
intercept and shared slopes in ln N, ln D and their product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.scaling.model import Array
from isoflop.scaling.observational.bounded import PULL, Bounded, fit_bounded
from isoflop.scaling.observational.components import Components, fit_components
from isoflop.scaling.observational.families import FamilyLines, fit_families
from isoflop.scaling.observational.sample import Mask, Scores

FAMILY_PULL = 0.003
"""Ridge on the deviation of a family's intercept, in squared score per row: a family of one model
keeps about half of its own deviation on tables of a hundred models."""
LEAST = 3
FEW_FOR_SLOTH = 12
FARTHEST_DECADES = 3.0
"""An equivalent compute farther than this from every training model is no statement."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """Fits to the training models.

    Parameters
    ----------
    components : Components
    target : Bounded
        The target's score of [1, S standardised].
    spread : array, shape (K,)
        Standard deviations of the training components.
    lines : tuple of FamilyLines
        One a component.
    compute : Bounded
        Of [1, ln C standardised].
    middle, width, least, most : float
        Of the training models' ln C: mean, standard deviation, range.
    sloth : Sloth or None
        None where parameters or tokens are missing.
    """

    components: Components
    target: Bounded
    spread: Array
    lines: tuple[FamilyLines, ...]
    compute: Bounded
    middle: float
    width: float
    least: float
    most: float
    sloth: Sloth | None

    def observational(self, scores: Scores) -> Array:
        """Return predictions from the other scores, shape (n,)."""
        return self.target.predict(_design(self.components.project(scores.scores) / self.spread))

    def from_compute(self, scores: Scores) -> Array:
        """Return predictions from compute alone, shape (n,)."""
        return self.compute.predict(_design(((np.log(scores.flop) - self.middle) / self.width)[:, None]))

    def from_lines(self, scores: Scores) -> Array:
        """Return predictions from compute and family: the family's lines give S, else the common ones."""
        log_flop = np.log(scores.flop)
        s = np.column_stack([_along(line, log_flop, scores.families) for line in self.lines])
        return self.target.predict(_design(s / self.spread))

    def capability(self, scores: Scores) -> Array:
        """Return the first component, general capability, shape (n,)."""
        return self.components.project(scores.scores)[:, 0]

    def equivalent_flop(self, scores: Scores, reference: str) -> Array:
        """Return the compute at which the reference family is as capable, shape (n,).

        NaN where the family is unknown, its capability does not rise with compute, or the answer lies more
        than three decades from any training model.
        """
        line = self.lines[0]
        if reference not in line.names:
            return np.full(scores.n, np.nan)
        place = line.names.index(reference)
        slope, level = float(line.slope[place]), float(line.intercept[place])
        if slope <= 0:
            return np.full(scores.n, np.nan)
        log_flop = line.middle + (self.capability(scores) - level) / slope
        reach = FARTHEST_DECADES * np.log(10)
        near = (log_flop > self.least - reach) & (log_flop < self.most + reach)
        return np.asarray(np.exp(np.where(near, log_flop, np.nan)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sloth:
    """Family intercepts with shared slopes; ``families`` in the order of the dummy columns."""

    families: tuple[str, ...]
    middle: Array
    width: Array
    curve: Bounded

    def predict(self, scores: Scores) -> Array:
        """Return predictions, shape (n,), NaN where parameters or tokens are unknown."""
        design = _sloth_design(scores, self.families, self.middle, self.width)
        return np.where(np.isfinite(design).all(axis=1), self.curve.predict(np.nan_to_num(design)), np.nan)


def fit_fold(scores: Scores, test: Mask, *, components: int, weights: Array | None = None) -> Fold:
    """Fit everything to the models that are not held out.

    Parameters
    ----------
    test : bool array, shape (n,)
        Held out; nothing of them is read.
    weights : int array, shape (n,), optional
        How often each training model counts, in a replicate.

    Raises
    ------
    EvidenceError
        Too few training models or benchmarks.
    """
    counts = np.ones(scores.n, int) if weights is None else np.asarray(weights, int)
    train = scores.only(~test)
    rows = np.repeat(np.arange(train.n), counts[~test])
    found = fit_components(train.scores[rows], components)
    s = found.project(train.scores)
    used = train.usable
    count = counts[~test][used].astype(float)
    if (count > 0).sum() < components + LEAST:
        raise EvidenceError(
            f"observe: {int((count > 0).sum())} training models have the target and compute, needs at least "
            f"{components + LEAST}. Lower the number of components."
        )
    spread = np.maximum(s[used].std(axis=0), 1e-9)
    log_flop = np.log(train.flop[used])
    middle, width = float(log_flop.mean()), float(max(log_flop.std(), 1e-9))
    families = [name for name, keep in zip(train.families, used, strict=True) if keep]
    outcome = train.outcome[used]
    return Fold(
        components=found,
        target=fit_bounded(_design(s[used] / spread), outcome, chance=scores.chance, weights=count),
        spread=spread,
        lines=tuple(fit_families(s[used][:, k], log_flop, families) for k in range(components)),
        compute=fit_bounded(
            _design(((log_flop - middle) / width)[:, None]), outcome, chance=scores.chance, weights=count
        ),
        middle=middle,
        width=width,
        least=float(log_flop.min()),
        most=float(log_flop.max()),
        sloth=_fit_sloth(train.only(used), count, scores.chance),
    )


def _design(columns: Array) -> Array:
    return np.column_stack([np.ones(len(columns)), columns])


def _along(line: FamilyLines, log_flop: Array, families: tuple[str, ...]) -> Array:
    place = {name: i for i, name in enumerate(line.names)}
    known = np.array([place.get(name, -1) for name in families])
    slope = np.where(known >= 0, line.slope[known], line.common)
    level = np.where(known >= 0, line.intercept[known], line.intercept.mean())
    return np.asarray(level + slope * (log_flop - line.middle))


def _fit_sloth(train: Scores, weights: Array, chance: float | None) -> Sloth | None:
    size = np.column_stack([np.log(train.params), np.log(train.tokens)])
    known = np.isfinite(size).all(axis=1) & (weights > 0)
    if known.sum() < FEW_FOR_SLOTH:
        return None
    train = train.only(known)
    middle, width = size[known].mean(axis=0), np.maximum(size[known].std(axis=0), 1e-9)
    families = tuple(dict.fromkeys(train.families))
    design = _sloth_design(train, families, middle, width)
    pull = np.concatenate([[0.0], np.full(3, PULL), np.full(len(families), FAMILY_PULL)])
    curve = fit_bounded(design, train.outcome, chance=chance, weights=weights[known], pull=pull)
    return Sloth(families=families, middle=middle, width=width, curve=curve)


def _sloth_design(scores: Scores, families: tuple[str, ...], middle: Array, width: Array) -> Array:
    """Return [1, ln N, ln D, their product, a column a family]; unknown families have zeros in these."""
    size = (np.column_stack([np.log(scores.params), np.log(scores.tokens)]) - middle) / width
    own = np.array([[float(name == family) for family in families] for name in scores.families])
    return np.column_stack([np.ones(scores.n), size, size[:, 0] * size[:, 1], own])
