"""``python -m validation.tiny_chinchilla.recover``: does a fit to the grid find the entropy rate?

The floor E of the Chinchilla law is fitted to real trained models whose text has a known entropy rate; the
fit knows nothing of it. Every fit is repeated without its cheapest runs: where the law is only
roughly true, E moves as the small scales leave.
"""

from __future__ import annotations

import numpy as np

from isoflop.evidence.embedded import embedded
from isoflop.findings import Estimate
from isoflop.scaling.fit import fit
from isoflop.scaling.runs import ParamsKind, select
from isoflop.stats.resample import Bootstrap

REPS = 1000
LEAST_FLOP = (0.0, 1e10, 5e10)
KINDS: tuple[ParamsKind, ...] = ("total", "no_embed")


def main() -> None:
    """Print E, the exponents and the residual for both texts and both counts of parameters."""
    print("| text | N | least C | runs | E | alpha | beta | rms of ln L |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for text in ("zipf_words", "shakespeare"):
        for params in KINDS:
            for least in LEAST_FLOP:
                print(_line(text, params, least), flush=True)


def _line(text: str, params: ParamsKind, least: float) -> str:
    runs = select(embedded("scaling_runs"), params=params, where={"dataset": text})
    runs = runs.without(runs.column("train_flop") >= least, f"at least {least:g} FLOP")
    found = fit(runs, ci=Bootstrap(reps=REPS))
    shown = " | ".join(_shown(found.parameters[name]) for name in ("E", "alpha", "beta"))
    spread = np.sqrt(np.mean(np.square(found.residuals)))
    return f"| {text} | {params} | {least:g} | {runs.n} | {shown} | {spread:.4f} |"


def _shown(estimate: Estimate) -> str:
    low, high = ("open" if end is None else f"{end:.3f}" for end in (estimate.low, estimate.high))
    return "not identified" if estimate.value is None else f"{estimate.value:.3f} ({low} to {high})"


if __name__ == "__main__":
    main()
