"""The engine's log link on the points of Chinchilla's figure 4, against published refits.

Oracle: Besiroglu et al. (2024), replication of Hoffmann et al. (2022), approach 3; values and tolerances
in tests/golden/chinchilla_refit.json.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isoflop.stats.exp_sum import ExpSumDesign, Huber
from isoflop.stats.multistart import all_minima

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "chinchilla_refit.json").read_text())
STARTS = np.array(
    list(itertools.product([0, 10, 20], [0, 10, 20], [-1, 0, 1], [0, 1], [0, 1])),
    float,
)


@pytest.fixture(scope="module")
def points(public_data):
    """Return design and log losses of the 240 points that the replication keeps."""
    table = pl.read_csv(public_data / "scaling" / "chinchilla" / "svg_extracted_data.csv")
    table = table.sort("loss").head(table.height - 5)
    n = np.log(table["Model Size"].to_numpy())
    d = np.log(table["Training FLOP"].to_numpy() / 6) - n
    one, zero = np.ones(len(n)), np.zeros(len(n))
    design = ExpSumDesign(
        terms=(
            np.column_stack([one, zero, zero, -n, zero]),
            np.column_stack([zero, one, zero, zero, -d]),
            np.column_stack([zero, zero, one, zero, zero]),
        )
    )
    return design, np.log(table["loss"].to_numpy())


def check(theta: np.ndarray, golden: dict[str, float]) -> None:
    a, b, e = np.exp(theta[:3])
    assert a == pytest.approx(golden["A"], rel=5e-4)
    assert b == pytest.approx(golden["B"], rel=1e-3)
    assert e == pytest.approx(golden["E"], rel=1e-4)
    assert theta[3] == pytest.approx(golden["alpha"], rel=1e-4)
    assert theta[4] == pytest.approx(golden["beta"], rel=1e-4)


@pytest.mark.public_data
def test_huber_optimum_is_the_replications(points):
    design, y = points
    golden = GOLDEN["huber_1e-3"]
    best = all_minima(design, y, starts=STARTS, weights=np.ones(design.n), loss=Huber(1e-3), link="log")[0]
    assert design.n == 240
    assert best.objective <= golden["objective"] + 1e-10
    check(best.theta, golden)
