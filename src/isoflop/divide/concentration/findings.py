"""Findings of concentration: top share, Herfindahl and Gini by period, parts of teams and countries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding

if TYPE_CHECKING:
    from isoflop.divide.concentration.result import Concentration, Measure, Spread


def findings_of(found: Concentration) -> tuple[Finding, ...]:
    """Return the findings of concentration.

    Ids: ``divide.top5_compute_share``, ``divide.herfindahl_compute`` and ``divide.gini_compute`` for the
    last period, the same with ``.<period>`` for each; ``divide.compute_share.<team>.<period>``. Over
    countries ``.country`` follows the name, and ``divide.country_compute_share.<country>.<period>`` is added.
    """
    tail = ".country" if found.holder == "country" else ""
    out = _measures(found, found.spreads[-1], tail)
    for one in found.spreads:
        out += _measures(found, one, f"{tail}.{one.period}")
    if found.holder == "country":
        out += _countries(found)
    for period, team, measure, n in found.teams:
        out.append(
            _finding(
                found,
                f"divide.compute_share.{team}.{period}",
                f"{team}'s part of the known compute of {period}",
                measure,
                n,
                {"share_of_systems": measure.by_count, "period": str(period)},
            )
        )
    return tuple(out)


def _measures(found: Concentration, one: Spread, tail: str) -> list[Finding]:
    shared: dict[str, Any] = {
        "period": str(one.period),
        "holders": one.holders,
        "largest_system": one.largest_system,
    }
    top = f"{found.top} largest {found.holders_text}"
    return [
        _finding(
            found,
            f"divide.top{found.top}_compute_share{tail}",
            f"part of the known compute of {one.period} that the {top} hold",
            one.top_share,
            one.n,
            {
                **shared,
                "by_count": one.top_share.by_count,
                "if_equal": min(1.0, found.top / one.holders),
                "named": [part.name for part in one.parts[: found.top]],
            },
        ),
        _finding(
            found,
            f"divide.herfindahl_compute{tail}",
            f"Herfindahl index of known compute over {found.holders_text}, {one.period}",
            one.herfindahl,
            one.n,
            {
                **shared,
                "by_count": one.herfindahl.by_count,
                "if_equal": 1 / one.holders,
                "equal_holders": 1 / one.herfindahl.value,
            },
        ),
        _finding(
            found,
            f"divide.gini_compute{tail}",
            f"Gini coefficient of known compute over {found.holders_text}, {one.period}",
            one.gini,
            one.n,
            {**shared, "by_count": one.gini.by_count, "if_equal": 0.0},
        ),
    ]


def _countries(found: Concentration) -> list[Finding]:
    return [
        Finding(
            id=f"divide.country_compute_share.{_slug(part.name)}.{one.period}",
            instrument="divide",
            label=f"{part.name}'s part of the known compute of {one.period}",
            estimate=Estimate(value=part.share, unit="1"),
            method=f"sum of compute, joint systems in equal parts; no interval, see the top share; "
            f"{found.sample.text}",
            n=one.n,
            evidence=found.sample.provenance(one.n),
            cautions=found.cautions,
            details={"systems": part.systems, "period": str(one.period)},
        )
        for one in found.spreads
        for part in one.parts
    ]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _finding(
    found: Concentration, id: str, label: str, measure: Measure, n: int, details: dict[str, Any]
) -> Finding:
    drawn = measure.low is not None
    parts = "in equal parts" if found.split == "equal" else "as a holder of their own"
    owners = found.holder == "organisation" and found.names == "owner"
    parts += ", units of one firm merged by our own list" if owners else ""
    return Finding(
        id=id,
        instrument="divide",
        label=label,
        estimate=Estimate(
            value=measure.value,
            low=measure.low,
            high=measure.high,
            level=found.level if drawn else None,
            unit="1",
        ),
        method=f"sums of known compute, joint systems {parts}; {_interval_text(drawn)}; {found.sample.text}",
        n=n,
        evidence=found.sample.provenance(n),
        seed=found.seed if drawn else None,
        cautions=found.cautions,
        details=details,
    )


def _interval_text(drawn: bool) -> str:
    if not drawn:
        return "no interval: one organisation leaves nothing to draw"
    return "percentiles over draws of organisations, which lean to the concentrated side"
