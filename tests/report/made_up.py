"""A chapter of invented numbers that uses every part of the page; nothing in it was measured."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from isoflop.findings import Claim, Estimate, Finding, Provenance
from isoflop.present import theme
from isoflop.present.chapter import Chapter, Column, Figure, Section, Table

HOSTILE = "<script>alert('system')</script>"
CAUTIONS = (
    "Two minima fit about as well; their halving times are 6 and 16 months. "
    "More systems after 2024 would separate them.",
    "17 of 231 rows share one paper, so the interval may be too narrow. Resampling by paper cures it.",
    "The penalty pins two constants at 0; a smaller penalty frees them.",
)
PROVENANCE = Provenance(
    name="language_evaluations",
    source="[primary sources](https://example.org/sources), one per row",
    kind="embedded",
    rows_used=231,
    rows_dropped=8,
    fingerprint="6f1c0a9e55d24c10b7b2",
)


def findings() -> tuple[Finding, ...]:
    """Return five findings: with interval, open, missing, refused-free, and one without interval."""
    common: dict[str, Any] = {"instrument": "progress", "evidence": (PROVENANCE,), "seed": 0}
    return (
        Finding(
            id="progress.halving_time_months",
            label="Time in which the compute needed halves",
            estimate=Estimate(value=8.44, low=4.5, high=14.27, level=0.95, unit="months"),
            method="law 7, squared loss, L1 penalty 0.0025, bootstrap of rows",
            n=231,
            cautions=CAUTIONS[:2],
            **common,
        ),
        Finding(
            id="progress.rate_per_year",
            label="Growth of effective compute at fixed hardware",
            estimate=Estimate(value=0.985, low=0.58, high=1.85, level=0.95, unit="ln/yr"),
            method="law 7, best certified minimum",
            n=231,
            **common,
        ),
        Finding(
            id="progress.halving_time_months.by_paper",
            label="The same, papers resampled",
            estimate=Estimate(value=9.2, low=3.2, level=0.95, unit="months", interval="open_above"),
            method="law 7, bootstrap of papers",
            n=231,
            cautions=CAUTIONS[2:],
            details={"unbounded": "no progress not excluded"},
            **common,
        ),
        Finding(
            id="progress.compute_share",
            label="Share of the gain that compute growth explains, RNN to GPT-3",
            estimate=Estimate(value=0.810, low=0.72, high=0.9, level=0.95, unit="1"),
            method="Shapley over parameters, data and year",
            n=2,
            **common,
        ),
        Finding(
            id="progress.image_halving_time_months",
            label="The same for image classification",
            estimate=Estimate(value=None, unit="months"),
            method="same engine, too few systems",
            n=7,
            **common,
        ),
    )


def timeline_frame() -> pl.DataFrame:
    """Return 231 invented systems; one has a hostile name."""
    rows = []
    for i in range(231):
        year = 2012 + 12 * (i * 0.618034 % 1)
        wobble = math.sin(i * 12.9898) * 43758.5453 % 1
        rows.append(
            {
                "system": HOSTILE if i == 3 else f"System {i}",
                "year": round(year, 3),
                "train_flop": 10 ** (15.5 + 0.75 * (year - 2012) + 3 * wobble),
                "benchmark": ("WikiText-103", "WikiText-2", "Penn Treebank")[i % 3],
            }
        )
    return pl.DataFrame(rows)


def timeline_chart() -> Any:
    """Draw compute against the year."""
    import altair as alt

    frame = timeline_frame()
    low, high = float(frame["train_flop"].min()), float(frame["train_flop"].max())  # type: ignore[arg-type]
    return (
        alt.Chart(frame)
        .mark_point()
        .encode(
            x=alt.X(
                "year:Q",
                scale=alt.Scale(domain=[2012, 2024], nice=False),
                axis=alt.Axis(title="year of publication", format="d"),
            ),
            y=alt.Y(
                "train_flop:Q",
                scale=theme.log_scale(low, high),
                axis=theme.log_axis("training compute (FLOP)", low, high),
            ),
            color=alt.Color("benchmark:N", title="benchmark"),
            shape=alt.Shape("benchmark:N", title="benchmark"),
            tooltip=["system:N", "train_flop:Q"],
        )
    )


def intervals_frame() -> pl.DataFrame:
    """Return invented halving times for several laws."""
    names = [
        "law 7, paper's settings",
        "law 7, converged",
        "law 18, no scale-free term",
        "law 3",
        "law 10, per benchmark",
        "naive: Moore's doubling",
    ]
    mids = [8.4, 6.1, 9.9, 7.2, 11.8, 24.0]
    return pl.DataFrame(
        {
            "law": names,
            "halving_time_months": mids,
            "low": [m * 0.55 for m in mids[:-1]] + [None],
            "high": [m * 1.8 for m in mids[:-1]] + [None],
        }
    )


def intervals_chart() -> Any:
    """Draw a point and its interval for each law."""
    import altair as alt

    frame = intervals_frame()
    low, high = 3.0, 30.0
    x = alt.X(
        "halving_time_months:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis("halving time (months)", low, high, grid=True),
    )
    y = alt.Y("law:N", sort=None, title=None)
    rules = (
        alt.Chart(frame)
        .mark_rule(style="interval")
        .encode(x=alt.X("low:Q", scale=theme.log_scale(low, high)), x2="high", y=y)
    )
    points = alt.Chart(frame).mark_point(size=70, opacity=1).encode(x=x, y=y)
    moore = alt.Chart(frame).mark_rule(style="baseline").encode(x=alt.datum(24.0))
    return (rules + moore + points).properties(height=230)


def chapter(instrument: str = "progress") -> Chapter:
    """Return the invented chapter."""
    timeline = Figure(
        id="timeline",
        title="Training compute of 231 invented systems grew 5.6× a year from 2012 to 2024",
        subtitle="Training compute in FLOP (logarithmic) against year of publication; one point a system",
        frame=timeline_frame(),
        chart=timeline_chart,
        alt="Scatter of training compute against year: compute rises from about 10^16 to 10^26 FLOP.",
        source="invented for this test",
        n=231,
        interval="No interval: single systems, not estimates",
    )
    laws = Figure(
        id="laws",
        title=f"Every law gives a halving time between 6 and 12 months; Moore's doubling takes 24 {HOSTILE}",
        subtitle="Halving time in months (logarithmic), by law",
        frame=intervals_frame(),
        chart=intervals_chart,
        alt="Six rows of points with intervals; all laws lie left of the dashed line at 24 months.",
        source="invented for this test",
        n=231,
        interval="Rules are 95 % intervals of 2,000 resampled papers; the naive line has none",
    )
    table = Table(
        id="reproduction",
        title="The paper's numbers beside ours",
        columns=(
            Column(name="what", label="Quantity"),
            Column(name="paper", label="Paper", unit="months", format="months"),
            Column(name="ours", label="Ours", unit="months", format="months"),
            Column(name="note", label="Difference, and why it is there"),
        ),
        rows=(
            {"what": "Halving time, median", "paper": 8.4, "ours": 8.44, "note": "same rows, same penalty"},
            {
                "what": f"Name {HOSTILE}",
                "paper": None,
                "ours": 6.08,
                "note": "the optimiser had not converged",
            },
        ),
        note="`paper` reads the published table; **ours** is the fit of this report.",
    )
    return Chapter(
        instrument=instrument,
        question="How fast do algorithms make compute go further?",
        answer="The compute needed for a set performance halves about every **8.4 months** "
        "(4.5 to 14.3, 95 %), on 231 invented systems.",
        findings=tuple(findings()),
        claims=(
            Claim(
                id="progress.halves_in_8_months",
                paper="Ho et al. (2024)",
                text="The compute needed for a set performance halves about every 8 months.",
                verdict="holds_with_caution",
                finding_ids=("progress.halving_time_months",),
                rule="The interval contains 8 months and lies within 4 and 16 months.",
                why="8.4 months (4.5 to 14.3, 95 %) contains 8 and lies within the bounds, "
                "but two minima fit about as well.",
                would_change="Systems trained after 2024 with stated data and parameters.",
                evidence=("language_evaluations",),
                published={"verdict": "holds", "why": "8.4 months (4.5 to 14.3, 95 %)."},
            ),
            Claim(
                id="progress.compute_contributed_more",
                paper="Ho et al. (2024)",
                text="Compute growth contributed more than algorithms.",
                verdict="needs_evidence",
                finding_ids=("progress.compute_share",),
                rule="The interval of the compute share lies above one half.",
                why=f"no finding on this evidence {HOSTILE}",
            ),
        ),
        sections=(
            Section(
                id="timeline",
                title="How much compute was used",
                prose=(
                    "Compute grew by **5.6×** a year. This paragraph shows how a line of "
                    "prose sits on the page: measure, leading, `code`, a [link](#findings).",
                    "{figure:timeline}",
                    "A paragraph after the picture. " * 4,
                ),
                figures=(timeline,),
            ),
            Section(
                id="sensitivity",
                title="How the answer depends on the law",
                prose=(f"Hostile prose: {HOSTILE} & <b>bold</b>.",),
                figures=(laws,),
                tables=(table,),
                cautions=CAUTIONS[1:],
            ),
        ),
        methods=(
            "The law is `ŷ = exp(α) + exp(β)`, fitted with a penalty; every minimum carries a certificate.",
            "Intervals come from a bootstrap over papers; cross-validation leaves one system out.",
        ),
        evidence=(PROVENANCE,),
        tables={
            "waterfall": [
                {"rule": "all rows", "dropped": 0, "left": 239},
                {"rule": "no training data stated", "dropped": 8, "left": 231},
            ]
        },
    )
