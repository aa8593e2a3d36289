"""The words that the battery may use: what the tokenizer of a model makes one token of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inspector.yaml_file import read_own_yaml

MIN_WORDS = 20
"""Words to draw from, below which nothing is drawn: a text would repeat by chance."""
BANDS = 4
"""Parts of the vocabulary, from its commonest words to its rarest, that stand for frequency."""


class _Lists(BaseModel):
    """battery.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    towns: tuple[str, ...]
    indirect_objects: tuple[str, ...]
    needle: str
    question: str


LISTS = _Lists.model_validate(read_own_yaml(Path(__file__).with_name("battery.yaml")))
_SENTENCES = " ".join((*LISTS.indirect_objects, LISTS.needle, LISTS.question))
RESERVED = frozenset(
    word.casefold()
    for words in (*LISTS.orders.values(), LISTS.names, LISTS.towns, _SENTENCES.split())
    for word in words
)
"""Words that stand for something, lower case: they are not drawn."""


@dataclass(frozen=True)
class ProbeWords:
    """What of a vocabulary the battery may use.

    Example:
        >>> words = ProbeWords(("the", "of", "a"), lambda asked: [True] * len(asked), 64)
        >>> words.known(["Monday"]), words.band["a"]
        (('Monday',), 'BAND3')
    """

    drawn: tuple[str, ...]
    """Words of one token each, the commonest first: what random texts are drawn from. None is
    `RESERVED`."""
    is_one_token: Callable[[Sequence[str]], Sequence[bool]]
    """Which of some words are one token each, and another one each."""
    longest: int
    """Words that a text may have."""
    before: str = ""
    """What is written before the first word: the mark of a text's beginning, or a space."""
    has_start: bool = True
    """Whether a text begins with a mark of its beginning, written or added by the tokenizer."""

    def known(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return those of the words that are one token each."""
        kept = zip(words, self.is_one_token(words), strict=True)
        return tuple(word for word, known in kept if known)

    @cached_property
    def band(self) -> dict[str, str]:
        """Return the band of frequency of each word that is drawn."""
        return {
            word: f"BAND{1 + place * BANDS // len(self.drawn)}"
            for place, word in enumerate(self.drawn)
        }
