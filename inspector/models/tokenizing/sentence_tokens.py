"""One sentence as a tokenizer reads it: its tokens, and which word each belongs to.

The tokenizer reads the sentence as it stands in its text; a token belongs to the word that holds
its first character, the space before a word left aside.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from inspector.models.tokenizing.guarded import tokenized
from inspector.vocabulary import Vocabulary


@runtime_checkable
class InText(Protocol):
    """A text, and where each of its words stands."""

    @property
    def text(self) -> str:
        """What the tokenizer reads."""

    @property
    def spans(self) -> Sequence[tuple[int, int]]:
        """The first character of each word, and the one after its last."""


Words = Sequence[str] | InText
"""The words of a sentence, which single spaces keep apart, or its text with the words' places."""


@dataclass(frozen=True)
class Reading:
    """The tokens of one sentence, special ones included."""

    ids: list[int]
    words: list[int]
    """The word of each token; -1 for special ones, and for a space by itself."""
    special: list[bool]
    n_words: int

    @property
    def n_tokens(self) -> int:
        """Return the number of tokens of the text itself."""
        return self.special.count(False)

    def vocabulary(self, unknown: int | None) -> Vocabulary:
        """Return how much of it is known."""
        pairs = zip(self.ids, self.words, self.special, strict=True)
        lacking = [word for token, word, special in pairs if token == unknown and not special]
        return Vocabulary(
            words=self.n_words,
            unknown_words=len({*lacking} - {-1}),
            tokens=self.n_tokens,
            unknown_tokens=len(lacking),
            words_without_token=self.n_words - len({*self.words} - {-1}),
        )


def as_text(sentence: Words) -> str:
    """Return what the tokenizer reads of a sentence.

    Example:
        >>> as_text(["A", "cat"])
        'A cat'
    """
    return " ".join(sentence) if isinstance(sentence, Sequence) else sentence.text


def unknown_id(tokenizer: Any) -> int | None:
    """Return the id of the token that stands for what the vocabulary lacks; None if there is none.

    That is the one that the tokenizer's own table names, not `unk_token` of its configuration:
    GPT-2 calls its end of text so, and never makes it of a word.
    """
    backend = tokenizer.backend_tokenizer
    if hasattr(backend.model, "unk_token"):
        name = backend.model.unk_token
        found: int | None = backend.token_to_id(name) if name else None
        return found
    if tokenizer.unk_token_id is not None:
        return int(tokenizer.unk_token_id)
    place: int | None = json.loads(backend.to_str())["model"].get("unk_id")  # Unigram's
    return place


def read_sentences(tokenizer: Any, sentences: Sequence[Words]) -> tuple[Any, list[Reading]]:
    """Return what the tokenizer gives for some sentences, and the tokens of each.

    Raises:
        ModelError: If the tokenizer fails on one.
    """
    texts = [as_text(sentence) for sentence in sentences]
    encoded = tokenized(tokenizer, texts, return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")
    readings = []
    for row, (sentence, text) in enumerate(zip(sentences, texts, strict=True)):
        spans = spans_of(sentence)
        special = [part is None for part in encoded.sequence_ids(row)]
        words = words_of_tokens(text, spans, offsets[row], special)
        readings.append(Reading(encoded["input_ids"][row], words, special, len(spans)))
    return encoded, readings


def spans_of(sentence: Words) -> Sequence[tuple[int, int]]:
    """Return the first character of each word in the text, and the one after its last."""
    if not isinstance(sentence, Sequence):
        return sentence.spans
    spans: list[tuple[int, int]] = []
    start = 0
    for word in sentence:
        spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def words_of_tokens(
    text: str,
    spans: Sequence[tuple[int, int]],
    offsets: Sequence[tuple[int, int]],
    special: Sequence[bool],
) -> list[int]:
    """Return the word that holds the first character of each token, -1 where none does."""
    holder = {place: word for word, span in enumerate(spans) for place in range(*span)}
    found = []
    for (start, end), is_special in zip(offsets, special, strict=True):
        characters = (place for place in range(start, end) if not text[place].isspace())
        found.append(-1 if is_special else holder.get(next(characters, -1), -1))
    return found
