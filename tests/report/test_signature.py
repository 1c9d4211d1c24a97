"""The signature picture: every factor where it belongs, with its interval or its reason."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.findings import Estimate, Finding, Provenance
from isoflop.outlook.signature import FARTHEST, halving_on_the_frontier, signature, signature_data
from isoflop.present import image


def finding(name: str, estimate: Estimate, *, kind: str = "embedded", **details: Any) -> Finding:
    table = Provenance(
        name="t",
        source="s",
        kind=kind,
        rows_used=1,
        rows_dropped=0,
        fingerprint="f",  # type: ignore[arg-type]
    )
    return Finding(
        id=name,
        instrument=name.partition(".")[0],
        label=name,
        estimate=estimate,
        method="",
        n=1,
        evidence=(table,),
        details=details,
    )


RATE = finding("progress.rate_per_year", Estimate(value=1.0, low=0.5, high=2.0, level=0.95, unit="ln/yr"))
GAP = finding("divide.gap_oom", Estimate(value=2.0, low=1.0, high=3.0, level=0.95, unit="oom"))
SLOW = finding(
    "portability.slowdown_median",
    Estimate(value=90.0, low=44.0, level=0.95, unit="×", interval="open_above"),
    kind="published",
)
GAIN = finding(
    "routing.compute_equivalent_gain",
    Estimate(value=None, low=0.5, unit="×", interval="open_above"),
    reason="the router scores above every single model; nothing is as good",
)


@given(st.floats(-3, 6), st.floats(0, 3), st.floats(0, 3))
def test_rates_and_orders_of_magnitude_become_factors(value: float, below: float, above: float) -> None:
    estimate = Estimate(value=value, low=value - below, high=value + above, level=0.95, unit="")
    frame = signature_data(
        [finding("progress.rate_per_year", estimate), finding("divide.gap_oom", estimate)]
    ).to_dicts()
    for row, base in zip(frame, (math.e, 10.0), strict=True):
        for name, exponent in (("value", value), ("low", value - below), ("high", value + above)):
            assert row[name] == pytest.approx(base**exponent)


@given(st.floats(0.05, 2), st.floats(0.05, 2))
def test_the_halving_factor_halves_the_reducible_loss_of_the_best_split(alpha: float, beta: float) -> None:
    law = {"alpha": {"value": alpha}, "beta": {"value": beta}}
    given_law = finding(
        "scaling.frontier_exponent_a", Estimate(value=0.5, unit="1"), law="chinchilla", parameters=law
    )
    factor = halving_on_the_frontier(given_law).value
    assert factor is not None

    def best(log_compute: float) -> float:
        # Equal slopes: alpha A N^-alpha = beta B D^-beta with A = B = 1 and N D = C, in logarithms.
        log_n = (math.log(alpha / beta) + beta * log_compute) / (alpha + beta)
        return math.exp(-alpha * log_n) + math.exp(-beta * (log_compute - log_n))

    assert best(40.0 + math.log(factor)) / best(40.0) == pytest.approx(0.5)


def test_another_law_has_no_such_factor() -> None:
    other = finding("scaling.frontier_exponent_a", Estimate(value=0.5, unit="1"), law="kaplan")
    (row,) = signature_data([other]).to_dicts()
    assert row["value"] is None
    assert row["said"].startswith("not identified: the fitted law has no such factor")


def test_a_row_without_a_value_says_why_and_an_open_interval_is_open() -> None:
    rows = {row["finding"]: row for row in signature_data([RATE, GAP, SLOW, GAIN]).to_dicts()}
    gain, slow = rows["routing.compute_equivalent_gain"], rows["portability.slowdown_median"]
    assert gain["interval"] == "not identified"
    assert gain["said"].endswith(GAIN.details["reason"])
    assert (slow["interval"], slow["high"], slow["evidence"]) == ("open above", None, "published result")


@pytest.mark.slow
@pytest.mark.ci
def test_the_picture_draws_every_row_and_stays_within_its_axis() -> None:
    far = finding("divide.gap_oom", Estimate(value=2.0, low=1.0, high=30.0, level=0.95, unit="oom"))
    figure = signature([RATE, far, SLOW, GAIN])
    assert figure is not None
    spec = image.specification(figure)
    svg = image.to_svg(spec)
    for row in figure.frame.iter_rows(named=True):
        assert row["label"].replace("'", "&apos;") in svg or row["label"] in svg
        assert row["label"] in figure.alt
        assert row["said"] in figure.alt
    domains = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in spec["layer"]
        if "scale" in layer["encoding"].get("x", {})
    ]
    assert domains
    assert all(0 < low <= 1 and high <= 1.3 * FARTHEST for low, high in domains)
    assert "1 of 4 rows without a value" in figure.interval


@pytest.mark.parametrize("findings", [[], [RATE], [RATE, GAIN]])
def test_fewer_than_two_values_make_no_picture(findings: list[Finding]) -> None:
    assert signature(findings) is None
