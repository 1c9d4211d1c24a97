"""``isoflop routing fit | route | explain | add-model``: make a router, and ask it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import EvidenceError, SettingError
from isoflop.present.options import Verb, json_option, seed_option
from isoflop.present.parse import Number
from isoflop.routing.commands.options import SCORED, ScoredChoice, scored_options

if TYPE_CHECKING:
    from isoflop.present.chapter import Column
    from isoflop.routing.router.decision import Decision
    from isoflop.routing.router.router import Router

SHOWN = 12
"""Models listed in a terminal; --json has all."""
PROMPT_FIELDS = ("prompt", "text", "input")
"""Names under which a JSON line may hold its prompt."""


def router_option(command: Any) -> Any:
    """Add ``--router FILE``; the command receives ``source``."""
    return click.option(
        "--router",
        "source",
        type=click.Path(path_type=Path),
        required=True,
        metavar="FILE",
        help="Router that `isoflop routing fit --out` wrote.",
    )(command)


def policy_option(command: Any) -> Any:
    """Add ``--policy``."""
    return click.option(
        "--policy",
        metavar="POLICY",
        help="quality, cost=USD_PER_POINT, at_least=SHARE, budget=USD_PER_1000 or cascade=THRESHOLD.  "
        "[default: the router's]",
    )(command)


@click.command(
    "fit", cls=Verb, headings={"Prompts and models": SCORED}, short_help="Fit a router to scored prompts."
)
@scored_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the router there (.npz, no pickles).",
)
@click.option(
    "--encoder",
    default="static",
    show_default=True,
    metavar="NAME",
    help="static, hashed or minilm.",
)
@click.option(
    "--traffic",
    type=click.Choice(["new_tasks", "same_tasks"]),
    default="new_tasks",
    show_default=True,
    help="Prompts to come: of tasks that FILE does not hold, or more of the same.",
)
@policy_option
@click.option("--no-abstain", is_flag=True, help="Follow neighbours even where no gain was shown.")
@click.option("--no-text", is_flag=True, help="Keep identifiers of prompts only, not their texts.")
@seed_option
@json_option
def fit(
    scored: ScoredChoice,
    out: Path | None,
    encoder: str,
    traffic: str,
    policy: str | None,
    no_abstain: bool,
    no_text: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Fit a router to scored prompts, and say whether routing gained where a dataset was left out.

    FILE is a folder or table of scores by prompt; default: the results that ship.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, say
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import cautions_text, page
    from isoflop.routing.router.fit import fit_router
    from isoflop.routing.router.policies import policy_of

    joined = scored.read()
    made = fit_router(
        joined,
        encoder=encoder,
        catalogue=scored.catalogue(),
        policy=policy_of(policy) if policy else None,
        traffic=traffic,  # type: ignore[arg-type]
        abstain=not no_abstain,
        keep_text=not no_text,
        seed=seed,
    )
    if out is not None:
        say(f"wrote {made.save(out)}")
    tables = {
        "models": made.rows(),
        "waterfall": joined.waterfall(),
        "evidence": evidence_rows(*joined.tables),
    }
    emit(
        Document(findings=made.findings(), tables=tables),
        as_json=as_json,
        text=lambda: (
            page(made.summary(), (), (), ("Models", _model_columns(), made.rows()[:SHOWN]))
            + "\n\n"
            + cautions_text(made.cautions)
        ),
    )


@click.command("route", cls=Verb)
@router_option
@click.argument("prompts", type=click.Path(path_type=Path), required=False, metavar="[PROMPTS]")
@policy_option
@click.option("--candidates", metavar="A,B", help="Models that may be chosen.  [default: all]")
@click.option("--explain", is_flag=True, help="Add neighbours, shares of datasets and all scores.")
def route(
    source: Path, prompts: Path | None, policy: str | None, candidates: str | None, explain: bool
) -> None:
    """Choose a model for each prompt: one JSON line in, one out.

    PROMPTS is a file with a prompt a line, or JSON lines with a field prompt; default: stdin. Other fields of
    a JSON line are kept.
    """
    import json

    from isoflop.findings import json_ready
    from isoflop.routing.router.policies import policy_of
    from isoflop.routing.router.save import load_router

    router = load_router(source)
    chosen = router.with_policy(policy_of(policy)) if policy else router
    names = _names(candidates)
    for number, (given, text) in enumerate(read_prompts(prompts), start=1):
        try:
            decision = chosen.decide(text, candidates=names, explain=explain)
        except (EvidenceError, SettingError) as problem:
            raise type(problem)(f"line {number}: {problem}") from problem
        click.echo(json.dumps(json_ready({**given, **_line(decision, explain)}), ensure_ascii=False))


@click.command("explain", cls=Verb, short_help="Say which model a prompt goes to, and why.")
@router_option
@click.argument("text", required=False, metavar="[TEXT]")
@policy_option
@click.option("--candidates", metavar="A,B", help="Models that may be chosen.  [default: all]")
@json_option
def explain(
    source: Path, text: str | None, policy: str | None, candidates: str | None, as_json: bool
) -> None:
    """Say which model a prompt goes to, and why: expected scores, neighbours and shares of datasets.

    TEXT is the prompt; default: stdin.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit
    from isoflop.routing.router.policies import policy_of
    from isoflop.routing.router.save import load_router

    router = load_router(source)
    prompt = sys.stdin.read() if text is None else text
    decision = router.decide(
        prompt,
        policy=policy_of(policy) if policy else None,
        candidates=_names(candidates),
        explain=True,
    )
    tables = {
        "decision": [_line(decision, False)],
        "scores": _score_rows(decision),
        "neighbours": _neighbour_rows(decision),
        "datasets": [{"dataset": name, "share": share} for name, share in decision.dataset_shares.items()],
    }
    emit(
        Document(tables=tables),
        as_json=as_json,
        text=lambda: _explained(router, decision, tables),
    )


@click.command("add-model", cls=Verb, short_help="Add a model to a router, or list prompts to score it on.")
@router_option
@click.argument("model", metavar="MODEL")
@click.argument("scores", type=click.Path(path_type=Path), required=False, metavar="[SCORES]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the new router there.")
@click.option(
    "--anchors",
    type=Number(int, 60),
    metavar="N",
    help="Instead, list N prompts on which to score MODEL.",
)
@click.option("--cost-usd", type=Number(float, 0.001), metavar="USD", help="Expected price of a call.")
@seed_option
@json_option
def add_model(
    source: Path,
    model: str,
    scores: Path | None,
    out: Path | None,
    anchors: int | None,
    cost_usd: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Add a model to a router from its scores on some of the router's prompts; nothing is fitted again.

    SCORES is a table with columns instance_id and score (and model, where it holds several). With --anchors
    the command lists prompts that stand for all, and how far off accuracies from them alone are.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, say
    from isoflop.present.pages import cautions_text, page
    from isoflop.routing.router.change import add_model as added
    from isoflop.routing.router.change import anchors as chosen
    from isoflop.routing.router.save import load_router

    router = load_router(source)
    if anchors is not None:
        if scores is not None:
            raise SettingError("--anchors: lists prompts to score, takes no SCORES. Drop one of them.")
        found = chosen(router, anchors, seed=seed)
        rows = found.frame().to_dicts()
        emit(
            Document(tables={"anchors": rows, "error": [found.error_row()]}),
            as_json=as_json,
            text=lambda: page(found.summary(), (), (), ("Prompts to score", _anchor_columns(), rows)),
        )
        return
    if scores is None or out is None:
        raise SettingError("add-model: needs SCORES and --out FILE, or --anchors N to list prompts to score.")
    made = added(router, model, _scores(scores, model), cost_usd=cost_usd)
    say(f"wrote {made.save(out)}")
    emit(
        Document(findings=made.findings(), tables={"models": made.rows()}),
        as_json=as_json,
        text=lambda: (
            page(made.summary(), (), (), ("Models", _model_columns(), made.rows()[:SHOWN]))
            + "\n\n"
            + cautions_text(made.cautions)
        ),
    )


def read_prompts(path: Path | None) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the other fields of each line and its prompt; empty lines are left out."""
    import json

    if path is None:
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
    elif path.is_file():
        lines = path.open(encoding="utf-8")
    else:
        raise EvidenceError(f"prompts: no file {path}, needs one prompt a line. Check the path.")
    with lines:
        number = 0
        try:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                if not line.lstrip().startswith("{"):
                    yield {}, line.rstrip("\n")
                    continue
                given = json.loads(line)
                name = next((field for field in PROMPT_FIELDS if isinstance(given.get(field), str)), None)
                if name is None:
                    raise EvidenceError(
                        f"prompts: line {number} has no text field {' or '.join(PROMPT_FIELDS)}, needs "
                        "one. Name the prompt so."
                    )
                yield given, given[name]
        except json.JSONDecodeError as problem:
            raise EvidenceError(
                f"prompts: line {number} is no JSON ({problem.msg}, column {problem.colno}), needs an object "
                "a line."
            ) from problem
        except UnicodeDecodeError as problem:
            raise EvidenceError(
                f"prompts: line {number + 1} is not UTF-8 (byte {problem.start}). Convert the file."
            ) from problem


def _scores(path: Path, model: str) -> dict[str, float]:
    """Return the model's score by prompt."""
    import polars as pl

    from isoflop.evidence.read import read_file

    frame = read_file(path)
    for name in ("instance_id", "score"):
        if name not in frame.columns:
            raise EvidenceError(
                f"add-model: column {name!r} not in {path.name} ({', '.join(frame.columns)}). Name it so."
            )
    if "model" in frame.columns:
        frame = frame.filter(pl.col("model").cast(pl.String) == model)
    frame = frame.select(
        pl.col("instance_id").cast(pl.String), pl.col("score").cast(pl.Float64, strict=False)
    )
    if frame.height == 0 or frame["score"].null_count():
        raise EvidenceError(
            f"add-model: {path.name} has {frame.height} rows of {model} and {frame['score'].null_count()} "
            "without a number, needs a score each. Correct the file."
        )
    if frame["instance_id"].n_unique() < frame.height:
        raise EvidenceError(f"add-model: {path.name} names a prompt twice. Average its scores.")
    return dict(zip(frame["instance_id"].to_list(), frame["score"].to_list(), strict=True))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _line(decision: Decision, explained: bool) -> dict[str, Any]:
    """Return a decision as one JSON object."""
    gain = decision.gain
    row: dict[str, Any] = {
        "model": decision.choice,
        "runner_up": decision.runner_up,
        "score": decision.score[decision.choice],
        "gain": gain[0] if gain else None,
        "gain_low": gain[1] if gain else None,
        "gain_high": gain[2] if gain else None,
        "cost_usd": decision.expected_cost_usd.get(decision.choice),
        "reason": decision.reason,
        "why": decision.why,
        "distance": decision.distance,
    }
    if explained:
        row |= {
            "order": list(decision.order),
            "scores": dict(decision.score),
            "dataset_shares": dict(decision.dataset_shares),
            "neighbours": _neighbour_rows(decision),
        }
    return row


def _score_rows(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "model": name,
            "score": decision.score[name],
            "cost_usd": decision.expected_cost_usd.get(name),
        }
        for name in decision.order
    ]


def _neighbour_rows(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "dataset": one.dataset,
            "instance_id": one.instance_id,
            "similarity": one.similarity,
            "text": " ".join(one.text.split())[:160],
        }
        for one in decision.neighbours
    ]


def _explained(router: Router, decision: Decision, tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.present.chapter import Column
    from isoflop.present.pages import cautions_text, page

    models = (
        Column(name="model", label="model"),
        Column(name="score", label="expected score", format="number"),
        Column(name="cost_usd", label="USD", format="number"),
    )
    neighbours = (
        Column(name="similarity", label="similarity", format="number"),
        Column(name="dataset", label="dataset"),
        Column(name="text", label="prompt"),
    )
    datasets = (
        Column(name="dataset", label="dataset"),
        Column(name="share", label="share", format="percent"),
    )
    text = page(
        f"{decision.choice}: {decision.why}",
        (),
        (),
        ("Models, in order", models, tables["scores"][:SHOWN]),
        ("Nearest scored prompts", neighbours, tables["neighbours"]),
        ("Datasets among the neighbours", datasets, tables["datasets"]),
    )
    return text + "\n\n" + cautions_text(router.cautions)


def _model_columns() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="model", label="model"),
        Column(name="prior", label="mean score", format="number"),
        Column(name="best_on", label="best on", format="count"),
        Column(name="cost_usd", label="USD a call", format="number"),
        Column(name="seconds", label="s a call", format="number"),
    )


def _anchor_columns() -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return (
        Column(name="instance_id", label="prompt id"),
        Column(name="dataset", label="dataset"),
        Column(name="prompt", label="text"),
    )
