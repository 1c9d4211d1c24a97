"""Laws: their formulas by hand, and the relations between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.progress.fit import fit
from isoflop.progress.model import LAWS, REPETITION_HALF, Features, Normalisers, Options, model
from isoflop.progress.settings import L1
from isoflop.stats.multistart import all_minima, random_starts

SIZES = {
    1: 6, 2: 5, 3: 5, 4: 8, 5: 8, 6: 10, 7: 10, 8: 9, 9: 9, 10: 14, 11: 18,
    12: 9, 13: 12, 14: 10, 15: 12, 16: 8, 17: 10, 18: 5, 19: 11, 20: 10, 21: 9, 22: 11,
}  # fmt: skip
BASE = Normalisers(parameters=2e6, data=8.9e5, year=2012.5, compute=2e12)
BENCHMARKS = ("WT103", "PTB", "WT2")


def rows(seed: int = 0, n: int = 30) -> Features:
    """Return random rows."""
    rng = np.random.default_rng(seed)
    return Features(
        parameters=np.exp(rng.uniform(15, 25, n)),
        data=np.exp(rng.uniform(14, 24, n)),
        year=rng.uniform(2012.5, 2023.4, n),
        benchmark=rng.integers(0, 3, n),
        is_transformer=rng.random(n) < 0.5,
        epochs=rng.uniform(1, 40, n),
        log_vocabulary=np.log(rng.uniform(1e4, 3e5, n)),
        zero_shot=np.zeros(n),
    )


def by_hand(law: int, p: dict[str, float], r: Features) -> np.ndarray:
    """Return the law's prediction written out from the specification, without design matrices."""
    t = r.year - BASE.year
    data = r.data
    if law == 20:
        data = data * (1 + REPETITION_HALF * (1 - np.exp(-r.epochs / REPETITION_HALF)))
    n, d = np.log(r.parameters / BASE.parameters), np.log(data / BASE.data)

    def prime(name: str) -> np.ndarray:
        return (
            p.get(name, 0.0)
            + p.get(f"{name}_ptb", 0.0) * (r.benchmark == 1)
            + p.get(f"{name}_wt2", 0.0) * (r.benchmark == 2)
        )

    def size(name: str) -> np.ndarray:
        if f"{name}_t" in p:
            return np.where(r.is_transformer, p[f"{name}_t"], p[name])
        return prime(name)

    gamma = p.get("gamma_year", 0.0)
    if law == 18:
        log_c = np.log(r.parameters * r.data / BASE.compute)
        return np.exp(prime("alpha_const") - p["alpha_year"] * t - p["alpha_compute"] * log_c)
    an = size("alpha_param") + p.get("alpha_rate", 0.0) * np.log(r.year)
    bd = size("beta_data") + p.get("beta_rate", 0.0) * np.log(r.year)
    ay = prime("alpha_year") + gamma
    by = (p["alpha_year"] if law == 12 else prime("beta_year")) + gamma
    first = np.exp(prime("alpha_const") - ay * t - an * n)
    second = np.exp(prime("beta_const") - by * t - bd * d)
    return first + second + p.get("gamma_vocabulary", 0.0) * r.log_vocabulary


def test_the_grid_of_laws_is_complete():
    assert set(SIZES) == set(LAWS) == set(range(1, 23))


@pytest.mark.parametrize("law", sorted(LAWS))
def test_design_equals_the_formula_written_out(law):
    chosen = model(law, benchmarks=BENCHMARKS, normalisers=BASE)
    assert len(chosen.names) == SIZES[law]
    theta = np.random.default_rng(law).normal(size=SIZES[law]) * 0.05
    r = rows(law)
    expected = by_hand(law, dict(zip(chosen.names, theta, strict=True)), r)
    np.testing.assert_allclose(chosen.design(r).predict(theta), expected, rtol=1e-12)


def test_order_of_theta_is_the_papers():
    names = model(7, benchmarks=BENCHMARKS, normalisers=BASE).names
    assert names == (
        "alpha_const", "alpha_const_ptb", "alpha_const_wt2", "alpha_year", "alpha_param",
        "beta_const", "beta_const_ptb", "beta_const_wt2", "beta_year", "beta_data",
    )  # fmt: skip


@given(scale=st.floats(1e-3, 1e3))
def test_rescaling_sizes_with_their_normaliser_changes_nothing(scale):
    r = rows(1)
    scaled = Features(**{k: getattr(r, k) for k in r.__slots__} | {"parameters": r.parameters * scale})
    moved = Normalisers(
        parameters=BASE.parameters * scale, data=BASE.data, year=BASE.year, compute=BASE.compute
    )
    theta = np.random.default_rng(2).normal(size=10) * 0.05
    before = model(7, benchmarks=BENCHMARKS, normalisers=BASE).design(r).predict(theta)
    after = model(7, benchmarks=BENCHMARKS, normalisers=moved).design(scaled).predict(theta)
    np.testing.assert_allclose(after, before, rtol=1e-10)


@pytest.mark.parametrize("floor", ["shared", "benchmark"])
def test_floor_adds_unpenalised_columns(floor):
    chosen = model(7, benchmarks=BENCHMARKS, normalisers=BASE, options=Options(floor=floor))
    extra = 1 if floor == "shared" else 3
    assert len(chosen.names) == 10 + extra
    assert chosen.unpenalised.sum() == extra
    assert (L1().strengths(chosen)[-extra:] == 0).all()


def test_mask_slopes_frees_every_constant():
    chosen = model(7, benchmarks=BENCHMARKS, normalisers=BASE)
    strengths = L1(mask="slopes").strengths(chosen)
    assert [n for n, s in zip(chosen.names, strengths, strict=True) if s] == [
        "alpha_year", "alpha_param", "beta_year", "beta_data",
    ]  # fmt: skip


def test_seen_data_multiplies_by_epochs():
    r = rows(3)
    theta = np.random.default_rng(3).normal(size=10) * 0.05
    seen = model(7, benchmarks=BENCHMARKS, normalisers=BASE, options=Options(data="seen")).design(r)
    times = Features(**{k: getattr(r, k) for k in r.__slots__} | {"data": r.data * r.epochs})
    plain = model(7, benchmarks=BENCHMARKS, normalisers=BASE).design(times)
    np.testing.assert_allclose(seen.predict(theta), plain.predict(theta), rtol=1e-12)


def test_first_pass_is_worth_itself_in_the_epochs_minus_one_form():
    r = Features.of(parameters=1e8, data=1e8, year=2020.0, epochs=1.0)
    repeated = model(7, benchmarks=("WT103",), normalisers=BASE, options=Options(repetition="muennighoff"))
    plain = model(7, benchmarks=("WT103",), normalisers=BASE)
    theta = np.arange(6) / 50
    np.testing.assert_allclose(repeated.design(r).predict(theta), plain.design(r).predict(theta), rtol=1e-14)


def best(sample, law: int, delta: float = 0.0):
    return fit(sample, law=law, penalty=L1(delta=delta))


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("larger", [10, 11, 19, 22])
def test_law_7_is_nested_in_its_extensions(planted, larger):
    assert best(planted, larger).objective <= best(planted, 7).objective + 1e-10


def test_law_22_without_penalty_has_the_objective_of_law_7(planted):
    assert best(planted, 22).objective == pytest.approx(best(planted, 7).objective, abs=1e-10)


@pytest.mark.slow
@pytest.mark.ci
def test_law_21_is_law_12_with_the_rate_renamed(planted):
    for delta in (0.0, 0.0025):
        assert best(planted, 21, delta).objective == pytest.approx(
            best(planted, 12, delta).objective, abs=1e-11
        )
        assert best(planted, 21, delta).rate.value == pytest.approx(
            best(planted, 12, delta).rate.value, abs=1e-6
        )


def test_penalised_law_22_puts_the_median_rate_into_the_common_factor(planted):
    fitted = best(planted, 22, 0.0025)
    value = dict(zip(fitted.model.names, fitted.theta, strict=True))
    first, second = (value[k] + value["gamma_year"] for k in ("alpha_year", "beta_year"))
    assert value["gamma_year"] == pytest.approx(np.median([0.0, first, second]), abs=1e-7)


def test_rate_does_not_depend_on_the_origin_of_dates_without_penalty(planted):
    moved = Normalisers(
        parameters=planted.normalisers.parameters,
        data=planted.normalisers.data,
        year=2017.0,
        compute=planted.normalisers.compute,
    )
    shifted = fit(planted, penalty=L1(delta=0.0, normalisers=moved))
    assert shifted.rate.value == pytest.approx(best(planted, 7).rate.value, abs=1e-6)


def test_relabelling_benchmarks_leaves_the_rate_without_penalty(planted):
    from dataclasses import replace

    order = np.array([2, 0, 1])
    relabelled = replace(
        planted,
        benchmarks=tuple(planted.benchmarks[i] for i in np.argsort(order)),
        features=replace(planted.features, benchmark=order[planted.features.benchmark]),
    )
    assert best(relabelled, 7).rate.value == pytest.approx(best(planted, 7).rate.value, abs=1e-6)


def test_law_19_names_the_rows_without_vocabulary():
    r = rows(4)
    blank = Features(**{k: getattr(r, k) for k in r.__slots__} | {"log_vocabulary": np.full(r.n, np.nan)})
    with pytest.raises(EvidenceError, match="30 rows have no vocabulary_size"):
        model(19, benchmarks=BENCHMARKS, normalisers=BASE).design(blank)


def test_unknown_law_is_refused():
    with pytest.raises(SettingError, match="law: 99, must be one of 1 to 22"):
        model(99, benchmarks=BENCHMARKS, normalisers=BASE)


def test_law_16_has_no_rate(planted):
    with pytest.raises(NotIdentifiedError, match="law 16 has no time term"):
        _ = best(planted, 16).rate


@pytest.mark.slow
@pytest.mark.ci
def test_all_laws_reach_certified_minima(planted):
    for law in range(1, 23):
        chosen = model(law, benchmarks=planted.benchmarks, normalisers=planted.normalisers)
        scales = np.full(len(chosen.names), 0.1)
        minima = all_minima(
            chosen.design(planted.features), planted.outcome, starts=random_starts(scales, 6, 0), l1=0.005
        )
        assert minima[0].kkt <= 1e-8, law
