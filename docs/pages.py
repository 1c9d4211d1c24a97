"""Hooks of the site's builder: which pages there are, and where links between them lead.

The pages are written to be read in the repository too, so they link to files as these lie there.
Three of them lie outside ``docs/``; the site takes them in. A link to any other file of the
repository has no target on the site and becomes that file's path.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
TAKEN_IN = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "validation/README.md": "validation.md",
}
"""Files outside ``docs/`` and the pages they become."""

_NAMED = 'data-md-component="search" role="dialog" aria-label="Search"'
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of a folder where the navigation names the folder."""
    config.nav = _expanded(config.nav or [], Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages that lie outside ``docs/``."""
    from mkdocs.structure.files import File

    for source, page in TAKEN_IN.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead every link within the repository to a page of the site, or name the file."""
    home = {page: source for source, page in TAKEN_IN.items()}
    source = home.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = _CODE.split(markdown)
    parts[::2] = [
        _LINK.sub(lambda found: _led(found, source, page.file.src_uri), part) for part in parts[::2]
    ]
    return "".join(parts)


def on_post_page(output: str, **_: Any) -> str:
    """Give the search dialog of the theme the name that a screen reader says."""
    return output.replace('data-md-component="search" role="dialog"', _NAMED)


def _led(found: re.Match[str], source: str, here: str) -> str:
    text, target, anchor = found[1], found[2], found[3] or ""
    if "://" in target or target.startswith("mailto:"):
        return found[0]
    file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    page = TAKEN_IN.get(file, file.removeprefix("docs/") if file.startswith("docs/") else None)
    if page is None:
        return f"{text} (`{file}`)"
    return f"[{text}]({posixpath.relpath(page, posixpath.dirname(here) or '.')}{anchor})"


def _expanded(entries: list[Any], docs: Path) -> list[Any]:
    found: list[Any] = []
    for entry in entries:
        if isinstance(entry, dict):
            found += [
                {title: _expanded(below, docs) if isinstance(below, list) else _folder(below, docs)}
                for title, below in entry.items()
            ]
        else:
            pages = _folder(entry, docs)
            found += pages if isinstance(pages, list) else [pages]
    return found


def _folder(entry: str, docs: Path) -> str | list[Any]:
    """Return the pages of a folder (``name/``), its index first and its folders last; else the entry."""
    if not entry.endswith("/"):
        return entry
    pages = sorted((docs / entry).glob("*.md"), key=lambda page: (page.name != "index.md", page.name))
    below = sorted(path for path in (docs / entry).iterdir() if any(path.glob("*.md")))
    return [
        *(page.relative_to(docs).as_posix() for page in pages),
        *({_title(path / "index.md"): _folder(f"{entry}{path.name}/", docs)} for path in below),
    ]


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
