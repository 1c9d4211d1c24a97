"""Sizes and prices of models: from a table, from LLMRouter's JSON, or from the genai-prices package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import read_json, read_rows
from isoflop.evidence.prompt_scores.interface import frame_of
from isoflop.evidence.prompt_scores.schemas import MODEL_CATALOGUE
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<scale>[KMBT])", re.IGNORECASE)
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_PRICES = {"input_price": "input_usd_per_mtok", "output_price": "output_usd_per_mtok"}


def read_catalogue(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Table:
    """Read sizes and prices of models.

    Parameters
    ----------
    path : path
        A table with columns of schema ``model_catalogue``, or a JSON object that maps each model to its
        ``size`` (such as ``"7B"``), ``input_price`` and ``output_price`` in USD per million tokens, as
        LLMRouter keeps them.
    columns : mapping of str to str, optional
        Canonical column name to the name in the file.

    Returns
    -------
    Table
        Of schema ``model_catalogue``.

    Raises
    ------
    EvidenceError
        The file is of another layout, or a cell breaks its rule.
    """
    file = Path(path)
    cautions: tuple[str, ...] = ()
    how = "canonical columns of schema model_catalogue"
    if file.name.lower().endswith(".json") and isinstance(content := read_json(file), dict):
        rows, unread = _rows(content, file.name)
        raw, how = frame_of(rows), "LLMRouter's JSON of sizes and prices"
        if unread:
            cautions = (
                f"{len(unread)} sizes are no plain number of parameters and were left empty "
                f"({', '.join(unread[:5])}). Enter params by hand.",
            )
    else:
        raw = read_rows(file)
    frame, doubts = canonical(raw, MODEL_CATALOGUE, file.name, columns)
    if frame["model"].n_unique() < frame.height:
        twice = frame.filter(frame["model"].is_duplicated())["model"][0]
        raise EvidenceError(
            f"load: model {twice!r} occurs more than once in {file.name}, needs one row a model. Keep one "
            "price, of one day."
        )
    return Table(
        name=file.name.split(".")[0],
        schema=MODEL_CATALOGUE.name,
        frame=frame,
        source=str(file),
        kind="own",
        fingerprint=fingerprint_of(MODEL_CATALOGUE.name, frame),
        rows_read=raw.height,
        cautions=(*cautions, *doubts),
        importer=how,
    )


def parameters(size: str) -> float | None:
    """Return the number of parameters that a size such as ``7B`` or ``135M`` means, or None.

    A mixture such as ``8x7B`` says neither how many parameters there are nor how many a token uses.

    Examples
    --------
    >>> parameters("7B"), parameters("0.5b"), parameters("8x7B")
    (7000000000.0, 500000000.0, None)
    """
    found = _SIZE.fullmatch(size.strip())
    return float(found["number"]) * _SCALE[found["scale"].upper()] if found else None


def _rows(content: Mapping[str, Any], where: str) -> tuple[list[dict[str, Any]], list[str]]:
    rows, unread = [], []
    for model, facts in content.items():
        if not isinstance(facts, dict) or not {"size", *_PRICES} & set(facts):
            raise EvidenceError(
                f"load: {where}: {model!r} has no size, input_price or output_price, needs one of "
                "them. Write {model: {size, input_price, output_price}}, or a table."
            )
        size = facts.get("size")
        params = parameters(str(size)) if size is not None else None
        if size is not None and params is None:
            unread.append(f"{model}: {size}")
        rows.append(
            {"model": model, "params": params} | {ours: facts.get(theirs) for theirs, ours in _PRICES.items()}
        )
    return rows, unread
