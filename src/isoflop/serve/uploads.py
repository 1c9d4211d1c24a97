"""`Uploads`: the files that were sent, each in a folder of its own, with what is known of it."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

from isoflop.evidence.read import SUFFIXES
from isoflop.findings import write_atomically

RECORD: Final = "upload.json"
UPLOAD_ID: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file that was sent.

    Parameters
    ----------
    id : str
    name : str
        As sent, made safe.
    folder : Path
    size : int
        Bytes.
    created : datetime
    schema : str
        The table it was said to be; empty where its header tells.
    mapping : mapping of str to str
        Canonical column to the name in the file.
    """

    id: str
    name: str
    folder: Path
    size: int
    created: dt.datetime
    schema: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Return the file."""
        return self.folder / self.name

    @property
    def is_table(self) -> bool:
        """Say whether its name is that of a table."""
        return self.name.lower().endswith(SUFFIXES)

    def save(self) -> None:
        """Write the record beside the file."""
        record: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "created": self.created.isoformat(),
            "schema": self.schema,
            "mapping": dict(self.mapping),
        }
        write_atomically(self.folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


class Uploads:
    """The uploads below a folder, made where absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, content: IO[bytes]) -> Upload:
        """Store a file under a name made safe."""
        created = dt.datetime.now(dt.UTC)
        upload = f"{created:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        folder = self.folder / upload
        folder.mkdir()
        try:
            path = folder / safe_name(name)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            made = Upload(id=upload, name=path.name, folder=folder, size=path.stat().st_size, created=created)
            made.save()
        except BaseException:
            shutil.rmtree(folder)
            raise
        return made

    def get(self, upload: str) -> Upload | None:
        """Return an upload, or None."""
        return _read(self.folder / upload) if UPLOAD_ID.fullmatch(upload) else None

    def all(self) -> tuple[Upload, ...]:
        """Return every upload, the newest first."""
        found = (self.get(place.name) for place in self.folder.iterdir())
        known = [upload for upload in found if upload is not None]
        return tuple(sorted(known, key=lambda one: (one.created, one.id), reverse=True))

    def describe(self, upload: Upload, *, schema: str, mapping: Mapping[str, str]) -> Upload:
        """Record what a file's columns are."""
        changed = replace(upload, schema=schema, mapping=dict(mapping))
        changed.save()
        return changed

    def delete(self, upload: str) -> bool:
        """Remove a file; say whether there was one."""
        found = self.get(upload)
        if found is None:
            return False
        shutil.rmtree(found.folder)
        return True


def safe_name(name: str) -> str:
    """Return a file's name without folders, and with nothing that a shell or a system minds.

    Examples
    --------
    >>> safe_name("..\\\\..\\\\my runs (2).csv"), safe_name("-rf"), safe_name("")
    ('my_runs_2_.csv', 'rf', 'file')
    """
    last = re.split(r"[\\\\/]", name)[-1]
    plain = re.sub(r"[^\w.+-]+", "_", last).lstrip(".-_+")
    if len(plain) > LONGEST_NAME:
        ending = "".join(Path(plain).suffixes[-2:])[-20:]
        plain = plain[: LONGEST_NAME - len(ending)] + ending
    return "file" if plain in ("", RECORD) else plain


def _read(folder: Path) -> Upload | None:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        name = safe_name(str(record["name"]))
        return Upload(
            id=folder.name,
            name=name,
            folder=folder,
            size=(folder / name).stat().st_size,
            created=dt.datetime.fromisoformat(record["created"]),
            schema=str(record["schema"]),
            mapping={str(ours): str(theirs) for ours, theirs in record["mapping"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
