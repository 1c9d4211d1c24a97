"""Sections of the chapter on who contributed what, and on the gain at each scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Finding
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.progress.figures import capability as figures_capability
from isoflop.progress.figures import gain as figures_gain
from isoflop.progress.fit import fit
from isoflop.progress.gains.ablations import SOURCE, SPAN, ablation_rows
from isoflop.progress.gains.chinchilla import ChinchillaGain, chinchilla_gain
from isoflop.progress.gains.decompose import decompose_pairs
from isoflop.progress.gains.gain import gain
from isoflop.progress.gains.transformer_gain import TransformerGain, transformer_gain
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.progress.gains.decomposition import Decomposition
    from isoflop.progress.gains.gain_curve import GainCurve
    from isoflop.progress.result import ProgressFit

PAIRS = (("RNN", "GPT-3"), ("RNN", "GPT-2"), ("LSTM", "Chinchilla"), ("GPT-2", "Chinchilla"))
"""The paper's four."""
TOKENS_PER_PARAMETER = 20.0
"""Chinchilla's ratio, for the curve that holds the split fixed."""
SCALE_LAW = 15
"""The law whose exponents move with the year, so that its gain may depend on scale."""
GAIN_DRAWS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Decompositions and gain curves of one fit."""

    fitted: ProgressFit
    pairs: tuple[Decomposition, ...]
    curves: dict[str, GainCurve]
    chinchilla: ChinchillaGain
    transformer: TransformerGain | None

    def findings(self) -> tuple[Finding, ...]:
        """Return shares, the transformer's gain, and the gain of the best split."""
        found = [f for pair in self.pairs for f in pair.findings()]
        found += next(iter(self.curves.values())).findings()
        if self.transformer is not None:
            found += self.transformer.findings()
        return (*found, *self.chinchilla.findings())


def gains(fitted: ProgressFit, *, seed: int) -> Gains:
    """Decompose the paper's pairs and trace gains over the span of the ablation studies."""
    begin, end = SPAN
    curves = {
        "best split": gain(fitted, from_year=begin, to_year=end),
        f"{TOKENS_PER_PARAMETER:g} tokens per parameter": gain(
            fitted, from_year=begin, to_year=end, constraint="fixed_ratio", ratio=TOKENS_PER_PARAMETER
        ),
        f"law {SCALE_LAW}": gain(fit(fitted.sample, law=SCALE_LAW), from_year=begin, to_year=end),
    }
    classes = fitted.sample.features.is_transformer
    transformer = None
    if classes.any() and not classes.all():
        transformer = transformer_gain(fitted.sample, ci=Bootstrap(reps=GAIN_DRAWS, by="paper", seed=seed))
    try:
        pairs = decompose_pairs(fitted, PAIRS)
    except NotIdentifiedError:
        # No predicted change between the systems: the section says so instead of showing shares.
        pairs = ()
    return Gains(
        fitted=fitted, pairs=pairs, curves=curves, chinchilla=chinchilla_gain(), transformer=transformer
    )


def decomposition_section(found: Gains) -> Section:
    """Return the section on the shares of compute and algorithms between pairs of systems."""
    sample = found.fitted.sample
    if not found.pairs:
        return Section(
            id="decomposition",
            title="Compute or algorithms",
            prose=(
                "On this evidence the law predicts no change between the paper's systems, so there are no "
                "shares.",
            ),
        )
    first = found.pairs[0]
    share = first.compute_share
    shown = (found.pairs[0], found.pairs[-1])
    between = f"from {first.start.name} to {first.end.name}"
    picture = Figure(
        id="shapley",
        title=f"Compute and data made {formats.percent(share.value or 0.0)} of the progress {between}",
        subtitle="Share of the change in predicted loss (Shapley values), two pairs of systems",
        frame=figures_gain.shapley_data(shown),
        chart=lambda: figures_gain.shapley(shown),
        alt=f"Bars of shares with intervals; compute together {formats.estimate(share)}.",
        source=f"{sample.table.name}, {sample.n} evaluations; sizes and dates of the systems from the paper",
        n=sample.n,
        interval=f"Rules are {formats.percent(first.level or 0.95)} intervals over all draws; the paper "
        "printed none",
    )
    rows = [
        {
            "pair": f"{one.start.name} to {one.end.name}",
            "ours": one.compute_share,
            "second": one.basins[1].compute_share if len(one.basins) > 1 else None,
            "paper": None if one.published is None else one.published["params"] + one.published["data"],
        }
        for one in found.pairs
    ]
    table = Table(
        id="compute-shares",
        title="Share of parameters and data in the progress between systems",
        columns=(
            Column(name="pair", label="From, to"),
            Column(name="ours", label="This evidence", format="estimate"),
            Column(name="second", label="Second minimum", format="number"),
            Column(name="paper", label="Paper", format="number"),
        ),
        rows=tuple(rows),
        note="Shares sum to one over parameters, data, parameter efficiency and data efficiency; a negative "
        "share made things worse on its own.",
    )
    efficiency = [p for p in first.players if p not in ("params", "data")]
    split = ", ".join(f"{p.replace('_year', ' efficiency').replace('param ', 'parameter ')} "
                      f"{formats.estimate(first.share(p))}" for p in efficiency)  # fmt: skip
    return Section(
        id="decomposition",
        title="Compute or algorithms",
        prose=(
            f"{between[:1].upper()}{between[1:]}, parameters and data together made "
            f"{formats.estimate(share)} of the change in predicted loss, algorithms the rest ({split}). "
            "Compute here is parameters and data; when it is counted in effective compute the shares differ "
            "(`isoflop progress decompose --value effective_compute`).",
        ),
        figures=(picture,),
        tables=(table,),
        cautions=tuple(c for c in first.cautions if c not in found.fitted.cautions),
    )


def gain_section(found: Gains) -> Section:
    """Return the section on the gain as a function of scale, beside ablations and single innovations."""
    import polars as pl

    sample = found.fitted.sample
    best = found.curves["best split"]
    middle = int(best.train_flop.size // 2)
    said = formats.estimate(best.estimate(middle))
    multiple = best.estimate(middle).value
    times = "not identified" if multiple is None else f"{formats.number(float(f'{multiple:.1e}'), 2)} times"
    one = Figure(
        id="gain",
        title=f"From {SPAN[0]:g} to {SPAN[1]:g} the fit implies a gain of {times}, at every scale by "
        "assumption",
        subtitle="Compute that the older recipe needs over what the newer one spends (×), by training "
        "compute (FLOP)",
        frame=figures_gain.gain_curves_data(found.curves),
        chart=lambda: figures_gain.gain_curves(found.curves),
        alt="Flat lines for the best split at both minima and for law 15; the line with a fixed ratio of "
        "tokens to parameters rises.",
        source=f"{sample.table.name}, {sample.n} evaluations of {sample.papers} papers",
        n=sample.n,
        interval="The band holds 95 % of the draws of the best split and may leave the picture; compute "
        "beyond the data is shaded",
    )
    rows = tuple(
        {**row, "gain": ("< " if row["relation"] == "below" else "") + formats.multiple(row["gain"])}
        if row["low"] is None
        else {**row, "gain": said}
        for row in ablation_rows(found.fitted)
        if row["gain"] is not None
    )
    table = Table(
        id="ablations",
        title="What taking innovations away says, beside what trends imply",
        columns=(
            Column(name="what", label="Gain from"),
            Column(name="scale", label="Scale"),
            Column(name="gain", label="Gain in compute", align="right"),
            Column(name="source", label="Source"),
        ),
        rows=rows,
        note=f"Ablations: {SOURCE}, as published; nothing of it was measured here.",
    )
    points = found.chinchilla.published_frame()
    short = float((1 - points["published_approximate"] / points["ours"]).abs().to_numpy().max())
    inside = found.chinchilla.frame().filter(~pl.col("is_extrapolated")).tail(1)
    two = Figure(
        id="chinchilla-gain",
        title=f"Sizing by Chinchilla instead of Kaplan saves {formats.multiple(inside['gain'][0])} at "
        f"{formats.flop(inside['train_flop'][0])}, more beyond its data",
        subtitle="Gain in compute (×) by training compute (FLOP), both logarithmic; closed form and "
        "published points",
        frame=figures_capability.chinchilla_data(found.chinchilla),
        chart=lambda: figures_capability.chinchilla(found.chinchilla),
        alt=f"A rising curve; the published points lie within {formats.percent(short)} of it.",
        source="published constants of both laws",
        n=None,
        interval="No interval: published constants are taken as exact",
    )
    prose = [
        "Law 7 gives one multiplier for all scales, because its rates are constant: that is an assumption, "
        "not a finding. Holding the split of compute fixed, or letting exponents move with the year, shows "
        "how far it carries.",
        "{figure:gain}",
        "Studies that take innovations away find far smaller gains at small scale, and explain most of the "
        "gain at the frontier by changes that matter more with scale.",
        "{table:ablations}",
        "{figure:chinchilla-gain}",
    ]
    if found.transformer is not None:
        parts = [
            f"{formats.estimate(f.estimate)} at {formats.flop(f.details['at_flop'])}"
            for f in found.transformer.findings()
            if f.details.get("at_flop")
        ]
        cut = formats.estimate(found.transformer.loss_cut)
        prose.append(
            f"The transformer, as one common factor on both terms, saved {' and '.join(parts)}: it cuts "
            f"the loss by {cut}."
        )
    return Section(
        id="gain",
        title="Does the gain depend on scale",
        prose=tuple(prose),
        figures=(one, two),
        tables=(table,),
        cautions=tuple(c for c in best.cautions if c not in found.fitted.cautions),
    )
