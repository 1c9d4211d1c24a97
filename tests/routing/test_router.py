"""A router finds planted specialists, abstains without a signal, and comes back from disk as it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing import (
    AtLeast,
    Budget,
    CostAware,
    Quality,
    add_model,
    anchors,
    coverage,
    drop_model,
    fit_router,
    load_router,
    rank,
)
from isoflop.routing.encoders.interface import EncoderId
from isoflop.routing.router.local import fit_local
from isoflop.routing.router.router import NEAREST, Router
from isoflop.routing.router.scan import bank
from isoflop.routing.router.timing import time_router
from tests.routing.made_scores import made

D, N = 12, 40
KINDS = ("sum", "word", "date")


class Marked:
    """An encoder that reads the kind and number of a made-up prompt: same kind, near vectors."""

    name, version, width, weights_sha256, max_chars = "marked", "1", 16, "ab12", None

    @property
    def id(self) -> EncoderId:
        return EncoderId(name=self.name, version=self.version, width=16, weights_sha256=self.weights_sha256)

    def encode_one(self, text: str) -> np.ndarray:
        kind, _, number = text.partition(" ")
        vector = 0.15 * np.random.default_rng(abs(int(number or 0))).standard_normal(16)
        if kind in KINDS:
            vector[KINDS.index(kind)] += 2.0
        else:
            vector[10] += 2.0
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.encode_one(text) for text in texts])

    def reads_whole(self, text: str) -> bool:  # noqa: ARG002 - the interface of encoders
        return True


def specialists(signal: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return scores of a specialist for each kind and an all-rounder, datasets, and prompts."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(D), N)
    kind = dataset % len(KINDS)
    right = np.full((D * N, 4), 0.6)
    for k in range(3):
        right[:, k] = np.where(kind == k, 0.6 + signal, 0.6 - signal / 2)
    texts = [f"{KINDS[k]} {i}" for i, k in enumerate(kind)]
    return (rng.random(right.shape) < right).astype(float), dataset, texts


@pytest.fixture(scope="module")
def router() -> Router:
    return fit_router(made(*specialists(0.35)), encoder=Marked())


def test_each_kind_goes_to_its_specialist(router: Router) -> None:
    assert not router.abstains
    for k, kind in enumerate(KINDS):
        decision = router.decide(f"{kind} 99991", explain=True)
        assert decision.choice == f"m{k:02d}"
        assert decision.neighbours
        assert sum(decision.dataset_shares.values()) == pytest.approx(1)
        assert decision.order[0] == decision.choice
        assert set(decision.score) == set(router.models)


@pytest.mark.slow
@pytest.mark.ci
def test_without_a_signal_nearly_every_router_abstains() -> None:
    said = [fit_router(made(*specialists(0.0, seed)), encoder=Marked()).abstains for seed in range(20)]
    assert np.mean(said) >= 0.9


def test_an_abstaining_router_answers_with_the_best_on_average() -> None:
    quiet = fit_router(made(*specialists(0.0)), encoder=Marked())
    assert {quiet.decide(f"{kind} 7").choice for kind in KINDS} == {quiet.best_on_average}
    assert quiet.decide("sum 7").reason == "abstained"
    assert any("abstains" in caution for caution in quiet.cautions)


def test_an_empty_prompt_goes_to_the_best_on_average(router: Router) -> None:
    decision = router.decide("  \n")
    assert (decision.choice, decision.reason, decision.gain) == (router.best_on_average, "no_text", None)


def test_only_candidates_are_chosen(router: Router) -> None:
    assert router.decide("sum 3", candidates=["m01", "m03"]).choice in ("m01", "m03")
    with pytest.raises(SettingError, match=r"m1x.*closest"):
        router.decide("sum 3", candidates=["m1x"])
    with pytest.raises(SettingError, match="no candidate"):
        router.decide("sum 3", candidates=[])


def test_a_far_prompt_is_flagged(router: Router) -> None:
    near, far = router.route(["sum 5"] * 3), router.route(["riddle 5"] * 3)
    assert (near.far, far.far) == (0, 3)
    assert any("further" in caution for caution in far.cautions)
    found = coverage(router, ["sum 5", "riddle 1", "riddle 2"])
    assert found.far == 2
    assert {row["prompt"].split()[0] for row in found.rows()} == {"riddle"}


def test_a_saved_router_decides_the_same(router: Router, tmp_path: Path) -> None:
    path = router.with_policy(Quality()).save(tmp_path / "r")
    again = load_router(path, encoder=Marked())
    for kind in KINDS:
        one, two = router.decide(f"{kind} 12"), again.decide(f"{kind} 12")
        assert one.order == two.order
        assert one.score == pytest.approx(two.score)
    assert again.cautions == router.cautions


@pytest.mark.parametrize("damage", ["cut", "text", "newer", "missing"])
def test_a_file_that_is_no_router_is_refused(router: Router, tmp_path: Path, damage: str) -> None:
    path = router.save(tmp_path / "r.npz")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "text":
        path.write_text("model,score\n")
    elif damage == "missing":
        path = tmp_path / "none.npz"
    else:
        with np.load(path) as held:
            parts = dict(held)
        manifest = json.loads(parts["manifest"].tobytes()) | {"schema": 99}
        parts["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
        np.savez(path, **parts)
    with pytest.raises(EvidenceError, match="load_router"):
        load_router(path, encoder=Marked())


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("encoder", "models", "policy", "settings", "provenance")),
        {"policy": {"kind": "CostAware"}},
        {"instance_ids": []},
        {"datasets": ["one"]},
        *({name: np.zeros(1)} for name in ("vectors", "dataset", "score", "cost_usd")),
    ],
    ids=str,
)
def test_parts_that_are_not_of_one_router_are_refused(
    router: Router, tmp_path: Path, change: dict[str, Any]
) -> None:
    path = router.save(tmp_path / "r.npz")
    with np.load(path) as held:
        parts = dict(held)
    manifest = json.loads(parts["manifest"].tobytes())
    for name, part in change.items():
        (parts if isinstance(part, np.ndarray) else manifest)[name] = part
    parts["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    np.savez(path, **parts)
    with pytest.raises(EvidenceError, match="load_router"):
        load_router(path, encoder=Marked())


def test_a_damaged_file_is_refused_whatever_its_reader_makes_of_it(router: Router, tmp_path: Path) -> None:
    path = router.save(tmp_path / "r.npz")
    whole = path.read_bytes()
    # Method of compression and flag of encryption of the first part, and the header of an array.
    central = whole.index(b"PK\x01\x02")
    for at, byte in ((central + 10, 0x55), (central + 8, 0x01), (whole.index(b"'descr'") - 1, 0x00)):
        path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        with pytest.raises(EvidenceError, match="damaged"):
            load_router(path, encoder=Marked())


def test_another_encoder_is_refused(router: Router, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="marked-16@ab12, got hashed"):
        load_router(router.save(tmp_path / "r.npz"), encoder="hashed")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    np.savez(path, manifest=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(EvidenceError, match="no router"):
        load_router(path)


def test_a_new_model_is_added_without_refitting(router: Router) -> None:
    known = {i: 1.0 for i, d in zip(router.instance_ids, router.dataset, strict=True) if d == 0}
    more = add_model(router, "m99", known)
    assert more.models[-1] == "m99"
    assert more.local is router.local
    np.testing.assert_array_equal(more.score[:, :4], router.score)
    assert any("none of 11 datasets" in caution for caution in more.cautions)
    assert drop_model(more, "m99").models == router.models
    with pytest.raises(EvidenceError, match="is in the router"):
        add_model(router, "m00", known)
    with pytest.raises(EvidenceError, match="Divide by 100"):
        add_model(router, "m99", dict.fromkeys(known, 73.0))
    with pytest.raises(EvidenceError, match="none of 1"):
        add_model(router, "m99", {"unknown": 1.0})


def test_anchors_cover_every_dataset_within_the_budget(router: Router) -> None:
    found = anchors(router, 60)
    assert found.rows.size == 60
    assert set(router.dataset[found.rows]) == set(range(D))
    assert anchors(router, D * N).error == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(SettingError, match="at least one prompt"):
        anchors(router, D - 1)


def priced(router: Router, cost: Sequence[float]) -> Router:
    from dataclasses import replace

    return replace(router, cost_usd=np.array(cost))


def test_policies_trade_score_for_cost(router: Router) -> None:
    dear = priced(router, [0.01, 0.01, 0.01, 0.0001])
    assert dear.decide("sum 4").choice == "m00"
    assert dear.decide("sum 4", policy=CostAware(usd_per_point=1e-4)).choice == "m03"
    assert dear.decide("sum 4", policy=CostAware(usd_per_point=10.0)).choice == "m00"
    assert dear.decide("sum 4", policy=AtLeast(share_of_best=0.5)).reason == "policy"
    cheap = dear.with_policy(Budget(usd_per_1000=5.0))
    spent = [cheap.decide(t).expected_cost_usd[cheap.decide(t).choice] for t in router.texts[::20]]
    assert np.mean(spent) <= 0.006
    with pytest.raises(SettingError, match="needs at least"):
        dear.with_policy(Budget(usd_per_1000=0.01))


def test_a_cost_policy_without_prices_names_the_models(router: Router) -> None:
    with pytest.raises(SettingError, match="no price is known for m00, m01, m02, m03"):
        router.decide("sum 4", policy=AtLeast())


@pytest.mark.parametrize("whole", [10_000, 100])
@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_the_scan_finds_what_a_full_sort_finds(whole: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((900, 24)) * np.linspace(2, 0.1, 24)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    query = (rows[3] + 0.1 * rng.standard_normal(24)).astype(np.float32)
    query /= np.linalg.norm(query)
    found, near = bank(rows, whole=whole).nearest(query, NEAREST)
    wanted = np.sort(rows @ query)[::-1][:NEAREST]
    np.testing.assert_allclose(near, wanted, atol=1e-6)
    assert len(set(found.tolist())) == NEAREST


def test_equal_prompts_come_in_their_order() -> None:
    rows = np.tile(np.eye(4, dtype=np.float32)[:1], (300, 1))
    assert bank(rows).nearest(rows[0], 5)[0].tolist() == [0, 1, 2, 3, 4]


def test_weights_are_zero_where_neighbours_tell_nothing() -> None:
    rng = np.random.default_rng(0)
    dataset = np.repeat(np.arange(8), 50)
    prior = np.tile([0.6, 0.5, 0.4], (400, 1))
    noise = prior + 0.2 * rng.standard_normal(prior.shape)
    fitted = fit_local(dataset, prior, noise, noise, (rng.random(prior.shape) < prior).astype(float))
    assert (fitted.w, fitted.v) == (0.0, 0.0)
    assert fitted.abstains


def test_timing_counts_every_part_of_every_run(router: Router) -> None:
    ticks = iter(range(10_000))
    found = time_router(router, ["sum 1", "word 2"], runs=6, clock=lambda: float(next(ticks)))
    assert {part: taken.size for part, taken in found.seconds.items()} == dict.fromkeys(found.seconds, 6)
    assert found.decisions_per_s == 1.0


@pytest.mark.parametrize("rows", [slice(0, N), slice(0, 2 * N)])
def test_too_few_datasets_are_refused(rows: slice) -> None:
    score, dataset, texts = specialists(0.3)
    with pytest.raises(EvidenceError, match="needs at least 3"):
        fit_router(made(score[rows], dataset[rows], texts[rows]), encoder=Marked())


def test_a_pool_smaller_than_the_neighbours_wanted_counts_each_prompt_once() -> None:
    dataset = np.repeat([0, 1, 2], 10)
    scored = made(np.tile([1.0, 0.0], (30, 1)), dataset)
    assert rank(scored, ["prompt 3"], encoder="hashed").task.share == pytest.approx(np.full(3, 1 / 3))


def test_a_model_run_on_one_dataset_alone_is_placed_without_warning() -> None:
    dataset = np.repeat([0, 1, 2, 3], 20)
    score = np.tile([1.0, 0.0, 1.0], (80, 1))
    score[dataset > 0, 2] = np.nan
    router = fit_router(made(score, dataset), encoder="hashed")
    assert np.isfinite(router.local.gain).all()


def test_a_budget_asks_for_the_prices_of_its_candidates_alone(router: Router) -> None:
    some = priced(router, [0.01, float("nan"), float("nan"), 0.0001])
    bound = some.with_policy(Budget(usd_per_1000=5.0), candidates=["m00", "m03"])
    assert bound.decide("sum 4", candidates=["m00", "m03"]).choice in ("m00", "m03")
    with pytest.raises(SettingError, match="m01, m02"):
        some.with_policy(Budget(usd_per_1000=5.0))
