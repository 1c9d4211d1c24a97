"""``isoflop scaling``: what its verbs print, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isoflop.cli import main
from isoflop.present.console import WIDTH
from isoflop.scaling.commands import group
from isoflop.scaling.laws import LAWS

from .made_runs import good_curve, good_points, good_runs, written

HEAVY = ("numpy", "scipy", "polars", "altair", "rich", "jinja2", "narwhals", "vl_convert")
FIELDS = {
    "id", "instrument", "label", "value", "low", "high", "level", "unit", "method", "n", "evidence", "seed",
    "cautions", "status", "details",
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a made-up table of each kind that the verbs take."""
    folder = tmp_path_factory.mktemp("made")
    makers = {"runs": good_runs, "points": good_points, "curve": good_curve}
    return {name: written(make(), folder / f"{name}.csv") for name, make in makers.items()}


def document(capsys: pytest.CaptureFixture[str], verb: str, *words: object) -> dict[str, Any]:
    """Run a verb with --json and return the document."""
    code = main(["scaling", verb, *map(str, words), "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out, parse_constant=lambda word: pytest.fail(word))  # type: ignore[no-any-return]


def finding(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the one finding of that id."""
    (one,) = (f for f in found["findings"] if f["id"] == f"scaling.{name}")
    return one  # type: ignore[no-any-return]


def printed(capsys: pytest.CaptureFixture[str], verb: str, *words: object) -> str:
    """Run a verb and return what a person reads."""
    assert main(["scaling", verb, *map(str, words)]) == 0
    out: str = capsys.readouterr().out
    return out


# ------------------------------------------------------------------------------------ help


def test_help_imports_no_numerics() -> None:
    verbs = [[], *([name] for name in group.commands)]
    program = (
        "import json, sys\n"
        "from isoflop.cli import main\n"
        f"codes = [main(['scaling', *verb, '--help']) for verb in {verbs!r}]\n"
        "print(json.dumps([codes, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    codes, modules = json.loads(done.stderr)
    assert codes == [0] * len(verbs)
    assert not [m for m in modules if m.split(".")[0] in HEAVY]


@pytest.mark.slow
@pytest.mark.ci
def test_the_package_imports_no_pictures_and_no_heavy_statistics() -> None:
    program = (
        "import json, sys\nimport isoflop.scaling as s\ns.fit, s.pool, s.frontier, s.forecast, s.emergence\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert not modules & {"scipy.stats", "pandas", "matplotlib", "altair"}


def test_every_verb_of_the_contract_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "--help")
    for verb in (
        "laws", "lint", "fit", "frontier", "compare", "forecast", "influence", "design", "studies", "pool",
        "emergence", "returns", "power",
    ):  # fmt: skip
        assert f"\n  {verb} " in out


@pytest.mark.parametrize(
    ("verb", "headings"),
    [
        ("fit", ("Evidence", "Runs", "Law", "Interval")),
        ("frontier", ("Evidence", "Runs", "Law", "Interval")),
        ("influence", ("Evidence", "Runs", "Law")),
        ("design", ("Evidence", "Runs", "Law", "Interval")),
        ("compare", ("Evidence", "Runs")),
        ("pool", ("Evidence",)),
    ],
)
def test_help_lists_options_by_what_they_decide(
    verb: str, headings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(capsys, verb, "--help")
    places = [out.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)


# ------------------------------------------------------------------------- verbs on made tables

VERBS: dict[str, tuple[str | None, tuple[str, ...], set[str]]] = {
    "laws": (None, (), {"laws"}),
    "fit": (
        "runs", ("--bootstrap", "40"),
        {"parameters", "delta_sensitivity", "minima", "waterfall", "evidence"},
    ),
    "frontier": ("runs", ("--bootstrap", "40"), {"frontier", "replay", "waterfall", "evidence"}),
    "influence": ("runs", (), {"influence", "drop_highest", "evidence"}),
    "design": ("runs", ("--bootstrap", "20"), {"design", "evidence"}),
    "compare": (
        "runs", ("--laws", "chinchilla,overtrain", "--bootstrap", "50", "--cuts", "0.8"),
        {"comparison", "evidence"},
    ),
    "forecast": (
        "curve", ("--laws", "power,power_floor"),
        {"rmsle_by_law", "rmsle_by_domain", "forecasts", "evidence"},
    ),
    "studies": ("points", (), {"studies", "waterfall", "evidence"}),
    "pool": (
        "points", (),
        {"by_resource", "by_familiarity", "by_class", "leave_one_paper_out", "cumulative_by_year",
         "meta_regression", "bias_tests", "waterfall", "evidence"},
    ),
    "emergence": (
        "points", ("--draws", "99"), {"studies", "verdicts", "numbers", "left_out", "evidence"},
    ),
    "returns": ("points", ("--draws", "99"), {"studies", "labels", "left_out", "evidence"}),
    "power": (None, ("--draws", "200"), {"map"}),
}  # fmt: skip
"""Verb to its table, its words, and the tables that its document has at least."""
UNDRAWN = ("laws", "studies")


def words_of(verb: str, tables: dict[str, Path]) -> tuple[str, ...]:
    kind, words, _ = VERBS[verb]
    return words if kind is None else (str(tables[kind]), *words)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_prints_one_document_in_the_common_form_and_draws_its_pictures(
    verb: str, tables: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" / "picture.json"
    drawn = () if verb in UNDRAWN else ("--figure", target)
    found = document(capsys, verb, *words_of(verb, tables), *drawn)
    assert set(found) == {"schema", "isoflop", "created", "findings", "claims", "tables"}
    assert found["schema"] == 1
    assert set(found["tables"]) >= VERBS[verb][2]
    ids = [f["id"] for f in found["findings"]]
    assert len(ids) == len(set(ids))
    for one in found["findings"]:
        assert set(one) == FIELDS
        assert one["id"].startswith("scaling.")
        assert one["instrument"] == "scaling"
        assert one["label"]
        assert one["method"]
        assert one["status"] in ("ok", "not_identified", "refused")
        assert (one["value"] is None) == (one["status"] != "ok")
        assert one["evidence"] or VERBS[verb][0] is None
        assert one["status"] == "ok" or one["cautions"] or one["details"].get("reason")
        if one["low"] is not None and one["high"] is not None:
            assert one["low"] <= one["value"] <= one["high"]
    if drawn:
        pictures = sorted(target.parent.iterdir())
        assert pictures
        for path in pictures:
            spec = json.loads(path.read_text(encoding="utf-8"))
            assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", VERBS)
def test_text_fits_the_terminal_and_says_no_nan(
    verb: str, tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(capsys, verb, *words_of(verb, tables))
    assert max(map(len, out.splitlines())) <= WIDTH
    assert not {"nan", "inf", "None"} & set(out.split())


@pytest.mark.slow
def test_the_same_seed_prints_the_same_numbers(
    tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = (tables["runs"], "--bootstrap", "20")
    first, again = (document(capsys, "fit", *words, "--seed", "3") for _ in range(2))
    assert first["findings"] == again["findings"]
    other = document(capsys, "fit", *words, "--seed", "4")
    a, b = (finding(d, "frontier_exponent_a") for d in (first, other))
    assert a["value"] == b["value"]
    assert a["low"] != b["low"]


def test_the_document_says_what_was_read(tables: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--where", "family=family 1", "--bootstrap", "0")
    found = document(capsys, "fit", tables["runs"], *words)
    assert found["tables"]["evidence"][0]["name"] == "runs"
    assert "canonical" in found["tables"]["evidence"][0]["recognised"]
    (kept,) = (row for row in found["tables"]["waterfall"] if row["rule"] == "family is family 1")
    assert (kept["kept"], kept["dropped"]) == (8, 20)
    one = finding(found, "frontier_exponent_a")
    assert (one["n"], one["low"], one["high"]) == (8, None, None)
    assert "no interval" in one["method"]


@pytest.mark.slow
@pytest.mark.ci
def test_other_column_names_are_read_through_a_map(
    tables: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"params": "size", "tokens": "seen", "loss_nats": "xent"}
    rows = [{theirs.get(k, k): v for k, v in row.items()} for row in good_runs()]
    renamed = written(rows, tmp_path / "theirs.csv")
    words = [word for ours, name in theirs.items() for word in ("--map", f"{ours}={name}")]
    mapped = document(capsys, "fit", renamed, "--bootstrap", "0", *words)
    plain = document(capsys, "fit", tables["runs"], "--bootstrap", "0")
    assert finding(mapped, "frontier_exponent_a")["value"] == finding(plain, "frontier_exponent_a")["value"]


def test_the_law_of_one_resource_gives_a_negative_exponent(
    tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", tables["runs"], "--law", "power", "--x", "train_flop", "--bootstrap", "0")
    (alpha,) = (r["value"] for r in found["tables"]["parameters"] if r["parameter"] == "alpha")
    assert alpha > 0
    exponents = [f for f in found["findings"] if "exponent" in f["id"] or "elasticity" in f["id"]]
    assert exponents
    assert all(f["value"] < 0 for f in exponents)


def test_laws_lists_every_law_and_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["law"] for row in document(capsys, "laws")["tables"]["laws"]} == set(LAWS)
    assert LAWS["chinchilla"].formula in printed(capsys, "laws", "chinchilla")


@pytest.mark.parametrize("approach", ["isoflop", "envelope"])
def test_other_approaches_name_themselves(
    approach: str, tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(
        capsys, "frontier", tables["runs"], "--approach", approach, "--bootstrap", "20", "--at-flop", "1e20"
    )
    headline = finding(found, f"optimal_tokens_per_param.{approach}")
    assert headline["details"]["at_flop"] == 1e20
    assert 5 < headline["value"] < 80


@pytest.mark.parametrize("cost", ["attention:4096", "lifetime:1e12", "column:train_flop"])
def test_each_cost_model_is_taken(
    cost: str, tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "frontier", tables["runs"], "--cost", cost, "--bootstrap", "0")
    assert finding(found, "optimal_tokens_per_param")["value"] > 0


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("objective", ["huber:mad", "lad", "gaussian:raw"])
def test_each_objective_is_taken(
    objective: str, tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", tables["runs"], "--objective", objective, "--bootstrap", "0")
    assert finding(found, "frontier_exponent_a")["value"] == pytest.approx(0.51, abs=0.08)


def test_talk_goes_to_stderr_and_results_to_stdout(
    tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scaling", "fit", str(tables["runs"]), "--bootstrap", "0", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err.startswith("evidence: runs (as named), 28 rows read")


@pytest.mark.slow
@pytest.mark.ci
def test_a_picture_is_named_once_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "power.svg"
    assert main(["scaling", "power", "--draws", "200", "--figure", str(target)]) == 0
    assert target.name in capsys.readouterr().err.replace("\n", "")
    assert target.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.slow
@pytest.mark.ci
def test_pool_shows_both_estimators_on_the_same_rows(
    tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "pool", tables["points"], "--by", "familiarity")
    methods = {row["method"] for row in found["tables"]["by_resource"]}
    assert {"hierarchical", "sartor2024"} <= methods
    one = finding(found, "exponent_data_robotics")
    assert one["value"] == pytest.approx(-0.25, abs=0.03)
    assert finding(found, "halving_factor_data_robotics")["value"] == pytest.approx(2 ** (1 / -one["value"]))
    assert {row["group"] for row in found["tables"]["by_familiarity"]} == {"seen", "unseen"}


# --------------------------------------------------------------------------- embedded evidence


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the evidence that ships, whatever else is at hand."""
    monkeypatch.setenv("ISOFLOP_EVIDENCE", "embedded")


@pytest.mark.usefixtures("embedded")
def test_without_a_file_the_runs_with_a_known_entropy_rate_are_taken_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["scaling", "fit", "--bootstrap", "0", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "evidence: scaling_runs" in err
    assert "entropy rate is known" in err
    assert finding(json.loads(out), "frontier_exponent_a")["details"]["certificate"]["certified"]


@pytest.mark.slow
@pytest.mark.usefixtures("embedded")
def test_the_embedded_points_are_pooled_by_resource_familiarity_and_class(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = document(capsys, "pool", "study_points", "--by", "familiarity")
    one = finding(found, "exponent_data_robotics")
    assert one["high"] < 0
    assert one["details"]["weights"] == "paper"
    assert one["details"]["published"]["mean"] == -0.276
    for name in ("by_resource", "by_familiarity", "by_class"):
        methods = {row["method"] for row in found["tables"][name]}
        assert {"hierarchical", "sartor2024"} <= methods
    assert found["tables"]["leave_one_paper_out"]
    ratio = finding(found, "exponent_ratio_robotics_vision")
    assert ratio["status"] == "ok" or ratio["cautions"]


# ---------------------------------------------------------------- the table of issue 3, public data


@pytest.fixture(scope="session")
def chinchilla(public_data: Path) -> Path:
    """Return the public points read off the Chinchilla figure."""
    return public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv"


@pytest.mark.public_data
def test_the_preset_gives_the_published_optimum_and_standard_errors(
    chinchilla: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", chinchilla, "--preset", "besiroglu2024", "--bootstrap", "4000")
    details = finding(found, "frontier_exponent_a")["details"]
    assert details["objective"] <= 0.0010182741
    wanted = {
        "A": (477.83, 5e-4, 124.522),
        "B": (2143.4, 1e-3, 1293.284),
        "E": (1.8172, 1e-4, 0.02566),
        "alpha": (0.34731, 1e-4, 0.01540),
        "beta": (0.36717, 1e-4, 0.02060),
    }
    for name, (value, tolerance, se) in wanted.items():
        got = details["parameters"][name]
        assert got["value"] == pytest.approx(value, rel=tolerance), name
        assert got["se"] == pytest.approx(se, rel=0.04), name


@pytest.mark.slow
@pytest.mark.public_data
def test_the_other_preset_gives_the_least_absolute_optimum(
    chinchilla: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "fit", chinchilla, "--preset", "besiroglu2024_table", "--bootstrap", "0")
    details = finding(found, "frontier_exponent_a")["details"]
    assert details["objective"] == pytest.approx(1.1294947, rel=1e-5)
    wanted = {"A": 482.006, "B": 2085.436, "E": 1.81686, "alpha": 0.34781, "beta": 0.36585}
    for name, value in wanted.items():
        assert details["parameters"][name]["value"] == pytest.approx(value, rel=2e-5), name


@pytest.mark.public_data
@pytest.mark.parametrize(
    ("dropped", "ratio", "a"), [(0, 6.8, 0.565), (1, 10.0, 0.544), (5, 17.9, 0.514), (10, 19.9, 0.509)]
)
def test_the_answer_moves_with_the_highest_losses_as_published(
    dropped: int, ratio: float, a: float, chinchilla: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "--approach",
        "parametric",
        "--drop-highest",
        dropped,
        "--at-flop",
        "5.88e23",
        "--bootstrap",
        "0",
    )
    found = document(capsys, "frontier", chinchilla, *words)
    assert finding(found, "optimal_tokens_per_param")["value"] == pytest.approx(ratio, rel=0.01)
    assert finding(found, "frontier_exponent_a")["value"] == pytest.approx(a, abs=0.002)


@pytest.mark.public_data
def test_published_medians_give_the_published_factors(
    public_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = public_data / "scaling" / "robotics" / "sartor_thompson_summary.csv"
    found = document(capsys, "pool", summary, "--method", "sartor2024")
    factors = {row["resource"]: row["halving_factor"] for row in found["tables"]["published"]}
    assert factors == pytest.approx({"data": 24.39, "model_size": 56.26, "compute": 736.13}, abs=0.01)
    ids = {f["id"]: f["value"] for f in found["findings"]}
    assert any(value == pytest.approx(24.39, abs=0.01) for value in ids.values() if value is not None)


@pytest.mark.slow
@pytest.mark.public_data
def test_image_curves_are_forecast_with_the_last_value_first(
    public_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curves = public_data / "scaling" / "learning_curves" / "benchmark.vision.birds_cifar.csv"
    found = document(capsys, "forecast", curves)
    assert finding(found, "forecast_rmsle")["value"] <= 0.027
    laws = [row["law"] for row in found["tables"]["rmsle_by_law"]]
    assert laws[0] == "last_value"
    assert "stack" in laws
