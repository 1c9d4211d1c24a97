"""Findings of the gap: the headline, other years and methods, and whether it widens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.gap.model import COVS, GapFit, gap_vector
from isoflop.divide.gap.result import quantile_name
from isoflop.findings import MAX_DRAWS, Estimate, Finding

if TYPE_CHECKING:
    from isoflop.divide.gap.result import ComputeGap

HEADLINE = "divide.gap_oom"
WIDENING = "divide.gap_widening_oom_per_year"
MODEL = "two least squares lines of log10 compute on time, industry minus academia"


def findings_of(found: ComputeGap) -> tuple[Finding, ...]:
    """Return the findings of the gap.

    Ids: ``divide.gap_oom``; with ``.<year>``, with ``.<covariance>`` for those that do not lead, with
    ``.quantile_50``, ``.quantile_90``, ``.collaboration_as_industry``, ``.monte_carlo`` and
    ``.monte_carlo_and_sampling``; ``divide.gap_median_oom.<period>``; ``divide.gap_widening_oom_per_year``
    with the same qualifiers.
    """
    lead = found.lead
    out = [_gap(found, HEADLINE, found.gap, COVS[lead.cov], details=_headline(found))]
    for year in found.years:
        estimate = lead.at(year, found.level)
        out.append(_gap(found, f"{HEADLINE}.{year}", estimate, COVS[lead.cov], year=year))
    out += _variants(found)
    for one in found.medians:
        reason = {"reason": f"a sector has no system in {one.period}"} if one.gap.value is None else {}
        out.append(
            Finding(
                id=f"divide.gap_median_oom.{one.period}",
                instrument="divide",
                label=f"difference of median compute, industry minus academia, {one.period}",
                estimate=one.gap,
                method=f"difference of medians of log10 compute; percentiles over draws of {found.drawn}",
                n=one.n_academia + one.n_industry,
                evidence=found.sample.provenance(one.n_academia + one.n_industry),
                seed=found.noise.noise.seed,
                cautions=found.cautions,
                details={"n_academia": one.n_academia, "n_industry": one.n_industry, **reason},
            )
        )
    out.append(_widening(found, WIDENING, lead))
    out += [_widening(found, f"{WIDENING}.{cov}", fit) for cov, fit in found.fits.items() if fit is not lead]
    if found.joined is not None:
        out.append(_widening(found, f"{WIDENING}.collaboration_as_industry", found.joined))
    for q in found.quantiles:
        text = f"linear quantile regression at {q.q:g}"
        out.append(_change(found, f"{WIDENING}.{quantile_name(q.q)}", q.widening, text, {"q": q.q}))
    noise = f"{found.noise.noise.text}; a sensitivity, no sampling error"
    out.append(_change(found, f"{WIDENING}.monte_carlo", found.noise.widening_alone, noise, {}))
    return tuple(out)


def _variants(found: ComputeGap) -> Iterator[Finding]:
    for cov, fit in found.fits.items():
        if fit is not found.lead:
            yield _gap(found, f"{HEADLINE}.{cov}", fit.at(found.at_year, found.level), COVS[cov])
    if found.joined is not None:
        yield _gap(
            found,
            f"{HEADLINE}.collaboration_as_industry",
            found.joined.at(found.at_year, found.level),
            f"collaborations counted as industry; {COVS[found.joined.cov]}",
            n=found.joined.n,
        )
    for one in found.quantiles:
        extra: dict[str, Any] = {"q": one.q, "certificate": one.certificate}
        if one.without:
            extra["no_interval"] = one.without
        yield _gap(
            found,
            f"{HEADLINE}.{quantile_name(one.q)}",
            one.gap,
            f"linear quantile regression at {one.q:g}, kernel sandwich",
            details=extra,
        )
    said = found.noise.noise.text
    yield _gap(
        found, f"{HEADLINE}.monte_carlo", found.noise.alone, f"{said}; a sensitivity, no sampling error"
    )
    yield _gap(
        found,
        f"{HEADLINE}.monte_carlo_and_sampling",
        found.noise.both,
        f"{said}; with draws of {found.drawn}",
    )


def _gap(
    found: ComputeGap,
    id: str,
    estimate: Estimate,
    method: str,
    *,
    year: int | None = None,
    n: int | None = None,
    details: dict[str, Any] | None = None,
) -> Finding:
    at = found.at_year if year is None else year
    value = estimate.value
    return Finding(
        id=id,
        instrument="divide",
        label=f"gap in training compute, industry minus academia, mid-{at}",
        estimate=estimate,
        method=f"{MODEL if not id.split('.')[-1].startswith('quantile') else 'two lines'}; {method}; "
        f"{found.sample.text}",
        n=found.n if n is None else n,
        evidence=found.sample.provenance(found.n if n is None else n),
        seed=found.noise.noise.seed if "monte_carlo" in id else None,
        cautions=found.cautions,
        details={
            "at_year": at,
            "inside_data": found.inside(at),
            "factor": None if value is None else 10.0**value,
        }
        | (details or {}),
    )


def _headline(found: ComputeGap) -> dict[str, Any]:
    """Return what belongs to the headline alone: how its year was chosen, baselines and draws."""
    from scipy.special import ndtri

    fit = found.lead
    vector = gap_vector(found.at_year)
    value, se = float(vector @ fit.coefficients), fit.se(vector)
    return {
        "mode": found.how,
        "se": se,
        "n_academia": found.n_academia,
        "n_industry": found.n_industry,
        "unknown_team": int((~found.sample.known).sum()),
        "unknown_counted_as": found.unknown_as,
        "baselines": {
            "difference_of_means_without_time": found.plain_difference,
            "difference_of_medians": {str(one.period): one.gap.value for one in found.medians},
        },
        "draws": (value + se * ndtri((np.arange(MAX_DRAWS) + 0.5) / MAX_DRAWS)).tolist(),
    }


def _widening(found: ComputeGap, id: str, fit: GapFit) -> Finding:
    details: dict[str, Any] = {"p": fit.p_widening}
    if fit is found.lead:
        details["p_by_covariance"] = {cov: one.p_widening for cov, one in found.fits.items()}
        details["multiplicity"] = "one of several settings; no p is corrected for their number"
    return _change(found, id, fit.widening(found.level), f"least squares; {COVS[fit.cov]}", details, n=fit.n)


def _change(
    found: ComputeGap,
    id: str,
    estimate: Estimate,
    method: str,
    details: dict[str, Any],
    *,
    n: int | None = None,
) -> Finding:
    return Finding(
        id=id,
        instrument="divide",
        label="change of the gap in training compute a year, industry minus academia",
        estimate=estimate,
        method=f"difference of the slopes of two lines; {method}; {found.sample.text}",
        n=found.n if n is None else n,
        evidence=found.sample.provenance(found.n if n is None else n),
        seed=found.noise.noise.seed if "monte_carlo" in id else None,
        cautions=found.cautions,
        details=details,
    )
