"""Which tokens make up each word of a batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class WordTokens:
    """The tokens of each word: the first ones, and the further ones in rounds.

    Nearly all words have one token, so that rounds are few and short.
    """

    first: Int[Tensor, "batch word"]
    """The first token of a word; 0 where it has none."""
    n: Int[Tensor, "batch word"]
    """The number of tokens."""
    rounds: tuple[tuple[Tensor, Tensor, Tensor], ...]
    """(row, word, token) of the second tokens, then of the third ones, and so on."""


def tokens_of_words(word_of_token: Int[Tensor, "batch token"], n_words: int) -> WordTokens:
    """Return the tokens of each word.

    Args:
        word_of_token: As `inspector.models.WordBatch` has it.
        n_words: Words of the longest sentence.
    """
    n_batch = len(word_of_token)
    first = torch.zeros(n_batch, n_words, dtype=torch.long)
    n = torch.zeros(n_batch, n_words, dtype=torch.long)
    rounds: list[list[tuple[int, int, int]]] = []
    for row, words in enumerate(word_of_token.tolist()):
        seen = [0] * n_words
        for token, word in enumerate(words):
            if word < 0:
                continue
            if seen[word] == 0:
                first[row, word] = token
            else:
                while len(rounds) < seen[word]:
                    rounds.append([])
                rounds[seen[word] - 1].append((row, word, token))
            seen[word] += 1
        n[row] = torch.tensor(seen)
    device = word_of_token.device
    later = []
    for entries in rounds:
        rows, of_word, tokens = torch.tensor(entries, device=device).unbind(1)
        later.append((rows, of_word, tokens))
    return WordTokens(first.to(device), n.to(device), tuple(later))
