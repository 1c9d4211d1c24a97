"""From outcomes of tasks to one status a function and policy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isoflop.errors import SettingError
from isoflop.portability.model import NOT_COUNTED, PASSED, FunctionStatus, Policy

if TYPE_CHECKING:
    import polars as pl

By = Literal["target", "dtype", "family"]
BY: dict[By, str] = {
    "target": "target",
    "dtype": "target and dtype",
    "family": "target and family of names",
}
UNSTATED = "not stated"
"""Level of rows that name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOutcome:
    """What became of a function on a target.

    Parameters
    ----------
    framework, target, level, group, function : str
        `group` is the dtype or family asked for; empty for whole targets.
    passed, fell_back, failed, not_counted : int
        Rows of results: passed as they are, only with fallback, failed, outside the denominator.
    tasks : int
        Distinct tasks; each may have several process repeats.
    unsteady : int
        Tasks that passed in one process and failed in another.
    reason : str or None
        The most frequent reason of its failures.
    """

    framework: str
    target: str
    level: str
    group: str
    function: str
    passed: int
    fell_back: int
    failed: int
    not_counted: int
    tasks: int
    unsteady: int
    reason: str | None

    def status(self, policy: Policy) -> FunctionStatus:
        """Return the status under a policy: falling back fails under the strict one."""
        passed = self.passed + (self.fell_back if policy == "fallback" else 0)
        failed = self.failed + (self.fell_back if policy == "strict" else 0)
        if not (passed or failed):
            return "not_counted"
        if not failed:
            return "success"
        return "partial" if passed else "complete"

    def fails(self, policy: Policy) -> bool | None:
        """Return whether it fails wholly or in part; None where it is not counted."""
        status = self.status(policy)
        return None if status == "not_counted" else status != "success"

    @property
    def only_with_fallback(self) -> bool:
        """Whether it succeeds under the fallback policy alone."""
        return self.fails("fallback") is False and self.fails("strict") is True


def family(function: str) -> str:
    """Return the family of a qualified name: all but its last part.

    Examples
    --------
    >>> family("torch.linalg.eig"), family("add")
    ('torch.linalg', 'no family')
    """
    return function.rpartition(".")[0] or "no family"


def with_group(outcomes: pl.DataFrame, by: By) -> pl.DataFrame:
    """Return outcomes with the columns ``level`` and ``group``.

    Raises
    ------
    SettingError
        `by` is unknown.
    """
    import polars as pl

    if by not in BY:
        raise SettingError(f"shares: by={by!r}, must be one of {', '.join(BY)}. Use 'target'.")
    group = pl.lit("")
    if by == "dtype":
        group = pl.col("dtype").fill_null("no dtype")
    if by == "family":
        known = {name: family(name) for name in outcomes["function"].unique().to_list()}
        group = pl.col("function").replace_strict(known, return_dtype=pl.String)
    return outcomes.with_columns(
        group.alias("group"), pl.col("target_level").fill_null(UNSTATED).alias("level")
    )


def functions(outcomes: pl.DataFrame, by: By = "target") -> tuple[FunctionOutcome, ...]:
    """Return one outcome a framework, target, level, group and function, in that order.

    Parameters
    ----------
    outcomes : polars.DataFrame
        Columns framework, target, target_level, function, task, dtype, status, reason.
    by : {"target", "dtype", "family"}
    """
    import polars as pl

    key = ["framework", "target", "level", "group", "function"]
    plain, fell = pl.col("status") == "ok", pl.col("status") == "ok_fallback"
    left_out = pl.col("status").is_in(list(NOT_COUNTED))
    failed = ~(pl.col("status").is_in(list(PASSED["fallback"])) | left_out)
    grouped = with_group(outcomes, by)
    per_task = grouped.group_by(*key, "task").agg(
        plain.sum().alias("passed"),
        fell.sum().alias("fell_back"),
        failed.sum().alias("failed"),
        left_out.sum().alias("not_counted"),
    )
    counts = per_task.group_by(key).agg(
        *(pl.col(name).sum() for name in ("passed", "fell_back", "failed", "not_counted")),
        pl.len().alias("tasks"),
        ((pl.col("passed") + pl.col("fell_back") > 0) & (pl.col("failed") > 0)).sum().alias("unsteady"),
    )
    reasons = _main_reasons(grouped.filter(failed | fell), key)
    return tuple(
        FunctionOutcome(**row, reason=reasons.get(tuple(row[name] for name in key)))
        for row in counts.sort(key).iter_rows(named=True)
    )


def _main_reasons(failures: pl.DataFrame, key: list[str]) -> dict[tuple[str, ...], str]:
    """Return the most frequent reason by function; the first of the alphabet among equals."""
    import polars as pl

    counted = (
        failures.with_columns(pl.col("reason").fill_null("unclassified"))
        .group_by(*key, "reason")
        .len()
        .sort(*key, pl.col("len"), "reason", descending=[False] * len(key) + [True, False])
        .unique(key, keep="first", maintain_order=True)
    )
    return {tuple(row[:-2]): row[-2] for row in counted.select(*key, "reason", "len").iter_rows()}


def reason_counts(outcomes: pl.DataFrame, policy: Policy) -> dict[tuple[str, str, str], Counter[str]]:
    """Return counted failures by reason, for each framework, target and level.

    Rows of several process repeats of one task count once.
    """
    import polars as pl

    passed = list(PASSED[policy] | NOT_COUNTED)
    failures = (
        with_group(outcomes, "target")
        .filter(~pl.col("status").is_in(passed))
        .with_columns(pl.col("reason").fill_null("unclassified"))
        .unique(["framework", "target", "level", "task", "reason"])
        .group_by("framework", "target", "level", "reason")
        .len()
    )
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for framework, target, level, reason, count in failures.sort(
        "framework", "target", "level", "reason"
    ).iter_rows():
        found.setdefault((framework, target, level), Counter())[reason] = count
    return found
