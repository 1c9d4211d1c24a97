"""Benchmark stitching against SciPy's bounded solver, planted truth, and its own symmetries."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.progress.capability.stitching import (
    CHANCE_LEVELS,
    EPOCH_SCALE,
    AnchorBenchmark,
    AnchorModels,
    IndexScale,
    stitch,
)
from isoflop.progress.capability.stitching_fit import RIDGE, Cells, minimise
from isoflop.stats.resample import Bootstrap

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "progress_capability.json"
SAME_OBJECTIVE = 1e-8
"""The bar: the same objective as SciPy's solver from the same start."""
SAME_PLACE = 1e-5
"""Two certified points of one minimum: the flattest direction has a curvature of about 1e-3."""
ANCHOR = AnchorBenchmark(name="b0")


def table(frame: pl.DataFrame) -> Table:
    return Table(
        name="scores",
        schema="scores",
        frame=frame,
        source="made for the test",
        kind="own",
        fingerprint=fingerprint_of("scores", frame),
        rows_read=frame.height,
    )


def planted(n_models: int, n_benchmarks: int, seed: int, noise: float = 0.0, seen: float = 0.7):
    """Return scores of a known truth, and that truth with the first benchmark at origin and slope 1."""
    rng = np.random.default_rng(seed)
    c = np.sort(rng.normal(0, 1, n_models))
    d = rng.normal(0, 0.8, n_benchmarks)
    s = np.exp(rng.normal(0.3, 0.3, n_benchmarks))
    d[0], s[0] = 0.0, 1.0
    taken = rng.random((n_models, n_benchmarks)) < seen
    taken[:, 0] = True
    rows = [
        {
            "model": f"m{m:03d}",
            "benchmark": f"b{b}",
            "score": float(
                np.clip(1 / (1 + np.exp(-s[b] * (c[m] - d[b]))) + noise * rng.standard_normal(), 0, 1)
            ),
        }
        for m, b in zip(*np.nonzero(taken), strict=True)
    ]
    return pl.DataFrame(rows), c, d, s


def cells_of(frame: pl.DataFrame, anchor: str) -> Cells:
    models, benchmarks = sorted(set(frame["model"])), sorted(set(frame["benchmark"]))
    fixed = np.full(len(models) + 2 * len(benchmarks), np.nan)
    fixed[len(models) + len(benchmarks) + benchmarks.index(anchor)] = 1.0
    return Cells(
        model=np.array([models.index(name) for name in frame["model"]]),
        benchmark=np.array([benchmarks.index(name) for name in frame["benchmark"]]),
        score=np.clip(frame["score"].to_numpy(), 0.001, 0.999),
        n_models=len(models),
        n_benchmarks=len(benchmarks),
        fixed=fixed,
    )


def scipy_trf(cells: Cells, start: np.ndarray):
    """Minimise the published residuals with SciPy's dense trust-region solver."""
    m, b, free = cells.model, cells.benchmark, np.flatnonzero(cells.is_free)
    rows = np.arange(cells.score.size)

    def full(theta):
        out = cells.fixed.copy()
        out[free] = theta
        return out

    def residuals(theta):
        c, d, s = cells.split(full(theta))
        fitted = 1 / (1 + np.exp(-s[b] * (c[m] - d[b])))
        return np.append(fitted - cells.score, np.sqrt(RIDGE * np.mean(theta**2)))

    def jacobian(theta):
        c, d, s = cells.split(full(theta))
        fitted = 1 / (1 + np.exp(-s[b] * (c[m] - d[b])))
        slope = fitted * (1 - fitted)
        out = np.zeros((rows.size + 1, cells.fixed.size))
        out[rows, m] = slope * s[b]
        out[rows, cells.n_models + b] = -slope * s[b]
        out[rows, cells.n_models + cells.n_benchmarks + b] = slope * (c[m] - d[b])
        out[-1, free] = RIDGE * theta / theta.size / np.sqrt(RIDGE * np.mean(theta**2))
        return out[:, free]

    return least_squares(
        residuals,
        start[free],
        jacobian,
        bounds=(cells.low[free], cells.high[free]),
        method="trf",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-12,
        max_nfev=2000,
    )


@pytest.mark.parametrize("seed", range(4))
def test_objective_equals_scipys_from_the_same_start(seed):
    frame, *_ = planted(30, 6, seed, noise=0.05)
    cells = cells_of(frame, "b0")
    start = cells.start(np.random.default_rng(42))
    ours, theirs = minimise(cells, start), scipy_trf(cells, start)
    assert abs(ours.objective - theirs.cost) <= SAME_OBJECTIVE
    assert ours.gradient_norm <= 1e-8


def test_gradient_agrees_with_differences():
    from isoflop.progress.capability.stitching_fit import _curvature

    frame, *_ = planted(6, 3, 1, noise=0.05)
    cells = cells_of(frame, "b0")
    theta, w = cells.start(np.random.default_rng(3)), np.ones(cells.score.size)
    curve = _curvature(cells, theta, w, exact=True)
    step = 1e-6
    for i in np.flatnonzero(cells.is_free):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        difference = (cells.objective(up, w) - cells.objective(down, w)) / (2 * step)
        assert curve.gradient[i] == pytest.approx(difference, abs=1e-8)
        bent = (
            _curvature(cells, up, w, exact=True).gradient - _curvature(cells, down, w, exact=True).gradient
        ) / (2 * step)
        assert curve.diagonal[i] == pytest.approx(bent[i], abs=1e-6)
        if i < cells.n_models:
            np.testing.assert_allclose(curve.cross[i], np.where(
                cells.is_free[cells.n_models :], bent[cells.n_models :], curve.cross[i]
            ), atol=1e-6)  # fmt: skip


def test_planted_capabilities_are_recovered():
    frame, c, d, s = planted(80, 8, 5)
    found = stitch(table(frame), anchor=ANCHOR, ci=None)
    # Without noise only the ridge separates answer and truth: it shrinks the scale by some percent.
    assert np.corrcoef(found.capability, c)[0, 1] > 0.9995
    assert np.corrcoef(found.difficulty, d)[0, 1] > 0.9995
    assert 0.93 < np.polyfit(c, found.capability, 1)[0] < 1.0
    np.testing.assert_allclose(found.slope, s, rtol=0.1)
    assert found.difficulty[0] == 0
    assert found.slope[0] == 1


@pytest.mark.slow
@pytest.mark.ci
def test_bootstrap_over_benchmarks_covers_planted_capabilities():
    frame, c, *_ = planted(40, 12, 2, noise=0.05)
    found = stitch(table(frame), anchor=ANCHOR, ci=Bootstrap(reps=200, by="both", seed=1))
    rows = found.frame().sort("model")
    inside = (rows["low"].to_numpy() <= c) & (c <= rows["high"].to_numpy())
    # 40 correlated intervals of nominal 95 %: at least 80 % of them holds for any honest method.
    assert inside.mean() >= 0.8


@given(st.integers(min_value=0, max_value=50))
@settings(max_examples=8)
def test_row_order_does_not_matter(seed):
    frame, *_ = planted(15, 4, seed, noise=0.05)
    one = stitch(table(frame), anchor=ANCHOR, ci=None, starts=1)
    other = stitch(
        table(frame.sample(fraction=1.0, shuffle=True, seed=seed)), anchor=ANCHOR, ci=None, starts=1
    )
    np.testing.assert_allclose(one.capability, other.capability, atol=1e-12)


def test_names_do_not_matter():
    frame, *_ = planted(20, 5, 3, noise=0.05)
    other = frame.with_columns(model="z" + pl.col("model").str.reverse())
    one = stitch(table(frame), anchor=ANCHOR, ci=None).frame()
    two = stitch(table(other), anchor=ANCHOR, ci=None).frame()
    np.testing.assert_allclose(one["capability"], two["capability"], atol=SAME_PLACE)


@given(st.floats(min_value=-3, max_value=3))
@settings(max_examples=8)
def test_anchor_difficulty_only_shifts_the_scale(shift):
    frame, *_ = planted(15, 4, 7, noise=0.05)
    here = stitch(table(frame), anchor=ANCHOR, ci=None, starts=1)
    there = stitch(table(frame), anchor=AnchorBenchmark(name="b0", difficulty=shift), ci=None, starts=1)
    np.testing.assert_allclose(there.capability, here.capability + shift, atol=1e-9)
    np.testing.assert_allclose(there.difficulty, here.difficulty + shift, atol=1e-9)
    assert there.objective == here.objective


def test_two_models_can_anchor_the_scale():
    frame, c, *_ = planted(60, 8, 5)
    anchor = AnchorModels(first="m000", first_capability=c[0], second="m059", second_capability=c[-1])
    found = stitch(table(frame), anchor=anchor, ci=Bootstrap(reps=20, by="model"))
    assert found.capability[0] == c[0]
    assert found.capability[-1] == c[-1]
    assert np.all(found.capability_draws[:, 0] == c[0])
    assert np.corrcoef(found.capability, c)[0, 1] > 0.995


def test_integer_weights_equal_repeated_rows():
    frame, *_ = planted(12, 4, 9, noise=0.05)
    cells = cells_of(frame, "b0")
    start = cells.start(np.random.default_rng(42))
    counts = np.random.default_rng(0).integers(1, 3, cells.score.size)
    weighted = minimise(cells, start, counts.astype(float))
    copies = frame[np.repeat(np.arange(frame.height), counts)]
    repeated = minimise(cells_of(copies, "b0"), start)
    assert weighted.objective == pytest.approx(repeated.objective, abs=1e-12)


def test_bootstrap_is_seeded_and_keeps_the_anchor():
    frame, *_ = planted(20, 5, 4, noise=0.05)
    ci = Bootstrap(reps=40, by="benchmark", seed=3)
    one, two = (stitch(table(frame), anchor=ANCHOR, ci=ci) for _ in range(2))
    np.testing.assert_array_equal(one.capability_draws, two.capability_draws)
    assert np.all(one.difficulty_draws[:, 0] == 0)
    assert len(one.capability_draws) + one.n_failed == 40


def test_chance_rescaling_lifts_no_score_and_is_noted():
    frame, *_ = planted(20, 5, 4, noise=0.05)
    plain = stitch(table(frame), anchor=ANCHOR, ci=None)
    above = stitch(table(frame), anchor=ANCHOR, ci=None, chance={"b1": 0.25})
    assert above.difficulty[1] > plain.difficulty[1]
    assert any("above chance" in note for note in above.cautions)
    assert all(0 < level <= 0.5 for level in CHANCE_LEVELS.values())


def test_repeated_scores_are_reduced_as_asked():
    frame, *_ = planted(12, 4, 9)
    lower = frame.head(1).with_columns(pl.col("score") / 2)
    both = pl.concat([frame, lower])
    best = stitch(table(both), anchor=ANCHOR, ci=None)
    assert best.objective == stitch(table(frame), anchor=ANCHOR, ci=None).objective
    assert best.provenance[0].rows_used == both.height
    assert best.n == frame.height
    assert stitch(table(both), anchor=ANCHOR, ci=None, repeats="mean").objective != best.objective
    assert stitch(table(both), anchor=ANCHOR, ci=None, repeats="keep").n == both.height


def test_thin_models_and_clipped_scores_are_flagged():
    frame, *_ = planted(12, 4, 9)
    extra = pl.DataFrame({"model": ["lonely"], "benchmark": ["b0"], "score": [1.0]})
    found = stitch(table(pl.concat([frame, extra])), anchor=ANCHOR, ci=None)
    assert found.frame().filter(pl.col("model") == "lonely")["is_thin"].item()
    assert any("fewer than 3 benchmarks" in note for note in found.cautions)
    assert any("moved to 0.001" in note for note in found.cautions)


def test_result_is_json_ready_and_predicts():
    frame, *_ = planted(25, 5, 4, noise=0.02)
    dated = frame.with_columns(release_date=pl.lit(dt.date(2024, 1, 1)), is_distilled=pl.lit(False))
    found = stitch(table(dated), anchor=ANCHOR, ci=Bootstrap(reps=30, by="model"))
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.frame()["release_date"][0] == dt.date(2024, 1, 1)
    (finding,) = found.findings()
    assert finding.id == "progress.stitching_objective"
    assert finding.details["certificate"] <= 1e-8
    row = frame.row(7, named=True)
    assert found.predict(row["model"], row["benchmark"]) == pytest.approx(row["score"], abs=0.1)
    assert "Most capable" in found.summary()
    with pytest.raises(EvidenceError, match="Did you mean 'b1'"):
        found.predict("m001", "b 1")


def bad(**changes):
    frame, *_ = planted(12, 4, 9)
    return table(frame.with_columns(**changes))


def test_disconnected_graph_is_refused_by_name():
    frame, *_ = planted(12, 4, 9)
    island = pl.DataFrame(
        {"model": ["x", "y", "x"], "benchmark": ["far", "far", "away"], "score": [0.2, 0.5, 0.4]}
    )
    with pytest.raises(
        EvidenceError, match=r"2 separate groups.*b0, b1, b2, b3; 12 models.*away, far; 2 models"
    ):
        stitch(table(pl.concat([frame, island])), anchor=ANCHOR)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (bad(benchmark=pl.lit("b0")), "1 benchmark, needs at least 2"),
        (bad(score=pl.lit(0.5)), "1 distinct scores"),
        (bad(score=pl.col("score") * 100), "Divide percentages by 100"),
        (table(planted(12, 4, 9)[0].rename({"score": "scores"})), "closest is 'scores'"),
    ],
)
def test_unusable_tables_are_refused(broken, message):
    with pytest.raises(EvidenceError, match=message):
        stitch(broken, anchor=ANCHOR)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"anchor": AnchorBenchmark(name="b-0")}, "Did you mean 'b0'"),
        ({"ci": Bootstrap(by="paper")}, r"ci\.by='paper'"),
        ({"repeats": "best"}, "repeats='best'"),
        ({"starts": 0}, "starts=0"),
        ({"chance": {"b1": 25}}, "Did you mean 0.25"),
    ],
)
def test_unknown_settings_are_refused(settings, message):
    frame, *_ = planted(12, 4, 9)
    with pytest.raises(SettingError, match=message):
        stitch(table(frame), **{"anchor": ANCHOR, **settings})


def test_impossible_anchors_are_refused():
    with pytest.raises(SettingError, match="slope=0"):
        AnchorBenchmark(slope=0)
    with pytest.raises(SettingError, match="different capability"):
        AnchorModels(first="a", first_capability=1, second="b", second_capability=1)
    with pytest.raises(SettingError, match="±10"):
        AnchorModels(first="a", first_capability=1, second="b", second_capability=150)


@given(st.floats(-8, 8), st.floats(-8, 8), st.floats(0.1, 10))
def test_index_scale_keeps_every_prediction(capability, difficulty, slope):
    scale = EPOCH_SCALE
    on_index = scale.slope(slope) * (scale.index(capability) - scale.index(difficulty))
    assert on_index == pytest.approx(slope * (capability - difficulty), abs=1e-9)
    assert scale.capability(scale.index(capability)) == pytest.approx(capability, abs=1e-9)


def test_index_anchors_define_the_scale_when_present():
    frame, *_ = planted(30, 6, 5)
    named = frame.with_columns(
        model_name=pl.col("model").replace({"m010": "Claude 3.5 Sonnet", "m025": "GPT-5", "m005": "GPT-5"})
    )
    index = dict(stitch(table(named), anchor=ANCHOR, ci=None).frame().select("model", "index").iter_rows())
    assert index["m010"] == pytest.approx(130)
    assert index["m025"] == pytest.approx(150)
    plain = stitch(table(frame), anchor=ANCHOR, ci=None)
    assert plain.scale == EPOCH_SCALE
    assert any("Epoch's constants" in note for note in plain.cautions)


@pytest.mark.public_data
def test_shipped_index_obeys_its_scale(public_data):
    """edi = a + b D and slope_scaled = s / b, with D = 0 and s = 1 at the anchor benchmark."""
    folder = public_data / "progress" / "eci"
    scaling = pl.read_csv(folder / "eci_scaling.csv").row(0, named=True)
    scale = IndexScale(intercept=scaling["a"], unit=scaling["b"])
    assert scale.intercept == pytest.approx(EPOCH_SCALE.intercept, abs=1e-5)
    assert scale.unit == pytest.approx(EPOCH_SCALE.unit, abs=1e-5)
    benchmarks = pl.read_csv(folder / "eci_benchmark_difficulties_and_slopes.csv")
    anchor = benchmarks.filter(pl.col("is_anchor")).row(0, named=True)
    assert anchor["benchmark_name"] == "Winogrande"
    assert anchor["edi"] == pytest.approx(scale.index(0.0), abs=1e-9)
    assert anchor["estimated_slope_scaled"] == pytest.approx(scale.slope(1.0), abs=1e-9)
    assert benchmarks.height == 37
    index = pl.read_csv(folder / "epoch_capabilities_index.csv")
    for place in ("1", "2"):
        rows = index.filter(pl.col("Model name") == scaling[f"scaling_anchor{place}"])[
            "ECI Score"
        ].drop_nulls()
        assert set(rows.round(9)) == {scaling[f"scaling_anchor{place}_eci"]}


@pytest.mark.slow
@pytest.mark.public_data
def test_shared_tables_reach_scipys_objective(public_data):
    from isoflop.evidence.load import load

    scores = load(public_data / "progress" / "benchmark_stitching")
    found = stitch(scores, ci=None)
    cells = cells_of(scores.frame, "Winogrande")
    theirs = scipy_trf(cells, cells.start(np.random.default_rng(42)))
    assert abs(found.objective - theirs.cost) <= SAME_OBJECTIVE
    assert np.ptp(found.start_objectives) <= SAME_OBJECTIVE
    golden = json.loads(GOLDEN.read_text())["stitching"]
    assert found.objective == pytest.approx(golden["objective"], abs=SAME_OBJECTIVE)
    assert [len(found.models), len(found.benchmarks), found.n] == golden["models_benchmarks_scores"]
