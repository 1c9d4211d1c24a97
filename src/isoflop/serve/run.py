"""Serving: an address that is free, a browser that is opened once it answers, an end that leaves nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import webbrowser
from pathlib import Path

import uvicorn

from isoflop.errors import SettingError
from isoflop.present.console import say
from isoflop.serve.app import create_app
from isoflop.serve.security import is_loopback
from isoflop.serve.settings import Settings

SHUTDOWN_S = 5


def run(*, port: int, folder: Path, evidence: str | None, settings: Settings, browser: bool) -> int:
    """Serve until interrupted, and return the exit code.

    Raises
    ------
    SettingError
        The address cannot be listened at.
    """
    listening = _listen(settings.host, port)
    address = f"http://{_named(settings.host)}:{listening.getsockname()[1]}/"
    place = folder.expanduser().resolve()
    app = create_app(folder=place, evidence=evidence, settings=settings)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=SHUTDOWN_S
    )
    # The socket listens already, so whoever comes before the first answer waits.
    say(f"isoflop is at {address}")
    say(f"Uploads, jobs and reports are kept in {place}. Press Ctrl-C to end.")
    if not is_loopback(settings.host):
        say(
            f"WARNING: {settings.host} can be reached from other computers. Everyone who can open {address} "
            "can run commands here, under your name, and read what you upload. There is no password. Use "
            "127.0.0.1, and a tunnel (ssh -L) from elsewhere."
        )
    elif browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingError(
            f"serve: {host}:{port} cannot be listened at ({error.strerror or error}), needs a free port of "
            "this computer. Choose another one with --port."
        ) from error


def _named(host: str) -> str:
    return {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
