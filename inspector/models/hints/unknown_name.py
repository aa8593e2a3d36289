"""A name that is neither a folder nor a hub id: what it seems to be, and what to give.

Must not know: torch, transformers; what is in a folder.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

_HUB_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:models/)?"
    r"([\w.-]+(?:/[\w.-]+)?)(?:/(?:tree|blob|resolve)/.*)?/?(?:[?#].*)?"
)
_HUB_PATH = re.compile(
    r"(?:hf|huggingface|hub)://(?:models/)?([\w.-]+(?:/[\w.-]+)?)(?:@[^/]*)?(?:/.*)?"
)
_FILES = {
    ".gguf": " of llama.cpp (GGUF), whose weights are rounded: take the checkpoint that it was "
    "made from",
    ".onnx": " with an ONNX graph, in which no head stands by itself: take the checkpoint it was "
    "exported from",
    ".h5": " of TensorFlow's: load it with transformers 4 (from_tf=True), save_pretrained",
    ".msgpack": " of Flax's: load it with transformers 4 (from_flax=True), save_pretrained",
    ".bin": ", a pickle that can run code when it is read: convert it to safetensors",
    ".pt": ", a pickle that can run code when it is read: convert it to safetensors",
    ".pth": ", a pickle that can run code when it is read: convert it to safetensors",
    ".ckpt": ", a pickle that can run code when it is read: convert it to safetensors",
    ".zip": ", an archive: unpack it",
    ".tar": ", an archive: unpack it",
    ".gz": ", an archive: unpack it",
    ".tgz": ", an archive: unpack it",
}


def why_no_name(name: str) -> str | None:
    """Return what a name that is no folder seems to be, and what to give instead.

    Example:
        >>> why_no_name("https://huggingface.co/google-bert/bert-base-uncased/tree/main")
        "is an address: give the hub id alone, 'google-bert/bert-base-uncased'."
    """
    for pattern in (_HUB_ADDRESS, _HUB_PATH):
        if found := pattern.fullmatch(name):
            return f"is an address: give the hub id alone, {found[1]!r}."
    if name.lower().startswith("file:"):
        path = re.sub(r"^file:(//(localhost)?(?=/))?", "", name, flags=re.IGNORECASE)
        return f"is an address: give the folder as a path, {path!r}."
    if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
        return "is an address: nothing is fetched from there; give a hub id or a folder."
    if re.match(r"[A-Za-z]:[\\/]|\\\\", name) or "\\" in name:
        return (
            "is a path as Windows writes it, and no folder here: write it with / and as this "
            "system knows it."
        )
    if re.fullmatch(r"[\w.-]+/[\w.-]+/+", name) or re.fullmatch(r"[\w-][\w.-]*/+", name):
        bare = name.rstrip("/")
        return f"is no folder that exists: check the path, or give the hub id alone, {bare!r}."
    return None


def why_a_file(path: Path) -> str:
    """Return what a file is that was given as a model, in words after 'a file'; mostly none."""
    return _FILES.get(path.suffix.lower(), "")


def meant(name: str, aliases: Iterable[str]) -> str:
    """Return the alias that a name is nearly, as a question; nothing where it is nearly none.

    Example:
        >>> meant("MiniLM-", ["minilm"])
        ' Did you mean minilm?'
    """
    bare = re.sub(r"[\W_]", "", name.lower())
    found = get_close_matches(bare, list(aliases), n=1, cutoff=0.7)
    return f" Did you mean {found[0]}?" if found else ""
