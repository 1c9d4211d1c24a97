"""What changed between editions of a table, system by system and headline by headline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.audit.align import pair_of
from isoflop.divide.audit.headlines import HEADLINES, PLAYERS, Value
from isoflop.divide.sample import Sample
from isoflop.divide.snapshots import Snapshot
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

NO_SAMPLING = (
    "A change between editions has no sampling interval: most systems are in both. It is what the makers of "
    "the table revised and added."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A headline in one edition."""

    headline: str
    snapshot: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A headline in two editions.

    Parameters
    ----------
    headline, first, last : str
    before, after : float or None
    parts : mapping of str to float, or None
        What each kind of revision added; they sum to ``after - before``.
    """

    headline: str
    first: str
    last: str
    before: float | None
    after: float | None
    parts: Mapping[str, float] | None

    @property
    def pair(self) -> str:
        """Both editions, as in ids."""
        return pair_of(self.first, self.last)

    @property
    def change(self) -> float | None:
        """The later value less the earlier one."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SnapshotChanges:
    """What revisions of a table did.

    Parameters
    ----------
    snapshots : tuple of Snapshot
        In order of time.
    samples : tuple of Sample
        Systems that count in each.
    changes : tuple of mapping
        Pair × system that was added, removed or changed.
    counts : tuple of mapping
        One a pair: how many systems kept or changed what.
    readings : tuple of Reading
        Headline × snapshot.
    moves : tuple of Move
        Pair × headline.
    level : float
    cautions : tuple of str
    """

    snapshots: tuple[Snapshot, ...]
    samples: tuple[Sample, ...]
    changes: tuple[Mapping[str, Any], ...]
    counts: tuple[Mapping[str, Any], ...]
    readings: tuple[Reading, ...]
    moves: tuple[Move, ...]
    level: float
    cautions: tuple[str, ...]

    def move(self, headline: str, first: str | None = None, last: str | None = None) -> Move:
        """Return how a headline moved between two editions; by default the first and the last.

        Raises
        ------
        KeyError
            No such headline or pair.
        """
        pair = (first or self.snapshots[0].name, last or self.snapshots[-1].name)
        for one in self.moves:
            if one.headline == headline and (one.first, one.last) == pair:
                return one
        raise KeyError(f"{headline}, {pair[0]} to {pair[1]}")

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The editions behind the comparison."""
        return tuple(sample.provenance()[0] for sample in self.samples)

    def headline_rows(self) -> list[dict[str, Any]]:
        """Return headline × snapshot with interval, JSON-ready."""
        return [
            {
                "headline": one.headline,
                "label": HEADLINES[one.headline][0],
                "snapshot": one.snapshot,
                "value": one.value.value,
                "low": one.value.low,
                "high": one.value.high,
                "level": self.level,
                "unit": HEADLINES[one.headline][1],
                "k": one.value.k,
                "n": one.value.n,
            }
            for one in self.readings
        ]

    def decomposition_rows(self) -> list[dict[str, Any]]:
        """Return pair × headline × kind of revision, JSON-ready."""
        return [
            {
                "pair": one.pair,
                "headline": one.headline,
                "label": HEADLINES[one.headline][0],
                "unit": HEADLINES[one.headline][1],
                "before": one.before,
                "after": one.after,
                "change": one.change,
                "revision": player,
                "contribution": None if one.parts is None else one.parts[player],
            }
            for one in self.moves
            for player in PLAYERS
        ]

    def count_rows(self) -> list[dict[str, Any]]:
        """Return one row a pair, JSON-ready."""
        return [{k: v for k, v in one.items() if k != "coding_moves"} for one in self.counts]

    def frame(self) -> pl.DataFrame:
        """Return one row for each pair and system that was added, removed or changed."""
        import polars as pl

        return pl.DataFrame(list(self.changes), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the change of each headline for each pair.

        Ids: ``divide.snapshot_change.<headline>.<first>_<last>``.
        """
        return tuple(_finding(self, one) for one in self.moves)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "snapshots": [one.name for one in self.snapshots],
                "headlines": self.headline_rows(),
                "decomposition": self.decomposition_rows(),
                "counts": [dict(one) for one in self.counts],
                "changes": [dict(one) for one in self.changes],
                "cautions": [NO_SAMPLING, *self.cautions],
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.samples[0].text}; snapshots {', '.join(one.name for one in self.snapshots)}"]
        for name, (label, unit, _) in HEADLINES.items():
            values = [shown(one.value.value, unit) for one in self.readings if one.headline == name]
            lines.append(f"{label}: {' → '.join(values)}")
        lines += [count_sentence(one) for one in self.counts]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def shown(value: float | None, unit: str) -> str:
    """Return a headline's value as it is read.

    Examples
    --------
    >>> shown(0.0952, "1"), shown(5.96, "months")
    ('9.5 %', '5.96 months')
    """
    if value is None:
        return formats.MISSING
    return formats.percent(value) if unit == "1" else formats.quantity(value, unit)


def moved(change: float | None, unit: str) -> str:
    """Return a change of a headline as it is read.

    Examples
    --------
    >>> moved(-0.0311, "1"), moved(0.363, "months")
    ('−3.1 points', '0.363 months')
    """
    if change is None:
        return formats.MISSING
    return f"{formats.points(change)} points" if unit == "1" else formats.quantity(change, unit)


def count_sentence(one: Mapping[str, Any]) -> str:
    """Return in a sentence what a pair of editions shares and what changed."""
    kept = one["team_kept_share"]
    teams = (
        f"{formats.percent(kept, 1)} of {formats.count(one['team_known_in_both'])} with a known team in both "
        "keep it"
        if kept is not None
        else "none has a known team in both"
    )
    return (
        f"{one['first']} to {one['last']}: {formats.count(one['in_both'])} systems in both, "
        f"{formats.count(one['removed'])} gone or renamed, {formats.count(one['added'])} new; {teams}; of "
        f"{formats.count(one['compute_known_in_both'])} compute values "
        f"{formats.count(one['compute_moved'])} moved by more than 1 %, besides "
        f"{formats.count(one['compute_added'])} added and {formats.count(one['compute_withdrawn'])} withdrawn"
    )


def _finding(found: SnapshotChanges, one: Move) -> Finding:
    label, unit, _ = HEADLINES[one.headline]
    counts = next(row for row in found.counts if row["pair"] == one.pair)
    details: dict[str, Any] = {
        "before": one.before,
        "after": one.after,
        "first": one.first,
        "last": one.last,
        "contributions": None if one.parts is None else dict(one.parts),
        "counts": dict(counts),
    }
    if one.change is None:
        details["reason"] = f"no such headline in {one.first if one.before is None else one.last}"
    samples = {snap.name: sample for snap, sample in zip(found.snapshots, found.samples, strict=True)}
    return Finding(
        id=f"divide.snapshot_change.{one.headline}.{one.pair}",
        instrument="divide",
        label=f"change of {label}, {one.first} to {one.last}",
        estimate=Estimate(value=one.change, unit=unit),
        method="difference of two editions of a table; parts are Shapley values over five kinds of revision",
        n=counts["in_both"],
        evidence=tuple(samples[name].provenance()[0] for name in (one.first, one.last)),
        cautions=(NO_SAMPLING, *found.cautions),
        details=details,
    )
