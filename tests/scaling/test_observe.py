"""Observational laws: planted truth, no leakage, chance as a floor."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import locate
from isoflop.findings import Document
from isoflop.scaling.chapter.downstream import observe_section, observed_of
from isoflop.scaling.commands.downstream import observe as command
from isoflop.scaling.figures import downstream as pictures
from isoflop.scaling.observational.bounded import _model, fit_bounded
from isoflop.scaling.observational.components import fit_components
from isoflop.scaling.observational.families import fit_families
from isoflop.scaling.observational.find import observe
from isoflop.scaling.observational.fold import fit_fold
from isoflop.scaling.observational.result import ObservationalFit
from isoflop.scaling.observational.sample import arrange, held_out_above
from isoflop.stats.resample import Bootstrap

from .made_downstream import scores_frame, scores_table

FEW = Bootstrap(reps=10, by="family")
PLANTED = 0.04
"""Noise-free scores: what is left is the pull on ceiling and slopes, up to a decade ahead."""


@cache
def planted() -> ObservationalFit:
    return observe(scores_table(), target="target", components=1, reference="family 0", ci=FEW)


def test_planted_scores_of_held_out_models_are_found_again() -> None:
    assert np.nanmax(planted().errors("observational")) < PLANTED
    by_name = {row["method"]: row["mean_abs_error"] for row in planted().error_rows()}
    assert by_name["observational"] < 0.3 * by_name["compute"]
    assert by_name["from_lines"] < by_name["compute"]


def test_findings_and_tables_carry_the_baselines() -> None:
    by_id = {finding.id: finding for finding in planted().findings()}
    gain = by_id["scaling.observational_gain"].estimate
    assert gain.value is not None
    assert gain.value < 0
    assert {row["method"] for row in by_id["scaling.observational_error"].details["errors"]} >= {
        "last_value",
        "compute",
        "sloth",
    }
    Document(findings=planted().findings(), tables={"models": planted().rows}).to_json()
    assert planted().to_dict()["n"] == 40


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=8)
@given(seed=st.integers(0, 20), factor=st.floats(0.0, 1.0))
def test_held_out_scores_never_move_what_is_fitted(seed: int, factor: float) -> None:
    known = arrange(scores_table(noise=0.02, seed=seed, gaps=0.15), target="target")
    test, _ = held_out_above(known, 0.7)
    here = fit_fold(known, test, components=2)
    scores, outcome = known.scores.copy(), known.outcome.copy()
    scores[test] *= factor
    outcome[test] = factor
    spoiled = fit_fold(replace(known, scores=scores, outcome=outcome), test, components=2)
    assert (here.components.loadings == spoiled.components.loadings).all()
    assert (here.components.mean == spoiled.components.mean).all()
    assert (here.target.theta == spoiled.target.theta).all()
    assert (here.compute.theta == spoiled.compute.theta).all()


@given(seed=st.integers(0, 50))
def test_gaps_of_a_low_rank_table_are_filled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(60, 2))
    scores = 0.5 + 0.1 * ability @ rng.uniform(0.3, 1.0, (2, 6)) * np.array([1, 1, -0.2, 1, 1, 1])
    holes = scores.copy()
    holes[rng.uniform(size=scores.shape) < 0.1] = np.nan
    full, gappy = fit_components(scores, 2), fit_components(holes, 2)
    a, b = full.project(scores), gappy.project(scores)
    inside = np.linalg.lstsq(np.column_stack([np.ones(60), a]), b, rcond=None)[0]
    assert np.allclose(np.column_stack([np.ones(60), a]) @ inside, b, atol=1e-2)
    assert (gappy.loadings.mean(axis=0) >= 0).all()


def test_components_agree_with_a_plain_decomposition() -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (50, 5)) + np.linspace(0, 1, 50)[:, None]
    found = fit_components(scores, 2)
    z = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    values, vectors = np.linalg.eigh(z.T @ z)
    assert np.allclose(found.explained, values[::-1][:2] / values.sum())
    assert np.allclose(np.abs(found.loadings.T @ vectors[:, ::-1][:, :2]), np.eye(2), atol=1e-8)


def test_a_benchmark_that_tells_no_training_models_apart_has_no_loading() -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (20, 4))
    scores[:, 2] = 0.0
    assert fit_components(scores, 2).loadings[2] == pytest.approx(0.0)


def test_slopes_of_families_are_drawn_to_the_common_one() -> None:
    rng = np.random.default_rng(1)
    families, x, y = [], [], []
    for f in range(12):
        for _ in range(1 if f == 11 else 3):
            families.append(f"f{f}")
            x.append(rng.uniform(40, 52))
            y.append(0.5 * x[-1] + f + rng.normal(0, 0.5))
    line = fit_families(np.array(y), np.array(x), families)
    assert line.common == pytest.approx(0.5, abs=0.1)
    known = np.isfinite(line.own_slope)
    assert (np.abs(line.slope - line.common) <= np.abs(line.own_slope - line.common) + 1e-12)[known].all()
    assert line.slope[-1] == line.common
    assert np.isnan(line.own_slope[-1])


@pytest.mark.slow
@pytest.mark.ci
@given(chance=st.floats(0.0, 0.5), seed=st.integers(0, 20))
def test_predictions_lie_between_chance_and_one(chance: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(30), rng.normal(size=(30, 2))])
    scores = np.clip(chance + 0.1 * rng.normal(size=30), 0.0, 1.0)
    found = fit_bounded(design, scores, chance=chance)
    far = found.predict(np.column_stack([np.ones(5), np.linspace(-50, 50, 10).reshape(5, 2)]))
    assert ((far >= chance - 1e-12) & (far <= 1.0)).all()


@pytest.mark.parametrize("chance", [None, 0.25])
def test_slopes_of_the_bounded_curve_agree_with_differences(chance: float | None) -> None:
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(8), rng.normal(size=(8, 2))])
    model = _model(design, chance)
    q = 4 + (chance is None)
    theta, rows = rng.normal(size=(1, q)), np.zeros(1, np.int64)
    slopes = model(theta, rows, 1).jacobian
    assert slopes is not None
    for j in range(q):
        step = np.eye(q)[j] * 1e-6
        gap = model(theta + step, rows, 0).value - model(theta - step, rows, 0).value
        assert np.allclose(slopes[0, j], gap[0] / 2e-6, atol=1e-7)


@pytest.mark.slow
@pytest.mark.ci
def test_sloth_finds_planted_intercepts_of_families() -> None:
    rng = np.random.default_rng(4)
    frame = scores_frame(families=6, sizes=8, seed=3).filter(pl.col("benchmark") != "target")
    models = frame.unique("model", keep="first", maintain_order=True)
    shift = {name: rng.normal() for name in models["family"].unique(maintain_order=True)}
    rows = models.with_columns(
        benchmark=pl.lit("target"),
        chance=pl.lit(0.25),
        score=pl.Series(
            [
                0.25 + 0.75 / (1 + np.exp(-(shift[r["family"]] + 0.5 * np.log(r["params"] / 3e9))))
                for r in models.iter_rows(named=True)
            ]
        ),
    )
    found = observe(
        scores_table(pl.concat([frame, rows], how="diagonal")),
        target="target",
        components=1,
        cutoff=0.8,
        ci=FEW,
    )
    by_name = {row["method"]: row["mean_abs_error"] for row in found.error_rows()}
    assert by_name["sloth"] < 0.5 * by_name["compute"]


def test_equivalent_compute_of_the_reference_family_is_its_own() -> None:
    own = [row for row in planted().rows if row["family"] == "family 0"]
    assert own
    for row in own:
        assert row["equivalent_flop"] == pytest.approx(row["train_flop"], rel=0.3)


def test_each_family_is_held_out_once() -> None:
    found = observe(scores_table(), target="target", components=1, holdout="family", ci=FEW)
    assert len(found.predictions) == 8
    assert sorted(row["model"] for row in found.rows) == sorted(found.scores.models)
    assert found.coverage is None


def test_order_of_rows_is_irrelevant() -> None:
    shuffled = scores_frame().sample(fraction=1.0, shuffle=True, seed=3)
    other = observe(scores_table(shuffled), target="target", components=1, ci=Bootstrap(reps=1, by="family"))
    here = planted().frame().sort("model")["observational"].to_numpy()
    assert np.allclose(here, other.frame().sort("model")["observational"].to_numpy(), atol=1e-6)


def test_a_twin_of_the_target_is_pointed_at() -> None:
    frame = scores_frame(noise=0.03)
    twin = frame.filter(pl.col("benchmark") == "target").with_columns(benchmark=pl.lit("half of target"))
    found = observe(scores_table(pl.concat([frame, twin])), target="target", components=1, ci=FEW)
    assert any("half of target" in caution and "circular" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"target": "targets"}, "Did you mean 'target'"),
        ({"components": 4}, "must be 1, 2 or 3"),
        ({"cutoff": 1e30}, "needs at least 8 and 1"),
        ({"cutoff": -1.0}, "needs a quantile"),
        ({"holdout": "time"}, "must be 'compute' or 'family'"),
        ({"benchmarks": ["bench 9"]}, "no benchmark 'bench 9'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_hint(choices: dict[str, object], said: str) -> None:
    with pytest.raises((SettingError, EvidenceError), match=said):
        observe(scores_table(), **({"target": "target"} | choices))  # type: ignore[arg-type]


def test_without_compute_there_is_nothing_to_hold_out() -> None:
    frame = scores_frame().with_columns(train_flop=pl.lit(None, pl.Float64), tokens=pl.lit(None, pl.Float64))
    with pytest.raises(EvidenceError, match="training FLOP"):
        observe(scores_table(frame), target="target")


def test_pictures_and_section_stand_on_the_result() -> None:
    section = observe_section(planted())
    assert len(section.figures) == 3
    assert pictures.loadings_data(planted()).height == 5
    for figure in section.figures:
        assert figure.chart().to_dict()["datasets"]


def test_command_prints_the_document(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    scores_frame().write_csv(file)
    options = ["--target", "target", "--components", "1", "--bootstrap", "3"]
    said = CliRunner().invoke(command, [str(file), *options])
    assert said.exit_code == 0, said.output
    assert "Error on held-out models" in said.output
    in_json = CliRunner().invoke(command, [str(file), *options, "--by", "family", "--json"])
    assert '"scaling.observational_error"' in in_json.stdout


def test_embedded_evidence_has_no_such_table() -> None:
    assert observed_of(locate("embedded"), seed=0) is None


@pytest.mark.public_data
def test_other_scores_say_more_than_compute_on_public_models(public_data: Path) -> None:
    found = observe(locate(public_data).table("obsscaling_benchmarks"), target="MMLU", ci=FEW)
    by_id = {finding.id: finding.estimate for finding in found.findings()}
    assert found.scores.n == 148
    gain = by_id["scaling.observational_gain"]
    assert gain.high is not None
    assert gain.high < 0
