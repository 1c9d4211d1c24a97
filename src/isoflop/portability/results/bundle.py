"""A bundle: one file with the results of a run that tells nothing of the computer but its kind.

It holds ``manifest.json`` with the SHA-256 of every other member, ``about.json`` and ``results.csv.gz``: no
path, host or user name, environment variable or content of a tensor.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from isoflop import __version__
from isoflop.errors import EvidenceError
from isoflop.evidence.portability import RESULTS_VERSION
from isoflop.findings import write_atomically
from isoflop.portability.results.read import read_run, run_of
from isoflop.portability.results.write import about_rows, table_bytes
from isoflop.portability.runs import Run
from isoflop.portability.worker.measure.errors import error_head

MANIFEST, ABOUT, RESULTS = "manifest.json", "about.json", "results.csv.gz"
MEMBERS = frozenset({MANIFEST, ABOUT, RESULTS})
MAX_BYTE = 256 * 2**20
"""Unpacked size of a member, and of the table inside it: some millions of rows."""
KEPT = (
    "run_id", "isoflop", "command", "created", "targets", "policy", "timing", "seed", "items", "tasks",
    "done", "worker_python", "states", "controls", "certificate",
)  # fmt: skip
"""What is told of a run; interpreters and folders are not."""
_HOST = ("host_hash", "cpu_model", "cpu_count", "system")
_DATE = (1980, 1, 1, 0, 0, 0)


def bundle(run: Run | str | Path, out: str | Path) -> Path:
    """Write a run as a bundle.

    Parameters
    ----------
    run : Run or path
        Anything that `read_run` reads.
    out : path
        A file that ends in .zip.

    Returns
    -------
    Path

    Raises
    ------
    EvidenceError
        `out` is no .zip, or there is no run.
    """
    place = Path(out)
    if place.suffix != ".zip":
        raise EvidenceError(f"bundle: {place.name}, must end in .zip. Write {place.stem}.zip.")
    found = run if isinstance(run, Run) else read_run(run)
    members = {
        ABOUT: (json.dumps([_plain(one) for one in about_rows(found)], indent=1) + "\n").encode(),
        RESULTS: table_bytes(_cleaned(found), RESULTS),
    }
    members[MANIFEST] = (json.dumps(_manifest(members), indent=1) + "\n").encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            # A fixed date: the same results give the same bundle.
            archive.writestr(zipfile.ZipInfo(name, _DATE), members[name], zipfile.ZIP_DEFLATED)
    write_atomically(place, buffer.getvalue())
    return place


def read_bundle(path: str | Path) -> Run:
    """Return the run in a bundle, after every member was checked against the manifest.

    Raises
    ------
    EvidenceError
        It is no bundle, a member was altered or has a name of its own, or it unpacks to too much.
    """
    from isoflop.evidence.read import read_text
    from isoflop.portability.results.read import table_of

    place = Path(path)
    members = _members(place)
    try:
        manifest = json.loads(members[MANIFEST])
        about = json.loads(members[ABOUT])
        digests = dict(manifest["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(
            f"bundle: the manifest of {place.name} cannot be read ({error}). Ask for the bundle again."
        ) from error
    for name in sorted(MEMBERS - {MANIFEST}):
        if hashlib.sha256(members[name]).hexdigest() != digests.get(name):
            raise EvidenceError(
                f"bundle: {name} in {place.name} was altered, its digest differs from the manifest. "
                "Ask for the bundle again."
            )
    text = _unpacked(members[RESULTS], place.name)
    return run_of(table_of(read_text(text, ",", RESULTS).to_dicts(), place.stem), about)


def _members(place: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(place) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if sorted(names) != sorted(MEMBERS):
                odd = next((n for n in names if n not in MEMBERS), None)
                came = f"holds {odd!r}" if odd else f"has {len(names)} members"
                raise EvidenceError(
                    f"bundle: {place.name} {came}, needs {', '.join(sorted(MEMBERS))} and nothing else. "
                    "Make it with isoflop portability bundle."
                )
            large = next((info for info in infos if info.file_size > MAX_BYTE), None)
            if large is not None:
                raise EvidenceError(
                    f"bundle: {large.filename} in {place.name} unpacks to {large.file_size} B, at most "
                    f"{MAX_BYTE} are read. Split the run."
                )
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise EvidenceError(
            f"bundle: {place.name} is no readable zip ({error}). Ask for it again."
        ) from error


def _unpacked(data: bytes, where: str) -> bytes:
    """Return the table's text; one that unpacks without end is refused."""
    import gzip

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            text = file.read(MAX_BYTE + 1)
    except (OSError, EOFError) as error:
        raise EvidenceError(
            f"bundle: {RESULTS} in {where} is no gzip ({error}). Ask for it again."
        ) from error
    if len(text) > MAX_BYTE:
        raise EvidenceError(f"bundle: {RESULTS} in {where} unpacks to over {MAX_BYTE} B. Split the run.")
    return text


def _manifest(members: dict[str, bytes]) -> dict[str, Any]:
    return {
        "bundle": 1,
        "isoflop": __version__,
        "schema_version": RESULTS_VERSION,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(members.items())},
    }


def _plain(about: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a run, paths in its command replaced."""
    kept = {name: about[name] for name in KEPT if name in about}
    if "command" in kept:
        kept["command"] = error_head(str(kept["command"]))
    host = about.get("host", {})
    return kept | {"host": {name: host[name] for name in _HOST if name in host}}


def _cleaned(run: Run) -> Any:
    """Return the results with messages cleaned once more: they may come from somewhere else."""
    import polars as pl

    frame = run.frame()
    known = {text: error_head(text) for text in frame["error_head"].drop_nulls().unique().to_list()}
    if not known:
        return frame
    return frame.with_columns(pl.col("error_head").replace(known))
