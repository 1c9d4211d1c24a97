"""The public learning curves: bars of the specification, on what no weight was learned from."""

from __future__ import annotations

import numpy as np
import pytest

from isoflop.evidence import load
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.settings import LAST_VALUE, STACK

IMAGE_BAR = 0.027
WORSE_THAN_LAST = 1.1
COVERAGE = (0.75, 0.85)
FOLDER = "scaling/learning_curves"


@pytest.mark.slow
@pytest.mark.public_data
def test_language_no_domain_is_worse_than_its_last_value(public_data):
    found = forecast(load(public_data / FOLDER / "benchmark.lang.csv"))
    assert len(found.curves) == 20
    for domain, scores in found.scores_by_domain.items():
        by_law = {s.law: s.rmsle.value for s in scores}
        assert by_law[STACK] <= WORSE_THAN_LAST * by_law[LAST_VALUE], domain
    covered = found.findings()[1].estimate.value
    assert COVERAGE[0] <= covered <= COVERAGE[1]


@pytest.mark.public_data
@pytest.mark.slow
def test_image_curves_are_forecast_within_the_bar_and_the_bands_hold_what_came(public_data):
    found = forecast(load(public_data / FOLDER / "benchmark.vision.birds_cifar.csv"))
    assert len(found.curves) == 36
    score, covered = found.findings()
    assert score.estimate.value <= IMAGE_BAR
    assert COVERAGE[0] <= covered.estimate.value <= COVERAGE[1]
    assert COVERAGE[0] <= covered.details["mean_over_curves"] <= COVERAGE[1]


@pytest.mark.public_data
@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.1, 0.3])
def test_far_forecasts_of_image_curves_beat_every_single_law(public_data, cut):
    found = forecast(load(public_data / FOLDER / "benchmark.vision.birds_cifar.csv"), cut=cut)
    by_law = {s.law: s.rmsle.value for s in found.scores}
    assert by_law.pop(STACK) < min(by_law.values())
    covered = np.mean([c.covered().mean() for c in found.curves])
    assert COVERAGE[0] <= covered <= COVERAGE[1]
