"""Fetch, verify and keep public files in the user's cache.

A download grows in ``NAME.part`` and takes its place only when size and digest are those of
the register; an interrupted one goes on where it stopped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from isoflop.errors import SourceError
from isoflop.evidence.sources import MIRROR, SHORT, Source, digest_of, source, sources

if TYPE_CHECKING:
    import httpx

CACHE = "ISOFLOP_CACHE"
"""Environment variable that moves the cache, e.g. to a shared disk."""
TIMEOUT_SECONDS = 30.0
_CHUNK = 1 << 16

Progress = Callable[[int, int], None]
State = Literal["verified", "reduced copy", "partial", "changed", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A public file that now lies in the cache, verified."""

    source: Source
    path: Path
    downloaded: bool
    resumed_from: int = 0


def cache_folder() -> Path:
    """Return the folder that `pull` fills: ``ISOFLOP_CACHE``, else the user's cache."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_path("isoflop")) / "evidence"


def pull(
    name: str,
    *,
    base: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Pulled:
    """Download a registered file, verify it and store it; do nothing if it is there already.

    Parameters
    ----------
    name : str
        Name in the register.
    base : str, optional
        Server with the layout ``/owner/name/commit/path``. Default: ``ISOFLOP_MIRROR``, else
        the public one.
    folder : Path, optional
        Root to store in. Default: the cache.
    progress : callable, optional
        Called with (bytes so far, bytes in all).
    timeout : float
        Longest silence of the server in seconds.

    Raises
    ------
    SourceError
        The file cannot be reached, is cut short, or is not the registered one. Nothing that
        failed verification is stored.
    """
    entry = source(name)
    target = (folder or cache_folder()) / entry.local
    if target.is_file() and _is(entry, target):
        return Pulled(source=entry, path=target, downloaded=False)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        resumed = _download(entry, entry.address(base), part, progress, timeout)
        if resumed and not _is(entry, part):
            # The kept beginning may belong to another file: one fresh start settles it.
            part.unlink()
            resumed = _download(entry, entry.address(base), part, progress, timeout)
        _verify(entry, part)
        part.replace(target)
    except PermissionError as error:
        raise SourceError(
            f"data pull {entry.name}: cannot write {target} ({error.strerror}). Set {CACHE}."
        ) from error
    return Pulled(source=entry, path=target, downloaded=True, resumed_from=resumed)


def import_file(path: Path | str, name: str, *, folder: Path | None = None) -> Pulled:
    """Copy a file that was fetched by other means into the cache, after verification.

    Raises
    ------
    SourceError
        The file is absent or is not the registered one.
    """
    entry, given = source(name), Path(path)
    if not given.is_file():
        raise SourceError(f"data import {entry.name}: no file {given}. Check the path.")
    if not _is(entry, given):
        raise SourceError(
            f"data import {entry.name}: {given.name} has {given.stat().st_size} bytes and SHA-256 "
            f"{digest_of(given)[:SHORT]}, needs {entry.bytes} bytes and {entry.sha256[:SHORT]}. "
            f"Fetch {entry.address()}."
        )
    target = (folder or cache_folder()) / entry.local
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(given, part)
    part.replace(target)
    return Pulled(source=entry, path=target, downloaded=False)


def check(names: Iterable[str] | None = None, *, folder: Path | None = None) -> dict[str, State]:
    """Verify the stored files again.

    Returns
    -------
    dict of str to state
        ``verified``, ``reduced copy`` (a known one), ``partial`` (a download stopped),
        ``changed`` or ``absent``.
    """
    root = folder or cache_folder()
    entries = [source(name) for name in names] if names is not None else list(sources().values())
    return {entry.name: _state(entry, root / entry.local) for entry in entries}


def _state(entry: Source, path: Path) -> State:
    if path.is_file():
        digest = digest_of(path)
        if digest == entry.sha256:
            return "verified"
        return "reduced copy" if digest in entry.also_sha256 else "changed"
    return "partial" if path.with_name(f"{path.name}.part").is_file() else "absent"


def _is(entry: Source, path: Path) -> bool:
    return path.stat().st_size == entry.bytes and digest_of(path) == entry.sha256


def _verify(entry: Source, part: Path) -> None:
    size = part.stat().st_size
    if size < entry.bytes:
        raise SourceError(
            f"data pull {entry.name}: {size} of {entry.bytes} bytes arrived, the answer was cut short. "
            "Run the command again; it goes on from there."
        )
    digest = digest_of(part)
    if digest != entry.sha256:
        part.unlink()
        raise SourceError(
            f"data pull {entry.name}: SHA-256 {digest[:SHORT]}, registered {entry.sha256[:SHORT]}: the file "
            "was changed and is not stored. Report it; a copy with the registered digest can be stored with "
            "isoflop data import."
        )


def _download(entry: Source, address: str, part: Path, progress: Progress | None, timeout: float) -> int:
    """Bring `part` to its end; return the byte from which it went on."""
    import httpx

    start = part.stat().st_size if part.is_file() else 0
    if start >= entry.bytes:
        if start == entry.bytes and _is(entry, part):
            return 0
        part.unlink()
        start = 0
    # Bytes must be counted as they lie in the file, so no compression on the way.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=True) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            start = _begin(entry, address, answer, start)
            _append(entry, part, answer, start, progress)
    except httpx.TimeoutException as error:
        raise SourceError(
            f"data pull {entry.name}: no byte for {timeout:g} s from {address}. "
            "Run the command again; it goes on from there."
        ) from error
    except httpx.RemoteProtocolError:
        # The connection closed early; what arrived is kept and judged by its size.
        part.touch()
    except httpx.TransportError as error:
        raise SourceError(
            f"data pull {entry.name}: {address} cannot be reached ({error}). Check the connection, "
            f"set {MIRROR}, or fetch it elsewhere and use isoflop data import."
        ) from error
    return start


def _begin(entry: Source, address: str, answer: httpx.Response, start: int) -> int:
    """Return the byte at which the answer begins; refuse answers that are no file."""
    if start and answer.status_code == 206:
        if answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            return start
        raise SourceError(
            f"data pull {entry.name}: asked for bytes from {start}, came "
            f"{answer.headers.get('Content-Range', 'no range')!r}. Delete the .part file and run it again."
        )
    if answer.status_code == 404:
        raise SourceError(
            f"data pull {entry.name}: 404, {address} is not there. If the repository is gone, "
            "isoflop data import takes a copy that has the registered digest."
        )
    if answer.status_code != 200:
        raise SourceError(
            f"data pull {entry.name}: status {answer.status_code} from {address}, needs 200. Try again later."
        )
    return 0


def _append(entry: Source, part: Path, answer: httpx.Response, start: int, progress: Progress | None) -> None:
    size = start
    with part.open("ab" if start else "wb") as file:
        for chunk in answer.iter_bytes(_CHUNK):
            size += len(chunk)
            if size > entry.bytes:
                break
            file.write(chunk)
            if progress is not None:
                progress(size, entry.bytes)
    if size > entry.bytes:
        part.unlink()
        raise SourceError(
            f"data pull {entry.name}: more than the registered {entry.bytes} bytes came from {answer.url}: "
            "the file was changed and is not stored. Report it."
        )
