"""From results to curves: predict scores out of sample, price the calls, and read quality against cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.routing.cost.pair import PARTS, PairCurve, pair_curve
from isoflop.routing.cost.predict import Predicted, ScorePredictor, Split, predict_scores
from isoflop.routing.cost.prices import CallCosts, call_costs
from isoflop.routing.cost.quality import CostQuality
from isoflop.routing.cost.sweep import cost_quality

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table
    from isoflop.routing.sample import ScoredPrompts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """What quality costs on these results.

    Parameters
    ----------
    scored : ScoredPrompts
    predicted : Predicted
    pairs : tuple of PairCurve
        The two models' curve over all prompts first, then by family of datasets; empty without a pair.
    quality : CostQuality or None
        None where calls cannot be priced; then `unpriced` says why.
    unpriced : str
    """

    scored: ScoredPrompts
    predicted: Predicted
    pairs: tuple[PairCurve, ...]
    quality: CostQuality | None
    unpriced: str

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the result."""
        said = [] if self.quality is None else list(self.quality.cautions)
        said += self.scored.cautions
        said += [caution for pair in self.pairs[:1] for caution in pair.cautions]
        if self.predicted.filled:
            said.append(
                f"{self.predicted.filled} missing scores stood in training as their model's mean. Full "
                "results cure it."
            )
        if self.predicted.split == "random":
            said.append(
                "Other prompts of the same benchmarks were in training: on a new task the router does worse. "
                "See it with --split lodo."
            )
        return tuple(dict.fromkeys(said))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.scored.provenance() if self.quality is None else self.quality.provenance

    def findings(self) -> tuple[Finding, ...]:
        """Return the measures of the pair, the area under the frontier and the compute-equivalent gain."""
        said = [finding for pair in self.pairs for finding in self._of_pair(pair)]
        if self.quality is not None:
            return (*said, *self.quality.findings())
        return (
            *said,
            Finding(
                id="routing.compute_equivalent_gain",
                instrument="routing",
                label="cost of an equally good single model over the cost of the router",
                estimate=Estimate(value=None, unit="×"),
                method="concave hull of single models in (ln cost, score)",
                n=len(self.scored.datasets),
                evidence=self.provenance,
                status="not_identified",
                details={"reason": self.unpriced},
            ),
        )

    def _of_pair(self, pair: PairCurve) -> tuple[Finding, ...]:
        tail = "" if pair is self.pairs[0] else f".{_slug(pair.name)}"
        named: list[tuple[str, str, Estimate]] = [
            ("apgr", "average performance gap recovered", pair.apgr),
            ("apgr.exact", "average performance gap recovered, without bins", pair.apgr_exact),
        ]
        for part in PARTS:
            label = f"share of strong calls that recovers {formats.percent(part)} of the gap"
            named.append((f"cpt_{part * 100:g}", label, pair.cpt[part]))
            named.append((f"cpt_{part * 100:g}.exact", f"{label}, without bins", pair.cpt_exact[part]))
        return tuple(
            Finding(
                id=f"routing.{name}{tail}",
                instrument="routing",
                label=f"{label}: {pair.weak} to {pair.strong}" + (f", {pair.name}" if tail else ""),
                estimate=estimate,
                method=f"{self.predicted.method}; bootstrap of {pair.reps} draws over {pair.unit}",
                n=pair.n,
                evidence=self.scored.provenance(),
                seed=pair.seed,
                cautions=(*self.scored.cautions, *pair.cautions),
                details={
                    "weak": pair.weak,
                    "strong": pair.strong,
                    "weak_score": pair.weak_score,
                    "strong_score": pair.strong_score,
                    "split": self.predicted.split,
                    "random_router": 0.5 if name.startswith("apgr") else None,
                },
            )
            for name, label, estimate in named
        )

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return ``curve``, ``hull``, ``metrics``, and for a pair ``pair`` and ``pair_curve``."""
        found: dict[str, list[dict[str, Any]]] = {"curve": [], "hull": [], "metrics": []}
        if self.quality is not None:
            found = {
                "curve": self.quality.curve_rows(),
                "hull": self.quality.hull_rows(),
                "metrics": self.quality.metric_rows(),
            }
        if self.pairs:
            found["pair"] = [pair.row() for pair in self.pairs]
            found["pair_curve"] = [row for pair in self.pairs for row in pair.curve_rows()]
        return found

    def frame(self) -> pl.DataFrame:
        """Return the curve as a frame: of cost where calls are priced, else of the pair."""
        import polars as pl

        tables = self.tables()
        return pl.DataFrame(tables["curve"] or tables.get("pair_curve", []), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        shown: dict[str, Any] = json_ready(
            {"findings": [f.to_dict() for f in self.findings()], **self.tables(), "unpriced": self.unpriced}
        )
        return shown

    def summary(self) -> str:
        """Return the answer in a few sentences."""
        said = []
        if self.pairs:
            pair = self.pairs[0]
            said.append(
                f"Between {pair.weak} ({formats.number(pair.weak_score)}) and {pair.strong} "
                f"({formats.number(pair.strong_score)}) the router recovers {formats.estimate(pair.apgr)} "
                "of the gap on average over shares of calls (chance: 0.5); half the gap takes "
                f"{formats.percent(pair.cpt[0.5].value or 0.0)} of strong calls."
            )
        if self.quality is not None:
            said.append(self.quality.summary())
        elif self.unpriced:
            said.append(f"Costs are not known: {self.unpriced}")
        return "\n".join(said)

    def __repr__(self) -> str:
        return f"Curves: {self.summary()}"

    _repr_html_ = result_html


def curve(
    scored: ScoredPrompts,
    vectors: NDArray[Any],
    catalogue: Table | None = None,
    *,
    split: Split = "random",
    weak: str | None = None,
    strong: str | None = None,
    tokens_out: float | None = None,
    predictor: ScorePredictor | None = None,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> Curves:
    """Return what quality costs with a router fitted on these results, and without one.

    Parameters
    ----------
    scored : ScoredPrompts
    vectors : array, shape (n, w)
        Vectors of the prompts.
    catalogue : Table, optional
        Prices or sizes, schema ``model_catalogue``; needed where the scores table has no costs.
    split : {"random", "lodo"}
        Whether the prompts judged are of benchmarks seen in training, or of a new one each.
    weak, strong : str, optional
        The pair whose curve is wanted; default where there are just two models.
    tokens_out : float, optional
        Length of an answer where none was counted.
    predictor : ScorePredictor, optional
    level, reps, seed
        Of the bootstrap over tasks.

    Returns
    -------
    Curves

    Raises
    ------
    EvidenceError
        Fewer than two models, vectors that do not fit, or neither a pair nor a price to draw a curve from.
    """
    if len(scored.models) < 2:
        raise EvidenceError("curve: 1 model, needs at least 2 to choose between. Add scores of another.")
    paired = weak is not None or strong is not None or len(scored.models) == 2
    costs, unpriced = _priced(scored, catalogue, tokens_out, needed=not paired)
    predicted = predict_scores(scored, vectors, split=split, predictor=predictor, seed=seed)
    pairs = _pairs(scored, predicted, weak, strong, level, reps, seed) if paired else ()
    quality = None
    if costs is not None:
        quality = cost_quality(
            scored, costs, predicted.score, method=predicted.method, level=level, reps=reps, seed=seed
        )
    return Curves(scored=scored, predicted=predicted, pairs=pairs, quality=quality, unpriced=unpriced)


def apgr(
    scored: ScoredPrompts,
    vectors: NDArray[Any],
    *,
    split: Split = "random",
    weak: str | None = None,
    strong: str | None = None,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> Curves:
    """Return the curve of a pair alone: performance gap recovered, and the calls that it takes.

    Parameters are those of `curve`; nothing is priced.
    """
    predicted = predict_scores(scored, vectors, split=split, seed=seed)
    pairs = _pairs(scored, predicted, weak, strong, level, reps, seed)
    return Curves(
        scored=scored, predicted=predicted, pairs=pairs, quality=None, unpriced="no prices were asked for"
    )


def _priced(
    scored: ScoredPrompts, catalogue: Table | None, tokens_out: float | None, *, needed: bool
) -> tuple[CallCosts | None, str]:
    try:
        return call_costs(scored, catalogue, tokens_out=tokens_out), ""
    except EvidenceError as problem:
        if needed:
            raise
        return None, str(problem)


def _pairs(
    scored: ScoredPrompts,
    predicted: Predicted,
    weak: str | None,
    strong: str | None,
    level: float,
    reps: int,
    seed: int,
) -> tuple[PairCurve, ...]:
    """Return the curve of all prompts, then those of families: datasets alike up to a slash."""
    family = np.array([name.split("/")[0] for name in scored.datasets])[scored.dataset]
    found = [pair_curve(scored, predicted.score, weak=weak, strong=strong, level=level, reps=reps, seed=seed)]
    names = list(dict.fromkeys(family.tolist()))
    if 1 < len(names) < len(scored.datasets):
        found += [
            pair_curve(
                scored,
                predicted.score,
                weak=found[0].weak,
                strong=found[0].strong,
                keep=family == name,
                name=name,
                level=level,
                reps=reps,
                seed=seed,
            )
            for name in names
        ]
    return tuple(found)


def _slug(name: str) -> str:
    return "_".join(part for part in "".join(c if c.isalnum() else " " for c in name.lower()).split())
