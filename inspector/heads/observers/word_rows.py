"""Which word each word looks at most, and which looks at it most, from attention row by row."""

import torch
from jaxtyping import Float64, Int, Int64
from torch import Tensor

from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import AttentionCall


class WordRows:
    """What `predicted_words` finds in the whole map of one text, found in blocks of its rows.

    The best of each row is known when the row is; of each column the best so far is kept.
    """

    def __init__(self, batch: AnnotatedBatch, n_heads: int, *, back_only: bool) -> None:
        """Start with no row seen.

        Args:
            batch: Of one text.
            n_heads: Heads of a layer.
            back_only: Whether the mask hides later words, which are then no choice.
        """
        self._batch, self._back_only = batch, back_only
        tokens, device = batch.word_tokens, batch.word_tokens.first.device
        self._first, self._n = tokens.first[0], tokens.n[0]
        self._later = [(word, token) for _, word, token in tokens.rounds]
        words = torch.arange(batch.n_words, device=device)
        self._at = words.repeat(n_heads, 1)
        self._of = self._at.clone()
        self._best = torch.full(self._of.shape, -1.0, dtype=torch.float64, device=device)
        self._begun: tuple[int, Tensor] | None = None
        """A word of which some tokens' rows were seen, and what they add up to."""

    def add(self, call: AttentionCall) -> None:
        """Take some rows into account, in order."""
        row_words = self._batch.words.word_of_token[0]
        stop = call.first + call.probabilities.shape[2]
        of_row = row_words[call.first : stop]
        of_words = (of_row >= 0).nonzero()[:, 0]
        if not len(of_words):
            return
        first, last = int(of_row[of_words[0]]), int(of_row[of_words[-1]])
        looked = self._looked_at(call.probabilities[0])
        sums = looked.new_zeros(len(looked), last + 1 - first, looked.shape[-1])
        sums.index_add_(1, of_row[of_words] - first, looked.index_select(1, of_words))
        if self._begun is not None and self._begun[0] == first:
            sums[:, 0, : self._begun[1].shape[-1]] += self._begun[1]
        self._begun = None
        if stop < len(row_words) and int(row_words[stop]) == last:
            self._begun = last, sums[:, -1].clone()
            sums = sums[:, :-1]
        if sums.shape[1]:
            self._choose(first, sums)

    def predicted(
        self,
    ) -> tuple[Int64[Tensor, "1 head word"], Int64[Tensor, "1 head word"]]:
        """Return what `predicted_words` returns."""
        return self._at[None], self._of[None]

    def _looked_at(
        self, probabilities: Float64[Tensor, "head row key"] | Tensor
    ) -> Float64[Tensor, "head row word"]:
        """Return attention to words, summed over their tokens; later words left out."""
        n_keys = probabilities.shape[-1]
        seen = ((self._first < n_keys) & (self._n > 0)).nonzero()[:, 0]
        n_words = int(seen[-1]) + 1 if len(seen) else 0
        looked = probabilities.index_select(2, self._first[:n_words]).double()
        for word, token in self._later:
            kept = token < n_keys
            more = probabilities.index_select(2, token[kept]).double()
            looked.index_add_(2, word[kept], more)
        return looked

    def _choose(self, first: int, sums: Float64[Tensor, "head row word"]) -> None:
        """Look for the best of some words' rows, and whether they are the best of a column."""
        n_rows, n_words = sums.shape[1:]
        rows: Int[Tensor, " row"] = torch.arange(first, first + n_rows, device=sums.device)
        words = torch.arange(n_words, device=sums.device)
        n = self._n[rows]
        sums /= n.clamp(min=1)[:, None]
        barred = (self._n[:n_words] == 0) | (n == 0)[:, None] | (words == rows[:, None])
        if self._back_only:
            barred |= words > rows[:, None]
        sums.masked_fill_(barred, -1.0)
        at, of = sums.max(-1), sums.max(-2)
        self._at[:, rows] = at.indices.where(at.values >= 0, rows)
        best = self._best[:, :n_words]
        better = of.values > best  # of equals the first stays
        self._of[:, :n_words] = (of.indices + first).where(better, self._of[:, :n_words])
        best.copy_(of.values.where(better, best))
