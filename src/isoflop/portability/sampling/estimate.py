"""From the tested functions to all of them: shares of functions and of calls under a design.

With u_i = e_i / π_i the variance of an estimated total is, summed over strata,

    n/(n - 1) · Σ (1 - π_i) (u_i - ū)²,    ū weighted by 1 - π_i,

which is N²(1 - n/N)s²/n for a simple draw and Hájek's approximation where chances differ. A stratum taken
with certainty adds nothing. Those not answered lower π_i within their stratum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate
from isoflop.portability.counted import DRAWS, share_draws, share_estimate
from isoflop.portability.model import Bootstrap, Wilson
from isoflop.portability.sampling.designs import Census, Top
from isoflop.portability.sampling.result import Drawn, Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Of = Literal["functions", "calls"]
CHANCES = (np.arange(DRAWS) + 0.5) / DRAWS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignShare:
    """A share of functions or of calls, with what non-response could make of it.

    Parameters
    ----------
    of : {"functions", "calls"}
    estimate : Estimate
    band : (float, float)
        The share if every function drawn but not tested passed, and if every one failed.
    n, drawn : int
        Functions tested, and drawn.
    variance : float or None
        Design-based; None for a census, whose interval is Wilson's.
    draws : array
        Equal-probability quantiles behind the interval.
    """

    of: Of
    estimate: Estimate
    band: tuple[float, float]
    n: int
    drawn: int
    variance: float | None
    draws: FloatArray
    method: str

    def __post_init__(self) -> None:
        self.draws.setflags(write=False)


def design_share(
    sample: Sample,
    failing: Mapping[str, bool],
    *,
    of: Of = "functions",
    ci: Wilson | Bootstrap | None = None,
) -> DesignShare:
    """Return the share of functions, or of calls, for which something is true.

    Parameters
    ----------
    sample : Sample
    failing : mapping of str to bool
        By function; one that was drawn and is absent here counts as non-response.
    of : {"functions", "calls"}
    ci : Wilson or Bootstrap, optional
        `Wilson` (default): of as many plain answers as have the linearised variance, with Student's t.
        `Bootstrap`: Rao and Wu's.

    Returns
    -------
    DesignShare

    Raises
    ------
    EvidenceError
        No function drawn was tested.

    Notes
    -----
    The interval takes the larger of the linearised variance and that of one rate of failure: alone the first
    is too small where few fail (``python -m validation portability_coverage``), on the logit scale as well.
    Sources: Cochran (1977), Sampling Techniques, ch. 5 and 9A; Hájek (1964), Ann. Math. Statist. 35,
    1491-1523; Korn and Graubard (1998), Survey Methodology 24, 193-201, for the count of plain answers;
    Rao and Wu (1988), J. Amer. Statist. Assoc. 83, 231-241.

    Examples
    --------
    >>> from isoflop.portability.sampling.draw import sample
    >>> drawn = sample(["a", "b", "c", "d"], design="census")
    >>> design_share(drawn, dict(a=True, b=False, c=False, d=False)).estimate.value
    0.25
    """
    ci = ci or Wilson()
    asked = [one for one in sample.drawn if one.name in failing]
    if not asked:
        raise EvidenceError("design_share: none of the functions drawn has a result. Run the sample first.")
    data = _Answers.of(asked, sample.drawn, failing, of)
    whole = isinstance(sample.design, (Census, Top)) or bool(np.all(data.chance == 1))
    if whole and of == "functions":
        found = _plain(data, ci.level)
    else:
        found = _weighted(data.without_correction() if whole else data, ci)
    return DesignShare(
        of=of,
        estimate=found.estimate,
        band=_band(sample.drawn, failing, of),
        n=len(asked),
        drawn=len(sample.drawn),
        variance=found.variance,
        draws=found.draws,
        method=found.method,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    estimate: Estimate
    variance: float | None
    draws: FloatArray
    method: str


def _plain(data: _Answers, level: float) -> _Found:
    """Return the share where every function was to be tested: counted, with Wilson's interval."""
    count, n = int(data.y.sum()), data.y.size
    return _Found(
        estimate=share_estimate(count, n, level=level),
        variance=None,
        draws=np.array(share_draws(count, n)),
        method="all of the functions; Wilson interval",
    )


def _weighted(data: _Answers, ci: Wilson | Bootstrap) -> _Found:
    point = data.share(data.weight)
    if isinstance(ci, Bootstrap):
        reps = _rao_wu(data, ci)
        low, high = (float(v) for v in np.quantile(reps, ((1 - ci.level) / 2, (1 + ci.level) / 2)))
        draws, variance = np.quantile(reps, CHANCES), float(np.var(reps))
        how = f"Rao-Wu bootstrap, {ci.reps} draws"
    else:
        variance = data.variance(point)
        low, high, draws = _score_interval(point, variance, data, ci.level)
        how = "linearised variance, Wilson interval"
    return _Found(
        estimate=Estimate(value=point, low=low, high=high, level=ci.level, unit="1"),
        variance=variance,
        draws=draws,
        method=f"weighted by the design; {how}",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answers:
    """Tested functions as arrays: answer, size measure, chance after non-response, stratum."""

    y: FloatArray
    x: FloatArray
    chance: FloatArray
    code: IntArray

    @classmethod
    def of(
        cls,
        asked: list[Drawn],
        drawn: tuple[Drawn, ...],
        failing: Mapping[str, bool],
        of: Of,
    ) -> _Answers:
        """Return the tested functions of all that were drawn."""
        joined = _joined(asked, drawn)
        strata = list(dict.fromkeys(joined.values()))
        weight = np.array([1 / one.probability for one in asked])
        code = np.array([strata.index(joined[one.stratum]) for one in asked], dtype=np.int64)
        stands_for = np.zeros(len(strata))
        for one in drawn:
            stands_for[strata.index(joined[one.stratum])] += 1 / one.probability
        answered = np.bincount(code, weight, len(strata))
        return cls(
            y=np.array([float(failing[one.name]) for one in asked]),
            x=np.array([one.calls if of == "calls" else 1.0 for one in asked]),
            # Those not answered count as an even loss within their stratum.
            chance=np.minimum(answered[code] / (weight * stands_for[code]), 1.0),
            code=code,
        )

    @property
    def weight(self) -> FloatArray:
        """Functions that each tested one stands for."""
        return 1 / self.chance

    def without_correction(self) -> _Answers:
        """Return the same with chances near 0: the functions as a draw from endlessly many."""
        return _Answers(y=self.y, x=self.x, chance=np.full_like(self.y, 1e-9), code=self.code)

    def share(self, weight: FloatArray) -> float:
        """Return the weighted share."""
        size = weight * self.x
        return float(np.sum(size * self.y) / np.sum(size))

    def variance(self, share: float) -> float:
        """Return the linearised variance of the share; strata with one answer join their neighbour."""
        u = self.weight * self.x * (self.y - share) / np.sum(self.weight * self.x)
        total = 0.0
        for rows in self.variance_strata():
            left = 1 - self.chance[rows]
            n = rows.size
            if n < 2 or left.sum() <= 0:
                continue
            centre = np.sum(left * u[rows]) / left.sum()
            total += n / (n - 1) * float(np.sum(left * (u[rows] - centre) ** 2))
        return total

    def model_variance(self) -> float:
        """Return the variance if functions failed at one rate wherever they were drawn by chance.

        Strata in which all or none of a few answers fail seem to have no spread of their own.
        """
        left = 1 - self.chance
        by_chance = self.y[left > 0]
        rate = (float(by_chance.sum()) + 1) / (by_chance.size + 2)
        size = self.weight * self.x
        return rate * (1 - rate) * float(np.sum(left * size**2) / np.sum(size) ** 2)

    def variance_strata(self) -> list[IntArray]:
        """Return row numbers by stratum, single answers joined with the stratum before or after."""
        groups = [np.flatnonzero(self.code == code) for code in np.unique(self.code)]
        uncertain = [rows for rows in groups if np.any(self.chance[rows] < 1)]
        out: list[IntArray] = []
        for rows in uncertain:
            if out and (rows.size == 1 or out[-1].size == 1):
                out[-1] = np.concatenate([out[-1], rows])
            else:
                out.append(rows)
        return out

    @property
    def df(self) -> int:
        """Degrees of freedom: answers less strata, of those not taken with certainty."""
        return max(1, sum(rows.size - 1 for rows in self.variance_strata()))


def _joined(asked: list[Drawn], drawn: tuple[Drawn, ...]) -> dict[str, str]:
    """Return each stratum's name, or that of the nearest one with an answer where it has none."""
    names = list(dict.fromkeys(one.stratum for one in drawn))
    kept = {one.stratum for one in asked}
    places = [i for i, name in enumerate(names) if name in kept]
    return {name: names[min(places, key=lambda p, i=i: abs(p - i))] for i, name in enumerate(names)}  # type: ignore[misc]


def _band(drawn: tuple[Drawn, ...], failing: Mapping[str, bool], of: Of) -> tuple[float, float]:
    """Return the share with all functions drawn and not tested passing, and failing."""
    ends = []
    for unknown in (False, True):
        filled = {one.name: failing.get(one.name, unknown) for one in drawn}
        data = _Answers.of(list(drawn), drawn, filled, of)
        ends.append(data.share(data.weight))
    return ends[0], ends[1]


def _score_interval(
    share: float, variance: float, data: _Answers, level: float
) -> tuple[float, float, FloatArray]:
    """Return Wilson's interval for as many plain answers as have the design's variance, and quantiles."""
    inner = (data.y.size * share + 1) / (data.y.size + 2)
    answers = inner * (1 - inner) / max(variance, data.model_variance())
    low, high, *draws = _score(share, answers, _quantiles(data.df, level))
    return float(low), float(high), np.array(draws)


def _score(share: float, answers: float, t: FloatArray) -> FloatArray:
    """Return Wilson's ends at quantiles t, below the share for negative ones."""
    spread = np.sqrt(share * (1 - share) / answers + t * t / (4 * answers * answers))
    ends = (share + t * t / (2 * answers) + t * spread) / (1 + t * t / answers)
    return np.asarray(np.clip(ends, 0.0, 1.0))


@cache
def _quantiles(df: int, level: float) -> FloatArray:
    """Return Student's quantiles of an interval's two ends, then those of the draws."""
    from isoflop.stats.intervals import student_quantile

    chances = ((1 - level) / 2, (1 + level) / 2, *CHANCES)
    return np.array([student_quantile(float(chance), df) for chance in chances])


def _rao_wu(data: _Answers, ci: Bootstrap) -> FloatArray:
    """Return draws of the share: n - 1 of n answers a stratum, weights rescaled for what was taken."""
    rng = np.random.default_rng(ci.seed)
    weights = np.tile(data.weight, (ci.reps, 1))
    for rows in data.variance_strata():
        n = rows.size
        if n < 2:
            continue
        counts = rng.multinomial(n - 1, np.full(n, 1 / n), size=ci.reps)
        keep = np.sqrt(1 - data.chance[rows])
        weights[:, rows] *= 1 - keep + keep * counts * n / (n - 1)
    size = weights * data.x
    return np.asarray((size * data.y).sum(axis=1) / size.sum(axis=1))
