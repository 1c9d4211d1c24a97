"""Finding and reading source files: what cannot be read is listed with its reason, never fatal."""

from __future__ import annotations

import ast
import json
import os
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError

SUFFIXES = (".py", ".pyi", ".ipynb")
MAX_BYTES = 2_000_000
"""Larger files are generated: no one wrote two megabytes of Python by hand."""
SKIPPED_FOLDERS = frozenset({
    ".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox", ".venv", "__pycache__",
    "node_modules", "site-packages", ".ipynb_checkpoints", ".eggs",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """One file that was parsed.

    Parameters
    ----------
    path : str
        Relative to the folder that was named, with forward slashes.
    text : str
        Its code; the cells of a notebook one after another.
    tree : ast.Module
    cells : tuple of int
        First line of each cell of a notebook in `text`, and `cell_numbers` its number from 1.
    """

    path: str
    text: str
    tree: ast.Module
    cells: tuple[int, ...] = ()
    cell_numbers: tuple[int, ...] = ()
    module: str = ""
    is_package: bool = False

    def place(self, line: int) -> tuple[int | None, int]:
        """Return the cell of a line and the line within it; no cell for a module.

        Examples
        --------
        >>> Source(path="a.ipynb", text="", tree=ast.parse(""), cells=(1, 5), cell_numbers=(1, 3)).place(6)
        (3, 2)
        """
        for start, number in zip(reversed(self.cells), reversed(self.cell_numbers), strict=True):
            if line >= start:
                return number, line - start + 1
        return None, line


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that could not be read, and why."""

    path: str
    why: str


def read_sources(paths: Sequence[str | Path]) -> tuple[list[Source], list[Unread]]:
    """Return what was read below `paths`, and what was not.

    Raises
    ------
    EvidenceError
        A path does not exist, or nothing below it is a source file.
    """
    sources: list[Source] = []
    unread: list[Unread] = []
    count = 0
    for given in paths:
        root = Path(given)
        if not root.exists():
            raise EvidenceError(
                f"scan: {str(given)!r} does not exist, a file or folder is needed. Check the path."
            )
        for path in _files(root):
            count += 1
            shown = path.relative_to(root).as_posix() if root.is_dir() else path.name
            found = _read(path, shown)
            (sources if isinstance(found, Source) else unread).append(found)  # type: ignore[arg-type]
    if not count:
        listed = ", ".join(str(path) for path in paths)
        raise EvidenceError(
            f"scan: no .py or .ipynb file below {listed}, needs one. Name the folder of your code."
        )
    return sources, unread


def _files(root: Path) -> Iterator[Path]:
    """Yield source files in order; a folder reached twice through links is read once."""
    if root.is_file():
        yield root
        return
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        folders = []
        for entry in entries:
            try:
                if entry.is_dir():
                    if entry.name not in SKIPPED_FOLDERS:
                        folders.append(Path(entry.path))
                elif entry.is_file() and entry.name.endswith(SUFFIXES):
                    yield Path(entry.path)
            except OSError:
                continue
        waiting += reversed(folders)


def _read(path: Path, shown: str) -> Source | Unread:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Unread(path=shown, why=f"over {MAX_BYTES // 1_000_000} MB: taken for generated")
        data = path.read_bytes()
    except OSError as error:
        return Unread(path=shown, why=f"cannot be read: {error.strerror}")
    if path.suffix == ".ipynb":
        return _notebook(data, shown)
    return parse(data, shown)


def parse(data: bytes, shown: str) -> Source | Unread:
    """Return the parsed file, or why it cannot be parsed."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return Unread(path=shown, why="no UTF-8 and no encoding declared that reads it")
    return _tree(text, shown)


def _tree(
    text: str, shown: str, cells: tuple[int, ...] = (), numbers: tuple[int, ...] = ()
) -> Source | Unread:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        return Unread(path=shown, why=_why(error))
    except (ValueError, RecursionError, MemoryError) as error:
        return Unread(path=shown, why=f"cannot be parsed: {type(error).__name__}")
    module = shown.removesuffix(".py").replace("/", ".")
    is_package = module == "__init__" or module.endswith(".__init__")
    return Source(
        path=shown,
        text=text,
        tree=tree,
        cells=cells,
        cell_numbers=numbers,
        module=module.removesuffix("__init__").rstrip("."),
        is_package=is_package,
    )


def _why(error: SyntaxError) -> str:
    message = error.msg or ""
    if "print" in message or "exec" in message or "multiple exception types" in message or "0o" in message:
        return f"Python 2: line {error.lineno}, {message.rstrip('.')}"
    return f"syntax error in line {error.lineno}: {message}"


def _notebook(data: bytes, shown: str) -> Source | Unread:
    """Return the code cells of a notebook as one text; magics become comments so that lines stay in place."""
    try:
        book = json.loads(data.decode("utf-8-sig"))
        listed: Any = book.get("cells")
        if listed is None:
            listed = [cell for sheet in book.get("worksheets", []) for cell in sheet.get("cells", [])]
        cells: list[Any] = list(listed)
    except (UnicodeDecodeError, ValueError, AttributeError, TypeError):
        return Unread(path=shown, why="no notebook: its JSON cannot be read")
    lines: list[str] = []
    starts: list[int] = []
    numbers: list[int] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        code: Any = cell.get("source", cell.get("input", ""))
        code = code if isinstance(code, str) else "".join(str(part) for part in code)
        text = code.split("\n")
        if (
            text
            and text[0].lstrip().startswith("%%")
            and not text[0].lstrip().startswith(("%%time", "%%capture"))
        ):
            continue
        starts.append(len(lines) + 1)
        numbers.append(number)
        lines += [_without_magic(line) for line in text]
    if not starts:
        return Unread(path=shown, why="a notebook without code cells")
    return _tree("\n".join(lines) + "\n", shown, tuple(starts), tuple(numbers))


def _without_magic(line: str) -> str:
    stripped = line.lstrip()
    if stripped.startswith(("%", "!")) or (stripped.endswith("?") and not stripped.startswith("#")):
        return line[: len(line) - len(stripped)] + "pass  # " + stripped
    return line
