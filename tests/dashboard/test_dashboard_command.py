"""`inspector dashboard`: the same pages from any folder, on this machine alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from dashboard_driver import ROOT

from inspector.commands.dashboard import SETTINGS, command


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def test_its_settings_are_those_of_the_project():
    table = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    flat = {
        f"{section}.{name}": value if isinstance(value, str) else json.dumps(value)
        for section in ("server", "browser", "client")
        for name, value in table[section].items()
    }
    assert flat == SETTINGS


@pytest.mark.process
def test_it_serves_from_any_folder(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("inspector"), "dashboard", "--port", str(port), "--json"],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while True:
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < end, "it never answered"
            try:
                address = f"http://127.0.0.1:{port}/_stcore/health"
                with urllib.request.urlopen(address, timeout=2) as answer:
                    assert answer.status == 200
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert json.loads(out) == {"url": f"http://127.0.0.1:{port}", "settings": SETTINGS}


def test_the_script_shows_the_overview_with_no_settings_file(monkeypatch):
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(sys, "argv", ["script.py"])
    script = command(8501, None)[4]
    app = AppTest.from_file(script, default_timeout=120).run()
    assert not app.exception
    assert app.title[0].value == "Overview"


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none(request, port):
    done = request.getfixturevalue("command")("dashboard", "--port", port)
    assert done.code == 2
    assert done.err == (f"inspector: port ({port}) must be from 1 to 65535: choose a free one.\n")


def test_a_settings_file_that_is_not_there(request, tmp_path):
    done = request.getfixturevalue("command")("dashboard", "--config", tmp_path / "no.yaml")
    assert done.code == 2
    assert done.err == (
        f"inspector: config ({tmp_path / 'no.yaml'}) must be a settings file that exists: "
        "check the path.\n"
    )
