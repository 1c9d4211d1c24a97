"""What the application allows: sizes, how many jobs at once, and what a job may take."""

from __future__ import annotations

import os
from dataclasses import dataclass

from isoflop.errors import SettingError

MEGABYTE = 1_000_000
GIGABYTE = 1_000 * MEGABYTE
LOOPBACK = "127.0.0.1"


def _share_of_memory() -> int:
    """Return three quarters of the computer's memory in bytes, at least 4 GB."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 * GIGABYTE
    return max(4 * GIGABYTE, 3 * whole // 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits of the application.

    Parameters
    ----------
    host : str
        Address it is served at; decides which names a browser may call it by.
    jobs_at_once : int
        Jobs that run side by side; further ones wait in a queue.
    jobs_waiting : int
        Longest queue; a further job is refused.
    job_seconds : float
        Wall-clock time after which a job is ended.
    job_bytes : int
        Memory of a job, summed over its processes; a job above it is ended.
    job_nice : int
        Added to the nice level of a job, so that the pages stay quick.
    max_upload_bytes : int
        Largest request body.
    rows_shown : int
        Rows of a table on a page; the downloads hold all.

    Raises
    ------
    SettingError
        A limit is not positive.

    Examples
    --------
    >>> Settings(jobs_at_once=1).max_upload_bytes
    100000000
    """

    host: str = LOOPBACK
    jobs_at_once: int = 2
    jobs_waiting: int = 50
    job_seconds: float = 3_600.0
    job_bytes: int = 0
    job_nice: int = 10
    max_upload_bytes: int = 100 * MEGABYTE
    rows_shown: int = 20

    def __post_init__(self) -> None:
        if not self.job_bytes:
            object.__setattr__(self, "job_bytes", _share_of_memory())
        for name in (
            "jobs_at_once",
            "jobs_waiting",
            "job_seconds",
            "job_bytes",
            "max_upload_bytes",
            "rows_shown",
        ):
            if not getattr(self, name) > 0:
                raise SettingError(f"Settings: {name}={getattr(self, name)}, must be > 0. Give a larger one.")
