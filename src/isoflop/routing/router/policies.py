"""What to weigh beside quality: rules that turn expected scores and costs into an order of models.

A policy sees, for each candidate, the expected score q in [0, 1] and, where prices are known, the expected
cost of the call in USD. It returns the order; the first is used, the next where that one fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError, closest

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = NDArray[np.float64]
POINT = 0.01
"""A score point."""


class Policy(Protocol):
    """A rule over expected scores and costs."""

    @property
    def needs_costs(self) -> bool:
        """Whether every candidate must have a price."""

    @property
    def needs_seconds(self) -> bool:
        """Whether every candidate must have an expected time."""

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:
        """Return candidates, best first.

        Parameters
        ----------
        score : array, shape (m,), in [0, 1]
            Larger priors already win ties.
        cost_usd, seconds : array, shape (m,)
            NaN where unknown; a policy that needs them is refused before.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The largest expected score, whatever it costs.

    Examples
    --------
    >>> Quality().order(np.array([0.6, 0.7]), np.array([1.0, 9.0]), np.ones(2)).tolist()
    [1, 0]
    """

    needs_costs: bool = False
    needs_seconds: bool = False

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:  # noqa: ARG002
        """Return candidates by score."""
        return np.argsort(-score, kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAware:
    """Score less cost and delay at an exchange rate.

    Parameters
    ----------
    usd_per_point : float, > 0
        USD a call that one score point (0.01) is worth.
    seconds_per_point : float, > 0, optional
        Seconds of waiting that one score point is worth; default: time does not count.

    Examples
    --------
    One point is worth a cent, so ten points do not pay for twenty cents more:

    >>> CostAware(usd_per_point=0.01).order(np.array([0.6, 0.7]), np.array([0.1, 0.3]), np.ones(2)).tolist()
    [0, 1]
    """

    usd_per_point: float
    seconds_per_point: float | None = None

    def __post_init__(self) -> None:
        for name in ("usd_per_point", "seconds_per_point"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SettingError(
                    f"CostAware: {name}={value:g}, must be > 0. A large value is like Quality()."
                )

    @property
    def needs_costs(self) -> bool:
        """Always."""
        return True

    @property
    def needs_seconds(self) -> bool:
        """Only if seconds have a price."""
        return self.seconds_per_point is not None

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:
        """Return candidates by score net of cost."""
        net = score - POINT * cost_usd / self.usd_per_point
        if self.seconds_per_point is not None:
            net = net - POINT * seconds / self.seconds_per_point
        return np.argsort(-net, kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """The cheapest whose expected score is at least a share of the best one's.

    Parameters
    ----------
    share_of_best : float, in (0, 1]

    Examples
    --------
    >>> score, cost = np.array([0.6, 0.5, 0.7]), np.array([2.0, 1.0, 9.0])
    >>> AtLeast(share_of_best=0.8).order(score, cost, np.ones(3)).tolist()
    [0, 2, 1]
    """

    share_of_best: float = 0.95
    needs_costs: bool = True
    needs_seconds: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share_of_best <= 1:
            raise SettingError(
                f"AtLeast: share_of_best={self.share_of_best:g}, must lie in (0, 1]. 0.95 keeps 95 % of "
                "the best expected score."
            )

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:  # noqa: ARG002
        """Return those good enough by cost, then the others by score."""
        short = score < self.share_of_best * score.max()
        return np.lexsort((np.where(short, -score, cost_usd), short))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The best expected score that a mean cost allows.

    The exchange rate of `CostAware` at which the router's own prompts would cost that much, found by
    bisection when the router is made (`bound_to`).

    Parameters
    ----------
    usd_per_1000 : float, > 0
        Mean cost of a thousand calls.
    rate : float, optional
        Score points a USD, once known.
    """

    usd_per_1000: float
    rate: float | None = None
    needs_costs: bool = True
    needs_seconds: bool = False

    def __post_init__(self) -> None:
        if not self.usd_per_1000 > 0:
            raise SettingError(f"Budget: usd_per_1000={self.usd_per_1000:g}, must be > 0. Give a mean cost.")

    def bound_to(self, score: FloatArray, cost_usd: FloatArray) -> Budget:
        """Return the policy with its rate for prompts like these.

        Parameters
        ----------
        score, cost_usd : array, shape (n, m)
            Expected scores and costs of the router's own prompts.

        Raises
        ------
        SettingError
            Even the cheapest model of each prompt costs more.
        """
        allowed = self.usd_per_1000 / 1000

        def mean_cost(rate: float) -> float:
            chosen = np.argmax(score - POINT * rate * cost_usd, axis=1)
            return float(cost_usd[np.arange(chosen.size), chosen].mean())

        least = float(cost_usd.min(axis=1).mean())
        if least > allowed:
            raise SettingError(
                f"Budget: usd_per_1000={self.usd_per_1000:g}, needs at least {1000 * least:.3g} with "
                "these models. Raise it, or add a cheaper model."
            )
        low, high = 0.0, 1.0
        if mean_cost(low) <= allowed:
            return Budget(usd_per_1000=self.usd_per_1000, rate=0.0)
        while mean_cost(high) > allowed:
            high *= 4
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if mean_cost(middle) > allowed else (low, middle)
        return Budget(usd_per_1000=self.usd_per_1000, rate=high)

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:  # noqa: ARG002
        """Return candidates by score net of cost at the rate."""
        if self.rate is None:
            raise SettingError(
                "Budget: no rate yet, needs a router's prompts. Use router.with_policy(Budget(…))."
            )
        return np.argsort(-(score - POINT * self.rate * cost_usd), kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """From the cheapest up, until a verifier is content.

    The order is by cost. Whoever calls the models scores each answer with a verifier and goes on to the next
    while `goes_on` says so; without a verifier score there is no cascade.

    Parameters
    ----------
    threshold : float, in [0, 1]
        Verifier score that ends it.

    Examples
    --------
    >>> Cascade(threshold=0.7).goes_on(0.4), Cascade(threshold=0.7).goes_on(0.9)
    (True, False)
    """

    threshold: float
    needs_costs: bool = True
    needs_seconds: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise SettingError(f"Cascade: threshold={self.threshold:g}, must lie in [0, 1]. 0.7 is a start.")

    def goes_on(self, verifier_score: float) -> bool:
        """Return whether the next model should be asked."""
        return verifier_score < self.threshold

    def order(self, score: FloatArray, cost_usd: FloatArray, seconds: FloatArray) -> NDArray[np.int64]:  # noqa: ARG002
        """Return candidates by cost; of equal cost the better first."""
        return np.lexsort((-score, cost_usd))


_READ: Mapping[str, Callable[[float], Policy]] = {
    "cost": lambda value: CostAware(usd_per_point=value),
    "at_least": lambda value: AtLeast(share_of_best=value),
    "budget": lambda value: Budget(usd_per_1000=value),
    "cascade": lambda value: Cascade(threshold=value),
}
FORMS = ("quality", *(f"{name}=NUMBER" for name in _READ))


def policy_of(text: str) -> Policy:
    """Return the policy that a short text names, as on the command line and in a model name.

    Parameters
    ----------
    text : str
        ``quality``, ``cost=USD_PER_POINT``, ``at_least=SHARE``, ``budget=USD_PER_1000`` or
        ``cascade=THRESHOLD``.

    Raises
    ------
    SettingError
        The text has another form.

    Examples
    --------
    >>> policy_of("at_least=0.9")
    AtLeast(share_of_best=0.9, needs_costs=True, needs_seconds=False)
    """
    name, sign, value = text.strip().partition("=")
    if name == "quality" and not sign:
        return Quality()
    if name not in _READ:
        near = closest(name, ("quality", *_READ))
        raise SettingError(
            f"policy: {text!r}, needs one of {', '.join(FORMS)}." + (f" Did you mean {near}?" if near else "")
        )
    try:
        number = float(value)
    except ValueError:
        raise SettingError(f"policy: {text!r}, needs a number after '='. Write {name}=0.5, say.") from None
    if not np.isfinite(number):
        raise SettingError(f"policy: {text!r}, needs a finite number after '='. Write {name}=0.5, say.")
    return _READ[name](number)


def refuse_unknown(policy: Policy, names: Sequence[str], cost_usd: FloatArray, seconds: FloatArray) -> None:
    """Raise if the policy needs a cost or a time that some candidate lacks.

    Raises
    ------
    SettingError
        It names the models.
    """
    for needed, values, what, cure in (
        (policy.needs_costs, cost_usd, "price", "Give their prices, or leave them out."),
        (policy.needs_seconds, seconds, "time", "Give latency_s in the scores, or leave them out."),
    ):
        lacking = [name for name, value in zip(names, values, strict=True) if not np.isfinite(value)]
        if needed and lacking:
            raise SettingError(
                f"{type(policy).__name__}: no {what} is known for {', '.join(lacking)}, needs one of each. "
                f"{cure}"
            )
