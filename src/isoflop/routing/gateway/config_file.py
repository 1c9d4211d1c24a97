"""Reading a gateway's settings from TOML; what is unknown, doubtful or secret is refused by name."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from isoflop.errors import SettingError, closest
from isoflop.routing.gateway import config_values as values
from isoflop.routing.gateway.config import (
    ENDPOINTS,
    PERIODS,
    SUPPORTS,
    BudgetSetting,
    GatewayConfig,
    PolicySetting,
    Provider,
    ServedModel,
    ServerSettings,
)
from isoflop.routing.gateway.config_values import Read

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SECRETS = re.compile(r"(api_?key|token|secret|password|authorization|bearer)\Z")


def load_config(path: str | os.PathLike[str]) -> GatewayConfig:
    """Read and check a configuration file.

    Parameters
    ----------
    path : path
        TOML with ``[server]``, ``[[provider]]``, ``[[model]]``, ``[policy.NAME]``, ``[budget]``.

    Returns
    -------
    GatewayConfig

    Raises
    ------
    SettingError
        The file cannot be read, is no TOML, or says something that is unknown, out of range, contradictory,
        or secret.
    """
    file = Path(path)
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"gateway: {file}, cannot be read ({error.strerror}). Check the path.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"gateway: {file}, is no TOML: {error}. Correct that line.") from None
    return read_config(written, where=file.name)


def read_config(written: Mapping[str, Any], *, where: str = "gateway") -> GatewayConfig:
    """Check settings given as nested mappings, as TOML gives them.

    Examples
    --------
    >>> config = read_config(
    ...     {
    ...         "provider": [{"name": "local", "base_url": "http://127.0.0.1:8000/v1"}],
    ...         "model": [{"name": "small", "provider": "local"}],
    ...     }
    ... )
    >>> config.models["small"].upstream_name
    'small'
    """
    _known(written, ("server", "provider", "model", "policy", "budget"), where)
    server = ServerSettings(**_section(written.get("server", {}), _SERVER, f"{where}: [server]"))
    providers = {
        one["name"]: Provider(**one) for one in _list(written, "provider", _PROVIDER, ("base_url",), where)
    }
    models = {one["name"]: _model(one) for one in _list(written, "model", _MODEL, ("provider",), where)}
    policies = {"quality": PolicySetting()}
    for name, given in _table(written.get("policy", {}), f"{where}: [policy]").items():
        here = f"{where}: [policy.{name}]"
        values.name(name, f"{here} name")
        if "=" in name:
            raise SettingError(f"{here}: name {name!r}, '=' is kept for auto:cost=0.3. Choose another name.")
        policies[name] = _policy(given, here)
    budget = None
    if "budget" in written:
        here = f"{where}: [budget]"
        budget = BudgetSetting(**_section(written["budget"], _BUDGET, here, needed=("usd",)))
    config = GatewayConfig(
        server=server, providers=providers, models=models, policies=policies, budget=budget
    )
    _agree(config, where)
    return config


# ----------------------------------------------------------------------- one section

_SECONDS = values.number(0.0, 86_400.0, open_below=True)
_PRICE = values.number(0.0, 1e6)

_SERVER: Mapping[str, Read] = {
    "host": values.text,
    "port": values.whole(0, 65_535),
    "workers": values.whole(1, 64),
    "token_env": values.variable,
    "allowed_hosts": values.many(values.text, lambda hosts: tuple(host.lower() for host in hosts)),
    "max_body_bytes": values.whole(1024, 1 << 30),
    "max_concurrent": values.whole(1, 1_000_000),
    "header_timeout_s": _SECONDS,
    "body_timeout_s": _SECONDS,
    "write_timeout_s": _SECONDS,
    "drain_s": _SECONDS,
    "policy": values.name,
    "shadow_model": values.name,
    "system_prompt": values.flag,
    "explain_text": values.flag,
    "sticky": values.flag,
    "session_ttl_s": _SECONDS,
    "max_sessions": values.whole(1, 100_000_000),
    "max_prompt_chars": values.whole(100, 10_000_000),
    "embeddings_cache": values.whole(0, 1_000_000),
    "state_path": values.text,
}
_PROVIDER: Mapping[str, Read] = {
    "name": values.name,
    "base_url": values.url,
    "api_key_env": values.variable,
    "api_key_header": values.header,
    "forward_authorization": values.flag,
    "insecure_http": values.flag,
    "connect_timeout_s": _SECONDS,
    "first_byte_timeout_s": _SECONDS,
    "idle_timeout_s": _SECONDS,
    "total_timeout_s": _SECONDS,
    "max_concurrent": values.whole(1, 1_000_000),
}
_MODEL: Mapping[str, Read] = {
    "name": values.name,
    "provider": values.name,
    "upstream_name": values.text,
    "scored_as": values.text,
    "input_usd_per_mtok": _PRICE,
    "output_usd_per_mtok": _PRICE,
    "context_tokens": values.whole(1, 1_000_000_000),
    "mean_output_tokens": values.whole(1, 1_000_000),
    "supports": values.many(values.word(SUPPORTS), frozenset),
    "endpoints": values.many(values.word(ENDPOINTS), frozenset),
    "fallback": values.many(values.name, tuple),
}
_BUDGET: Mapping[str, Read] = {
    "usd": values.number(0.0),
    "per": values.word(PERIODS),
    "on_exceed": values.word(("refuse", "cheapest")),
}
_POLICY_VALUE: Mapping[str, tuple[str | None, Read]] = {
    "quality": (None, values.flag),
    "cost_aware": ("usd_per_point", values.number(0.0, open_below=True)),
    "at_least": ("share_of_best", values.number(0.0, 1.0)),
    "budget": ("usd_per_1000", values.number(0.0)),
}


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise values.refuse(where, value, "a table", "Write [section] and keys below it.")
    return value


def _known(given: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in given:
        if key in keys:
            continue
        if _SECRETS.search(key.lower()):
            raise SettingError(
                f"{where}: {key!r}, a secret must not be written here. Name an environment variable "
                f"in {'token_env' if 'server' in where else 'api_key_env'}."
            )
        near = closest(key, keys)
        hint = f"closest is {near!r}" if near else f"known are {', '.join(keys)}"
        raise SettingError(f"{where}: unknown key {key!r}; {hint}. Correct or remove it.")


def _section(
    given: Any, readers: Mapping[str, Read], where: str, *, needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    table = _table(given, where)
    _known(table, tuple(readers), where)
    for key in needed:
        if key not in table:
            raise SettingError(f"{where}: no {key!r}, which is needed. Add {key} = ….")
    return {key: readers[key](value, f"{where} {key}") for key, value in table.items()}


def _list(
    written: Mapping[str, Any], kind: str, readers: Mapping[str, Read], needed: tuple[str, ...], where: str
) -> list[dict[str, Any]]:
    given = written.get(kind, [])
    if not isinstance(given, list) or not given:
        raise SettingError(f"{where}: no [[{kind}]], needs at least one. Add a [[{kind}]] section.")
    found: list[dict[str, Any]] = []
    for number, one in enumerate(given, 1):
        label = one.get("name", number) if isinstance(one, Mapping) else number
        here = f"{where}: [[{kind}]] {str(label)[:60]}"
        section = _section(one, readers, here, needed=("name", *needed))
        if any(section["name"] == other["name"] for other in found):
            raise SettingError(f"{here}: written twice, names must differ. Remove or rename one.")
        found.append(section)
    return found


def _model(given: dict[str, Any]) -> ServedModel:
    name = given["name"]
    return ServedModel(**({"upstream_name": name, "scored_as": name} | given))


def _policy(given: Any, where: str) -> PolicySetting:
    table = dict(_table(given, where))
    kind = values.word(tuple(_POLICY_VALUE))(table.pop("kind", "quality"), f"{where} kind")
    key, read = _POLICY_VALUE[kind]
    readers: dict[str, Read] = {"models": values.many(values.name, tuple)} | ({key: read} if key else {})
    section = _section(table, readers, where, needed=(key,) if key else ())
    return PolicySetting(
        kind=kind,
        value=section.get(key) if key else None,
        models=section.get("models", ()),
    )


# ------------------------------------------------------------------ between sections


def _agree(config: GatewayConfig, where: str) -> None:
    for provider in config.providers.values():
        _safe_key(provider, f"{where}: [[provider]] {provider.name}")
    for model in config.models.values():
        here = f"{where}: [[model]] {model.name}"
        _one_of(model.provider, config.providers, f"{here} provider")
        for other in model.fallback:
            _one_of(other, config.models, f"{here} fallback")
        if model.name in model.fallback:
            raise SettingError(f"{here} fallback: names itself. Remove it from the list.")
        if model.name == "auto" or model.name.startswith("auto:"):
            raise SettingError(f"{here}: 'auto' asks for routing. Choose another name.")
        if (model.input_usd_per_mtok is None) != (model.output_usd_per_mtok is None):
            raise SettingError(f"{here}: one price of two. Give input_usd_per_mtok and output_usd_per_mtok.")
    for name, policy in config.policies.items():
        for other in policy.models:
            _one_of(other, config.models, f"{where}: [policy.{name}] models")
    _one_of(config.server.policy, config.policies, f"{where}: [server] policy")
    if config.server.shadow_model is not None:
        _one_of(config.server.shadow_model, config.models, f"{where}: [server] shadow_model")
    if config.budget is not None:
        free = [m.name for m in config.models.values() if m.input_usd_per_mtok is None]
        if free:
            raise SettingError(
                f"{where}: [budget], no price for {', '.join(free)}, needs all. "
                "Give input_usd_per_mtok and output_usd_per_mtok; 0 for a model of your own."
            )


def _one_of(name: str, known: Mapping[str, object], where: str) -> None:
    if name not in known:
        near = closest(name, known)
        hint = f"Did you mean {near!r}?" if near else f"Known are {', '.join(known)}."
        raise SettingError(f"{where}: {name!r}, is not configured. {hint}")


def _safe_key(provider: Provider, where: str) -> None:
    if provider.api_key_env and provider.forward_authorization:
        raise SettingError(f"{where}: api_key_env and forward_authorization exclude each other. Keep one.")
    parts = urlsplit(provider.base_url)
    carries_secret = provider.api_key_env is not None or provider.forward_authorization
    is_plain = parts.scheme == "http" and parts.hostname not in LOOPBACK
    if carries_secret and is_plain and not provider.insecure_http:
        raise SettingError(
            f"{where}: a key would travel over plain http. Use https, or set insecure_http = true "
            "within a network that you trust."
        )


def secret(variable: str, where: str) -> str:
    """Return the value of an environment variable that a configuration names.

    Raises
    ------
    SettingError
        It is not set, is empty, or holds characters that no header can carry.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise SettingError(f"{where}: environment variable {variable} is not set. Set it before starting.")
    if not value.isascii() or not value.isprintable():
        raise SettingError(f"{where}: {variable} holds characters that a header cannot carry. Correct it.")
    return value
