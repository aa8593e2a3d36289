"""A model's tokenizer: loaded, proved usable, and given words so that it sees a text.

Must not know: what is done with the pieces.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspector.errors import ModelError
from inspector.models.architectures import Architecture

# The maps of one text grow with the square of its pieces: more than this fits no memory.
_MOST_PIECES = 8192


def load_tokenizer(folder: Path, config: Any, architecture: Architecture) -> Any:
    """Return the tokenizer of a folder.

    A decoder's that has no padding token is given its end of text as one: what is padded is
    masked. It pads on the right, whatever side its files say (the left is for generating): most
    models count their positions from the first column, padding or not, so that padding on the left
    would move every piece.

    Raises:
        ModelError: If it cannot be read, is a slow one, lacks a padding token, knows no ordinary
            piece, or is another model's.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, config=config, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # noqa: BLE001  # the tokenizers library raises nothing narrower
        raise ModelError(f"tokenizer of {folder} cannot be loaded: {one_line(error)}") from None
    if not tokenizer.is_fast:
        raise ModelError(
            f"tokenizer of {folder} is a slow one, which does not say which piece belongs to which "
            "word: save it as tokenizer.json."
        )
    tokenizer.padding_side = "right"
    if architecture.kind == "decoder" and tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.bos_token or tokenizer.unk_token
    _check_vocabulary(folder, tokenizer, config.vocab_size)
    return tokenizer


def _check_vocabulary(folder: Path, tokenizer: Any, n_embeddings: int) -> None:
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    ordinary = set(vocabulary.values()) - set(tokenizer.all_special_ids)
    if not ordinary:
        raise ModelError(
            f"tokenizer of {folder} knows {len(vocabulary)} special pieces and nothing else: every "
            "word would be unknown. Add the vocabulary that the model was trained with."
        )
    if max(vocabulary.values()) >= n_embeddings:
        raise ModelError(
            f"tokenizer of {folder} has piece ids up to {max(vocabulary.values())}, but the model "
            f"has embeddings for {n_embeddings} pieces: it is another model's tokenizer."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"tokenizer of {folder} has no padding token: texts of different lengths "
            "cannot be put in one batch. Set pad_token in tokenizer_config.json."
        )


def most_pieces(architecture: Architecture, config: Any, tokenizer: Any) -> int:
    """Return the most pieces, special ones included, that one text may have."""
    positions = getattr(config, "max_position_embeddings", None)
    limits = [int(tokenizer.model_max_length), _MOST_PIECES]
    if positions is not None:  # T5 and its kin know distances, not places
        limits.append(int(positions) - architecture.position_offset)
    return min(limits)


def as_in_text(tokenizer: Any, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return words as a tokenizer must be given them one by one to see them as in a text.

    Some tell a word's beginning by the space before it: 'cat' alone would be the end of a word.

    Args:
        tokenizer: A fast one.
        sentences: The words of each sentence, in order.
    """
    if not _tells_words_by_spaces(tokenizer):
        return [list(words) for words in sentences]
    return [
        [word if place == 0 else f" {word}" for place, word in enumerate(words)]
        for words in sentences
    ]


def _tells_words_by_spaces(tokenizer: Any) -> bool:
    def ids(given: str | list[str]) -> list[int]:
        encoded: list[int] = tokenizer(
            given, is_split_into_words=isinstance(given, list), verbose=False
        )["input_ids"]
        return encoded

    in_text = ids("a b")
    return ids(["a", "b"]) != in_text and ids(["a", " b"]) == in_text


def one_line(error: Exception) -> str:
    """Return what an exception says, on one line."""
    text = " ".join(str(error).split())
    # A KeyError's text is the key alone, which says nothing without the kind.
    return f"{type(error).__name__} {text}" if isinstance(error, LookupError) else text
