"""What to train next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.design.result import NORMAL_95
from isoflop.scaling.figures import influence as pictures

if TYPE_CHECKING:
    from isoflop.scaling.design.result import Design


def design_section(found: Design) -> Section:
    """Return the section on the next runs: where they lie, and how much sharper the answer becomes."""
    gain = found.findings()[0].estimate
    before, after = NORMAL_95 * found.sd_before, NORMAL_95 * found.sd_after
    what = {
        "loss": f"the least loss at {formats.flop(found.at_flop)}, ± {before:.2%} now, would be "
        f"known to ± {after:.2%}",
        "allocation": f"the exponent a, ± {before:.3f} now, would be known to ± {after:.3f}",
        "parameters": f"all parameters would be {formats.estimate(gain)} sharper",
    }[found.target]
    return Section(
        id="next-runs",
        title="What to train next",
        prose=(
            f"With {formats.flop(found.budget_flop)} to spend, {len(found.params)} runs are chosen one by "
            f"one, each the best for the answer under the budget: {what} (95 %, if the law holds).",
            "{table:next}",
        ),
        figures=(
            Figure(
                id="next-map",
                title=f"{len(found.params)} next runs among {found.n} at hand",
                subtitle="Parameters and tokens of runs at hand (grey) and to come; the first are darkest",
                frame=pictures.design_data(found),
                chart=lambda: pictures.design(found),
                alt="A scatter of sizes; the chosen runs lie where they tell most per FLOP.",
                source=found.fitted.runs.table.name,
                n=found.n,
                interval="Expected widths are in the text",
            ),
        ),
        tables=(
            Table(
                id="next",
                title="The first runs to train",
                columns=(
                    Column(name="order", label="run", format="count"),
                    Column(name="params", label="parameters", format="number"),
                    Column(name="tokens", label="tokens", format="number"),
                    Column(name="tokens_per_param", label="tokens per parameter", format="number"),
                    Column(name="train_flop", label="compute", unit="FLOP", format="number"),
                ),
                rows=tuple(found.rows()[:8]),
            ),
        ),
        cautions=found.cautions[-1:],
    )
