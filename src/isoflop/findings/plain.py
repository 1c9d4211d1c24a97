"""Values as plain JSON types and back, and files that are written whole."""

from __future__ import annotations

import datetime as dt
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError

MAX_DRAWS = 200
"""Equal-probability quantiles kept in ``details.draws``, for joint Monte Carlo."""
_KINDS = {str: "text", int: "a whole number", float: "a number", list: "a list", Mapping: "an object"}


def part(record: Any, name: str, where: str, kind: Any = object, default: Any = ...) -> Any:
    """Return a field of a JSON object; a null is taken where there is a default."""
    if not isinstance(record, Mapping) or name not in record:
        raise EvidenceError(f"{where}: no field {name!r}, needs one. Make the document again.")
    value = record[name]
    if value is None and default is not ...:
        return default
    right = (int, float) if kind is float else kind
    if not isinstance(value, right) or (isinstance(value, bool) and kind in (int, float)):
        raise EvidenceError(f"{where}: {name} is {value!r:.40}, must be {_KINDS[kind]}. Correct the file.")
    return value


def one_of(record: Any, name: str, where: str, words: Sequence[str]) -> str:
    """Return a field of a JSON object that holds one of a few words."""
    value = part(record, name, where, str)
    if value not in words:
        raise EvidenceError(
            f"{where}: {name} {value!r}, must be one of {', '.join(words)}. Correct the file."
        )
    return str(value)


def equal_probability_quantiles(draws: Sequence[float] | Any, count: int = MAX_DRAWS) -> list[float]:
    """Return at most `count` quantiles at probabilities (i + 1/2)/count of finite draws.

    Examples
    --------
    >>> equal_probability_quantiles([3.0, 1.0, 2.0])
    [1.0, 2.0, 3.0]
    """
    import numpy as np

    finite = np.asarray(draws, float)
    finite = np.sort(finite[np.isfinite(finite)])
    if finite.size <= count:
        return [float(v) for v in finite]
    return [float(v) for v in np.quantile(finite, (np.arange(count) + 0.5) / count)]


def json_ready(value: Any) -> Any:
    """Return `value` as plain JSON types; non-finite numbers become None.

    Examples
    --------
    >>> json_ready({"a": float("nan"), "b": (1, 2)})
    {'a': None, 'b': [1, 2]}
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): json_ready(v) for k, v in value.items()}
    if hasattr(value, "to_dict"):
        return json_ready(value.to_dict())
    if hasattr(value, "tolist"):
        return json_ready(value.tolist())
    if isinstance(value, Iterable):
        return [json_ready(v) for v in value]
    raise TypeError(f"json_ready: {type(value).__name__} has no JSON form")


def write_atomically(path: Path, text: str | bytes) -> None:
    """Write text or bytes to `path` through a temporary file in the same folder.

    An interrupted run leaves the old file or none, never half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
