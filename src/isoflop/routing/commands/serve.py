"""``isoflop routing serve``: an OpenAI-compatible endpoint in front of several models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Number

if TYPE_CHECKING:
    from isoflop.routing.gateway.running import Running


@click.command(cls=Verb, short_help="Serve the models behind one OpenAI-compatible endpoint.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="TOML with providers, models, policies and a budget; examples/gateway.toml is one.",
)
@click.option(
    "--router",
    "router_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Router made by fit; without one, auto means the cheapest model that can take a request.",
)
@click.option("--host", metavar="HOST", help="Address, instead of the file's.  [default: 127.0.0.1]")
@click.option(
    "--port", type=Number(int, 8040), metavar="PORT", help="Port, instead of the file's.  [default: 8040]"
)
@click.option(
    "--workers", type=Number(int, 2), metavar="N", help="Processes, instead of the file's.  [default: 1]"
)
@click.option(
    "--allow-unauthenticated",
    is_flag=True,
    help="Listen beyond the loopback although no token is asked for.",
)
@click.option("--check", is_flag=True, help="Check settings, keys and router, print them, and serve nothing.")
@json_option
def serve(
    config_path: Path,
    router_path: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    allow_unauthenticated: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Serve several models behind one OpenAI-compatible endpoint.

    Clients that ask for the model "auto" get the one that the router chooses; any other configured name is
    passed on. Keys come from environment variables only. SIGHUP reads the files again.
    """
    if port is not None and not 0 <= port <= 65_535:
        raise SettingError(f"--port: {port}, must lie in [0, 65535]. Write 8040, say.")
    if workers is not None and not 1 <= workers <= 64:
        raise SettingError(f"--workers: {workers}, must lie in [1, 64]. Write 2, say.")
    if as_json and not check:
        raise SettingError("--json: prints what --check finds, needs it. Add --check.")
    from isoflop.routing.gateway.run import Launch, need_packages
    from isoflop.routing.gateway.run import serve as run

    launch = Launch(
        config_path=str(config_path),
        router_path=None if router_path is None else str(router_path),
        host=host,
        port=port,
        workers=workers,
        allow_unauthenticated=allow_unauthenticated,
    )
    if not check:
        return run(launch)
    need_packages()
    _show(launch.make().running, as_json=as_json)
    return 0


def _show(running: Running, *, as_json: bool) -> None:
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.pages import cautions_text, page

    server, scored = running.config.server, running.scored if running.is_routed else frozenset()
    models = [
        {
            "model": model.name,
            "provider": model.provider,
            "scored": "yes" if model.scored_as in scored else "no",
            "input_usd_per_mtok": model.input_usd_per_mtok,
            "output_usd_per_mtok": model.output_usd_per_mtok,
            "supports": ", ".join(sorted(model.supports)) or None,
        }
        for model in running.config.models.values()
    ]
    tables: dict[str, list[dict[str, Any]]] = {
        "server": [{"host": server.host, "port": server.port, "workers": server.workers}],
        "models": models,
        "names": [{"name": name} for name in running.policies.names],
        "cautions": [{"caution": caution} for caution in running.cautions],
    }
    columns = (
        Column(name="model", label="model"),
        Column(name="provider", label="provider"),
        Column(name="scored", label="scored"),
        Column(name="input_usd_per_mtok", label="USD/M tokens in", format="number"),
        Column(name="output_usd_per_mtok", label="out", format="number"),
        Column(name="supports", label="supports"),
    )
    lead = f"These settings can be served at {server.host}:{server.port}, {server.workers} worker(s)."
    routed = ("Names that ask for routing", (Column(name="name", label="name"),), tables["names"])
    text = page(lead, (), (), ("Models", columns, models), routed)
    emit(Document(tables=tables), as_json=as_json, text="\n\n".join((text, cautions_text(running.cautions))))
