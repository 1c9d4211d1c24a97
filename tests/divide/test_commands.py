"""``isoflop divide``: what its verbs print, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isoflop.cli import main
from isoflop.divide.commands import group
from isoflop.present.console import WIDTH

from .made_models import systems, written

HEAVY = ("numpy", "scipy", "polars", "altair", "rich", "jinja2", "narwhals", "vl_convert", "duckdb", "ibis")
FIELDS = {
    "id", "instrument", "label", "value", "low", "high", "level", "unit", "method", "n", "evidence", "seed",
    "cautions", "status", "details",
}  # fmt: skip
TEAM_LABELS = ("Academia", "Industry", "Industry,Academia", "")


def papers(count: int = 240) -> list[dict[str, str]]:
    """Return papers of two venues and four years with everything that the verbs on papers read."""
    return [
        {
            "title": f"{'BERT' if i % 9 == 0 else 'Something'} {i}",
            "venue": ("icml", "coling")[i % 2],
            "year": str(2020 + i % 4),
            "team_label": TEAM_LABELS[i // 3 % 4],
            "citations": str(37 * i % 200),
            "topics": ("robot; rl", "interp", "llm; interp", "")[i // 5 % 4],
            "has_abstract": "true",
        }
        for i in range(count)
    ]


AFFILIATIONS = [
    {"id": "1", "affiliation": "University of Oxford; Google"},
    {"id": "2", "affiliation": "清华大学"},
    {"id": "3", "affiliation": "Department of Computer Science"},
    {"id": "4", "affiliation": ""},
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """Return made-up files of each kind that the verbs take."""
    folder = tmp_path_factory.mktemp("made")
    later = [row | {"train_flop": f"{1.5 * float(row['train_flop']):.4g}"} for row in systems(44)]
    one = str(written(systems(), folder / "systems_2023-12.csv"))
    return {
        "systems": (one,),
        "editions": (str(written(later, folder / "systems_2022-12.csv")), one),
        "papers": (str(written(papers(), folder / "papers.csv")),),
        "affiliations": (str(written(AFFILIATIONS, folder / "affiliations.csv")),),
    }


FEW = ("--reps", "60")
VERBS: dict[str, tuple[str, tuple[str, ...], set[str]]] = {
    "growth": ("systems", ("--reps", "99"), {"growth", "forecasts", "gap", "waterfall"}),
    "gap": ("systems", ("--reps", "99"), {"gap", "medians", "waterfall"}),
    "shares": ("systems", ("--large", "all"), {"shares", "by_year", "changes", "coverage", "waterfall"}),
    "specification": (
        "editions",
        ("--joint", "100", "--headline", "academia_share_change", "--headline", "gap_oom"),
        {"specifications", "choices"},
    ),
    "audit": ("editions", (), {"changes", "headlines", "decomposition", "counts"}),
    "coverage": ("systems", (), {"coverage", "totals", "tilts", "shares", "waterfall"}),
    "influence": ("systems", (), {"influence", "residuals", "leftovers", "waterfall"}),
    "power": ("systems", (), {"needs", "waterfall"}),
    "deciles": ("systems", ("--groups", "5"), {"deciles", "fields", "waterfall"}),
    "openness": ("systems", (), {"groups", "opened", "bases", "built", "by_year", "waterfall"}),
    "concentration": ("systems", (), {"holders", "teams", "waterfall"}),
    "afford": ("systems", ("--budget", "1e6"), {"affordability", "waterfall"}),
    "represent": ("papers", FEW, {"representation", "topic_years", "remedies", "waterfall"}),
    "impact": ("papers", ("--least", "20"), {"top_shares", "odds_ratios", "waterfall"}),
    "adopt": ("papers", FEW, {"adoption", "developers", "waterfall"}),
    "classify": ("affiliations", ("--column", "affiliation"), {"classes", "rules", "teams"}),
}
"""Verb to its files, its words, and the tables that its document has at least."""
UNDRAWN = ("influence", "power", "classify")
OF_SNAPSHOTS = {"plan", "extract", "status", "query"}
"""Verbs on OpenAlex, whose documents are tested beside what they read."""


def run(verb: str, tables: dict[str, tuple[str, ...]], *more: object) -> list[str]:
    kind, words, _ = VERBS[verb]
    return ["divide", verb, *tables[kind], *words, *map(str, more)]


# ------------------------------------------------------------------------------------ help


def test_help_of_every_verb_imports_no_numerics() -> None:
    verbs = [[], *([name] for name in group.commands)]
    program = (
        "import json, sys\n"
        "from isoflop.cli import main\n"
        f"codes = [main(['divide', *verb, '--help']) for verb in {verbs!r}]\n"
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
        "import json, sys\nimport isoflop.divide as d\n[getattr(d, name) for name in d.__all__]\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & {"scipy.stats", "pandas", "matplotlib", "altair"}


def test_every_verb_is_tested_here_or_beside_what_it_reads() -> None:
    assert set(group.commands) == set(VERBS) | OF_SNAPSHOTS


@pytest.mark.parametrize("verb", group.commands)
def test_help_says_what_every_option_does_in_a_hundred_columns(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["divide", verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "--json" in out
    unsaid = [p.opts for p in group.commands[verb].params if p.param_type_name == "option" and not p.help]
    assert not unsaid


# ------------------------------------------------------------------------- verbs on made tables


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_prints_one_document_in_the_common_form_and_draws_its_pictures(
    verb: str,
    tables: dict[str, tuple[str, ...]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "out" / "picture.json"
    drawn = () if verb in UNDRAWN else ("--figure", target)
    code = main(run(verb, tables, "--json", *drawn))
    out, err = capsys.readouterr()
    assert code == 0, err
    found = json.loads(out, parse_constant=lambda word: pytest.fail(word))
    assert set(found) == {"schema", "isoflop", "created", "findings", "claims", "tables"}
    assert found["schema"] == 1
    assert set(found["tables"]) >= VERBS[verb][2]
    assert "evidence" in found["tables"] or verb == "classify"
    ids = [one["id"] for one in found["findings"]]
    assert ids
    assert len(ids) == len(set(ids))
    for one in found["findings"]:
        assert set(one) == FIELDS
        assert one["id"].startswith("divide.")
        assert one["instrument"] == "divide"
        assert one["label"]
        assert one["method"]
        assert one["evidence"]
        assert one["status"] in ("ok", "not_identified", "refused")
        assert (one["value"] is None) == (one["status"] != "ok")
        assert one["status"] == "ok" or one["cautions"] or one["details"].get("reason")
        if one["low"] is not None and one["high"] is not None and one["value"] is not None:
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
def test_text_fits_the_terminal_in_words_and_ends_with_cautions(
    verb: str, tables: dict[str, tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(verb, tables)) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= WIDTH
    words = out.split()
    assert not {"nan", "inf", "None", "NaN"} & set(words)
    assert "Cautions" in out.rsplit("\n\n", 1)[-1]
    codes = {"monte_carlo", "academia_share_last", "top_decile", "open_weights", "gap_oom", "quantile_50"}
    assert not codes & set(words)
    assert verb not in ("shares", "specification", "audit") or "(points)" in out


def test_talk_goes_to_stderr_and_results_to_stdout(
    tables: dict[str, tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run("shares", tables, "--json")) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err.startswith("evidence: systems_2023-12 (as named), 48 rows read")


def test_without_a_file_the_facts_that_ship_are_taken_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOFLOP_EVIDENCE", "embedded")
    assert main(["divide", "shares", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "notable_systems" in err
    first: dict[str, Any] = json.loads(out)["findings"][0]
    assert first["evidence"][0]["name"] == "notable_systems"
    assert any("hand-picked" in caution for caution in first["cautions"])


def test_the_same_seed_prints_the_same_numbers(
    tables: dict[str, tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    def findings(seed: int) -> Any:
        assert main(run("concentration", tables, "--json", "--seed", seed)) == 0
        return json.loads(capsys.readouterr().out)["findings"]

    assert findings(3) == findings(3)
    a, b = (
        next(f for f in found if f["id"] == "divide.top5_compute_share")
        for found in (findings(3), findings(4))
    )
    assert a["value"] == b["value"]
    assert a["low"] != b["low"]
