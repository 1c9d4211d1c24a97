"""Endpoints: what is chosen, what is passed on, and what a client is told."""

import asyncio
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.routing.gateway.asked import cut, parse, read_chat
from isoflop.routing.gateway.protocol import ProtocolError
from isoflop.routing.gateway.targets import UpstreamCut
from isoflop.routing.gateway.usage import Usage, UsageReader
from tests.routing.gateway.made_gateway import EMBEDDER, LARGE, SMALL, Client, Told, Upstream, written

USER = {"role": "user", "content": "What is 2 + 2?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}


def test_auto_serves_what_the_router_chooses_and_says_so():
    with Client() as client:
        answer = client.chat()
        assert (answer.status, answer.is_complete) == (200, True)
        assert answer.body == client.upstream.chunks[0]
        assert answer.headers["x-isoflop-model"] == "large"
        assert answer.headers["x-isoflop-reason"] == "local"
        assert float(answer.headers["x-isoflop-decision-ms"]) >= 0
        assert answer.headers["x-isoflop-request-id"] != client.chat().headers["x-isoflop-request-id"]
        assert client.upstream.sent[0][1] == ("large", "small")
        assert client.upstream.closed == 2


def test_a_configured_name_is_not_routed_and_keeps_its_own_fallbacks():
    with Client(written(SMALL | {"fallback": ["large"]}, LARGE)) as client:
        answer = client.chat(model="small")
        assert (answer.headers["x-isoflop-model"], answer.headers["x-isoflop-reason"]) == ("small", "fixed")
        client.chat(model="large")
        assert [plan for _, plan in client.upstream.sent] == [("small", "large"), ("large",)]
        assert not client.router.asked


@pytest.mark.parametrize("model", ["auto", "auto:quality", "auto:cost=0.3", "auto:at_least=0.9", "auto:only"])
def test_a_policy_is_named_after_auto(model):
    with Client(written(policy={"only": {"models": ["small"]}})) as client:
        assert client.chat(model=model).status == 200
        _, candidates, rule = client.router.asked[-1]
        assert candidates == (("small",) if model == "auto:only" else ("small", "large"))
        assert (rule is not None) == ("=" in model)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("gpt-x", "model_not_found"),
        ("embedder", "model_not_found"),
        ("auto:unknown", "policy_not_found"),
        ("auto:cost=much", "policy_not_found"),
        ("auto:cost=-1", "policy_not_found"),
        ("auto:cost=nan", "policy_not_found"),
        ("auto:budget=1", "policy_not_found"),
        ("", "model_required"),
        (None, "model_required"),
        (7, "model_required"),
        ("a\r\nx-evil: 1", "model_not_found"),
    ],
)
def test_a_model_that_is_not_served_is_an_error_object_that_names_it(model, code):
    with Client() as client:
        answer = client.chat(model=model)
        assert (answer.status, answer.code) == (400 if code == "model_required" else 404, code)
        assert set(answer.json["error"]) == {"message", "type", "param", "code"}
        assert "\r" not in answer.json["error"]["message"]
        assert not client.upstream.sent


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'{"model": "auto", ', "invalid_json"),
        (b'{"model": "auto"\xff}', "invalid_json"),
        (b'{"model": "auto"}', "invalid_messages"),
        (b'{"model": "auto", "messages": []}', "invalid_messages"),
        (b'{"model": "auto", "messages": ["hello"]}', "invalid_messages"),
        (b'{"model": "auto", "x": ' + b"[" * 70 + b"]" * 70 + b"}", "json_too_deep"),
        (b'{"model": "auto", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json_too_deep"),
    ],
)
def test_a_malformed_body_is_refused_with_400(body, code):
    with Client() as client:
        answer = client.post("/v1/chat/completions", body)
        assert (answer.status, answer.code, answer.json["error"]["type"]) == (
            400,
            code,
            "invalid_request_error",
        )


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens", "n"])
def test_a_count_that_no_float_holds_is_handed_on(field):
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "?"}], "%s": 1%s}' % (
        field.encode(),
        b"0" * 400,
    )
    with Client() as client:
        assert client.post("/v1/chat/completions", body).status == 200
        assert client.upstream.sent[0][0] == body


def test_the_body_is_handed_on_as_it_came():
    odd = b'"x": 1e400, "model" :"auto","model":"auto"'
    body = b"\xef\xbb\xbf {" + odd + b', "messages":[{"role":"user","content":"\\ud800"}]}'
    with Client() as client:
        assert client.post("/v1/chat/completions", body).status == 200
        assert client.upstream.sent[0][0] == body


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "system", "content": "Be brief."}, USER], "What is 2 + 2?"),
        ([USER, {"role": "assistant", "content": "4"}, {"role": "user", "content": "And 3?"}], "And 3?"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "you"}]}],
            "Hi\nyou",
        ),
        ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}], ""),
        ([{"role": "user", "content": None}], ""),
        ([{"role": "assistant", "content": "4"}], ""),
    ],
)
def test_what_is_routed_on_is_the_text_of_the_last_user_message(messages, text):
    assert read_chat({"model": "auto", "messages": messages}, system_prompt=False, max_chars=99).text == text


def test_the_system_prompt_is_routed_on_where_that_is_asked_for():
    with Client(written(server={"system_prompt": True})) as client:
        client.chat(messages=[{"role": "developer", "content": "Be brief."}, USER])
        assert client.router.asked[0][0] == "Be brief.\nWhat is 2 + 2?"


def test_an_empty_text_is_served_with_the_reason_no_text():
    with Client() as client:
        assert client.chat("").headers["x-isoflop-reason"] == "no_text"


@given(st.text(max_size=60), st.integers(min_value=1, max_value=50))
def test_a_long_text_keeps_its_head_and_tail(text, limit):
    found = cut(text, limit)
    assert len(found) == min(len(text), limit)
    assert all(letter in text for letter in found)
    assert text.startswith(found[: len(found) * 2 // 3])


# ------------------------------------------------------------------------- candidates

IMAGE = [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "What?"}]


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"tools": [{"type": "function"}]}, "does not support tools"),
        ({"response_format": {"type": "json_object"}}, "does not support json"),
        ({"messages": [{"role": "user", "content": IMAGE}]}, "does not support vision"),
        ({"max_tokens": 5000}, "context of 4000 tokens, about 5008 needed"),
        (
            {"messages": [{"role": "user", "content": "word " * 4000}]},
            "context of 4000 tokens, about 5504 needed",
        ),
    ],
)
def test_models_that_cannot_take_a_request_are_left_out_and_named(fields, cause):
    small, large = SMALL | {"context_tokens": 4000}, LARGE | {"context_tokens": 100_000}
    with Client(written(small, large), router=Told("small", "large")) as client:
        assert client.chat().headers["x-isoflop-model"] == "small"
        assert client.chat(**fields).headers["x-isoflop-model"] == "large"
        body = {"messages": [USER], **fields}
        assert client.post("/route", body).json["left_out"] == [{"model": "small", "cause": cause}]
    with Client(written(small), router=Told("small")) as client:
        answer = client.chat(**fields)
        assert (answer.status, answer.code) == (400, "no_model_available")
        assert f"small: {cause}" in answer.json["error"]["message"]


def test_an_open_breaker_leaves_a_model_out_and_all_of_them_are_503():
    with Client(upstream=Upstream(open_breakers=frozenset({"large"}))) as client:
        assert client.chat().headers["x-isoflop-model"] == "small"
        answer = client.chat(model="large")
        assert (answer.status, answer.code) == (503, "no_model_available")
    with Client(upstream=Upstream(open_breakers=frozenset({"large", "small"}))) as client:
        answer = client.chat()
        assert answer.status == 503
        assert all(f"{model}: its breaker" in answer.json["error"]["message"] for model in ("large", "small"))


# ---------------------------------------------------------------------- conversations


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


ANSWERED = [USER, {"role": "assistant", "content": "4"}, {"role": "user", "content": "And 3 + 3?"}]


def test_a_conversation_stays_with_its_model_for_an_hour():
    clock = Clock()
    with Client(clock=clock) as client:
        assert client.chat().headers["x-isoflop-model"] == "large"
        client.router.models = ("small", "large")
        kept = client.chat(messages=ANSWERED)
        assert (kept.headers["x-isoflop-model"], kept.headers["x-isoflop-reason"]) == ("large", "sticky")
        assert client.upstream.sent[-1][1] == ("large", "small")
        clock.now += 3601
        assert client.chat(messages=ANSWERED).headers["x-isoflop-model"] == "small"


def test_conversations_that_begin_alike_and_other_policies_are_routed_anew():
    with Client(written(policy={"other": {}})) as client:
        client.chat()
        client.router.models = ("small", "large")
        assert client.chat(messages=ANSWERED, model="auto:other").headers["x-isoflop-model"] == "small"
        assert client.chat().headers["x-isoflop-model"] == "small"


def test_a_session_name_makes_a_conversation_whatever_it_says():
    with Client() as client:
        client.chat("One", h_x_isoflop_session="s1")
        client.router.models = ("small", "large")
        assert client.chat("Two", h_x_isoflop_session="s1").headers["x-isoflop-model"] == "large"
        assert client.chat("Two", h_x_isoflop_session="s2").headers["x-isoflop-model"] == "small"


@pytest.mark.parametrize(
    "last",
    [
        [{"role": "assistant", "tool_calls": [CALL]}],
        [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": "4"}],
    ],
)
def test_pending_tool_calls_stay_with_their_model_even_late_and_where_nothing_else_is_sticky(last):
    clock = Clock()
    with Client(
        written(SMALL | {"supports": ["tools"]}, LARGE, server={"sticky": False}), clock=clock
    ) as client:
        client.chat()
        client.router.models = ("small", "large")
        clock.now += 9999
        assert client.chat(messages=ANSWERED).headers["x-isoflop-model"] == "small"
    with Client(
        written(SMALL | {"supports": ["tools"]}, LARGE, server={"sticky": False}), clock=clock
    ) as client:
        client.chat()
        client.router.models = ("small", "large")
        clock.now += 9999
        assert client.chat(messages=[USER, *last]).headers["x-isoflop-reason"] == "sticky"


def test_the_model_that_answered_after_a_fallback_is_the_one_that_is_kept():
    with Client(upstream=Upstream(skip=1)) as client:
        assert client.chat().headers["x-isoflop-model"] == "small"
        client.upstream.skip = 0
        assert client.chat(messages=ANSWERED).headers["x-isoflop-model"] == "small"


def test_the_least_recently_used_conversations_are_forgotten():
    clock = Clock()
    with Client(written(server={"max_sessions": 2}), clock=clock) as client:
        for session in ("a", "b", "c", "d"):
            clock.now += 1
            client.chat(h_x_isoflop_session=session)
        client.router.models = ("small", "large")
        models = [client.chat(h_x_isoflop_session=s).headers["x-isoflop-model"] for s in ("d", "a")]
        assert models == ["large", "small"]


# ----------------------------------------------------------------------------- route


def test_route_explains_the_decision_and_sends_nothing():
    with Client() as client:
        found = client.post("/route", {"messages": [USER]}).json
        assert not client.upstream.sent
    assert (found["model"], found["runner_up"], found["reason"]) == ("large", "small", "local")
    assert found["why"] == "Neighbours say so."
    assert found["scores"] == {"large": 0.9, "small": 0.8}
    assert found["gain"] == {"value": 0.1, "low": -0.02, "high": 0.2}
    assert found["neighbours"] == [{"id": "p1", "dataset": "sums", "similarity": 0.75}]
    assert (found["dataset_shares"], found["p_hat"]) == ({"sums": 1.0}, {"large": 0.8})
    # 8 tokens in, 400 out by default.
    assert found["expected_cost_usd"] == {"large": 8.08e-3, "small": 8.08e-4}
    assert found["left_out"] == []
    assert found["decision_ms"] >= 0


def test_route_takes_a_bare_text_and_may_be_told_not_to_explain():
    with Client() as client:
        assert client.post("/route", {"text": "2 + 2?", "explain": False}).json["neighbours"] == []
        assert client.router.asked[-1][0] == "2 + 2?"
        assert client.post("/route", {"txt": "2 + 2?"}).code == "text_required"


def test_texts_of_neighbours_are_shown_only_where_the_operator_allows_it():
    asked = {"text": "2 + 3?", "explain_text": True}
    with Client() as client:
        assert (client.post("/route", asked).status, client.post("/route", asked).code) == (
            403,
            "explain_text_not_allowed",
        )
    with Client(written(server={"explain_text": True})) as client:
        assert client.post("/route", asked).json["neighbours"][0]["text"] == "2 + 2?"
        assert "text" not in client.post("/route", asked | {"explain_text": False}).json["neighbours"][0]


def test_without_a_router_the_cheapest_able_model_is_served_and_called_so():
    with Client(router=False) as client:
        found = client.post("/route", {"text": "?"}).json
        assert (found["model"], found["reason"], found["scores"]) == ("small", "policy", {})
        assert "No router is loaded" in found["why"]
        assert client.get("/readyz").json["router"] is False


def test_a_models_name_in_the_router_may_differ_and_two_providers_may_serve_it():
    twins = [LARGE | {"name": f"large-{at}", "scored_as": "L"} for at in (1, 2)]
    with Client(written(*twins, SMALL), router=Told("L", "small")) as client:
        found = client.post("/route", {"text": "?"}).json
        assert found["order"] == ["large-1", "large-2", "small"]
        assert found["scores"] == {"large-1": 0.9, "large-2": 0.9, "small": 0.8}


# ------------------------------------------------------------------- shadow, fallback


def test_shadow_mode_serves_one_model_and_counts_what_would_have_been_chosen(caplog):
    caplog.set_level("INFO", "isoflop.gateway")
    with Client(written(server={"shadow_model": "small"})) as client:
        answer = client.chat()
        assert (answer.headers["x-isoflop-model"], answer.headers["x-isoflop-reason"]) == ("small", "shadow")
        assert client.metric('isoflop_shadow_choices_total{model="large"}') == 1
        assert client.post("/route", {"text": "?"}).json["routers_choice"] == "large"
    assert "would choose large" in caplog.text


@pytest.mark.parametrize(
    ("path", "fields", "model"),
    [("/v1/completions", {"prompt": "?"}, "small"), ("/v1/embeddings", {"input": "?"}, "embedder")],
)
def test_what_the_shadow_model_does_not_offer_is_served_as_chosen(path, fields, model):
    shadow = {**LARGE, "endpoints": ["chat"]}
    settings = written(SMALL, shadow, EMBEDDER, server={"shadow_model": "large"})
    with Client(settings, router=Told("large", "small", "embedder")) as client:
        answer = client.post(path, {"model": "auto", **fields})
        assert (answer.status, answer.headers["x-isoflop-model"]) == (200, model)


def test_an_answer_of_a_fallback_names_the_model_that_gave_it():
    with Client(upstream=Upstream(skip=1)) as client:
        assert client.chat().headers["x-isoflop-model"] == "small"
        assert client.metric('isoflop_fallbacks_total{model="small"}') == 1
        assert client.metric('isoflop_failed_attempts_total{model="large"}') == 1


def test_when_every_model_failed_the_client_gets_the_transports_error():
    refusal = ProtocolError(502, "upstream: large: HTTP 500.", code="upstream_failed")
    with Client(upstream=Upstream(refuses=refusal)) as client:
        answer = client.chat()
        assert (answer.status, answer.code, answer.json["error"]["type"]) == (
            502,
            "upstream_failed",
            "api_error",
        )
        assert answer.headers["x-isoflop-request-id"]


def test_an_answer_that_breaks_off_is_left_incomplete():
    with Client(upstream=Upstream(chunks=(b"data: 1\n\n",), ends=UpstreamCut())) as client:
        answer = client.chat(stream=True)
        assert (answer.body, answer.is_complete) == (b"data: 1\n\n", False)
        assert client.metric('isoflop_cut_answers_total{model="large",side="upstream"}') == 1
        assert client.upstream.closed == 1


def test_a_client_that_goes_cancels_the_upstream():
    async def scene():
        gone = asyncio.Event()
        upstream = Upstream(waits=asyncio.Event())
        client = Client(upstream=upstream)
        body = json.dumps({"model": "auto", "messages": [USER]}).encode()
        asked = asyncio.create_task(client.send("POST", "/v1/chat/completions", body, gone=gone))
        while not upstream.sent:
            await asyncio.sleep(0)
        assert client.app.in_flight == 1
        gone.set()
        answer = await asyncio.wait_for(asked, 2)
        assert (answer.status, client.app.in_flight) == (0, 0)
        await client.app.close()

    asyncio.run(scene())


def test_headers_of_the_upstream_cannot_pose_as_the_gateways():
    headers = ((b"x-isoflop-model", b"posing"), (b"x-request-id", b"theirs"))
    with Client(upstream=Upstream(headers=headers)) as client:
        answer = client.chat()
        assert (answer.headers["x-isoflop-model"], answer.headers["x-request-id"]) == ("large", "theirs")


# -------------------------------------------------------------- other endpoints


def test_completions_and_embeddings_pass_through():
    with Client() as client:
        assert client.post("/v1/completions", {"model": "small", "prompt": "2 +"}).status == 200
        assert client.post("/v1/completions", {"model": "auto", "prompt": ["2 +", "3 +"]}).status == 200
        assert client.router.asked[-1][0] == "2 +\n3 +"
        assert client.post("/v1/embeddings", {"model": "embedder", "input": "text"}).status == 200
        assert client.post("/v1/embeddings", {"model": "small", "input": "text"}).code == "model_not_found"


def test_embeddings_of_the_same_request_are_answered_from_the_cache():
    with Client(written(EMBEDDER, SMALL, server={"embeddings_cache": 1})) as client:
        answers = [client.post("/v1/embeddings", {"model": "embedder", "input": t}) for t in "aabba"]
        assert len({answer.body for answer in answers}) == 1
        reasons = [answer.headers["x-isoflop-reason"] for answer in answers]
        assert reasons == ["fixed", "cache", "fixed", "cache", "fixed"]
        assert len(client.upstream.sent) == 3
        client.upstream.status = 500
        for _ in range(2):
            assert client.post("/v1/embeddings", {"model": "embedder", "input": "c"}).status == 500


def test_models_are_listed_with_the_names_that_ask_for_routing():
    with Client(written(policy={"thrifty": {}})) as client:
        names = [model["id"] for model in client.get("/v1/models").json["data"]]
        assert names == ["auto", "auto:quality", "auto:thrifty", "small", "large", "embedder"]
        assert client.get("/v1/models/small").json["owned_by"] == "local"
        assert client.get("/v1/models/tiny").code == "model_not_found"


def test_unknown_paths_and_methods_are_error_objects():
    with Client() as client:
        assert (client.get("/v2").status, client.get("/v2").code) == (404, "not_found")
        assert (client.get("/route").status, client.get("/route").code) == (405, "method_not_allowed")
        assert client.get("/healthz").json == {"status": "alive"}


# ----------------------------------------------------------------------------- parts


@given(st.binary(max_size=80))
def test_any_bytes_are_an_object_or_an_error_object(body):
    try:
        found = parse(body)
    except ProtocolError as error:
        found = json.loads(error.body())
    assert isinstance(found, dict)


STREAM = b'data: {"choices":[{"delta":{"content":"\\"usage\\": {\\"prompt_tokens\\": 1}"}}],"usage":null}\n\n'
LAST = (
    b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"x":{"y":1}}}\n\ndata: [DONE]\n\n'
)


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM + LAST)), max_size=12))
def test_usage_is_found_wherever_the_stream_is_cut_into_chunks(cuts):
    body, at = STREAM + LAST, 0
    readers = {b"": body, b"gzip": gzip.compress(body), b"deflate": zlib.compress(body)}
    for encoding, sent in readers.items():
        reader, at = UsageReader(encoding), 0
        for cut_at in (*sorted(cuts), len(sent)):
            reader.feed(sent[at:cut_at])
            at = max(at, cut_at)
        assert reader.usage() == Usage(7, 3)


@pytest.mark.parametrize(
    "body",
    [
        STREAM,
        b'{"usage": {"prompt_tokens": "7"}}',
        b'"usage": {',
        b'{"usage": [1]}',
        b'{"usage": {"prompt_tokens": 1' + b"0" * 400 + b', "completion_tokens": 1}}',
    ],
)
def test_usage_that_is_not_there_or_malformed_is_unknown(body):
    reader = UsageReader()
    reader.feed(body)
    assert reader.usage() is None


def test_usage_in_an_encoding_that_cannot_be_read_is_unknown():
    for reader in (UsageReader(b"br"), UsageReader(b"gzip")):
        reader.feed(LAST)
        assert reader.usage() is None
