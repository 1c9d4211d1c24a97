"""How published outcomes and timings are joined and averaged: every choice is named.

The published analysis and ours differ in five choices. Each is a setting here, so that the same code gives
either, and a grid of all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from isoflop.errors import SettingError

Rule = Literal["paper", "opwise", "robust"]
Statistic = Literal["mean", "median", "opwise", "robust"]
FirstCall = Literal["keep", "drop", "drop_if_three"]
DtypeJoin = Literal["keep", "collapse"]

DEVICE_TOKEN = r"_(?:cuda|xla|mps|xpu|npu|hip|rocm|lazy|meta|privateuseone)"
"""What a test suite for several devices puts into the name of a test; dtypes may follow."""
_DTYPE = r"_(?:bool|half|double|long|int|q?u?int\d+|b?float\d+(?:_e\dm\d\w*)?|complex\d+)"
_TOKEN = re.compile(rf"{DEVICE_TOKEN}(?=(?:{_DTYPE})*$)")
_CUT = re.compile(rf"{DEVICE_TOKEN}(?:_.*)?$")
CPU_TEST = "_cpu"
"""Tests with this in their names ran on the host whatever the report's device says."""
LEAST_CALLS = 3
"""A first call is dropped only where so many calls are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How two sides are joined and averaged.

    Parameters
    ----------
    statistic : {"mean", "median", "opwise", "robust"}
        Ratio of means or medians of pooled calls; ratio of sums over calls of medians over runs; geometric
        mean over calls and tests of ratios of medians over runs.
    first_call : {"keep", "drop", "drop_if_three"}
        Whether the first call of a test counts; the last drops it only where there are three calls.
    outcome_filter : bool
        Keep tests that passed, in every class of that name: each side by its own report, or by the other
        side's where it has none.
    dtype_join : {"keep", "collapse"}
        Whether tests that differ by dtype alone are told apart.
    """

    statistic: Statistic = "robust"
    first_call: FirstCall = "drop_if_three"
    outcome_filter: bool = True
    dtype_join: DtypeJoin = "keep"

    def __post_init__(self) -> None:
        for name, kind in (("statistic", Statistic), ("first_call", FirstCall), ("dtype_join", DtypeJoin)):
            value, choices = getattr(self, name), get_args(kind)
            if value not in choices:
                raise SettingError(
                    f"slowdown: {name}={value!r}, must be one of {', '.join(choices)}. Use {choices[0]!r}."
                )

    def but(self, **changes: object) -> Latency:
        """Return the same choices but for those given."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def words(self) -> str:
        """Return the choices in words."""
        first = {
            "keep": "first calls kept",
            "drop": "first calls dropped",
            "drop_if_three": "first calls dropped",
        }
        return ", ".join(
            (
                {
                    "mean": "means of pooled calls",
                    "median": "medians of pooled calls",
                    "opwise": "sums over calls of medians over runs",
                    "robust": "geometric mean over calls",
                }[self.statistic],
                first[self.first_call]
                + (" where three are there" if self.first_call == "drop_if_three" else ""),
                "passed tests alone" if self.outcome_filter else "all tests",
                "dtypes told apart" if self.dtype_join == "keep" else "dtypes collapsed",
            )
        )


GRID: tuple[Latency, ...] = tuple(
    Latency(statistic=statistic, first_call=first, outcome_filter=passed, dtype_join=dtype)
    for statistic in get_args(Statistic)
    for first in ("keep", "drop")
    for passed in (True, False)
    for dtype in ("keep", "collapse")
)
"""Every combination of the choices."""


def joined_name(test: str, dtype: DtypeJoin) -> str:
    """Return the name under which a test of two devices is one.

    A device's token is left out where only dtypes follow it, so that a test about a compiler keeps its
    name; to collapse dtypes is to cut at the first token, as the published analysis does.

    Examples
    --------
    >>> joined_name("test_abs_cuda_float32", "keep"), joined_name("test_abs_xla_float32", "collapse")
    ('test_abs_float32', 'test_abs')
    >>> joined_name("test_xla_computation", "keep")
    'test_xla_computation'
    """
    return (_TOKEN if dtype == "keep" else _CUT).sub("", test, count=1)
