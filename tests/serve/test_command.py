"""``isoflop serve`` refuses what it cannot do before it serves anything."""

from __future__ import annotations

import socket

import pytest

from isoflop.cli import main


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main(["serve", "--no-browser"]) == 2
    assert "pip install 'isoflop[serve]'" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--jobs", "0"], "jobs_at_once"),
        (["--evidence", "nowhere"], "nowhere"),
    ],
)
def test_a_setting_out_of_range_is_refused(words, said, tmp_path, capsys):
    assert main(["serve", "--no-browser", "--folder", str(tmp_path / "new"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_port_that_is_taken_is_refused_with_what_to_do(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--no-browser", "--folder", str(tmp_path), "--port", port]) == 2
    assert "Choose another one with --port" in capsys.readouterr().err.replace("\n", " ")
