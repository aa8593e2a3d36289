"""Which pieces make up each word of a batch.

Must not know: sentences, attention, observers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class WordPieces:
    """The pieces of each word: the first ones, and the further ones in rounds.

    Nearly all words have one piece, so that rounds are few and short.
    """

    first: Int[Tensor, "batch word"]
    """The first piece of a word; 0 where it has none."""
    n: Int[Tensor, "batch word"]
    """The number of pieces."""
    rounds: tuple[tuple[Tensor, Tensor, Tensor], ...]
    """(row, word, piece) of the second pieces, then of the third ones, and so on."""


def pieces_of_words(word_of_piece: Int[Tensor, "batch piece"], n_words: int) -> WordPieces:
    """Return the pieces of each word.

    Args:
        word_of_piece: As `inspector.models.WordBatch` has it.
        n_words: Words of the longest sentence.
    """
    n_batch = len(word_of_piece)
    first = torch.zeros(n_batch, n_words, dtype=torch.long)
    n = torch.zeros(n_batch, n_words, dtype=torch.long)
    rounds: list[list[tuple[int, int, int]]] = []
    for row, words in enumerate(word_of_piece.tolist()):
        seen = [0] * n_words
        for piece, word in enumerate(words):
            if word < 0:
                continue
            if seen[word] == 0:
                first[row, word] = piece
            else:
                while len(rounds) < seen[word]:
                    rounds.append([])
                rounds[seen[word] - 1].append((row, word, piece))
            seen[word] += 1
        n[row] = torch.tensor(seen)
    device = word_of_piece.device
    later = []
    for entries in rounds:
        rows, of_word, pieces = torch.tensor(entries, device=device).unbind(1)
        later.append((rows, of_word, pieces))
    return WordPieces(first.to(device), n.to(device), tuple(later))
