"""A local web application over the commands: forms that write command lines, jobs that run them.

``create_app(folder=…)`` is an ASGI application; ``isoflop serve`` runs it. Every result is made by the same
command that a terminal would run, in a process of its own, and the page shows that command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.serve.app import create_app
    from isoflop.serve.job import Job
    from isoflop.serve.jobs import Jobs
    from isoflop.serve.settings import Settings

_HOME = {"Job": "job", "Jobs": "jobs", "Settings": "settings", "create_app": "app"}

__all__ = ["Job", "Jobs", "Settings", "create_app"]

offer(__name__, _HOME)
