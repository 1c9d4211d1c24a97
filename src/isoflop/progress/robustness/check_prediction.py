"""Checks that predict, match, simulate, or change the likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError
from isoflop.findings import Estimate
from isoflop.progress.robustness.check_result import CheckRow, Printed
from isoflop.progress.robustness.check_setting import NO_TIME, Setting, printed, unanswered
from isoflop.progress.robustness.compare import compare
from isoflop.progress.robustness.comparison import Comparison, LeaveOneOut, LeavePaperOut, Scheme, TimeOrdered
from isoflop.stats.crossvalidate import paired_difference

EARLY_ROWS = 30
"""Rows that a time-ordered fit needs before its cutoff, besides two for each parameter of law 7."""
NO_PROGRESS = 16


def transformer_gain(setting: Setting) -> list[CheckRow]:
    """Return the compute-equivalent gain of the transformer at two computes, and its loss cut."""
    from isoflop.progress.gains.transformer_gain import (
        PUBLISHED,
        PUBLISHED_LOSS_CUT,
        PUBLISHED_OBJECTIVE,
    )
    from isoflop.progress.gains.transformer_gain import transformer_gain as run

    note = (
        f"the published fit (objective {PUBLISHED_OBJECTIVE}) lies above its own nearly nested special case, "
        "and over the ten pairs its medians run from 4.0 to 251"
    )
    cut = printed(*PUBLISHED_LOSS_CUT, unit="1")
    names = [(f"transformer_gain.flop_{flop:.0e}".replace("+", ""), flop) for flop in PUBLISHED]
    try:
        found = run(setting.sample, penalty=setting.penalty, starts=setting.starts, ci=setting.ci)
    except IsoflopError as error:
        return [
            unanswered("transformer_gain", slug, f"transformer gain at {flop:.0e} FLOP", "×", error)
            for slug, flop in names
        ]
    shared = {
        "check": "transformer_gain",
        "n": found.fit.sample.n,
        "objective": found.fit.objective,
        "certificate": found.fit.certificate,
        "method": found.fit.method,
        "provenance": found.provenance,
    }
    rows = [
        CheckRow(
            slug=slug,
            label=f"transformer gain at {flop:.0e} FLOP",
            estimate=found.estimate(list(found.curve.train_flop).index(flop)),
            published=printed(*PUBLISHED[flop], unit="×", n=231),
            note=note,
            **shared,  # type: ignore[arg-type]
        )
        for slug, flop in names
    ]
    rows.append(
        CheckRow(
            slug="transformer_loss_cut",
            label="loss cut by the transformer",
            estimate=found.loss_cut,
            published=cut,
            note="the published sigmoid cannot show a loss",
            **shared,  # type: ignore[arg-type]
        )
    )
    return rows


def iso_performance(setting: Setting) -> list[CheckRow]:
    """Return halving times of compute at the level of Gopher, GPT-2 and Megatron."""
    from isoflop.progress.match import match
    from isoflop.progress.match_result import PUBLISHED_TEXT, REFERENCES

    slugs = {r.name: f"iso_performance.{_slug(r.name)}" for r in REFERENCES}
    try:
        found = match(setting.sample.table)
    except IsoflopError as error:
        return [
            unanswered(
                "iso_performance",
                slugs[r.name],
                f"compute to reach {r.name}",
                "months",
                error,
                None if r.published_months is None else printed(r.published_months),
            )
            for r in REFERENCES
        ]
    rows = []
    for one in found.slopes:
        if one.flop != "given":
            continue
        text = PUBLISHED_TEXT.get(one.level)
        rows.append(
            CheckRow(
                check="iso_performance",
                slug=slugs[one.level],
                label=f"compute to reach {one.level}",
                estimate=one.halving_time,
                published=None if one.published_months is None else printed(one.published_months),
                n=one.n,
                note=f"the conference text has {text} months" if text else "",
                why_not="" if one.halving_time.value is not None else one.why_not or "compute does not fall",
                method="slope of ln compute on date at equal perplexity, stated FLOP only",
                provenance=found.provenance,
            )
        )
    return rows


def law_18(setting: Setting) -> list[CheckRow]:
    """Return the leave-one-out error of the compute-only law over that of law 7."""
    return [
        _error_ratio(
            setting,
            "law_18",
            "law_18_error",
            "leave-one-out error of law 18 over law 7",
            LeaveOneOut(),
            laws=(18, 7),
            published=Printed(
                estimate=Estimate(value=None, unit="1"),
                note="an order of magnitude above the rest",
            ),
            note="the published rejection of law 18 (error an order of magnitude above the rest) is a bug: "
            "its normaliser was taken from the single tested row; with that of the training rows it is "
            "no outlier",
        )
    ]


def leave_paper_out(setting: Setting) -> list[CheckRow]:
    """Return the error of law 7 on papers left out, over that of the law without progress."""
    return [
        _error_ratio(
            setting,
            "leave_paper_out",
            "leave_paper_out",
            "error on papers left out, law 7 over no progress",
            LeavePaperOut(),
            laws=(7, NO_PROGRESS),
            note="below 1: knowing the date helps to predict papers that were not fitted",
        )
    ]


def time_ordered(setting: Setting) -> list[CheckRow]:
    """Return the error on later rows of fits to earlier ones, over that of the law without progress."""
    year = setting.sample.features.year
    cutoffs = tuple(
        float(s)
        for s in range(int(year.min()) + 1, int(year.max()) + 1)
        if (year <= s).sum() >= EARLY_ROWS and (year > s).any()
    )
    label = "error on later systems, law 7 over no progress"
    if not cutoffs:
        error = EvidenceError(f"no year has {EARLY_ROWS} rows before it and some after. Add rows.")
        return [unanswered("time_ordered", "time_ordered", label, "1", error)]
    return [
        _error_ratio(
            setting,
            "time_ordered",
            "time_ordered",
            label,
            TimeOrdered(years=cutoffs),
            laws=(7, NO_PROGRESS),
            note=f"fitted up to each of {cutoffs[0]:.0f} to {cutoffs[-1]:.0f}, tested on all later rows; "
            "above 1 the trend extrapolates worse than none",
        )
    ]


def random_effects(setting: Setting) -> list[CheckRow]:
    """Return the halving time with errors that papers share."""
    from isoflop.progress.robustness.random_effects import random_effects as run

    label = "errors shared within papers, all rows, no penalty"
    none = Printed(estimate=Estimate(value=None, unit="months"), certainty="not stored", n=261)
    try:
        found = run(setting.sample, ci=setting.ci, starts=setting.starts)
    except IsoflopError as error:
        return [unanswered("random_effects", "random_effects", label, "months", error, none)]
    return [
        CheckRow(
            check="random_effects",
            slug="random_effects",
            label=label,
            estimate=found.halving_time,
            published=none,
            why_not="" if found.halving_time.value is not None else NO_TIME,
            n=found.sample.n,
            objective=found.best.nll,
            certificate=found.best.gradient,
            note=f"correlation within papers {found.best.rho:.2f}; objective is −log L, certificate its "
            "derivative per row",
            method=found.method,
            provenance=found.provenance,
            details={
                "rate_per_year": found.rate.value,
                "rho": found.best.rho,
                "sigma": found.best.sigma,
                "failed_draws": found.failed,
            },
        )
    ]


def selection_bias(setting: Setting) -> list[CheckRow]:
    """Return the simulated shift of the rate if compute followed unrecorded quality."""
    from isoflop.progress.robustness.selection_bias import CORRELATIONS
    from isoflop.progress.robustness.selection_bias import selection_bias as run

    positive = [r for r in CORRELATIONS if r > 0]

    def name(r: float) -> tuple[str, str]:
        return (
            f"selection_bias.r_{r:g}".replace("0.", "0_"),
            f"shift of the rate if compute and unrecorded quality correlate at {r:g} (simulation)",
        )

    try:
        fitted = Setting(
            sample=setting.sample,
            penalty=setting.penalty,
            starts=setting.starts,
            ci=None,
            seed=setting.seed,
        ).fit(setting.sample)
        found = run(fitted, seed=setting.seed)
    except IsoflopError as error:
        return [unanswered("selection_bias", *name(r), "ln/yr", error) for r in positive]
    table = {row["correlation"]: row for row in found.frame().iter_rows(named=True)}
    return [
        CheckRow(
            check="selection_bias",
            slug=name(r)[0],
            label=name(r)[1],
            estimate=found.estimate(r),
            n=fitted.sample.n,
            objective=fitted.objective,
            certificate=fitted.certificate,
            note="a simulation on the fitted law, not an estimate: the correlation is assumed",
            method=found.method,
            provenance=found.provenance,
            details=dict(table[r]),
        )
        for r in positive
    ]


def _error_ratio(
    setting: Setting,
    check: str,
    slug: str,
    label: str,
    scheme: Scheme,
    *,
    laws: tuple[int, int],
    published: Printed | None = None,
    note: str = "",
) -> CheckRow:
    """Return the mean squared error of one law over another's, with the paired difference in details."""
    try:
        found: Comparison = compare(
            setting.sample,
            laws=laws,
            penalties=(setting.penalty.delta,),
            scheme=scheme,
            starts=setting.starts,
        )
        by_law = {c.law: c for c in found.candidates}
        if len(by_law) < 2:
            raise NotIdentifiedError(found.refused[0])
    except IsoflopError as error:
        return unanswered(check, slug, label, "1", error, published, note)
    first, second = (by_law[law] for law in laws)
    tested = np.isfinite(first.errors) & np.isfinite(second.errors)
    paired = paired_difference(
        first.errors[tested] ** 2, second.errors[tested] ** 2, found.sample.clusters[found.tested[tested]]
    )
    return CheckRow(
        check=check,
        slug=slug,
        label=label,
        estimate=Estimate(value=first.mse / second.mse, unit="1"),
        published=published,
        n=int(tested.sum()),
        note=note,
        method=f"L1 {setting.penalty.delta:g}, {len(first.fold_objectives)} folds, all basins in each",
        provenance=found.provenance,
        details={
            f"mse_law_{laws[0]}": first.mse,
            f"mse_law_{laws[1]}": second.mse,
            "r2": first.r2,
            "difference": paired.mean,
            "difference_standard_error": paired.standard_error,
            "folds_failed": first.folds_failed + second.folds_failed,
        },
    )


def _slug(text: str) -> str:
    return "".join(ch if ch.isalnum() else "_" for ch in text.lower()).strip("_")


PREDICTION_CHECKS: dict[str, Callable[[Setting], list[CheckRow]]] = {
    "transformer_gain": transformer_gain,
    "iso_performance": iso_performance,
    "law_18": law_18,
    "leave_paper_out": leave_paper_out,
    "time_ordered": time_ordered,
    "random_effects": random_effects,
    "selection_bias": selection_bias,
}
