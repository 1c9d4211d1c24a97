"""The operator's prices decide, whether or not the router was fitted with any."""

import numpy as np
import pytest

from isoflop.routing.router.fit import fit_router
from tests.routing.gateway.made_gateway import Client, Told, written
from tests.routing.made_scores import planted

PRICES = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 10.0, "mean_output_tokens": 100}


@pytest.fixture(scope="module")
def router():
    accuracy = np.tile([0.9, 0.85], (5, 1))
    return fit_router(planted(accuracy, 16), encoder="hashed")


def _client(router, *, cheap, **sections):
    models = [{"name": f"m{at:02d}", "provider": "local"} | PRICES for at in range(2)]
    models[cheap] |= {"output_usd_per_mtok": 1.0}
    return Client(written(*models, **sections), router=router)


@pytest.mark.parametrize("cheap", [0, 1])
def test_a_policy_on_cost_follows_the_prices_of_the_configuration(router, cheap):
    policy = {"thrifty": {"kind": "at_least", "share_of_best": 0.5}}
    with _client(router, cheap=cheap, policy=policy) as client:
        found = client.post("/route", {"text": "prompt 3", "model": "auto:thrifty"}).json
        assert found["model"] == f"m{cheap:02d}"
        costs = found["expected_cost_usd"]
        # Some 2 tokens in at 1 and 100 out at 1 or 10 USD a million.
        assert costs[f"m{cheap:02d}"] == pytest.approx(102e-6, rel=0.01)
        assert costs[f"m{1 - cheap:02d}"] == pytest.approx(1002e-6, rel=0.01)


def test_scores_do_not_depend_on_prices(router):
    with _client(router, cheap=0) as client:
        found = client.post("/route", {"text": "prompt 3"}).json
        assert found["scores"] == pytest.approx(dict(router.decide("prompt 3").score))


def test_another_decider_is_left_alone():
    with Client(router=Told("small")) as client:
        assert client.app.running.decider is client.router
