"""Deciles of compute above trend, and fields by compute."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.deciles import deciles_section
from isoflop.divide.deciles.find import deciles, equal_groups, field_correlation
from isoflop.divide.deciles.result import Field
from isoflop.divide.model import Period
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.evidence.table import Table

from .made_models import day, table

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "divide_shares.json").read_text())["snapshots"]
FILES = {
    "2023-12": "epoch_models_2023-12-20.csv",
    "2025-02": "epoch_notable_ai_models_2025-02.csv",
    "2025-04": "epoch_all_ai_models_2025-04.csv",
}


def planted(seed: int, pull: float, n: int = 120, scale: float = 1.0) -> Table:
    """Return systems whose chance to be academic falls by `pull` a standard deviation of compute."""
    rng = np.random.default_rng(seed)
    above = rng.normal(0, 1, n)
    academic = rng.uniform(size=n) < 1 / (1 + np.exp(pull * above))
    rows = [
        {
            "date": day(2018 + 6 * i / n),
            "train_flop": scale * 10 ** (20 + 0.6 * 6 * i / n + above[i]),
            "team_label": "Academia" if academic[i] else "Industry",
            "organisations": f"lab {rng.integers(30)}",
            "domain": "; ".join(
                rng.choice(["Vision", "Language", "Games", "Speech", "Biology"], 2, replace=False)
            ),
        }
        for i in range(n)
    ]
    return table(rows)


@pytest.mark.public_data
@pytest.mark.parametrize("name", FILES)
def test_ratios_by_decile_agree_with_the_golden_table(public_data: Path, name: str) -> None:
    found = deciles(load(public_data / "divide" / FILES[name]))
    assert found.n == GOLDEN[name]["decile_n"]
    assert [round(g.ratio or 0, 2) for g in found.groups] == pytest.approx(
        GOLDEN[name]["decile_ratios"], abs=0.011
    )


@given(st.integers(0, 10_000), st.integers(2, 10))
def test_groups_are_those_of_pandas(seed: int, groups: int) -> None:
    pandas = pytest.importorskip("pandas")
    values = np.random.default_rng(seed).normal(size=57)
    assert (equal_groups(values, groups) == pandas.qcut(values, groups, labels=False)).all()


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 10_000))
@settings(max_examples=4)
def test_the_unit_of_compute_and_the_order_of_rows_do_not_matter(seed: int) -> None:
    plain = deciles(planted(seed, 0.5))
    other = deciles(planted(seed, 0.5, scale=1e3))
    assert [g.k for g in plain.groups] == [g.k for g in other.groups]
    backwards = deciles(
        planted(seed, 0.5).frame.select("model", "date", "train_flop", "team_label", "notability")[::-1]
    )
    assert [g.k for g in plain.groups] == [g.k for g in backwards.groups]


@given(st.integers(0, 10_000))
@settings(max_examples=4)
def test_ratios_average_to_one_over_the_groups(seed: int) -> None:
    found = deciles(planted(seed, 1.0))
    assert sum((g.ratio or 0) * g.n for g in found.groups) / found.n == pytest.approx(1)
    for g in found.groups:
        assert g.low is not None
        assert g.ratio is not None
        assert g.high is not None
        assert g.low <= g.ratio <= g.high


def test_a_planted_thinning_is_found_and_its_absence_is_not() -> None:
    there, absent = deciles(planted(1, 2.0)), deciles(planted(1, 0.0))
    assert there.correlation is not None
    assert absent.correlation is not None
    assert there.correlation.rho < -0.8
    assert there.correlation.p < 0.01
    assert absent.correlation.p > 0.05


@pytest.mark.slow
def test_the_permutation_p_is_uniform_without_a_relation() -> None:
    p = [c.p for seed in range(30) if (c := deciles(planted(seed, 0.0), groups=5).correlation) is not None]
    assert 0.33 < float(np.mean(p)) < 0.75  # three standard errors of a uniform mean are 0.16; p is discrete


def test_rank_correlation_over_fields_needs_enough_fields() -> None:
    def field(place: int) -> Field:
        return Field(
            name=f"f{place}", n=20, k=place, median_log10_flop=20.0 + place, median_residual=-1.0 * place,
            ratio=5.0 - place, low=0.0, high=9.0,
        )  # fmt: skip

    fields = tuple(field(i) for i in range(5))
    falling, rising = (field_correlation(fields, detrended=d) for d in (False, True))
    assert falling is not None
    assert rising is not None
    assert falling.rho == pytest.approx(-1)
    assert rising.rho == pytest.approx(1)
    assert falling.p == pytest.approx(2 / 120)
    assert field_correlation(fields[:3], detrended=False) is None


def test_too_few_systems_and_one_sided_tables_are_refused() -> None:
    with pytest.raises(EvidenceError, match="needs 20 for 10 groups"):
        deciles(planted(0, 0.0, n=12))
    with pytest.raises(EvidenceError, match="of collaboration, needs some and not all"):
        deciles(planted(0, 0.0), team="collaboration")
    with pytest.raises(SettingError, match="groups=1"):
        deciles(planted(0, 0.0), groups=1)
    with pytest.raises(EvidenceError, match="in 2030"):
        deciles(planted(0, 0.0), years=Period(first=2030, last=2030))


def test_the_section_says_what_the_findings_say() -> None:
    found = deciles(load("notable_systems"))
    section = deciles_section(found)
    said = " ".join(block for block in section.blocks() if isinstance(block, str))
    low = sum(g.k["academia"] for g in found.groups[:5])
    assert f"made {low} of" in said
    assert {f.id for f in found.findings()} >= {
        "divide.decile_correlation.academia",
        "divide.decile_ratio.academia.10",
        "divide.intensity_correlation.domain",
    }
    for figure in section.figures:
        assert figure.chart().to_dict()
