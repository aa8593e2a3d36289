"""A vocabulary without tokenizer.json: whether its words are cased, where no file says so.

Older folders have the vocabulary and nothing else; then transformers takes BERT's and ALBERT's own
defaults, and makes every text small. Must not know: torch, transformers.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

# Some lists have a stray word that their tokenizer never makes.
_STRAY = 0.001


def casing(loaded: Any, settings: dict[str, Any]) -> dict[str, bool]:
    """Return the settings by which a tokenizer's texts keep what its vocabulary has.

    A vocabulary with capitals is not for small letters; one with accents, not for letters
    stripped of them. What a file says stands.

    Args:
        loaded: The tokenizer as its class's defaults have it.
        settings: Of the folder's tokenizer_config.json.

    Returns:
        Nothing where the tokenizer is right as it is.
    """
    if not getattr(loaded, "do_lower_case", False):
        return {}
    special = set(loaded.all_special_tokens)
    words = [word for word in loaded.get_vocab() if word not in special and not _is_marked(word)]
    found: dict[str, bool] = {}
    if settings.get("do_lower_case") is None and _many(words, str.lower):
        found["do_lower_case"] = False
    if settings.get("strip_accents") is None and _many(words, _stripped):
        found["strip_accents"] = False
    return found


def _is_marked(word: str) -> bool:
    return word[:1] + word[-1:] in ("[]", "<>")


def _many(words: list[str], change: Callable[[str], str]) -> bool:
    """Return whether a change would put some of the words out of reach."""
    return sum(change(word) != word for word in words) > _STRAY * len(words)


def _stripped(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
