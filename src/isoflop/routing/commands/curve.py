"""``isoflop routing curve``: what quality costs, with a router and without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.present.options import Verb, figure_option, json_option, seed_option
from isoflop.present.parse import Number, Word
from isoflop.routing.commands.options import SCORED, scored_options

if TYPE_CHECKING:
    from isoflop.present.chapter import Column
    from isoflop.routing.commands.options import ScoredChoice


@click.command(
    cls=Verb, headings={"Prompts and models": SCORED}, short_help="What does quality cost, with a router?"
)
@scored_options
@click.option(
    "--encoder",
    type=Word(("static", "hashed", "minilm")),
    default="static",
    show_default=True,
    help="What turns prompts into vectors.",
)
@click.option(
    "--split",
    type=Word(("random", "lodo")),
    default="random",
    show_default=True,
    help="Judge prompts of benchmarks seen in training, or leave one benchmark out at a time.",
)
@click.option(
    "--pair",
    metavar="WEAK,STRONG",
    help="Two models whose curve is wanted.  [default: where there are just two]",
)
@click.option(
    "--tokens-out",
    type=Number(float, 256),
    metavar="N",
    help="Tokens of an answer where none were counted.  [default: 256]",
)
@click.option(
    "--level",
    type=Number(float, 0.95),
    default=0.95,
    show_default=True,
    help="Level of the intervals, in (0, 1).",
)
@click.option(
    "--reps",
    type=Number(int, 2000),
    default=2000,
    show_default=True,
    help="Draws of the bootstrap over tasks.",
)
@seed_option
@figure_option
@json_option
def curve(
    scored: ScoredChoice,
    encoder: str,
    split: str,
    pair: str | None,
    tokens_out: float | None,
    level: float,
    reps: int,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Draw quality against cost for a router fitted on these results, and measure it.

    FILE holds scores of models on prompts; default: the results that ship.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.present.pages import WATERFALL, page
    from isoflop.routing.chapter.cost import MEASURES, METRICS, PAIR
    from isoflop.routing.cost.find import curve as find_curve
    from isoflop.routing.encoders import encode

    weak, strong = _two(pair)
    results = scored.read()
    encoding = encode(list(results.prompts), encoder)
    found = find_curve(
        results,
        encoding.vectors,
        scored.catalogue(),
        split=split,  # type: ignore[arg-type]
        weak=weak,
        strong=strong,
        tokens_out=tokens_out,
        level=level,
        reps=reps,
        seed=seed,
    )
    tables = {**found.tables(), "waterfall": results.waterfall()}
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.routing.chapter.cost import cost_figures

        draw(figure, cost_figures(found))
    findings = found.findings()
    measured = [{**row, "measure": MEASURES[row["measure"]]} for row in tables["metrics"]]
    singles = [{**row, "cost_of_1000": 1000 * row["cost"]} for row in tables["curve"] if row["model"]]
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: page(
            found.summary(),
            [f for f in findings if f.id.count(".") == 1],
            (),
            ("Single models", _models(found.quality.costs.unit if found.quality else ""), singles),
            ("Measures", METRICS, measured),
            ("The pair", PAIR, tables.get("pair", [])),
            ("Rows", WATERFALL, tables["waterfall"]),
        ),
    )


def _two(pair: str | None) -> tuple[str | None, str | None]:
    from isoflop.errors import SettingError

    if pair is None:
        return None, None
    names = [name.strip() for name in pair.split(",") if name.strip()]
    if len(names) != 2:
        raise SettingError(
            f"--pair: {pair!r}, needs two models. Write the weak one first: --pair small,large"
        )
    return names[0], names[1]


def _models(unit: str) -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="model", label="model"),
        Column(name="score", label="mean score", format="number"),
        Column(name="cost_of_1000", label="cost of 1,000 calls", unit=unit, format="number"),
        Column(name="arena_score", label="arena score", format="number"),
        Column(name="share_of_picks", label="picked", format="percent"),
    )
