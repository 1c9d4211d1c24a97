"""What is recorded of the computer: enough to judge a timing, nothing that names it."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The computer of a run.

    Parameters
    ----------
    host_hash : str
        Salted digest: equal for runs of one computer, and of no use to find it.
    cpu_model : str
    cpu_count : int
    system : str
    """

    host_hash: str
    cpu_model: str
    cpu_count: int
    system: str


def this_host() -> Host:
    """Return what is recorded of this computer."""
    return Host(
        host_hash=hashlib.sha256((_salt() + platform.node()).encode()).hexdigest()[:12],
        cpu_model=_cpu_model(),
        cpu_count=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
    )


def load_average() -> float | None:
    """Return the load of the last minute, or None where the system keeps none."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def cache_folder() -> Path:
    """Return the folder for catalogues and the host's lock."""
    from platformdirs import user_cache_path

    folder = user_cache_path("isoflop") / "portability"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _salt() -> str:
    path = cache_folder() / "salt"
    if not path.is_file():
        path.write_text(secrets.token_hex(16), encoding="ascii")
    return path.read_text(encoding="ascii")


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
