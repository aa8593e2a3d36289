"""What several rooms' tests share."""

import functools
import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from support import shapes

os.environ["HF_HUB_OFFLINE"] = "1"
shapes.install()

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


# What takes longest comes first, so that no process is left with it while the others are done.
LONGEST_FIRST = (
    "dashboard_in_browser", "dashboard_pages", "notebooks", "verify_layers", "dashboard_command",
    "cli_meaning", "catalogue", "ladder_nulls", "implementations", "cli", "ray", "profile_killed",
    "kinds_reference", "hostile", "ordinary_use",
    "profile_reference", "profile", "killed_runs", "cli_profile", "verify_families",
    "ordinary_use_of_calls", "documented_build", "bad_implementations", "coreference_reference",
    "ten_and_ten", "benchmarks", "readme", "custom_attention",
    "check_command", "head_examples", "unknown_ones", "right_ones", "meaning_shuffled",
)  # fmt: skip

# What a test of the served dashboard takes.
_SERVED = re.compile(r"def test_\w+\([^)]*\b(?:reader|server)\b")

# --doctest-modules would collect these too, and take all but one for the wrong file.
collect_ignore_glob = ["*conftest.py"]


class Examples:
    """How the examples of the package's docstrings are found and run."""

    _load: Any = None

    @staticmethod
    def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
        """Return True of a module of the package without an example, else no opinion: it would be
        imported and searched for one."""
        of_package = collection_path.is_relative_to(config.rootpath / "inspector")
        if of_package and collection_path.suffix == ".py":
            return True if ">>>" not in collection_path.read_text("utf-8") else None
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Let examples share the model that ships with inspector: to load it takes seconds."""
        if not isinstance(item, pytest.DoctestItem) or "minilm" not in item.dtest.docstring:
            return (yield)
        from inspector.models.loading import load_model

        self._load = self._load or functools.cache(load_model._load_folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(load_model, "_load_folder", self._load)
            return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Let the package's modules be chosen: this folder's own hooks are asked of it alone."""
    config.pluginmanager.register(Examples())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what deals out whole files, as their tests share what they make; None if not asked.

    The dashboard's look at one run, which takes long to make: they stay together, those that look
    at a server and those that run its pages in their own process.
    """
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    folder = config.rootpath / "tests" / "dashboard"
    tests = {path.name: path.read_text("utf-8") for path in folder.rglob("test_*.py")}
    served = {name for name, text in tests.items() if _SERVED.search(text)}

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            name = file.rpartition("/")[2]
            # test_dashboard_command.py has servers of its own.
            if name not in tests or name == "test_dashboard_command.py":
                return file
            return f"tests/dashboard {'served' if name in served else 'in process'}"

    return ByFile(config, log)


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
    from support.tiny.models import save_tiny_model

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
