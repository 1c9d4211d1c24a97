"""Does the answer survive the checks of the paper, and some that it does not make?

Each check is one entry of `CHECKS`: a function from a sample and settings to rows. A row holds our
answer, the published one beside it, and what is known to be wrong with either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.progress.robustness.check_laws import LAW_CHECKS
from isoflop.progress.robustness.check_prediction import PREDICTION_CHECKS
from isoflop.progress.robustness.check_result import CheckRow, CheckTable
from isoflop.progress.robustness.check_setting import Setting
from isoflop.progress.sample import Sample, select
from isoflop.progress.settings import L1, Starts
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Table

CHECKS: dict[str, Callable[[Setting], list[CheckRow]]] = {**LAW_CHECKS, **PREDICTION_CHECKS}
"""Checks by name; each returns one or more rows."""


def check(
    evidence: Sample | Table,
    checks: Literal["all"] | Sequence[str] = "all",
    *,
    penalty: L1 | None = None,
    starts: Starts | None = None,
    ci: Bootstrap | None = None,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> CheckTable:
    """Run robustness checks and put the published numbers beside them.

    Parameters
    ----------
    evidence : Sample or Table
    checks : "all" or sequence of str
        Names in `CHECKS`.
    penalty : L1, default L1(delta=0.0025)
    ci : Bootstrap, optional
        Adds intervals wherever a law is fitted.
    seed : int
        Of simulations.

    Returns
    -------
    CheckTable
        A check that this evidence cannot answer has a row with the reason.

    Raises
    ------
    SettingError
        Unknown check.
    EvidenceError
        Rows of another task than language.

    Examples
    --------
    >>> from isoflop import evidence
    >>> table = check(evidence.load("language_evaluations"), ["common_factor"], starts=Starts(count=6))
    >>> [row.slug for row in table.rows]
    ['law_21', 'law_22']
    """
    names = list(CHECKS) if checks == "all" else list(checks)
    for name in names:
        if name not in CHECKS:
            near = closest(name, CHECKS)
            hint = f"Did you mean {near!r}?" if near else "Use 'all'."
            raise SettingError(f"check: {name!r}, must be one of {', '.join(CHECKS)}. {hint}")
    if ci is None and checks != "all" and "resampling" in names:
        raise SettingError("check: 'resampling' compares intervals, needs ci. Pass ci=Bootstrap(by='paper').")
    sample = evidence if isinstance(evidence, Sample) else select(evidence)
    if sample.task != "language":
        raise EvidenceError(
            f"check: {sample.table.name} holds {sample.task} rows, needs language: the checks and the "
            "numbers beside them are the paper's. Use fit and sweep for other tasks."
        )
    setting = Setting(sample=sample, penalty=penalty or L1(), starts=starts or Starts(), ci=ci, seed=seed)
    rows: list[CheckRow] = []
    for i, name in enumerate(names):
        rows += CHECKS[name](setting)
        if progress is not None:
            progress("checks", (i + 1) / len(names))
    return CheckTable(
        rows=tuple(rows),
        name=sample.table.name,
        seed=seed,
        sample_cautions=sample.cautions,
        provenance=sample.provenance,
    )
