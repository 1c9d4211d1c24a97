"""Specification curves: golden cells under every definition, invariances, the joint test, refusals."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.chapter.specification import specification_figures, specification_section
from isoflop.divide.commands.specification import HEADLINES as OFFERED
from isoflop.divide.commands.specification import specification as command
from isoflop.divide.figures.specification import curve as draw_curve
from isoflop.divide.figures.specification import curve_data
from isoflop.divide.large import AboveTrend, Known, TopK, TopQuantile
from isoflop.divide.model import FIRST, LAST, TeamRule
from isoflop.divide.shares.find import shares
from isoflop.divide.snapshots import snapshots_of
from isoflop.divide.specification.curve import Curve, Specification
from isoflop.divide.specification.find import specification
from isoflop.divide.specification.grid import DEFAULT, HEADLINES, Grid, Headline
from isoflop.divide.specification.joint import joint_tests, organisation_counts
from isoflop.divide.specification.result import SpecificationCurve
from isoflop.divide.specification.rows import rows_of
from isoflop.divide.specification.shares import share_replicates
from isoflop.divide.specification.trends import trend_replicates
from isoflop.divide.specification.words import direction, moved_most, strongest
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.evidence.table import Table

from .made_models import day, table

GOLDEN: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "divide_shares.json").read_text()
)["snapshots"]
FILES = {
    "2023-12-20": "epoch_models_2023-12-20.csv",
    "2025-02": "epoch_notable_ai_models_2025-02.csv",
    "2025-04": "epoch_all_ai_models_2025-04.csv",
}
# Gap of 2022 with its HC1 standard error, and widening by filter, as studied on the three snapshots.
GAP_2022 = {"2023-12-20": (2.02, 0.40), "2025-02": (2.19, 0.29), "2025-04": (2.23, 0.28)}
WIDENING = {
    ("2023-12-20", "notable_not_deployed", "HC1"): (0.073, 0.353),
    ("2023-12-20", "notable_not_deployed", "by_organisation"): (0.073, 0.237),
    ("2023-12-20", "none", "HC1"): (0.085, 0.226),
    ("2025-02", "notable_not_deployed", "HC1"): (0.125, 0.058),
    ("2025-02", "none", "HC1"): (0.188, 0.0014),
    ("2025-04", "notable_not_deployed", "HC1"): (0.146, 0.015),
    ("2025-04", "notable_not_deployed", "by_organisation"): (0.146, 0.039),
    ("2025-04", "none", "HC1"): (0.189, 7.2e-6),
}
DOUBLING = {
    ("2023-12-20", "OLS"): (5.96, 5.33, 6.75),
    ("2023-12-20", "HC1"): (5.96, 5.37, 6.69),
    ("2025-02", "OLS"): (5.91, 5.39, 6.54),
    ("2025-02", "HC1"): (5.91, 5.42, 6.49),
    ("2025-04", "OLS"): (5.95, 5.48, 6.51),
    ("2025-04", "HC1"): (5.95, 5.53, 6.45),
}
Z = 1.959963984540054
SAME = 1e-9
"""Two orders of summation of a few hundred numbers."""
SMALL = Grid(
    filters=("notable_not_deployed",), rules=(TeamRule(),), periods=((FIRST, LAST),), gap_years=(2022,)
)


@functools.cache
def public_curve(folder: Path) -> SpecificationCurve:
    return specification([load(folder / "divide" / name) for name in FILES.values()], joint=100)


@functools.cache
def embedded() -> SpecificationCurve:
    return specification(load("notable_systems"), joint=100)


def rows_made(seed: int, n: int = 90, gap: float = 0.0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    labels = ["Academia", "Industry", "Industry,Academia", "Government", ""]
    rows = []
    for i in range(n):
        year = 2010 + 13.9 * i / n
        label = str(rng.choice(labels, p=[0.35, 0.35, 0.15, 0.05, 0.1]))
        log10 = 18 + 0.5 * (year - 2010) + rng.normal(0, 0.8) + gap * (label == "Industry")
        rows.append(
            {
                "model": f"system {i}",
                "date": day(year),
                "train_flop": 10**log10,
                "team_label": label,
                "organisations": f"lab {rng.integers(40)}",
            }
        )
    return rows


def made(seed: int, n: int = 90, gap: float = 0.0, name: str = "systems") -> Table:
    return table(rows_made(seed, n, gap), name)


def chosen(found: SpecificationCurve, headline: Headline, **settings: str) -> list[Specification]:
    return [
        one
        for one in found.curve(headline).specifications
        if all(one.settings[name] == setting for name, setting in settings.items())
    ]


@pytest.mark.public_data
@pytest.mark.parametrize("snapshot", FILES)
def test_shares_of_the_default_rule_are_the_golden_cells(public_data: Path, snapshot: str) -> None:
    want = GOLDEN[snapshot[:7]]
    found = functools.partial(
        chosen,
        public_curve(public_data),
        "academia_share_last",
        snapshot=snapshot,
        filter="notable_not_deployed",
        rule="teams by organisation",
        period=str(LAST),
        interval="wilson",
    )
    (known,) = found(large="known")
    k, n, low, high = want[f"academia_{LAST}"]
    assert (known.n, known.value) == (n, pytest.approx(k / n))
    assert (known.low, known.high) == pytest.approx((low, high), abs=0.0006)
    assert (known.bound_low, known.bound_high) == pytest.approx(
        want["unknown_bounds_2020-22"][1:], abs=0.0006
    )
    for large, (k, n) in want["academia_2020-22_by_definition"].items():
        (one,) = found(large=large)
        assert (one.n, one.value) == (n, pytest.approx(k / n))


@pytest.mark.public_data
@pytest.mark.parametrize("snapshot", FILES)
def test_gap_and_widening_of_the_default_rule_are_the_golden_cells(public_data: Path, snapshot: str) -> None:
    shared = {
        "snapshot": snapshot,
        "rule": "teams by organisation",
        "since": "2010",
        "collaboration": "left out",
        "interval": "HC1",
    }
    (gap,) = chosen(
        public_curve(public_data), "gap_oom", filter="notable_not_deployed", year="2022", **shared
    )
    value, se = GAP_2022[snapshot]
    assert gap.low is not None
    assert gap.high is not None
    assert (gap.value, (gap.high - gap.low) / 2 / Z) == pytest.approx((value, se), abs=0.01)


@pytest.mark.public_data
@pytest.mark.parametrize(("snapshot", "filter", "interval"), WIDENING)
def test_widening_and_its_p_are_the_golden_cells(
    public_data: Path, snapshot: str, filter: str, interval: str
) -> None:
    (slope,) = chosen(
        public_curve(public_data),
        "gap_widening",
        snapshot=snapshot,
        filter=filter,
        interval=interval,
        rule="teams by organisation",
        since="2010",
        collaboration="left out",
    )
    value, p = WIDENING[snapshot, filter, interval]
    assert slope.value == pytest.approx(value, abs=0.0006)
    assert slope.low is not None
    se = (slope.value - slope.low) / Z
    # Golden p have two or three digits, of which the last may be off by half.
    assert math.erfc(slope.value / se / math.sqrt(2)) == pytest.approx(p, rel=0.05)


@pytest.mark.public_data
@pytest.mark.parametrize(("snapshot", "interval"), DOUBLING)
def test_doubling_times_are_the_golden_cells(public_data: Path, snapshot: str, interval: str) -> None:
    (one,) = chosen(
        public_curve(public_data),
        "doubling_time_months",
        snapshot=snapshot,
        interval=interval,
        filter="notable_not_deployed",
        rule="teams by organisation, unknown left out",
        since="2010",
    )
    assert (one.value, one.low, one.high) == pytest.approx(DOUBLING[snapshot, interval], abs=0.0051)


@pytest.mark.public_data
def test_public_snapshots_give_hundreds_of_specifications_a_joint_p_and_one_shared_conclusion(
    public_data: Path,
) -> None:
    found = public_curve(public_data)
    assert [curve.headline for curve in found.curves] == list(DEFAULT)
    assert len(found.curve("academia_share_last").values) >= 500
    gap = found.curve("gap_oom")
    assert gap.same_sign == 1.0
    assert gap.joint is not None
    assert gap.joint.p == pytest.approx(1 / 101)
    assert found.curve("gap_widening").values[0] < 0 < found.curve("gap_widening").values[-1]
    assert any("two ways" in caution for caution in found.cautions)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_shares_agree_with_the_verb_that_counts_them(seed: int) -> None:
    models = made(seed)
    definitions = (Known(), TopQuantile(), TopK(), AboveTrend())
    want = shares(models, large=definitions, periods=(FIRST, LAST))
    found = specification(
        models,
        headline=("academia_share_first", "academia_share_last", "academia_share_change"),
        grid=Grid(
            filters=("notable_not_deployed",),
            rules=(TeamRule(),),
            large=definitions,
            periods=((FIRST, LAST),),
            intervals=("wilson",),
        ),
        joint=0,
    )
    for large in definitions:
        first, last = (want.cell("academia", period, large.name) for period in (FIRST, LAST))
        for name, cell in (("academia_share_first", first), ("academia_share_last", last)):
            (one,) = chosen(found, name, large=large.name)  # type: ignore[arg-type]
            assert (one.n, one.value) == (cell.n, cell.share)
            assert (one.bound_low, one.bound_high) == pytest.approx((cell.bound_low, cell.bound_high))
        change = want.change("academia", large.name)
        if change is not None:
            (one,) = chosen(found, "academia_share_change", large=large.name)
            assert (one.value, one.low, one.high) == pytest.approx(
                (change.difference, change.low, change.high)
            )


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_bounds_and_intervals_hold_the_value(seed: int) -> None:
    found = specification(made(seed), headline=HEADLINES, joint=0)
    for curve in found.curves:
        assert list(curve.values) == sorted(curve.values)
        for one in curve.specifications:
            if one.value is not None:
                if one.bound_low is not None and one.bound_high is not None:
                    assert one.bound_low - SAME <= one.value <= one.bound_high + SAME
                if one.low is not None:
                    assert one.low <= one.value + SAME
                if one.high is not None:
                    assert one.value <= one.high + SAME


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([1e-6, 3.0, 1e6]))
def test_neither_the_order_of_rows_nor_the_unit_of_compute_matters(seed: int, factor: float) -> None:
    rows = rows_made(seed)
    turned = [row | {"train_flop": factor * row["train_flop"]} for row in reversed(rows)]
    one, other = (specification(table(some), grid=SMALL, joint=0) for some in (rows, turned))
    for curve in one.curves:
        assert other.curve(curve.headline).values == pytest.approx(curve.values, abs=1e-7)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_swapping_the_sectors_turns_the_gap_round(seed: int) -> None:
    swap = {"Academia": "Industry", "Industry": "Academia"}
    rows = rows_made(seed)
    swapped = [row | {"team_label": swap.get(row["team_label"], row["team_label"])} for row in rows]
    grid = Grid(filters=("none",), rules=(TeamRule(),), joined=(False,))
    one, other = (
        specification(table(some), headline=("gap_oom", "gap_widening"), grid=grid, joint=0)
        for some in (rows, swapped)
    )
    for name in ("gap_oom", "gap_widening"):
        values = [-value for value in other.curve(name).values][::-1]  # type: ignore[arg-type]
        assert one.curve(name).values == pytest.approx(values, abs=1e-8)  # type: ignore[arg-type]


def test_listing_every_system_twice_narrows_wilson_but_not_the_interval_by_organisation() -> None:
    rows = rows_made(5, 120)
    twice = [*rows, *({**row, "model": f"{row['model']} again"} for row in rows)]

    def widths(some: list[dict[str, Any]], interval: str) -> float:
        found = specification(table(some), headline="academia_share_last", grid=SMALL, joint=0)
        (one,) = chosen(found, "academia_share_last", large="known", interval=interval)
        assert one.low is not None
        assert one.high is not None
        return one.high - one.low

    assert widths(twice, "wilson") < 0.8 * widths(rows, "wilson")
    assert widths(twice, "by_organisation") == pytest.approx(widths(rows, "by_organisation"), rel=0.02)


def test_rules_that_make_the_same_teams_are_run_once() -> None:
    rows = [row | {"team_label": "Academia" if i % 2 else "Industry"} for i, row in enumerate(rows_made(1))]
    (every,) = rows_of(snapshots_of(table(rows)), ("none",), Grid().rules)
    assert len(every.codings) == 1
    leaning = [
        row | {"team_label": "Industry - Academia Collaboration (Industry leaning)"} if i < 9 else row
        for i, row in enumerate(rows)
    ]
    (every,) = rows_of(snapshots_of(table(leaning)), ("none",), Grid().rules)
    assert [coding.rule.leaning for coding in every.codings] == ["collaboration", "lean"]


def test_batched_replicates_equal_a_loop_over_copied_tables() -> None:
    rows = rows_made(8, 70)
    (every,) = rows_of(snapshots_of(table(rows)), ("none",), (TeamRule(),))
    grid = Grid(filters=("none",), rules=(TeamRule(),), periods=((FIRST, LAST),), gap_years=(2022,))
    counts = organisation_counts(3, int(every.cluster.max()) + 1, 4)
    wanted = HEADLINES
    weights = counts[:, every.cluster]
    batched = [
        *share_replicates(every, grid, wanted, weights),
        *trend_replicates(every, grid, wanted, weights),
    ]
    for rep, drawn in enumerate(weights):
        copied = [
            {**row, "model": f"{row['model']} copy {copy}"}
            for row, times in zip(rows, drawn, strict=True)
            for copy in range(int(times))
        ]
        (again,) = rows_of(snapshots_of(table(copied)), ("none",), (TeamRule(),))
        plain = np.ones((1, again.t.size))
        looped = [
            *share_replicates(again, grid, wanted, plain),
            *trend_replicates(again, grid, wanted, plain),
        ]
        assert [name for name, _, _ in batched] == [name for name, _, _ in looped]
        ours = [many[rep] for _, _, many in batched]
        theirs = [effect for _, effect, _ in looped]
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


def test_the_joint_test_sees_a_planted_gap_and_only_that() -> None:
    found = specification(
        made(11, 200, gap=1.5), joint=199, grid=Grid(filters=("none",), rules=(TeamRule(),))
    )
    gap, widening = found.curve("gap_oom").joint, found.curve("gap_widening").joint
    assert gap is not None
    assert gap.p == pytest.approx(1 / 200)
    assert widening is not None
    assert widening.p is not None
    assert widening.p > 0.05
    quiet = specification(made(12, 200), headline="gap_oom", joint=199).curve("gap_oom").joint
    assert quiet is not None
    assert quiet.p is not None
    assert quiet.p > 0.05


def test_one_seed_gives_one_joint_p_and_more_replicates_keep_the_first() -> None:
    (every,) = rows_of(snapshots_of(made(2)), ("none",), (TeamRule(),))
    grid = Grid(filters=("none",), rules=(TeamRule(),))
    one, two = (joint_tests((every,), grid, ("gap_oom",), reps=100, seed=4) for _ in range(2))
    assert one == two
    np.testing.assert_array_equal(organisation_counts(4, 9, 100), organisation_counts(4, 9, 150)[:100])


def test_an_organisation_is_drawn_alike_in_every_snapshot() -> None:
    early, late = rows_made(3)[:60], rows_made(3)
    both = rows_of(
        snapshots_of([table(early, "models_2022"), table(late, "models_2023")]), ("none",), (TeamRule(),)
    )
    first, last = both
    np.testing.assert_array_equal(first.cluster, last.cluster[:60])


def test_a_known_definition_has_no_effect_on_a_share_by_construction() -> None:
    found = embedded()
    for one in found.curve("academia_share_last").specifications:
        assert (one.settings["large"] == "known") == (one.excludes is None)
    assert len(found.curve("academia_share_last").with_effect) < len(
        found.curve("academia_share_last").specifications
    )


def test_findings_name_every_headline_and_say_that_a_median_is_no_estimate() -> None:
    findings = {finding.id: finding for finding in embedded().findings()}
    assert set(findings) == {
        f"divide.specification_{what}.{name}" for what in ("median", "joint_p") for name in DEFAULT
    }
    median = findings["divide.specification_median.gap_oom"]
    assert median.estimate.low is None
    assert "no estimate" in median.cautions[0]
    assert {"share_same_sign", "share_excluding_null", "lowest", "highest"} <= set(median.details)
    joint = findings["divide.specification_joint_p.gap_oom"]
    assert any("planted tables" in caution for caution in joint.cautions)
    p = joint.estimate.value
    assert p is not None
    assert 0 < p <= 1


@pytest.mark.slow
@pytest.mark.ci
def test_pictures_hold_every_specification_with_its_settings() -> None:
    found = embedded()
    for curve in found.curves:
        frame = curve_data(curve)
        assert frame.height == len(curve.values)
        drawn = draw_curve(curve).to_dict()
        assert sum(len(rows) for rows in drawn["datasets"].values()) == frame.height
    assert next(figure.id for figure in specification_figures(found)) == "specification-academia-share-last"


def test_the_section_says_that_the_median_is_no_truth_and_marks_what_is_ours() -> None:
    section = specification_section(embedded())
    text = " ".join(block for block in section.blocks() if isinstance(block, str))
    assert "not an estimate of the truth" in text
    assert "[D]" in text
    assert len(section.tables[0].rows) == len(DEFAULT)


def test_the_choice_that_moves_a_headline_most_is_found_among_like_pairs() -> None:
    def one(value: float, **settings: str) -> Specification:
        return Specification(
            headline="gap_oom", settings=settings, n=9, value=value, effect=value, excludes=True
        )

    # The strict rule exists in the later edition only, where everything is higher by one.
    made_up = (
        one(1.0, snapshot="2023", rule="teams by organisation", since="2010"),
        one(1.2, snapshot="2023", rule="teams by organisation", since="2012"),
        one(2.0, snapshot="2025", rule="teams by organisation", since="2010"),
        one(2.2, snapshot="2025", rule="teams by organisation", since="2012"),
        one(2.3, snapshot="2025", rule="teams by organisation, strict", since="2010"),
    )
    curve = Curve(headline="gap_oom", specifications=made_up, joint=None)
    best = strongest(curve)
    assert best is not None
    assert (best["choice"], best["from"], best["to"], best["pairs"]) == ("snapshot", "2023", "2025", 2)
    assert best["change"] == pytest.approx(1.0)
    assert "edition of the table" in moved_most(curve)
    assert direction(curve) == "Every choice gives the same direction."
    alone = Curve(headline="gap_oom", specifications=made_up[:1], joint=None)
    assert strongest(alone) is None
    assert moved_most(alone) == ""


def test_a_filter_or_headline_that_a_table_does_not_allow_is_left_out_with_a_caution() -> None:
    rows = [row | {"notability": None} for row in rows_made(2) if row["date"] >= "2016"]
    found = specification(table(rows[:25]), joint=0)
    assert {one.settings["filter"] for one in found.curve("gap_oom").specifications} == {"none"}
    assert any("pass the filter notable_not_deployed" in caution for caution in found.cautions)
    assert any("academia-only share" in caution for caution in found.cautions)
    with pytest.raises(KeyError):
        found.curve("academia_share_change")


def test_what_cannot_be_run_is_refused() -> None:
    with pytest.raises(SettingError, match=r"joint=50, must be 0 or at least 100"):
        specification(made(1), joint=50)
    with pytest.raises(SettingError, match=r"headline='gap', must be one of .* Did you mean 'gap_oom'"):
        specification(made(1), headline="gap", joint=0)  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match=r"models_2023 holds the same rows as models_2022"):
        specification([made(1, name="models_2022"), made(1, name="models_2023")], joint=0)
    with pytest.raises(EvidenceError, match="none, needs at least one table"):
        specification([], joint=0)
    with pytest.raises(SettingError, match="large is empty"):
        Grid(large=())
    unnoted = [row | {"notability": None} for row in rows_made(1)]
    with pytest.raises(EvidenceError, match="no system passes notable_not_deployed"):
        specification(table(unnoted), grid=SMALL, joint=0)
    academic = [row | {"team_label": "Academia"} for row in rows_made(1)]
    with pytest.raises(EvidenceError, match="none of gap_oom can be had from"):
        specification(table(academic), headline="gap_oom", joint=0)


def test_the_command_prints_specifications_and_offers_every_headline() -> None:
    assert OFFERED == HEADLINES
    done = CliRunner().invoke(
        command, ["notable_systems", "--joint", "100", "--headline", "gap_oom", "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert {row["headline"] for row in document["tables"]["specifications"]} == {"gap_oom"}
    assert {finding["id"].split(".")[1] for finding in document["findings"]} == {
        "specification_median",
        "specification_joint_p",
    }
    plain = CliRunner().invoke(command, ["notable_systems", "--joint", "0", "--headline", "gap_widening"])
    assert plain.exit_code == 0
    assert "Yearly widening of the gap in training compute, by choice" in plain.stdout
