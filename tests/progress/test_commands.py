"""``isoflop progress``: what its verbs print, for people and for programs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from isoflop.cli import main
from isoflop.present.console import WIDTH
from isoflop.progress.commands import group
from isoflop.progress.model import LAWS, PAPER_LAWS
from isoflop.progress.settings import PENALTIES

from .made_table import good_rows, written

HEAVY = ("numpy", "scipy", "polars", "altair", "rich", "jinja2", "narwhals", "vl_convert")
QUICK = ("--bootstrap", "40", "--starts", "6")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a made-up table that every law accepts."""
    return written(good_rows(), tmp_path / "runs.csv")


def document(capsys: pytest.CaptureFixture[str], verb: str, *words: object) -> dict[str, Any]:
    """Run a verb with --json and return the document."""
    code = main(["progress", verb, *map(str, words), "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)  # type: ignore[no-any-return]


def finding(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the one finding of that id."""
    (one,) = (f for f in found["findings"] if f["id"] == f"progress.{name}")
    return one  # type: ignore[no-any-return]


def printed(capsys: pytest.CaptureFixture[str], verb: str, *words: object) -> str:
    """Run a verb and return what a person reads."""
    assert main(["progress", verb, *map(str, words)]) == 0
    out: str = capsys.readouterr().out
    return out


# ------------------------------------------------------------------------------------ help


@pytest.mark.parametrize("verb", [[], *([name] for name in group.commands)])
def test_help_imports_no_numerics(verb: list[str]) -> None:
    program = (
        "import json, sys\n"
        "from isoflop.cli import main\n"
        f"code = main(['progress', *{verb!r}, '--help'])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0
    assert not [m for m in modules if m.split(".")[0] in HEAVY]


def test_every_verb_of_the_contract_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["progress", "--help"]) == 0
    out = capsys.readouterr().out
    for verb in (
        "fit", "compare", "sweep", "aggregate", "decompose", "gain", "match", "check", "stitch", "trend",
        "waterfall", "laws",
    ):  # fmt: skip
        assert f"\n  {verb} " in out


def test_laws_lists_every_law_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["law"]: row for row in document(capsys, "laws")["tables"]["laws"]}
    assert set(rows) == set(LAWS)
    assert [rows[k]["parameters"] for k in (1, 7, 11, 18, 19, 22)] == [6, 10, 18, 5, 11, 11]
    assert rows[7]["text"] in printed(capsys, "laws")


# ------------------------------------------------------------------------------------- fit


@pytest.mark.slow
@pytest.mark.ci
def test_fit_prints_rate_time_baselines_minima_and_what_was_read(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", runs, *QUICK)
    time_ = finding(found, "halving_time_months")
    assert {"progress.rate_per_year", "progress.ratio_to_moore", "progress.ratio_to_hardware"} <= {
        f["id"] for f in found["findings"]
    }
    assert time_["n"] == 48
    assert time_["details"]["basin_shares"]
    minima = found["tables"]["minima"]
    assert [m["objective"] for m in minima] == sorted(m["objective"] for m in minima)
    assert all(m["kkt"] <= 1e-8 for m in minima)
    assert minima[0]["objective"] == time_["details"]["objective"]
    assert {row["parameter"] for row in found["tables"]["parameters"]} >= {"alpha_year", "beta_data"}
    assert {"rule", "unit", "kept", "dropped"} <= set(found["tables"]["waterfall"][0])
    assert found["tables"]["evidence"][0]["name"] == "runs"
    assert "canonical" in found["tables"]["evidence"][0]["recognised"]
    assert {claim["id"] for claim in found["claims"]} <= {
        "progress.halves_in_8_months",
        "progress.faster_than_moore",
    }


@pytest.mark.slow
@pytest.mark.ci
def test_the_same_seed_prints_the_same_numbers(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = (document(capsys, "fit", runs, *QUICK, "--seed", "3") for _ in range(2))
    assert first["findings"] == again["findings"]
    other = document(capsys, "fit", runs, *QUICK, "--seed", "4")
    assert finding(other, "rate_per_year")["low"] != finding(first, "rate_per_year")["low"]


@pytest.mark.slow
@pytest.mark.ci
def test_other_column_names_are_read_through_a_map(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"parameters": "N", "train_tokens": "D", "perplexity": "ppl", "publication_date": "when"}
    rows = [{theirs.get(k, k): v for k, v in row.items()} for row in good_rows()]
    renamed = written(rows, tmp_path / "theirs.csv")
    words = [word for ours, name in theirs.items() for word in ("--map", f"{ours}={name}")]
    mapped = document(capsys, "fit", renamed, "--bootstrap", "0", *words)
    plain = document(capsys, "fit", runs, "--bootstrap", "0")
    assert finding(mapped, "rate_per_year")["value"] == finding(plain, "rate_per_year")["value"]
    assert "parameters=N" in mapped["tables"]["evidence"][0]["recognised"]


def test_without_a_file_the_best_evidence_is_used_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ISOFLOP_EVIDENCE", "embedded")
    assert main(["progress", "waterfall", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "evidence: language_evaluations" in err
    assert json.loads(out)["tables"]["evidence"][0]["kind"] == "embedded"


def test_images_take_the_law_with_one_constant(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--evidence", "embedded", "--task", "image_classification", *QUICK)
    assert main(["progress", "fit", *words, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert finding(found, "halving_time_months")["details"]["law"] == 1
    assert found["tables"]["evidence"][0]["name"] == "image_evaluations"
    assert "law: 1, because images have one benchmark" in err


def test_a_rate_that_is_open_above_and_clear_of_zero_is_not_said_to_reach_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = document(capsys, "fit", "image_evaluations", "--bootstrap", 20)
    rate = finding(found, "rate_per_year")
    assert rate["high"] is None
    assert rate["low"] > 0.0
    assert any("no upper bound" in caution for caution in rate["cautions"])
    assert not any("reaches zero" in caution for caution in rate["cautions"])


def test_rules_for_rows_reach_the_waterfall(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--since", "2015-01-01", "--need", "epochs", "--impute-epochs", "--top-per-paper", "1")
    rules = [row["rule"] for row in document(capsys, "waterfall", runs, *words)["tables"]["waterfall"]]
    assert "published since 2015.0" in rules
    assert "the 1 lowest of each paper" in rules
    everything = document(capsys, "waterfall", runs, "--top-per-paper", "all")["tables"]["waterfall"]
    assert not [row for row in everything if "lowest" in row["rule"]]


@pytest.mark.slow
@pytest.mark.ci
def test_the_published_procedure_implies_its_perplexities(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--compat", "paper", "--bootstrap", "2")
    first = finding(document(capsys, "fit", runs, *words), "halving_time_months")
    own = finding(document(capsys, "fit", runs, *words, "--perplexity", "own"), "halving_time_months")
    assert "SLSQP as published" in first["method"]
    assert first["details"]["objective"] != own["details"]["objective"]


def test_check_lists_its_checks(capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["check"] for row in document(capsys, "check", "--list")["tables"]["names"]]
    assert {"main", "floor", "law_18"} <= set(names)
    assert printed(capsys, "check", "--list").split() == names


# ---------------------------------------------------------------------------- further verbs

VERBS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "fit": (QUICK, {"minima", "parameters", "waterfall", "evidence"}),
    "compare": (
        ("--laws", "1,7", "--penalties", "0.0025,0.01", "--scheme", "paper", "--starts", "4"),
        {"comparison", "stacking", "cautions", "waterfall", "evidence"},
    ),
    "sweep": (("--over", "normaliser", "--starts", "4"), {"sweep", "cautions", "waterfall", "evidence"}),
    "aggregate": (
        ("--pairs", "7:0.0025,12:0.005", "--bootstrap", "20", "--starts", "4"),
        {"pairs", "waterfall", "evidence"},
    ),
    "decompose": (
        (*QUICK, "--start", "LSTM", "--end", "70B:1.4T:2022-03-29"),
        {"shares", "minima", "waterfall", "evidence"},
    ),
    "gain": ((*QUICK, "--flop", "1e18,1e20"), {"gain", "chinchilla", "minima", "waterfall", "evidence"}),
    "check": (
        ("--checks", "main,common_factor", "--starts", "4"),
        {"checks", "cautions", "waterfall", "evidence"},
    ),
    "match": ((), {"slopes", "pairs", "points", "evidence"}),
    "waterfall": ((), {"waterfall", "evidence"}),
}


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_prints_one_document_with_its_tables(
    verb: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, tables = VERBS[verb]
    found = document(capsys, verb, runs, *words)
    assert set(found) == {"schema", "isoflop", "created", "findings", "claims", "tables"}
    assert set(found["tables"]) == tables
    assert all(f["id"].startswith("progress.") for f in found["findings"])
    assert all(f["evidence"] for f in found["findings"])


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", VERBS)
def test_text_fits_the_terminal_and_has_no_empty_column(
    verb: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, _ = VERBS[verb]
    out = printed(capsys, verb, runs, *words)
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "Cautions" in out
    assert "nan" not in out.split()


def test_shares_of_a_decomposition_sum_to_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "decompose", runs, "--bootstrap", "0", "--start", "LSTM", "--end", "Gopher")
    one = finding(found, "compute_share")
    shares = one["details"]["shares"]
    assert set(shares) == {"params", "data", "param_year", "data_year"}
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert one["value"] == pytest.approx(shares["params"] + shares["data"], abs=1e-12)


def test_gain_takes_ranges_lists_and_constraints(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (runs, "--bootstrap", "0", "--starts", "4", "--from", "2015", "--to", "2020-06-01")
    curve = document(capsys, "gain", *words, "--flop", "1e17:1e20")["tables"]["gain"]
    flops = sorted({row["train_flop"] for row in curve})
    assert (flops[0], flops[-1]) == pytest.approx((1e17, 1e20))
    fixed = document(
        capsys, "gain", *words, "--flop", "1e18", "--constraint", "fixed_data", "--tokens", "100M"
    )
    assert finding(fixed, "gain")["details"]["data"] == 1e8


def test_stitch_takes_a_table_and_two_kinds_of_anchor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"model": f"m{i}", "benchmark": name, "score": f"{1 / (1 + 2.0 ** (hard - i)):.4f}"}
        for i in range(8)
        for name, hard in (("easy", 2), ("medium", 4), ("hard", 6))
    ]
    scores = written(rows, tmp_path / "scores.csv")
    found = document(capsys, "stitch", scores, "--anchor", "medium", "--bootstrap", "0", "--starts", "2")
    assert [row["model"] for row in found["tables"]["models"]] == [f"m{i}" for i in reversed(range(8))]
    assert [row["benchmark"] for row in found["tables"]["benchmarks"]] == ["easy", "medium", "hard"]
    words = ("--anchor", "m1=0.5", "--anchor", "m6=2.5", "--bootstrap", "0", "--starts", "2")
    models = {
        r["model"]: r["capability"] for r in document(capsys, "stitch", scores, *words)["tables"]["models"]
    }
    assert (models["m1"], models["m6"]) == pytest.approx((0.5, 2.5))


# --------------------------------------------------------------------- pictures, interruption


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("aggregate", "check", "match")])
def test_a_picture_is_written_whole_and_named(
    verb: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" / "picture.svg"
    words, _ = VERBS[verb]
    assert main(["progress", verb, str(runs), *words, "--figure", str(target)]) == 0
    told = capsys.readouterr().err.replace("\n", "")
    pictures = sorted(target.parent.iterdir())
    assert pictures
    for path in pictures:
        assert path.read_text().startswith("<svg")
        assert path.name in told


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_an_interruption_exits_130_and_leaves_nothing(runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "picture.svg"
    words = ("progress", "fit", str(runs), "--bootstrap", "200000", "--figure", str(target))
    with subprocess.Popen(
        [sys.executable, "-m", "isoflop", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        assert child.stderr.readline().startswith("evidence: ")
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out == ""
    assert err.strip() == "interrupted"
    assert not target.parent.exists()


# ------------------------------------------------------------------------- public evidence


@pytest.fixture(scope="session")
def sheet(public_data: Path) -> Path:
    """Return the public sheet of language-model evaluations."""
    return public_data / "progress" / "lm_evaluations.csv"


@pytest.mark.slow
@pytest.mark.public_data
def test_the_published_numbers_come_back_under_compat(
    sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = finding(
        document(capsys, "fit", sheet, "--compat", "paper", "--bootstrap", "100"), "halving_time_months"
    )
    assert one["value"] == pytest.approx(8.44, abs=0.1)
    assert one["low"] == pytest.approx(4.5, abs=0.3)
    assert one["high"] == pytest.approx(14.27, abs=0.3)
    assert one["details"]["point"] == pytest.approx(8.68, abs=0.05)
    assert one["details"]["objective"] == pytest.approx(0.0518129, abs=1e-7)
    assert one["n"] == 231


@pytest.mark.public_data
def test_the_converged_fit_of_the_published_sample_has_two_basins(
    sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = finding(
        document(capsys, "fit", sheet, "--perplexity", "first", "--bootstrap", "100"), "halving_time_months"
    )
    assert one["details"]["objective"] <= 0.0507224
    best, second = one["details"]["minima"][:2]
    assert best["halving_time_months"] == pytest.approx(6.08, abs=0.05)
    assert second["halving_time_months"] == pytest.approx(16.03, abs=0.05)
    assert max(best["kkt"], second["kkt"]) <= 1e-8
    assert any("two explanations fit almost equally" in caution for caution in one["cautions"])


@pytest.mark.slow
@pytest.mark.public_data
def test_own_perplexities_give_an_interval_and_basin_shares(
    sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", sheet)
    rate = finding(found, "rate_per_year")
    assert rate["low"] < rate["value"] < rate["high"]
    assert sum(finding(found, "halving_time_months")["details"]["basin_shares"]) == pytest.approx(1.0)
    assert "2000 paper resamples" in rate["method"]
    assert "recognised by its header" in found["tables"]["evidence"][0]["recognised"]


@pytest.mark.public_data
def test_the_published_shares_come_back_under_compat(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--start", "RNN", "--end", "GPT-3", "--compat", "paper", "--bootstrap", "0")
    one = finding(document(capsys, "decompose", sheet, *words), "compute_share")
    assert one["value"] == pytest.approx(0.810, abs=0.002)
    assert list(one["details"]["shares"].values()) == pytest.approx([0.486, 0.324, 0.021, 0.168], abs=1e-3)


@pytest.mark.public_data
@pytest.mark.slow
def test_the_full_comparison_ranks_twenty_laws_and_law_18_is_no_outlier(
    sheet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = document(capsys, "compare", sheet)["tables"]["comparison"]
    assert {(row["law"], row["delta"]) for row in rows} == {(k, d) for k in PAPER_LAWS for d in PENALTIES}
    best = min(row["mse"] for row in rows)
    assert min(row["mse"] for row in rows if row["law"] == 18) < 1.5 * best


@pytest.mark.slow
@pytest.mark.public_data
def test_trend_and_stitch_read_the_public_folders(
    public_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "trend", public_data / "progress" / "eci", "--bootstrap", "200")
    for name in ("points_per_decade", "multiple_per_year", "halving_time_months"):
        one = finding(found, f"capability_{name}")
        assert one["low"] < one["value"] < one["high"]
        assert one["n"] == 142
    folder = public_data / "progress" / "benchmark_stitching"
    stitched = finding(document(capsys, "stitch", folder, "--bootstrap", "0"), "stitching_objective")
    assert stitched["details"]["certificate"] <= 1e-6


def test_shares_under_a_law_without_a_rate_are_printed(runs, capsys):
    words = ["--law", "17", "--start", "LSTM", "--end", "Gopher", "--bootstrap", "20"]
    assert main(["progress", "decompose", str(runs), *words]) == 0
    out, _ = capsys.readouterr()
    assert "Shares at the best minimum" in out
    assert "law 17" in out
