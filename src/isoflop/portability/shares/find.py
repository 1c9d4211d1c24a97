"""Count which functions are lost on which target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, get_args

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.findings import Estimate, Provenance
from isoflop.portability.counted import share_estimate
from isoflop.portability.model import Bootstrap, Policy, Wilson
from isoflop.portability.sampling.draw import sample
from isoflop.portability.sampling.estimate import DesignShare, design_share
from isoflop.portability.sampling.result import Sample
from isoflop.portability.shares.count import By, FunctionOutcome, functions, reason_counts
from isoflop.portability.shares.result import ShareCell, Shares
from isoflop.present import formats
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    import polars as pl

NO_DESIGN = (
    "Functions were not drawn by a design, so a share describes these functions and not those of a "
    "framework. Draw them with isoflop portability sample, or read shares of calls."
)


class Outcomes(Protocol):
    """What shares are counted over: a `Run`, or published results."""

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence."""
        ...

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts about it."""
        ...

    def outcomes(self) -> pl.DataFrame:
        """Return framework, target, target_level, function, task, dtype, status, reason."""
        ...


def shares(
    results: Outcomes,
    *,
    by: By = "target",
    policy: Policy = "strict",
    level: str | None = None,
    framework: str | None = None,
    target: str | None = None,
    weights: Sample | Mapping[str, float] | None = None,
    ci: Wilson | Bootstrap | None = None,
) -> Shares:
    """Return the share of functions that fail, wholly or in part, on each target.

    Parameters
    ----------
    results : Run or PaperResults
        Anything with ``outcomes()``.
    by : {"target", "dtype", "family"}
        What a share is counted over; targets and levels are never mixed.
    policy : {"strict", "fallback"}
        Which policy leads; both are counted.
    level : str, optional
        Keep targets of this level alone: ``traced``, ``lowered``, ``compiled`` or ``ran``.
    framework, target : str, optional
        Keep one framework, or one target.
    weights : Sample, or mapping of str to float, optional
        The design by which functions were drawn, or calls by function: gives shares of calls too.
    ci : Wilson or Bootstrap, optional
        Interval; default Wilson at 95 %.

    Returns
    -------
    Shares

    Raises
    ------
    EvidenceError
        Nothing was recorded for what was asked.
    SettingError
        A setting is unknown.

    Notes
    -----
    A function succeeds with no counted failure, fails completely with no counted pass, partly with both; it
    is not counted without either. Share = (partial + complete) / counted.

    Examples
    --------
    >>> import numpy as np
    >>> from isoflop.portability.simulate import PlantedRun
    >>> run, _ = PlantedRun(functions=50, complete=0.2).draw(np.random.default_rng(0))
    >>> found = shares(run).cell("made", "made:other")
    >>> found.success + found.complete, found.counted
    (50, 50)
    """
    ci = ci or Wilson()
    unit_level("shares", ci.level)
    if policy not in get_args(Policy):
        raise SettingError(f"shares: policy={policy!r}, must be 'strict' or 'fallback'. Use 'strict'.")
    outcomes = _chosen(results.outcomes(), level, framework, target)
    found = functions(outcomes, by)
    if weights is not None and by != "target":
        raise SettingError(f"shares: by={by!r} and weights, weights hold for whole targets. Use by='target'.")
    groups: dict[tuple[str, str, str, str], list[FunctionOutcome]] = {}
    for one in found:
        groups.setdefault((one.framework, one.target, one.level, one.group), []).append(one)
    both: tuple[Policy, ...] = (policy, "fallback" if policy == "strict" else "strict")
    notes = list(results.cautions)
    if weights is None:
        notes.append(NO_DESIGN)
    else:
        notes += _weight_notes(weights, found)
    return Shares(
        cells=tuple(_cell(key, members, one, ci, weights) for key, members in groups.items() for one in both),
        outcomes=found,
        reasons=reason_counts(outcomes, policy),
        policy=policy,
        by=by,
        interval=_interval(ci),
        ci_level=ci.level,
        weighted="" if weights is None else weights.design.text if isinstance(weights, Sample) else "calls",
        notes=tuple(notes),
        provenance=results.provenance,
    )


def _interval(ci: Wilson | Bootstrap) -> str:
    level = formats.percent(ci.level)
    if isinstance(ci, Wilson):
        return f"Wilson intervals, {level}"
    return f"bootstrap of functions, {ci.reps} draws, {level}"


def _chosen(
    outcomes: pl.DataFrame, level: str | None, framework: str | None, target: str | None
) -> pl.DataFrame:
    import polars as pl

    rows = outcomes
    for name, column, wanted in (
        ("framework", "framework", framework),
        ("target", "target", target),
        ("level", "target_level", level),
    ):
        if wanted is None:
            continue
        kept = rows.filter(pl.col(column) == wanted)
        if kept.height == 0:
            present = [str(v) for v in rows[column].drop_nulls().unique().sort().to_list()]
            raise EvidenceError(_absent(name, wanted, framework, present))
        rows = kept
    if rows.height == 0:
        raise EvidenceError("shares: no outcome in these results, needs at least one. Run something first.")
    return rows


def _absent(name: str, wanted: str, framework: str | None, present: list[str]) -> str:
    if name == "target" and framework is not None:
        return (
            f"shares: no outcome report for {framework} on {wanted}; failure shares need one. "
            f"Choose a target of: {', '.join(present)}."
        )
    near = closest(wanted, present)
    hint = f"closest is {near!r}" if near else f"present are {', '.join(present) or 'none'}"
    return f"shares: {name} {wanted!r} not in outcomes; {hint}. Choose a {name} of: {', '.join(present)}."


def _cell(
    key: tuple[str, str, str, str],
    members: list[FunctionOutcome],
    policy: Policy,
    ci: Wilson | Bootstrap,
    weights: Sample | Mapping[str, float] | None,
) -> ShareCell:
    statuses = [one.status(policy) for one in members]
    partial, complete = statuses.count("partial"), statuses.count("complete")
    counted = len(statuses) - statuses.count("not_counted")
    rows = [one.passed + one.fell_back + one.failed for one in members]
    left_out = sum(one.not_counted for one in members)
    answers = {one.function: bool(one.fails(policy)) for one in members if one.fails(policy) is not None}
    by_design, by_calls = _weighted(answers, weights, ci)
    return ShareCell(
        framework=key[0],
        target=key[1],
        level=key[2],
        group=key[3],
        policy=policy,
        success=statuses.count("success"),
        partial=partial,
        complete=complete,
        not_counted=statuses.count("not_counted"),
        only_with_fallback=sum(one.only_with_fallback for one in members),
        failing=_share(partial + complete, counted, ci),
        partly=_share(partial, counted, ci),
        wholly=_share(complete, counted, ci),
        tasks=sum(rows) + left_out,
        left_out=left_out,
        by_design=by_design,
        by_calls=by_calls,
    )


def _share(count: int, functions: int, ci: Wilson | Bootstrap) -> Estimate:
    if isinstance(ci, Wilson) or functions == 0:
        return share_estimate(count, functions, level=ci.level)
    # Resampling n functions of which `count` fail is a binomial draw.
    draws = np.random.default_rng(ci.seed).binomial(functions, count / functions, ci.reps) / functions
    low, high = np.quantile(draws, ((1 - ci.level) / 2, (1 + ci.level) / 2))
    return Estimate(value=count / functions, low=float(low), high=float(high), level=ci.level, unit="1")


def _weighted(
    answers: Mapping[str, bool], weights: Sample | Mapping[str, float] | None, ci: Wilson | Bootstrap
) -> tuple[DesignShare | None, DesignShare | None]:
    """Return the design-weighted share of functions and the share of calls, where they can be had."""
    if weights is None:
        return None, None
    if isinstance(weights, Sample):
        if not any(name in answers for name in weights.functions):
            return None, None
        return design_share(weights, answers, ci=ci), design_share(weights, answers, of="calls", ci=ci)
    called = {name: calls for name, calls in weights.items() if calls > 0}
    if not any(name in answers for name in called):
        return None, None
    drawn = sample(sorted(answers), called)
    return None, design_share(drawn, answers, of="calls", ci=ci)


def _weight_notes(weights: Sample | Mapping[str, float], found: tuple[FunctionOutcome, ...]) -> list[str]:
    if isinstance(weights, Sample):
        return list(weights.cautions)
    tested = {one.function for one in found}
    total = sum(weights.values())
    reached = sum(calls for name, calls in weights.items() if name in tested)
    if not reached:
        return ["No tested function is called in the counts given: shares of calls are missing. Check names."]
    if reached < 0.9 * total:
        return [
            f"Calls of functions without a result are {formats.percent(1 - reached / total)} of all: read "
            "the band of best and worst case, or test those functions."
        ]
    return []
