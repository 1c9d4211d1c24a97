"""What a gateway counts, for Prometheus: decisions, delays, failures, spending; never text of a prompt.

With several workers ``PROMETHEUS_MULTIPROC_DIR`` must name a folder before this module's classes are made;
``isoflop routing serve`` does so, and ``/metrics`` of any worker then shows all of them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Final

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_DECISION_S: Final = (5e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2)
_ANSWER_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DISTANCE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_BREAKER: Final = {"closed": 0, "half_open": 1, "open": 2}


class Metrics:
    """Counters of one gateway in a registry of their own.

    Notes
    -----
    Labels take names of the configuration, reasons and statuses only, so their number is bounded.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        one: dict[str, Any] = {"registry": self._registry}
        self._decisions = Counter(
            "isoflop_decisions", "Decisions by model and reason.", ["model", "reason"], **one
        )
        self._decision_s = Histogram(
            "isoflop_decision_seconds", "Time to decide.", buckets=_DECISION_S, **one
        )
        self._distance = Histogram(
            "isoflop_prompt_distance",
            "1 - similarity of live prompts to the scored ones: a shift to the right is drift.",
            buckets=_DISTANCE,
            **one,
        )
        self._beyond = Counter(
            "isoflop_prompts_beyond_range",
            "Prompts further off than any scored dataset is from the others: a rising share is drift.",
            **one,
        )
        self._shadow = Counter("isoflop_shadow_choices", "What would have been chosen.", ["model"], **one)
        self._requests = Counter(
            "isoflop_requests",
            "Answers by endpoint, model and status.",
            ["endpoint", "model", "status"],
            **one,
        )
        self._first_byte_s = Histogram(
            "isoflop_upstream_first_byte_seconds",
            "From sending to the first byte of the upstream's answer.",
            ["model"],
            buckets=_ANSWER_S,
            **one,
        )
        self._total_s = Histogram(
            "isoflop_request_seconds",
            "From a request's head to its last byte.",
            ["model"],
            buckets=_ANSWER_S,
            **one,
        )
        self._failures = Counter(
            "isoflop_failed_attempts", "Attempts that failed before the first byte.", ["model"], **one
        )
        self._fallbacks = Counter(
            "isoflop_fallbacks", "Answers by another model than the first.", ["model"], **one
        )
        self._cut = Counter("isoflop_cut_answers", "Answers that broke off.", ["model", "side"], **one)
        self._cost = Counter(
            "isoflop_cost_usd", "Spending; estimated where no usage was sent.", ["model", "basis"], **one
        )
        self._in_flight = Gauge(
            "isoflop_in_flight", "Requests being served.", multiprocess_mode="livesum", **one
        )
        self._breaker = Gauge(
            "isoflop_breaker_state",
            "0 closed, 1 half open, 2 open.",
            ["provider", "model"],
            multiprocess_mode="livemax",
            **one,
        )
        self._reloads = Counter("isoflop_reloads", "Reloads of the configuration.", ["outcome"], **one)
        # Looking a child up by its labels costs more than counting.
        self._decision_of: dict[tuple[str, str], Any] = {}

    def decided(
        self, model: str, reason: str, seconds: float, distance: float, furthest: float = math.inf
    ) -> None:
        """Count a decision; `distance` may be NaN, `furthest` is the largest the router was fitted on."""
        key = (model, reason)
        child = self._decision_of.get(key)
        if child is None:
            child = self._decision_of[key] = self._decisions.labels(model, reason)
        child.inc()
        self._decision_s.observe(seconds)
        if distance == distance:
            self._distance.observe(distance)
        if distance > furthest:
            self._beyond.inc()

    def shadowed(self, model: str) -> None:
        """Count what would have been chosen."""
        self._shadow.labels(model).inc()

    def entered(self) -> None:
        """Count a request in."""
        self._in_flight.inc()

    def left(self) -> None:
        """Count a request out."""
        self._in_flight.dec()

    def answered(self, endpoint: str, model: str, status: int) -> None:
        """Count an answer; `model` is empty where none was chosen."""
        self._requests.labels(endpoint, model, str(status)).inc()

    def first_byte(self, model: str, seconds: float) -> None:
        """Note the delay of an upstream."""
        self._first_byte_s.labels(model).observe(seconds)

    def finished(self, model: str, seconds: float) -> None:
        """Note the time of a whole answer."""
        self._total_s.labels(model).observe(seconds)

    def failed(self, model: str) -> None:
        """Count an attempt that failed."""
        self._failures.labels(model).inc()

    def fell_back(self, model: str) -> None:
        """Count an answer by another model than the first."""
        self._fallbacks.labels(model).inc()

    def cut(self, model: str, side: str) -> None:
        """Count an answer that broke off at the ``client`` or the ``upstream``."""
        self._cut.labels(model, side).inc()

    def spent(self, model: str, usd: float, *, is_estimate: bool) -> None:
        """Add to the spending."""
        self._cost.labels(model, "estimated" if is_estimate else "usage").inc(usd)

    def reloaded(self, *, is_done: bool) -> None:
        """Count a reload."""
        self._reloads.labels("done" if is_done else "refused").inc()

    def page(self, breakers: Mapping[tuple[str, str], str]) -> bytes:
        """Return all counters as Prometheus reads them.

        Parameters
        ----------
        breakers : mapping
            (provider, model) to ``closed``, ``half_open`` or ``open``.
        """
        from prometheus_client import CollectorRegistry, generate_latest

        for (provider, model), state in breakers.items():
            self._breaker.labels(provider, model).set(_BREAKER[state])
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return bytes(generate_latest(self._registry))
        from prometheus_client.multiprocess import MultiProcessCollector

        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return bytes(generate_latest(everyone))
