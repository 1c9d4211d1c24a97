"""Fit a law to a sample: every certified minimum, and how sure the rate is.

`fit` is the instrument's main verb. With ``compat="paper"`` it repeats the published procedure
instead, which stops above the optimum; its result says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.progress.compat import SEED as PAPER_SEED
from isoflop.progress.compat import paper_bootstrap, paper_fit
from isoflop.progress.estimate import MAX_BASINS, Refits, find_minima, refit, replicate_starts
from isoflop.progress.model import Law, Model, Options, model
from isoflop.progress.rates import require_time
from isoflop.progress.result import Basin, Draws, ProgressFit
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1, Profile, Starts
from isoflop.progress.uncertainty.rate_curve import columns_of, profile_of_fit
from isoflop.progress.uncertainty.sandwich import rate_standard_errors
from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.optimise import evaluate
from isoflop.stats.resample import Bootstrap, jackknife_weights

Compat = Literal["converged", "paper"]
SPARE_ROWS = 5
"""A fit needs this many rows more than parameters."""


def fit(
    sample: Sample,
    *,
    law: int | Law = 7,
    penalty: L1 | None = None,
    starts: Starts | None = None,
    options: Options | None = None,
    ci: Bootstrap | Profile | None = None,
    compat: Compat = "converged",
    progress: Callable[[str, float], None] | None = None,
) -> ProgressFit:
    """Fit one law and report its rate of progress with every minimum.

    Parameters
    ----------
    sample : Sample
        From `select`.
    law : int or Law
        Number in `LAWS`; 7 is the paper's choice.
    penalty : L1, default L1(delta=0.0025)
    starts : Starts, default 24 random starts and zero
    options : Options, optional
        Floor, repetition, split year and other variations.
    ci : Bootstrap, Profile or None
        None gives no interval. ``Bootstrap(by="paper")`` is recommended; ``Profile()`` shows gaps
        between two explanations.
    compat : {"converged", "paper"}
        "paper": SLSQP from zero; intervals from row resamples of the legacy generator.
    progress : callable, optional
        Called with a label and the fraction done.

    Returns
    -------
    ProgressFit

    Raises
    ------
    EvidenceError
        Too few rows, or a column the law needs does not vary.
    NotIdentifiedError
        The law has no time term, and a profile or studentised interval of its rate was asked for.
    NoFitError
        No start ended at a certified minimum.
    """
    penalty, starts = penalty or L1(), starts or Starts()
    chosen = _model(sample, law, penalty, options)
    if isinstance(ci, Profile):
        if compat == "paper":
            raise SettingError(
                "fit: compat='paper' resamples rows, so ci must be a Bootstrap or None. Drop one of them."
            )
        columns_of(chosen)  # refuse before fitting
        plain = fit(sample, law=law, penalty=penalty, starts=starts, options=options, progress=progress)
        return replace(plain, profile=profile_of_fit(plain, ci))
    if ci is not None and ci.kind == "studentised":  # its pivots are those of the rate
        require_time(chosen.law)
    check_sample(sample, chosen)
    design = chosen.design(sample.features)
    if compat == "paper":
        return _fit_paper(sample, chosen, design, penalty, ci, progress)
    minima = find_minima(design, sample.outcome, chosen, penalty, starts)
    basins = tuple(Basin.of(m) for m in minima)
    draws = jackknife = None
    if ci is not None:
        codes = sample.codes(ci.by)
        thetas = np.array([b.theta for b in basins[:MAX_BASINS]])

        weights, l1 = ci.weights(sample.n, codes), penalty.strengths(chosen)
        points = replicate_starts(
            design, sample.outcome, weights, basins=thetas, points=starts.points(chosen), l1=l1
        )

        def refits(weights: Array, label: str) -> Refits:
            return refit(
                design,
                sample.outcome,
                weights,
                starts=points,
                basins=thetas,
                l1=l1,
                progress=None if progress is None else lambda i, total: progress(label, i / total),
            )

        found = refits(weights, "bootstrap")
        draws = Draws(
            theta=found.theta, basin=found.basin, by_basin=found.by_basin, objective=found.objective
        )
        if ci.kind == "bca":
            jackknife = refits(jackknife_weights(sample.n, codes), "jackknife").theta
    fitted = ProgressFit(
        sample=sample,
        model=chosen,
        penalty=penalty,
        minima=basins,
        draws=draws,
        jackknife=jackknife,
        ci=ci,
        compat=compat,
        seed=starts.seed if ci is None else ci.seed,
        starts=starts.count + 1,
    )
    if ci is not None and ci.kind == "studentised":
        return replace(fitted, standard_errors=rate_standard_errors(fitted))
    return fitted


def _model(sample: Sample, law: int | Law, penalty: L1, options: Options | None) -> Model:
    base = sample.normalisers if penalty.normalisers == "sample" else penalty.normalisers
    return model(law, benchmarks=sample.benchmarks, normalisers=base, options=options)


def check_sample(sample: Sample, chosen: Model) -> None:
    """Refuse a sample on which the law's parameters cannot be told apart.

    Raises
    ------
    EvidenceError
    """
    law, rows = chosen.law, sample.features
    need = len(chosen.names) + SPARE_ROWS
    where = f"fit: law {law.number} on {sample.table.name}"
    if sample.n < need:
        raise EvidenceError(
            f"{where}: {sample.n} row{'' if sample.n == 1 else 's'} for {len(chosen.names)} parameters, "
            f"needs at least {need}. Add rows, keep more per paper (--top-per-paper), or choose a smaller "
            "law."
        )
    years = np.unique(np.floor(rows.year))
    if law.has_time and len(years) < 2:
        raise EvidenceError(
            f"{where}: all rows are of {years[0]:.0f}, needs at least two years. Add rows of other years."
        )
    split = chosen.options.split_year
    if split is not None and not rows.year.min() < split <= rows.year.max():
        raise EvidenceError(
            f"{where}: split_year={split:g}, must lie within the dates, {rows.year.min():.1f} to "
            f"{rows.year.max():.1f}. Choose a year between."
        )
    silent = np.flatnonzero(np.isnan(rows.log_vocabulary) & law.vocabulary)
    if silent.size:
        first = sample.frame.row(int(silent[0]), named=True)
        others = f" ({silent.size - 1} more rows likewise.)" if silent.size > 1 else ""
        raise EvidenceError(
            f"{where}: row {first['record']} ({first['system']}), column 'vocabulary_size': empty, this "
            f"law needs it. Drop such rows (--need vocabulary) or fill them in (--impute-vocabulary).{others}"
        )
    for label, size, used in (
        ("parameter counts", rows.parameters, True),
        ("data sizes", rows.data, law.second is not None),
    ):
        if used and len(np.unique(size)) < 2:
            raise EvidenceError(
                f"{where}: one value in {label}, needs at least two. Add systems of other sizes."
            )
    if law.by_class and len(np.unique(rows.is_transformer)) < 2:
        came = "transformers" if rows.is_transformer[0] else "systems that are not transformers"
        raise EvidenceError(f"{where}: only {came}, needs both classes. Fill is_transformer, or use law 7.")
    by_benchmark = law.first.const == "benchmark" or chosen.options.floor == "benchmark"
    if by_benchmark and len(sample.benchmarks) < 2 and sample.task == "language":
        raise EvidenceError(
            f"{where}: one benchmark ({sample.benchmarks[0]}), needs at least two for benchmark constants. "
            "Use law 1, which has one constant."
        )
    flat = _constant_columns(chosen, chosen.design(rows))
    if flat:
        raise EvidenceError(
            f"{where}: {flat[0]} does not vary over these rows, so it cannot be told from the constant. "
            "Add rows on which it varies, or choose a law without it."
        )


def _constant_columns(chosen: Model, design: ExpSumDesign) -> list[str]:
    flat = []
    for j, name in enumerate(chosen.names):
        parts = [x[:, j] for x in design.terms] + ([] if design.linear is None else [design.linear[:, j]])
        varies = any(np.ptp(part) > 0 for part in parts)
        if not varies and not (name.endswith("_const") or name == "floor"):
            flat.append(name)
    return flat


def _fit_paper(
    sample: Sample,
    chosen: Model,
    design: ExpSumDesign,
    penalty: L1,
    ci: Bootstrap | None,
    progress: Callable[[str, float], None] | None,
) -> ProgressFit:
    if penalty.mask is not None:
        raise SettingError(
            "fit: compat='paper' penalises every parameter, so mask must be None. Drop one of them."
        )
    y = sample.outcome
    stopped = paper_fit(design, y, penalty.delta)
    there = evaluate(design, y, stopped.theta, l1=penalty.strengths(chosen))
    basin = Basin(
        theta=stopped.theta,
        objective=stopped.objective,
        kkt=float(there.kkt[0]),
        share_of_starts=1.0,
        from_zero=True,
    )
    draws = None
    if ci is not None:
        _, theta, objective = paper_bootstrap(
            design,
            y,
            penalty.delta,
            ci.reps,
            seed=ci.seed,
            progress=None
            if progress is None
            else lambda i, total: progress("bootstrap as published", i / total),
        )
        draws = Draws(
            theta=theta,
            basin=np.zeros(ci.reps, np.int64),
            by_basin=theta[None],
            objective=objective,
        )
    return ProgressFit(
        sample=sample,
        model=chosen,
        penalty=penalty,
        minima=(basin,),
        draws=draws,
        jackknife=None,
        ci=ci,
        compat="paper",
        seed=PAPER_SEED if ci is None else ci.seed,
        starts=1,
    )
