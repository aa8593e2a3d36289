"""How much of a text a model's vocabulary knows.

What it does not know becomes one and the same token, whatever stood there: a model cannot tell
such words apart.
"""

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Vocabulary:
    """Words and tokens that were read, and those that the vocabulary does not know."""

    words: int = 0
    unknown_words: int = 0
    """Words of which a token is the unknown one."""
    tokens: int = 0
    """Special ones not among them."""
    unknown_tokens: int = 0
    words_without_token: int = 0

    def __add__(self, other: "Vocabulary") -> "Vocabulary":
        """Return the counts of both."""
        return Vocabulary(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        """Return what is not known, in words.

        Example:
            >>> str(Vocabulary(words=8, unknown_words=2, tokens=9, unknown_tokens=2))
            'unknown to the vocabulary: 2 of 8 words (25.0 %), 2 of 9 tokens (22.2 %)'
        """
        return (
            f"unknown to the vocabulary: {_part(self.unknown_words, self.words)} words"
            f"{_percent(self.unknown_words, self.words)}, "
            f"{_part(self.unknown_tokens, self.tokens)} tokens"
            f"{_percent(self.unknown_tokens, self.tokens)}"
        )


def _part(some: int, whole: int) -> str:
    return f"{some} of {whole}"


def _percent(some: int, whole: int) -> str:
    return f" ({100 * some / whole:.1f} %)" if some else ""
