"""Running a gateway: one process or several workers, reload on SIGHUP, drained on a stop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import IsoflopError, MissingExtraError, SettingError
from isoflop.routing.gateway.config import GatewayConfig
from isoflop.routing.gateway.config_file import LOOPBACK, load_config
from isoflop.routing.gateway.running import LOG

if TYPE_CHECKING:
    from isoflop.routing.gateway.app import Gateway
    from isoflop.routing.router.decision import Decider

_BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread a worker: two of them for one small product are slower, and workers share the cores."""
_BACKLOG = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What was asked for on the command line; called, it makes the application of one worker.

    Parameters
    ----------
    config_path : str
    router_path : str or None
        None: the cheapest model that can take a request.
    host, port, workers : optional
        Instead of those of the file.
    allow_unauthenticated : bool
        Listen beyond the loopback without a token.
    state_path : str or None
        State that workers share where the file names none.
    """

    config_path: str
    router_path: str | None = None
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    allow_unauthenticated: bool = False
    state_path: str | None = None

    def config(self) -> GatewayConfig:
        """Return the settings of the file, with those of the command line.

        Raises
        ------
        SettingError
            They are wrong, or open the gateway to others without a token.
        """
        config = load_config(self.config_path)
        server = config.server
        server = replace(
            server,
            host=self.host or server.host,
            port=server.port if self.port is None else self.port,
            workers=self.workers or server.workers,
            state_path=server.state_path or self.state_path,
        )
        is_public = server.host not in LOOPBACK
        if is_public and server.token_env is None and not self.allow_unauthenticated:
            raise SettingError(
                f"serve: host {server.host} is reachable by others, needs a token. Set token_env in "
                "[server], or pass --allow-unauthenticated."
            )
        return replace(config, server=server)

    def router(self) -> Decider | None:
        """Return the fitted router, or None where none was named.

        Raises
        ------
        EvidenceError
            The file is no router, or was fitted with another encoder.
        """
        if self.router_path is None:
            return None
        from isoflop.routing.router.save import load_router

        return load_router(self.router_path)

    def reload(self) -> tuple[GatewayConfig, Decider | None]:
        """Read settings and router again."""
        return self.config(), self.router()

    def make(self) -> Gateway:
        """Make the application.

        Raises
        ------
        IsoflopError
            The settings, keys or router are wrong.
        """
        from isoflop.routing.gateway.app import create_app

        return create_app(config=self.config(), router=self.router(), reload=self.reload)

    def __call__(self) -> Gateway:
        """Make the application in a worker, where the log has to be set up again."""
        _log_to_stderr()
        app = self.make()
        _settle()
        return app


def need_packages() -> None:
    """Refuse to go on without the packages of the gateway.

    Raises
    ------
    MissingExtraError
    """
    from importlib.util import find_spec

    lacking = [name for name in ("uvicorn", "orjson", "prometheus_client") if find_spec(name) is None]
    if lacking:
        raise MissingExtraError(
            f"serve: {', '.join(lacking)} not installed. Run: pip install 'isoflop[gateway]'."
        )


def serve(launch: Launch) -> int:
    """Serve until stopped.

    Parameters
    ----------
    launch : Launch

    Returns
    -------
    int
        Exit code: 0 after an orderly stop.

    Raises
    ------
    IsoflopError
        The settings, keys or router are wrong, or the address is taken.
    """
    need_packages()
    _log_to_stderr()
    for name in _BLAS_THREADS:
        os.environ.setdefault(name, "1")
    config = launch.config()
    app = launch.make()
    for caution in app.running.cautions:
        LOG.warning("%s", caution)
    if config.server.workers == 1:
        return _one(app, config)
    # Workers make their own; this one has shown that the settings hold.
    with _shared(launch, config) as shared:
        return _several(shared, config)


def _settle() -> None:
    """Leave what was loaded out of later collections: router and settings live as long as the process."""
    gc.collect()
    gc.freeze()


def _log_to_stderr() -> None:
    if LOG.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def uvicorn_options(config: GatewayConfig) -> dict[str, Any]:
    """Return how uvicorn is to serve: bounded connections, no version in headers, a drained stop."""
    from isoflop.routing.gateway.client_connection import GuardedConnection

    server = config.server
    return {
        "host": server.host,
        "port": server.port,
        "http": GuardedConnection,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "log_level": "warning",
        "backlog": _BACKLOG,
        "timeout_graceful_shutdown": max(1, round(server.drain_s)),
    }


def _one(app: Gateway, config: GatewayConfig) -> int:
    import uvicorn

    settings = uvicorn.Config(app, **uvicorn_options(config))
    listening = _listen(config)
    _settle()
    _announce(config, listening.getsockname()[1])
    server = uvicorn.Server(settings)
    # uvicorn raises the signal again once it has stopped, which would end an orderly stop as a kill.
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with listening:
            server.run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, former)
    return 0 if server.started else 1


def _several(launch: Launch, config: GatewayConfig) -> int:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        """Workers that read their settings again on SIGHUP instead of being restarted."""

        def handle_hup(self) -> None:
            try:
                launch.reload()
            except IsoflopError as error:
                LOG.error("reload refused, the former settings stay: %s", error)
                return
            except Exception as error:
                LOG.error("reload failed, the former settings stay: %s", type(error).__name__)
                return
            for process in self.processes:
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGHUP)

    listening = _listen(config)
    _announce(config, listening.getsockname()[1])
    with listening:
        settings = uvicorn.Config(
            launch, factory=True, workers=config.server.workers, **uvicorn_options(config)
        )
        Workers(settings, sockets=[listening]).run()
    return 0


@contextmanager
def _shared(launch: Launch, config: GatewayConfig) -> Iterator[Launch]:
    """Give workers one state and one set of counters."""
    with tempfile.TemporaryDirectory(prefix="isoflop-gateway-") as folder:
        before = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield replace(launch, state_path=config.server.state_path or str(Path(folder) / "state.sqlite"))
        finally:
            if before is None:
                del os.environ["PROMETHEUS_MULTIPROC_DIR"]
            else:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = before


def _listen(config: GatewayConfig) -> Any:
    import socket

    server = config.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((server.host, server.port))
    except OSError as error:
        found.close()
        raise SettingError(
            f"serve: {server.host}:{server.port}, cannot be listened on ({error.strerror}). "
            "Choose another --port or --host."
        ) from None
    found.listen(_BACKLOG)
    found.set_inheritable(True)
    return found


def _announce(config: GatewayConfig, port: int) -> None:
    host = f"[{config.server.host}]" if ":" in config.server.host else config.server.host
    LOG.info("serving http://%s:%d/v1 with %d worker(s)", host, port, config.server.workers)
