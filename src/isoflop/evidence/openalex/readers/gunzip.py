"""Whole lines of a gzip file, a few megabytes at a time, in one buffer that is used again.

Inflating is a third of the time of a fast reader, so the extra `openalex` brings a faster inflater
(ISA-L); without it the standard library's is used. The buffer is reused because on many machines the
first touch of fresh memory costs more than the copy into it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.readers.interface import Tell

BLOCK = 1 << 20
"""Bytes read at once: whole records of 7.4 kB on average, and small enough for a processor's cache."""
LONGEST = 1 << 28
"""Bytes of the longest record accepted; known ones reach some thirty million."""


def open_gzip(path: Path, raw: IO[bytes]) -> Any:
    """Return a reader of the inflated bytes of a gzip file that is open as `raw`."""
    try:
        from isal import igzip
    except ImportError:
        import gzip

        return gzip.GzipFile(fileobj=raw, filename=str(path))
    opened: Any = igzip.IGzipFile
    return opened(fileobj=raw, filename=str(path))


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn what inflating may raise into a refusal of the part."""
    try:
        yield
    except EOFError:
        raise EvidenceError(
            f"{path.name}: the file ends before its content does, needs a whole gzip file. Download it again."
        ) from None
    except (zlib.error, OSError) as reason:
        raise EvidenceError(f"{path.name}: {reason}, needs an intact gzip file. Download it again.") from None


def blocks(path: Path, tell: Tell, *, size: int = BLOCK) -> Iterator[memoryview]:
    """Yield the lines of a gzip file in blocks; each block is gone when the next is asked for.

    Every block ends with a line's end, except that the last may lack it. The checksum and length in
    the file's trailer are checked before the last block is given.

    Raises
    ------
    EvidenceError
        The file is truncated or corrupt, or one line is longer than `LONGEST`.
    """
    buffer = bytearray(size)
    kept = 0
    total = max(path.stat().st_size, 1)
    with refusing(path), path.open("rb") as raw, open_gzip(path, raw) as inflated:
        while True:
            if kept == len(buffer):
                if kept >= LONGEST:
                    raise EvidenceError(
                        f"{path.name}: a record of more than {LONGEST >> 20} MB, needs JSON lines. Check "
                        "that each record ends with a line feed."
                    )
                grown = bytearray(2 * kept)
                grown[:kept] = buffer
                buffer = grown
            view = memoryview(buffer)
            count = inflated.readinto(view[kept:])
            if not count:
                if kept:
                    yield view[:kept]
                tell(1.0)
                return
            filled = kept + count
            cut = buffer.rfind(b"\n", kept, filled) + 1
            if cut:
                yield view[:cut]
                kept = filled - cut
                view[:kept] = view[cut:filled]
            else:
                kept = filled
            view.release()
            tell(raw.tell() / total)
