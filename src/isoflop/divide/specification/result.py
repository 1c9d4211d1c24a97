"""Headlines under every choice: what varies, by how much, and what the whole curve says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.divide.sample import Sample
from isoflop.divide.snapshots import Snapshot
from isoflop.divide.specification.curve import Curve
from isoflop.divide.specification.grid import LABELS, UNITS, Grid, Headline
from isoflop.divide.specification.words import CHOICES, by_setting, sentence, strongest
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

NO_ESTIMATE = (
    "A median over specifications is no estimate of the truth: specifications share their systems, and which "
    "of them are run is our choice. Read the range, and decide which choices fit your question."
)
NEAR_LEVEL = (
    "On planted tables without an effect the joint p was 0.05 or less in 4 to 8 % of them, most often for "
    "shares (study divide_joint): a p close to 0.05 is close, no more. More organisations would sharpen it."
)
FEW_ORGANISATIONS = 20
"""Below this number of organisations drawing them is coarse."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SpecificationCurve:
    """One or more headlines under every combination of choices.

    Parameters
    ----------
    snapshots : tuple of Snapshot
    samples : tuple of Sample
        One a snapshot and filter.
    grid : Grid
    curves : tuple of Curve
        One a headline.
    level : float
    replicates : int
        Of the joint test; 0 if it was left out.
    seed : int
    cautions : tuple of str
    """

    snapshots: tuple[Snapshot, ...]
    samples: tuple[Sample, ...]
    grid: Grid
    curves: tuple[Curve, ...]
    level: float
    replicates: int
    seed: int
    cautions: tuple[str, ...]

    def curve(self, headline: Headline) -> Curve:
        """Return the curve of a headline.

        Raises
        ------
        KeyError
            It was not run, or could not be had.
        """
        for one in self.curves:
            if one.headline == headline:
                return one
        raise KeyError(headline)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The tables behind the curves, each once."""
        largest: dict[str, int] = {}
        for sample in self.samples:
            name = sample.table.fingerprint
            largest[name] = max(largest.get(name, 0), sample.n)
        return tuple(one.table.provenance(largest[one.table.fingerprint]) for one in self.snapshots)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a specification, JSON-ready; a choice that does not apply is null."""
        blank = dict.fromkeys(CHOICES)
        return [
            {"headline": row.pop("headline"), **blank, **row}
            for curve in self.curves
            for row in (one.row() for one in curve.specifications)
        ]

    def choice_rows(self) -> list[dict[str, Any]]:
        """Return the median under each setting of each choice: which choice moves the headline."""
        return [row for curve in self.curves for row in by_setting(curve)]

    def frame(self) -> pl.DataFrame:
        """Return one row a specification."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the median and the joint p of each headline.

        Ids: ``divide.specification_median.<headline>`` and ``divide.specification_joint_p.<headline>``.
        """
        return tuple(
            finding
            for curve in self.curves
            for finding in (
                _median(self, curve),
                *(() if not self.replicates else (_joint(self, curve),)),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "snapshots": [one.name for one in self.snapshots],
                "specifications": self.rows(),
                "choices": self.choice_rows(),
                "curves": [_details(self, one) | {"headline": one.headline} for one in self.curves],
                "cautions": [NO_ESTIMATE, *self.cautions],
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        names = ", ".join(one.name for one in self.snapshots)
        lines = [f"snapshot{'' if len(self.snapshots) == 1 else 's'}: {names}"]
        lines += [f"{LABELS[curve.headline]}: {sentence(curve)}" for curve in self.curves]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _details(found: SpecificationCurve, curve: Curve) -> dict[str, Any]:
    values = curve.values
    return {
        "specifications": len(values),
        "without_value": len(curve.specifications) - len(values),
        "lowest": values[0] if values else None,
        "highest": values[-1] if values else None,
        "median_effect": None if curve.joint is None else curve.joint.median_effect,
        "null": curve.null,
        "share_same_sign": curve.same_sign,
        "share_excluding_null": curve.excluding,
        "with_effect": len(curve.with_effect),
        "strongest_choice": strongest(curve),
        "snapshots": [one.name for one in found.snapshots],
    }


def _median(found: SpecificationCurve, curve: Curve) -> Finding:
    unit = UNITS[curve.headline]
    return Finding(
        id=f"divide.specification_median.{curve.headline}",
        instrument="divide",
        label=f"median over specifications: {LABELS[curve.headline]}",
        estimate=Estimate(value=curve.median, unit=unit),
        method="median over the product of choices; the range over specifications is no interval",
        n=len(curve.values),
        evidence=found.provenance,
        cautions=(NO_ESTIMATE, *found.cautions),
        details=_details(found, curve),
    )


def _joint(found: SpecificationCurve, curve: Curve) -> Finding:
    test = curve.joint
    details: dict[str, Any] = {"null": curve.null}
    cautions = [NEAR_LEVEL, *found.cautions]
    if test is None or test.p is None:
        details["reason"] = "no specification has an effect that could differ from the null"
    else:
        details |= {
            "median_effect": test.median_effect,
            "replicates": test.replicates,
            "organisations": test.clusters,
            "specifications": test.specifications,
            "smallest_p": 1 / (1 + test.replicates),
        }
        if test.clusters < FEW_ORGANISATIONS:
            cautions.append(
                f"Only {test.clusters} organisations can be drawn, so the joint p is rough. Add systems of "
                "others."
            )
    return Finding(
        id=f"divide.specification_joint_p.{curve.headline}",
        instrument="divide",
        label=f"joint p, null that {curve.null}: {LABELS[curve.headline]}",
        estimate=Estimate(value=None if test is None else test.p, unit="1"),
        method="median effect of the whole curve redone on drawn organisations, null imposed by taking each "
        "fitted effect away; two-sided",
        n=None if test is None else test.specifications,
        evidence=found.provenance,
        seed=found.seed,
        cautions=tuple(cautions),
        details=details,
    )
