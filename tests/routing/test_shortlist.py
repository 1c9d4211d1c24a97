"""Choosing from published scores: planted truth, refusals, what the facts that ship give, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from isoflop.errors import EvidenceError, IsoflopError, SettingError
from isoflop.evidence import load
from isoflop.evidence.table import Table
from isoflop.findings import Document
from isoflop.routing.chapter.shortlist import shortlist_section
from isoflop.routing.commands.shortlist import shortlist as command
from isoflop.routing.shortlist.core import Core, core
from isoflop.routing.shortlist.find import shortlist

PUBLISHED, PRICES = load("model_benchmarks"), load("model_prices")
DESCRIPTIONS = load("benchmark_descriptions")
TOPICS = {
    "code": "python function list loop unit test return",
    "cook": "recipe oven butter onion dinner flavour",
}


def scores(rows: dict[tuple[str, str], float], **columns: object) -> Table:
    """Return a table of (model, benchmark) to score."""
    frame = pl.DataFrame(
        [{"model": m, "family": m, "benchmark": b, "score": s, **columns} for (m, b), s in rows.items()]
    )
    return load(frame, schema="model_scores", name="made")


def regimes(per_topic: int = 6, models: int = 8, noise: float = 0.02) -> tuple[Core, Table]:
    """Return benchmarks of two topics; half of the models is good at each, and one is fair at both."""
    rng = np.random.default_rng(0)
    found, described = {}, []
    for topic, (name, words) in enumerate(TOPICS.items()):
        for k in range(per_topic):
            benchmark = f"{name}{k}"
            described.append({"benchmark": benchmark, "description": f"{words} {k}", "examples": words})
            for m in range(models):
                good = 0.6 if m == 0 else 0.8 if m % 2 == topic else 0.35
                found[f"m{m}", benchmark] = float(np.clip(good + noise * rng.standard_normal(), 0, 1))
    return core(scores(found), instruct=None), load(
        pl.DataFrame(described), schema="benchmark_descriptions", name="words"
    )


# ---------------------------------------------------------------------------------- planted truth


def test_words_choose_where_kinds_of_tasks_differ() -> None:
    compared, described = regimes()
    for topic, (name, words) in enumerate(TOPICS.items()):
        found = shortlist(compared, described, words, encoder="hashed")
        chosen = int(compared.models[found.choice][1:])
        assert found.w > 0.5
        assert chosen % 2 == topic or chosen == 0
        assert found.rows()[0]["model"] == compared.models[found.choice]
        assert float(found.share[[b.startswith(name) for b in compared.benchmarks]].sum()) > 0.8  # type: ignore[index]
    assert (found.gain.value or 0) > 0.1
    assert found.errors[1] < 0.5 * found.errors[0]


def test_without_kinds_of_tasks_the_best_on_average_stays() -> None:
    rng = np.random.default_rng(3)
    level, hard = np.linspace(0.3, 0.7, 6), rng.uniform(-0.1, 0.1, 9)
    names = DESCRIPTIONS.frame["benchmark"].to_list()[:9]
    table = scores(
        {
            (f"m{m}", b): float(level[m] + hard[d] + 0.005 * rng.random())
            for m in range(6)
            for d, b in enumerate(names)
        }
    )
    found = shortlist(core(table, instruct=None), DESCRIPTIONS, "write python code", encoder="hashed")
    assert found.core.models[found.choice] == "m5"
    assert found.gain.value == 0.0
    assert found.gain.low is None
    assert "never" in found.checked


def test_scores_of_a_benchmark_left_out_move_nothing_that_is_chosen_for_it() -> None:
    compared, described = regimes()
    first = shortlist(compared, described, encoder="hashed").checks[2]
    other = Core(
        **{name: getattr(compared, name) for name in Core.__slots__ if name != "score"},
        score=np.where(np.arange(len(compared.benchmarks))[:, None] == 2, 1 - compared.score, compared.score),
    )
    again = shortlist(other, described, encoder="hashed").checks[2]
    for name in ("w", "base", "choice", "by_similarity", "nearest", "abstained"):
        assert getattr(first, name) == getattr(again, name)
    assert first.choice_score != again.choice_score


def test_no_task_means_the_order_of_the_means() -> None:
    compared, described = regimes()
    found = shortlist(compared, described, encoder="hashed")
    assert found.share is None
    means = [row["mean"] for row in found.rows()]
    assert means == sorted(means, reverse=True)
    assert "no task was described" in found.reason


def test_a_task_unlike_every_benchmark_is_said() -> None:
    compared, described = regimes()
    found = shortlist(compared, described, "zzz qqq xxx", encoder="hashed")
    assert found.far
    assert any("unlike every benchmark" in caution for caution in found.cautions)


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("settings", "problem", "said"),
    [
        ({"benchmarks": ["MMLU", "GSM8K", "MATH", "BHB"]}, EvidenceError, "closest is"),
        ({"models": ["Qwen9 7B"]}, EvidenceError, "model 'Qwen9 7B'"),
        ({"max_params": 1e6}, EvidenceError, "0 models"),
        ({"benchmarks": ["MMLU", "GSM8K"]}, EvidenceError, "2 benchmarks, needs|of 2 benchmarks"),
        ({"max_params": 0.0}, SettingError, "max_params"),
        ({"max_usd_per_mtok": -1.0}, SettingError, "max_usd_per_mtok"),
    ],
)
def test_cores_that_cannot_be_are_refused(
    settings: dict[str, object], problem: type[Exception], said: str
) -> None:
    with pytest.raises(problem, match=said):
        core(PUBLISHED, PRICES, **settings)  # type: ignore[arg-type]


def test_tasks_and_settings_that_cannot_be_are_refused() -> None:
    compared, described = regimes()
    with pytest.raises(EvidenceError, match="no words"):
        shortlist(compared, described, "  ", encoder="hashed")
    with pytest.raises(EvidenceError, match="does not describe code0"):
        shortlist(compared, DESCRIPTIONS, "code", encoder="hashed")
    for name, value in (("sure", 75.0), ("level", 0.0), ("width", 0.0)):
        with pytest.raises(SettingError, match=name):
            shortlist(compared, described, encoder="hashed", **{name: value})  # type: ignore[arg-type]


# ------------------------------------------------------------------------------- the facts that ship


def test_the_core_of_base_models_is_found_and_five_models_lead() -> None:
    compared = core(PUBLISHED, PRICES)
    assert compared.score.shape == (9, 48)
    assert np.isfinite(compared.score).all()
    leaders = {name: len(where) for name, where in compared.leaders.items()}
    assert leaders == {
        "Hunyuan-Large": 4,
        "Llama 3.1 405B": 2,
        "DeepSeek-V3": 1,
        "Qwen2.5 32B": 1,
        "Qwen2.5 72B": 1,
    }
    assert compared.protocols == {"ARC-C": {"full_text": 42, "letter": 6}}
    assert (compared.read, compared.secondary) == (337, 95)
    assert any("ARC-C was taken in 2 ways" in caution for caution in compared.cautions)


def test_named_benchmarks_give_the_core_of_tuned_models() -> None:
    named = ["MMLU", "MMLU-Pro", "GSM8K", "MATH", "HumanEval", "GPQA", "IFEval", "MBPP"]
    compared = core(PUBLISHED, PRICES, instruct=True, benchmarks=named)
    assert compared.score.shape == (8, 16)
    assert np.isfinite(compared.usd_out).sum() >= 2


def test_limits_of_size_and_price_keep_what_they_say() -> None:
    small = core(PUBLISHED, PRICES, max_params=8e9)
    assert small.params.max() <= 8e9
    cheap = core(PUBLISHED, PRICES, instruct=True, max_usd_per_mtok=1.0)
    assert cheap.usd_out.max() <= 1.0
    assert cheap.steps[-1].dropped > 0


def test_words_of_code_and_of_mathematics_find_their_benchmarks() -> None:
    compared = core(PUBLISHED)
    for words, near in (
        ("write Python functions that pass unit tests", {"HumanEval", "MBPP"}),
        ("competition problems in algebra and number theory", {"MATH"}),
        ("arithmetic word problems for children", {"GSM8K", "MATH"}),
    ):
        found = shortlist(compared, DESCRIPTIONS, words)
        assert found.share is not None
        assert compared.benchmarks[int(np.argmax(found.share))] in near


def test_findings_and_section_say_that_no_model_leads_everywhere() -> None:
    found = shortlist(core(PUBLISHED, PRICES), DESCRIPTIONS)
    by_id = {f.id: f for f in Document(findings=found.findings()).findings}
    assert by_id["routing.published_best_models"].estimate.value == 5.0
    assert by_id["routing.shortlist_gain"].estimate.value is not None
    section = shortlist_section(found)
    assert "**5 of 48**" in section.prose[0]
    assert found.frame().height == 48
    assert json.dumps(found.to_dict(), allow_nan=False)


# ---------------------------------------------------------------------------------------- the command


@pytest.mark.slow
@pytest.mark.ci
def test_the_command_prints_a_document_words_and_a_picture(tmp_path: Path) -> None:
    picture, prompts = tmp_path / "leads.json", tmp_path / "prompts.txt"
    prompts.write_text("Prove that n is even.\nFind all roots.\n", encoding="utf-8")
    done = CliRunner().invoke(command, ["--task-file", str(prompts), "--json", "--figure", str(picture)])
    shown = json.loads(done.stdout)
    assert {f["id"] for f in shown["findings"]} == {"routing.published_best_models", "routing.shortlist_gain"}
    assert len(shown["tables"]["shortlist"]) == 48
    assert picture.exists()
    text = CliRunner().invoke(command, ["--kind", "instruct", "--max-params", "15e9"]).stdout
    assert text.startswith("Try Qwen2.5 14B (instruct) first")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "x", "--task-file", "y"], "needs one of them"),
        (["--task-file", "nowhere.txt"], "cannot be read"),
    ],
)
def test_the_command_refuses_what_it_cannot_read(words: list[str], said: str) -> None:
    done = CliRunner().invoke(command, words)
    assert isinstance(done.exception, IsoflopError)
    assert said in str(done.exception)
