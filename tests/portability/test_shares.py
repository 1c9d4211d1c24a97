"""Failure shares: the algebra of statuses, both policies, levels apart, weights, refusals, findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.model import NOT_COUNTED, Bootstrap, Wilson
from isoflop.portability.runs import Run
from isoflop.portability.sampling import sample
from isoflop.portability.shares import ShareCell, Shares, shares
from isoflop.portability.shares.findings import qualifier
from isoflop.portability.simulate import PlantedRun, run_of

STATUSES = (
    "ok", "ok_fallback", "wrong", "unsupported", "error", "crash", "timeout", "oom", "skipped",
    "harness_error", "input_error",
)  # fmt: skip


class Outcomes:
    """Bare outcomes, as a run or published results give them."""

    provenance = ()
    cautions = ()

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def outcomes(self) -> pl.DataFrame:
        """Return the rows with every column that shares reads."""
        plain = {
            "framework": "torch", "target": "torch:other", "target_level": "ran", "task": "", "dtype": None,
            "reason": None,
        }  # fmt: skip
        return pl.DataFrame([plain | row for row in self.rows], infer_schema_length=None)


def outcomes(statuses: dict[str, list[str]], **columns: Any) -> Outcomes:
    """Return outcomes by function."""
    return Outcomes(
        [
            {"function": name, "status": status, "task": f"{name}{i}"} | columns
            for name, many in statuses.items()
            for i, status in enumerate(many)
        ]
    )


def cell(found: Shares, policy: Any = None) -> ShareCell:
    """Return the only target's cell."""
    return found.cell("torch", "torch:other", policy=policy)


FUNCTIONS = st.dictionaries(
    st.sampled_from([f"f{i}" for i in range(8)]),
    st.lists(st.sampled_from(STATUSES), min_size=1, max_size=5),
    min_size=1,
)


@given(FUNCTIONS)
@settings(max_examples=15, deadline=None)
def test_statuses_add_up_and_strict_failures_hold_those_with_fallback(statuses: dict[str, list[str]]) -> None:
    found = shares(outcomes(statuses))
    for policy in ("strict", "fallback"):
        one = found.cell("torch", "torch:other", policy=policy)
        assert one.success + one.partial + one.complete == one.counted
        assert one.counted + one.not_counted == len(statuses)
        assert (one.failing.value is None) == (one.counted == 0)
        assert one.failing.value is None or 0 <= one.failing.value <= 1
    failing = {
        policy: {one.function for one in found.outcomes if one.fails(policy)}  # type: ignore[arg-type]
        for policy in ("strict", "fallback")
    }
    assert failing["fallback"] <= failing["strict"]
    only = {one.function for one in found.outcomes if one.only_with_fallback}
    assert only == failing["strict"] - failing["fallback"]


@given(FUNCTIONS, st.sampled_from(sorted(NOT_COUNTED)), st.randoms())
@settings(max_examples=8, deadline=None)
def test_tests_left_out_and_the_order_of_rows_change_no_share(
    statuses: dict[str, list[str]], left_out: str, random: Any
) -> None:
    before = shares(outcomes(statuses))
    rows = outcomes({**statuses, **{name: [*many, left_out] for name, many in statuses.items()}}).rows
    random.shuffle(rows)
    after = shares(Outcomes(rows))
    for policy in ("strict", "fallback"):
        assert cell(before, policy).failing == cell(after, policy).failing


@given(FUNCTIONS)
@settings(max_examples=15, deadline=None)
def test_renaming_a_target_changes_only_its_name(statuses: dict[str, list[str]]) -> None:
    one = shares(outcomes(statuses)).rows()
    two = shares(outcomes(statuses, target="something:never-seen")).rows()
    assert [row | {"target": ""} for row in one] == [row | {"target": ""} for row in two]


def test_statuses_of_functions_by_hand() -> None:
    found = shares(
        outcomes(
            {
                "a.whole": ["ok", "ok"],
                "a.part": ["ok", "wrong"],
                "b.lost": ["crash", "timeout", "skipped"],
                "b.moved": ["ok", "ok_fallback"],
                "b.none": ["skipped", "input_error"],
            }
        )
    )
    told = {one.function: (one.status("strict"), one.status("fallback")) for one in found.outcomes}
    assert told == {
        "a.whole": ("success", "success"),
        "a.part": ("partial", "partial"),
        "b.lost": ("complete", "complete"),
        "b.moved": ("partial", "success"),
        "b.none": ("not_counted", "not_counted"),
    }
    assert cell(found).failing.value == pytest.approx(3 / 4)
    assert cell(found, "fallback").failing.value == pytest.approx(2 / 4)
    assert cell(found).only_with_fallback == 1


def test_planted_losses_are_counted_exactly() -> None:
    planted = PlantedRun(functions=80, complete=0.3, partial=0.1, fallback=0.1, skipped=0.05)
    run, truth = planted.draw(np.random.default_rng(3))
    kinds = [one["status"] for one in truth.values()]
    strict = shares(run).cell("made", "made:other")
    assert strict.not_counted == kinds.count("skipped")
    assert strict.success == kinds.count("success")
    assert strict.only_with_fallback == kinds.count("fallback")
    loose = shares(run).cell("made", "made:other", policy="fallback")
    assert (loose.partial, loose.complete) == (kinds.count("partial"), kinds.count("complete"))


def test_levels_and_targets_are_never_mixed() -> None:
    rows = outcomes({"f": ["error"]}, target_level="lowered").rows + outcomes({"f": ["ok"]}).rows
    found = shares(Outcomes(rows))
    assert [(one.level, one.failing.value) for one in found.leading] == [("lowered", 1.0), ("ran", 0.0)]
    assert any("nothing was run" in text for text in found.cautions)
    assert shares(Outcomes(rows), level="ran").keys == (("torch", "torch:other", "ran"),)
    ids = [one.id for one in found.findings()]
    assert len(ids) == len(set(ids))


def test_repeats_that_disagree_make_a_function_partial_and_are_said() -> None:
    rows = [{"function": "f", "status": status, "task": "same"} for status in ("ok", "crash")]
    found = shares(Outcomes(rows))
    assert found.outcomes[0].status("strict") == "partial"
    assert found.outcomes[0].tasks == 1
    assert any("passed in one process and failed in another" in text for text in found.cautions)


def test_reasons_are_counted_by_task() -> None:
    rows = [{"function": "f", "status": "error", "reason": "dtype", "task": "same"} for _ in range(3)]
    rows += [{"function": "g", "status": "oom", "reason": "memory", "task": "other"}]
    found = shares(Outcomes(rows))
    assert {row["reason"]: row["failures"] for row in found.reason_rows()} == {"dtype": 1, "memory": 1}
    assert found.outcomes[0].reason == "dtype"


@pytest.mark.parametrize(
    ("by", "groups"), [("dtype", {"float16", "float32"}), ("family", {"torch", "torch.nn"})]
)
def test_groups_within_a_target(by: Any, groups: set[str]) -> None:
    rows = outcomes({"torch.add": ["ok"]}, dtype="float32").rows
    rows += outcomes({"torch.nn.relu": ["error"]}, dtype="float16").rows
    found = shares(Outcomes(rows), by=by)
    assert {one.group for one in found.cells} == groups
    assert sum(one.counted for one in found.leading) == 2


@given(st.lists(st.booleans(), min_size=2, max_size=20), st.integers(1, 50))
@settings(max_examples=8, deadline=None)
def test_equal_calls_give_the_share_of_functions(fails: list[bool], calls: int) -> None:
    statuses = {f"f{i}": ["error" if one else "ok"] for i, one in enumerate(fails)}
    one = cell(shares(outcomes(statuses), weights=dict.fromkeys(statuses, float(calls))))
    assert one.by_calls is not None
    assert one.by_calls.estimate.value == pytest.approx(sum(fails) / len(fails))


def test_calls_weigh_functions_and_untested_ones_make_a_band() -> None:
    statuses = {"f": ["error"], "g": ["ok"]}
    found = shares(outcomes(statuses), weights={"f": 30.0, "g": 10.0, "never_tested": 60.0})
    one = cell(found).by_calls
    assert one is not None
    assert one.estimate.value == pytest.approx(0.75)
    assert one.band == pytest.approx((0.3, 0.9))
    assert any("Calls of functions without a result are 60 %" in text for text in found.cautions)
    ids = {finding.id for finding in found.findings()}
    assert "portability.failure_share.torch.other.calls" in ids


def test_a_sample_gives_the_design_weighted_share() -> None:
    calls = {f"f{i:02d}": float(2**i) for i in range(12)}
    drawn = sample(list(calls), calls, design="deciles:1,3", seed=2)
    statuses = {name: ["error" if name in ("f11", "f10") else "ok"] for name in drawn.functions}
    one = cell(shares(outcomes(statuses), weights=drawn))
    assert one.by_design is not None
    assert one.by_calls is not None
    assert one.by_design.estimate.value == pytest.approx(2 / 12)
    assert one.by_calls.estimate.value > one.by_design.estimate.value


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"framework": "jax", "target": "tpu_v3"}, EvidenceError,
         "no outcome report for jax on tpu_v3; failure shares need one. Choose a target of: gpu_t4"),
        ({"target": "gpu_t5"}, EvidenceError, "closest is 'gpu_t4'"),
        ({"level": "compiled"}, EvidenceError, "level 'compiled' not in outcomes"),
        ({"policy": "loose"}, SettingError, "must be 'strict' or 'fallback'"),
        ({"by": "size"}, SettingError, "must be one of target, dtype, family"),
        ({"by": "dtype", "weights": {"f": 1.0}}, SettingError, "Use by='target'"),
        ({"ci": Wilson(level=95)}, SettingError, "Did you mean 0.95"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(
    asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    rows = outcomes({"f": ["ok"]}, framework="jax", target="gpu_t4").rows
    rows += outcomes({"f": ["ok"]}, framework="torch", target="tpu_v3").rows
    with pytest.raises(error, match=message):
        shares(Outcomes(rows), **asked)


def test_the_bootstrap_of_functions_is_near_wilson() -> None:
    statuses = {f"f{i}": ["error" if i % 3 else "ok"] for i in range(60)}
    wilson, drawn = (
        cell(shares(outcomes(statuses), ci=ci)).failing for ci in (Wilson(), Bootstrap(reps=2000))
    )
    assert wilson.value == drawn.value
    assert wilson.low is not None
    assert drawn.low is not None
    assert abs(wilson.low - drawn.low) < 0.03


def test_findings_carry_what_the_claims_read() -> None:
    run, _ = PlantedRun(complete=0.4, functions=50).draw(np.random.default_rng(0))
    findings = {one.id: one for one in shares(run).findings()}
    lead = findings["portability.failure_share.made.other"]
    assert {"framework", "target", "policy", "level", "draws", "count", "functions"} <= set(lead.details)
    assert len(lead.details["draws"]) == 200
    assert lead.details["policy"] == "strict"
    assert findings["portability.failure_share.made.other.fallback"].details["policy"] == "fallback"
    partial, complete = (findings[f"{lead.id}.{kind}"].estimate.value for kind in ("partial", "complete"))
    assert partial is not None
    assert complete is not None
    assert partial + complete == pytest.approx(lead.estimate.value)


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=30)
def test_ids_are_lower_case_words(framework: str, target: str) -> None:
    parts = qualifier(framework, f"{framework}:{target}").split(".")
    assert len(parts) == 2
    assert all(part == part.lower() and part and " " not in part for part in parts)


def test_a_run_without_results_is_refused_and_json_has_no_gaps() -> None:
    run, _ = PlantedRun(functions=6, skipped=1.0).draw(np.random.default_rng(0))
    found = shares(run)
    assert found.leading[0].failing.value is None
    assert [one.status for one in found.findings()] == ["not_identified"] * 4
    empty = Run(table=run_of([{**run.frame().to_dicts()[0]}]).table)
    assert shares(empty).to_dict()["shares"][0]["functions"] == 0
