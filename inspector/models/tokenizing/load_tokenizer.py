"""A model's tokenizer: its files bounded before anything is built, loaded, proved usable."""

import json
import math
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspector.errors import ModelError
from inspector.models.architectures import Architecture
from inspector.models.tokenizing.guarded import muted, refusing
from inspector.models.tokenizing.tokenizer_json import the_folders_own

_PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_MOST_ENTRIES, _DEEPEST = 5_000, 32
_MOST_ADDED = 100_000
_LONGEST_WORD = 1_000  # WordPiece's time grows with its square
_LENGTHS = ("model_max_length", "max_len")
_SPECIAL = ("pad_token", "unk_token", "cls_token", "sep_token", "bos_token", "eos_token",
            "mask_token")  # fmt: skip


def check_tokenizer(content: dict[str, Any], path: Path) -> None:
    """Refuse what is no tokenizer, and chains of rules and added tokens that none needs.

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


# Time grows with the square of a text's tokens: more than this nobody waits for.
_MOST_TOKENS = 131_072
# Some lists have a stray word that their tokenizer never makes.
_STRAY = 0.001


def load_tokenizer(folder: Path, config: Any, architecture: Architecture) -> Any:
    """Return the tokenizer of a folder: what its tokenizer.json makes of a text, this does.

    A decoder's that has no padding token is given its end of text as one: what is padded is
    masked. It pads on the right, whatever side its files say (the left is for generating): most
    models count their positions from the first column, padding or not, so that padding on the left
    would move every token.

    Raises:
        ModelError: If it cannot be read, is a slow one, lacks a padding token, knows no ordinary
            token, is another model's, or has a rule that fails or does not end.
    """
    with refusing(lambda said: f"tokenizer of {folder} cannot be loaded: {said}"), muted(1, 2):
        settings = _settings(folder)
        tokenizer = _from_files(folder, config, settings)
        return made_usable(tokenizer, config, architecture, settings, folder)


def made_usable(
    tokenizer: Any,
    config: Any,
    architecture: Architecture,
    settings: dict[str, Any],
    folder: Path | str,
) -> Any:
    """Return a tokenizer that pads on the right and tells what is padding, found to be a model's.

    Raises:
        ModelError: If it lacks a padding token, knows no ordinary token, or is another model's.
    """
    if architecture.kind == "decoder" and tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.bos_token or tokenizer.unk_token
    _check_vocabulary(folder, tokenizer, config.vocab_size)
    _check_around(folder, tokenizer, config)
    _set_inputs(tokenizer, config, settings)
    tokenizer.padding_side = "right"
    return tokenizer


def _settings(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    content: dict[str, Any] = {}
    if file.is_file():
        content = json.loads(file.read_text(encoding="utf-8"))
    return content


def _from_files(folder: Path, config: Any, settings: dict[str, Any]) -> Any:
    loaded = _as_transformers_has_it(folder, config, settings)
    tokenizer = the_folders_own(loaded, folder, settings)
    if not tokenizer.is_fast:
        raise ModelError(
            f"tokenizer of {folder} is a slow one, which does not say which token belongs to which "
            "word: save it as tokenizer.json."
        )
    return tokenizer


def _as_transformers_has_it(folder: Path, config: Any, settings: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    has_rules = (folder / "tokenizer.json").is_file()
    try:
        loaded = AutoTokenizer.from_pretrained(folder, config=config, **options)
    except ImportError:  # what is lacking would cut the text before tokenizer.json's rules do
        raise
    except Exception as error:  # whatever its class raises
        # The class that the settings name may want other files than tokenizer.json.
        if has_rules:
            return PreTrainedTokenizerFast.from_pretrained(folder, **options)
        if "tiktoken" in str(error):  # for which it takes what sentencepiece cannot read
            raise ModelError(
                f"tokenizer of {folder} is no sentencepiece model: the file is cut short, another "
                "one, or a Git LFS pointer. Download it again."
            ) from None
        raise
    keeping = {} if has_rules else casing(loaded, settings)
    if keeping:
        loaded = AutoTokenizer.from_pretrained(folder, config=config, **options, **keeping)
    return loaded


def _set_inputs(tokenizer: Any, config: Any, settings: dict[str, Any]) -> None:
    """Let a tokenizer return the mask, without which padding is read, and kinds where they count.

    A class for any tokenizer.json knows no kinds; then the file's post-processor tells them apart.
    """
    kinds = "token_type_ids" in tokenizer.model_input_names
    if type(tokenizer).__name__ == "TokenizersBackend" and "model_input_names" not in settings:
        pair = tokenizer.backend_tokenizer.encode("a", "a")
        kinds = kinds or 1 <= max(pair.type_ids, default=0) < getattr(config, "type_vocab_size", 0)
    named = ["token_type_ids"] if kinds else []
    tokenizer.model_input_names = ["input_ids", *named, "attention_mask"]


def _check_vocabulary(folder: Path | str, tokenizer: Any, n_embeddings: int) -> None:
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    special = {token: vocabulary[token] for token in tokenizer.all_special_tokens
               if token in vocabulary}  # fmt: skip
    ordinary = set(vocabulary.values()) - set(special.values())
    if not ordinary:
        raise ModelError(
            f"tokenizer of {folder} knows {len(vocabulary)} special tokens and nothing else: every "
            "word would be unknown. Add the vocabulary that the model was trained with."
        )
    if max(ordinary) >= n_embeddings:
        raise ModelError(
            f"tokenizer of {folder} has token ids up to {max(vocabulary.values())}, but the model "
            f"has embeddings for {n_embeddings} tokens: it is another model's tokenizer."
        )
    beyond = sorted(token for token, number in special.items() if number >= n_embeddings)
    if beyond:
        raise ModelError(
            f"tokenizer of {folder} has {len(beyond)} special token(s) for which the model has no "
            f"embedding ({', '.join(beyond[:3])}): name tokens of its vocabulary in "
            "tokenizer_config.json."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"tokenizer of {folder} has no padding token: texts of different lengths "
            "cannot be put in one batch. Set pad_token in tokenizer_config.json."
        )


def _check_around(folder: Path | str, tokenizer: Any, config: Any) -> None:
    """Refuse ids that only the post-processor makes: they need not be in the vocabulary."""
    around = tokenizer.backend_tokenizer.encode("a")
    limits = {"an id": (around.ids, config.vocab_size)}
    if "token_type_ids" in tokenizer.model_input_names:
        limits["a type_id"] = (around.type_ids, getattr(config, "type_vocab_size", None))
    for what, (numbers, most) in limits.items():
        if most and max(numbers, default=0) >= most:
            raise ModelError(
                f"post_processor in {folder}/tokenizer.json gives tokens {what} of "
                f"{max(numbers)}, but the model has embeddings for {most}: it is another model's."
            )


def most_tokens(architecture: Architecture, config: Any, tokenizer: Any) -> int:
    """Return the most tokens, special ones included, that one text may have."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        positions = getattr(config, "max_seq_len", None)  # MPT's ALiBi goes as far
    limits = [int(tokenizer.model_max_length or _MOST_TOKENS), _MOST_TOKENS]
    if positions is not None:  # T5 and related models know distances, not positions
        offset = architecture.position_offset
        if offset:  # positions are counted from the padding token's id
            offset = max(offset, (getattr(config, "pad_token_id", None) or 0) + 1)
        limits.append(int(positions) - offset)
    return min(limits)


def casing(loaded: Any, settings: dict[str, Any]) -> dict[str, bool]:
    """Return the settings by which a tokenizer's texts keep what its vocabulary has.

    A vocabulary with capitals is not for small letters; one with accents, not for letters
    stripped of them. What a file says stands.

    Returns:
        Nothing where the tokenizer is right as it is.
    """
    if not getattr(loaded, "do_lower_case", False):
        return {}
    special = set(loaded.all_special_tokens)
    words = [
        word
        for word in loaded.get_vocab()
        if word not in special and word[:1] + word[-1:] not in ("[]", "<>")
    ]
    found: dict[str, bool] = {}
    if settings.get("do_lower_case") is None and _many(words, str.lower):
        found["do_lower_case"] = False
    if settings.get("strip_accents") is None and _many(words, _stripped):
        found["strip_accents"] = False
    return found


def _many(words: list[str], change: Callable[[str], str]) -> bool:
    """Return whether a change would put some of the words out of reach."""
    return sum(change(word) != word for word in words) > _STRAY * len(words)


def _stripped(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
