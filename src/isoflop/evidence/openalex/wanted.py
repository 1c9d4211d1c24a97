"""What to extract besides the standing columns, and which rules type an institution.

These settings decide the rows; the reader, the number of workers and the place of files do not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isoflop.errors import SettingError

MOST_BITS = 62
"""Names that fit the bits of one signed integer column, leaving its sign and one spare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model whose adoption is looked for.

    Parameters
    ----------
    name : str
    pattern : str
        Regular expression of its names in a title or abstract; empty: not looked for there.
    work_ids : tuple of int
        OpenAlex numbers of its papers, looked for among the works cited.
    """

    name: str
    pattern: str = ""
    work_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Settings of an extraction that decide its rows.

    Parameters
    ----------
    overrides : mapping of str to int
        Address of an institution to the class that it gets in place of OpenAlex's type.
    keywords : mapping of str to str
        Name of a topic to the regular expression that finds it in a title or abstract.
    adoption : tuple of Model

    Raises
    ------
    SettingError
        More names than bits, or a pattern that is no regular expression.
    """

    overrides: Mapping[str, int] = field(default_factory=dict)
    keywords: Mapping[str, str] = field(default_factory=dict)
    adoption: tuple[Model, ...] = ()

    def __post_init__(self) -> None:
        import re

        for option, names in (
            ("--keywords", list(self.keywords)),
            ("--adoption", [m.name for m in self.adoption]),
        ):
            if len(names) > MOST_BITS:
                raise SettingError(
                    f"{option}: {len(names)} names, at most {MOST_BITS} fit. Drop the rarest, or join "
                    "families."
                )
            if len(set(names)) < len(names):
                raise SettingError(f"{option}: a name occurs twice, needs each once. Drop one of them.")
        patterns = [*self.keywords.items(), *((m.name, m.pattern) for m in self.adoption)]
        for name, pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as reason:
                raise SettingError(
                    f"pattern of {name}: {pattern!r} is no regular expression ({reason}), needs one. Escape "
                    "signs that are meant literally with a backslash."
                ) from None

    @property
    def reads_texts(self) -> bool:
        """Return whether titles and abstracts are read."""
        return bool(self.keywords) or any(model.pattern for model in self.adoption)

    @property
    def reads_references(self) -> bool:
        """Return whether the works cited are read."""
        return any(model.work_ids for model in self.adoption)

    @property
    def plain(self) -> bool:
        """Return whether only OpenAlex's own types and the standing columns are asked for."""
        return not (self.overrides or self.keywords or self.adoption)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings for a ledger and for the file's metadata."""
        return {
            "overrides": len(self.overrides),
            "overrides_digest": _digest(sorted(self.overrides.items())),
            "keywords": list(self.keywords),
            "keywords_digest": _digest(list(self.keywords.items())),
            "adoption": [model.name for model in self.adoption],
            "adoption_digest": _digest([(m.name, m.pattern, m.work_ids) for m in self.adoption]),
        }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16] if value else ""
