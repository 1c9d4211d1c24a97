"""The table of reasons: each rule by its sample, their order, the published outcomes, the paper's bins."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.portability.model import REASONS
from isoflop.portability.reasons import Rule, cause, classify, classify_row, compare_bins, rules, suggest
from isoflop.portability.reasons.bins import BINS, NONE, paper_bin
from isoflop.portability.reasons.suggest import template
from isoflop.portability.reasons.table import version

BY_TEXT = [rule for rule in rules() if rule.sample or rule.sample_exception]


@pytest.mark.parametrize("rule", BY_TEXT, ids=lambda rule: rule.id)
def test_each_rule_is_the_first_to_fit_its_sample(rule: Rule) -> None:
    found = cause(
        status=rule.when[0],
        error_type=rule.sample_exception,
        error_head=rule.sample,
        where=rule.sample_target,
    )
    assert found.reason_rule == f"{version()}:{rule.id}"
    assert (found.reason, found.status) == (rule.reason, rule.status or rule.when[0])


@pytest.mark.parametrize(
    ("status", "agreement", "gradient", "rule"),
    [
        ("harness_error", "", "", "not-counted"),
        ("timeout", "", "", "timed-out"),
        ("oom", "", "", "out-of-memory"),
        ("ok_fallback", "agree", "", "left-the-device"),
        ("wrong", "agree", "differ", "wrong-gradient"),
        ("wrong", "dtype", "", "wrong-dtype"),
        ("wrong", "shape", "", "wrong-shape"),
        ("wrong", "differ", "differ", "wrong-numbers"),
        ("crash", "", "", "crash"),
    ],
)
def test_a_status_that_speaks_for_itself_needs_no_message(
    status: str, agreement: str, gradient: str, rule: str
) -> None:
    found = cause(status=status, agreement=agreement, gradient=gradient)
    assert found.reason_rule == f"{version()}:{rule}"
    assert found.status == status


GRAPH_BREAKS = {
    "graph_break:Data_dependent_operator": "graph-break-data",
    "graph_break:Dynamic_shape_operator": "graph-break-shape",
    "graph_break:Attempted_to_wrap_sparse_Tensor": "graph-break-sparse",
    "graph_break:Attempted_to_call_function_marked_as_skipped": "graph-break",
}


@pytest.mark.parametrize(("fallback", "rule"), GRAPH_BREAKS.items())
def test_what_a_compiler_gives_back_has_its_own_reason(fallback: str, rule: str) -> None:
    found = cause(status="ok_fallback", fallback_ops=fallback)
    assert (found.status, found.reason_rule) == ("ok_fallback", f"{version()}:{rule}")
    assert cause(status="ok", fallback_ops=fallback).reason is None


def test_every_rule_has_a_test() -> None:
    by_status = {
        "not-counted", "timed-out", "out-of-memory", "left-the-device", "wrong-gradient", "wrong-dtype",
        "wrong-shape", "wrong-numbers", "crash", *GRAPH_BREAKS.values(),
    }  # fmt: skip
    assert {rule.id for rule in rules()} == by_status | {rule.id for rule in BY_TEXT}


@given(
    st.sampled_from(["ok", "skipped", "error", "unsupported", "wrong", "crash", "timeout", "ok_fallback"]),
    st.sampled_from(["", *(rule.sample_exception for rule in BY_TEXT)]),
    st.sampled_from(["", "something new", *(rule.sample for rule in BY_TEXT)]),
)
@settings(max_examples=60)
def test_classifying_twice_changes_nothing(status: str, kind: str, text: str) -> None:
    once = classify_row({"status": status, "error_type": kind, "error_head": text, "target": "torch:meta"})
    again = classify_row(once)
    assert again["reason"] == once["reason"]
    assert again["status"] == once["status"]
    assert (once["reason"] is None) == (status in ("ok", "skipped"))
    assert once["reason"] is None or once["reason"] in REASONS


def test_a_reason_given_by_the_engine_stays() -> None:
    row = {"status": "crash", "reason": "state_dependent", "error_type": "SIGSEGV"}
    assert classify_row(row)["reason"] == "state_dependent"


def test_a_frame_and_its_rows_are_classified_alike() -> None:
    rows = [
        {"status": "error", "error_type": rule.sample_exception, "error_head": rule.sample, "target": "a:b"}
        for rule in BY_TEXT
    ]
    frame = classify(pl.DataFrame(rows))
    assert frame["reason"].to_list() == [row["reason"] for row in classify(rows)]
    assert frame["status"].to_list() == [row["status"] for row in classify(rows)]


SEEN = [
    (
        "torch._dynamo.exc.Unsupported",
        "Data dependent operator Explanation: `aten.equal.default`",
        "data_dependent",
    ),
    ("torch._dynamo.exc.Unsupported", "Attempted to wrap sparse Tensor", "layout_sparse"),
    ("torch._dynamo.exc.Unsupported", "Unsupported Tensor.resize_() call", "not_implemented"),
    ("torch._dynamo.exc.UserError", "Could not guard on data-dependent expression", "data_dependent"),
    ("DispatchError", "No ONNX function found for aten.linalg_eig: complex-valued input", "complex"),
    ("OpConversionFailure", "No conversion rule found for operations: aten.lcm.default", "not_implemented"),
    ("RuntimeError", "Unsupported data type FLOAT8E4M3FNUZ expected: BOOL, BFLOAT16", "dtype"),
    ("RuntimeError", "Check '!shape.rank().is_dynamic()' failed", "dynamic_shape"),
    ("ValueError", "cannot include dtype 'E' in a buffer", "dtype"),
    ("subprocess.CalledProcessError", "Command 'clang' returned non-zero exit status 1", "compiler_internal"),
    ("ImportError", "Pillow must be installed for the ImageDecoder operator", "missing_dependency"),
    ("OnnxImportError", "Unknown ONNX tensor element type: 25", "dtype"),
    (
        "CompileError",
        "failed to legalize operation 'torch.operator' that was marked illegal",
        "not_implemented",
    ),
    ("CompileError", "LLVM Translation failed for operation: builtin.unrealized_cast", "compiler_internal"),
    ("CompileError", "'vector.x' op cannot be converted to LLVM IR", "compiler_internal"),
    ("NotImplementedError", "MLIR translation rule for primitive 'eigh' not found", "not_implemented"),
    (
        "ValueError",
        "This op is not yet supported on the GPU. Explicitly pass a CPU stream",
        "not_implemented",
    ),
    ("NotFoundError", "Could not find device for node: {{node FFTND}} = FFTND[]", "not_implemented"),
    ("InvalidArgumentError", "XLA compilation requires a fixed tensor list size", "dynamic_shape"),
    ("FailedPreconditionError", "Expected comparison type SIGNED. actual: TOTALORDER", "compiler_internal"),
]


@pytest.mark.parametrize(("kind", "text", "reason"), SEEN)
def test_texts_seen_on_own_runs_have_their_reason(kind: str, text: str, reason: str) -> None:
    assert cause(status="error", error_type=kind, error_head=text).reason == reason


@pytest.mark.public_data
def test_the_published_failures_fall_into_the_known_classes(public_data: Path) -> None:
    frame = pl.read_csv(public_data / "portability" / "outcomes.csv.gz").filter(pl.col("outcome") == "failed")
    found = classify(
        frame.select(
            "framework",
            "target",
            pl.lit("error").alias("status"),
            pl.col("exception").alias("error_type"),
            pl.col("message").alias("error_head"),
        )
    )

    def counts(framework: str) -> dict[str, int]:
        chosen = found.filter((pl.col("framework") == framework) & (pl.col("target") == "gpu_t4"))
        return dict(chosen.group_by("reason").len().iter_rows())

    assert counts("tensorflow") == {"placement": 172, "harness": 10, "memory": 1}
    assert counts("jax") == {"harness": 130, "not_implemented": 10}
    assert (found["reason"] == "unclassified").mean() < 0.02


def test_every_reason_has_a_bin_and_the_rest_its_own_column() -> None:
    assert {paper_bin(reason) for reason in REASONS} == set(BINS)
    assert paper_bin("harness") == NONE


def test_typed_bins_are_set_beside_ours() -> None:
    found = compare_bins({"dtype": 3, "placement": 1}, {"type failure": 1, "timeout": 1})
    assert found.distance == pytest.approx(0.5)
    assert {row["bin"]: (row["ours"], row["theirs"]) for row in found.rows()}["type failure"] == (3, 1)
    assert compare_bins([], {}).distance is None
    with pytest.raises(EvidenceError, match="closest is 'timeout'"):
        compare_bins([], {"timeouts": 1})


def test_messages_without_a_rule_are_grouped_and_never_accepted() -> None:
    rows = classify(
        [
            {"status": "error", "error_type": "ValueError", "error_head": f"odd thing {i} in 'f{i}'"}
            for i in range(3)
        ]
        + [{"status": "error", "error_type": "KeyError", "error_head": "another"}]
    )
    found = suggest(rows)
    assert [(one["count"], one["template"]) for one in found] == [
        (3, "odd thing ‹number› in ‹name›"),
        (1, "another"),
    ]
    assert all(row["reason"] == "unclassified" for row in rows)
    assert len(suggest(rows, least=2)) == 1


@given(st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=20)
def test_templates_ignore_numbers(a: int, b: int) -> None:
    assert template(f"size {a} is wrong") == template(f"size {b} is wrong")
