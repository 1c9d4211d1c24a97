"""What the gateway adds to a call, how many streams it carries, and how many decisions a second it serves.

Gateway and upstream are processes of their own on loopback; the upstream answers at once from memory. Delays
are medians of alternating calls, direct and through the gateway, on one open connection each. Decisions are
asked of two workers by wrk (Debian's package) over 16 connections where it is installed, else by a process of
ours; both share the cores with the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from httptools import HttpRequestParser, HttpResponseParser

from benchmarks.harness import Trial

CALLS, WARM_UP = 400, 50
STREAMS, EVENTS, PAUSE_S = 1_000, 40, 0.05
CONNECTIONS, LOAD_S, BANK, WORKERS = 16, 5, 6_000, 2
ANSWER = json.dumps({"id": "c-1", "choices": [{"message": {"role": "assistant", "content": "word " * 100}}]})


_WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local bodies = {BODIES}
local at = 0
function request()
  at = at % #bodies + 1
  return wrk.format(nil, "/route", nil, bodies[at])
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d", summary.requests, summary.duration))
  io.write(string.format(" %f %f", latency:percentile(50), latency:percentile(99)))
  io.write(string.format(" %d", errors.connect + errors.status + errors.read + errors.timeout))
end
"""


class _Upstream(asyncio.Protocol):
    """Answers at once; a stream's events carry the request's ``user``, so that mixed-up bytes show."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.begin()

    def begin(self) -> None:
        self.parser, self.body = HttpRequestParser(self), b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        asked = json.loads(self.body)
        if asked.get("stream"):
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            self.transport.write(head)
            self.task = asyncio.ensure_future(self.stream(asked["user"], asked["n"], asked["pause_s"]))
        else:
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(head % len(ANSWER) + ANSWER.encode())
        self.begin()

    async def stream(self, user: str, events: int, pause_s: float) -> None:
        for at in range(events):
            event = stream_event(user, at)
            self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
            await asyncio.sleep(pause_s)
        self.transport.write(b"0\r\n\r\n")


def stream_event(user: str, at: int) -> bytes:
    """Return one event of a stream."""
    return f'data: {{"user": "{user}", "at": {at}, "text": "Zü {"x" * (at % 50)}"}}\n\n'.encode()


async def serve_upstream(port: int) -> None:
    """Be the upstream."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Upstream, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """Run a process that listens on a port; yields its id."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while True:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{' '.join(command)} does not listen")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()


@contextlib.contextmanager
def gateway(workers: int = 1, *, is_routed: bool = False) -> Iterator[tuple[int, int, int]]:
    """Run upstream and gateway; yields the ports of both and the gateway's process id."""
    up, port = free_port(), free_port()
    names = ["m0", "m1", "m2"] if is_routed else ["m0"]
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "gateway.toml"
        models = "".join(f'[[model]]\nname = "{name}"\nprovider = "p"\n' for name in names)
        settings.write_text(
            "[server]\nmax_concurrent = 4096\n"
            f'[[provider]]\nname = "p"\nmax_concurrent = 4096\nbase_url = "http://127.0.0.1:{up}/v1"\n'
            f"{models}",
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "isoflop", "routing", "serve", "--config", str(settings)]
        command += ["--port", str(port), "--workers", str(workers)]
        if is_routed:
            from benchmarks.routing.decision import router

            command += ["--router", str(router(BANK).save(Path(folder) / "router.npz"))]
        upstream = [sys.executable, "-m", "benchmarks.routing.gateway", str(up)]
        with running(upstream, up), running(command, port) as process:
            yield up, port, process


def request(port: int, fields: Mapping[str, Any], path: str = "/v1/chat/completions") -> bytes:
    """Return the bytes of a request."""
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class _Line:
    """One open connection that asks and waits."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_body(self, data: bytes) -> None:
        self.first_s = self.first_s or time.perf_counter() - self.start
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True

    def ask(self, raw: bytes) -> tuple[float, float, bytes]:
        """Return the seconds to the first byte of the body and to its end, and the body."""
        self.body, self.is_complete, self.first_s = b"", False, 0.0
        parser = HttpResponseParser(self)
        self.start = time.perf_counter()
        self.connection.sendall(raw)
        while not self.is_complete:
            data = self.connection.recv(65_536)
            if not data:
                raise RuntimeError("the connection was closed before the end of an answer")
            parser.feed_data(data)
        return self.first_s, time.perf_counter() - self.start, self.body


def added_delays() -> Mapping[str, float]:
    """Compare calls through the gateway with direct ones."""
    message = [{"role": "user", "content": "why " * 80}]
    whole = {"model": "m0", "messages": message}
    stream = whole | {"stream": True, "user": "u", "n": 3, "pause_s": 0}
    expected = b"".join(stream_event("u", at) for at in range(3))
    with gateway() as (up, port, _):
        direct, through = _Line(up), _Line(port)
        taken: dict[str, list[float]] = {name: [] for name in ("d", "t", "d first", "t first")}
        for _ in range(WARM_UP + CALLS):
            for name, line, at in (("d", direct, up), ("t", through, port)):
                _, seconds, body = line.ask(request(at, whole))
                first_s, _, events = line.ask(request(at, stream))
                if body != ANSWER.encode() or events != expected:
                    raise RuntimeError("an answer was altered")
                taken[name].append(seconds)
                taken[f"{name} first"].append(first_s)
    p50 = {name: 1e3 * statistics.median(values[WARM_UP:]) for name, values in taken.items()}
    return {
        "added_p50_ms": p50["t"] - p50["d"],
        "added_first_byte_p50_ms": p50["t first"] - p50["d first"],
        "direct_p50_ms": p50["d"],
    }


def many_streams() -> Mapping[str, float]:
    """Carry many streams at once, and compare every byte."""
    with gateway() as (_, port, process):
        start = time.perf_counter()
        wrong, open_at_once = asyncio.run(_streams(port))
        seconds = time.perf_counter() - start
        peak_kb = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    if peak_kb is None:
        raise RuntimeError("the system does not say how much memory a process took")
    return {
        "streams_lost_or_altered": wrong,
        "streams_at_once": open_at_once,
        "gateway_peak_mb": int(peak_kb[1]) / 1e3,
        "seconds": seconds,
    }


async def _streams(port: int) -> tuple[int, int]:
    is_open, most = 0, 0

    async def one(number: int) -> bool:
        nonlocal is_open, most
        user = f"u{number}"
        fields = {
            "model": "m0",
            "messages": [],
            "stream": True,
            "user": user,
            "n": EVENTS,
            "pause_s": PAUSE_S,
        }
        fields["messages"] = [{"role": "user", "content": f"why {number}?"}]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(port, fields))
        body = _Collected()
        parser = HttpResponseParser(body)
        try:
            while not body.is_complete and (data := await reader.read(65_536)):
                is_first = not body.parts
                parser.feed_data(data)
                if is_first and body.parts:
                    is_open += 1
                    most = max(most, is_open)
        finally:
            is_open -= bool(body.parts)
            writer.close()
        return b"".join(body.parts) == b"".join(stream_event(user, at) for at in range(EVENTS))

    good = await asyncio.gather(*(one(number) for number in range(STREAMS)), return_exceptions=True)
    return sum(found is not True for found in good), most


class _Collected:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.is_complete = False

    def on_body(self, data: bytes) -> None:
        self.parts.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True


def decisions_a_second() -> Mapping[str, float]:
    """Ask two workers for decisions over 16 connections."""
    from benchmarks.routing.decision import to_decide

    with gateway(WORKERS, is_routed=True) as (_, port, _process):
        asked = [{"model": "auto", "messages": [{"role": "user", "content": text}]} for text in to_decide()]
        _, _, first = _Line(port).ask(request(port, asked[0], "/route"))
        if json.loads(first)["reason"] == "policy":
            raise RuntimeError("the gateway runs without its router")
        load = _by_wrk if shutil.which("wrk") else _by_our_own
        load(port, asked, 1)
        return load(port, asked, LOAD_S)


def _by_wrk(port: int, asked: list[dict[str, Any]], seconds: int) -> Mapping[str, float]:
    bodies = ",\n".join(json.dumps(json.dumps(one)) for one in asked)
    script = _WRK_SCRIPT.replace("BODIES", bodies)
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "-s",
            file.name,
            f"http://127.0.0.1:{port}",
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    served, micros, p50, p99, failed = (float(part) for part in said.partition("RESULT ")[2].split())
    return {
        "decisions_a_second": 1e6 * served / micros,
        "p50_ms": p50 / 1e3,
        "p99_ms": p99 / 1e3,
        "failed": failed,
    }


def _by_our_own(port: int, asked: list[dict[str, Any]], seconds: int) -> Mapping[str, float]:
    ready = [request(port, one, "/route") for one in asked]
    taken: list[float] = []
    failed = 0

    async def one(number: int, until: float) -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        at = number
        while (start := time.perf_counter()) < until:
            at = (at + CONNECTIONS) % len(ready)
            writer.write(ready[at])
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            failed += length is None or not head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(int(length[1]) if length else 0)
            taken.append(time.perf_counter() - start)
        writer.close()

    async def every() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(one(number, until) for number in range(CONNECTIONS)))

    asyncio.run(every())
    cuts = statistics.quantiles(taken, n=100)
    return {
        "decisions_a_second": len(taken) / seconds,
        "p50_ms": 1e3 * cuts[49],
        "p99_ms": 1e3 * cuts[98],
        "failed": failed,
    }


JOBS = (
    Trial(
        name="pass-through",
        run=added_delays,
        at_most={"added_p50_ms": 1.0, "added_first_byte_p50_ms": 1.5},
        runs=3,
        note=f"{CALLS} calls of each kind, direct and through one worker, alternating",
    ),
    Trial(
        name="streams",
        run=many_streams,
        at_most={"streams_lost_or_altered": 0, "gateway_peak_mb": 300},
        at_least={"streams_at_once": STREAMS},
        runs=2,
        note=f"{STREAMS} streams of {EVENTS} events, one every {PAUSE_S * 1e3:g} ms, through one worker",
    ),
    Trial(
        name="decisions-over-http",
        run=decisions_a_second,
        at_least={"decisions_a_second": 4_000},
        at_most={"p99_ms": 10, "failed": 0},
        runs=3,
        note=f"/route with explanation, {WORKERS} workers, {CONNECTIONS} connections, bank of {BANK} prompts",
    ),
)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        try:
            from uvloop import run
        except ImportError:
            run = asyncio.run
        run(serve_upstream(int(sys.argv[1])))
