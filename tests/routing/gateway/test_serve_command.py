"""``isoflop routing serve``: checks before it serves, reloads on SIGHUP, drains on SIGTERM."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from click.testing import CliRunner

from isoflop.errors import SettingError
from isoflop.routing.commands.serve import serve
from tests.routing.gateway.upstreams import COMPLETION, pieces, reply, upstream_thread

FILE = """
[server]
port = 0
{server}
[[provider]]
name = "up"
base_url = "{base_url}"
[[model]]
name = "small"
provider = "up"
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.4
"""


def _file(tmp_path, base_url="http://127.0.0.1:9/v1", server="", more=""):
    file = tmp_path / "gateway.toml"
    file.write_text(FILE.format(base_url=base_url, server=server) + more)
    return file


def _run(*words):
    return CliRunner().invoke(serve, [str(word) for word in words], catch_exceptions=True)


def test_check_prints_what_would_be_served_and_serves_nothing(tmp_path):
    found = _run("--config", _file(tmp_path), "--check")
    assert found.exit_code == 0, found.output
    for words in ("127.0.0.1:0, 1 worker", "small", "auto:quality", "No router is loaded"):
        assert words in found.output
    as_json = json.loads(_run("--config", _file(tmp_path), "--check", "--json").output)
    assert as_json["tables"]["models"][0]["model"] == "small"
    assert as_json["tables"]["names"] == [{"name": "auto"}, {"name": "auto:quality"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "needs a token"),
        (["--port", "70000"], r"--port: 70000, must lie in"),
        (["--workers", "0"], "--workers: 0"),
        (["--port", "x"], "--port: 'x', must be a whole number"),
        (["--router", "none.npz"], "none.npz"),
        (["--json"], "Add --check"),
    ],
)
def test_bad_options_are_refused_before_anything_is_served(tmp_path, words, message):
    checked = words if words == ["--json"] else [*words, "--check"]
    found = _run("--config", _file(tmp_path), *checked)
    assert isinstance(found.exception, Exception)
    assert not isinstance(found.exception, SystemExit)
    assert re.search(message, str(found.exception))


def test_a_missing_file_and_a_wrong_key_are_refused(tmp_path):
    assert "cannot be read" in str(_run("--config", tmp_path / "none.toml").exception)
    wrong = _run("--config", _file(tmp_path, server="prot = 1"), "--check").exception
    assert isinstance(wrong, SettingError)
    assert "closest is 'port'" in str(wrong)


class Served:
    """The command in a process of its own."""

    def __init__(self, file, *words):
        command = [sys.executable, "-m", "isoflop", "routing", "serve", "--config", str(file), *words]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said = ""
        self.address = self.until(r"serving (http://[^/]+)/v1")[1]

    def until(self, pattern):
        """Read the log until a line matches."""
        while line := self.process.stderr.readline():
            self.said += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern} not said:\n{self.said}")

    def get(self, path, fields=None):
        data = None if fields is None else json.dumps(fields).encode()
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"{self.address}{path}", data, timeout=10) as answer:
                    return answer.read()
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise AssertionError("no answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stderr.close()


CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.slow
@pytest.mark.ci
def test_it_serves_reloads_on_sighup_and_finishes_a_running_answer_on_sigterm(tmp_path):
    with upstream_thread(reply(COMPLETION), pieces([b"one ", b"two"], pause_s=1.0)) as seen:
        file = _file(tmp_path, seen.base_url)
        with Served(file) as served:
            assert served.get("/v1/chat/completions", CHAT) == COMPLETION
            file.write_text(file.read_text().replace("port = 0", "prot = 0"))
            served.process.send_signal(signal.SIGHUP)
            assert served.until("reload refused")
            _file(tmp_path, seen.base_url, more='[policy.thrifty]\nmodels = ["small"]\n')
            served.process.send_signal(signal.SIGHUP)
            served.until(" reloaded")
            assert b"auto:thrifty" in served.get("/v1/models")

            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(1) as pool:
                last = pool.submit(served.get, "/v1/chat/completions", CHAT)
                while len(seen.requests) < 2:
                    time.sleep(0.02)
                served.process.send_signal(signal.SIGTERM)
                assert last.result(20) == b"one two"
            assert served.process.wait(10) == 0


@pytest.mark.slow
@pytest.mark.ci
def test_workers_share_counters_spending_and_conversations(tmp_path):
    budget = "[budget]\nusd = 1.0\n"
    with (
        upstream_thread(reply(COMPLETION)) as seen,
        Served(_file(tmp_path, seen.base_url, more=budget), "--workers", "2") as served,
    ):
        for _ in range(12):
            assert served.get("/v1/chat/completions", CHAT) == COMPLETION
        page = served.get("/metrics").decode()
        total = re.search(r'isoflop_decisions_total\{model="small",reason="policy"\} (\S+)', page)
        assert total is not None
        assert float(total[1]) == 12
        served.process.send_signal(signal.SIGHUP)
        time.sleep(0.8)
        assert served.get("/healthz") == b'{"status":"alive"}'
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(15) == 0


@pytest.mark.slow
@pytest.mark.ci
def test_a_taken_port_is_refused_by_name(tmp_path):
    with upstream_thread(reply(COMPLETION)) as seen:
        file = _file(tmp_path, seen.base_url)
        with Served(file) as served:
            port = served.address.rpartition(":")[2]
            found = _run("--config", file, "--port", port)
            assert isinstance(found.exception, SettingError)
            assert f"127.0.0.1:{port}, cannot be listened on" in str(found.exception)
    assert os.environ.get("PROMETHEUS_MULTIPROC_DIR") is None
