"""Spending: reserved before, settled after, kept over restarts and shared by workers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.gateway.budget import Budget, period_of
from isoflop.routing.gateway.config import BudgetSetting
from isoflop.routing.gateway.state import open_state
from isoflop.routing.gateway.targets import UpstreamCut
from tests.routing.gateway.made_gateway import Client, Upstream, written

DAY_S = 86_400.0


class Clock:
    def __init__(self, now=1_000_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


@contextlib.contextmanager
def opened(usd=1.0, *, path=None, clock=None, **rest):
    """Yield a budget; its state is closed in the end."""
    with contextlib.closing(open_state(path)) as state:
        yield Budget(BudgetSetting(usd=usd, **rest), state, hold_s=100.0, clock=clock or Clock())


# Eighths of a dollar add up exactly.
AMOUNT = st.integers(min_value=0, max_value=16).map(lambda eighths: eighths / 8)


@given(st.lists(st.tuples(AMOUNT, AMOUNT, st.sampled_from(["settle", "release", "hold"])), max_size=12))
def test_what_is_reserved_never_exceeds_the_limit_and_what_is_settled_adds_up(calls):
    committed = 0.0
    with opened(4.0) as budget:
        for estimate, price, end in calls:
            reservation = budget.reserve(estimate)
            assert (reservation is None) == (committed + estimate > 4.0)
            if reservation is None:
                continue
            if end == "settle":
                budget.settle(reservation, price)
            elif end == "release":
                budget.release(reservation)
            committed += {"settle": price, "release": 0.0, "hold": estimate}[end]
            assert budget.committed_usd() == committed
            assert budget.remaining_usd() == 4.0 - committed


def test_two_workers_cannot_spend_the_same_dollar(tmp_path):
    path = str(tmp_path / "deep" / "state.sqlite")
    with opened(path=path) as one, opened(path=path) as other:
        held = one.reserve(0.75)
        assert other.reserve(0.5) is None
        one.settle(held, 0.25)
        assert other.reserve(0.5) is not None
        assert one.remaining_usd() == 0.25


def test_spending_outlives_a_restart_and_a_worker_that_died_is_charged_its_estimate(tmp_path):
    path, clock = str(tmp_path / "state.sqlite"), Clock()
    with opened(path=path, clock=clock) as before:
        lost = before.reserve(0.5)
    clock.now += 101
    with opened(path=path, clock=clock) as after:
        assert after.reserve(0.25) is not None
        assert after.committed_usd() == 0.75
        # It was not dead but slow: only the difference to its estimate is charged.
        after.settle(lost, 0.125)
        assert after.committed_usd() == 0.375


@pytest.mark.parametrize(("per", "seconds"), [("hour", 3600), ("day", DAY_S), ("month", 31 * DAY_S)])
def test_a_new_period_begins_with_nothing_spent_and_late_bills_go_to_their_own(per, seconds):
    clock = Clock()
    with opened(per=per, clock=clock) as budget:
        held = budget.reserve(1.0)
        assert budget.reserve(0.125) is None
        clock.now += seconds
        assert budget.reserve(0.125) is not None
        budget.settle(held, 1.0)
        assert budget.committed_usd() == 0.125


def test_a_total_never_begins_anew():
    assert period_of(0.0, "total") == period_of(1e9, "total")


def test_a_state_file_that_is_something_else_or_newer_is_refused(tmp_path):
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"no database" * 200)
    with pytest.raises(SettingError, match="cannot hold the state"):
        open_state(str(file))
    newer = tmp_path / "newer.sqlite"
    state = open_state(str(newer))
    state.execute("pragma user_version = 99")
    state.close()
    with pytest.raises(SettingError, match="state of version 99"):
        open_state(str(newer))


# ------------------------------------------------------------------- through the gateway

USAGE = b'{"usage": {"prompt_tokens": 1000, "completion_tokens": 500}}'
"""2 milli-USD at small, 20 at large."""


def _client(usd, upstream=None, **budget):
    settings = written(budget={"usd": usd, **budget})
    return Client(settings, upstream=upstream or Upstream(chunks=(USAGE,)), clock=Clock())


def _spent(client):
    return round(client.app.running.budget.committed_usd(), 9)


def test_usage_is_what_is_charged():
    with _client(1.0) as client:
        client.chat()
        assert _spent(client) == 0.02
        client.chat(model="small")
        assert _spent(client) == 0.022
        assert client.metric('isoflop_cost_usd_total{basis="usage",model="large"}') == 0.02


@pytest.mark.parametrize("encoding", [b"br", b"identity"])
def test_without_usage_the_estimate_is_charged_and_called_so(encoding):
    upstream = Upstream(chunks=(b'{"choices": []}',), headers=((b"content-encoding", encoding),))
    with _client(1.0, upstream) as client:
        client.chat(max_tokens=100)
        # 8 tokens in at 10 and 100 out at 20 USD a million.
        assert _spent(client) == 0.00208
        assert client.metric('isoflop_cost_usd_total{basis="estimated",model="large"}') == 0.00208


@pytest.mark.parametrize(
    ("status", "ends", "spent"), [(400, None, 0.0), (500, None, 0.0), (200, UpstreamCut(), 0.02)]
)
def test_errors_cost_nothing_and_cut_answers_what_they_used(status, ends, spent):
    with _client(1.0, Upstream(chunks=(USAGE,), status=status, ends=ends)) as client:
        client.chat()
        assert _spent(client) == spent


def test_models_that_cost_more_than_is_left_are_left_out_first():
    with _client(0.003) as client:
        answer = client.chat()
        assert answer.headers["x-isoflop-model"] == "small"
        assert client.post("/route", {"text": "?"}).json["left_out"][0]["model"] == "large"


def test_a_spent_budget_refuses_with_429_that_clients_do_not_repeat():
    with _client(0.0025) as client:
        client.chat()
        answer = client.chat()
        assert (answer.status, answer.code) == (429, "budget_exceeded")
        assert answer.json["error"]["type"] == "insufficient_quota"
        assert answer.headers["x-should-retry"] == "false"
        assert client.chat(model="small").status == 429
        client.app._clock.now += DAY_S
        assert client.chat().status == 200


def test_a_spent_budget_may_go_on_with_the_cheapest_but_not_with_a_model_that_is_named():
    with _client(0.001, on_exceed="cheapest") as client:
        client.chat()
        answer = client.chat()
        assert (answer.headers["x-isoflop-model"], answer.headers["x-isoflop-reason"]) == ("small", "budget")
        assert _spent(client) > 0.001
        assert client.chat(model="large").status == 429
