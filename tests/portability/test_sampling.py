"""Designs and estimators: inclusion probabilities, non-response, the paper's mode, R's survey package."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.counted import share_estimate
from isoflop.portability.model import Bootstrap
from isoflop.portability.sampling import PPS, Deciles, Sample, design_share, parse_design, sample
from isoflop.portability.sampling.result import Drawn, Stratum
from isoflop.portability.task import Item

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "portability_design.json").read_text())
EXACT = 1e-12
"""The same formula in two languages."""
BREWER = 5e-3
"""Hájek's and Brewer's approximations of one variance differ by this much at ten draws."""
DESIGNS = ("census", "top:7", "deciles:2,5", "deciles-paper:2,5", "pps:15")


def usage(count: int = 90, seed: int = 0) -> dict[str, float]:
    """Return calls that fall off like those of real code."""
    calls = np.ceil(2000 / np.arange(1, count + 1) ** 1.2)
    names = np.random.default_rng(seed).permutation(count)
    return {f"f{name:03d}": float(n) for name, n in zip(names, calls, strict=True)}


@given(st.sampled_from(DESIGNS), st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_a_design_stands_for_its_population(design: str, seed: int) -> None:
    calls = usage()
    drawn = sample(list(calls), calls, design=design, seed=seed)
    names = [one.name for one in drawn.drawn]
    assert len(set(names)) == len(names)
    assert all(0 < one.probability <= 1 for one in drawn.drawn)
    if not design.startswith(("top", "pps")):
        stands_for = sum(1 / one.probability for one in drawn.drawn)
        assert stands_for == pytest.approx(len(calls))
        assert drawn.size == len(calls)
    if design.startswith("pps"):
        assert len(names) == 15
        assert sum(one.calls / one.probability for one in drawn.drawn) == pytest.approx(sum(calls.values()))


@given(st.sampled_from(DESIGNS), st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_the_same_seed_draws_the_same_whatever_the_order_of_the_table(design: str, seed: int) -> None:
    calls = usage()
    turned = dict(reversed(calls.items()))
    assert sample(list(calls), calls, design=design, seed=seed).to_dict() == (
        sample(list(turned), turned, design=design, seed=seed).to_dict()
    )


@given(st.sampled_from(DESIGNS[:-1]), st.integers(0, 10), st.sampled_from(["functions", "calls"]))
@settings(max_examples=15, deadline=None)
def test_if_all_or_none_fail_the_share_is_one_or_nought(design: str, seed: int, of: Any) -> None:
    drawn = sample(list(usage()), usage(), design=design, seed=seed)
    for fails in (True, False):
        found = design_share(drawn, dict.fromkeys(drawn.functions, fails), of=of)
        assert found.estimate.value == pytest.approx(float(fails))
        assert found.band == pytest.approx((float(fails), float(fails)))


@given(st.lists(st.booleans(), min_size=3, max_size=40))
@settings(max_examples=20)
def test_a_census_reproduces_the_plain_share(fails: list[bool]) -> None:
    answers = {f"f{i}": one for i, one in enumerate(fails)}
    found = design_share(sample(list(answers), design="census"), answers)
    assert found.estimate == share_estimate(sum(fails), len(fails))


def _golden(rows: list[dict[str, Any]], design: Any, size: dict[str, int]) -> Sample:
    drawn_of = Counter(row.get("stratum", "by calls") for row in rows)
    return Sample(
        design=design,
        seed=0,
        drawn=tuple(
            Drawn(
                name=f"f{i}",
                stratum=row.get("stratum", "by calls"),
                order=i + 1,
                calls=row["calls"],
                probability=row["chance"] if "chance" in row else drawn_of[row["stratum"]] / row["size"],
                testable=True,
            )
            for i, row in enumerate(rows)
        ),
        strata=tuple(
            Stratum(
                name=name, size=n, calls=0.0, drawn=drawn_of[name], testable=drawn_of[name], certainty=False
            )
            for name, n in size.items()
        ),
    )


@pytest.mark.parametrize("kept", ["whole", "answered"])
@pytest.mark.parametrize("of", ["functions", "calls"])
def test_a_stratified_share_is_that_of_the_survey_package(kept: str, of: Any) -> None:
    part = GOLDEN["stratified"]
    drawn = _golden(part["rows"], Deciles(), {row["stratum"]: row["size"] for row in part["rows"]})
    answers = {
        f"f{i}": bool(row["y"]) for i, row in enumerate(part["rows"]) if kept == "whole" or row["answered"]
    }
    found = design_share(drawn, answers, of=of)
    assert found.variance is not None
    assert found.estimate.value == pytest.approx(part[kept][of], rel=EXACT)
    assert found.variance**0.5 == pytest.approx(part[kept][f"{of}_se"], rel=EXACT)


@pytest.mark.parametrize("of", ["functions", "calls"])
def test_a_share_under_chances_by_calls_is_near_that_of_the_survey_package(of: Any) -> None:
    part = GOLDEN["pps"]
    drawn = _golden(part["rows"], PPS(n=10), {"by calls": 80})
    found = design_share(drawn, {f"f{i}": bool(row["y"]) for i, row in enumerate(part["rows"])}, of=of)
    assert found.variance is not None
    assert found.estimate.value == pytest.approx(part["whole"][of], rel=EXACT)
    assert found.variance**0.5 == pytest.approx(part["whole"][f"{of}_se"], rel=BREWER)


def test_the_rescaled_bootstrap_has_the_variance_of_the_formula() -> None:
    part = GOLDEN["stratified"]
    drawn = _golden(part["rows"], Deciles(), {row["stratum"]: row["size"] for row in part["rows"]})
    answers = {f"f{i}": bool(row["y"]) for i, row in enumerate(part["rows"])}
    found = design_share(drawn, answers, ci=Bootstrap(reps=4000))
    assert found.variance is not None
    assert found.variance**0.5 == pytest.approx(part["whole"]["functions_se"], rel=0.05)


def test_functions_without_inputs_are_replaced_and_recorded() -> None:
    calls = usage()
    able = [name for name in calls if int(name[1:]) % 3]
    drawn = sample(able, calls, design="deciles:3,0", seed=1)
    lost = [one for one in drawn.drawn if not one.testable]
    assert lost
    assert set(drawn.untestable) == {one.name for one in lost}
    for stratum in drawn.strata:
        assert stratum.testable == 3
        orders = [one.order for one in drawn.drawn if one.stratum == stratum.name]
        assert orders == list(range(1, len(orders) + 1))
    answers = dict.fromkeys(drawn.functions, False)
    found = design_share(drawn, answers)
    assert found.band[0] == 0.0 < found.band[1]
    assert "count as non-response" in drawn.cautions[0]


def test_the_paper_draws_the_most_used_twice_and_we_do_not() -> None:
    calls = usage()
    ours = sample(list(calls), calls, design=Deciles(per=4, top=20), seed=0)
    paper = sample(list(calls), calls, design=Deciles(per=4, top=20, paper=True), seed=0)
    assert ours.twice == ()
    assert len(paper.twice) > 0
    assert any("drawn twice" in text for text in paper.cautions)
    assert len([one for one in ours.drawn if one.stratum == "most used"]) == 20


def test_equal_cuts_are_one_stratum() -> None:
    calls = dict.fromkeys((f"f{i:02d}" for i in range(30)), 1.0) | {"g1": 5.0, "g2": 9.0}
    drawn = sample(list(calls), calls, design="deciles:1,0")
    assert [one.size for one in drawn.strata] == [30, 2]


def test_a_sample_survives_being_written() -> None:
    drawn = sample(list(usage()), usage(), design="pps:12", seed=3)
    again = Sample.of(json.loads(json.dumps(drawn.to_dict())))
    assert again.to_dict() == drawn.to_dict()
    answers = {name: i % 2 == 0 for i, name in enumerate(drawn.functions)}
    assert design_share(again, answers).estimate == design_share(drawn, answers).estimate
    with pytest.raises(EvidenceError, match="isoflop portability sample --out"):
        Sample.of({"design": "census"})


def test_the_items_of_drawn_functions_are_handed_on() -> None:
    items = [Item(framework="fake", function=f"f{i}", provider="fake", dtype="float32") for i in range(4)]
    drawn = sample(items, {"f1": 3, "f9": 2}, design="census")
    assert [item.function for item in drawn.items] == ["f1"]
    assert (drawn.untestable, drawn.unused) == (("f9",), 3)


@pytest.mark.parametrize(
    ("design", "counts", "error", "message"),
    [
        ("deciles:5,0", {f"f{i}": i + 1 for i in range(20)}, EvidenceError, "5 functions in a stratum of 2"),
        ("top:5", None, SettingError, "needs them"),
        ("census", {"f1": 0.0}, EvidenceError, "no function is called"),
        ("census", {"f1": -1.0}, EvidenceError, "a count is finite and >= 0"),
        ("decile:5", {"f1": 1.0}, SettingError, "Did you mean 'deciles'"),
        ("top:0", {"f1": 1.0}, SettingError, "must be >= 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    design: str, counts: dict[str, float] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sample(["f1", "f2"], counts, design=design)


@pytest.mark.parametrize("text", [*DESIGNS, "deciles:5,20"])
def test_the_short_form_of_a_design_is_read_back(text: str) -> None:
    assert parse_design(text).short == text


def test_no_answer_is_refused() -> None:
    with pytest.raises(EvidenceError, match="none of the functions drawn has a result"):
        design_share(sample(["a"], design="census"), {"b": True})


@pytest.mark.public_data
def test_the_published_draw_has_the_form_of_the_papers_mode(public_data: Path) -> None:
    folder = public_data / "portability"
    frame = pl.read_csv(folder / "function_frequencies.csv").filter(pl.col("framework") == "jax")
    calls = {name: float(n) for name, n in frame.select("name", "count").iter_rows()}
    published = pl.read_csv(folder / "jax_sampled_datapoints.csv")
    drawn = sample(list(calls), calls, design=Deciles(paper=True))
    top = {one.name for one in drawn.drawn if one.stratum == "most used"}
    assert top == set(published.filter(pl.col("bucket") == "top 20")["function"].to_list())
    deciles = 9  # the first two have the same cut, one call
    assert len(drawn.drawn) + len(drawn.twice) == 5 * deciles + 20
