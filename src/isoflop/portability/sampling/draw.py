"""Draw functions by how often code calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.sampling.designs import PPS, Census, Deciles, Design, Top, parse_design
from isoflop.portability.sampling.result import Drawn, Sample, Stratum

if TYPE_CHECKING:
    from isoflop.findings import Provenance
    from isoflop.portability.task import Item

FloatArray = NDArray[np.float64]

CUTS = tuple(range(10, 101, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Population:
    """Names in use, most used first, with their calls and whether inputs exist."""

    names: tuple[str, ...]
    calls: FloatArray
    testable: frozenset[str]

    def take(self, places: Iterable[int], stratum: str, probability: float | FloatArray) -> list[Drawn]:
        """Return the functions at these places as drawn, in that order."""
        places = list(places)
        chances = np.broadcast_to(np.asarray(probability, dtype=np.float64), (len(places),))
        return [
            Drawn(
                name=self.names[place],
                stratum=stratum,
                order=order,
                calls=float(self.calls[place]),
                probability=float(chance),
                testable=self.names[place] in self.testable,
            )
            for order, (place, chance) in enumerate(zip(places, chances, strict=True), 1)
        ]

    def stratum(
        self, name: str, places: Sequence[int], drawn: Sequence[Drawn], *, certainty: bool
    ) -> Stratum:
        """Return the stratum that holds these places."""
        return Stratum(
            name=name,
            size=len(places),
            calls=float(self.calls[list(places)].sum()),
            drawn=len(drawn),
            testable=sum(one.testable for one in drawn),
            certainty=certainty,
        )


def sample(
    catalogue: Any,
    usage: Mapping[str, float] | None = None,
    *,
    design: Design | str = "census",
    seed: int = 0,
    provenance: tuple[Provenance, ...] = (),
) -> Sample:
    """Draw functions to test from those that code uses.

    Parameters
    ----------
    catalogue : Catalogue, or iterable of Item or of str
        What can be tested.
    usage : mapping of str to float, optional
        Calls by function; names without a call are outside the population. Default: every function of the
        catalogue once, for ``census`` alone.
    design : Design or str
        A design, or its short form: ``census``, ``top:20``, ``deciles:5,20``, ``pps:50``.
    seed : int, >= 0
    provenance : tuple of Provenance
        Of the counts.

    Returns
    -------
    Sample

    Raises
    ------
    EvidenceError
        The population is empty, or a stratum is smaller than what is to be drawn of it.
    SettingError
        The design needs counts of calls.

    Examples
    --------
    >>> drawn = sample(["a", "b", "c"], {"a": 9, "b": 2, "z": 1}, design="top:2")
    >>> drawn.functions, drawn.size, drawn.unused
    (('a', 'b'), 2, 1)
    """
    chosen = parse_design(design) if isinstance(design, str) else design
    items, names = _testable(catalogue)
    if usage is None:
        if not isinstance(chosen, Census):
            raise SettingError(
                "sample: no counts of calls, this design needs them. Pass usage, or use design='census'."
            )
        usage = dict.fromkeys(sorted(names), 1.0)
    population = _population(usage, names)
    rng = np.random.default_rng(seed)
    twice: tuple[str, ...] = ()
    if isinstance(chosen, Census):
        drawn, strata = _certain(population, len(population.names), "all")
    elif isinstance(chosen, Top):
        drawn, strata = _certain(population, chosen.k, "most used")
    elif isinstance(chosen, PPS):
        drawn, strata = _pps(population, chosen, rng)
    else:
        drawn, strata, twice = _deciles(population, chosen, rng)
    kept = {one.name for one in drawn if one.testable}
    return Sample(
        design=chosen,
        seed=seed,
        drawn=tuple(drawn),
        strata=tuple(strata),
        items=tuple(item for item in items if item.function in kept),
        unused=len(names - set(population.names)),
        twice=twice,
        provenance=provenance,
    )


def _testable(catalogue: Any) -> tuple[tuple[Item, ...], frozenset[str]]:
    held = getattr(catalogue, "items", catalogue)
    entries = tuple(held() if callable(held) else held)
    if all(isinstance(one, str) for one in entries):
        return (), frozenset(entries)
    return entries, frozenset(one.function for one in entries)


def _population(usage: Mapping[str, float], names: frozenset[str]) -> _Population:
    wrong = next((name for name, calls in usage.items() if not (np.isfinite(calls) and calls >= 0)), None)
    if wrong is not None:
        raise EvidenceError(
            f"sample: {usage[wrong]} calls of {wrong!r}, a count is finite and >= 0. Correct the table."
        )
    used = sorted(((name, calls) for name, calls in usage.items() if calls > 0), key=lambda p: (-p[1], p[0]))
    if not used:
        raise EvidenceError("sample: no function is called, needs at least one. Pass counts of calls.")
    return _Population(
        names=tuple(name for name, _ in used),
        calls=np.array([calls for _, calls in used], dtype=np.float64),
        testable=names,
    )


def _certain(population: _Population, k: int, stratum: str) -> tuple[list[Drawn], list[Stratum]]:
    places = list(range(min(k, len(population.names))))
    drawn = population.take(places, stratum, 1.0)
    return drawn, [population.stratum(stratum, places, drawn, certainty=True)]


def _pps(population: _Population, design: PPS, rng: np.random.Generator) -> tuple[list[Drawn], list[Stratum]]:
    """Draw systematically along a random order: inclusion probabilities are exactly proportional."""
    count = len(population.names)
    if design.n >= count:
        return _certain(population, count, "all")
    certain = 0
    # Taking the largest out raises the chances of the others, which may make more of them certain.
    while (design.n - certain) * population.calls[certain] >= population.calls[certain:].sum():
        certain += 1
    left = design.n - certain
    rest = np.arange(certain, count)
    chances = left * population.calls[rest] / population.calls[rest].sum()
    order = rng.permutation(len(rest))
    ends = np.cumsum(chances[order])
    points = rng.random() + np.arange(left)
    hit = order[np.minimum(np.searchsorted(ends, points, side="right"), len(rest) - 1)]
    first = population.take(range(certain), "certain", 1.0)
    second = population.take((rest[hit]).tolist(), "by calls", chances[hit])
    strata = [population.stratum("by calls", rest.tolist(), second, certainty=False)]
    if first:
        strata.insert(0, population.stratum("certain", range(certain), first, certainty=True))
    return [*first, *second], strata


def _deciles(
    population: _Population, design: Deciles, rng: np.random.Generator
) -> tuple[list[Drawn], list[Stratum], tuple[str, ...]]:
    """Draw from deciles of calls; a function without inputs is kept as non-response and replaced."""
    top = min(design.top, len(population.names))
    parts: list[_Part] = []
    taken: set[int] = set()
    for name, places in _decile_places(population.calls, 0 if design.paper else top):
        if design.per > len(places):
            raise EvidenceError(
                f"sample: {design.per} functions in a stratum of {len(places)} ({name}). "
                "Lower per_stratum or join strata."
            )
        order = rng.permutation(np.asarray(places)).tolist()
        able = np.cumsum([population.names[place] in population.testable for place in order])
        hit = order[: int(np.searchsorted(able, design.per)) + 1]
        taken |= set(hit)
        # Those among the most used count there: what is left is a simple draw of the others.
        parts.append(
            _Part(
                name=name,
                places=[place for place in places if place >= top],
                drawn=[place for place in hit if place >= top],
            )
        )
    drawn: list[Drawn] = []
    strata: list[Stratum] = []
    for part in _reached(parts):
        mine = population.take(part.drawn, part.name, len(part.drawn) / len(part.places))
        drawn += mine
        strata.append(population.stratum(part.name, part.places, mine, certainty=False))
    most = population.take(range(top), "most used", 1.0)
    if most:
        strata.append(population.stratum("most used", range(top), most, certainty=True))
    twice = tuple(sorted(population.names[place] for place in taken if place < top))
    return [*drawn, *most], strata, twice


@dataclass(slots=True, kw_only=True)
class _Part:
    """A decile without the most used functions: its places, and those drawn of them in order."""

    name: str
    places: list[int]
    drawn: list[int]


def _reached(parts: list[_Part]) -> list[_Part]:
    """Return the deciles, one whose draws were all among the most used joined to a neighbour."""
    out: list[_Part] = []
    for part in parts:
        if not part.places:
            continue
        if out and not (part.drawn and out[-1].drawn):
            out[-1].places += part.places
            out[-1].drawn += part.drawn
        else:
            out.append(part)
    return [part for part in out if part.drawn]


def _decile_places(calls: FloatArray, first: int) -> list[tuple[str, list[int]]]:
    """Return places by decile of calls, least used first; deciles with equal cuts are one."""
    rest = calls[first:]
    if rest.size == 0:
        return []
    found, below = [], -np.inf
    for percent, cut in zip(CUTS, np.percentile(rest, CUTS), strict=True):
        inside = np.flatnonzero((rest > below) & (rest <= cut))
        # The last cut may lie a rounding error below the largest count.
        inside = np.flatnonzero(rest > below) if percent == CUTS[-1] else inside
        if inside.size:
            found.append((f"to {percent} %", (inside + first).tolist()))
        below = max(below, float(cut))
    return found
