"""Concentration of compute: who holds it, and what the measures must keep to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.concentration import concentration_section
from isoflop.divide.concentration.find import concentration
from isoflop.divide.concentration.firms import firm_of
from isoflop.divide.concentration.holders import held_by
from isoflop.divide.model import Period
from isoflop.divide.sample import select
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.evidence.table import Table

from .made_models import table

YEAR = Period(first=2020, last=2020)


def made(seed: int, n: int = 30, scale: float = 1.0) -> Table:
    rng = np.random.default_rng(seed)
    return table(
        [
            {
                "train_flop": scale * 10 ** rng.normal(21, 1.5),
                "organisations": "; ".join(rng.choice([f"lab {i}" for i in range(8)], 2, replace=False)),
                "team_label": rng.choice(["Academia", "Industry", ""]),
                "countries": rng.choice(["A", "B", "A; B", "Multinational", "Multinational; A"]),
            }
            for _ in range(n)
        ]
    )


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_measures_do_not_depend_on_the_unit_of_compute_and_lie_in_range(seed: int) -> None:
    plain, other = (
        concentration(made(seed, scale=scale), periods=(YEAR,)).spreads[0] for scale in (1.0, 1e4)
    )
    for name in ("top_share", "herfindahl", "gini"):
        one, two = getattr(plain, name), getattr(other, name)
        assert one.value == pytest.approx(two.value)
        assert 0 <= one.value <= 1
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.high
    assert 1 / plain.holders <= plain.herfindahl.value + 1e-12
    assert plain.largest_system == pytest.approx(other.largest_system)


@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_parts_of_systems_sum_to_the_systems_that_name_a_holder(seed: int) -> None:
    sample = select(made(seed))
    for holder in ("organisation", "country"):
        held = held_by(sample, holder)
        per_row = np.bincount(held.row, weights=held.part, minlength=sample.n)
        assert np.allclose(per_row[per_row > 0], 1)
        assert held.missing == (per_row == 0).sum()


@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_parts_of_teams_sum_to_one(seed: int) -> None:
    found = concentration(made(seed), periods=(YEAR,))
    assert sum(row["share"] for row in found.team_rows()) == pytest.approx(1)
    assert sum(row["share_of_systems"] for row in found.team_rows()) == pytest.approx(1)


def test_equal_holders_are_not_concentrated_and_one_holder_is_wholly() -> None:
    even = table([{"organisations": f"lab {i}"} for i in range(10)])
    spread = concentration(even, periods=(YEAR,)).spreads[0]
    assert spread.herfindahl.value == pytest.approx(0.1)
    assert spread.top_share.value == pytest.approx(0.5)
    assert spread.gini.value == pytest.approx(0)
    alone = concentration(table([{"organisations": "one"}] * 3), periods=(YEAR,)).spreads[0]
    assert (alone.herfindahl.value, alone.top_share.value) == (1, 1)
    assert alone.top_share.low is None


def test_a_joint_system_counts_in_parts_or_as_one() -> None:
    rows = table([{"organisations": "a; b", "train_flop": 4e21}, {"organisations": "c", "train_flop": 2e21}])
    parts = concentration(rows, periods=(YEAR,)).spreads[0]
    joint = concentration(rows, periods=(YEAR,), split="joint").spreads[0]
    assert parts.herfindahl.value == pytest.approx(1 / 3)
    assert [part.name for part in joint.parts] == ["a; b", "c"]
    assert joint.parts[0].share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "firm"),
    [
        ("Google Brain", "Google"),
        ("DeepMind", "Google"),
        ("Google DeepMind", "Google"),
        ("Facebook AI Research", "Meta"),
        ("Meta AI", "Meta"),
        ("Metaspace", "Metaspace"),
        ("Microsoft Research Asia", "Microsoft"),
        ("Applied Physics Laboratory", "Applied Physics Laboratory"),
        ("University of Oxford", "University of Oxford"),
    ],
)
def test_units_of_a_firm_are_one_holder_and_likenesses_are_not(name: str, firm: str) -> None:
    assert firm_of(name) == firm


def test_names_may_stand_as_given() -> None:
    rows = table([{"organisations": "Google Research; Google Brain"}, {"organisations": "DeepMind"}])
    owners, given_names = (
        concentration(rows, periods=(YEAR,), names=names).spreads[0].holders for names in ("owner", "given")
    )
    assert (owners, given_names) == (1, 3)


def test_multinational_is_no_country() -> None:
    found = concentration(
        table([{"countries": c} for c in ("Multinational; France", "Multinational", "Japan")]),
        periods=(YEAR,),
        by="country",
    )
    assert sorted(part.name for part in found.spreads[0].parts) == ["France", "Japan"]
    assert found.missing == 1
    assert any("name no country" in caution for caution in found.cautions)


def test_one_system_that_dominates_is_named() -> None:
    rows = [{"organisations": f"lab {i}", "train_flop": 1e20} for i in range(12)]
    rows[0]["train_flop"] = 1e24
    found = concentration(table(rows), periods=(YEAR,))
    assert found.spreads[0].largest_system > 0.99
    assert any(caution.startswith("One system holds") for caution in found.cautions)


def test_periods_without_a_holder_are_refused() -> None:
    with pytest.raises(EvidenceError, match=r"no system of 2012 names its organisation"):
        concentration(table([{"organisations": "a"}]), periods=(Period(first=2012, last=2012),))
    with pytest.raises(SettingError, match="top=0"):
        concentration(table([{"organisations": "a"}]), top=0)


def test_the_embedded_table_gives_findings_once_and_pictures() -> None:
    found = concentration(load("notable_systems"))
    countries = concentration(load("notable_systems"), by="country")
    ids = [f.id for f in (*found.findings(), *countries.findings())]
    shared = {i for i in ids if ids.count(i) > 1}
    assert all(i.startswith("divide.compute_share.") for i in shared)
    assert {"divide.top5_compute_share", "divide.herfindahl_compute", "divide.gini_compute.2012-14"} <= set(
        ids
    )
    assert any(i.startswith("divide.country_compute_share.united_states") for i in ids)
    section = concentration_section(found, countries)
    for figure in section.figures:
        assert figure.chart().to_dict()
