"""Looking into a folder of which nothing is known: never waits, never fails, never reads much.

Must not know: what is looked for.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from inspector.input import read_regular

CONFIG = "config.json"
_MOST_ENTRIES = 20_000
_MOST_BYTES = 1_000_000


def names_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder, sorted; none where it cannot be looked into."""
    try:
        return sorted(path.name for path in islice(folder.iterdir(), _MOST_ENTRIES))
    except OSError:
        return []


def is_file(path: Path) -> bool:
    """Return whether there is a regular file, or a link to one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def text_of(path: Path) -> str:
    """Return what a small file holds; nothing where it cannot be read."""
    try:
        return read_regular(path, most=_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def json_of(path: Path) -> Any:
    """Return what a small JSON file holds; None where it cannot be read."""
    try:
        return json.loads(text_of(path))
    except (ValueError, RecursionError):
        return None
