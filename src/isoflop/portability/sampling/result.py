"""What was drawn, by which chances, and what could not be tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.findings import Provenance, json_ready
from isoflop.portability.sampling.designs import Census, Design, Top, parse_design
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.task import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One function as drawn.

    Parameters
    ----------
    name : str
    stratum : str
    order : int
        Place in the draw of its stratum, from 1.
    calls : float
        How often code calls it.
    probability : float, in (0, 1]
        Inclusion probability under the design.
    testable : bool
        Whether the catalogue has inputs for it; if not it is a non-response, and where the design
        replaces, the next of its stratum followed.
    """

    name: str
    stratum: str
    order: int
    calls: float
    probability: float
    testable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """A part of the population: `size` functions with `calls` calls, of which `drawn` were drawn."""

    name: str
    size: int
    calls: float
    drawn: int
    testable: int
    certainty: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sample:
    """Functions drawn by a design, ready to be run.

    Parameters
    ----------
    design : Design
    seed : int
    drawn : tuple of Drawn
        In the order of the draw, non-responses among them.
    strata : tuple of Stratum
    items : tuple of Item
        The catalogue's items of the functions that can be tested; empty where names alone were given.
    unused : int
        Functions of the catalogue that no code calls: outside the population.
    twice : tuple of str
        Names drawn in a decile and among the most used (the paper's mode).
    provenance : tuple of Provenance
        Of the counts of calls.
    notes : tuple of str
        Doubts from the draw.
    """

    design: Design
    seed: int
    drawn: tuple[Drawn, ...]
    strata: tuple[Stratum, ...]
    items: tuple[Item, ...] = ()
    unused: int = 0
    twice: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def functions(self) -> tuple[str, ...]:
        """Names to be tested, in the order of the draw."""
        return tuple(one.name for one in self.drawn if one.testable)

    @property
    def untestable(self) -> tuple[str, ...]:
        """Names drawn without inputs to test them."""
        return tuple(one.name for one in self.drawn if not one.testable)

    @property
    def size(self) -> int:
        """Functions in the population."""
        return sum(one.size for one in self.strata)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the sample, each with what would cure it."""
        said = list(self.notes)
        if self.untestable:
            said.append(
                f"{len(self.untestable)} of {len(self.drawn)} functions drawn have no inputs and count as "
                "non-response: read the band beside the interval, or write recipes for them."
            )
        if self.twice:
            said.append(
                f"{len(self.twice)} functions were drawn twice, in a decile and among the most used: the "
                "paper's mode. Each counts once, among the most used."
            )
        if isinstance(self.design, Top):
            said.append(
                "Only the most used functions were taken: a share holds for them alone. Use deciles or pps "
                "to speak of all functions."
            )
        return tuple(said)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Sample:
        """Return the sample that `to_dict` wrote, without the catalogue's items.

        Raises
        ------
        EvidenceError
            It is no sample.
        """
        try:
            return cls(
                design=parse_design(found["design"]),
                seed=int(found["seed"]),
                drawn=tuple(
                    Drawn(
                        name=row["function"],
                        **{key: row[key] for key in ("stratum", "order", "calls", "probability", "testable")},
                    )
                    for row in found["drawn"]
                ),
                strata=tuple(Stratum(**row) for row in found["strata"]),
                unused=int(found["unused"]),
                twice=tuple(found["twice"]),
                provenance=tuple(Provenance(**row) for row in found["provenance"]),
            )
        except (KeyError, TypeError) as error:
            raise EvidenceError(
                f"sample: {error} is missing or wrong, needs what isoflop portability sample --out wrote. "
                "Draw it anew."
            ) from None

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a function drawn, JSON-ready."""
        return [
            {
                "function": one.name,
                "stratum": one.stratum,
                "order": one.order,
                "calls": one.calls,
                "probability": one.probability,
                "weight": 1 / one.probability,
                "testable": one.testable,
            }
            for one in self.drawn
        ]

    def stratum_rows(self) -> list[dict[str, Any]]:
        """Return one row a stratum, JSON-ready."""
        return [
            {name: getattr(one, name) for name in ("name", "size", "calls", "drawn", "testable", "certainty")}
            for one in self.strata
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a function drawn."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping that `Sample` can be rebuilt and judged from."""
        shown: dict[str, Any] = json_ready(
            {
                "design": self.design.short,
                "seed": self.seed,
                "drawn": self.rows(),
                "strata": self.stratum_rows(),
                "unused": self.unused,
                "twice": list(self.twice),
                "cautions": list(self.cautions),
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        calls = sum(one.calls for one in self.strata)
        reached = sum({one.name: one.calls for one in self.drawn if one.testable}.values())
        lines = [
            f"{self.design.text}; seed {self.seed}"
            if not isinstance(self.design, Census)
            else self.design.text,
            f"{len(set(self.functions))} functions to test of {self.size} in use, "
            f"{formats.percent(reached / calls) if calls else 'none'} of calls; "
            f"{len(self.untestable)} drawn without inputs",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html
