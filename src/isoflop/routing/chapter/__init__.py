"""Everything that routing says on one body of evidence: numbers filled in, none typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from isoflop import routing
from isoflop.findings import Claim, Finding, Provenance
from isoflop.present import formats
from isoflop.present.chapter import Chapter, Section, headlines_first, once
from isoflop.routing.chapter.cost import cost_section
from isoflop.routing.chapter.evaluation import evaluation_section
from isoflop.routing.chapter.evidence import evidence_section
from isoflop.routing.chapter.selection import selection_section
from isoflop.routing.chapter.shift import shift_section
from isoflop.routing.chapter.shortlist import shortlist_section
from isoflop.routing.chapter.winners import winners_section
from isoflop.routing.claims import CLAIMS, judge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from isoflop.evidence import Library, Table
    from isoflop.present.chapter import Progress
    from isoflop.routing.cost.find import Curves
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.evaluation.result import RoutingEvaluation
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.routing.shortlist.result import Shortlist

LABELS = (0, 2, 5, 10, 20)
COLLECTION = "llmrouter"
"""Collection that the chapter takes where an evidence folder holds it: it may be pulled by anyone."""
FIRST = (
    "routing.selector_score",
    "routing.best_on_average_score",
    "routing.oracle_score",
    "routing.selector_gain",
    "routing.compute_equivalent_gain",
)


class _Result(Protocol):
    """What the chapter reads of every result."""

    @property
    def provenance(self) -> tuple[Provenance, ...]: ...

    def findings(self) -> tuple[Finding, ...]: ...


def chapter(library: Library, *, quick: bool, seed: int, progress: Progress | None) -> Chapter:
    """Return the chapter: what is measured, what choosing gains on new tasks, what it costs.

    Parameters
    ----------
    library : Library
    quick : bool
        Fewer resamples; captions say how many.
    seed : int
        Seed of every draw.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    scored, catalogue = _evidence(library)
    encoder, vectors = _vectors(scored)
    reps = 1000 if quick else 10_000
    _say(progress, "new tasks", 0.2)
    evaluated = replace(
        routing.evaluate(scored, encoder=vectors, labels=LABELS, reps=reps, seed=seed),
        encoder=encoder if isinstance(encoder, str) else f"static vectors, as shipped ({encoder.version})",
    )
    won = routing.winners(scored, seed=seed)
    _say(progress, "away from the benchmarks", 0.5)
    moved = routing.shift(scored, encoder=encoder, vectors=vectors, reps=reps, seed=seed)
    _say(progress, "cost", 0.7)
    priced = _curve(scored, vectors, catalogue, seed)
    fit = routing.fit_shrunken(evaluated.scores.training(None))
    known = _published(seed)
    results: tuple[_Result, ...] = (evaluated, won, moved, priced, known)
    findings = headlines_first(once(f for one in results for f in one.findings()), FIRST)
    claims = judge(findings)
    return Chapter(
        instrument="routing",
        question="Which model for which task, when no one model wins?",
        answer=_answer(findings, evaluated),
        findings=findings,
        claims=claims,
        sections=(
            evidence_section(scored),
            winners_section(won),
            evaluation_section(evaluated),
            selection_section(fit, scored.datasets, scored.tables[0].name, evaluated.label_curve),
            shift_section(moved),
            cost_section(priced),
            shortlist_section(known),
            change_section(claims),
        ),
        methods=_methods(evaluated),
        evidence=tuple(dict.fromkeys(p for one in results for p in one.provenance)),
        tables={
            "waterfall": scored.waterfall(),
            "methods": evaluated.rows(),
            "label_curve": list(evaluated.label_curve),
            "winners": won.rows(),
            "shift": moved.rows(),
            **priced.tables(),
            "shortlist": known.rows(),
            "benchmarks": known.benchmark_rows(),
        },
    )


def _evidence(library: Library) -> tuple[ScoredPrompts, Table | None]:
    """Return the joined results, and sizes and prices: public ones where they are at hand, else ours."""
    from isoflop.evidence.prompt_scores import read_catalogue, read_prompt_scores

    folder = library.find("routing")
    if folder is not None and any(folder.glob("scores.*")):
        prices = folder / "llmrouter_models.json"
        scores, prompts = read_prompt_scores(folder)
        sources = scores.frame["source"].unique().drop_nulls().to_list()
        source = COLLECTION if COLLECTION in sources else min(sources, default=None)
        return routing.join(scores, prompts, source=source), (
            read_catalogue(prices) if prices.is_file() else None
        )
    scores, prompts = (library.table(name) for name in ("measured_model_scores", "measured_prompts"))
    # The shipped catalogue knows the shipped models alone.
    known = scores.kind == "measured" or "measured_models" in library.given
    return routing.join(scores, prompts), library.table("measured_models") if known else None


def _curve(scored: ScoredPrompts, vectors: NDArray[np.float32], catalogue: Table | None, seed: int) -> Curves:
    """Return what quality costs; without the library for words, scores are predicted by vectors alone."""
    from isoflop.errors import MissingExtraError
    from isoflop.routing.cost.predict import ScorePredictor

    weak, strong = _pair(scored, catalogue)
    try:
        return routing.curve(scored, vectors, catalogue, split="lodo", weak=weak, strong=strong, seed=seed)
    except MissingExtraError:
        plain = ScorePredictor(parts=("vectors", "datasets"))
        return routing.curve(
            scored, vectors, catalogue, split="lodo", weak=weak, strong=strong, predictor=plain, seed=seed
        )


def _published(seed: int) -> Shortlist:
    """Return what published scores of base models say; words are hashed without a better encoder."""
    from isoflop.errors import MissingExtraError
    from isoflop.evidence import load

    compared = routing.core(load("model_benchmarks"), load("model_prices"))
    descriptions = load("benchmark_descriptions")
    try:
        return routing.shortlist(compared, descriptions, seed=seed)
    except MissingExtraError:
        return routing.shortlist(compared, descriptions, encoder="hashed", seed=seed)


def _vectors(scored: ScoredPrompts) -> tuple[str | Encoder, NDArray[np.float32]]:
    """Return the encoder and the vectors: those that ship with our own prompts, else made now.

    Without the package of the static encoder, other prompts are encoded by hashing.
    """
    from isoflop.errors import MissingExtraError
    from isoflop.evidence.prompt_vectors import measured_vectors
    from isoflop.routing.encoders import encode
    from isoflop.routing.encoders.own import Own

    if scored.tables[0].kind == "measured":
        kept = measured_vectors()
        vectors = kept.of(scored.prompts)
        shipped = Own(name="shipped", version=kept.version, width=vectors.shape[1])
        return shipped, vectors
    try:
        return "static", encode(scored.prompts, "static").vectors
    except MissingExtraError:
        return "hashed", encode(scored.prompts, "hashed").vectors


def change_section(claims: tuple[Claim, ...]) -> Section:
    """Return the section on what would move each verdict."""
    rules = {rule.id: rule for rule in CLAIMS}
    return Section(
        id="what-would-change",
        title="What would change the answer",
        prose=tuple(f"**{c.text}** {rules[c.id].would_change}" for c in claims),
    )


def _answer(findings: tuple[Finding, ...], evaluated: RoutingEvaluation) -> str:
    known = {f.id: f for f in findings}
    scored = evaluated.scored
    gain = known["routing.selector_gain"]
    whose = scored.tables[0].name
    if scored.tables[0].kind == "measured":
        whose = "a demonstration pool of small local models on the project's own prompts"
    return (
        f"On {whose} ({len(scored.models)} models, {formats.count(scored.n)} prompts of "
        f"{len(scored.datasets)} tasks), choosing by neighbours scores "
        f"**{formats.finding(known['routing.selector_score'])}** on tasks it has not seen: "
        f"**{formats.finding(gain)}** over the best model on average, where the best model of each task "
        "would reach "
        f"{formats.finding(known['routing.oracle_score'])}." + _weak_baseline(known)
    )


def _weak_baseline(known: Mapping[str, Finding]) -> str:
    """Return what to think of a best model on average that is worse than chance, or nothing."""
    average, chance = (
        known[f"routing.{name}_score"].estimate.value for name in ("best_on_average", "random")
    )
    if average is None or chance is None or average >= chance:
        return ""
    return (
        f" Best on average is a weak line here, below a model at random ({formats.number(average)} "
        f"against {formats.number(chance)}): in a pool of specialists a task that is left out takes its "
        "specialist's best score with it."
    )


def _pair(scored: ScoredPrompts, catalogue: Table | None) -> tuple[str, str]:
    """Return a weak and a strong model: the best single one, and the best of those that cost less.

    Where costs are unknown, or nothing costs less, the weak one is the second best.
    """
    import numpy as np

    from isoflop.errors import EvidenceError

    order = np.argsort(-np.nanmean(scored.accuracy, axis=0), kind="stable")
    strong = int(order[0])
    cheaper = order[1:]
    try:
        mean = np.nanmean(routing.call_costs(scored, catalogue).per_call, axis=0)
        cheaper = np.array([m for m in order[1:] if mean[m] < mean[strong]])
    except EvidenceError:
        pass
    weak = int(cheaper[0]) if cheaper.size else int(order[1])
    return scored.models[weak], scored.models[strong]


def _methods(evaluated: RoutingEvaluation) -> tuple[str, ...]:
    return (
        "Every score leaves the whole task out: neighbours, accuracies of predictors, weights and "
        "intervals come from the other tasks, each of them judged without its own labels too.",
        f"Intervals over tasks: {formats.count(evaluated.reps)} paired bootstrap draws; prompts within a "
        "task do not narrow them.",
        "The paper's full text was not read: its abstract is [V], equations and constants are known from "
        "summaries or memory, and each is a setting. The default selector, abstention, posterior and "
        "cost measures are ours [D] or those of the public code named beside them.",
    )


def _say(progress: Progress | None, label: str, fraction: float) -> None:
    if progress is not None:
        progress(label, fraction)
