"""A router in rows and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding

if TYPE_CHECKING:
    from isoflop.routing.router.router import Router

INTERVAL_Z = 1.959963984540054
"""Normal quantile of a 95 % interval."""


def router_rows(router: Router) -> list[dict[str, Any]]:
    """Return one row a model, best on average first."""
    first = np.bincount(np.argmax(router.known_accuracy, axis=1), minlength=len(router.models))
    return [
        {
            "model": router.models[at],
            "prior": float(router.prior[at]),
            "best_on": int(first[at]),
            "cost_usd": _known_number(router.cost_usd[at]),
            "seconds": _known_number(router.seconds[at]),
        }
        for at in np.argsort(-router.prior, kind="stable")
    ]


def router_findings(router: Router) -> tuple[Finding, ...]:
    """Return what routing prompt by prompt gained on datasets left out."""
    from isoflop.routing.router.router import NEAREST

    gain = router.local.mean_gain
    apart = INTERVAL_Z * router.local.standard_error
    closed = np.isfinite(apart)
    return (
        Finding(
            id="routing.prompt_router_gain",
            instrument="routing",
            label="gain of routing prompt by prompt over the best model on average",
            estimate=Estimate(
                value=gain,
                low=gain - apart if closed else None,
                high=gain + apart if closed else None,
                level=0.95 if closed else None,
                unit="1",
            ),
            method=f"{NEAREST} neighbours, weights chosen without the dataset; normal interval over datasets",
            n=len(router.datasets),
            evidence=router.provenance,
            seed=int(router.settings.get("seed", 0)),
            cautions=router.cautions,
            details={"w": router.local.w, "v": router.local.v, "abstains": router.abstains},
        ),
    )


def _known_number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
