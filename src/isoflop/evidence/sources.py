"""The register of public files: where each lies, its digest, licence and citation."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from isoflop.errors import SourceError, closest

if TYPE_CHECKING:
    from isoflop.evidence.importers.interface import Importer
    from isoflop.findings import EvidenceKind

RAW_FILES = "https://raw.githubusercontent.com"
"""Serves a file of a public repository at ``/owner/name/commit/path``."""
MIRROR = "ISOFLOP_MIRROR"
"""Environment variable that names another server with the same layout."""
SHORT = 12
"""Digits of a digest that messages show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One public file at one commit.

    Parameters
    ----------
    bytes, sha256
        Size and digest that a download must have.
    also_sha256 : tuple of str
        Digests of known reduced copies, which load without a caution.
    local : str
        Place in the cache, and in any evidence folder: ``<instrument>/…``.
    importer : str or None
        Importer that reads the file, where an instrument has one.
    """

    name: str
    instrument: str
    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str
    licence: str
    citation: str
    local: str
    importer: str | None = None
    also_sha256: tuple[str, ...] = ()

    def address(self, base: str | None = None) -> str:
        """Return where to fetch the file: `base`, else ``ISOFLOP_MIRROR``, else the public server."""
        server = (base or os.environ.get(MIRROR) or RAW_FILES).rstrip("/")
        return f"{server}/{self.repository}/{self.commit}/{quote(self.path)}"

    @property
    def citable(self) -> str:
        """Repository, commit and path in one line."""
        return f"{self.repository}@{self.commit[:7]} {self.path}"


@cache
def sources() -> dict[str, Source]:
    """Return the register by name."""
    text = (files("isoflop.evidence") / "sources.toml").read_text(encoding="utf-8")
    return {
        name: Source(name=name, **{**entry, "also_sha256": tuple(entry.get("also_sha256", ()))})
        for name, entry in tomllib.loads(text).items()
    }


def source(name: str) -> Source:
    """Return one entry; hyphens and underscores count as the same.

    Raises
    ------
    SourceError
        No entry has that name; the closest is proposed.
    """
    known = {_fold(key): entry for key, entry in sources().items()}
    if _fold(name) in known:
        return known[_fold(name)]
    near = closest(name, sources())
    raise SourceError(
        f"data: {name!r} is no registered source"
        + (f"; closest is '{near}'." if near else ".")
        + " List them with isoflop data list."
    )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def origin(path: Path, importer: Importer) -> tuple[EvidenceKind, str, tuple[str, ...]]:
    """Say where a recognised public file comes from.

    Returns
    -------
    kind : {"pulled", "own"}
        ``pulled`` where every registered file of the layout has a known digest.
    source : str
        Repository, commit and path, or the path as given.
    cautions : tuple of str
        One for each file that differs from its registered digest, with both digests.
    """
    known = sources().values()
    own = [entry for entry in known if entry.importer == importer.name]
    beside = [entry for entry in known if entry.importer in importer.joins]
    entries = own + beside if own or importer.folder_only else []
    by_name = len(entries) > 1 or importer.shared_header
    found = [(entry, path.parent / Path(entry.local).name if by_name else path) for entry in entries]
    found = [(entry, file) for entry, file in found if file.is_file()]
    if importer.shared_header:
        found = [(entry, file) for entry, file in found if file == path]
    digests = {entry.name: digest_of(file) for entry, file in found}
    different = tuple(
        f"{file.name} differs from the registered {entry.name}: SHA-256 {digests[entry.name][:SHORT]}, "
        f"registered {entry.sha256[:SHORT]}. Fetch that one with isoflop data pull {entry.name}."
        for entry, file in found
        if digests[entry.name] not in (entry.sha256, *entry.also_sha256)
    )
    if not found or different:
        return "own", str(path), different
    first = found[0][0]
    reduced = "" if digests[first.name] == first.sha256 else " (reduced copy)"
    return "pulled", f"{first.citable}{reduced}", ()


def _fold(name: str) -> str:
    return name.lower().replace("_", "-")
