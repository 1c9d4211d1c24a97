"""What would each model's answer to each prompt cost? From calls that were paid, prices, or sizes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Provenance
from isoflop.present import formats
from isoflop.routing.catalogue_checks import price_doubts
from isoflop.routing.model import ANSWER_TOKENS, CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
Basis = Literal["paid", "prices", "sizes"]
UNITS: dict[Basis, str] = {"paid": "USD", "prices": "USD", "sizes": "FLOP"}
WORDS: dict[Basis, str] = {
    "paid": "prices paid for the calls",
    "prices": "list prices times tokens",
    "sizes": "2 × parameters × tokens (no prices)",
}
FLOP_PER_PARAMETER_AND_TOKEN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallCosts:
    """Cost of every call.

    Parameters
    ----------
    per_call : array, shape (n, M), > 0
        In USD, or FLOP where only sizes are known; NaN where the call has no score.
    basis : {"paid", "prices", "sizes"}
    as_of : tuple of str
        Days of the prices, as printed; empty where they are undated or none were used.
    cautions : tuple of str
    provenance : tuple of Provenance
    """

    per_call: FloatArray
    basis: Basis
    as_of: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @property
    def unit(self) -> str:
        """USD or FLOP."""
        return UNITS[self.basis]

    @property
    def words(self) -> str:
        """What the costs are made of, with the day of the prices."""
        day = f", of {' and '.join(self.as_of)}" if self.as_of else ""
        undated = ", undated" if self.basis == "prices" and not self.as_of else ""
        return WORDS[self.basis] + day + undated


def call_costs(
    scored: ScoredPrompts,
    catalogue: Table | None = None,
    *,
    tokens_out: float | None = None,
    today: dt.date | None = None,
) -> CallCosts:
    """Return what every call cost, or would cost.

    Taken, in this order, from costs in the scores table, from prices, from sizes. Never mixed: the first
    that covers every model counts.

    Parameters
    ----------
    scored : ScoredPrompts
    catalogue : Table, optional
        Of schema ``model_catalogue``.
    tokens_out : float, optional
        Length of an answer where the scores table has none; default 256.
    today : date, optional
        Against which the age of prices is told; default the current day.

    Returns
    -------
    CallCosts

    Raises
    ------
    EvidenceError
        Neither costs, prices nor sizes cover every model.
    SettingError
        `tokens_out` is not above 0.
    """
    if tokens_out is not None and not tokens_out > 0:
        raise SettingError(f"call_costs: tokens_out={tokens_out:g}, must be above 0. Say 256.")
    present = np.isfinite(scored.score)
    paid = scored.extras.get("cost_usd")
    if paid is not None and np.all(np.isfinite(paid) & (paid > 0) | ~present):
        return CallCosts(per_call=np.where(present, paid, np.nan), basis="paid")
    if catalogue is None:
        raise EvidenceError(
            "call_costs: no cost of a call, price or size is known, needs one of them for every model. "
            "Name a table with columns model, input_usd_per_mtok and output_usd_per_mtok: --prices FILE"
        )
    tokens_in, answers, said = _tokens(scored, tokens_out)
    rows = {row["model"]: row for row in catalogue.frame.iter_rows(named=True)}
    known = [rows.get(name, {}) for name in scored.models]
    evidence = (catalogue.provenance(sum(bool(row) for row in known)),)
    prices = np.array([[_number(r.get(f"{end}_usd_per_mtok")) for r in known] for end in ("input", "output")])
    if np.all(np.isfinite(prices)) and np.all(prices.max(axis=0) > 0):
        cost = (tokens_in * prices[0] + answers * prices[1]) / 1e6
        days = tuple(sorted({str(r["as_of_date"]) for r in known if r.get("as_of_date")}))
        return CallCosts(
            per_call=np.where(present, cost, np.nan),
            basis="prices",
            as_of=days,
            cautions=(*said, *price_doubts(catalogue, scored.models, today=today)),
            provenance=evidence,
        )
    sizes = np.array([_number(r.get("params_active") or r.get("params")) for r in known])
    if np.all(sizes > 0):
        cost = FLOP_PER_PARAMETER_AND_TOKEN * sizes * (tokens_in + answers)
        return CallCosts(
            per_call=np.where(present, cost, np.nan),
            basis="sizes",
            cautions=(
                *said,
                "Costs are parameters times tokens, as not every model has a price: a provider charges "
                "otherwise. A table of prices cures it.",
            ),
            provenance=evidence,
        )
    lacking = [
        n
        for n, p, s in zip(scored.models, prices.T, sizes, strict=True)
        if not (np.isfinite(p).all() or s > 0)
    ]
    named = lacking or [n for n, p in zip(scored.models, prices.T, strict=True) if not np.isfinite(p).all()]
    raise EvidenceError(
        f"call_costs: {catalogue.name} has no price for "
        f"{', '.join(named[:5])}{f' and {len(named) - 5} more' if len(named) > 5 else ''}, needs prices "
        f"of all {len(scored.models)} models, or sizes of all. Add rows under these names, or choose "
        "models with --models."
    )


def _number(cell: float | None) -> float:
    return float("nan") if cell is None else float(cell)


def _tokens(
    scored: ScoredPrompts, tokens_out: float | None
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Return input and output tokens, shape (n, M) or (n, 1), with gaps filled, and what was assumed."""
    said = []
    length = np.array([len(text) for text in scored.prompts], dtype=np.float64)[:, None]
    guessed = np.maximum(1.0, length / CHARACTERS_PER_TOKEN)
    counted_in = scored.extras.get("tokens_in")
    tokens_in = guessed if counted_in is None else np.where(np.isfinite(counted_in), counted_in, guessed)
    if counted_in is None:
        said.append(
            f"Input tokens are the prompt's characters over {CHARACTERS_PER_TOKEN:g}: a guess. Token "
            "counts in the scores table cure it."
        )
    counted_out = scored.extras.get("tokens_out")
    length_out = ANSWER_TOKENS if tokens_out is None else tokens_out
    if counted_out is None or tokens_out is not None:
        said.append(
            f"Every answer is taken to have {formats.number(length_out)} tokens, whichever model gives it: "
            "talkative models cost more. Token counts in the scores table cure it."
        )
        return tokens_in, np.full((scored.n, 1), length_out), tuple(said)
    means = np.array([np.nanmean(c) if np.isfinite(c).any() else length_out for c in counted_out.T])
    return tokens_in, np.where(np.isfinite(counted_out), counted_out, means), tuple(said)
