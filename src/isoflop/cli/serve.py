"""``isoflop serve``: the local web application."""

from __future__ import annotations

from pathlib import Path

import click

from isoflop.errors import MissingExtraError, SettingError
from isoflop.present.options import Verb
from isoflop.present.parse import Number

PORT = 8050
_NEEDED = ("starlette", "uvicorn", "python_multipart")


@click.command(
    cls=Verb,
    headings={"Limits": ("jobs", "max_upload", "job_minutes")},
    short_help="Open a local web application over the same commands.",
)
@click.option(
    "--port",
    type=Number(int, PORT),
    default=PORT,
    show_default=True,
    metavar="PORT",
    help="Port; 0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="Address. Others than the loopback let everyone there run commands here.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where uploads, jobs and reports are kept.  [default: a folder of the user's data]",
)
@click.option(
    "--evidence",
    metavar="DIR|embedded",
    help="Folder of public tables, or 'embedded' for the facts that ship; default: as every command.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--jobs",
    type=Number(int, 2),
    default=2,
    show_default=True,
    metavar="N",
    help="Commands that run at once.",
)
@click.option(
    "--max-upload",
    type=Number(float, 100),
    default=100,
    show_default=True,
    metavar="MB",
    help="Largest upload.",
)
@click.option(
    "--job-minutes",
    type=Number(float, 60),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="Time after which a command is ended.",
)
def serve(
    port: int,
    host: str,
    folder: Path | None,
    evidence: str | None,
    no_browser: bool,
    jobs: int,
    max_upload: float,
    job_minutes: float,
) -> int:
    """Open a local web application: the same commands, for those who would rather click than type.

    Every page shows the command line that repeats its result. Nothing leaves this computer.
    """
    _need_packages()
    if not 0 <= port <= 65_535:
        raise SettingError(f"--port: {port}, must lie in [0, 65535]. Write {PORT}, say.")
    from isoflop.evidence import locate
    from isoflop.serve.run import run
    from isoflop.serve.settings import MEGABYTE, Settings

    locate(evidence)
    settings = Settings(
        host=host,
        jobs_at_once=jobs,
        max_upload_bytes=round(max_upload * MEGABYTE),
        job_seconds=60.0 * job_minutes,
    )
    return run(
        port=port,
        folder=folder or _own_folder(),
        evidence=evidence,
        settings=settings,
        browser=not no_browser,
    )


def _need_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"serve: {', '.join(missing).replace('_', '-')} not installed, needed to serve pages. "
            "Run: pip install 'isoflop[serve]'"
        )


def _own_folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("isoflop") / "serve"
