"""What quality costs: the section on cost, and the pictures of a pair and of all models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.routing.figures import cost as pictures

if TYPE_CHECKING:
    from isoflop.routing.cost.find import Curves
    from isoflop.routing.cost.pair import PairCurve
    from isoflop.routing.cost.quality import CostQuality

CALLS = pictures.CALLS
PAIR = (
    Column(name="prompts_of", label="Prompts"),
    Column(name="n", label="Count", format="count"),
    Column(name="apgr", label="APGR (binned)", format="number"),
    Column(name="apgr_low", label="Low", format="number"),
    Column(name="apgr_high", label="High", format="number"),
    Column(name="apgr_exact", label="APGR (exact)", format="number"),
    Column(name="cpt_20", label="CPT 20 %", format="percent"),
    Column(name="cpt_50", label="CPT 50 %", format="percent"),
    Column(name="cpt_80", label="CPT 80 %", format="percent"),
)
METRICS = (
    Column(name="measure", label="Measure"),
    Column(name="router", label="Of"),
    Column(name="value", label="Value", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
)
MEASURES = {
    "average_accuracy": "mean score, quality alone",
    "gain_at_random": "gain over a random model",
    "gain_at_best_single": "gain over the best single model",
    "gap_at_oracle": "gap to the best model of each prompt",
    "perf_gain": "best setting over the best single model",
    "cost_save": "cost saved at the best single model's score",
    "pareto_distance": "mean distance to the frontier",
    "arena_score_best_setting": "arena score, best setting",
    "aiq": "area under the frontier (AIQ)",
    "aiq_span": "mean height of the frontier",
}
ASSUMED = (
    "The gain divides what a single model of the router's score would cost, on the concave hull of "
    "single models in score against the logarithm of cost, by what the router's calls cost. It takes "
    "list prices for compute, counts every task alike and the decision as free."
)


def cost_section(found: Curves) -> Section:
    """Return the section on what quality costs, with a router and without."""
    prose: list[str] = []
    if found.quality is not None:
        prose += [_quality_words(found.quality), "{figure:cost-quality}", ASSUMED]
    elif found.unpriced:
        prose.append(f"What calls cost is not known here: {found.unpriced}")
    if found.pairs:
        prose += [_pair_words(found.pairs[0]), "{figure:cost-pair}"]
    return Section(
        id="cost",
        title="What quality costs",
        prose=tuple(prose),
        figures=cost_figures(found),
        tables=_tables(found),
    )


def cost_figures(found: Curves) -> tuple[Figure, ...]:
    """Return the pictures: score against cost, and for a pair against the share of strong calls."""
    drawn = []
    name = found.scored.tables[0].name
    if found.quality is not None:
        quality = found.quality
        drawn.append(
            Figure(
                id="cost-quality",
                title=_quality_title(quality),
                subtitle=f"Score of the router less that of {quality.gain.best_single}, over the mean "
                f"cost of 1,000 calls; {quality.costs.words}; dashed: frontier of single models",
                frame=pictures.quality_data(quality),
                chart=lambda: pictures.quality(quality),
                alt="A line with a band for the router over rising cost, points for single models, and the "
                "dashed frontier of these.",
                source=name,
                n=quality.tasks,
                interval=f"Band: {formats.percent(quality.level)}, paired bootstrap over tasks",
            )
        )
    if found.pairs:
        pair = found.pairs[0]
        drawn.append(
            Figure(
                id="cost-pair",
                title=f"Half of {pair.strong}'s lead takes {_calls(pair)} of the calls"
                if pair.is_resolved
                else f"Between {pair.weak} and {pair.strong}, whose lead is not clear of zero",
                subtitle=f"Mean score when prompts go from {pair.weak} to {pair.strong} by predicted gain",
                frame=pictures.pair_data(pair),
                chart=lambda: pictures.pair(pair),
                alt="Mean score against the share of strong calls: the router's curve with its band, "
                "the line of chance, and the bound of known gains.",
                source=name,
                n=pair.n,
                interval=f"Band: {formats.percent(pair.level)} for the lead over chance, bootstrap over "
                f"{pair.unit}",
            )
        )
    return tuple(drawn)


def _quality_title(found: CostQuality) -> str:
    if found.gain.place == "inside":
        return f"A single model as good as the router costs {formats.estimate(found.gain.estimate)} as much"
    side = "above" if found.gain.place == "above" else "below"
    return f"Asked for quality alone, the router scores {side} every single model"


def _quality_words(found: CostQuality) -> str:
    gain, best = found.gain, found.best_single
    headline = (
        f"a single model as good would cost **{formats.estimate(gain.estimate)}** what the router does"
        if gain.place == "inside"
        else gain.reason
    )
    if found.matched is not None:
        headline += (
            "; asked only to match the best single model, with the setting chosen on the other tasks, it "
            f"gains **{found.matched.words}**"
        )
    area = formats.estimate(found.aiq["router"])
    return (
        f"Asked for quality alone the router scores **{formats.number(gain.score)}** at "
        f"{formats.number(CALLS * gain.cost)} {gain.unit} for 1,000 calls; the best single model, "
        f"{gain.best_single}, {formats.number(float(found.single_score[best]))} at "
        f"{formats.number(CALLS * float(found.single_cost[best]))}. By the compute-equivalent gain, "
        f"{headline}. Costs: {found.costs.words}. {found.method[:1].upper()}{found.method[1:]}. The area "
        f"under its frontier is {area}, that of single models "
        f"{formats.number(found.aiq['single models'].value or 0.0)}; it depends on what is compared."
    )


def _calls(pair: PairCurve) -> str:
    value = pair.cpt[0.5].value
    return "an unknown share" if value is None else formats.percent(value)


def _pair_words(pair: PairCurve) -> str:
    return (
        f"Between {pair.weak} and {pair.strong} the router recovers **{formats.estimate(pair.apgr)}** of "
        "the gap on average over shares of strong calls (a random one 0.5), and "
        f"{formats.number(pair.apgr_exact.value or 0)} without bins. Half of the gap takes {_calls(pair)} "
        "of the calls. Means are over prompts, so large tasks weigh more."
    )


def _tables(found: Curves) -> tuple[Table, ...]:
    tables = []
    if found.quality is not None:
        rows = [{**r, "measure": MEASURES[r["measure"]]} for r in found.quality.metric_rows()]
        tables.append(
            Table(
                id="cost-metrics",
                title="Measures of cost and quality",
                columns=METRICS,
                rows=tuple(rows),
                note="AIQ by RouterBench, the arena score by RouterArena, the others by LLMRouterBench; our "
                "scaling of the distance.",
            )
        )
    if found.pairs:
        tables.append(
            Table(
                id="cost-pair-table",
                title="Performance gap recovered, and the strong calls that it takes",
                columns=PAIR,
                rows=tuple(pair.row() for pair in found.pairs),
                note="Binned as in RouteLLM's code. CPT: share of strong calls for a part of the gap.",
            )
        )
    return tuple(tables)
