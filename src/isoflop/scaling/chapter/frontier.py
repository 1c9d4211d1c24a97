"""The frontier: what to train under a budget, by three approaches, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import frontier as pictures

if TYPE_CHECKING:
    from isoflop.scaling.frontier.result import Frontier


def frontier_figures(found: Frontier) -> tuple[Figure, ...]:
    """Return the pictures of one approach."""
    return (ratio_figure((found,)), *((parabola_figure(found),) if found.parabolas else ()))


def ratio_figure(found: Sequence[Frontier]) -> Figure:
    """Return optimal tokens per parameter along compute, one line an approach."""
    first = found[0]
    level = "no interval" if first.ci is None else f"{formats.percent(first.ci.level)} over draws of runs"
    return Figure(
        id="tokens-per-parameter",
        title=f"At {first.at_text}: {formats.estimate(first.tokens_per_param)} per parameter",
        subtitle="Optimal tokens per parameter by training compute; dashed beyond the largest run",
        frame=pictures.ratio_data(found),
        chart=lambda: pictures.ratio(found),
        alt=f"Lines with bands for {len(found)} approaches.",
        source=first.runs.table.name,
        n=first.n,
        interval=f"Bands: {level}",
    )


def parabola_figure(found: Frontier) -> Figure:
    """Return losses against size at fixed budgets, with the minima of approach 2."""
    used = sum(p.log_params is not None for p in found.parabolas)
    return Figure(
        id="parabolas",
        title=f"{used} of {len(found.parabolas)} budgets have a minimum inside the sizes trained",
        subtitle="Loss by parameters at each nominal budget, a parabola in ln N and its vertex",
        frame=pictures.parabolas_data(found),
        chart=lambda: pictures.parabolas(found),
        alt="U-shaped curves whose minima move to larger models with the budget.",
        source=found.runs.table.name,
        n=found.n,
        interval="Vertices have no interval of their own; the line through them has",
    )


def frontier_section(found: Sequence[Frontier], missing: Sequence[str] = ()) -> Section:
    """Return the section on the optimum: the preferred approach first, the others beside it.

    Parameters
    ----------
    found : sequence of Frontier
        The parametric one first.
    missing : sequence of str
        Why an approach has no answer on these runs.
    """
    first = found[0]
    rows = tuple(
        {
            "approach": pictures.APPROACHES[one.approach],
            "n": one.n,
            "a": formats.estimate(one.exponent_a),
            "b": formats.estimate(one.exponent_b),
            "params": formats.estimate(one.optimal_params),
            "tokens": formats.estimate(one.optimal_tokens),
            "ratio": formats.estimate(one.tokens_per_param),
        }
        for one in found
    )
    table = Table(
        id="approaches",
        title=f"Three approaches at {first.at_text}",
        columns=(
            Column(name="approach", label="approach"),
            Column(name="n", label="runs", format="count"),
            Column(name="a", label="a"),
            Column(name="b", label="b"),
            Column(name="params", label="parameters"),
            Column(name="tokens", label="tokens"),
            Column(name="ratio", label="tokens per parameter"),
        ),
        rows=rows,
        note=" ".join(missing),
    )
    prose = [
        f"Under {first.cost.text} with N counted as {first.runs.params} parameters, optimal parameters grow "
        f"as C^a with a = {formats.estimate(first.exponent_a)}. At {first.at_text} the best "
        f"split is {formats.estimate(first.optimal_params)} on {formats.estimate(first.optimal_tokens)}.",
        "{table:approaches}",
    ]
    if first.extrapolation_decades > 0:
        prose[0] += f" That is {first.extrapolation_decades:.1f} decades beyond the largest run."
    if first.replay is not None:
        prose.append(
            "Approach 2, run on noise-free losses of the fitted law at these sizes, gives a = "
            f"{first.replay.a_isoflop:.3f} where the law has {first.replay.a_law:.3f}: a parabola is "
            f"symmetric and the loss is not, so its bias here is {formats.difference(first.replay.bias)}."
        )
    parabolas = [one for one in found if one.parabolas]
    return Section(
        id="frontier",
        title="What to train under a budget",
        prose=tuple(prose),
        figures=(ratio_figure(found), *(parabola_figure(one) for one in parabolas[:1])),
        tables=(table,),
        cautions=_own_doubts(found),
    )


def _own_doubts(found: Sequence[Frontier]) -> tuple[str, ...]:
    """Return the doubts of the further approaches that the first does not have."""
    known = {*found[0].runs.cautions, *found[0].cautions}
    return tuple(dict.fromkeys(c for one in found[1:] for c in one.cautions if c not in known))
