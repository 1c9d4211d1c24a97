"""Sections of the chapter on the fit itself: timeline, the two explanations, the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.progress.baselines import MOORE_MONTHS, MOORE_RATE
from isoflop.progress.figures import fit as figures
from isoflop.progress.halving import halving_time, months_text
from isoflop.progress.rates import term_rates
from isoflop.progress.result import TWO_BASINS_OBJECTIVE

if TYPE_CHECKING:
    from isoflop.progress.baselines import Baselines
    from isoflop.progress.result import ProgressFit
    from isoflop.progress.sample import Sample


def evidence_line(sample: Sample) -> str:
    """Return the source line of pictures that draw this sample."""
    return f"{sample.table.name}, {sample.n} evaluations of {sample.papers} papers"


def timeline_section(beside: Baselines) -> Section:
    """Return the section that sets the rate beside Moore's doubling and cheaper hardware."""
    fitted = beside.fitted
    years = fitted.sample.features.year
    pace = beside.ratio_to_moore().value
    other = ""
    if fitted.has_two_basins:
        second = formats.fixed(fitted.basin_rates()[1] / MOORE_RATE, 1)
        other = f", or {second}× by an explanation that fits almost as well"
    title = "No progress of algorithms is found on these rows"
    if pace is not None and pace > 0:
        title = f"Algorithms improved {formats.fixed(pace, 1)}× as fast as Moore's doubling{other}"
    picture = Figure(
        id="effective-compute",
        title=title,
        subtitle=f"Effective compute at fixed hardware, {int(years.min())} = 1 (logarithmic), by publication",
        frame=figures.effective_compute_data(beside),
        chart=lambda: figures.effective_compute(beside),
        alt="Lines of growing effective compute: "
        + "; ".join(
            figures.minimum_name(k, months) for k, months in enumerate(fitted.basin_halving_times()[:2])
        )
        + f"; Moore {MOORE_MONTHS:.0f} months; hardware {halving_time(beside.frontier.rate).value:.0f} "
        "months.",
        source=f"{evidence_line(fitted.sample)}; {beside.table.name}, {beside.frontier.n} record cards",
        n=fitted.sample.n,
        interval="Bands hold 50 % and 95 % of the rates of resampled papers; baselines are drawn without "
        "theirs",
    )
    return Section(
        id="timeline",
        title="Beside Moore's law and cheaper hardware",
        prose=(
            f"FLOP/s per dollar of accelerators grew by {formats.estimate(beside.frontier.rate)}, measured "
            f"on the {beside.frontier.n} cards that set a record; over all {beside.all_cards.n} cards by "
            f"{formats.estimate(beside.all_cards.rate)}. Algorithms moved "
            f"{formats.estimate(beside.ratio_to_hardware())} as fast as the records.",
        ),
        figures=(picture,),
        cautions=beside.cautions,
    )


def minima_section(fitted: ProgressFit) -> Section:
    """Return the section on every certified minimum, with its certificate and its share of draws."""
    times = fitted.basin_halving_times()
    shares = [*fitted.basin_shares, *([None] * len(times))]
    rows = tuple(
        {
            "minimum": k + 1,
            "months": time,
            "objective": basin.objective,
            "above": basin.objective - fitted.objective,
            "kkt": basin.kkt,
            "starts": basin.share_of_starts,
            "draws": share,
        }
        for k, (time, basin, share) in enumerate(zip(times, fitted.minima, shares, strict=False))
    )
    table = Table(
        id="certificates",
        title="Every minimum that passed the certificate",
        columns=(
            Column(name="minimum", label="Minimum", format="count"),
            Column(name="months", label="Halving time", unit="months", format="months"),
            Column(name="objective", label="Objective", format="fine"),
            Column(name="above", label="Above the best", format="number"),
            Column(name="kkt", label="KKT residual", format="number"),
            Column(name="starts", label="Share of starts", format="percent"),
            Column(name="draws", label="Share of draws", format="percent"),
        ),
        rows=rows,
        note=f"A minimum is certified when its KKT residual is at most 10⁻⁸. Rivals lie within "
        f"{TWO_BASINS_OBJECTIVE:g} of the best objective.",
    )
    pictures = []
    if fitted.draws is not None:
        shown = [
            f"{formats.percent(share)} with {months_text(time)}"
            for time, share in zip(times, shares, strict=False)
            if share
        ]
        pictures.append(
            Figure(
                id="draws",
                title=f"Resampled papers side {' and '.join(shown)}",
                subtitle="Share of draws by rate, labelled as halving time (months), coloured by the "
                "minimum they resemble",
                frame=figures.rate_draws_data(fitted),
                chart=lambda: figures.rate_draws(fitted),
                alt="Histogram of rates over draws, stacked by minimum.",
                source=evidence_line(fitted.sample),
                n=len(fitted.draws.theta),
                interval="Each draw is a fit to resampled papers; the outermost bars hold what lies beyond",
            )
        )
    outcome = fitted.sample.outcome
    explained = 1.0 - float(
        ((outcome - fitted.fitted()) ** 2).sum() / ((outcome - outcome.mean()) ** 2).sum()
    )
    pictures.append(
        Figure(
            id="observed-predicted",
            title=f"The best minimum explains {formats.percent(explained)} of the variance of loss",
            subtitle="Observed against fitted loss (nats per token), by benchmark; the dashed line is "
            "equality",
            frame=figures.observed_predicted_data(fitted),
            chart=lambda: figures.observed_predicted(fitted),
            alt="Scatter along the line of equality, three benchmarks in colours and shapes.",
            source=evidence_line(fitted.sample),
            n=fitted.sample.n,
            interval="Single systems, without intervals",
        )
    )
    count = len(fitted.minima)
    told = "one certified minimum" if count == 1 else f"{count} certified minima"
    rival = (
        "The second fits almost as well and tells another story."
        if fitted.has_two_basins
        else "No other fits almost as well on these rows, though resampled rows may prefer one."
    )
    return Section(
        id="minima",
        title="How many explanations fit",
        prose=(
            f"From {fitted.starts} starts the fit has {told}. {rival if count > 1 else ''} In the best, the "
            f"parameters that a loss needs fall by {_rate_of(fitted, 0)} and the data by "
            f"{_rate_of(fitted, 1)} ln per year; a number below zero means that this part got worse.",
            "{table:certificates}",
        ),
        figures=tuple(pictures),
        tables=(table,),
    )


def _rate_of(fitted: ProgressFit, term: int) -> str:
    return formats.number(float(term_rates(fitted.model, fitted.theta)[term]))


def data_section(sample: Sample) -> Section:
    """Return the section on the rows: which rule dropped how many."""
    picture = Figure(
        id="waterfall",
        title=f"{sample.n} of {sample.table.rows_read} rows remain after the rules",
        subtitle="Records, later rows, kept (dark) and dropped (pale) by each rule",
        frame=figures.waterfall_data(sample),
        chart=lambda: figures.waterfall(sample),
        alt=f"Bars from {sample.table.rows_read} records down to {sample.n} rows.",
        source=sample.table.name,
        n=sample.table.rows_read,
        interval="Counts have no interval",
    )
    ratio = figures.tokens_per_parameter_data(sample)
    middle = float(np.median(ratio["tokens_per_parameter"].to_numpy()))
    sizes = Figure(
        id="tokens-per-parameter",
        title=f"Half of the systems saw fewer than {formats.number(middle, 2)} unique tokens per parameter",
        subtitle="Unique training tokens per parameter (logarithmic) by year of publication",
        frame=ratio,
        chart=lambda: figures.tokens_per_parameter(sample),
        alt="Scatter of tokens per parameter by date, by what the system was trained on.",
        source=evidence_line(sample),
        n=sample.n,
        interval="Single systems, without intervals",
    )
    return Section(
        id="data", title="The rows behind it", figures=(picture, sizes), cautions=sample.table.cautions
    )
