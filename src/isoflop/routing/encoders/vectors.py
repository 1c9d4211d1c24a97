"""Vectors that come from outside: refused with what is wrong, or made unit rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.routing.encoders.interface import Encoder, Vectors, unit


def usable(vectors: Any, n: int, encoder: Encoder) -> Vectors:
    """Return vectors from outside as unit rows.

    Parameters
    ----------
    vectors : array-like, shape (n, width)
    n : int
        Number of prompts they must be of.
    encoder : Encoder
        Whose width they must have.

    Returns
    -------
    array of float32, shape (n, width)

    Raises
    ------
    EvidenceError
        They are of another number or width, are no real numbers, hold NaN or infinity, or a row is all zero.

    Examples
    --------
    >>> from isoflop.routing.encoders import Own
    >>> usable([[0, 3, 4]], 1, Own(name="mine", version="1", width=3)).round(1).tolist()
    [[0.0, 0.6000000238418579, 0.800000011920929]]
    """
    try:
        given = np.asarray(vectors)
    except ValueError as problem:
        raise EvidenceError(
            f"encode: rows of vectors differ in length, need {encoder.width} numbers each ({encoder.id}). "
            "Encode the prompts again."
        ) from problem
    if given.shape != (n, encoder.width):
        raise EvidenceError(
            f"encode: vectors {given.shape} but {n} prompts need width {encoder.width} ({encoder.id}). Give "
            "one row a prompt; for vectors of another encoder, pass encoder=Own(name=…, version=…, width=…)."
        )
    if given.dtype.kind not in "fiub":
        raise EvidenceError(f"encode: vectors of type {given.dtype}, need real numbers. Convert them.")
    whole = np.isfinite(given).all(axis=1)
    if not whole.all():
        row = int(np.flatnonzero(~whole)[0])
        raise EvidenceError(
            f"encode: vectors hold NaN or infinity (row {row}), need numbers. Encode that prompt again."
        )
    # Scaled first: squares of large float64 values overflow in float32.
    largest = np.abs(given.astype(np.float64)).max(axis=1, initial=0)
    if not largest.all():
        row = int(np.flatnonzero(largest == 0)[0])
        raise EvidenceError(f"encode: vector {row} is all zero, needs a direction. Encode that prompt again.")
    return unit(np.asarray(given / largest[:, None], dtype=np.float32))
