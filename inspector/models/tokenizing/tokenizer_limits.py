"""How much a tokenizer's files may ask for, before anything is built from them.

Must not know: torch, transformers; files.
"""

import math
from pathlib import Path
from typing import Any

from inspector.errors import ModelError

_PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_MOST_ENTRIES, _DEEPEST = 5_000, 32
_MOST_ADDED = 100_000
_LONGEST_WORD = 1_000  # WordPiece's time grows with its square
_LENGTHS = ("model_max_length", "max_len")
_SPECIAL = ("pad_token", "unk_token", "cls_token", "sep_token", "bos_token", "eos_token",
            "mask_token")  # fmt: skip


def check_tokenizer(content: dict[str, Any], path: Path) -> None:
    """Refuse what is no tokenizer, and chains of rules and added tokens that none needs.

    Args:
        content: Of tokenizer.json.
        path: Its name, for the message.

    Raises:
        ModelError: If there is one.
    """
    if not isinstance(content.get("model"), dict):
        raise ModelError(
            f"{path} has no model: it is not the whole file of a tokenizer. Save the tokenizer "
            "again."
        )
    for part in _PARTS:
        _check_part(part, content.get(part), path)
    longest = content["model"].get("max_input_chars_per_word", 1)
    if not isinstance(longest, int) or not 1 <= longest <= _LONGEST_WORD:
        raise ModelError(
            f"max_input_chars_per_word ({_shown(longest)}) in {path} must be a whole number from 1 "
            f"to {_LONGEST_WORD}: BERT's is 100."
        )
    added = content.get("added_tokens", [])
    if not isinstance(added, list) or len(added) > _MOST_ADDED:
        given = f"{len(added)} entries" if isinstance(added, list) else type(added).__name__
        raise ModelError(
            f"added_tokens ({given}) in {path} must be a list of at most {_MOST_ADDED} entries: "
            "save the tokenizer again."
        )


def _check_part(name: str, content: Any, path: Path) -> None:
    waiting, n_entries = [(content, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        inner: list[Any] = []
        if isinstance(value, dict):
            inner = list(value.values())
        elif isinstance(value, list):
            inner = value
        n_entries += len(inner)
        if n_entries > _MOST_ENTRIES or depth > _DEEPEST:
            given = f"more than {_MOST_ENTRIES} entries" if n_entries > _MOST_ENTRIES else "deeper"
            raise ModelError(
                f"{name} ({given}) in {path} must have at most {_MOST_ENTRIES} entries, at most "
                f"{_DEEPEST} deep: save the tokenizer again."
            )
        waiting += [(each, depth + 1) for each in inner]


def check_tokenizer_settings(content: dict[str, Any], path: Path) -> None:
    """Refuse lengths that are no whole numbers, and special tokens without a letter.

    Args:
        content: Of tokenizer_config.json.
        path: Its name, for the message.

    Raises:
        ModelError: If there is one.

    Example:
        >>> check_tokenizer_settings({"model_max_length": "abc"}, Path("tokenizer_config.json"))
        Traceback (most recent call last):
        inspector.errors.ModelError: model_max_length ('abc') in tokenizer_config.json must be ...
    """
    for name in _LENGTHS:
        value = content.get(name)
        if value is not None and not _is_length(value):
            raise ModelError(
                f"{name} ({_shown(value)}) in {path} must be a whole number of at least 1: write "
                "the most tokens that the model takes, or leave it out."
            )
    for name in _SPECIAL:
        value = content.get(name)
        token = value.get("content") if isinstance(value, dict) else value
        if value is not None and (not isinstance(token, str) or not token):
            raise ModelError(
                f"{name} ({_shown(token)}) in {path} must be a token of the vocabulary, or null: "
                "name the one that the model was trained with."
            )


def _is_length(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 1 and value == int(value)


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of thousands of digits"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
