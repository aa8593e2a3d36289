"""What several rooms' tests share."""

import functools
import os
import shutil

import pytest
from support import shapes

os.environ["HF_HUB_OFFLINE"] = "1"
shapes.install()

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


# --doctest-modules would collect these too, and take all but one for the wrong file.
collect_ignore_glob = ["*conftest.py"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a browser where there is none, unless one is required."""
    shapes.begin()
    if item.get_closest_marker("browser") is None or CHROMIUM is not None:
        return
    if os.environ.get("INSPECTOR_BROWSER") == "required":
        pytest.fail("INSPECTOR_BROWSER=required, but no chromium is on the PATH", pytrace=False)
    pytest.skip("no chromium on the PATH; INSPECTOR_BROWSER=required makes this a failure")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Return how Chromium is started: the system's own, able to reach this machine alone."""
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ],
    }


@pytest.fixture(scope="session")
def base_url() -> None:
    """Return nothing: addresses are given in full. The plugin's own makes pytest 9 warn."""


@pytest.fixture(scope="session")
def minilm():
    """Return the real pretrained model that inspector ships with. Read-only."""
    from inspector.models import load

    return load("minilm")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Return a function: family → the folder of a tiny model of it. Read-only: copy to change."""
    from tiny_models import save_tiny_model

    @functools.cache
    def folder(family="bert"):
        return save_tiny_model(tmp_path_factory.mktemp("tiny") / family, family)

    return folder


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """Return a copy of the tiny BERT's folder, to be spoilt."""
    return shutil.copytree(tiny_folder("bert"), tmp_path / "model")


@pytest.fixture
def command(monkeypatch, capsys):
    """Return a function: arguments → exit code, stdout and stderr of the command, in process."""
    from types import SimpleNamespace

    from inspector import cli

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["inspector", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return SimpleNamespace(code=stopped.value.code, out=captured.out, err=captured.err)

    return run


@pytest.fixture(scope="module")
def one_thread():
    """Let torch compute in one thread: with matrices 32 wide, more cost more than they give."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
