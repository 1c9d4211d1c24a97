"""The result of a decomposition: shares with intervals, by minimum, with its cautions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.gains.systems import System
from isoflop.progress.result import ProgressFit
from isoflop.stats.exp_sum import Array

if TYPE_CHECKING:
    import polars as pl

COMPUTE = ("params", "data")
LABELS = {
    "params": "parameters",
    "data": "data",
    "year": "algorithms",
    "param_year": "parameter efficiency",
    "data_year": "data efficiency",
    "class": "architecture class",
}
PUBLISHED_SHARES: Mapping[tuple[str, str], tuple[float, float, float, float]] = {
    ("RNN", "GPT-3"): (0.486, 0.324, 0.021, 0.168),
    ("RNN", "GPT-2"): (0.429, 0.325, 0.028, 0.218),
    ("LSTM", "Chinchilla"): (0.582, 0.264, 0.021, 0.133),
    ("GPT-2", "Chinchilla"): (0.487, 0.331, 0.023, 0.159),
}
"""Printed by Ho et al. (2024): N, D, year in the first term, year in the second; law 7, no interval."""
BASINS_DISAGREE = 0.1
"""Shares of a player at two minima this far apart are worth a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BasinShares:
    """Shares at one minimum of the full sample, with intervals from the draws in its basin.

    `low`, `high` and `compute_interval` are None without draws, NaN with fewer than two.
    """

    shares: Array
    low: Array | None
    high: Array | None
    compute_interval: tuple[float, float] | None
    share_of_draws: float | None

    @property
    def compute_share(self) -> float:
        """Share of parameters and data."""
        return float(self.shares[:2].sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Decomposition:
    """Who changed the value between two systems; arrays follow `players`.

    Parameters
    ----------
    players : tuple of str
        params, data, param_year, data_year (law 18: year), and class where the law knows it.
    shares, contributions : arrays, shape (players,)
        Fractions of the total change, and the change itself in units of `value`.
    low, high : arrays or None
        Interval of each share over every draw that was kept.
    draws : array, shape (players, R)
        NaN where a draw failed.
    reversed_draws : float
        Share of draws in which the total change has the other sign.
    """

    fit: ProgressFit
    start: System
    end: System
    value: str
    benchmark: str
    players: tuple[str, ...]
    shares: Array
    contributions: Array
    low: Array | None
    high: Array | None
    compute_low: float | None
    compute_high: float | None
    level: float | None
    draws: Array
    failed_draws: int
    reversed_draws: float
    basins: tuple[BasinShares, ...]
    is_headline: bool = True

    @property
    def compute_share(self) -> Estimate:
        """Share of parameters and data together; algorithms have the rest."""
        return Estimate(
            value=float(self.shares[:2].sum()),
            low=self.compute_low,
            high=self.compute_high,
            level=self.level,
            unit="1",
        )

    @property
    def algorithm_share(self) -> Estimate:
        """Share of the years and the class."""
        return self.compute_share.map(lambda share: 1.0 - share, unit="1")

    def share(self, player: str) -> Estimate:
        """Return the share of one player with its interval."""
        i = self.players.index(player)
        if self.low is None or self.high is None:
            return Estimate(value=self.shares[i], unit="1")
        return Estimate(value=self.shares[i], low=self.low[i], high=self.high[i], level=self.level, unit="1")

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares."""
        return self.fit.provenance

    @property
    def method(self) -> str:
        """One line: what is shared out, between whom, and the fit."""
        what = {"loss": "loss", "ln_loss": "ln loss", "effective_compute": "ln effective compute"}[self.value]
        return f"exact Shapley values of {what}, constants of {self.benchmark}; {self.fit.method}"

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the shares, then what limits the fit."""
        return (*_cautions(self), *self.fit.cautions)

    @property
    def published(self) -> dict[str, float] | None:
        """The paper's shares of this pair, if it printed them."""
        printed = PUBLISHED_SHARES.get((self.start.name, self.end.name))
        if printed is None or self.value != "loss":
            return None
        return dict(zip(("params", "data", "param_year", "data_year"), printed, strict=True))

    def findings(self) -> tuple[Finding, ...]:
        """Return the compute share; its details hold every player's share and each minimum."""
        name = "progress.compute_share"
        if not self.is_headline:
            name = f"{name}.{_slug(self.start.name)}.{_slug(self.end.name)}"
            name += "" if self.value == "loss" else f".{self.value}"
        details: dict[str, Any] = {
            "shares": dict(zip(self.players, self.shares, strict=True)),
            "intervals": {p: [self.share(p).low, self.share(p).high] for p in self.players},
            "contributions": dict(zip(self.players, self.contributions, strict=True)),
            "algorithm_share": float(1.0 - self.shares[:2].sum()),
            "value": self.value,
            "benchmark": self.benchmark,
            "start": self.start,
            "end": self.end,
            "by_basin": self._by_basin(),
            "failed_draws": self.failed_draws,
            "published": self.published,
        }
        if self.draws.shape[1]:
            details["draws"] = equal_probability_quantiles(self.draws[:2].sum(axis=0))
        return (
            Finding(
                id=name,
                instrument="progress",
                label=f"share of compute in the progress from {self.start.name} to {self.end.name}",
                estimate=self.compute_share,
                method=self.method,
                n=self.fit.sample.n,
                evidence=self.provenance,
                seed=self.fit.seed,
                cautions=self.cautions,
                details=json_ready(details),
            ),
        )

    def _by_basin(self) -> list[dict[str, Any]]:
        rows = []
        for k, basin in enumerate(self.basins):
            low, high = basin.compute_interval or (None, None)
            rows.append(
                {
                    "minimum": k + 1,
                    "compute_share": basin.compute_share,
                    "low": low,
                    "high": high,
                    "shares": dict(zip(self.players, basin.shares, strict=True)),
                    "objective": self.fit.minima[k].objective,
                    "share_of_draws": basin.share_of_draws,
                }
            )
        return rows

    def frame(self) -> pl.DataFrame:
        """Return one row per minimum and player, and the sums.

        Columns: minimum (0 stands for the best minimum with the interval of all draws, 1, 2, ... for each
        minimum with the draws in its basin), player, label, group, share, low, high, contribution
        (minimum 0 only). The players `compute` and `algorithms` are the sums.
        """
        import polars as pl

        rows = [*self._rows(0, self.shares, self.low, self.high, self.compute_share)]
        for k, basin in enumerate(self.basins, start=1):
            low, high = basin.compute_interval or (None, None)
            total = Estimate(value=basin.compute_share, low=low, high=high, unit="1")
            rows += self._rows(k, basin.shares, basin.low, basin.high, total)
        for row, contribution in zip(rows, self.contributions, strict=False):
            row["contribution"] = float(contribution)
        schema = {
            "minimum": pl.Int64,
            "player": pl.String,
            "label": pl.String,
            "group": pl.String,
            "share": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
            "contribution": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema).with_columns(pl.col(pl.Float64).fill_nan(None))

    def _rows(
        self, minimum: int, shares: Array, low: Array | None, high: Array | None, compute: Estimate
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {
                "minimum": minimum,
                "player": player,
                "label": LABELS[player],
                "group": "compute" if player in COMPUTE else "algorithms",
                "share": float(shares[i]),
                "low": None if low is None else float(low[i]),
                "high": None if high is None else float(high[i]),
            }
            for i, player in enumerate(self.players)
        ]
        for group, total in (("compute", compute), ("algorithms", compute.map(lambda s: 1.0 - s, unit="1"))):
            rows.append(
                {
                    "minimum": minimum,
                    "player": group,
                    "label": f"{group}, together",
                    "group": group,
                    "share": total.value,
                    "low": total.low,
                    "high": total.high,
                }
            )
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return findings and the table, JSON-ready."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "shares": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return shares, minima and cautions on one screen."""
        from isoflop.present import formats

        lines = [f"{self.start.name} to {self.end.name}: {self.method}"]
        lines.append(f"  compute {formats.estimate(self.compute_share)}")
        lines += [f"  {LABELS[p]} {formats.estimate(self.share(p))}" for p in self.players]
        lines += [
            f"  minimum {k + 1}: compute {formats.percent(basin.compute_share)}"
            for k, basin in enumerate(self.basins)
        ]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _slug(name: str) -> str:
    kept = "".join(ch if ch.isalnum() else "_" for ch in name.lower())
    return "_".join(part for part in kept.split("_") if part)


def _cautions(found: Decomposition) -> list[str]:
    said = []
    if "RNN" in (found.start.name, found.end.name) and found.benchmark != "PTB":
        said.append(
            f"RNN was trained on PTB but is scored with the constants of {found.benchmark}, as published: "
            "its end of the comparison is rough."
        )
    for system in (found.start, found.end):
        beyond = _beyond(found.fit, system)
        if beyond:
            said.append(
                f"{system.name} lies outside the sample ({', '.join(beyond)}): the law is extrapolated."
            )
    by_basin = np.array([basin.shares for basin in found.basins])
    apart = np.ptp(by_basin, axis=0)
    if found.fit.has_two_basins and apart.max() > BASINS_DISAGREE:
        most = int(apart.argmax())
        computes = ", ".join(f"{basin.compute_share:.0%}" for basin in found.basins)
        listed = ", ".join(f"{share:.0%}" for share in by_basin[:, most])
        said.append(
            f"the minima tell different stories (compute {computes}; "
            f"{LABELS[found.players[most]]} {listed}): read each apart."
        )
    negative = [LABELS[p] for p, s in zip(found.players, found.shares, strict=True) if s < 0]
    if negative:
        said.append(f"the share of {' and '.join(negative)} is negative: on its own it made the value worse.")
    if found.reversed_draws > 0:
        said.append(
            f"in {found.reversed_draws:.1%} of the draws the change has the other sign: their shares are "
            "of a change the wrong way. Compare systems that differ more."
        )
    if found.failed_draws:
        said.append(f"{found.failed_draws} draws gave no shares and are left out.")
    return said


def _beyond(fit: ProgressFit, system: System) -> list[str]:
    features, said = fit.sample.features, []
    for label, number, seen in (
        ("parameters", system.parameters, features.parameters),
        ("data", system.data, features.data),
    ):
        over, under = np.log10(number / seen.max()), np.log10(seen.min() / number)
        if max(over, under) > 0:
            side = "above" if over > 0 else "below"
            said.append(f"{label} {max(over, under):.1f} decades {side}")
    years = features.year
    if not years.min() - 0.01 <= system.year <= years.max() + 0.01:
        late = system.year > years.max()
        gap = system.year - years.max() if late else years.min() - system.year
        said.append(f"date {gap:.1f} years {'after' if late else 'before'}")
    return said
