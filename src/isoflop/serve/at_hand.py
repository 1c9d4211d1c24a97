"""Everything that a file field can choose: tables known by name, uploads, and what earlier jobs made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import EMBEDDED, IMPORTERS, Library, locate
from isoflop.evidence.location import PUBLIC_TABLES
from isoflop.evidence.read import read_file
from isoflop.serve.jobs import Jobs
from isoflop.serve.tables import recognised, schema_of
from isoflop.serve.uploads import Upload, Uploads
from isoflop.serve.verbs import OUTPUTS
from isoflop.serve.words import Source

TABLE: Final = "table:"
UPLOAD: Final = "upload:"
MADE: Final = "made:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing that a file field can be set to.

    Parameters
    ----------
    value : str
        What the form sends.
    label : str
    schema : str
        The table it is, where that is known.
    """

    value: str
    label: str
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """What one application can read.

    Parameters
    ----------
    uploads : Uploads
    jobs : Jobs
    evidence : str or None
        As given to the application.
    """

    uploads: Uploads
    jobs: Jobs
    evidence: str | None

    @property
    def library(self) -> Library:
        """Return the tables known by name."""
        return locate(self.evidence)

    def tables(self) -> tuple[Choice, ...]:
        """Return the tables known by name: those that ship, then the public ones that are here."""
        library = self.library
        shipped = [
            Choice(value=TABLE + one.name, label=one.name, schema=one.schema) for one in EMBEDDED.values()
        ]
        public = [
            Choice(value=TABLE + name, label=name, schema=public_schema(name, place))
            for name, relative in PUBLIC_TABLES.items()
            if (place := library.find(relative)) is not None
        ]
        return (*shipped, *public)

    def files(self) -> tuple[Choice, ...]:
        """Return uploads, then what finished jobs made for other commands to read."""
        sent = [
            Choice(
                value=UPLOAD + one.id, label=f"{one.name} (uploaded {one.created.astimezone():%d %b %H:%M})"
            )
            for one in self.uploads.all()
        ]
        made = [
            Choice(
                value=f"{MADE}{job.id}/{name}",
                label=f"{name} of {job.title} ({job.created.astimezone():%d %b %H:%M})",
            )
            for job in self.jobs.all()
            if job.state == "done" and len(job.verb) == 2
            for name in OUTPUTS.get((job.verb[0], job.verb[1]), {}).values()
            if (job.folder / name).exists()
        ]
        return (*sent, *made)

    def find(self, value: str) -> Source:
        """Return what a choice stands for.

        Raises
        ------
        SettingError
            It is not here, or not here any more.
        """
        kind, _, name = value.partition(":")
        if f"{kind}:" == TABLE and name in self.library.available():
            return Source(word=name)
        if f"{kind}:" == UPLOAD and (upload := self.uploads.get(name)) is not None:
            return Source(word=upload.name, file=upload.path, mapping=upload.mapping)
        if f"{kind}:" == MADE:
            job, _, made = name.partition("/")
            found = self.jobs.get(job)
            outputs = (
                {}
                if found is None or len(found.verb) != 2
                else OUTPUTS.get((found.verb[0], found.verb[1]), {})
            )
            if found is not None and made in outputs.values() and (found.folder / made).exists():
                return Source(word=made, file=found.folder / made)
        if value.isidentifier() and value.islower():
            return Source(word=value)
        raise SettingError(f"{value!r} is not here any more, needs a file at hand. Choose another one.")


def public_schema(name: str, place: Path) -> str:
    """Return the schema of a public table that is here; empty where no importer knows it."""
    if place.is_dir():
        layouts = (
            one for one in IMPORTERS.values() if one.folder_file and (place / one.folder_file).is_file()
        )
        return next((one.schema for one in layouts), "")
    return _schema(name, place, place.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _schema(_name: str, place: Path, _written: int) -> str:
    try:
        header = read_file(place).columns
    except EvidenceError:
        return ""
    importer = recognised(header)
    return IMPORTERS[importer].schema if importer else schema_of(header)


def schema_of_upload(upload: Upload) -> str:
    """Return the table that an upload is: as was said, else by its header; empty where neither tells."""
    if upload.schema:
        return upload.schema
    return _schema(upload.id, upload.path, upload.path.stat().st_mtime_ns) if upload.is_table else ""
