"""Rows that importers make: their types, and how a score is read out of a cell of JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Step

SCORE_TYPES = (
    ("dataset", "text"),
    ("instance_id", "text"),
    ("model", "text"),
    ("score", "number"),
    ("tokens_in", "number"),
    ("tokens_out", "number"),
    ("cost_usd", "number"),
    ("latency_s", "number"),
    ("n_samples", "number"),
    ("metric", "text"),
)
"""Columns of scores that logs can fill."""


def number(cell: Any) -> float | None:
    """Return a cell of JSON as a number; true is 1, and anything that is no finite number is missing.

    Examples
    --------
    >>> number(True), number("0.5"), number(float("nan")), number(None), number("C")
    (1.0, 0.5, None, None, None)
    """
    if isinstance(cell, (bool, int, float, str)):
        try:
            value = float(cell)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    return None


def averaged(found: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Return the means over repeated answers, each over those that have a value, and how many there are.

    Examples
    --------
    >>> averaged([{"score": 1.0, "latency_s": 2.0}, {"score": 0.0, "latency_s": None}])
    {'score': 0.5, 'latency_s': 2.0, 'n_samples': 2.0}
    """
    means: dict[str, float | None] = {}
    for name in found[0]:
        numbers = [value for one in found if (value := one[name]) is not None]
        means[name] = sum(numbers) / len(numbers) if numbers else None
    return means | {"n_samples": float(len(found))}


def frame_of(
    rows: Sequence[Mapping[str, Any]],
    source: str,
    where: str,
    steps: Sequence[Step] = (),
) -> pl.DataFrame:
    """Return rows of scores as a frame with a column ``source``.

    Raises
    ------
    EvidenceError
        There is no row; the message says by which rules they went.
    """
    import polars as pl

    if not rows:
        gone = "; ".join(f"{step.dropped} against the rule that {step.rule}" for step in steps)
        raise EvidenceError(
            f"load: {where}: no sample with a score is left{f' ({gone})' if gone else ''}, needs at least "
            "one. Name another metric or filter, or run the failed samples again."
        )
    kinds: dict[str, type[pl.DataType]] = {
        name: pl.String if kind == "text" else pl.Float64 for name, kind in SCORE_TYPES
    }
    return pl.DataFrame(rows, schema=kinds, orient="row").with_columns(source=pl.lit(source))


def _writable(text: str | None) -> str | None:
    """Return a text with a question mark for each half of a broken character pair, which logs may hold."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()


def texts_of(texts: Mapping[tuple[str, str], Mapping[str, Any]], source: str) -> pl.DataFrame:
    """Return prompts keyed by dataset and instance as a frame with a column ``source``."""
    import polars as pl

    return pl.DataFrame(
        {
            "source": [source] * len(texts),
            "dataset": [dataset for dataset, _ in texts],
            "instance_id": [instance for _, instance in texts],
            "prompt": [_writable(cell["prompt"]) for cell in texts.values()],
        },
        schema=dict.fromkeys(("source", "dataset", "instance_id", "prompt"), pl.String),
    )
