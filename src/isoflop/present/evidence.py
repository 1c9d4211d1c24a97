"""From what was typed to a table of evidence; what was chosen is said and recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import SettingError
from isoflop.present.console import say

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.present.options import EvidenceChoice


def read_table(choice: EvidenceChoice, schema: str, preferred: tuple[str, ...]) -> Table:
    """Return the named table, or the first of `preferred` that is at hand.

    Parameters
    ----------
    choice : EvidenceChoice
    schema : str
        What the verb needs.
    preferred : tuple of str
        Names that a library may hold, best first.

    Raises
    ------
    SettingError
        A map or an importer was given without a file, or no preferred table is at hand.
    EvidenceError
        The table cannot be read or is of another schema.
    """
    from isoflop.evidence import EMBEDDED, load, locate
    from isoflop.evidence.location import PUBLIC_TABLES

    file = choice.file
    given = [option for option, came in (("--map", choice.mapping), ("--importer", choice.importer)) if came]
    known = file is not None and not Path(file).exists() and file.replace("-", "_") in PUBLIC_TABLES
    if given and (file is None or known or (file in EMBEDDED and not Path(file).exists())):
        raise SettingError(
            f"{given[0]}: {'no FILE' if file is None else f'{file} is a known table'}, needs a file of yours "
            f"to read. Name the file, or drop {given[0]}."
        )
    if file is not None and not known:
        table = load(file, schema=schema, importer=choice.importer, columns=choice.mapping or None)
        why = "as named"
    else:
        library = locate(choice.location)
        here = library.available()
        wanted = (file.replace("-", "_"),) if file is not None else preferred
        name = next((name for name in wanted if name in here), wanted[-1])
        table = library.table(name, schema=schema)
        why = "as named" if file is not None else f"best at hand in {library.describe()}"
    rows = f"{table.rows_read} row{'' if table.rows_read == 1 else 's'}"
    say(f"evidence: {table.name} ({why}), {rows} read; {table.importer}")
    return table


def evidence_rows(*tables: Table) -> list[dict[str, Any]]:
    """Return what was read and how it was recognised, for the document."""
    return [
        {
            "name": table.name,
            "source": table.source,
            "kind": table.kind,
            "recognised": table.importer,
            "rows_read": table.rows_read,
            "fingerprint": table.fingerprint,
        }
        for table in tables
    ]
