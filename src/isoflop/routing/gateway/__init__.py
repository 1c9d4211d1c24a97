"""An endpoint of the OpenAI protocol in front of several models: chooses one, and passes bytes through.

``create_app(config=…, router=…)`` is an ASGI application; ``isoflop routing serve`` runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.routing.gateway.app import create_app
    from isoflop.routing.gateway.config import GatewayConfig
    from isoflop.routing.gateway.config_file import load_config, read_config

_HOME = {
    "GatewayConfig": "config",
    "create_app": "app",
    "load_config": "config_file",
    "read_config": "config_file",
}

__all__ = ["GatewayConfig", "create_app", "load_config", "read_config"]

offer(__name__, _HOME)
