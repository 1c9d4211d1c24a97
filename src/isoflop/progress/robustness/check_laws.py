"""Checks that fit a variant of the law or of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from isoflop.errors import EvidenceError, IsoflopError
from isoflop.findings import Estimate
from isoflop.progress.halving import halving_months, halving_time, rate_from_draws
from isoflop.progress.model import Options
from isoflop.progress.rates import rate
from isoflop.progress.result import ProgressFit
from isoflop.progress.robustness.check_result import CheckRow, Printed
from isoflop.progress.robustness.check_setting import NO_TIME, Setting, fit_row, printed, unanswered
from isoflop.progress.sample import Sample

SPLIT_YEAR = 2017.0
LATER_YEAR = 2022.0
"""A date on which the shifted rates of the split law hold."""
EARLIER_YEAR = 2015.0
_STALE = "the published cell for imputed epochs prints the numbers of the other cell: a stale output"


def main(setting: Setting) -> list[CheckRow]:
    """Return law 7 as fitted here, beside the published main fit."""
    return [
        fit_row(
            "main",
            "main",
            "law 7, main sample",
            lambda: setting.fit(setting.sample),
            published=printed(8.444, 4.518, 14.269, n=231),
            note="the published fit stops above the optimum (objective 0.0518129); 100 row resamples",
        )
    ]


def vocabulary(setting: Setting) -> list[CheckRow]:
    """Return law 19 on rows with a stated vocabulary."""
    return [
        fit_row(
            "vocabulary",
            "vocabulary",
            "law 19, rows with a vocabulary size",
            lambda: setting.fit(with_known(setting.sample, "vocabulary_size"), law=19),
            published=printed(4.11, 1.83, 10.9, n=185),
            note="ranks third in the published cross-validation and is left out of its ten pairs; rows are "
            "taken from the sample as chosen, so a paper may keep fewer than three",
            details=lambda f: {
                "gamma_vocabulary": float(f.theta[f.model.index("gamma_vocabulary")]),
                "published_gamma": 0.011,
            },
        )
    ]


def with_known(sample: Sample, column: str) -> Sample:
    """Return the rows of a sample that fill a column; the sample's normalisers stay.

    Raises
    ------
    EvidenceError
        None does.
    """
    known = sample.frame[column].is_not_null().to_numpy()
    if not known.any():
        raise EvidenceError(
            f"check: no row of {sample.table.name} has {column}, which this check needs. Fill the column."
        )
    return sample.rows(known)


def tokens_seen(setting: Setting) -> list[CheckRow]:
    """Return law 7 on tokens times epochs, for rows with known epochs and with 1 imputed."""
    options = Options(data="seen")
    published = printed(4.56, 1.78, 9.85)
    return [
        fit_row(
            "tokens_seen",
            "tokens_seen",
            "tokens times epochs, rows with known epochs",
            lambda: setting.fit(
                with_known(setting.reselected(top_per_paper=None), "epochs"), options=options
            ),
            published=published,
            note="not reproduced here by the published procedure on the same rows",
        ),
        fit_row(
            "tokens_seen",
            "tokens_seen.imputed",
            "tokens times epochs, missing epochs taken as 1",
            lambda: setting.fit(setting.reselected(top_per_paper=None, impute_epochs=True), options=options),
            published=replace(published, note=_STALE),
            note=_STALE,
        ),
    ]


def diminishing_returns(setting: Setting) -> list[CheckRow]:
    """Return the law with repeated data worth less, in two forms, epochs known and imputed."""
    out = []
    notes = {
        "paper": "published form 1 + R(1 − exp(−epochs/R)): one epoch already counts more than once",
        "muennighoff": "form in epochs − 1: one epoch counts once; not published here",
    }
    outputs = {
        ("paper", "known"): printed(3.07, -60.8, 30.1, note="unusable: percentiles across a zero rate"),
        ("paper", "imputed"): printed(8.56, 4.29, 18.8, note="numeric 8.58 (4.34 to 19.3)"),
    }
    for form, note in notes.items():
        for filled in ("known", "imputed"):

            def fitted(form: str = form, filled: str = filled) -> ProgressFit:
                options = Options(repetition=form)  # type: ignore[arg-type]
                rows = with_known(setting.sample, "epochs") if filled == "known" else setting.sample
                return setting.fit(rows, options=options)

            out.append(
                fit_row(
                    "diminishing_returns",
                    f"diminishing_returns.{form}.{filled}",
                    f"repeated data worth less ({form}), epochs {filled}",
                    fitted,
                    published=outputs.get((form, filled)),
                    note=note,
                )
            )
    return out


def floor(setting: Setting) -> list[CheckRow]:
    """Return law 7 with an irreducible loss for each benchmark."""

    def values(f: ProgressFit) -> dict[str, object]:
        floors = {n: float(v) for n, v in zip(f.model.names, f.theta, strict=True) if n.startswith("floor")}
        return {
            "floor_nats": floors,
            "published_floor_nats": {"floor": -5e-5, "floor_ptb": 0.105, "floor_wt2": -0.044},
            "published_objective": 0.0517376,
        }

    several = len(setting.sample.benchmarks) > 1
    return [
        fit_row(
            "floor",
            "floor",
            "irreducible loss by benchmark" if several else "irreducible loss",
            lambda: setting.fit(setting.sample, options=Options(floor="benchmark" if several else "shared")),
            published=Printed(
                estimate=Estimate(value=None, unit="months"), n=231, note="objective 0.0517376"
            ),
            note="the floor is not identified by these rows: a negative one, or one that trades off against "
            "the exponents, is no measurement of irreducible loss; here it carries no penalty",
            details=values,
        )
    ]


def split(setting: Setting) -> list[CheckRow]:
    """Return the halving time before and after 2017, from one fit with shifted rates."""
    note = (
        "published objective 0.04918, shifts −0.0388 and +0.0411, with gradients up to 0.027: not a minimum. "
        "The shifted rate also moves the level at the split."
    )
    labels = (("before", EARLIER_YEAR), ("after", LATER_YEAR))
    try:
        fitted = setting.fit(setting.sample, options=Options(split_year=SPLIT_YEAR))
    except IsoflopError as error:
        return [
            unanswered("split_2017", f"split_2017.{name}", f"rates {name} 2017", "months", error)
            for name, _ in labels
        ]
    shifts = {
        name: float(v) for name, v in zip(fitted.model.names, fitted.theta, strict=True) if "after" in name
    }
    times = {name: halving_time(rate_at(fitted, year)) for name, year in labels}
    return [
        CheckRow(
            check="split_2017",
            slug=f"split_2017.{name}",
            label=f"rates {name} 2017",
            estimate=times[name],
            why_not="" if times[name].value is not None else NO_TIME,
            published=Printed(estimate=Estimate(value=None, unit="months"), n=231, note="objective 0.04918"),
            n=fitted.sample.n,
            objective=fitted.objective,
            certificate=fitted.certificate,
            minima_months=tuple(_months_at(fitted, year)),
            note=note,
            method=fitted.method,
            provenance=fitted.provenance,
            details={
                "minima_rates_per_year": [
                    float(rate(fitted.model, b.theta, year=year)) for b in fitted.minima
                ],
                "shifts": shifts,
                "published_shifts": [-0.0388, 0.0411],
                "published_objective": 0.04918,
            },
        )
        for name, year in labels
    ]


def rate_at(fitted: ProgressFit, year: float) -> Estimate:
    """Return G at a date, with percentiles of the draws, for laws whose rate changes with the date."""
    point = float(rate(fitted.model, fitted.theta, year=year))
    if fitted.draws is None or fitted.ci is None:
        return Estimate(value=point, unit="ln/yr")
    draws = rate(fitted.model, fitted.draws.theta, year=year)
    return rate_from_draws(point, draws, fitted.ci.level)


def _months_at(fitted: ProgressFit, year: float) -> list[float | None]:
    rates = [float(rate(fitted.model, b.theta, year=year)) for b in fitted.minima]
    return [halving_months(g) for g in rates]


def common_factor(setting: Setting) -> list[CheckRow]:
    """Return laws 21 and 22, in which a common factor takes part of the trend."""
    notes = {
        21: "identical to law 12 by algebra: one common rate",
        22: "the penalty sets gamma_year; the halving time uses both terms' totals, which are identified",
    }

    def totals(f: ProgressFit) -> dict[str, object]:
        return {n: float(v) for n, v in zip(f.model.names, f.theta, strict=True) if n.endswith("_year")}

    return [
        fit_row(
            "common_factor",
            f"law_{number}",
            f"law {number}: common factor",
            partial(setting.fit, setting.sample, number),
            note=note,
            details=totals,
        )
        for number, note in notes.items()
    ]


def covariates(setting: Setting) -> list[CheckRow]:
    """Return law 7 with a common factor for transformers, zero-shot rows, and both."""
    kinds = {
        "transformer": ("transformers", Options(transformer_shift=True)),
        "zero_shot": ("zero-shot rows", Options(zero_shot_shift=True)),
        "transformer_zero_shot": (
            "transformers and zero-shot rows",
            Options(transformer_shift=True, zero_shot_shift=True),
        ),
    }
    return [
        fit_row(
            "covariates",
            f"covariates.{name}",
            f"law 7 with a factor for {text}",
            partial(setting.fit, setting.sample, 7, options),
            note="what the factor takes up no longer counts as progress over time: a lower bound if the "
            "class is itself progress",
        )
        for name, (text, options) in kinds.items()
    ]


def resampling(setting: Setting) -> list[CheckRow]:
    """Return the interval by paper and by row, side by side; nothing where no interval is asked for."""
    rows: list[CheckRow] = []
    if setting.ci is None:
        return rows
    for by in ("paper", "row"):
        one = replace(setting, ci=replace(setting.ci, by=by))
        rows.append(
            fit_row(
                "resampling",
                f"resampling.{by}",
                f"law 7, resampled by {by}",
                partial(one.fit, setting.sample),
                published=printed(8.444, 4.518, 14.269, n=231) if by == "row" else None,
                note="rows of one paper are alike: by row is too narrow" if by == "row" else "",
            )
        )
    return rows


LAW_CHECKS: dict[str, Callable[[Setting], list[CheckRow]]] = {
    "main": main,
    "resampling": resampling,
    "vocabulary": vocabulary,
    "tokens_seen": tokens_seen,
    "diminishing_returns": diminishing_returns,
    "floor": floor,
    "split_2017": split,
    "common_factor": common_factor,
    "covariates": covariates,
}
