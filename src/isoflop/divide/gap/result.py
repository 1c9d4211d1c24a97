"""The gap between industry and academia: by year, by kind of covariance, by quantile, and without a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.gap.medians import MedianGap
from isoflop.divide.gap.model import UNIT, Cov, GapFit
from isoflop.divide.growth.paper import PAPER
from isoflop.divide.growth.settings import FEW_CLUSTERS, ComputeNoise
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.divide.sample import Sample

FEW = 10
TWO_LINES = (
    "The gap is the distance of two straight lines; read it beside the medians by period and the quantiles, "
    "and beside the residuals by year."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileGap:
    """The gap between the q-quantiles of industry and academia.

    Parameters
    ----------
    q : float
    gap, widening : Estimate
        At the headline year, and its change a year.
    certificate : float
        Relative gap between primal and dual objective.
    without : str
        Why there is no interval; empty if there is one.
    """

    q: float
    gap: Estimate
    widening: Estimate
    certificate: float
    without: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseGap:
    """What doubt about compute does to the headline gap: alone, and with draws of organisations."""

    noise: ComputeNoise
    alone: Estimate
    both: Estimate
    widening_alone: Estimate


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputeGap:
    """How far apart the two sectors are.

    Parameters
    ----------
    sample : Sample
        All rows; those of academia and industry were fitted.
    years : tuple of int
        At which the gap is read.
    at_year : int
        The headline's.
    how : str
        How the headline year was chosen.
    fits : dict of str to GapFit
        Kind of covariance to fit; the first leads.
    joined : GapFit or None
        Collaborations counted as industry; None where there are none.
    quantiles : tuple of QuantileGap
    medians : tuple of MedianGap
    noise : NoiseGap
    unknown_as : dict of str to float
        The headline gap if every system of unknown team were of that sector; empty where all are known.
    plain_difference : float
        Mean log10 compute of industry minus that of academia, time ignored.
    n_academia, n_industry : int
    span : tuple of float
        First and last date that both sectors reach.
    level : float
    compat : bool
    """

    sample: Sample
    years: tuple[int, ...]
    at_year: int
    how: str
    fits: dict[Cov, GapFit]
    joined: GapFit | None
    quantiles: tuple[QuantileGap, ...]
    medians: tuple[MedianGap, ...]
    noise: NoiseGap
    unknown_as: dict[str, float]
    plain_difference: float
    n_academia: int
    n_industry: int
    span: tuple[float, float]
    level: float
    compat: bool

    @property
    def lead(self) -> GapFit:
        """The leading fit."""
        return next(iter(self.fits.values()))

    @property
    def n(self) -> int:
        """Systems of academia and industry."""
        return self.n_academia + self.n_industry

    @property
    def drawn(self) -> str:
        """What the replicates draw: organisations, or systems where those are few."""
        cluster = self.fits.get("cluster")
        enough = cluster is not None and cluster.n_clusters >= FEW_CLUSTERS
        return "organisations" if enough else "systems"

    @property
    def gap(self) -> Estimate:
        """The headline: the gap at `at_year`."""
        return self.lead.at(self.at_year, self.level)

    @property
    def widening(self) -> Estimate:
        """Change of the gap a year, under the leading covariance."""
        return self.lead.widening(self.level)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the gap."""
        return self.sample.provenance(self.n)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions, TWO_LINES]
        for sector, n in (("academia", self.n_academia), ("industry", self.n_industry)):
            if n < FEW:
                said.append(f"Only {n} systems of {sector} carry its line: add systems.")
        cluster = self.fits.get("cluster")
        if cluster is not None and cluster.n_clusters < FEW_CLUSTERS:
            said.append(
                f"{cluster.n_clusters} organisations, fewer than {FEW_CLUSTERS}: the clustered interval is "
                "too narrow. Add organisations."
            )
        if not self.inside(self.at_year):
            first, last = self.span
            said.append(
                f"Both sectors have systems only from {first:.0f} to {last:.0f}: the gap of "
                f"{self.at_year} is extrapolated. Choose a year within."
            )
        if self.unknown_as:
            blank = int((~self.sample.known).sum())
            told = ", ".join(f"{formats.number(v)} as {team}" for team, v in self.unknown_as.items())
            said.append(
                f"{blank} systems of unknown team are left out; counted all on one side the gap would be "
                f"{told}. Code them to cure it."
            )
        if self.compat:
            said.append(PAPER)
        return tuple(said)

    def inside(self, year: int) -> bool:
        """Return whether both sectors have systems on either side of mid-year."""
        return self.span[0] <= year + 0.5 <= self.span[1] + 1

    def _readings(self) -> Iterator[tuple[str, str, int | None, Estimate, float | None, int]]:
        """Yield quantity, method, year, estimate, p and rows of every reading."""
        for cov, fit in self.fits.items():
            for year in self.years if fit is self.lead else (self.at_year,):
                yield "gap", cov, year, fit.at(year, self.level), None, fit.n
            yield "widening", cov, None, fit.widening(self.level), fit.p_widening, fit.n
        if self.joined is not None:
            name, fit = "collaboration_as_industry", self.joined
            yield "gap", name, self.at_year, fit.at(self.at_year, self.level), None, fit.n
            yield "widening", name, None, fit.widening(self.level), fit.p_widening, fit.n
        for one in self.quantiles:
            name = quantile_name(one.q)
            yield "gap", name, self.at_year, one.gap, None, self.n
            yield "widening", name, None, one.widening, None, self.n
        yield "gap", "monte_carlo", self.at_year, self.noise.alone, None, self.n
        yield "gap", "monte_carlo_and_sampling", self.at_year, self.noise.both, None, self.n
        yield "widening", "monte_carlo", None, self.noise.widening_alone, None, self.n

    def rows(self) -> list[dict[str, Any]]:
        """Return every reading of the gap and of its change, JSON-ready."""
        return [
            {
                "quantity": quantity,
                "method": method,
                "year": year,
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "level": estimate.level,
                "unit": estimate.unit,
                "p": p,
                "n": n,
                "inside_data": None if year is None else self.inside(year),
            }
            for quantity, method, year, estimate, p, n in self._readings()
        ]

    def median_rows(self) -> list[dict[str, Any]]:
        """Return the difference of medians by period, JSON-ready."""
        return [
            {
                "period": str(one.period),
                "n_academia": one.n_academia,
                "n_industry": one.n_industry,
                "gap": one.gap.value,
                "low": one.gap.low,
                "high": one.gap.high,
            }
            for one in self.medians
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a reading."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the headline gap, its variants and its change; see `divide.gap.findings`."""
        from isoflop.divide.gap.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "at_year": self.at_year,
                "at_year_chosen": self.how,
                "gap": self.rows(),
                "medians": self.median_rows(),
                "unknown_as": self.unknown_as,
                "plain_difference": self.plain_difference,
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        p = ", ".join(f"{formats.number(fit.p_widening, 2)} {cov}" for cov, fit in self.fits.items())
        lines = [
            f"{self.sample.text}; {self.n_academia} systems of academia, {self.n_industry} of industry, "
            f"{int((~self.sample.known).sum())} of unknown team besides",
            *(
                f"gap in mid-{year}: {formats.estimate(self.lead.at(year, self.level))}"
                + ("" if self.inside(year) else ", extrapolated")
                for year in self.years
            ),
            f"change: {formats.estimate(self.widening)}; p against none: {p}",
        ]
        lines += [
            f"between {one.q:g} quantiles, {self.at_year}: {formats.estimate(one.gap)}"
            for one in self.quantiles
        ]
        lines.append(
            f"plain difference of means, time ignored: {formats.number(self.plain_difference)} {UNIT}"
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def quantile_name(q: float) -> str:
    """Return the qualifier of a quantile's findings.

    Examples
    --------
    >>> quantile_name(0.5), quantile_name(0.975)
    ('quantile_50', 'quantile_97_5')
    """
    return f"quantile_{100 * q:g}".replace(".", "_")
