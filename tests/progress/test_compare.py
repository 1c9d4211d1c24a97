"""Cross-validation: brute force as oracle, the published split, and the published ranking."""

from __future__ import annotations

import numpy as np
import pytest

from isoflop.errors import EvidenceError, SettingError
from isoflop.progress.model import model
from isoflop.progress.robustness.compare import compare, published_split
from isoflop.progress.robustness.comparison import LeaveBenchmarkOut, LeaveOneOut, LeavePaperOut, TimeOrdered
from isoflop.progress.settings import L1, Starts
from isoflop.stats.multistart import all_minima

FEW = Starts(count=4)
PATH_TOLERANCE = 1e-3
"""Each fold starts where SLSQP stopped in the one before, so rounding adds up (validation/README.md)."""


def test_published_split_is_the_legacy_permutation():
    np.random.seed(1)  # noqa: NPY002 - the legacy generator is the point
    order = np.random.permutation(231)  # noqa: NPY002
    training, validation = published_split(231)
    np.testing.assert_array_equal(validation, order[:47])
    np.testing.assert_array_equal(training, order[47:])


def test_leave_one_out_equals_fitting_every_fold_by_itself(planted):
    few = planted.rows(np.arange(40))
    found = compare(few, laws=(1,), penalties=(0.005,), scheme=LeaveOneOut(holdout=0.0), starts=FEW)
    chosen = model(1, benchmarks=few.benchmarks, normalisers=few.normalisers)
    design, y = chosen.design(few.features), few.outcome
    l1, points = L1(delta=0.005).strengths(chosen), Starts(count=8, seed=9).points(chosen)
    for i in range(0, 40, 7):
        kept = np.delete(np.arange(40), i)
        best = all_minima(design.rows(kept), y[kept], starts=points, l1=l1)[0]
        assert found.candidates[0].fold_objectives[i] == pytest.approx(best.objective, abs=1e-9)
        assert found.candidates[0].errors[i] == pytest.approx(design.predict(best.theta)[i] - y[i], abs=1e-5)


def later_rows(sample) -> int:
    """Return how many tests two cutoffs make."""
    year = sample.features.year
    return int((year > 2019).sum() + (year > 2021).sum())


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("scheme", "folds", "tested"),
    [
        (LeavePaperOut(), lambda s: s.papers, lambda s: s.n),
        (LeaveBenchmarkOut(), lambda s: len(s.benchmarks), lambda s: s.n),
        (TimeOrdered(years=(2019.0, 2021.0)), lambda _: 2, later_rows),
    ],
)
def test_schemes_test_the_rows_they_say(planted, scheme, folds, tested):
    found = compare(planted, laws=(1, 16), penalties=(0.0025,), scheme=scheme, starts=FEW)
    assert len(found.best.fold_objectives) == folds(planted)
    assert len(found.tested) == tested(planted)
    assert found.frame().height == 2


def test_the_planted_law_beats_the_law_without_progress(planted):
    found = compare(planted, laws=(1, 16), penalties=(0.0025,), starts=FEW)
    ranking = found.frame()
    assert ranking["law"][0] == 1
    assert ranking["above_best"][0] == 0.0
    assert ranking["halving_time_months"].to_list()[1] is None


@pytest.mark.slow
@pytest.mark.ci
def test_stacking_weights_lie_on_the_simplex(planted):
    weights = compare(planted, laws=(1, 7, 16), penalties=(0.0025, 0.02), starts=FEW).stacking()
    assert sum(weights.values()) == pytest.approx(1.0)
    assert min(weights.values()) >= 0


def test_laws_that_the_rows_cannot_carry_are_left_out_and_named(planted):
    only = planted.rows(np.flatnonzero(planted.features.is_transformer))
    found = compare(only, laws=(1, 13), penalties=(0.005,), starts=FEW)
    assert {c.law for c in found.candidates} == {1}
    assert any("law 13 was left out" in c and "only transformers" in c for c in found.cautions)


def test_no_usable_law_is_an_error(planted):
    with pytest.raises(EvidenceError, match="no law can be fitted"):
        compare(planted.rows(np.arange(10)), laws=(7,), starts=FEW)


def test_bad_settings_are_refused(planted):
    with pytest.raises(SettingError, match="law 30, must be one of"):
        compare(planted, laws=(30,))
    with pytest.raises(SettingError, match="holdout=1"):
        LeaveOneOut(holdout=1)
    with pytest.raises(SettingError, match="leave one out only"):
        compare(planted, laws=(1,), scheme=LeavePaperOut(), compat="paper")


@pytest.mark.slow
@pytest.mark.public_data
def test_converged_ranking_on_the_public_sheet(published, golden):
    pairs = golden["loo_best_converged"]
    found = compare(published, laws=sorted({int(law) for law, _, _ in pairs}), penalties=(0.0025, 0.005))
    mse = {(c.law, c.delta): c.mse for c in found.candidates}
    for law, delta, want in pairs:
        assert mse[int(law), delta] == pytest.approx(want, abs=5e-4)
    assert all(c.folds_failed == 0 for c in found.candidates)


@pytest.mark.public_data
def test_law_18_is_no_outlier_unless_its_normaliser_moves(published):
    ours = compare(published, laws=(18,), penalties=(0.0025,)).best
    assert ours.mse < 0.06
    theirs = compare(published, laws=(18,), penalties=(0.0025,), compat="paper").best
    assert theirs.mse > 5 * ours.mse


@pytest.mark.slow
@pytest.mark.public_data
def test_published_leave_one_out_is_reproduced(published, golden):
    law, delta, want = golden["loo_best_published"][1]
    found = compare(published, laws=(int(law),), penalties=(delta,), compat="paper")
    assert found.best.mse == pytest.approx(want, abs=PATH_TOLERANCE)
