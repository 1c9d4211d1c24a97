"""Bootstrap tests of many small studies at once, and the correction for their number.

A null hypothesis is a set of successes per study. Data are drawn from it, the statistic is computed on
each draw as on the data, and the p-value is the share of draws that reach the observed statistic.
Drawing stops early where the answer is plain: after `stop` draws have reached the statistic, the
p-value is `stop` over the draws made, which is exactly valid (Besag & Clifford 1991, Biometrika 78,
301-304); otherwise it is (1 + reached) / (1 + draws).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.stats.checks import FloatArray, IntArray, whole_number

_TIE = 1e-3
"""Fits agree to about 1e-5; draws this close to the observed statistic count as reaching it."""
_ROWS = 40_000
"""Draws fitted together: the arrays of one batch stay within some tens of megabytes."""

Statistic = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
"""``(z, k, n, bar), three (B, m) and one (B,) -> (B,)``, large where the null hypothesis is doubtful.

Where the statistic lies below its bar, any number below the bar will do: that saves fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """How long to draw.

    Parameters
    ----------
    reps : int
        Most draws per study.
    stop : int
        Draws that reach the statistic before drawing stops.
    seed : int

    Examples
    --------
    >>> Null(reps=0)
    Traceback (most recent call last):
    isoflop.errors.SettingError: Null: reps=0, must be a whole number >= 19. Change reps.
    """

    reps: int = 19_999
    stop: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("Null", "reps", self.reps, least=19)
        whole_number("Null", "stop", self.stop, least=1)
        whole_number("Null", "seed", self.seed, least=0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """p-values and the number of draws behind each, shape (S,)."""

    p: FloatArray
    draws: IntArray


def bootstrap_p(
    statistic: Statistic,
    observed: FloatArray,
    success: FloatArray,
    z: FloatArray,
    n: FloatArray,
    *,
    names: Sequence[str],
    null: Null,
) -> Answer:
    """Return the bootstrap p-value of each study.

    Parameters
    ----------
    statistic : callable
    observed : array, shape (S,)
    success : array, shape (S, m)
        What the null hypothesis says; data are drawn from it.
    z, n : arrays, shape (S, m)
        n is rounded to whole trials for the draws.
    names : sequence of str, length S
        A study's draws follow from its name and the seed, whatever other studies are in the table.
    null : Null
    """
    count, m = success.shape
    whole = np.maximum(np.rint(n), 1.0).astype(np.int64)
    success = np.clip(success, 0.0, 1.0)
    streams = [np.random.default_rng([null.seed, zlib.crc32(name.encode()), int(whole[i].sum())])
               for i, name in enumerate(names)]  # fmt: skip
    reached, made = np.zeros(count, np.int64), np.zeros(count, np.int64)
    p = np.full(count, np.nan)
    active, chunk = np.arange(count), 2 * null.stop
    while active.size:
        chunk = int(min(chunk, null.reps - made[active[0]]))
        going: list[int] = []
        for part in np.array_split(active, -(-active.size * chunk // _ROWS)):
            k = np.stack([streams[i].binomial(whole[i], success[i], size=(chunk, m)) for i in part]).astype(
                float
            )
            bar = observed[part] - _TIE
            zz, nn, bars = (np.repeat(a, chunk, axis=0) for a in (z[part], whole[part].astype(float), bar))
            drawn = statistic(zz, k.reshape(-1, m), nn, bars).reshape(part.size, chunk)
            hits = np.cumsum(drawn >= bar[:, None], axis=1) + reached[part, None]
            done = hits[:, -1] >= null.stop
            made_at = made[part] + 1 + (hits >= null.stop).argmax(axis=1)
            p[part[done]] = null.stop / made_at[done]
            reached[part], made[part] = hits[:, -1], np.where(done, made_at, made[part] + chunk)
            going += part[~done].tolist()
        active = np.array(going, np.int64)
        over = made[active] >= null.reps
        p[active[over]] = (1.0 + reached[active[over]]) / (1.0 + null.reps)
        active, chunk = active[~over], 2 * chunk
    return Answer(p=p, draws=made)
