"""The theme: readable in both modes, told apart by colour-blind readers, few tidy ticks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.present import theme

TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0
"""WCAG 2.2: 1.4.3 for text, 1.4.11 for graphics."""
APART = 15.0
"""Smallest CIE76 distance between two categories as a dichromat sees them; 2.3 is just noticeable."""
FIRST = 6
"""Categories that a chart usually needs, and that must stay apart for every reader."""
# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEFICIENCIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    a, b = sorted((float(weights @ linear(c)) for c in (first, second)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def lab(colour: str, matrix: list[list[float]]) -> np.ndarray:
    xyz = XYZ @ np.clip(np.array(matrix) @ linear(colour), 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def shown(colour: str, mode: str) -> str:
    return theme.DARK[colour] if mode == "dark" else colour


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_marks_stand_out_from_the_page(mode: str) -> None:
    paper = shown(theme.PAPER, mode)
    for colour in (theme.INK, theme.MUTED):
        assert contrast(shown(colour, mode), paper) >= TEXT_CONTRAST
    for colour in (*theme.PALETTE, theme.RULE):
        assert contrast(shown(colour, mode), paper) >= MARK_CONTRAST


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_first_categories_stay_apart(mode: str, deficiency: str) -> None:
    colours = [lab(shown(c, mode), DEFICIENCIES[deficiency]) for c in theme.PALETTE[:FIRST]]
    distances = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(colours, 2)]
    assert min(distances) >= APART


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_ramp_goes_one_way_from_the_page(mode: str) -> None:
    steps = [contrast(shown(c, mode), shown(theme.PAPER, mode)) for c in theme.RAMP]
    assert steps == sorted(steps)
    assert len(set(theme.DARK.values())) == len(theme.DARK)


@given(st.floats(-25, 25), st.floats(0.2, 40))
def test_logarithmic_ticks_are_few_ordered_and_inside(first: float, length: float) -> None:
    low, high = 10.0**first, 10.0 ** (first + length)
    ticks = theme.log_ticks(low, high)
    assert 1 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-6) <= t <= high * (1 + 1e-6) for t in ticks)


@given(st.integers(-20, 20), st.integers(2, 30))
def test_ticks_over_decades_are_powers_of_ten_at_equal_steps(first: int, length: int) -> None:
    exponents = [math.log10(t) for t in theme.log_ticks(10.0**first, 10.0 ** (first + length))]
    assert all(e == pytest.approx(round(e), abs=1e-9) for e in exponents)
    assert len({round(b - a) for a, b in itertools.pairwise(exponents)}) == 1


def test_the_axis_labels_powers_in_type() -> None:
    axis = theme.log_axis("compute (FLOP)", 1e20, 1e24).to_dict()
    assert "10²³" in axis["labelExpr"]
    assert axis["values"] == [1e20, 1e21, 1e22, 1e23, 1e24]
    assert "'20'" in theme.log_axis("months", 3, 30).to_dict()["labelExpr"]


def test_the_scale_holds_the_data_with_a_margin() -> None:
    low, high = theme.log_scale(1e3, 1e6).to_dict()["domain"]
    assert low < 1e3
    assert high > 1e6
