"""Reloading: everything or nothing, and what runs goes on."""

import asyncio
import threading

from isoflop.errors import SettingError
from isoflop.routing.gateway import read_config
from tests.routing.gateway.made_gateway import LARGE, SMALL, Client, Told, Upstream, written


def test_a_reload_changes_new_requests_and_leaves_running_ones_alone():
    async def scene():
        upstream = Upstream(waits=asyncio.Event())
        later = read_config(written(SMALL, LARGE, server={"port": 9999}))
        client = Client(
            upstream=upstream, router=Told("large", "small"), reload=lambda: (later, Told("small"))
        )
        body = b'{"model": "auto", "messages": [{"role": "user", "content": "?"}]}'
        running = asyncio.create_task(client.send("POST", "/v1/chat/completions", body))
        while not upstream.sent:
            await asyncio.sleep(0)
        assert await client.app.reload()
        upstream.waits.set()
        assert (await running).headers["x-isoflop-model"] == "large"
        after = await client.send("POST", "/v1/chat/completions", body)
        assert after.headers["x-isoflop-model"] == "small"
        await client.app.close()

    asyncio.run(scene())


def test_a_reload_that_is_refused_changes_nothing_and_says_why(caplog):
    def broken():
        raise SettingError("gateway: [server] port: 70000, must be smaller.")

    with Client(reload=broken) as client:
        before = client.app.running
        assert asyncio.run(client.app.reload()) is False
        assert client.app.running is before
        assert "70000" in caplog.text
        assert client.metric('isoflop_reloads_total{outcome="refused"}') == 1


def test_a_reload_that_fails_in_any_way_changes_nothing(caplog):
    def broken():
        raise RuntimeError("text of a file")

    with Client(reload=broken) as client:
        before = client.app.running
        assert asyncio.run(client.app.reload()) is False
        assert client.app.running is before
        assert "RuntimeError at test_reload.py" in caplog.text
        assert "text of a file" not in caplog.text


def test_of_two_reloads_the_later_one_holds():
    first = threading.Event()
    given = iter([(first, 1111), (None, 2222)])

    def read():
        wait, port = next(given)
        if wait is not None:
            wait.wait(5)
        return read_config(written(SMALL, LARGE, server={"port": port})), Told("small")

    async def scene():
        client = Client(reload=read)
        both = [asyncio.create_task(client.app.reload()) for _ in range(2)]
        await asyncio.sleep(0.02)
        first.set()
        await asyncio.gather(*both)
        assert client.app.running.config.server.port == 2222
        await client.app.close()

    asyncio.run(scene())


def test_settings_that_do_not_fit_the_router_are_refused_as_a_whole():
    weighing = read_config(written(policy={"thrifty": {"kind": "at_least", "share_of_best": 0.9}}))
    with Client(reload=lambda: (weighing, None)) as client:
        before = client.app.running
        assert asyncio.run(client.app.reload()) is False
        assert client.app.running is before


def test_conversations_and_spending_outlast_a_reload():
    settings = written(budget={"usd": 1.0})
    with Client(settings, reload=lambda: (read_config(settings), Told("small", "large"))) as client:
        client.chat()
        spent = client.app.running.budget.committed_usd()
        assert asyncio.run(client.app.reload())
        assert client.app.running.budget.committed_usd() == spent > 0
        talk = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "4"}]
        assert client.chat(messages=talk).headers["x-isoflop-model"] == "large"
