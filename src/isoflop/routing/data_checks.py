"""What may be wrong with joined results: each check counts what it found and says what would cure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.present import formats

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]

FEW_DATASETS, FEW_PROMPTS = 8, 50
LARGE_SHARE = 0.40
"""A dataset with a larger share of all prompts decides every average over prompts."""
LEAKED_SHARE = 0.01
NEAR_ZERO, CLEARLY_ABOVE = 0.02, 0.20
"""A mean score below the first where some other model is above the second hardly means lack of skill."""
NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of the data.

    Parameters
    ----------
    id : str
        Name for ``--fail-on``.
    what : str
        What is counted.
    found, of : int
        How many, out of how many.
    where : tuple of str
        What was found, by name.
    caution : str
        What it limits and what cures it; empty where nothing is doubtful.
    """

    id: str
    what: str
    found: int
    of: int
    where: tuple[str, ...] = ()
    caution: str = ""

    @property
    def share(self) -> float:
        """What was found over what was looked at."""
        return self.found / self.of if self.of else 0.0

    def row(self) -> dict[str, Any]:
        """Return the check as a row of a table."""
        return {
            "check": self.id,
            "what": self.what,
            "found": self.found,
            "of": self.of,
            "share": self.share,
            "where": named(self.where),
            "caution": self.caution,
        }


def named(names: Sequence[str], most: int = NAMED) -> str:
    """Return the first names and how many more there are.

    Examples
    --------
    >>> named(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    head = ", ".join(names[:most])
    return f"{head} and {len(names) - most} more" if len(names) > most else head


def data_checks(scored: ScoredPrompts) -> tuple[Check, ...]:
    """Return every check of joined results, those that found nothing included.

    Parameters
    ----------
    scored : ScoredPrompts

    Returns
    -------
    tuple of Check
    """
    accuracy = scored.accuracy
    references = _at_one_half(scored)
    return (
        _few_datasets(scored),
        _large_dataset(scored),
        _small_datasets(scored),
        _duplicates(scored),
        _leakage(scored),
        _near_zero(scored, accuracy),
        _missing_cells(scored, accuracy),
        _constant(scored, references),
        _twins(scored),
        _reference(scored, references),
        _judge(scored, references),
        _single_samples(scored),
    )


def _few_datasets(scored: ScoredPrompts) -> Check:
    count = len(scored.datasets)
    few = count < FEW_DATASETS
    return Check(
        id="few_datasets",
        what=f"fewer than {FEW_DATASETS} datasets",
        found=int(few),
        of=1,
        where=(f"{count} datasets",) if few else (),
        caution=f"{count} datasets: fewer than {FEW_DATASETS}, so what is learned of new tasks is hardly "
        "better than a guess. Add benchmarks."
        if few
        else "",
    )


def _large_dataset(scored: ScoredPrompts) -> Check:
    share = scored.sizes / max(scored.n, 1)
    large = [scored.datasets[d] for d in np.flatnonzero(share > LARGE_SHARE)] if share.size > 1 else []
    return Check(
        id="large_dataset",
        what=f"datasets with more than {formats.percent(LARGE_SHARE)} of the prompts",
        found=len(large),
        of=share.size,
        where=tuple(large),
        caution=f"{named(large)}: {formats.percent(share.max())} of all prompts, so neighbours come from "
        "there and averages over prompts speak of it. Averages over datasets do not."
        if large
        else "",
    )


def _small_datasets(scored: ScoredPrompts) -> Check:
    small = [scored.datasets[d] for d in np.flatnonzero(scored.sizes < FEW_PROMPTS)]
    return Check(
        id="small_datasets",
        what=f"datasets with fewer than {FEW_PROMPTS} prompts",
        found=len(small),
        of=len(scored.datasets),
        where=tuple(small),
        caution=f"{len(small)} of {len(scored.datasets)} datasets have fewer than {FEW_PROMPTS} prompts "
        f"({named(small)}): their mean scores are rough. More prompts cure it."
        if small
        else "",
    )


def _duplicates(scored: ScoredPrompts) -> Check:
    repeated = scored.n - np.unique(scored.group).size
    return Check(
        id="duplicates",
        what="prompts that nearly repeat another one",
        found=int(repeated),
        of=scored.n,
    )


def _leakage(scored: ScoredPrompts) -> Check:
    """Count prompts whose near-duplicate lies in another dataset."""
    pairs = np.unique(np.column_stack((scored.group, scored.dataset)), axis=0)
    homes = np.bincount(pairs[:, 0], minlength=int(scored.group.max(initial=-1)) + 1)
    leaked = homes[scored.group] > 1
    found = int(leaked.sum())
    where = [scored.datasets[d] for d in np.unique(scored.dataset[leaked])]
    return Check(
        id="leakage",
        what="prompts that occur in another dataset too",
        found=found,
        of=scored.n,
        where=tuple(where),
        caution=f"{found} prompts ({formats.percent(found / scored.n)}) occur in more than one dataset "
        f"({named(where)}): kept in the pool they hand a new task its own labels. Evaluation leaves them out "
        "unless told to keep them."
        if found > LEAKED_SHARE * scored.n
        else "",
    )


def near_zero_cells(scored: ScoredPrompts, accuracy: FloatArray) -> NDArray[np.bool_]:
    """Return where a mean score is too low for lack of skill, shape (D, M).

    A judge's preference may well be that low, so none is marked where a reference model stands at one half.
    """
    best = np.fmax.reduce(accuracy, axis=1, initial=0.0)
    judged = bool(_at_one_half(scored))
    low = (accuracy < NEAR_ZERO) & (best[:, None] >= CLEARLY_ABOVE) & (not judged)
    return np.asarray(low, dtype=np.bool_)


def _near_zero(scored: ScoredPrompts, accuracy: FloatArray) -> Check:
    cells = np.argwhere(near_zero_cells(scored, accuracy))
    where = tuple(f"{scored.models[m]} on {scored.datasets[d]} ({accuracy[d, m]:.3f})" for d, m in cells)
    return Check(
        id="near_zero",
        what=f"mean scores below {NEAR_ZERO:g} where another model has {CLEARLY_ABOVE:g} or more",
        found=len(where),
        of=int(np.isfinite(accuracy).sum()),
        where=where,
        caution=f"{len(where)} mean scores are nearly zero where another model does well, e.g. "
        f"{named(where, 2)}: answers in the wrong form, unless the model was not made for the task. Check "
        "how those answers were read."
        if where
        else "",
    )


def _missing_cells(scored: ScoredPrompts, accuracy: FloatArray) -> Check:
    cells = np.argwhere(~np.isfinite(accuracy))
    where = tuple(f"{scored.models[m]} on {scored.datasets[d]}" for d, m in cells)
    return Check(
        id="missing_cells",
        what="datasets on which a model has no usable score",
        found=len(where),
        of=accuracy.size,
        where=where,
        caution=f"{len(where)} of {accuracy.size} mean scores are missing ({named(where, 2)}): averages use "
        "those present, so models are compared on different datasets. Run them there, or leave them out."
        if where
        else "",
    )


def _constant(scored: ScoredPrompts, references: Sequence[int]) -> Check:
    low, high = (reduce.reduce(scored.score, axis=0) for reduce in (np.fmin, np.fmax))
    equal = np.setdiff1d(np.flatnonzero(low == high), references)
    same = [scored.models[m] for m in equal] if scored.n > 1 else []
    return Check(
        id="constant_models",
        what="models with the same score on every prompt",
        found=len(same),
        of=len(scored.models),
        where=tuple(same),
        caution=f"{named(same)}: the same score on every prompt, so nothing can be learned of where it is "
        "good. Check its answers, or leave it out."
        if same
        else "",
    )


def _twins(scored: ScoredPrompts) -> Check:
    first: dict[bytes, str] = {}
    where = []
    for name, column in zip(scored.models, np.ascontiguousarray(scored.score.T), strict=True):
        known = first.setdefault(column.tobytes(), name)
        if known != name:
            where.append(f"{name} = {known}")
    return Check(
        id="twin_models",
        what="models whose scores equal another model's on every prompt",
        found=len(where),
        of=len(scored.models),
        where=tuple(where),
        caution=f"{named(where)}: equal scores on every prompt; probably one model under two names, which "
        "counts twice in random choice and in ranks. Keep one."
        if where
        else "",
    )


def _at_one_half(scored: ScoredPrompts) -> tuple[int, ...]:
    """Return models at exactly one half everywhere: the reference of a judge's preferences."""
    present = np.isfinite(scored.score)
    half = np.where(present, scored.score == 0.5, True).all(axis=0) & present.any(axis=0)
    return tuple(int(m) for m in np.flatnonzero(half)) if scored.n > 1 else ()


def _reference(scored: ScoredPrompts, references: Sequence[int]) -> Check:
    where = [scored.models[m] for m in references]
    wrong = [scored.models[m] for m in references if np.nanmax(scored.correct[:, m]) > 0]
    return Check(
        id="reference_model",
        what="models at exactly 0.5 everywhere",
        found=len(where),
        of=len(scored.models),
        where=tuple(where),
        caution=f"{named(wrong)}: 0.5 everywhere, as a judge's reference model stands, yet counted as right "
        "on every prompt. Set reference_is_model, so that only a score above 0.5 is right."
        if wrong
        else "",
    )


def _judge(scored: ScoredPrompts, references: Sequence[int]) -> Check:
    frame = scored.tables[0].frame
    judged = int(frame["reference_is_model"].fill_null(False).sum())
    of = int(np.isfinite(scored.score).sum())
    judged = of if references else min(judged, of)
    return Check(
        id="judge_scores",
        what="scores that are a judge's preference",
        found=judged,
        of=of,
        caution="Scores are a judge's preference against a reference model: preference is not correctness, "
        "and judges favour length and style. Tasks with checkable answers cure it."
        if judged
        else "",
    )


def _single_samples(scored: ScoredPrompts) -> Check:
    repeats = scored.extras.get("n_samples")
    present = np.isfinite(scored.score)
    once = present if repeats is None else present & ~(repeats > 1)
    found, of = int(once.sum()), int(present.sum())
    return Check(
        id="single_samples",
        what="scores of one generation",
        found=found,
        of=of,
        caution="Scores rest on one answer a prompt, so they mix skill with the luck of a generation. Repeat "
        "generations and give n_samples."
        if found > of / 2
        else "",
    )
