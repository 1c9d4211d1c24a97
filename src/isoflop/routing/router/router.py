"""A fitted router: which model for this prompt, decided from the scored prompts nearest to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.present.notebook import result_html
from isoflop.routing.means import centred, means_by_dataset
from isoflop.routing.model import CHARACTERS_PER_TOKEN, THRESHOLD
from isoflop.routing.router.decision import Decision, Neighbour
from isoflop.routing.router.local import LocalFit
from isoflop.routing.router.policies import Budget, Policy, refuse_unknown
from isoflop.routing.router.scan import Bank, bank

if TYPE_CHECKING:
    from pathlib import Path

    from isoflop.findings import Finding, Provenance
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.router.result import Routing
    from isoflop.routing.selection.ranking import TaskRanking

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
NEAREST = 50
"""Neighbours that describe a prompt: coarse enough that their votes are not noise."""
LISTED = 5
"""Neighbours shown with a reason."""
TIE = 1e-3
"""Share of the prior that is added to expected scores, so that near ties go to the best on average."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Router:
    """What `fit_router` learned; it decides, and never changes.

    Parameters
    ----------
    models, datasets : tuple of str
        M and D names.
    encoder : Encoder
        Turns text into the vectors of the bank.
    vectors : array of float32, shape (n, width)
        Unit vectors of the scored prompts.
    dataset : array of int, shape (n,)
    score : array of float32, shape (n, M), in [0, 1]
        NaN where a model has no score.
    instance_ids : tuple of str
    texts : tuple of str
        Prompts, or empty where none were kept.
    local : LocalFit
        Weights of neighbours, and what they gained.
    distance_range : tuple of float
        Least and largest mean distance of a dataset to the others: beyond it a prompt is far.
    cost_usd, seconds : array, shape (M,)
        Expected price and time of a call on average; NaN where unknown.
    cost_in_usd_per_token : array, shape (M,)
        Price of an input token; NaN where only the average is known.
    policy : Policy
    settings : mapping
        How it was fitted, JSON-ready.
    provenance : tuple of Provenance
    cautions : tuple of str
    """

    models: tuple[str, ...]
    datasets: tuple[str, ...]
    encoder: Encoder
    vectors: NDArray[np.float32]
    dataset: IntArray
    score: NDArray[np.float32]
    instance_ids: tuple[str, ...]
    texts: tuple[str, ...]
    local: LocalFit
    distance_range: tuple[float, float]
    cost_usd: FloatArray
    seconds: FloatArray
    cost_in_usd_per_token: FloatArray
    policy: Policy
    settings: Mapping[str, Any]
    provenance: tuple[Provenance, ...]
    cautions: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of scored prompts."""
        return int(self.vectors.shape[0])

    @cached_property
    def accuracy(self) -> FloatArray:
        """Mean score on each dataset over the cells present, shape (D, M)."""
        return means_by_dataset(self.score, self.dataset, len(self.datasets))

    @cached_property
    def prior(self) -> FloatArray:
        """Mean accuracy over datasets, shape (M,)."""
        return np.asarray(np.nanmean(self.accuracy, axis=0))

    @cached_property
    def best_on_average(self) -> str:
        """The model with the largest prior."""
        return self.models[int(np.argmax(self.prior))]

    @cached_property
    def _bank(self) -> Bank:
        return bank(self.vectors)

    @cached_property
    def _filled(self) -> NDArray[np.float32]:
        """Scores with missing ones filled by the model's accuracy on the dataset, else its prior."""
        known = np.where(np.isfinite(self.accuracy), self.accuracy, self.prior).astype(np.float32)
        return np.where(np.isfinite(self.score), self.score, known[self.dataset])

    @cached_property
    def known_accuracy(self) -> FloatArray:
        """Accuracies, shape (D, M), with the prior where a model was not run."""
        return np.where(np.isfinite(self.accuracy), self.accuracy, self.prior)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.models)}

    @cached_property
    def _pull(self) -> NDArray[np.float32]:
        """What each scored prompt moves an expected score by as a neighbour, shape (n, M)."""
        mixture = centred(self.known_accuracy)
        towards_dataset = (mixture - centred(self.prior))[self.dataset]
        towards_prompt = centred(self._filled.astype(float)) - mixture[self.dataset]
        return np.asarray(self.local.w * towards_dataset + self.local.v * towards_prompt, dtype=np.float32)

    @cached_property
    def _missed(self) -> float | None:
        """What nine of ten gains missed the expected one by, on datasets left out; None if too few."""
        missed = np.sort(np.abs(self.local.gain - self.local.expected))
        rank = int(np.ceil((missed.size + 1) * 0.9))
        return float(missed[rank - 1]) if rank <= missed.size else None

    @cached_property
    def _everyone(self) -> IntArray:
        return np.arange(len(self.models))

    @cached_property
    def _abstention(self) -> str:
        return (
            f"On datasets left out, neighbours gained {self.local.mean_gain:+.3f} ± "
            f"{self.local.standard_error:.3f}: too little to leave the best model on average."
        )

    @cached_property
    def _input_rate(self) -> FloatArray:
        known = np.isfinite(self.cost_in_usd_per_token)
        return np.where(known, self.cost_in_usd_per_token, 0.0) / CHARACTERS_PER_TOKEN

    @cached_property
    def _priced(self) -> frozenset[int]:
        return frozenset(np.flatnonzero(np.isfinite(self.cost_usd)).tolist())

    @cached_property
    def abstains(self) -> bool:
        """Whether neighbours are left aside, for they did not clearly gain on datasets left out."""
        return self.local.abstains and bool(self.settings.get("abstain", True))

    def nearest(self, vector: NDArray[np.float32], k: int) -> tuple[IntArray, NDArray[np.float32]]:
        """Return the k scored prompts nearest to a unit vector, and their similarities."""
        return self._bank.nearest(vector, k)

    def save(self, path: Path | str, *, keep_text: bool = True) -> Path:
        """Write the router; see `save_router`."""
        from isoflop.routing.router.save import save_router

        return save_router(self, path, keep_text=keep_text)

    def decide(
        self,
        text: str,
        *,
        policy: Policy | None = None,
        candidates: Sequence[str] | None = None,
        explain: bool = False,
    ) -> Decision:
        """Return the decision for one prompt; see `Decider.decide`.

        Raises
        ------
        SettingError
            A candidate is unknown, none is given, or the policy needs a price that is not known.
        """
        places = self._candidates(candidates)
        rule = self.policy if policy is None else self._bound(policy, places)
        if not text.strip():
            return self._without_text(places, rule)
        rows, near = self._bank.nearest(self.encoder.encode_one(text), NEAREST)
        share = np.bincount(self.dataset[rows], minlength=len(self.datasets)) / rows.size
        expected = self._expected(rows)
        cost = self._cost(len(text))
        return self._decision(places, rule, expected, cost, rows, near, share, explain)

    def route(
        self, prompts: Iterable[str], *, policy: Policy | None = None, candidates: Sequence[str] | None = None
    ) -> Routing:
        """Return the decisions for many prompts as one result.

        Raises
        ------
        EvidenceError
            No prompt.
        """
        from isoflop.routing.router.result import Routing

        texts = tuple(prompts)
        if not texts:
            raise EvidenceError("route: no prompt, needs at least one. Give texts.")
        decisions = tuple(self.decide(text, policy=policy, candidates=candidates) for text in texts)
        return Routing(router=self, prompts=texts, decisions=decisions)

    def rank(
        self, prompts: Iterable[str], *, labels: Mapping[tuple[int, str], float] | None = None, seed: int = 0
    ) -> TaskRanking:
        """Return the models for one whole task, given by some of its prompts; see `isoflop.routing.rank`."""
        from isoflop.routing.sample import ScoredPrompts
        from isoflop.routing.selection.ranking import rank

        known = np.isfinite(self.score)
        strict = bool(self.settings.get("strict_threshold", False))
        right = self.score > THRESHOLD if strict else self.score >= THRESHOLD
        scored = ScoredPrompts(
            datasets=self.datasets,
            models=self.models,
            instance_ids=self.instance_ids,
            prompts=self.texts or self.instance_ids,
            dataset=self.dataset,
            score=self.score.astype(float),
            correct=np.where(known, right, np.nan),
            group=np.arange(self.n),
            extras={},
            tables=(),
            cautions=self.cautions,
        )
        return rank(
            scored, tuple(prompts), labels=labels, encoder=self.encoder, vectors=self.vectors, seed=seed
        )

    def with_policy(self, policy: Policy, *, candidates: Sequence[str] | None = None) -> Router:
        """Return the router under another policy; a budget is bound to `candidates`, default all models.

        Raises
        ------
        SettingError
            The policy needs a price or time that is not known, or a budget below the cheapest model.
        """
        return replace(self, policy=self._bound(policy, self._candidates(candidates)))

    def expected_scores(self, rows: IntArray) -> FloatArray:
        """Return the expected scores of the bank's own prompts, their dataset left in, shape (q, M)."""
        return np.stack(
            [self._expected(self._bank.nearest(self.vectors[row], NEAREST + 1)[0][1:]) for row in rows]
        )

    def _expected(self, near: IntArray) -> FloatArray:
        if self.abstains:
            return self.prior
        moved = np.add.reduce(self._pull.take(near, axis=0), axis=0) / near.size
        return np.asarray(np.minimum(np.maximum(self.prior + moved, 0.0), 1.0))

    def _cost(self, characters: int) -> FloatArray:
        """Return the expected price of a call for each model: the average, with this input's length."""
        typical = float(self.settings.get("mean_characters", characters))
        return np.asarray(np.maximum(self.cost_usd + self._input_rate * (characters - typical), 0.0))

    def _candidates(self, names: Sequence[str] | None) -> IntArray:
        if names is None:
            return self._everyone
        for name in names:
            if name not in self._place:
                near = closest(name, self._place)
                raise SettingError(
                    f"route: candidate {name!r} is no model of this router ({', '.join(self.models)})"
                    + (f"; closest is {near!r}." if near else ".")
                    + " Name one of these, or add it with add_model."
                )
        if not names:
            raise SettingError("route: no candidate, needs at least one model. Name some, or none for all.")
        return np.array(sorted({self._place[name] for name in names}))

    def _bound(self, policy: Policy, places: IntArray) -> Policy:
        if isinstance(policy, Budget) and policy.rate is None:
            names = [self.models[at] for at in places]
            refuse_unknown(policy, names, self.cost_usd[places], self.seconds[places])
            rows = np.linspace(0, self.n - 1, min(self.n, 400)).astype(np.int64)
            lengths = [len(self.texts[row]) for row in rows] if self.texts else [None] * rows.size
            cost = np.stack([self.cost_usd if size is None else self._cost(size) for size in lengths])
            return policy.bound_to(self.expected_scores(rows)[:, places], cost[:, places])
        return policy

    def _without_text(self, places: IntArray, rule: Policy) -> Decision:
        expected = self.prior
        found = self._decision(
            places,
            rule,
            expected,
            self.cost_usd,
            np.zeros(0, dtype=np.int64),
            np.zeros(0, dtype=np.float32),
            np.zeros(len(self.datasets)),
            False,
        )
        return replace(
            found, reason="no_text", why="There is no text to route: the order on average.", gain=None
        )

    def _decision(
        self,
        places: IntArray,
        rule: Policy,
        expected: FloatArray,
        cost: FloatArray,
        rows: IntArray,
        near: NDArray[np.float32],
        share: FloatArray,
        explain: bool,
    ) -> Decision:
        score, prior = expected[places], self.prior[places]
        seconds = self.seconds[places]
        if rule.needs_costs or rule.needs_seconds:
            refuse_unknown(rule, [self.models[at] for at in places], cost[places], seconds)
        weighed = score + TIE * prior
        order = rule.order(weighed, cost[places], seconds).tolist()
        chosen, base, best = order[0], int(prior.argmax()), int(weighed.argmax())
        names = [self.models[at] for at in places.tolist()]
        reason, why = self._why(names, chosen, base, best, score, share)
        gain = self._gain(float(score[chosen] - score[base])) if rows.size else None
        return Decision(
            choice=names[chosen],
            order=tuple(names[at] for at in order),
            score=dict(zip(names, score.tolist(), strict=True)),
            reason=reason,
            why=why,
            expected_cost_usd={self.models[at]: float(cost[at]) for at in self._priced.intersection(places)},
            gain=gain,
            neighbours=self._neighbours(rows[:LISTED], near) if explain else (),
            dataset_shares=self._shares(share) if explain else {},
            distance=float(1.0 - near.mean()) if near.size else float("nan"),
        )

    def _why(
        self, names: list[str], chosen: int, base: int, best: int, score: FloatArray, share: FloatArray
    ) -> tuple[str, str]:
        if chosen != best:
            return "policy", (
                f"{names[best]} is expected to score more ({score[best]:.3f} against {score[chosen]:.3f}); "
                "the policy weighs cost."
            )
        if self.abstains:
            return "abstained", self._abstention
        if chosen == base:
            return "best_on_average", "The neighbours give no reason to leave the best model on average."
        most = int(np.argmax(share))
        return "local", (
            f"Like prompts of {self.datasets[most]} ({share[most]:.0%} of the neighbours), where "
            f"{names[chosen]} does better: {score[chosen]:.3f} expected against {score[base]:.3f}."
        )

    def _gain(self, value: float) -> tuple[float, float, float] | None:
        """Return the expected gain with an interval from datasets left out; None if they are too few."""
        if self._missed is None:
            return None
        return value, max(value - self._missed, -1.0), min(value + self._missed, 1.0)

    def _neighbours(self, rows: IntArray, near: NDArray[np.float32]) -> tuple[Neighbour, ...]:
        return tuple(
            Neighbour(
                instance_id=self.instance_ids[row],
                dataset=self.datasets[self.dataset[row]],
                similarity=float(one),
                text=self.texts[row] if self.texts else "",
            )
            for row, one in zip(rows, near, strict=False)
        )

    def _shares(self, share: FloatArray) -> dict[str, float]:
        order = np.argsort(-share, kind="stable")
        return {self.datasets[at]: float(share[at]) for at in order if share[at] > 0}

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a model, best on average first."""
        from isoflop.routing.router.described import router_rows

        return router_rows(self)

    def findings(self) -> tuple[Finding, ...]:
        """Return what routing prompt by prompt gained on datasets left out."""
        from isoflop.routing.router.described import router_findings

        return router_findings(self)

    def summary(self) -> str:
        """Return what the router is, in a few lines."""
        weights = f"weights of neighbours' datasets {self.local.w:.2f}, of neighbours {self.local.v:.2f}"
        gained = f"{self.local.mean_gain:+.4f} ± {self.local.standard_error:.4f}"
        return "\n".join(
            (
                f"Router over {len(self.models)} models from {self.n} prompts of {len(self.datasets)} "
                f"datasets ({self.encoder.id}).",
                f"Best on average: {self.best_on_average}. On datasets left out, routing gained {gained}; "
                f"{weights}.",
                "It abstains: every prompt goes to the best model on average."
                if self.abstains
                else "Prompts near other datasets may go to other models.",
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without vectors and scores."""
        return {
            "models": list(self.models),
            "datasets": list(self.datasets),
            "prompts": self.n,
            "encoder": str(self.encoder.id),
            "best_on_average": self.best_on_average,
            "abstains": self.abstains,
            "w": self.local.w,
            "v": self.local.v,
            "gain": self.local.mean_gain,
            "gain_standard_error": self.local.standard_error,
            "prior": {n: float(p) for n, p in zip(self.models, self.prior, strict=True)},
            "settings": dict(self.settings),
            "cautions": list(self.cautions),
        }

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
