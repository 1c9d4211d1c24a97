"""Who is among the most cited of a venue and year."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.impact.find import impact, percentiles
from isoflop.errors import EvidenceError, SettingError

from .made_works import works

RTOL = 1e-9


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=40))
def test_percentiles_are_scipys_ranks_within_each_stratum(rows: list[tuple[int, int]]) -> None:
    stratum, citations = (np.array(column) for column in zip(*rows, strict=True))
    found = percentiles(citations.astype(float), stratum)
    for one in np.unique(stratum):
        inside = stratum == one
        np.testing.assert_allclose(found[inside], scipy.stats.rankdata(citations[inside]) / inside.sum())


def made(rng: np.random.Generator, ratio: float, papers: int = 4000) -> list[dict[str, object]]:
    """Return papers at four venues whose odds of many citations differ by `ratio` between teams."""
    rows: list[dict[str, object]] = []
    for place in range(papers):
        venue = int(rng.integers(0, 4))
        # Venues with more industry are cited more: without strata the ratio would come out too large.
        with_industry = rng.random() < (0.1, 0.2, 0.5, 0.7)[venue]
        odds = 0.08 * (ratio if with_industry else 1.0)
        high = rng.random() < odds / (1 + odds)
        team = ("industry", "collaboration")[place % 2] if with_industry else "academia"
        count = (1000 if high else 0) + int(rng.integers(0, 100)) + 5000 * venue
        rows.append({"venue": f"v{venue}", "team": team, "citations": count})
    return rows


def test_a_planted_odds_ratio_is_recovered_across_venues_that_differ() -> None:
    found = impact(works(made(np.random.default_rng(0), 2.0, 8000)))
    contrast = found.contrast()
    assert contrast is not None
    low, high = contrast.ratio.low, contrast.ratio.high
    assert low is not None
    assert high is not None
    assert low < 2.0 < high
    assert high / low < 1.5


@pytest.mark.slow
@pytest.mark.ci
def test_no_difference_gives_a_ratio_of_one() -> None:
    contrast = impact(works(made(np.random.default_rng(1), 1.0))).contrast()
    assert contrast is not None
    assert contrast.ratio.low is not None
    assert contrast.ratio.high is not None
    assert contrast.ratio.low < 1.0 < contrast.ratio.high


@pytest.mark.slow
@pytest.mark.ci
@given(st.floats(0.01, 1000), st.integers(0, 500))
def test_scale_and_shift_of_citations_do_not_matter(scale: float, shift: int) -> None:
    rows = made(np.random.default_rng(2), 1.5, 300)
    moved = [row | {"citations": scale * float(row["citations"]) + shift} for row in rows]  # type: ignore[arg-type]
    first, second = impact(works(rows)), impact(works(moved))
    assert first.rows() == second.rows()
    assert first.contrast_rows() == second.contrast_rows()


def test_small_strata_and_papers_without_counts_are_left_out_and_counted() -> None:
    rows = [{"venue": "big", "citations": i, "team": "academia"} for i in range(50)]
    rows += [{"venue": "small", "citations": i, "team": "industry"} for i in range(10)]
    rows += [{"venue": "big", "citations": None, "team": "industry"} for _ in range(30)]
    found = impact(works(rows))
    assert (found.n, found.strata, found.without_citations) == (50, 1, 30)
    assert any("30 of 90 papers have no count" in caution for caution in found.cautions)
    assert found.contrast() is None
    with pytest.raises(EvidenceError, match="needs one that has"):
        impact(works(rows), least=100)


def test_papers_of_unknown_team_take_their_rank_but_are_not_counted() -> None:
    rows = [{"citations": i, "team": "unknown" if i >= 80 else "academia"} for i in range(100)]
    found = impact(works(rows))
    assert found.n == 80
    assert found.share("academia").share.value == 0.0


def test_fractional_counting_splits_a_collaboration() -> None:
    rows = [{"citations": i, "team": "collaboration" if i % 2 else "academia"} for i in range(100)]
    found = impact(works(rows), counting="fractional")
    papers = {one.team: one.papers for one in found.shares if one.top == 0.9}
    # Fifty academic papers and half of each of fifty joint ones; industry signs nothing alone.
    assert papers == {"academia": 75.0, "industry": 25.0}
    assert found.share("academia").share.low is not None


def test_findings_are_headed_by_industry_involved_over_the_top_tenth() -> None:
    found = impact(works(made(np.random.default_rng(3), 2.0, 1500)))
    ids = [f.id for f in found.findings()]
    assert ids[0] == "divide.impact_odds_ratio"
    assert {"divide.impact_odds_ratio.industry.top_percent", "divide.top_decile_share.academia"} <= set(ids)
    assert len(set(ids)) == len(ids)
    assert "Odds ratio" in found.summary()
    with pytest.raises(SettingError, match="counting='half'"):
        impact(works([{}]), counting="half")  # type: ignore[arg-type]
