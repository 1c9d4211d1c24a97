"""What public benchmark scores say about a target: capability first, compute second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.scaling.model import Array
from isoflop.scaling.observational.components import MOST
from isoflop.scaling.observational.fold import Fold, fit_fold
from isoflop.scaling.observational.result import ObservationalFit, Prediction
from isoflop.scaling.observational.sample import Mask, Scores, arrange, held_out_above
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

Holdout = Literal["compute", "family"]
CUTOFF = 0.7
REFERENCE = "Llama-2"
REPS = 100


def observe(
    scores: Table,
    *,
    target: str,
    components: int = MOST,
    cutoff: float = CUTOFF,
    holdout: Holdout = "compute",
    benchmarks: Sequence[str] | None = None,
    reference: str = REFERENCE,
    ci: Bootstrap | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> ObservationalFit:
    """Predict a benchmark from the capability that a model's other scores show.

    Parameters
    ----------
    scores : Table
        Evidence of schema ``model_scores``.
    target : str
        Benchmark to predict.
    components : int, 1 to 3
        Principal components of the other scores; never chosen on the models that are scored.
    cutoff : float
        Models with as much training compute or more are held out: a quantile below 1, else FLOP.
    holdout : {"compute", "family"}
        Hold out what lies above the cutoff, or each family in turn.
    benchmarks : sequence of str, optional
        What shapes the components; default: every other benchmark that three quarters of the models took.
    reference : str
        Family whose compute is the measure of equivalent compute; case does not matter.
    ci : Bootstrap, optional
        Over families of training models; default 100 draws. Intervals are of a new score.

    Returns
    -------
    ObservationalFit

    Raises
    ------
    SettingError
        An unknown benchmark, or a cutoff that leaves nothing.
    EvidenceError
        Too few models.

    Notes
    -----
    Source: Ruan et al. (2024), arXiv 2405.10938; ours: slopes of families partly pooled, gaps of held-out
    models filled by training components. The Sloth prediction follows Maia Polo et al. (2024), arXiv
    2412.06540, for one benchmark at a time.
    """
    if components not in range(1, MOST + 1):
        raise SettingError(f"observe: components={components}, must be 1, 2 or 3. Use {MOST}.")
    if holdout not in ("compute", "family"):
        raise SettingError(f"observe: holdout={holdout!r}, must be 'compute' or 'family'.")
    known = arrange(scores, target=target, benchmarks=None if benchmarks is None else tuple(benchmarks))
    setting = ci or Bootstrap(reps=REPS, by="family")
    bar: float | None = None
    if holdout == "compute":
        test, bar = held_out_above(known, cutoff)
        folds = [test]
    else:
        names = dict.fromkeys(name for name, ok in zip(known.families, known.usable, strict=True) if ok)
        folds = [known.usable & known.of_family(name) for name in names]
    family = _reference(known, reference)
    shown = fit_fold(known, folds[0] if bar is not None else np.zeros(known.n, bool), components=components)
    predicted = []
    for i, test in enumerate(folds):
        if progress is not None:
            progress("folds", i / len(folds))
        fold = shown if bar is not None else fit_fold(known, test, components=components)
        predicted.append(_predict(known, test, fold, components, setting, family, draws=bar is not None))
    if progress is not None:
        progress("folds", 1.0)
    return ObservationalFit(
        scores=known,
        fold=shown,
        predictions=tuple(predicted),
        components=components,
        cutoff_flop=bar,
        holdout=holdout,
        reference=family,
        ci=setting,
    )


def _reference(known: Scores, wanted: str) -> str:
    """Return the family as the table spells it, or the name itself if the table has none."""
    folded = {name.lower(): name for name in known.families}
    return folded.get(wanted.lower(), wanted)


def _predict(
    known: Scores, test: Mask, fold: Fold, components: int, ci: Bootstrap, reference: str, *, draws: bool
) -> Prediction:
    held = known.only(test)
    spread = fold.target.residual_sd
    low = high = None
    if draws:
        drawn = _draws(known, test, held, components, ci)
        noise = np.random.default_rng([ci.seed, 2]).normal(0.0, spread, drawn.shape)
        tail = (1 - ci.level) / 2
        low, high = np.quantile(np.clip(drawn + noise, 0.0, 1.0), [tail, 1 - tail], axis=0)
    train = known.only(known.usable & ~test)
    sloth = fold.sloth
    return Prediction(
        models=held.models,
        families=held.families,
        flop=held.flop,
        observed=held.outcome,
        observational=fold.observational(held),
        low=low,
        high=high,
        from_lines=fold.from_lines(held),
        compute=fold.from_compute(held),
        sloth=np.full(held.n, np.nan) if sloth is None else sloth.predict(held),
        last_value=np.full(held.n, float(train.outcome[int(np.argmax(train.flop))])),
        equivalent_flop=fold.equivalent_flop(held, reference),
    )


def _draws(known: Scores, test: Mask, held: Scores, components: int, ci: Bootstrap) -> Array:
    """Return observational predictions of refits on resampled training models, shape (R', n)."""
    rows = np.flatnonzero(~test)
    codes = None if ci.by == "row" else np.array([known.families[i] for i in rows])
    weights = ci.weights(len(rows), codes)
    out = []
    for row in weights:
        counts = np.zeros(known.n, int)
        least = row[row > 0].min()
        counts[rows] = np.rint(row / least).astype(int)
        try:
            out.append(fit_fold(known, test, components=components, weights=counts).observational(held))
        except (EvidenceError, NoFitError):  # a replicate may hold too few families: counted by the result
            continue
    if not out:
        raise NoFitError("observe: no resample could be fitted. Resample by row, or add models.")
    return np.array(out)
