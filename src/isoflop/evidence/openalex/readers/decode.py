"""Numbers, dates and words at known places of a buffer, for all records of a block at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Buffer = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DIGITS: Final = 12
"""Bytes looked at for a number: the longest, a work's, has ten or eleven digits, and a sign ends it."""
_DATE: Final = (slice(0, 4), slice(5, 7), slice(8, 10))
"""Where year, month and day stand in an ISO date."""
_ENDS: Final = np.frombuffer(b',}"', np.uint8)


def window(data: Buffer, at: Positions, width: int) -> npt.NDArray[np.uint8]:
    """Return the bytes at each place, shape (n, width); beyond the end the last byte is repeated."""
    last = data.size - width
    if last >= 0 and at.size and at.max() <= last and at.min() >= 0:
        return np.lib.stride_tricks.sliding_window_view(data, width)[at]
    return data.take(at[:, None] + np.arange(width), mode="clip")


def matches(data: Buffer, at: Positions, text: str) -> Mask:
    """Return where the buffer reads `text`.

    Examples
    --------
    >>> matches(np.frombuffer(b"ab null", np.uint8), np.array([0, 3]), "null")
    array([False,  True])
    """
    return np.asarray((window(data, at, len(text)) == np.frombuffer(text.encode(), np.uint8)).all(axis=1))


def numbers(data: Buffer, at: Positions) -> tuple[Positions, Mask]:
    """Return the whole numbers that stand at these places, and which of them are ones.

    A number is a run of digits ended by a comma, a brace or a quotation mark: 1.5, 1e3 and -1 are none.

    Examples
    --------
    >>> numbers(np.frombuffer(b'12,3.5,"77"', np.uint8), np.array([0, 3, 8]))
    (array([12,  3, 77]), array([ True, False,  True]))
    """
    seen = window(data, at, DIGITS)
    digits = seen - np.uint8(ord("0"))
    leading = np.logical_and.accumulate(digits < 10, axis=1)
    length = leading.sum(axis=1)
    value = np.zeros(at.size, np.int64)
    for place in range(int(length.max(initial=0))):
        inside = leading[:, place]
        value = np.where(inside, value * 10 + digits[:, place], value)
    last = seen[np.arange(at.size), np.minimum(length, DIGITS - 1)]
    return value, (length > 0) & (length < DIGITS) & np.isin(last, _ENDS)


def dates(data: Buffer, at: Positions) -> tuple[npt.NDArray[np.datetime64], Mask]:
    """Return the ISO dates that stand at these places, and which of them are dates.

    Examples
    --------
    >>> dates(np.frombuffer(b"2024-02-29 2023-02-29", np.uint8), np.array([0, 11]))[1]
    array([ True, False])
    """
    seen = window(data, at, 10).astype(np.int64)
    digits = seen - ord("0")
    where = [0, 1, 2, 3, 5, 6, 8, 9]
    shaped = ((digits[:, where] >= 0) & (digits[:, where] < 10)).all(axis=1)
    shaped &= (seen[:, [4, 7]] == ord("-")).all(axis=1)
    d = np.where(shaped[:, None], digits, 1)
    tens = (np.array((1000, 100, 10, 1)), np.array((10, 1)), np.array((10, 1)))
    year, month, day = (d[:, part] @ weight for part, weight in zip(_DATE, tens, strict=True))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    found = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return found, shaped & (month >= 1) & (month <= 12) & (found.astype("datetime64[M]") == months)


def words(data: Buffer, at: Positions, table: dict[str, int]) -> tuple[npt.NDArray[Any], Mask]:
    """Return the codes of the words at these places that a quotation mark ends, and which were found.

    Words are told apart by their first two letters; then each is compared in full.

    Examples
    --------
    >>> words(np.frombuffer(b'company"compote"', np.uint8), np.array([0, 8]), {"company": 2})
    (array([2, 0]), array([ True, False]))
    """
    codes, found = np.zeros(at.size, np.int64), np.zeros(at.size, bool)
    pairs = window(data, at, 2).astype(np.int64) @ (256, 1)
    for word, code in table.items():
        near = np.flatnonzero(pairs == ord(word[0]) * 256 + ord(word[1]))
        if near.size:
            near = near[matches(data, at[near], f'{word}"')]
            codes[near], found[near] = code, True
    return codes, found


def pairs(data: Buffer, at: Positions, table: npt.NDArray[np.int64]) -> tuple[Positions, Mask]:
    """Return what a table of 65,536 says of the two bytes at these places, if a quotation mark follows.

    Entries of 0 are no pairs.
    """
    seen = window(data, at, 3).astype(np.int64)
    found = table[seen[:, 0] * 256 + seen[:, 1]]
    return found, (seen[:, 2] == ord('"')) & (found != 0)
