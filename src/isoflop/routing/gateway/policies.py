"""Policies by the names that clients write: ``auto``, ``auto:NAME`` and ``auto:cost=0.001``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from isoflop.errors import IsoflopError, SettingError, closest
from isoflop.routing.gateway.config import GatewayConfig, PolicySetting
from isoflop.routing.gateway.protocol import ProtocolError, shown
from isoflop.routing.router.decision import Decider

AUTO: Final = "auto"
INLINE: Final = ("cost", "at_least")
"""Policies whose number a client may write; others need the router's prompts to be set up."""
_FORMS: Final = {"cost_aware": "cost", "at_least": "at_least", "budget": "budget"}


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy ready for use.

    Parameters
    ----------
    name : str
    rule : policy or None
        None leaves the router its own, the largest expected score.
    models : tuple of str
        Served models it may choose; empty: all.
    """

    name: str
    rule: Any
    models: tuple[str, ...] = ()


def is_auto(model: str) -> bool:
    """Return whether a model name asks for routing.

    Examples
    --------
    >>> is_auto("auto"), is_auto("auto:thrifty"), is_auto("automatic")
    (True, True, False)
    """
    return model == AUTO or model.startswith("auto:")


class Policies:
    """All policies of a configuration, made for one router and tried once.

    Parameters
    ----------
    config : GatewayConfig
    decider : Decider
    is_routed : bool
        False where no router is loaded: then no policy can weigh quality.

    Raises
    ------
    SettingError
        A policy does not fit the router: no prices, or a budget below the cheapest model.
    """

    def __init__(self, config: GatewayConfig, decider: Decider, *, is_routed: bool) -> None:
        self._default = config.server.policy
        self._is_routed = is_routed
        self._named: Mapping[str, NamedPolicy] = {
            name: _made(name, setting, config, decider, is_routed=is_routed)
            for name, setting in config.policies.items()
        }
        # What clients write is bounded here, so that nobody can fill the memory with numbers.
        self._inline = lru_cache(maxsize=256)(self._read_inline)

    @property
    def names(self) -> tuple[str, ...]:
        """Names as clients write them."""
        return (AUTO, *(f"auto:{name}" for name in self._named))

    def of(self, model: str) -> NamedPolicy:
        """Return the policy of a model name that asks for routing.

        Raises
        ------
        ProtocolError
            404: there is no such policy.
        """
        name = model.partition(":")[2] or self._default
        return self._named.get(name) or self._inline(name)

    def _read_inline(self, text: str) -> NamedPolicy:
        form, sign, _ = text.partition("=")
        if not sign or form not in INLINE or not self._is_routed or len(text) > 40:
            near = closest(text, self._named)
            hint = f"closest is 'auto:{near}'" if near else f"known are {', '.join(self.names)}"
            raise _unknown(f"model: no policy {shown(text)}; {hint}. See GET /v1/models.")
        from isoflop.routing.router.policies import policy_of

        try:
            return NamedPolicy(text, policy_of(text))
        except SettingError as error:
            raise _unknown(f"model: {error}") from None


def _unknown(message: str) -> ProtocolError:
    return ProtocolError(404, message, code="policy_not_found", param="model")


def _made(
    name: str, setting: PolicySetting, config: GatewayConfig, decider: Decider, *, is_routed: bool
) -> NamedPolicy:
    where = f"[policy.{name}]"
    if setting.kind == "quality":
        return NamedPolicy(name, None, setting.models)
    if not is_routed:
        raise SettingError(
            f"{where}: kind {setting.kind!r} weighs expected quality, needs a router. Give --router."
        )
    from isoflop.routing.router.policies import policy_of

    served = setting.models or tuple(config.models)
    known = set(decider.models)
    candidates = [config.models[one].scored_as for one in served if config.models[one].scored_as in known]
    try:
        rule: Any = policy_of(f"{_FORMS[setting.kind]}={setting.value!r}")
        # A budget is turned into an exchange rate on the router's own prompts, once.
        with_policy = getattr(decider, "with_policy", None)
        if setting.kind == "budget" and with_policy is not None:
            rule = with_policy(rule, candidates=candidates).policy
        decider.decide("", policy=rule, candidates=candidates)
    except IsoflopError as error:
        raise SettingError(f"{where}: {error}") from None
    return NamedPolicy(name, rule, setting.models)
