"""Findings of the deciles: one rank correlation, a ratio a group, and correlations over fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding

if TYPE_CHECKING:
    from isoflop.divide.deciles.result import ComputeDeciles


def findings_of(found: ComputeDeciles) -> tuple[Finding, ...]:
    """Return the findings of compute deciles.

    Ids: ``divide.decile_correlation.<team>``, ``divide.decile_ratio.<team>.<group>`` and
    ``divide.intensity_correlation.<domain or task>``, the last also with ``.above_trend``.
    """
    return (_headline(found), *_ratios(found), *_fields(found))


def _headline(found: ComputeDeciles) -> Finding:
    test = found.correlation
    has = test is not None and test.low is not None
    details: dict[str, Any] = {
        "p": None if test is None else test.p,
        "shares": [g.share for g in found.groups],
        "ratios": [g.ratio for g in found.groups],
        "team_systems": found.k,
        "even_share": found.k / found.n,
    }
    if test is None:
        details["reason"] = f"the share of {found.team} is the same in all groups"
    return Finding(
        id=f"divide.decile_correlation.{found.team}",
        instrument="divide",
        label=f"rank correlation of compute {found.word} and share of {found.team}, {found.years}",
        estimate=Estimate(
            value=None if test is None else test.rho,
            low=None if test is None else test.low,
            high=None if test is None else test.high,
            level=found.level if has else None,
            unit="1",
        ),
        method=f"Spearman over {len(found.groups)} groups of equal size by residual of log10 compute from "
        "a line; p by permutation, interval by drawing organisations with the groups held fixed",
        n=found.n,
        evidence=found.provenance,
        seed=found.seed,
        cautions=found.cautions,
        details=details,
    )


def _ratios(found: ComputeDeciles) -> list[Finding]:
    return [
        Finding(
            id=f"divide.decile_ratio.{found.team}.{g.place}",
            instrument="divide",
            label=f"share of {found.team} in compute {found.word} {g.place} over its share of all, "
            f"{found.years}",
            estimate=Estimate(
                value=g.ratio, low=g.low, high=g.high, level=found.level if g.n else None, unit="×"
            ),
            method="ratio of shares, delta method for a part of a whole; Clopper-Pearson at none",
            n=g.n,
            evidence=found.provenance,
            cautions=found.cautions,
            details={"k": g.k[found.team], "n": g.n, "groups_shown": len(found.groups)}
            | ({} if g.n else {"reason": "ties in compute leave this group empty"}),
        )
        for g in found.groups
    ]


def _fields(found: ComputeDeciles) -> list[Finding]:
    from isoflop.divide.deciles.find import LEAST_IN_FIELD, field_correlation

    out = []
    for by, fields in found.fields.items():
        for detrended in (False, True):
            test = field_correlation(fields, detrended=detrended, seed=found.seed)
            details: dict[str, Any] = {
                "p": None if test is None else test.p,
                "fields": [f.name for f in fields],
            }
            if test is None:
                details["reason"] = f"{len(fields)} {by}s of {LEAST_IN_FIELD} systems: too few, or all alike"
            what = "compute above trend" if detrended else "compute"
            out.append(
                Finding(
                    id=f"divide.intensity_correlation.{by}{'.above_trend' if detrended else ''}",
                    instrument="divide",
                    label=f"rank correlation over {by}s of median {what} and ratio of {found.team}, "
                    f"{found.years}",
                    estimate=Estimate(value=None if test is None else test.rho, unit="1"),
                    method=f"Spearman over {by}s with at least {LEAST_IN_FIELD} systems, p by permutation; "
                    "a few fields are no sample, so no interval",
                    n=len(fields),
                    evidence=found.provenance,
                    seed=found.seed,
                    cautions=found.cautions,
                    details=details,
                )
            )
    return out
