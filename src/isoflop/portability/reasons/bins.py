"""The paper's five bins of failure, and our counts beside counts that a reader typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, closest

if TYPE_CHECKING:
    import polars as pl

NONE = "none of the five"
BINS = (
    "not implemented", "type failure", "timeout", "memory issue", "float precision error", NONE,
)  # fmt: skip
_BIN = {
    "not_implemented": "not implemented",
    "dtype": "type failure",
    "complex": "type failure",
    "timeout": "timeout",
    "memory": "memory issue",
    "precision": "float precision error",
}


def paper_bin(reason: str) -> str:
    """Return the paper's bin of a reason; what it cannot express has a column of its own.

    Examples
    --------
    >>> paper_bin("complex"), paper_bin("placement")
    ('type failure', 'none of the five')
    """
    return _BIN.get(reason, NONE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinComparison:
    """Counts by bin: ours beside somebody's.

    Parameters
    ----------
    ours, theirs : dict of str to int
        Failures by bin, every bin of `BINS`.
    """

    ours: dict[str, int]
    theirs: dict[str, int]

    @property
    def distance(self) -> float | None:
        """Half the sum of differences of shares: the part of failures to be moved to agree."""
        a, b = sum(self.ours.values()), sum(self.theirs.values())
        if not (a and b):
            return None
        return sum(abs(self.ours[name] / a - self.theirs[name] / b) for name in BINS) / 2

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a bin, JSON-ready."""
        a, b = sum(self.ours.values()), sum(self.theirs.values())
        return [
            {
                "bin": name,
                "ours": self.ours[name],
                "theirs": self.theirs[name],
                "our_share": self.ours[name] / a if a else None,
                "their_share": self.theirs[name] / b if b else None,
            }
            for name in BINS
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a bin."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)


def compare_bins(ours: Iterable[str] | Mapping[str, int], theirs: Mapping[str, int]) -> BinComparison:
    """Set our reasons beside a table of the paper's bins that a reader typed.

    Parameters
    ----------
    ours : iterable of str, or mapping of str to int
        Reasons, one a failure, or counts by reason.
    theirs : mapping of str to int
        Counts by bin, in the paper's words.

    Raises
    ------
    EvidenceError
        A bin is unknown, or a count is negative.

    Examples
    --------
    >>> compare_bins(["dtype", "placement"], {"type failure": 2}).distance
    0.5
    """
    counts = dict.fromkeys(BINS, 0)
    pairs = ours.items() if isinstance(ours, Mapping) else ((reason, 1) for reason in ours)
    for reason, count in pairs:
        counts[paper_bin(reason)] += int(count)
    typed = dict.fromkeys(BINS, 0)
    for name, count in theirs.items():
        if name not in typed or count < 0:
            near = closest(name, BINS)
            hint = f"closest is {near!r}" if near else "the bins are " + ", ".join(BINS)
            raise EvidenceError(
                f"compare_bins: {name!r} with {count}, needs a bin of the paper and a count >= 0; {hint}. "
                "Correct the table."
            )
        typed[name] += int(count)
    return BinComparison(ours=counts, theirs=typed)
