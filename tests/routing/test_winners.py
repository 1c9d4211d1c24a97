"""A model is said to be beaten only where luck hardly explains it."""

from __future__ import annotations

import numpy as np
import pytest

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.chapter.winners import winners_section
from isoflop.routing.winners.find import winners
from tests.routing.made_scores import made, planted

REPS = 400


def test_planted_winners_are_found_and_only_they() -> None:
    accuracy = np.full((6, 4), 0.5)
    accuracy[:, 0] = 0.7
    accuracy[5, 0], accuracy[5, 3] = 0.4, 0.8
    found = winners(planted(accuracy, 300), reps=REPS)
    assert found.scored.models[found.hardest] == "m00"
    assert found.beaten[0] == 1
    assert found.rows()[5]["best"] == "m03"
    assert found.rows()[5]["p_holm"] < 0.05
    assert found.findings()[0].estimate.value == 1.0


@pytest.mark.slow
@pytest.mark.ci
def test_equal_models_are_seldom_said_to_be_beaten() -> None:
    level, tables = 0.9, 120
    said = [
        winners(planted(np.full((3, 5), 0.6), 60, seed), reps=200, level=level, seed=seed).beaten
        for seed in range(tables)
    ]
    wrong = np.mean([beaten > 0 for beaten in said])
    # 1 − level is the size for one model; tables of 120 × 5 dependent models leave about two points of noise.
    assert wrong <= 1 - level + 0.03


def test_names_and_order_of_models_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    score, dataset = rng.random((120, 4)), np.repeat([0, 1], 60)
    order = np.array([2, 0, 3, 1])
    plain, turned = (
        winners(made(score, dataset), reps=REPS),
        winners(made(score[:, order], dataset), reps=REPS),
    )
    np.testing.assert_allclose(plain.p[:, order], turned.p)


@pytest.mark.slow
@pytest.mark.ci
def test_two_models_agree_with_a_paired_test() -> None:
    rng = np.random.default_rng(2)
    score = rng.random((400, 2))
    score[:, 1] += 0.05
    found = winners(made(np.clip(score, 0, 1), np.repeat([0, 1], 200)), reps=20_000)
    difference = np.clip(score, 0, 1)[:200, 1] - np.clip(score, 0, 1)[:200, 0]
    from scipy.special import ndtr

    z = difference.mean() / (difference.std(ddof=1) / np.sqrt(200))
    assert found.p[0, 0] == pytest.approx(1 - ndtr(z), abs=0.01)


def test_tasks_that_cannot_be_tested_are_counted_as_such() -> None:
    score, dataset = np.random.default_rng(3).random((100, 3)), np.repeat([0, 1, 2], [45, 45, 10])
    found = winners(made(score, dataset), reps=REPS)
    assert found.tested == 2
    assert any("1 of 3 tasks" in caution for caution in found.cautions)


def test_twins_do_not_beat_each_other() -> None:
    score = np.random.default_rng(4).random((80, 1)).repeat(2, axis=1)
    assert winners(made(score, np.repeat([0, 1], 40)), reps=REPS).beaten.tolist() == [0, 0]


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_shows_every_number_it_draws() -> None:
    section = winners_section(winners(planted(np.full((3, 3), 0.5), 40), reps=REPS))
    assert section.figures[0].frame.height == 3
    assert section.figures[0].chart().to_dict()


@pytest.mark.parametrize(("settings", "words"), [({"level": 95.0}, "level=95"), ({"reps": 5}, "reps=5")])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        winners(planted(np.full((2, 2), 0.5), 30), **settings)


def test_one_model_is_refused() -> None:
    with pytest.raises(EvidenceError, match="1 models on 2 tasks"):
        winners(planted(np.full((2, 1), 0.5), 30))
