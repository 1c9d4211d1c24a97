"""Public collections of results by name, and their places in an evidence folder."""

from __future__ import annotations

from pathlib import Path

from isoflop.errors import SourceError, closest
from isoflop.evidence.location import locate

COLLECTIONS = {
    "routing": "routing",
    "llmrouter": "routing/llmrouter",
    "gsm8k_two_models": "routing/gsm8k_responses.csv",
}
"""Name to file or folder: ``routing`` holds scores.* and prompts.* of several collections, joined already."""
_FETCH = {
    "llmrouter": "isoflop data pull llmrouter-train llmrouter-test",
    "gsm8k_two_models": "isoflop data pull gsm8k-two-models",
}


def public_files(name: str | None, location: str | None) -> Path | None:
    """Return where a public collection lies, or None if `name` is none of them.

    Parameters
    ----------
    name : str or None
        A key of `COLLECTIONS`; None asks for what the folder `location` holds, if one is named.
    location : str or None
        As for `isoflop.evidence.locate`.

    Raises
    ------
    SourceError
        The collection is known but not there; the message says how to get it.
    EvidenceError
        The folder does not exist.
    """
    if name is None:
        if location in (None, "embedded"):
            return None
        library = locate(location)
        here = library.find("routing")
        found = here is not None and any(here.glob("scores.*"))
        if not found:
            raise SourceError(
                f"evidence: {location} holds no routing/scores.* and prompts.*. Name a table, a folder or "
                "logs, or leave --evidence out for what ships."
            )
        return here
    folded = name.replace("-", "_")
    if folded not in COLLECTIONS:
        if closest(name, COLLECTIONS) is None or Path(name).suffix or "/" in name:
            return None
        raise SourceError(
            f"load: no file or folder {name}; closest known collection is '{closest(name, COLLECTIONS)}'. "
            "Check the spelling."
        )
    library = locate(location)
    path = library.find(COLLECTIONS[folded])
    if path is None:
        fetch = _FETCH.get(folded)
        raise SourceError(
            f"evidence: {name} is not in {library.folder or 'the shipped facts'}. "
            + (f"Fetch it: {fetch}" if fetch else f"Put scores.* and prompts.* at {COLLECTIONS[folded]}/.")
        )
    return path
