"""Is the joint p of a specification curve uniform where its null holds, and small where it does not?

Two editions of a planted table, rows of an organisation alike: the first holds 70 % of the second. Under
the null both sectors draw from one trend, and teams keep their part of each year. Prints for each headline
how often p falls below a level. Five CPU minutes for the default number of tables.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass

import numpy as np
import polars as pl

from isoflop.divide.specification.find import specification
from isoflop.divide.specification.grid import Headline
from isoflop.evidence import load
from isoflop.evidence.table import Table

TABLES, REPS = 200, 199
LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5)
HEADLINES: tuple[Headline, ...] = (
    "academia_share_last",
    "academia_share_change",
    "gap_oom",
    "gap_widening",
)
LABELS = ("Academia", "Industry", "Industry,Academia", "Government")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What the planted tables hold.

    Parameters
    ----------
    gap, widening : float
        Industry over academia in orders of magnitude at 2018, and its yearly growth.
    fall : float
        By how much academia's part of the systems falls from 2010 to 2025.
    likeness : float
        Standard deviation between organisations, in orders of magnitude; within them it is 0.8.
    organisations, systems : int
    """

    gap: float = 0.0
    widening: float = 0.0
    fall: float = 0.0
    likeness: float = 0.5
    organisations: int = 120
    systems: int = 300


def editions(planted: Planted, seed: int) -> list[Table]:
    """Return two editions of a planted table."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(LABELS), size=planted.organisations, p=[0.4, 0.45, 0.1, 0.05])
    effect = rng.normal(0, planted.likeness, planted.organisations)
    size = rng.pareto(2.0, planted.organisations) + 0.3
    when = rng.uniform(2010, 2025, planted.systems)
    made = []
    for t in when:
        tilt = np.where(kind == 0, 1 - planted.fall * (t - 2010) / 15, 1.0)
        of = int(rng.choice(planted.organisations, p=size * tilt / (size * tilt).sum()))
        apart = (planted.gap + planted.widening * (t - 2018)) * (kind[of] == 1)
        log10 = 18 + 0.6 * (t - 2010) + apart + effect[of] + rng.normal(0, 0.8)
        made.append((t, of, 10**log10))
    rows = [
        {
            "model": f"system {i}",
            "date": str(dt.date(int(t), 1, 1) + dt.timedelta(days=int(365 * (t % 1)))),
            "train_flop": f"{flop:.6g}",
            "organisations": f"laboratory {of}",
            "team_label": LABELS[kind[of]],
            "notability": "SOTA improvement" if rng.random() < 0.7 else None,
        }
        for i, (t, of, flop) in enumerate(made)
    ]
    kept = [row for row in rows if rng.random() < 0.7]
    schema = dict.fromkeys(rows[0], pl.String)
    return [
        load(pl.DataFrame(part, schema=schema), schema="models", name=f"planted_{year}")
        for part, year in ((kept, 2024), (rows, 2025))
    ]


def study(tables: int = TABLES) -> None:
    """Print how often the joint p is small, under the null and under planted effects."""
    cases = {
        "null, organisations alike": Planted(),
        "null, systems independent": Planted(likeness=0.0),
        "gap 0.8": Planted(gap=0.8),
        "widening 0.15 a year": Planted(widening=0.15),
        "academia's part falls to a fifth": Planted(fall=0.8),
    }
    print(f"{tables} pairs of editions, {REPS} replicates each; share of joint p at or below a level")
    print(f"{'':34}{'headline':24}{'median p':>9}" + "".join(f"{level:>8}" for level in LEVELS))
    for what, planted in cases.items():
        found: dict[str, list[float]] = {name: [] for name in HEADLINES}
        for seed in range(tables):
            curves = specification(editions(planted, seed), headline=HEADLINES, joint=REPS, seed=seed).curves
            for curve in curves:
                if curve.joint is not None and curve.joint.p is not None:
                    found[curve.headline].append(curve.joint.p)
        for name, drawn in found.items():
            p = np.array(drawn)
            below = "".join(f"{(p <= level).mean():8.3f}" for level in LEVELS)
            print(f"{what:34}{name:24}{np.median(p):9.2f}{below}", flush=True)


if __name__ == "__main__":
    study(int(sys.argv[1]) if len(sys.argv) > 1 else TABLES)
