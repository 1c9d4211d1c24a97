"""Neighbour search and lists: equal to looking at every pair, ties by row, whatever is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.routing.neighbours.lists import hidden_rows, neighbour_lists
from isoflop.routing.neighbours.search import nearest, unit_rows

from .exact_vectors import exact, slow_nearest

FEW = settings(max_examples=12, deadline=None)


@FEW
@given(n=st.integers(2, 900), count=st.integers(1, 60), seed=st.integers(0, 99))
def test_search_equals_looking_at_every_pair_with_ties_by_row(n: int, count: int, seed: int) -> None:
    vectors = exact(n, seed)
    index, similarity = nearest(vectors[:5], vectors, count)
    for query in range(min(n, 5)):
        rows, cosine = slow_nearest(vectors, query, np.ones(n, dtype=bool), count)
        assert index[query, : rows.size].tolist() == rows.tolist()
        assert similarity[query, : rows.size].tolist() == cosine.tolist()
        assert (index[query, rows.size :] == n).all()


@FEW
@given(
    sizes=st.lists(st.integers(1, 40), min_size=3, max_size=6),
    depth=st.integers(1, 12),
    length=st.integers(1, 30),
    copies=st.booleans(),
    seed=st.integers(0, 99),
)
def test_lists_are_exact_for_every_pair_of_datasets_left_out(
    sizes: list[int], depth: int, length: int, copies: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    dataset = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = dataset.size
    vectors = exact(n, seed)
    group = rng.integers(0, n, n) if copies else None
    lists = neighbour_lists(vectors, dataset, group, depth, length)
    hidden = hidden_rows(dataset, group, len(sizes))
    first = lists.first()
    for left_out in range(len(sizes)):
        changed = lists.without(left_out)
        index, similarity = first.index.copy(), first.similarity.copy()
        index[changed.place], similarity[changed.place] = changed.index, changed.similarity
        for place in rng.permutation(n)[:12]:
            prompt = lists.order[place]
            allowed = ~(hidden[dataset[prompt], :-1] | hidden[left_out, :-1])
            rows, cosine = slow_nearest(vectors, int(prompt), allowed, depth)
            assert index[place, : rows.size].tolist() == rows.tolist()
            assert similarity[place, : rows.size].tolist() == cosine.tolist()
            assert (index[place, rows.size :] == n).all()


def test_copies_of_a_datasets_prompts_leave_the_pool_with_it() -> None:
    dataset = np.array([0, 0, 1, 1, 2])
    hidden = hidden_rows(dataset, np.array([7, 8, 7, 9, 5]), 3)
    assert hidden[0].tolist() == [True, True, True, False, False, True]
    assert hidden[1].tolist() == [True, False, True, True, False, True]
    assert hidden_rows(dataset, None, 3)[0].tolist() == [True, True, False, False, False, True]


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.ones((3, 2)), r"\(3, 2\) but 4 prompts"),
        (np.ones(4), r"\(4,\) but 4 prompts"),
        (np.array([[1.0], [np.nan], [1], [1]]), "row 1 is not finite"),
        (np.array([[1.0], [1], [0], [1]]), "row 2 is all zero"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors: np.ndarray, said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        unit_rows(vectors, 4)


@pytest.mark.slow
def test_search_agrees_with_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    vectors = unit_rows(np.random.default_rng(0).standard_normal((3000, 32)), 3000)
    theirs = NearestNeighbors(n_neighbors=40, algorithm="brute", metric="cosine").fit(vectors)
    assert (nearest(vectors[:200], vectors, 40)[0] == theirs.kneighbors(vectors[:200])[1]).mean() > 0.999
