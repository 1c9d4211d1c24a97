"""Counters: every answer leaves its trace once, and labels are bounded."""

from prometheus_client.parser import text_string_to_metric_families

from tests.routing.gateway.made_gateway import Client, Told, Upstream


def _values(client):
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.body.decode())
        for sample in family.samples
    }


def test_decisions_delays_and_answers_are_counted_once():
    with Client() as client:
        client.chat()
        client.post("/route", {"text": "?"})
        client.chat(model="small")
        found = _values(client)
    decisions = {key[1]: value for key, value in found.items() if key[0] == "isoflop_decisions_total"}
    assert decisions == {
        (("model", "large"), ("reason", "local")): 2,
        (("model", "small"), ("reason", "fixed")): 1,
    }
    assert found["isoflop_upstream_first_byte_seconds_count", (("model", "large"),)] == 1
    assert found["isoflop_request_seconds_count", (("model", "small"),)] == 1
    labels = (("endpoint", "/v1/chat/completions"), ("model", "large"), ("status", "200"))
    assert found["isoflop_requests_total", labels] == 1
    assert found["isoflop_in_flight", ()] == 1, "the request for this page itself"


def test_prompts_beyond_the_range_of_the_router_are_counted_as_drift():
    with Client(router=Told(distance=0.45)) as client:
        client.post("/route", {"text": "?"})
        assert client.metric("isoflop_prompts_beyond_range_total") == 0
        client.router.distance = 0.55
        client.post("/route", {"text": "?"})
        client.router.distance = float("nan")
        client.post("/route", {"text": "?"})
        assert client.metric("isoflop_prompts_beyond_range_total") == 1
        assert client.metric("isoflop_prompt_distance_count") == 2


def test_breakers_show_as_numbers_and_open_ones_in_readyz():
    with Client(upstream=Upstream(open_breakers=frozenset({"large"}))) as client:
        assert client.metric('isoflop_breaker_state{model="large",provider="local"}') == 2
        assert client.get("/readyz").json["open_breakers"] == 1


def test_labels_do_not_grow_with_what_clients_invent():
    with Client() as client:
        before = len(_values(client))
        for number in range(3):
            client.get(f"/nothing/{number}")
            client.chat(model=f"invented-{number}")
            client.chat(model=f"auto:cost=0.{number + 1}")
        grown = {key for key in _values(client) if "invented" in str(key) or "nothing" in str(key)}
        assert not grown
        assert len(_values(client)) < before + 60
