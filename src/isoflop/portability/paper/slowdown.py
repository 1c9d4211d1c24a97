"""Slow-downs between two published targets, with intervals and every defensible way of counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.portability.counted import share_finding
from isoflop.portability.model import OVER, Bootstrap, Wilson
from isoflop.portability.paper.latency import Sides, function_ratios, paper_ratios
from isoflop.portability.paper.model import GRID, Latency, Rule
from isoflop.portability.published import DOUBT, NAMES, WAIT
from isoflop.portability.shares.findings import plain
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.paper.results import PaperResults

FEW = 30
"""Below so many functions a share says little, and a cell of the grid does not lead a claim."""
OPWISE = Latency(statistic="opwise", first_call="keep", outcome_filter=False, dtype_join="collapse")
ROBUST = Latency()
WORDS = {
    "paper": "as published: means of pooled calls, first calls kept, dtypes collapsed, the plots' reports",
    "opwise": OPWISE.words,
    "robust": ROBUST.words,
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PaperSlowdown:
    """How many times slower each function is on one target than on another.

    Parameters
    ----------
    framework, source, target : str
    rule : str
        ``paper``, ``opwise``, ``robust`` or ``own choices``.
    words : str
        The choices in words.
    ratios : dict of str to float
        By function.
    grid : tuple of dict
        Every combination of choices, each with its n.
    level, reps, seed
        Of the bootstrap of functions.
    """

    framework: str
    source: str
    target: str
    rule: str
    words: str
    ratios: dict[str, float]
    grid: tuple[dict[str, Any], ...]
    level: float
    reps: int
    seed: int
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    @property
    def n(self) -> int:
        """Functions compared."""
        return len(self.ratios)

    @property
    def slower(self) -> int:
        """Functions slower on the target."""
        return sum(ratio > 1 for ratio in self.ratios.values())

    @property
    def over(self) -> int:
        """Functions over ten times slower."""
        return sum(ratio > OVER for ratio in self.ratios.values())

    @property
    def draws(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Medians over functions drawn with replacement."""
        logs = np.log(np.array(sorted(self.ratios.values())))
        chosen = np.random.default_rng(self.seed).integers(0, self.n, size=(self.reps, self.n))
        return np.asarray(np.exp(np.median(logs[chosen], axis=1)))

    @property
    def median(self) -> Estimate:
        """Median ratio over functions, its interval from the bootstrap of functions."""
        tail = (1 - self.level) / 2
        low, high = np.quantile(self.draws, (tail, 1 - tail))
        value = float(np.median(list(self.ratios.values())))
        return Estimate(value=value, low=float(low), high=float(high), level=self.level, unit="×")

    @property
    def grid_low(self) -> float | None:
        """Lowest share over ten times among the cells with enough functions."""
        shares = [row["share_over_10x"] for row in self.grid if row["n"] >= FEW]
        return min(shares) if shares else None

    @property
    def grid_high(self) -> float | None:
        """Highest share over ten times among the cells with enough functions."""
        shares = [row["share_over_10x"] for row in self.grid if row["n"] >= FEW]
        return max(shares) if shares else None

    @property
    def pair(self) -> str:
        """Framework, source and target as ids qualify them."""
        return ".".join(plain(name) for name in (self.framework, self.source, self.target))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a function, slowest first."""
        ordered = sorted(self.ratios.items(), key=lambda pair: (-pair[1], pair[0]))
        return [
            {"framework": self.framework, "source": self.source, "target": self.target, "function": name,
             "ratio": ratio}
            for name, ratio in ordered
        ]  # fmt: skip

    def grid_rows(self) -> list[dict[str, Any]]:
        """Return one row a combination of choices."""
        pair = {"framework": self.framework, "source": self.source, "target": self.target}
        return [{**pair, **row} for row in self.grid]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {
            "functions": json_ready(self.rows()),
            "grid": json_ready(self.grid_rows()),
            "cautions": list(self.cautions),
            "provenance": [one.to_dict() for one in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        return (
            f"{self.framework}, {self.source} to {self.target}: of {self.n} functions {self.slower} are "
            f"slower, {self.over} over 10×; median {formats.estimate(self.median)} ({self.words})"
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

    def findings(self, qualified: str | None = None) -> tuple[Finding, ...]:
        """Return share over ten times, share slower and median under the pair's ids, or those given.

        `qualified` replaces the pair after each name; an empty text gives the headline's ids.
        """
        tail = f".{self.pair}" if qualified is None else f".{qualified}" if qualified else ""
        details: dict[str, Any] = {
            "framework": self.framework,
            "source": self.source,
            "target": self.target,
            "rule": self.rule,
            "level": "ran",
            "published": True,
            "slower": self.slower,
            "over_10x": self.over,
            "n": self.n,
            "grid_low": self.grid_low,
            "grid_high": self.grid_high,
            "doubts": [DOUBT] if self.framework == "torch" else [],
        }
        pair = f"{self.framework}, {self.source} to {self.target}"
        shares = (
            ("portability.share_over_10x", f"functions over 10× slower on the target: {pair}", self.over),
            ("portability.share_slower", f"functions slower on the target: {pair}", self.slower),
        )
        made = [
            share_finding(
                f"{name}{tail}",
                label,
                count,
                self.n,
                method=self.words,
                evidence=self.provenance,
                cautions=self.cautions,
                details=details,
                level=self.level,
            )
            for name, label, count in shares
        ]
        median = Finding(
            id=f"portability.slowdown_median{tail}",
            instrument="portability",
            label=f"median slow-down of functions: {pair}",
            estimate=self.median,
            method=f"{self.words}; median over functions, bootstrap of functions",
            n=self.n,
            evidence=self.provenance,
            seed=self.seed,
            cautions=self.cautions,
            details={**details, "draws": equal_probability_quantiles(self.draws)},
        )
        return (*made, median)


def paper_slowdown(
    results: PaperResults,
    *,
    source: str,
    target: str,
    framework: str | None = None,
    rule: str = "robust",
    first_call: str | None = None,
    outcome_filter: bool | None = None,
    dtype_join: str | None = None,
    ci: Wilson | Bootstrap | None = None,
    with_grid: bool = True,
) -> PaperSlowdown:
    """Return how many times slower functions are on `target`, from published timings.

    Parameters
    ----------
    results : PaperResults
    source, target : str
        As named in the timings; any two of one framework.
    framework : str, optional
        Needed where several were timed on both.
    rule : {"robust", "paper", "opwise"}
        ``paper`` follows the published analysis step by step; ``opwise`` needs no report of outcomes;
        ``robust`` is ours. See `isoflop.portability.paper.model`.
    first_call, outcome_filter, dtype_join : optional
        Choices that replace those of ``opwise`` or ``robust``.
    ci : Wilson or Bootstrap, optional
        Level of the intervals, and draws of the median's.
    with_grid : bool
        Count every other way too.

    Raises
    ------
    EvidenceError
        A target was not timed, or no function was timed on both.
    SettingError
        A choice is unknown, or is asked of the paper's rule, which has none.
    """
    ci = ci or Bootstrap()
    unit_level("slowdown", ci.level)
    if rule not in get_args(Rule):
        raise SettingError(
            f"slowdown: rule={rule!r}, must be one of {', '.join(get_args(Rule))}. Use 'robust'."
        )
    framework = framework or _only_framework(results, source, target)
    given = {"first_call": first_call, "outcome_filter": outcome_filter, "dtype_join": dtype_join}
    changes = {name: value for name, value in given.items() if value is not None}
    if rule == "paper" and changes:
        raise SettingError(
            f"slowdown: {next(iter(changes))} with rule='paper', which fixes it. Use rule='robust' or "
            "'opwise'."
        )
    sides = Sides(results, framework)
    notes: tuple[str, ...] = ()
    if rule == "paper":
        ratios, words = paper_ratios(results, framework, source, target), WORDS["paper"]
    else:
        chosen = (OPWISE if rule == "opwise" else ROBUST).but(**changes)
        ratios, words = function_ratios(sides, source, target, chosen), chosen.words
        notes = _first_kept(sides, source, target, chosen)
    if not ratios:
        raise EvidenceError(
            f"slowdown: no test of {framework} was timed on both {source} and {target} under this rule "
            f"({words}). Keep first calls or drop the filter."
        )
    return PaperSlowdown(
        framework=framework,
        source=source,
        target=target,
        rule=rule if not changes else "own choices",
        words=words,
        ratios=ratios,
        grid=tuple(_cell(sides, source, target, cell) for cell in GRID) if with_grid else (),
        level=ci.level,
        reps=ci.reps if isinstance(ci, Bootstrap) else Bootstrap().reps,
        seed=ci.seed if isinstance(ci, Bootstrap) else 0,
        cautions=(*_cautions(framework, len(ratios)), *notes),
        provenance=tuple(
            table.provenance(table.frame.height)
            for table in (results.timings_table, results.outcomes_table)
            if table is not None
        ),
    )


def _first_kept(sides: Sides, source: str, target: str, rule: Latency) -> tuple[str, ...]:
    """Return the caution on tests too short to drop their first call."""
    if rule.first_call != "drop_if_three":
        return ()
    import polars as pl

    calls = pl.concat([sides.chosen(*pair, rule) for pair in ((source, target), (target, source))])
    tests = calls.select("target", "function", "test", first=pl.col("place") == 1).group_by(
        "target", "function", "test"
    )
    first = tests.agg(pl.col("first").any())["first"]
    if not first.any():
        return ()
    return (
        f"{source} to {target}: {first.sum()} of {first.len()} tests have fewer than three timed calls, so "
        "their first call, compiling included, counts. Time more calls.",
    )


def _cell(sides: Sides, source: str, target: str, cell: Latency) -> dict[str, Any]:
    values = list(function_ratios(sides, source, target, cell).values())
    n = len(values)
    return {
        "statistic": cell.statistic,
        "first_call": cell.first_call,
        "outcome_filter": cell.outcome_filter,
        "dtype_join": cell.dtype_join,
        "n": n,
        "slower": sum(v > 1 for v in values),
        "over_10x": sum(v > OVER for v in values),
        "share_over_10x": sum(v > OVER for v in values) / n if n else None,
        "median": float(np.median(values)) if n else None,
    }


def _only_framework(results: PaperResults, source: str, target: str) -> str:
    timed = results.timing_targets()
    both = [f for f in dict.fromkeys(f for f, _ in timed) if {(f, source), (f, target)} <= set(timed)]
    if len(both) == 1:
        return both[0]
    if not both:
        names = ", ".join(dict.fromkeys(t for _, t in timed)) or "none"
        raise EvidenceError(
            f"slowdown: no framework was timed on both {source!r} and {target!r}; timed are {names}. Choose "
            "two."
        )
    raise SettingError(
        f"slowdown: {', '.join(both)} were timed on both, needs one. Add framework={both[0]!r}."
    )


def _cautions(framework: str, n: int) -> tuple[str, ...]:
    out = [WAIT, NAMES] if framework == "torch" else [NAMES]
    if n < FEW:
        out.append(f"{n} functions: a share of so few says little. More functions cure it.")
    return tuple(out)
