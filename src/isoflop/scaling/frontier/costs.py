"""What a run of N parameters on D tokens costs: the choice that every optimum leans on.

Each model gives C(N, D) and its inverse D(C, N); N may be an array. C in FLOP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from isoflop.errors import EvidenceError, SettingError

if TYPE_CHECKING:
    from isoflop.scaling.model import Array
    from isoflop.scaling.runs import Runs

HEAD_WIDTH_RATIO = 128.0
"""Width over depth of the transformers that `Attention` assumes (Kaplan et al. 2020 find loss flat here)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SixND:
    """C = 6·N·D: forward and backward pass through the weights, nothing else (Kaplan et al. 2020)."""

    unit: ClassVar[str] = "FLOP"

    @property
    def text(self) -> str:
        """The cost model in words."""
        return "C = 6ND"

    def flop(self, params: Array, tokens: Array) -> Array:
        """Return the cost of runs."""
        return np.asarray(6.0 * params * tokens)

    def tokens(self, flop: Array, params: Array) -> Array:
        """Return the tokens that a budget buys at a size."""
        return np.asarray(flop / (6.0 * params))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """C = (6·N + 6·layers·width·context)·D: attention over the context is paid too.

    Parameters
    ----------
    context : float
        Tokens attended to.
    ratio : float
        Width over depth; with N = 12·layers·width² it fixes both.

    Notes
    -----
    Scores and their weighted sum take 4·width·context FLOP a token and layer, half of that under a
    causal mask, and three times as much with the backward pass: 6·layers·width·context.
    """

    unit: ClassVar[str] = "FLOP"
    context: float = 2048.0
    ratio: float = HEAD_WIDTH_RATIO

    def __post_init__(self) -> None:
        if not (self.context > 0 and self.ratio > 0):
            raise SettingError(
                f"Attention: context={self.context}, ratio={self.ratio}, must lie in (0, inf)."
            )

    @property
    def text(self) -> str:
        """The cost model in words."""
        return f"C = (6N + 6·layers·width·{self.context:g})·D, width/layers {self.ratio:g}"

    def _per_token(self, params: Array) -> Array:
        layers = (params / (12.0 * self.ratio**2)) ** (1.0 / 3.0)
        return np.asarray(6.0 * params + 6.0 * layers * (self.ratio * layers) * self.context)

    def flop(self, params: Array, tokens: Array) -> Array:
        """Return the cost of runs."""
        return np.asarray(self._per_token(params) * tokens)

    def tokens(self, flop: Array, params: Array) -> Array:
        """Return the tokens that a budget buys at a size."""
        return np.asarray(flop / self._per_token(params))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """C = 6·N·D + 2·N·T: training, and T tokens of inference over the model's life.

    Source: Sardana et al. (2024), Beyond Chinchilla-optimal.
    """

    unit: ClassVar[str] = "FLOP"
    inference_tokens: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.inference_tokens) and self.inference_tokens >= 0):
            raise SettingError(
                f"Lifetime: inference_tokens={self.inference_tokens}, must lie in [0, inf). "
                "Give the tokens served."
            )

    @property
    def text(self) -> str:
        """The cost model in words."""
        return f"C = 6ND + 2N·{self.inference_tokens:.3g} (training and inference)"

    def flop(self, params: Array, tokens: Array) -> Array:
        """Return the cost of runs."""
        return np.asarray(6.0 * params * tokens + 2.0 * params * self.inference_tokens)

    def tokens(self, flop: Array, params: Array) -> Array:
        """Return the tokens that a budget buys at a size; not above 0 where inference alone exceeds it."""
        return np.asarray((flop - 2.0 * params * self.inference_tokens) / (6.0 * params))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """C = c·N^p·D^q, fitted to a column of the runs: what they really cost, in any unit.

    Parameters
    ----------
    column : str
        Where the cost was measured: seconds, dollars, FLOP.
    log_constant, p, q : float
        By least squares on logarithms.
    """

    column: str
    log_constant: float
    p: float
    q: float

    @property
    def unit(self) -> str:
        """The unit of the column: FLOP where its name says so, else the name itself."""
        return "FLOP" if self.column.endswith("flop") else self.column

    @property
    def text(self) -> str:
        """The cost model in words."""
        return f"C = {np.exp(self.log_constant):.3g}·N^{self.p:.3f}·D^{self.q:.3f}, fitted to {self.column}"

    def flop(self, params: Array, tokens: Array) -> Array:
        """Return the cost of runs."""
        return np.exp(self.log_constant + self.p * np.log(params) + self.q * np.log(tokens))

    def tokens(self, flop: Array, params: Array) -> Array:
        """Return the tokens that a budget buys at a size."""
        return np.exp((np.log(flop) - self.log_constant - self.p * np.log(params)) / self.q)


Cost = SixND | Attention | Lifetime | Measured
COSTS = ("6nd", "attention", "lifetime", "column")
_KINDS: Mapping[str, type[Cost]] = dict(zip(COSTS, (SixND, Attention, Lifetime, Measured), strict=True))


def cost_settings(cost: Cost) -> dict[str, Any]:
    """Return a cost model as plain data, from which `cost_of` makes it again.

    Examples
    --------
    >>> cost_settings(Lifetime(inference_tokens=1e12))
    {'kind': 'lifetime', 'inference_tokens': 1000000000000.0}
    """
    kind = next(name for name, known in _KINDS.items() if isinstance(cost, known))
    return {"kind": kind, **asdict(cost)}


def cost_of(settings: Mapping[str, Any]) -> Cost:
    """Return the cost model of plain data.

    Raises
    ------
    SettingError
        The kind is unknown, or its settings are others.

    Examples
    --------
    >>> cost_of({"kind": "lifetime", "inference_tokens": 1e12}).text
    'C = 6ND + 2N·1e+12 (training and inference)'
    """
    given = dict(settings)
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise SettingError(f"cost_of: kind {kind!r}, must be one of {', '.join(COSTS)}. Name one.")
    try:
        return _KINDS[kind](**given)
    except TypeError:
        raise SettingError(
            f"cost_of: settings {', '.join(given) or 'none'} of kind {kind!r}, which are not its own. Make "
            "the finding again with this version."
        ) from None


def measured(runs: Runs, column: str) -> Measured:
    """Fit the cost model to a column of the runs.

    Raises
    ------
    EvidenceError
        The cost does not rise with tokens on these rows.
    """
    n, d = runs.inputs(("params", "tokens"))
    (cost,) = runs.inputs((column,))
    design = np.column_stack([np.ones_like(n), n, d])
    coefficients, _, rank, _ = np.linalg.lstsq(design, cost, rcond=None)
    if rank < design.shape[1] or coefficients[2] <= 0:
        raise EvidenceError(
            f"frontier: cost in {column} does not rise with tokens at given parameters (rank {rank}, "
            f"exponent {coefficients[2]:.2g}), needs > 0. Use cost='6nd'."
        )
    constant, p, q = (float(v) for v in coefficients)
    return Measured(column=column, log_constant=constant, p=p, q=q)
