"""Which word each word looks at most, and which looks at it most, from attention row by row."""

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.first_largest import first_largest, first_of_columns
from inspector.models import AttentionCall

_NO_CHOICE = -1.0


class WordRows:
    """What `predicted_words` finds in the whole map of one text, found in blocks of its rows.

    The best of each row is known when the row is; of each column the best so far is kept. A word
    stands in the column of its first token, so that a block is copied once and never gathered.
    """

    def __init__(self, batch: AnnotatedBatch, n_heads: int, *, back_only: bool) -> None:
        """Start with no row seen.

        Args:
            batch: Of one text.
            n_heads: Heads of a layer.
            back_only: Whether the mask hides later words, which are then no choice.
        """
        tokens, self._back_only = batch.word_tokens, back_only
        self._first, self._n = tokens.first[0], tokens.n[0]
        self._word_of = batch.words.word_of_token[0]
        self._later = [(word, token) for _, word, token in tokens.rounds]
        is_first = torch.zeros_like(self._word_of, dtype=torch.bool)
        is_first[self._first[self._n > 0]] = True
        self._no_words = (~is_first).nonzero()[:, 0]
        words = torch.arange(batch.n_words, device=self._first.device)
        self._at = words.repeat(n_heads, 1)
        self._of = self._at.clone()
        self._best = torch.full_like(self._of, _NO_CHOICE, dtype=torch.float64)
        self._begun: tuple[int, Tensor] | None = None
        """A word of which some tokens' rows were seen, and what they add up to."""

    def add(self, call: AttentionCall) -> None:
        """Take some rows into account, in order."""
        stop = call.first + call.probabilities.shape[2]
        of_row = self._word_of[call.first : stop]
        of_words = (of_row >= 0).nonzero()[:, 0]
        if not len(of_words):
            return
        words = of_row[of_words]
        first, last = int(words[0]), int(words[-1])
        looked = self._looked_at(call.probabilities[0, :, int(of_words[0]) : int(of_words[-1]) + 1])
        begun, self._begun = self._begun, None
        goes_on = stop < len(self._word_of) and int(self._word_of[stop]) == last
        if looked.shape[1] == last + 1 - first == len(words) and not goes_on and begun is None:
            self._choose(first, looked)  # each row is a word
            return
        sums = looked.new_zeros(len(looked), last + 1 - first, looked.shape[-1])
        sums.index_add_(1, words - first, looked.index_select(1, of_words - of_words[0]))
        if begun is not None and begun[0] == first:
            sums[:, 0, : begun[1].shape[-1]] += begun[1]
        if goes_on:
            self._begun = last, sums[:, -1].clone()
            sums = sums[:, :-1]
        if sums.shape[1]:
            self._choose(first, sums)

    def predicted(self) -> tuple[Tensor, Tensor]:
        """Return what `predicted_words` returns."""
        return self._at[None], self._of[None]

    def _looked_at(
        self, probabilities: Float[Tensor, "head row key"]
    ) -> Float[Tensor, "head row key"]:
        """Return attention to words, in the columns of their first tokens; others are no choice.

        In float64 where tokens add up; what is only compared is the same in its own type.
        """
        n_keys, adds = probabilities.shape[-1], bool(self._later)
        looked = probabilities.to(torch.float64 if adds else probabilities.dtype, copy=True)
        for word, token in self._later:
            kept = token < n_keys
            more = probabilities.index_select(2, token[kept]).double()
            looked.index_add_(2, self._first[word[kept]], more)
        hidden = self._no_words[self._no_words < n_keys]
        return looked.index_fill_(2, hidden, _NO_CHOICE)

    def _choose(self, first: int, sums: Float[Tensor, "head row key"]) -> None:
        """Look for the best of some words' rows, and whether they are the best of a column."""
        n_rows, n_keys = sums.shape[1:]
        rows = torch.arange(first, first + n_rows, device=sums.device)
        n, own = self._n[rows], self._first[rows]
        if bool((n > 1).any()):
            sums /= n.clamp(min=1)[:, None]
        sums[:, n == 0] = _NO_CHOICE
        is_seen = (n > 0) & (own < n_keys)
        sums[:, is_seen, own[is_seen]] = _NO_CHOICE
        if self._back_only and bool(is_seen.any()):
            start = int(own[is_seen].min())
            later = self._word_of[start:n_keys] > rows[:, None]
            sums[:, :, start:].masked_fill_(later, _NO_CHOICE)
        most, place = first_largest(sums)
        self._at[:, rows] = self._word_of[place].where(most >= 0, rows)
        words = ((self._first < n_keys) & (self._n > 0)).nonzero()[:, 0]
        # Of equals the first stays.
        better, values, by = first_of_columns(sums, self._first[words], self._best[:, words])
        head, word = better.nonzero(as_tuple=True)
        self._of[head, words[word]] = by + first
        self._best[head, words[word]] = values.double()
