"""The wheel holds the package's data; installed elsewhere, it runs every command there is.

On another Python: INSPECTOR_WHEEL_PYTHON names that of an environment which holds all that the
wheel asks for with the extra `dashboard`, and no inspector.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
import typer
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from inspector.cli import app
from inspector.corpora.default import sample_files

ROOT = Path(__file__).parents[2]
DISTRIBUTION = "attention-inspector"
NOT_HOLDING = 1
# Command → its runs, in order: words, and the exit code they end with.
RUNS = {
    "verify": [
        ("verify --json", 0),
        ("verify --implementation mine.py:build --layers 0 --json", 0),
    ],
    "weights": [("weights -o weights.csv", 0)],
    "attend": [("attend --text The_cat_sat. --view model -o cat.html", 0)],
    "profile": [
        ("profile --corpus a.conllu --replicate b.conllu --ablation-sentences 4 -o run", 0),
        ("profile --corpus b.conllu --no-ablation --workers 2 -o other", 0),
    ],
    "ablate": [("ablate --heads 2-8 --corpus a.conllu -o ablation.parquet", 0)],
    "compare": [("compare run other -o compared.csv", 0)],
    "check": [
        ("check claims.yaml --corpus a.conllu --replicate b.conllu -o checked.csv", NOT_HOLDING)
    ],
    "importance": [("importance --corpus a.conllu -o importance.csv", 0)],
    "robustness": [("robustness --corpus a.conllu -o robustness.csv", 0)],
    "composition": [("composition -o composition.csv", 0)],
    "rollout": [("rollout --text The_cat_sat. -o rollout.csv", 0)],
    "corpora": [("corpora", 0), ("corpora list --json", 0), ("corpora fetch nowhere", 2)],
    "dashboard": [("dashboard --port 99999", 2)],  # and served, below
    "architectures": [("architectures gpt2 --json", 0)],
}


def test_the_wheel_has_every_file_of_the_package_and_no_other():
    builder = WheelBuilder(str(ROOT))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    package = ROOT / "inspector"
    data = {
        str(path.relative_to(ROOT))
        for suffix in ("yaml", "conllu")
        for path in package.rglob(f"*.{suffix}")
    }
    assert len(data) >= 30
    assert data <= packed
    assert {name.split("/")[0] for name in packed} == {"inspector"}
    assert "inspector/corpora/probes/syntax.conllu" in packed


def test_every_command_has_a_run_of_the_installed_wheel():
    assert set(RUNS) == set(typer.main.get_command(app).commands)


@pytest.mark.full
@pytest.mark.browser
def test_the_installed_wheel_runs_every_command_in_another_folder(tmp_path, page):
    inspector, elsewhere = installed(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_inputs(elsewhere)
    said = run(inspector, elsewhere, ["--help"])
    assert all(f" {name} " in said for name in RUNS)
    for name, runs in RUNS.items():
        for words, code in runs:
            assert words.split()[0] == name
            run(inspector, elsewhere, [word.replace("_", " ") for word in words.split()], code)
    written = {path.name for path in elsewhere.iterdir()}
    assert {words.split()[-1] for runs in RUNS.values() for words, _ in runs if "-o " in words} <= (
        written
    )
    serve(inspector, elsewhere, page)


def installed(folder):
    """Return the command of a wheel, built and installed where only what it asks for is."""
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(folder)))
    environment = folder / "environment"
    other = os.environ.get("INSPECTOR_WHEEL_PYTHON")
    if other is None:
        venv.create(environment)
    else:
        subprocess.run([other, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet",
         "--no-index", wheel],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    packages = next(environment.glob("lib/*/site-packages"))
    if other is None:
        needed = needed_files(DISTRIBUTION, {"dashboard"})
    else:
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        said = subprocess.run([other, "-c", where], capture_output=True, text=True, check=True)
        needed = Path(said.stdout.strip()).iterdir()
    for path in needed:
        if not (packages / path.name).exists():
            (packages / path.name).symlink_to(path)
    return environment / "bin" / "inspector"


def needed_files(name, extras):
    """Return the top files of all that a distribution asks for, and of what that asks for."""
    found, waiting = {}, [(name, frozenset(extras))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in found:
            continue
        found[name, extras] = set()
        for line in distribution(name).requires or ():
            asked = Requirement(line)
            wanted = [{"extra": extra} for extra in (*extras, "")]
            if asked.marker is None or any(map(asked.marker.evaluate, wanted)):
                waiting.append((asked.name, frozenset(asked.extras)))
        if name != DISTRIBUTION:
            parts = {file.parts[0] for file in distribution(name).files or ()} - {"..", ""}
            found[name, extras] = {Path(distribution(name).locate_file(part)) for part in parts}
    return set.union(*found.values())


def write_inputs(folder):
    """Write two small corpora of several documents, claims, and an attention of one's own."""
    documents = [path.read_text("utf-8") for path in sample_files()]
    for name, start in {"a": 0, "b": 6}.items():
        text = "".join(documents[start : start + 6])
        (folder / f"{name}.conllu").write_text(text, "utf-8")
    (folder / "claims.yaml").write_text(
        "model: minilm\nclaims:\n- {layer: 1, head: 8, target: previous token}\n", "utf-8"
    )
    (folder / "mine.py").write_text(
        "from torch.nn.functional import linear, softmax\n\n\n"
        "def build(weights):\n"
        "    def heads(states, matrix, bias):\n"
        "        split = linear(states, matrix, bias).unflatten(-1, (weights.n_heads, -1))\n"
        "        return split.transpose(1, 2)\n\n"
        "    def attend(states, padding_mask):\n"
        "        query = heads(states, weights.W_Q, weights.b_Q)\n"
        "        key = heads(states, weights.W_K, weights.b_K)\n"
        "        value = heads(states, weights.W_V, weights.b_V)\n"
        "        scores = query @ key.transpose(-1, -2) * weights.scaling\n"
        "        if padding_mask is not None:\n"
        "            scores = scores.masked_fill(~padding_mask[:, None, None], float('-inf'))\n"
        "        context = (softmax(scores, -1) @ value).transpose(1, 2).flatten(-2)\n"
        "        return linear(context, weights.W_O, weights.b_O)\n\n"
        "    return attend\n",
        "utf-8",
    )


def surroundings():
    """Return the environment of a user: no network, and nothing that points at this checkout."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "COLUMNS": "200"}


def run(inspector, folder, words, code=0):
    done = subprocess.run(
        [inspector, *words], cwd=folder, env=surroundings(), capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == code, (words, done.stdout[-2000:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr, words
    return done.stdout


def serve(inspector, folder, page):
    """Start the dashboard, read its first page in a browser, and end it as a user does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, words = folder / "served.txt", [inspector, "dashboard", "--port", str(port)]
    with log.open("w") as file, subprocess.Popen(
        words, cwd=folder, env=surroundings(), stdout=file, stderr=file
    ) as server:  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}", server, log)
            page.goto(f"http://127.0.0.1:{port}")
            page.get_by_role("heading", level=1).wait_for(timeout=300_000)
            assert page.title() == "Overview · inspector"
            page.locator(".stMarkdownBadge", has_text="Verified").wait_for(timeout=300_000)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def wait_for(address, server, log):
    """Return as soon as somebody serves a page."""
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=60):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the dashboard did not answer")
