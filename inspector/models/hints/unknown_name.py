"""A name that is neither a folder nor a hub id: what it seems to be, and what to give.

Must not know: torch, transformers; what is in a folder.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from inspector.models.hints.rules import said_of


def why_no_name(name: str) -> str | None:
    """Return what a name that is no folder seems to be, and what to give instead.

    Example:
        >>> why_no_name("https://huggingface.co/google-bert/bert-base-uncased/tree/main")
        "is an address: give the hub id alone, 'google-bert/bert-base-uncased'."
    """
    return said_of("unknown_names", [name])


def why_a_file(path: Path) -> str:
    """Return what a file is that was given as a model, in words after 'a file'; mostly none."""
    return said_of("files", [path.name]) or ""


def meant(name: str, aliases: Iterable[str]) -> str:
    """Return the alias that a name is nearly, as a question; nothing where it is nearly none.

    Example:
        >>> meant("MiniLM-", ["minilm"])
        ' Did you mean minilm?'
    """
    bare = re.sub(r"[\W_]", "", name.lower())
    found = get_close_matches(bare, list(aliases), n=1, cutoff=0.7)
    return f" Did you mean {found[0]}?" if found else ""
