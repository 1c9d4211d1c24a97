"""Members of zip archives, also those compressed with Zstandard, which Python reads only from 3.14 on."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from isoflop.errors import EvidenceError, MissingExtraError

_ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, struct.error)
"""What a damaged archive raises, depending on which byte is wrong: an unknown version or method, say."""
LARGEST = 1 << 30
"""Bytes that one member may unpack to; a sample of a log is far smaller."""


def is_archive(path: Path) -> bool:
    """Say whether a file is named or begins as a zip archive."""
    if path.suffix == ".eval":
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def members(path: Path) -> tuple[str, ...]:
    """Return the names of an archive's members in order, each once.

    Raises
    ------
    EvidenceError
        The archive is broken or cut off.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(dict.fromkeys(archive.namelist()))
    except _DAMAGE as error:
        raise EvidenceError(_broken(path, error)) from error


def read_member(path: Path, name: str) -> bytes:
    """Return the bytes of a member; of several with one name, the last.

    Raises
    ------
    EvidenceError
        The member is broken, or unpacks to more than `LARGEST` bytes.
    MissingExtraError
        It is compressed with Zstandard and no reader is installed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
            if info.file_size > LARGEST:
                raise EvidenceError(
                    f"load: {name} of {path.name} unpacks to {info.file_size} bytes, needs at most "
                    f"{LARGEST}. Is it a log?"
                )
            return _unpacked(path, info) if info.compress_type == _ZSTANDARD else archive.read(name)
    except _DAMAGE as error:
        raise EvidenceError(_broken(path, error)) from error


def _unpacked(path: Path, info: zipfile.ZipInfo) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtraError(
            f"load: {path.name} is compressed with Zstandard, which needs zstandard. Install it: "
            "pip install 'isoflop[logs]'"
        ) from error
    with path.open("rb") as file:
        file.seek(info.header_offset)
        mark, name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(name_length + extra_length, 1)
        packed = file.read(info.compress_size)
    if mark != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no local header of {info.filename}")
    try:
        # A frame need not state its size, so the unpacked size comes from the archive's directory.
        data: bytes = zstandard.ZstdDecompressor().decompress(packed, max_output_size=max(info.file_size, 1))
    except zstandard.ZstdError as error:
        raise zipfile.BadZipFile(str(error)) from error
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"bad checksum of {info.filename}")
    return data


def _broken(path: Path, error: Exception) -> str:
    return (
        f"load: {path.name} is no whole zip archive ({error}). Was the run interrupted or the copy cut off? "
        "Write or fetch it again."
    )
