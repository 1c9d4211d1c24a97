"""Own recipes: how they are read, and the inputs that their makers give."""

from __future__ import annotations

import hashlib
import json
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.portability.task import digest
from isoflop.portability.worker.interface import Leaf
from isoflop.portability.worker.recipes.book import lift, named, read
from isoflop.portability.worker.recipes.inputs import MAKERS, Stream, array, dtype_of
from isoflop.portability.worker.recipes.provider import Library, Recipes
from isoflop.portability.worker.recipes.rebuild import REBUILD

OPTIONS = {"index": {"below": 5}, "sorted_index": {"below": 5}}
JAX = ("isoflop.portability.worker.jax", ("numpy.txt", "others.txt"))
TENSORFLOW = ("isoflop.portability.worker.tensorflow", ("public.txt",))
FINGERPRINT = "ace11eb160a730ac"


def library() -> Library:
    """Return NumPy as a framework of recipes."""
    return Library(version="1", roots={"jax": Numpy}, array=lambda v, d: v.astype(d), dtype=np.dtype)


class Numpy:
    """Stands for ``jax``: its ``numpy`` is NumPy."""

    numpy = np


def provider() -> Recipes:
    """Return the recipes of jax.numpy, answered by NumPy."""
    return Recipes(
        name="numpy_recipes", framework="jax", package=JAX[0], files=("numpy.txt",), library=library
    )


@given(
    maker=st.sampled_from(sorted(MAKERS)), n=st.integers(1, 6), dtype=st.sampled_from(["float32", "bfloat16"])
)
@settings(max_examples=40, deadline=None)
def test_a_maker_gives_the_same_numbers_again_and_keeps_its_shape(maker: str, n: int, dtype: str) -> None:
    one, other = (array(maker, (n, n), OPTIONS.get(maker, {}), dtype, 3, "here") for _ in range(2))
    assert one.shape == (n, n)
    np.testing.assert_array_equal(one, other)


def test_the_numbers_of_makers_are_those_of_every_other_computer() -> None:
    drawn = hashlib.sha256()
    for maker in sorted(MAKERS):
        made = array(maker, (5, 5), OPTIONS.get(maker, {}), "float32", 0, "fixed")
        drawn.update(np.ascontiguousarray(made).tobytes())
    assert drawn.hexdigest()[:16] == FINGERPRINT, "raise GENERATOR with any change of these numbers"


def test_makers_keep_to_their_domains() -> None:
    def made(maker: str, *shape: int, **options: float) -> np.ndarray:
        return array(maker, shape, dict(options), "float64", 1)

    assert np.all((made("prob", 50) > 0) & (made("prob", 50) < 1))
    assert np.all(made("over1", 50) > 1)
    assert np.all(np.diff(made("increasing", 50)) > 0)
    assert len(set(made("distinct", 50).tolist())) == 50
    assert sorted(made("order", 9).tolist()) == list(range(9))
    assert made("index", 99, below=7, low=3).min() == 3
    assert made("index", 99, below=7, low=3).max() == 6
    np.testing.assert_allclose(made("simplex", 4, 3).sum(axis=-1), 1.0, rtol=1e-15)
    assert np.linalg.eigvalsh(made("spd", 6, 6)).min() > 0
    assert np.linalg.cond(made("regular", 8, 8)) < 100


@given(st.floats(-(2.0**99), 2.0**99, width=32))
def test_bfloat16_rounds_to_the_nearest_and_is_not_rounded_again(value: float) -> None:
    from isoflop.portability.worker.recipes.inputs import _rounded

    once = _rounded(np.array([value]), "bfloat16")
    np.testing.assert_array_equal(_rounded(once, "bfloat16"), once)
    # 8 bits of significand: half a unit in the last place is 2**-9 of the value.
    assert abs(once[0] - value) <= abs(value) * 2.0**-8 + 1e-38


def test_whole_numbers_and_truth_values_replace_fractions_where_the_item_says_so() -> None:
    assert array("x", (8,), {}, "int32", 0).dtype.kind == "i"
    assert array("x", (8,), {}, "uint8", 0).min() >= 0
    assert array("x", (8,), {}, "bool", 0).dtype == np.bool_
    assert dtype_of("complex", "float16") == "complex64"


def test_streams_of_different_names_differ() -> None:
    assert not np.array_equal(Stream("a").fractions((4,)), Stream("b").fractions((4,)))


def test_lines_share_arguments_and_a_ladder_makes_one_recipe_a_rung() -> None:
    book = read(
        "[lib]\n# why\nsin cos: x(2)\nmatmul: x(N, N), x(N, N) | N=8,64 nograd\n= lib.Layer(3)(x(3)) | random"
    )
    assert [one.function for one in book] == ["lib.sin", "lib.cos", "lib.matmul", "lib.matmul", "lib.Layer"]
    assert [(one.size_class, one.ladder) for one in book[2:4]] == [("tiny", 8), ("small", 64)]
    assert not book[2].gradient
    assert book[4].kind == "random"
    text, inputs = lift(book[3])
    assert text == "lambda _0, _1: lib.matmul(_0, _1)"
    assert [one.shape for one in inputs] == [(64, 64), (64, 64)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sin x(2)", "neither"),
        ("sin: x(2", "line 2"),
        ("sin: x(2) | fast", "unknown option 'fast'"),
        ("= x(2) + x(2)", "write 'name = expression'"),
    ],
)
def test_a_line_that_is_no_recipe_is_named(line: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        read(f"[lib]\n{line}")


def test_names_pass_through_brackets() -> None:
    assert named("lib.make(1)[0].run(x(2))") == "lib.make.run"


def test_an_item_finds_its_recipe_again_and_its_call_gives_what_numpy_gives() -> None:
    recipes = provider()
    items = {item.function: item for item in recipes.items(dtypes=(), sizes=("small",), samples=1)}
    item = items["jax.numpy.hypot"]
    call = recipes.make(item, 0)
    assert item.sample_id == digest(call.signature, 0)
    np.testing.assert_array_equal(call.function(*call.args), np.hypot(*call.args))
    assert call.args[0].dtype == np.float32
    assert call.float64 is not None
    wide = call.float64()
    assert wide.args[0].dtype == np.float64
    np.testing.assert_array_equal(wide.args[0].astype(np.float32), call.args[0])


def test_seeds_and_samples_change_the_numbers_and_the_ids() -> None:
    recipes = provider()
    two = [
        i for i in recipes.items(dtypes=("float32",), sizes=(), samples=2) if i.function == "jax.numpy.sin"
    ]
    assert len({item.sample_id for item in two}) == len({item.item_id for item in two}) == 2
    first, second, reseeded = recipes.make(two[0], 0), recipes.make(two[1], 0), recipes.make(two[0], 1)
    assert not np.array_equal(first.args[0], second.args[0])
    assert not np.array_equal(first.args[0], reseeded.args[0])


@pytest.mark.parametrize(("home", "least"), [(JAX, {"jax.numpy": 300}), (TENSORFLOW, {"tensorflow": 400})])
def test_the_books_that_ship_are_whole(home: tuple[str, tuple[str, ...]], least: dict[str, int]) -> None:
    package, files = home
    book = [one for name in files for one in read(resources.files(package).joinpath(name).read_text("utf-8"))]
    for one in book:
        lift(one)
        assert one.rebuild is None or one.rebuild in REBUILD
    for prefix, n in least.items():
        assert len({one.function for one in book if one.function.startswith(prefix + ".")}) >= n
    keys = [(one.expression, one.ladder) for one in book]
    assert len(set(keys)) == len(keys)


def leaf(values: np.ndarray) -> Leaf:
    """Return a leaf on the host."""
    return Leaf(array=values, dtype="float64", shape=values.shape)


@given(st.integers(0, 99), st.sampled_from([1.0, -1.0]))
@settings(max_examples=20, deadline=None)
def test_factors_of_other_signs_are_the_same_factorisation(seed: int, sign: float) -> None:
    matrix = np.random.default_rng(seed).normal(size=(5, 4))
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    signs = np.where(np.arange(4) % 2, sign, 1.0)
    for one, other in zip(
        REBUILD["svd"]((leaf(u), leaf(s), leaf(vh)), ()),
        REBUILD["svd"]((leaf(u * signs), leaf(s), leaf(vh * signs[:, None])), ()),
        strict=True,
    ):
        np.testing.assert_allclose(one.array, other.array, atol=1e-12)  # type: ignore[arg-type]
    np.testing.assert_allclose(REBUILD["svd_s_first"]((leaf(s), leaf(u), leaf(vh.T)), ())[0].array, matrix)
    q, r = np.linalg.qr(matrix)
    np.testing.assert_allclose(REBUILD["qr"]((leaf(q), leaf(r)), ())[0].array, matrix)
    square = matrix[:4] + 9 * np.eye(4)
    w, v = np.linalg.eig(square)
    np.testing.assert_allclose(REBUILD["eig"]((leaf(w), leaf(v)), ())[0].array, square, atol=1e-10)
    left = np.linalg.inv(v).conj().T
    np.testing.assert_allclose(REBUILD["eig_left"]((leaf(w), leaf(left)), ())[0].array, square, atol=1e-10)


def test_addresses_are_json_and_hold_no_path() -> None:
    items = list(provider().items(dtypes=(), sizes=(), samples=1))
    assert all(set(json.loads(item.address)) <= {"recipe", "n"} for item in items)
    assert len({item.item_id for item in items}) == len(items)
