"""Pooled exponents: planted truth, equivalences, the published method, commands and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.findings import Estimate
from isoflop.present.image import specification
from isoflop.scaling.chapter.pooling import (
    groups_section,
    pooling_figures,
    pooling_section,
    robustness_section,
)
from isoflop.scaling.commands import group
from isoflop.scaling.pooling.hierarchical import Studies, fit_marginal
from isoflop.scaling.pooling.pool import pool
from isoflop.scaling.pooling.random_effects import fit_random_effects, profile_interval
from isoflop.scaling.pooling.sandwich import cluster_sandwich
from isoflop.scaling.studies.comparators import PUBLISHED, PUBLISHED_FAMILIARITY, compare_domain
from isoflop.scaling.studies.fit_studies import fit_studies
from isoflop.scaling.studies.likelihood import Counts, alpha_grid
from isoflop.scaling.studies.planted import Planted, plant
from isoflop.scaling.studies.sartor2024 import fit_percent, halving_factor, summarise, welch

from .made_points import points, study, written

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sartor2024.json").read_text())
GRID = alpha_grid()
CURVE_ATOL = 2e-3
"""Normal curves on a grid of 0.02, against closed forms."""


def normal_curves(y: np.ndarray, se: np.ndarray) -> np.ndarray:
    return -0.5 * ((GRID - y[:, None]) / se[:, None]) ** 2


def normal_studies(seed: int, count: int = 24, papers: int = 6) -> tuple[Studies, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = np.concatenate([np.arange(papers), rng.integers(0, papers, count - papers)])
    se = rng.uniform(0.05, 0.2, count)
    y = 0.3 + rng.normal(0, 0.15, papers)[of] + rng.normal(0, 0.1, count) + rng.normal(0, se)
    studies = Studies(grid=GRID, curves=normal_curves(y, se), papers=of, z=np.ones((count, 1)))
    return studies, y, se


# ------------------------------------------------------------------- the hierarchical model


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_on_normal_curves_the_mean_is_the_weighted_mean_of_closed_form(seed):
    studies, y, se = normal_studies(seed)
    found = fit_marginal(studies)
    weight = studies.weights(by_paper=True) / (se**2 + found.sd**2)
    assert found.beta[0] == pytest.approx((weight * y).sum() / weight.sum(), abs=CURVE_ATOL)
    # tau is the root of the weighted likelihood's score
    share, v = studies.weights(by_paper=True), se**2 + found.sd**2
    score = (share * ((y - found.beta[0]) ** 2 / v**2 - 1 / v)).sum() / (share / v).sum()
    assert found.sd <= 0.0201 or abs(score) < 0.02


@pytest.mark.parametrize("seed", [0, 1])
def test_random_effects_maximise_the_normal_likelihood(seed):
    studies, y, se = normal_studies(seed)
    found = fit_random_effects(studies)

    def by_hand(mean: float, sd_paper: float, sd_study: float) -> float:
        total = 0.0
        for paper in range(studies.n_papers):
            of = studies.papers == paper
            cov = np.diag(se[of] ** 2 + sd_study**2) + sd_paper**2
            total += scipy.stats.multivariate_normal.logpdf(y[of], np.full(of.sum(), mean), cov)
        # the objective counts from the top of each curve, which lies beside the peak of the density
        return total + np.log(se * np.sqrt(2 * np.pi)).sum() - studies.curves.max(axis=1).sum()

    at = by_hand(found.beta[0], found.sd_paper, found.sd_study)
    assert found.objective == pytest.approx(at, abs=2e-3)
    for mean, paper, within in (
        (0.02, 1.0, 1.0),
        (-0.02, 1.0, 1.0),
        (0.0, 1.2, 1.0),
        (0.0, 1.0, 1.2),
        (0.0, 1.0, 0.9),
    ):
        near = by_hand(found.beta[0] + mean, found.sd_paper * paper, max(found.sd_study * within, 0.02))
        assert near <= at + 1e-3


def test_profile_interval_drops_by_the_quantile_of_t():
    studies, _, _ = normal_studies(4)
    found = fit_random_effects(studies)
    low, high = profile_interval(studies, found, level=0.95)
    target = scipy.stats.t.ppf(0.975, studies.n_papers - 1) ** 2 / 2
    for end in (low, high):
        held = fit_random_effects(studies, fixed=(0, end), start=found)
        assert found.objective - held.objective == pytest.approx(target, rel=0.03)
    assert low < found.beta[0] < high


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_order_of_studies_and_copies_of_all_studies_leave_the_estimate(seed):
    studies, _, _ = normal_studies(seed)
    whole = fit_marginal(studies)
    order = np.random.default_rng(seed).permutation(len(studies.curves))
    shuffled = Studies(
        grid=GRID, curves=studies.curves[order], papers=studies.papers[order], z=studies.z[order]
    )
    twice = Studies(
        grid=GRID,
        curves=np.vstack([studies.curves] * 2),
        papers=np.tile(studies.papers, 2),
        z=np.vstack([studies.z] * 2),
    )
    for other in (shuffled, twice):
        found = fit_marginal(other)
        assert found.beta[0] == pytest.approx(whole.beta[0], abs=1e-5)
        assert found.covariance[0, 0] == pytest.approx(whole.covariance[0, 0], rel=1e-3)


def test_a_paper_that_repeats_its_studies_gains_no_weight():
    studies, _, _ = normal_studies(2)
    of = studies.papers == 0
    more = Studies(
        grid=GRID,
        curves=np.vstack([studies.curves, *[studies.curves[of]] * 9]),
        papers=np.concatenate([studies.papers, np.tile(studies.papers[of], 9)]),
        z=np.ones((len(studies.papers) + 9 * of.sum(), 1)),
    )
    by_paper = [fit_marginal(s).beta[0] for s in (studies, more)]
    by_study = [fit_marginal(s, by_paper=False).beta[0] for s in (studies, more)]
    assert by_paper[0] == pytest.approx(by_paper[1], abs=1e-5)
    assert abs(by_study[0] - by_study[1]) > 0.005


def test_sandwich_of_a_plain_mean_of_clusters_is_the_t_interval():
    rng = np.random.default_rng(0)
    y = rng.normal(size=9)
    v, df = cluster_sandwich((y - y.mean())[:, None], np.ones((9, 1, 1)), np.arange(9))
    assert v[0, 0] == pytest.approx(y.var(ddof=1) / 9)
    assert df[0] == pytest.approx(8.0)


def test_flat_studies_change_nothing():
    studies, _, _ = normal_studies(7)
    flat = Studies(
        grid=GRID,
        curves=np.vstack([studies.curves, np.zeros((1, GRID.size))]),
        papers=np.append(studies.papers, studies.n_papers),
        z=np.ones((len(studies.papers) + 1, 1)),
    )
    assert fit_marginal(flat).beta[0] == pytest.approx(fit_marginal(studies).beta[0], abs=0.01)


@pytest.fixture(scope="module")
def made():
    rows, rng = [], np.random.default_rng(11)
    for paper in range(6):
        shift = rng.normal(0, 0.05)
        for k in range(4):
            familiar = "seen" if k % 2 else "unseen"
            alpha = (0.5 if familiar == "seen" else 0.2) + shift
            x = np.geomspace(1, 100, 5)
            error = rng.uniform(0.5, 0.9) * x**-alpha
            success = rng.binomial(200, 1 - error) / 200
            rows.append(
                study(
                    f"s{k}",
                    success.tolist(),
                    trials=200,
                    paper=f"p{paper}",
                    x=x.tolist(),
                    familiarity=familiar,
                    model_class="RFM:VLA" if paper < 3 else "LLM",
                    year=2020 + paper % 3,
                    environment="sim" if paper % 2 else "real",
                )
            )
    return pool(points(*rows), by=("environment",))


@pytest.mark.slow
@pytest.mark.ci
def test_planted_groups_and_their_difference_come_back(made):
    found = {f.id: f for f in made.findings()}
    for name, truth in (("seen", -0.5), ("unseen", -0.2)):
        assert found[f"scaling.exponent_data_robotics.{name}"].estimate.value == pytest.approx(
            truth, abs=0.06
        )
    difference = found["scaling.familiarity_difference_data_robotics"]
    assert difference.estimate.low < 0.3 < difference.estimate.high
    assert difference.estimate.low > 0
    assert difference.details["within_papers"]["value"] == pytest.approx(0.3, abs=0.06)
    assert difference.details["sartor2024"]["stars"]


@pytest.mark.slow
@pytest.mark.ci
def test_every_method_stands_on_the_same_rows(made):
    rows = {row["method"]: row for row in made.rows()}
    assert set(rows) == {"hierarchical", "random_effects", "three_level", "two_level", "sartor2024"}
    for row in rows.values():
        assert row["exponent"] == pytest.approx(-0.35, abs=0.12)
        assert row["low"] < row["exponent"] < row["high"]
    assert rows["hierarchical"]["prediction_low"] < rows["hierarchical"]["low"]


@pytest.mark.slow
@pytest.mark.ci
def test_classes_without_a_study_say_no_data(made):
    rows = {(r["group"], r["method"]): r for r in made.rows("model_class")}
    assert rows["RFM:PVR", "hierarchical"]["reason"] == "no data"
    assert rows["RFM:PVR", "hierarchical"]["n_studies"] == 0
    assert rows["LLM", "hierarchical"]["n_papers"] == 3
    contrast = made.class_difference[0]
    assert contrast.estimate.low < 0 < contrast.estimate.high


def test_resources_without_a_study_are_not_identified_and_say_why(made):
    found = {f.id: f for f in made.findings()}["scaling.exponent_compute_robotics"]
    assert found.status == "not_identified"
    assert "no study of compute" in found.cautions[0]


@pytest.mark.slow
@pytest.mark.ci
def test_leaving_papers_out_and_adding_them_by_year_cover_every_paper(made):
    out, grown = made.leave_one_out(), made.cumulative()
    assert out.height == 6
    assert grown["papers"].to_list() == [2, 4, 6]
    assert grown["exponent"][-1] == pytest.approx(made.exponent("data").value, abs=1e-6)
    assert set(made.moderators()["moderator"]) >= {"familiarity", "environment", "model_class"}
    tests = {row["test"] for row in made.bias().rows}
    assert len(tests) == 5


def test_other_choices_stand_beside_the_mean(made):
    tried = made.trials_sensitivity()
    assert tried["trials"].to_list() == [10, 20, 50, 100]
    # every study prints its trials, so the assumption decides nothing
    assert tried["exponent"].max() - tried["exponent"].min() < 1e-9
    assert made.logit_slopes["data"].low > 0


def test_results_are_json_ready_and_findings_unique(made):
    assert json.dumps(made.to_dict(), allow_nan=False)
    ids = [f.id for f in made.findings()]
    assert len(ids) == len(set(ids))


def test_one_paper_has_an_estimate_but_no_interval():
    table = points(*(study(f"s{i}", [0.2, 0.5, 0.8]) for i in range(4)))
    pooled = pool(table)
    lead = pooled.group("data").pools["hierarchical"]
    assert lead.exponent.value < 0
    assert lead.exponent.low is None
    assert "1 paper" in lead.reason
    assert pooled.group("data").pools["three_level"].exponent.low is None


@pytest.mark.parametrize("count", [1, 2])
def test_one_and_two_studies_are_pooled_or_refused_calmly(count):
    pooled = pool(points(*(study("s", [0.2, 0.4, 0.7], paper=f"p{i}") for i in range(count))))
    lead = pooled.group("data").pools["hierarchical"]
    assert lead.n_studies == count
    assert (lead.exponent.low is None) == (count == 1)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_rates_of_0_or_1_go_through_the_likelihood_unless_there_is_nothing_else(rate):
    flat = [study("flat", [rate] * 3, paper=f"p{i}") for i in range(3)]
    with pytest.raises(EvidenceError, match="no trial of 3 studies"):
        pool(points(*flat))
    pooled = pool(points(*flat, *(study("s", [0.2, 0.5, 0.7], paper=f"p{i}") for i in range(3))))
    assert pooled.exponent("data", "hierarchical").value < 0
    assert pooled.group("data").pools["hierarchical"].n_studies == 6


@pytest.mark.parametrize(
    ("keyword", "value", "says"),
    [("by", "familiar", "familiarity"), ("weights", "papers", "paper"), ("tau2", "rem", "reml"),
     ("adjust", "knha", "knapp"), ("level", 95, "Did you mean 0.95")],
)  # fmt: skip
def test_unknown_settings_are_refused(keyword, value, says):
    with pytest.raises(SettingError, match=says):
        pool(points(study("s", [0.2, 0.5, 0.8])), **{keyword: value})


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5])
def test_mean_is_unbiased_and_covered_on_planted_studies(alpha):
    off, inside = [], []
    for seed in range(60):
        made = Planted(alpha=alpha, studies=60, papers=12, points=4, trials=20)
        counts, papers, _ = plant(made, seed=seed)
        fits = _marginal(counts, papers)
        half = scipy.stats.t.ppf(0.975, fits.df[0]) * fits.covariance[0, 0] ** 0.5
        off.append(fits.beta[0] - alpha)
        inside.append(abs(off[-1]) <= half)
    assert abs(np.mean(off)) <= 0.02
    assert np.mean(inside) >= 0.87


def _marginal(counts: Counts, papers: np.ndarray):
    from isoflop.scaling.studies.levels import curve_sets

    (one,) = curve_sets(counts, papers, "none")
    level = (one.level_mean, one.level_variance, np.array([one.levels.mean, one.levels.sd]))
    return fit_marginal(
        Studies(grid=GRID, curves=one.curves, papers=papers, z=np.ones((len(papers), 1)), level=level)
    )


# ------------------------------------------------------------------------ the paper's method


def test_published_figures_are_those_of_the_paper():
    assert set(GOLDEN["resources"]) == {"data", "model_size", "compute"} == set(PUBLISHED)
    for resource, printed in GOLDEN["resources"].items():
        ours = PUBLISHED[resource]
        assert (ours.mean, ours.low, ours.high, ours.median) == tuple(
            printed[k] for k in ("mean", "low", "high", "median")
        )
        assert (ours.studies, ours.papers) == (printed["studies"], printed["papers"])
        assert halving_factor(ours.median) == pytest.approx(printed["factor"], abs=0.01)
    assert {k: list(v) for k, v in PUBLISHED_FAMILIARITY.items()} == GOLDEN["familiarity"]


@pytest.mark.parametrize("resource", ["data", "model_size", "compute"])
def test_simulated_exponents_with_the_published_moments_give_the_published_interval(resource):
    printed, sd = GOLDEN["resources"][resource], GOLDEN["implied_sd"][resource]
    n = printed["studies"]
    z = scipy.stats.norm.ppf((np.arange(n) + 0.5) / n)
    found = summarise(printed["mean"] + sd * (z - z.mean()) / z.std(ddof=1))
    assert found.mean.value == pytest.approx(printed["mean"], abs=1e-9)
    assert found.mean.low == pytest.approx(printed["low"], abs=0.003)
    assert found.mean.high == pytest.approx(printed["high"], abs=0.003)


@settings(max_examples=8)
@given(st.integers(3, 7), st.integers(0, 100_000))
def test_percent_fit_is_at_least_as_good_as_a_local_optimiser_from_three_starts(count, seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.choice([1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1000.0], count, replace=False))
    y = np.clip(rng.uniform(20, 95) * x ** -rng.uniform(0, 0.8) + rng.normal(0, 4, count), 0, 100)
    fits = fit_percent(Counts(log_x=np.log(x)[None], errors=y[None], trials=np.full((1, count), 100.0)))
    u = np.log(x / x[0])

    def residual(p: np.ndarray) -> np.ndarray:
        return p[1] + p[2] * np.exp(-p[0] * u) - y

    alpha, floor = fits.alpha[0], fits.floor[0]
    slope = np.exp(alpha * np.log(fits.scale[0] / x[0])) if fits.scale[0] > 0 else 0.0
    ours = (residual(np.array([alpha, floor, slope])) ** 2).sum() if alpha > 0 else np.inf
    best = min(
        2 * least_squares(residual, [a, 1.0, 50.0], bounds=([0, 0, 0], [5, 100, np.inf])).cost
        for a in (0.1, 0.5, 2.0)
    )
    by_r2 = (1 - fits.r2[0]) * ((y - y.mean()) ** 2).sum()
    assert by_r2 <= best * (1 + 1e-5) + 1e-5
    if np.isfinite(ours) and alpha > 1e-3:
        assert ours == pytest.approx(by_r2, rel=1e-5, abs=1e-5)


def test_two_points_carry_no_law_with_three_parameters():
    fits = fit_percent(
        Counts(log_x=np.log([[1.0, 10.0]]), errors=np.array([[60.0, 30.0]]), trials=np.full((1, 2), 100.0))
    )
    assert np.isnan(fits.alpha[0])
    assert not fits.kept()[0]


def test_welch_agrees_with_scipy():
    rng = np.random.default_rng(5)
    first, second = rng.normal(-0.4, 0.2, 12), rng.normal(-0.2, 0.1, 7)
    ours, theirs = welch(first, second), scipy.stats.ttest_ind(first, second, equal_var=False)
    assert (ours.t, ours.df, ours.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    low, high = theirs.confidence_interval(0.95)
    assert (ours.difference.low, ours.difference.high) == pytest.approx((low, high))


# --------------------------------------------------------------------------- other domains


def exponent_table(**columns):
    import polars as pl

    row = {"domain": "vision", "study": "made", "resource": "data", "metric": "top-1 error", "exponent": 0.3,
           "form": "power_law", "source": "made up", "locator": "none", "verified": "read"}  # fmt: skip
    return load(pl.DataFrame([row | columns]), schema="published_exponents")


def test_like_is_divided_by_like_and_unlike_is_refused():
    ours = {"data": Estimate(value=-0.36, low=-0.6, high=-0.12, level=0.95, unit="1")}
    found = compare_domain(exponent_table(), ours, has_floor=False)
    assert found.ratio.value == pytest.approx(1.2)
    assert (found.ratio.low, found.ratio.high) == pytest.approx((0.4, 2.0))
    for unlike in ({"metric": "cross-entropy"}, {"resource": "compute"}, {"form": "power_law_plus_constant"}):
        refused = compare_domain(exponent_table(**unlike), ours, has_floor=False)
        assert refused.ratio.value is None
        assert "no like pair" in refused.reason
    alone = {"data": Estimate(value=-0.36, unit="1")}
    assert "no interval" in compare_domain(exponent_table(), alone, has_floor=False).reason


# ----------------------------------------------------------------- embedded, commands, pictures


@pytest.fixture(scope="module")
def embedded():
    """Two studies a paper of the embedded table, so that the fast suite stays fast."""
    import polars as pl

    table = load("study_points")
    names = table.frame.select("paper_id", "study").unique(maintain_order=True)
    first = names.group_by("paper_id", maintain_order=True).head(2)["study"]
    few = table.frame.filter(pl.col("study").is_in(first.implode()))
    keep = [c for c in few.columns if c not in ("record", "study", "success", "error", "outcome_kind")]
    return load(few.select(keep), schema="study_points", name="study_points")


@pytest.mark.slow
@pytest.mark.ci
def test_embedded_points_are_pooled_with_a_negative_exponent(embedded):
    pooled = pool(embedded)
    finding = {f.id: f for f in pooled.findings()}["scaling.exponent_data_robotics"]
    assert -0.8 < finding.estimate.value < -0.1
    assert finding.details["published"]["mean"] == -0.276
    assert finding.details["published"]["version"] == "v2"
    assert finding.details["weights"] == "paper"


@pytest.mark.slow
def test_sections_and_pictures_stand_on_the_pool(made):
    sections = (pooling_section(made), groups_section(made), robustness_section(made))
    for section in sections:
        assert list(section.blocks())
    text = " ".join(p for s in sections for p in s.prose)
    assert "exponents of success error and of cross-entropy are different quantities" in text.lower()
    figures = pooling_figures(made)
    assert {f.id for f in figures} == {
        "pooled-exponents",
        "exponents-by-familiarity",
        "exponents-by-class",
        "funnel",
    }
    for figure in figures:
        assert specification(figure)["$schema"]


def run(*arguments: str):
    return CliRunner().invoke(group, list(arguments))


@pytest.mark.slow
def test_pool_command_prints_every_method_and_table(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        study(f"s{k}", (rng.binomial(50, [0.3, 0.5, 0.7]) / 50).tolist(), paper=f"p{k % 4}",
              familiarity=("seen", "unseen")[k % 2], year=2020 + k % 3)
        for k in range(12)
    ]  # fmt: skip
    path = written(tmp_path / "own.csv", *rows)
    found = run("pool", str(path), "--by", "familiarity", "--json")
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert {"by_resource", "by_familiarity", "by_class", "leave_one_paper_out", "bias_tests"} <= set(
        document["tables"]
    )
    methods = {row["method"] for row in document["tables"]["by_resource"]}
    assert {"hierarchical", "sartor2024", "three_level"} <= methods
    ids = {f["id"] for f in document["findings"]}
    assert {"scaling.exponent_data_robotics", "scaling.exponent_ratio_robotics_vision"} <= ids


def test_studies_command_lists_each_study(tmp_path):
    path = written(tmp_path / "own.csv", study("a", [0.2, 0.5, 0.7]), study("b", [0.1, 0.2, 0.2]))
    document = json.loads(run("studies", str(path), "--json").stdout)
    assert [row["study"] for row in document["tables"]["studies"]] == ["paper-1/a", "paper-1/b"]
    text = run("studies", str(path)).stdout
    assert "paper-1/a" in text
    assert "Cautions" in text


def test_published_medians_give_the_published_factors(tmp_path):
    import polars as pl

    rows = [
        {"group": "all", "resource": r, "statistic": s, "value": p[k], "source": "arXiv 2405.14005 v2"}
        for r, p in GOLDEN["resources"].items()
        for s, k in (("median_exponent", "median"), ("mean_exponent", "mean"))
    ]
    path = tmp_path / "summary.csv"
    pl.DataFrame(rows).write_csv(path)
    document = json.loads(run("pool", str(path), "--method", "sartor2024", "--json").stdout)
    found = {f["id"]: f["value"] for f in document["findings"]}
    for resource, printed in GOLDEN["resources"].items():
        assert found[f"scaling.halving_factor_{resource}_robotics"] == pytest.approx(
            printed["factor"], abs=0.01
        )


@pytest.mark.public_data
def test_the_public_summary_gives_the_published_factors(public_data):
    path = public_data / "scaling" / "robotics" / "sartor_thompson_summary.csv"
    document = json.loads(run("pool", str(path), "--method", "sartor2024", "--json").stdout)
    found = {f["id"]: f["value"] for f in document["findings"]}
    for resource, printed in GOLDEN["resources"].items():
        assert found[f"scaling.halving_factor_{resource}_robotics"] == pytest.approx(
            printed["factor"], abs=0.01
        )


def test_aggregates_without_a_median_are_refused(tmp_path):
    import polars as pl

    from isoflop.scaling.studies.summary import pool_summary

    row = {
        "group": "all",
        "resource": "data",
        "statistic": "mean_exponent",
        "value": -0.2,
        "source": "made up",
    }
    frame = pl.DataFrame([row])
    with pytest.raises(EvidenceError, match="median_exponent"):
        pool_summary(load(frame, schema="study_summaries"))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"y": 97.0}, "Did you mean 'percent'"), ({"n_trials": 0}, "n_trials"), ({"y": "many"}, "is no number")],
)
def test_bad_points_are_refused_with_the_message(tmp_path, change, says):
    rows = [row | change for row in study("a", [0.2, 0.5, 0.7])]
    path = written(tmp_path / "bad.csv", rows)
    for verb in ("pool", "studies"):
        found = run(verb, str(path))
        assert isinstance(found.exception, EvidenceError)
        assert says in str(found.exception)


@pytest.mark.slow
def test_every_embedded_study_is_fitted_and_pooled_under_each_floor():
    table = load("study_points")
    free = {
        floor: pool(fit_studies(table, floor=floor)).exponent("data").value for floor in ("none", "shared")
    }
    assert free["shared"] < free["none"] < 0
