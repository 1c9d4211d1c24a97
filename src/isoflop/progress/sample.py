"""Which rows a fit rests on, and in which order they were chosen.

The published rules depend on order: rows are melted by benchmark, sorted stably by paper and
perplexity, and only then are the first three of each paper kept. Every dropped row is listed
with its rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.present.notebook import result_html
from isoflop.progress.model import Features, Normalisers
from isoflop.stats.exp_sum import Array

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Step, Table
    from isoflop.findings import Provenance

PAPER_BENCHMARKS = ("WT103", "PTB", "WT2")
"""Order of the paper's constants: WikiText-103 is the base."""
PAPER_DROPS = (
    "GPT3-6.7B + muP",
    "LLaMA-65B (LoRA finetuned)",
    "LLaMA-13B (LoRA finetuned)",
    "LLaMA-7B (LoRA finetuned)",
)
VOCABULARY = {"WT103": 268_000.0, "WT2": 33_278.0, "PTB": 10_000.0}
"""Sizes of the benchmarks' own vocabularies, for imputation on request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How rows are chosen. The default is ours; `PAPER_RULES` is the published analysis.

    Parameters
    ----------
    perplexity : {"own", "first"}
        "own": each row carries its own benchmark's value. "first": every row of a system carries
        its value on WT103, else WT2, else PTB, which puts four wrong numbers into the public sample.
    top_per_paper : int or None
        Rows kept of each paper, lowest perplexity first; None keeps all.
    drop_systems : tuple of str
        Systems set aside by name.
    zero_shot, cache : {"keep", "drop"}
        Systems not trained on the benchmark; systems that adapt to the test text.
    level : {"any", "word"}
        Unit of the perplexity; "word" drops token-level and unstated rows.
    adaptation : {"keep", "drop"}
        Dynamic evaluation, cache or retrieval at test time, where the table says so.
    peer_reviewed : bool
        Keep only reviewed papers.
    since : float or None
        Keep only rows published at or after this fractional year.
    need : tuple of {"vocabulary", "epochs", "train_flop"}
        Further fields that must be filled.
    impute_vocabulary, impute_epochs : bool
        Fill a missing vocabulary with its benchmark's own, missing epochs with 1.
    outcome : {"identity", "log", "logit"}
        Transform of the image error before it is fitted; language always uses nats.
    """

    perplexity: Literal["own", "first"] = "own"
    top_per_paper: int | None = 3
    drop_systems: tuple[str, ...] = PAPER_DROPS
    zero_shot: Literal["keep", "drop"] = "keep"
    cache: Literal["keep", "drop"] = "keep"
    level: Literal["any", "word"] = "any"
    adaptation: Literal["keep", "drop"] = "keep"
    peer_reviewed: bool = False
    since: float | None = None
    need: tuple[Literal["vocabulary", "epochs", "train_flop"], ...] = ()
    impute_vocabulary: bool = False
    impute_epochs: bool = False
    outcome: Literal["identity", "log", "logit"] = "identity"

    def __post_init__(self) -> None:
        if self.top_per_paper is not None and self.top_per_paper < 1:
            raise SettingError(f"Rules: top_per_paper={self.top_per_paper}, must be at least 1 or None.")


OWN_RULES = Rules()
PAPER_RULES = Rules(perplexity="first")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sample:
    """The rows of a fit in its order, with what was dropped on the way.

    Parameters
    ----------
    features : Features
    outcome : array, shape (n,)
        What the laws predict: loss in nats per token, or the (transformed) image error.
    clusters : int array, shape (n,)
        Papers, numbered in order of appearance.
    benchmarks : tuple of str
        The first is the base of benchmark constants.
    normalisers : Normalisers
        Minima of this sample.
    frame : polars.DataFrame
        The kept rows with all their columns, in the order of the arrays.
    steps : tuple of Step
        The waterfall, importer's steps included.
    """

    features: Features
    outcome: Array
    clusters: NDArray[np.int64]
    benchmarks: tuple[str, ...]
    normalisers: Normalisers
    task: str
    rules: Rules
    frame: pl.DataFrame
    steps: tuple[Step, ...]
    table: Table
    cautions: tuple[str, ...] = field(default=())

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.outcome)

    @property
    def papers(self) -> int:
        """Number of papers."""
        return int(self.clusters.max()) + 1

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the sample."""
        return (self.table.provenance(self.n),)

    def codes(self, by: str) -> NDArray[np.int64] | None:
        """Return the cluster labels to resample by: the papers, or None for "row".

        Raises
        ------
        SettingError
            `by` is neither "row" nor "paper".
        """
        if by not in ("row", "paper"):
            raise SettingError(
                f"Bootstrap: by={by!r}, must be 'paper' or 'row'. Rows of a paper are not independent."
            )
        return self.clusters if by == "paper" else None

    def rows(self, index: NDArray[np.generic]) -> Sample:
        """Return a sample of some rows that keeps these normalisers and benchmarks."""
        kept = np.arange(self.n)[index]
        _, clusters = np.unique(self.clusters[kept], return_inverse=True)
        return replace(
            self,
            features=self.features.rows(kept),
            outcome=self.outcome[kept],
            clusters=clusters,
            frame=self.frame[kept.tolist()],
        )

    def summary(self) -> str:
        """Return the waterfall as text."""
        lines = [f"{self.table.name}: {self.n} rows of {self.papers} papers on {', '.join(self.benchmarks)}"]
        lines += [f"  {s.kept:>5} {s.unit:<8} {s.rule} ({s.dropped} dropped)" for s in self.steps]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    def waterfall(self) -> list[dict[str, Any]]:
        """Return the steps as rows: rule, unit, kept, dropped, the dropped rows."""
        return [
            {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped, "rows": list(s.rows)}
            for s in self.steps
        ]

    _repr_html_ = result_html


def select(evaluations: Table | Any, *, rules: Rules = OWN_RULES, task: str | None = None) -> Sample:
    """Choose the rows of a fit by stated rules, in the published order.

    Parameters
    ----------
    evaluations : Table
        Schema ``evaluations``, from `isoflop.evidence.load`.
    rules : Rules
    task : {"language", "image_classification"}, optional
        Needed only where a table holds both.

    Raises
    ------
    EvidenceError
        Not a table of evaluations, mixed tasks, or no row left.
    """
    import polars as pl

    from isoflop.evidence.load import accept

    evaluations = accept(evaluations, "evaluations")
    if evaluations.schema != "evaluations":
        raise EvidenceError(
            f"select: {evaluations.name} is a table of {evaluations.schema}, needs evaluations. Load a table "
            "with system, paper, benchmark, publication_date, perplexity, parameters and train_tokens."
        )
    frame = evaluations.frame
    tasks = frame["task"].unique().to_list()
    if task is None and len(tasks) > 1:
        raise EvidenceError(
            f"select: {evaluations.name} mixes the tasks {' and '.join(sorted(tasks))}; one fit needs one. "
            "Choose it: --task language."
        )
    task = task or tasks[0]
    frame = frame.filter(pl.col("task") == task)
    if frame.is_empty():
        raise EvidenceError(
            f"select: {evaluations.name} has no rows of task {task}, it has {' and '.join(sorted(tasks))}. "
            f"Use --task {tasks[0]}."
        )
    language = task == "language"
    data = "train_tokens" if language else "train_images"
    chooser = _Chooser(frame, list(evaluations.steps))
    keep = chooser.keep

    chooser.unit = "records"
    sizes = f"parameters and {data} given"
    if frame["parameters"].null_count() or frame[data].null_count():
        keep(sizes, pl.col("parameters").is_not_null() & pl.col(data).is_not_null())
    keep("included (missing means yes)", pl.col("is_included").fill_null(True))
    keep("not an outlier", ~pl.col("is_outlier").fill_null(False))
    outcome = "perplexity" if language else "top1_error"
    keep(f"at least one {outcome}", pl.col("loss_nats" if language else outcome).is_not_null())
    chooser.unit = "rows"
    chooser.note("one row per benchmark")
    keep("not marked uncertain", ~pl.col("is_uncertain").fill_null(False))
    keep("dated", pl.col("year").is_not_null())
    used = "perplexity_first" if language and rules.perplexity == "first" else outcome
    # where only a loss is given, sorting by it is sorting by perplexity
    chooser.frame = chooser.frame.sort(["paper", used], maintain_order=True)
    keep("not set aside by name", ~pl.col("system").is_in(list(rules.drop_systems)))
    for wanted, rule, condition in _optional_rules(rules):
        if wanted:
            keep(rule, condition)
    if rules.top_per_paper is not None:
        first = pl.int_range(pl.len()).over("paper") < rules.top_per_paper
        keep(f"the {rules.top_per_paper} lowest of each paper", first)

    frame = chooser.frame
    if frame.is_empty():
        last = next(step for step in chooser.steps if step.kept == 0)
        raise EvidenceError(
            f"select: no row of {evaluations.name} passes every rule, needs some; the last {last.dropped} "
            f"{last.unit} fall at {last.rule!r}. Relax that rule, or fill in what it reads."
        )
    y = frame[used].to_numpy().astype(float)
    if language:
        y = np.log(y)
    elif rules.outcome != "identity":
        y = np.log(y) if rules.outcome == "log" else np.log(y / (1 - y))
    return _arrays(evaluations, frame, y, task=task, data=data, rules=rules, steps=tuple(chooser.steps))


def _optional_rules(rules: Rules) -> list[tuple[bool, str, pl.Expr]]:
    import polars as pl

    return [
        (rules.zero_shot == "drop", "trained on the benchmark", pl.col("zero_shot").fill_null(0.0) == 0.0),
        (rules.cache == "drop", "no cache of the test text", ~pl.col("uses_cache").fill_null(False)),
        (rules.level == "word", "word-level perplexity", pl.col("level").fill_null("word") == "word"),
        (
            rules.adaptation == "drop",
            "no adaptation at test time",
            pl.col("adaptation").fill_null("none") == "none",
        ),
        (rules.peer_reviewed, "peer reviewed", pl.col("peer_reviewed").fill_null(False)),
        (rules.since is not None, f"published since {rules.since}", pl.col("year") >= (rules.since or 0.0)),
        (
            "vocabulary" in rules.need and not rules.impute_vocabulary,
            "vocabulary size given",
            pl.col("vocabulary_size").is_not_null(),
        ),
        ("epochs" in rules.need and not rules.impute_epochs, "epochs given", pl.col("epochs").is_not_null()),
        (
            "train_flop" in rules.need,
            "training FLOP stated",
            pl.col("train_flop").is_not_null() & ~pl.col("flop_is_derived"),
        ),
    ]


class _Chooser:
    """Applies rules one after another and writes the waterfall."""

    def __init__(self, frame: pl.DataFrame, steps: list[Step]) -> None:
        self.frame, self.steps = frame, steps
        self.unit: Literal["records", "rows"] = "records"

    def keep(self, rule: str, condition: pl.Expr) -> None:
        """Keep the rows that satisfy the condition and list the others."""
        kept = self.frame.filter(condition)
        dropped = self.frame.filter(~condition)
        self._write(rule, before=self.frame, kept=kept, dropped=dropped)
        self.frame = kept

    def note(self, rule: str) -> None:
        """Write a step that drops nothing."""
        self._write(rule, before=self.frame, kept=self.frame, dropped=self.frame.clear())

    def _write(self, rule: str, *, before: pl.DataFrame, kept: pl.DataFrame, dropped: pl.DataFrame) -> None:
        from isoflop.evidence import Step

        count = (lambda f: int(f["record"].n_unique())) if self.unit == "records" else (lambda f: f.height)
        names = tuple(f"row {r} ({s}): fails {rule!r}" for r, s in dropped.select("record", "system").rows())
        self.steps.append(
            Step(rule=rule, unit=self.unit, kept=count(kept), dropped=count(before) - count(kept), rows=names)
        )


def _arrays(
    table: Table,
    frame: pl.DataFrame,
    y: Array,
    *,
    task: str,
    data: str,
    rules: Rules,
    steps: tuple[Step, ...],
) -> Sample:
    import polars as pl

    names = frame["benchmark"].unique(maintain_order=True).to_list()
    known = [b for b in PAPER_BENCHMARKS if b in names]
    benchmarks = tuple(known + [b for b in names if b not in known])
    code = {name: i for i, name in enumerate(benchmarks)}
    papers: dict[str, int] = {}
    clusters = np.array([papers.setdefault(p, len(papers)) for p in frame["paper"]], np.int64)
    vocabulary = pl.col("vocabulary_size")
    if rules.impute_vocabulary:
        imputed = pl.col("benchmark").replace_strict(VOCABULARY, default=None, return_dtype=pl.Float64)
        vocabulary = pl.coalesce(vocabulary, imputed)
    columns = frame.select(
        pl.col("parameters"),
        pl.col(data).alias("data"),
        pl.col("year"),
        pl.col("epochs").fill_null(1.0),
        vocabulary.log().fill_null(float("nan")).alias("log_vocabulary"),
        pl.col("is_transformer").fill_null(False),
        pl.col("zero_shot").fill_null(0.0),
    )
    array = {name: columns[name].to_numpy().astype(float) for name in columns.columns}
    features = Features(
        parameters=array["parameters"],
        data=array["data"],
        year=array["year"],
        benchmark=np.array([code[b] for b in frame["benchmark"]], np.int64),
        is_transformer=array["is_transformer"] > 0,
        epochs=array["epochs"],
        log_vocabulary=array["log_vocabulary"],
        zero_shot=array["zero_shot"],
    )
    sample = Sample(
        features=features,
        outcome=y,
        clusters=clusters,
        benchmarks=benchmarks,
        normalisers=normalisers_of(features),
        task=task,
        rules=rules,
        frame=frame,
        steps=steps,
        table=table,
    )
    return replace(sample, cautions=(*table.cautions, *_cautions(sample)))


def normalisers_of(features: Features) -> Normalisers:
    """Return the minima of a sample, against which its laws take logarithms."""
    return Normalisers(
        parameters=float(features.parameters.min()),
        data=float(features.data.min()),
        year=float(features.year.min()),
        compute=float((features.parameters * features.data).min()),
    )


def _cautions(sample: Sample) -> list[str]:
    frame, features = sample.frame, sample.features
    said = []
    if sample.n < 30 or sample.papers < 10:
        said.append(
            f"only {sample.n} rows of {sample.papers} papers: intervals are rough below 30 rows or 10 papers."
        )
    counts = np.bincount(sample.clusters)
    if counts.max() > 0.1 * sample.n:
        title = frame["paper"][int(np.argmax(sample.clusters == counts.argmax()))]
        said.append(
            f"one paper holds {counts.max()} of {sample.n} rows ({title!r}): its choices weigh on the result."
        )
    for code, name in enumerate(sample.benchmarks):
        rows = int((features.benchmark == code).sum())
        if rows < 15:
            said.append(f"benchmark {name} has {rows} rows, fewer than 15: its constant is loose.")
    for label, size in (("parameters", features.parameters), ("data", features.data)):
        if np.ptp(size) > 0 and np.ptp(features.year) > 0:
            r = float(np.corrcoef(features.year, np.log(size))[0, 1])
            if abs(r) > 0.8:
                said.append(
                    f"publication year and ln {label} correlate at {r:.2f}: "
                    "time and scale are hard to tell apart."
                )
    derived = float(frame["flop_is_derived"].sum()) / sample.n
    if derived > 0.2:
        said.append(f"training FLOP of {derived:.0%} of the rows is 6·N·D, not stated by its source.")
    if np.ptp(features.year) < 3:
        said.append(
            f"dates span {np.ptp(features.year):.1f} years; below 3 a rate rests on few generations "
            "of systems."
        )
    zero_shot = int((features.zero_shot > 0).sum())
    if zero_shot:
        said.append(
            f"{zero_shot} rows are zero-shot: their data size has nothing to do with the benchmark. "
            "Try --zero-shot drop."
        )
    cached = int(frame["uses_cache"].fill_null(False).sum())
    if cached:
        said.append(f"{cached} rows adapt to the test text through a cache. Try --cache drop.")
    if sample.task == "language" and sample.rules.perplexity == "first":
        borrowed = frame.filter((frame["perplexity"] - frame["perplexity_first"]).abs() > 1e-9)
        if borrowed.height:
            names = ", ".join(f"{s} on {b}" for s, b in borrowed.select("system", "benchmark").rows()[:4])
            said.append(
                f"{borrowed.height} rows carry the perplexity of another benchmark ({names}): "
                "the published rule. Use --perplexity own."
            )
    return said
