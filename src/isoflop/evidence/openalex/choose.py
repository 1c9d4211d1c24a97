"""Settings of an extraction from what a person names: files, or the lists that ship."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.openalex.institutions import inherited, read_overrides
from isoflop.evidence.openalex.texts import KEYWORDS
from isoflop.evidence.openalex.wanted import Model, Wanted

EMBEDDED = "embedded"


def wanted_from(
    *,
    keywords: str | None = None,
    adoption: str | None = None,
    overrides: str | None = None,
    institutions: str | None = None,
    parents: bool = False,
) -> Wanted:
    """Return the settings.

    Parameters
    ----------
    keywords, adoption : str, optional
        ``embedded``, or the path of a CSV with columns name and pattern, for models also work_ids.
    overrides : str, optional
        Path of a CSV with columns id and type; what it says wins over everything else.
    institutions : str, optional
        Folder of a snapshot's institutions.
    parents : bool
        Count an institution as a company where one above it is a company.

    Raises
    ------
    SettingError
        `parents` without `institutions`, or the reverse.
    EvidenceError
        A file cannot be read or lacks a column.
    """
    if parents and institutions is None:
        raise SettingError(
            "--lineage: parent, needs to know the types of parents. Add --institutions with the folder of "
            "the snapshot's institutions, or name the labs in --overrides."
        )
    if institutions is not None and not parents:
        raise SettingError("--institutions: given with --lineage own, needs parent. Add --lineage parent.")
    classes = inherited(Path(institutions)) if institutions is not None else {}
    if overrides is not None:
        classes |= read_overrides(Path(overrides))
    return Wanted(
        overrides=classes,
        keywords={} if keywords is None else _keywords(keywords),
        adoption=() if adoption is None else _models(adoption),
    )


def _keywords(name: str) -> dict[str, str]:
    if name == EMBEDDED:
        return dict(KEYWORDS)
    rows = _rows(Path(name), ("name", "pattern"))
    return {row["name"]: row["pattern"] for row in rows}


def _models(name: str) -> tuple[Model, ...]:
    if name == EMBEDDED:
        return _families()
    rows = _rows(Path(name), ("name",))
    models = []
    for row in rows:
        listed = [
            part.strip().rpartition("/")[2] for part in (row.get("work_ids") or "").split(";") if part.strip()
        ]
        if not all(text.removeprefix("W").isdecimal() for text in listed):
            raise EvidenceError(
                f"{name}: work_ids {row['work_ids']!r} of {row['name']}, needs ids such as W2741809807, "
                "separated by ';'. Correct it."
            )
        numbers = tuple(int(text.removeprefix("W")) for text in listed)
        models.append(Model(name=row["name"], pattern=row.get("pattern") or "", work_ids=numbers))
    return tuple(models)


def _families() -> tuple[Model, ...]:
    """Return the families of the dictionary that ships, each with the names of all its models."""
    from isoflop import evidence

    frame = evidence.load("pretrained_models").frame
    families: dict[str, list[str]] = {}
    for row in frame.select("name", "family", "aliases").iter_rows(named=True):
        families.setdefault(row["family"] or row["name"], []).append(row["aliases"])
    return tuple(
        Model(name=family, pattern="|".join(f"(?:{alias})" for alias in aliases if alias))
        for family, aliases in sorted(families.items())
    )


def _rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError) as reason:
        near = closest(str(path), [EMBEDDED])
        hint = f"Did you mean {near}?" if near else "Check the path."
        raise EvidenceError(
            f"{path}: {reason}, needs a CSV with columns {', '.join(needed)}. {hint}"
        ) from None
    missing = [name for name in needed if name not in header]
    if missing:
        raise EvidenceError(
            f"{path}: no column {missing[0]} among {', '.join(header) or 'none'}, needs "
            f"{', '.join(needed)}. Rename it in the header."
        )
    return rows
