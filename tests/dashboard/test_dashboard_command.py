"""`inspector dashboard`: the same pages from any folder, on this machine alone."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser.browser_reader import Reader
from support.browser.dashboard_driver import ROOT
from support.browser.serving import FORGED, end, free_port, handshake, listens, wait_until_healthy
from support.processes.interrupting import start_interruptible

from inspector import dashboard
from inspector.commands.dashboard import SETTINGS, streamlit_words

# Modules that the dashboard imports: a stranger's files of these names are no part of it.
STRANGERS = ("streamlit", "torch", "inspector", "yaml", "altair", "sitecustomize")


def test_its_settings_are_those_of_the_project():
    table = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    flat = {}
    for section, values in table.items():
        for name, value in values.items():
            if isinstance(value, dict):
                flat |= {f"{section}.{name}.{key}": leaf for key, leaf in value.items()}
            else:
                plain = isinstance(value, (str, list))
                flat[f"{section}.{name}"] = value if plain else json.dumps(value)
    assert flat == SETTINGS


def test_streamlit_is_told_one_value_at_a_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = streamlit_words(Path("/x/script.py"), 8502, Path("mine.yaml"))
    hosts = [word for word in words if word.startswith("--server.allowedHosts=")]
    assert hosts == ["--server.allowedHosts=localhost", "--server.allowedHosts=127.0.0.1"]
    assert words[:3] == ["streamlit", "run", "/x/script.py"]
    assert "--server.port=8502" in words
    # Streamlit looks for secrets at each visit, in the reader's folder unless told where.
    (secrets,) = (word for word in words if word.startswith("--secrets.files="))
    assert secrets == "--secrets.files=/x/no-secrets.toml"
    assert words[-5:] == ["--", "--folder", str(tmp_path), "--config", str(tmp_path / "mine.yaml")]


def test_no_folder_beside_the_script_is_taken_for_pages_of_streamlits():
    """Until a script names its pages, Streamlit shows each file of a folder `pages` as one."""
    for script in (ROOT / "app.py", Path(dashboard.__file__).parent / "script.py"):
        assert script.exists()
        assert not (script.parent / "pages").exists()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the bin folder of an environment with inspector's wheel, its libraries being ours."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "venv" / "bin" / "python"
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    own, ours = (
        subprocess.run([one, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
        for one in (python, sys.executable)
    )
    (Path(own) / "libraries.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    options = [
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
        "--no-warn-script-location",
    ]
    subprocess.run([*pip, *options, "--force-reinstall", wheel], check=True, capture_output=True)
    where = [python, "-P", "-c", "import inspector; print(inspector.__file__)"]
    done = subprocess.run(where, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == f"{own}/inspector/__init__.py"  # the wheel's, not the checkout's
    return python.parent


@contextlib.contextmanager
def started(command, folder, log, *options):
    """Start the dashboard in a folder: yields its process, its port and its address."""
    port = free_port()
    with log.open("w") as errors, log.with_suffix(".out").open("w") as output:
        process = start_interruptible(
            [command, "dashboard", "--port", str(port), *options],
            cwd=folder,
            stdout=output,
            stderr=errors,
        )
    try:
        yield process, port, wait_until_healthy(process, port, log)
    finally:
        end(process)


@pytest.fixture
def strangers_folder(tmp_path):
    """Return a folder in which a stranger left files that Python and Streamlit obey."""
    folder = tmp_path / "strange"
    (folder / ".streamlit").mkdir(parents=True)
    for name in STRANGERS:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    (folder / ".streamlit" / "config.toml").write_text(
        '[server]\naddress = "0.0.0.0"\nbaseUrlPath = "strange"\nenableCORS = false\n'
        '[client]\nshowSidebarNavigation = false\n[theme]\nprimaryColor = "#ff0000"\n'
    )
    # Streamlit puts what stands in a file of secrets into the environment; it would log this one.
    (folder / ".streamlit" / "secrets.toml").write_text("no TOML")
    return folder


@pytest.mark.browser
@pytest.mark.process
def test_from_the_wheel_it_shows_its_pages_and_ends_with_its_command(
    page, installed, strangers_folder, tmp_path
):
    log = tmp_path / "log.txt"
    with started(installed / "inspector", strangers_folder, log) as (process, port, address):
        reader = Reader(page, address)
        reader.open("weights")  # a link to a page may be the first thing that a server is asked for
        head = page.get_by_role("heading", name=re.compile(r"^Head \d+-\d+"))
        expect(head).to_be_visible()
        reader.open("")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        # The default run comes with the package: nobody computed one here.
        expect(page.get_by_text("over the best fixed offset").first).to_be_visible()
        reader.turn_to("Weights")
        expect(head).to_be_visible()
        reader.check_clean()
        assert handshake(address) == 101
        for name, forged in FORGED.items():
            assert handshake(address, **forged) == 403, name
        assert not (strangers_folder / "ran").exists()
        page.goto(f"{address}/verification", wait_until="commit")  # it is left computing
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0  # at once on a machine that does nothing else
        assert not listens(port)
    assert "Traceback" not in log.read_text()
    assert "secrets" not in log.read_text()


@pytest.mark.process
def test_whatever_ends_the_command_ends_the_server(tmp_path):
    """Even kill -9: they are one process."""
    command = Path(sys.executable).with_name("inspector")
    signals = {"SIGINT": 0, "SIGHUP": -signal.SIGHUP, "SIGKILL": -signal.SIGKILL}
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(started(command, tmp_path, tmp_path / name, "--json"))
            for name in signals
        }
        for name, code in signals.items():
            process, port, address = running[name]
            process.send_signal(signal.Signals[name])
            assert process.wait(120) == code, name
            assert not listens(port), name
            assert "Traceback" not in (tmp_path / name).read_text()
            # stdout holds one document: what Streamlit says is no result.
            told = json.loads((tmp_path / name).with_suffix(".out").read_text())
            assert told == {"url": address, "settings": SETTINGS}


def test_the_script_shows_the_overview_with_no_settings_file(monkeypatch, tmp_path):
    from streamlit.testing.v1 import AppTest

    monkeypatch.chdir(tmp_path)
    words = streamlit_words(ROOT / "inspector" / "dashboard" / "script.py", 8501, None)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [words[2], *words[words.index("--") + 1 :]])
    app = AppTest.from_file(words[2], default_timeout=120).run()
    assert not app.exception
    assert app.title[0].value == "Overview"
    assert Path.cwd() == tmp_path  # what a name in the settings means


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none(request, port):
    done = request.getfixturevalue("command")("dashboard", "--port", port)
    assert done.code == 2
    assert done.err == (f"inspector: port ({port}) must be from 1 to 65535: choose a free one.\n")


def test_a_port_that_is_no_number(request):
    done = request.getfixturevalue("command")("dashboard", "--port", "eighty")
    assert done.code == 2
    assert done.err == (
        "inspector: Invalid value for '--port': "
        "Input should be a valid integer, unable to parse string as an integer. "
        "See inspector dashboard --help.\n"
    )


def test_a_port_that_is_taken(request):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = request.getfixturevalue("command")("dashboard", "--port", port)
    assert done.code == 2
    assert done.out == ""
    assert done.err == (
        f"inspector: port ({port}) must be free: another program listens there. "
        "Choose another one.\n"
    )


def test_a_settings_file_that_is_not_there(request, tmp_path):
    done = request.getfixturevalue("command")("dashboard", "--config", tmp_path / "no.yaml")
    assert done.code == 2
    assert done.err == (
        f"inspector: config ({tmp_path / 'no.yaml'}) must be a settings file that exists: "
        "check the path.\n"
    )


@pytest.mark.process
def test_a_server_that_never_ends_its_answers_is_ended():
    """Streamlit's handler asks it to; what it computes need not listen."""
    deaf = """
import os, signal, time
from inspector.commands import dashboard
dashboard._PATIENCE_S = 0.2
signal.signal = dashboard._ending_soon(signal.signal)
signal.signal(signal.SIGTERM, lambda *told: print("told", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
while True:
    time.sleep(0.01)
"""
    words = [sys.executable, "-c", deaf]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "told\n"
