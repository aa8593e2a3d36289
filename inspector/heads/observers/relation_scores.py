"""Which relations each head follows: counts of predictions that hit, per document.

Word-to-word attention in float64, its argmax over rows and over columns, compared with the
annotation.
"""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.word_rows import WordRows
from inspector.heads.observers.word_tokens import WordTokens
from inspector.heads.relations_frame import relation_accuracies
from inspector.models import AttentionCall


def word_attention(
    probabilities: Tensor, batch: AnnotatedBatch
) -> Float64[Tensor, "batch head word word"]:
    """Return how much each word attends to each other, -1 where that is no choice.

    Sums over the tokens of the word looked at, means over the tokens of the word that looks. A
    word itself, words without tokens and words beyond the sentence are no choice.

    Source: Clark et al. (2019), arXiv:1906.04341, sec. 4.1.
    """
    tokens = batch.word_tokens
    n_batch, n_heads, n_tokens, _ = probabilities.shape
    n_words = batch.n_words
    # All words by their first tokens at once, then what further tokens add.
    places = tokens.first[:, :, None] * n_tokens + tokens.first[:, None, :]
    flat = places.flatten(1).unsqueeze(1).expand(n_batch, n_heads, n_words**2)
    attention = probabilities.flatten(2).gather(2, flat).double()
    attention = attention.unflatten(2, (n_words, n_words))
    if tokens.rounds:
        _add_further_tokens(attention, probabilities, tokens)
        row, word, _ = tokens.rounds[0]  # all words of more than one token
        attention[row, :, word] /= tokens.n[row, word][:, None, None]
    itself = torch.eye(n_words, dtype=torch.bool, device=attention.device)
    choice = batch.has_tokens.unsqueeze(1) & batch.has_tokens.unsqueeze(2) & ~itself
    return attention.masked_fill_(~choice.unsqueeze(1), -1.0)


def _add_further_tokens(
    attention: Float64[Tensor, "batch head word word"],
    probabilities: Float[Tensor, "batch head query key"],
    tokens: WordTokens,
) -> None:
    """Add, in place, the tokens after the first: to words looked at, then of words that look."""
    row, word, token = (torch.cat(parts) for parts in zip(*tokens.rounds, strict=True))
    of_query = probabilities.transpose(1, 2)  # (batch, query, head, key)
    words = tokens.first[row]  # of each further token's sentence: (further, word)
    # To the words looked at, from the first tokens of those that look.
    looked = of_query[row[:, None], words, :, token[:, None]].double()
    attention.permute(0, 3, 2, 1).index_put_((row, word), looked, accumulate=True)
    # Then the rows of further tokens that look, first merged over the words that they look at.
    looking = of_query[row, token].mT.double()  # (further, key, head)
    merged = looking.gather(1, words[..., None].expand(-1, -1, looking.shape[-1]))
    of, by = (row[:, None] == row).nonzero().unbind(1)
    merged.index_put_((of, word[by]), looking[of, token[by]], accumulate=True)
    attention.permute(0, 2, 3, 1).index_put_((row, word), merged, accumulate=True)


def predicted_words(
    call: AttentionCall, batch: AnnotatedBatch, *, back_only: bool = False
) -> tuple[Int64[Tensor, "batch head word"], Int64[Tensor, "batch head word"]]:
    """Return the word that each word looks at most, and that looks at it most; the first of equals.

    Where a word has no choice it is that word itself.

    Args:
        call: Of one layer.
        batch: What it was called on.
        back_only: Whether the mask hides later words, which are then no choice.
    """
    attention = word_attention(call.probabilities, batch)
    words = torch.arange(batch.n_words, device=attention.device)
    if back_only:
        attention.masked_fill_(words > words[:, None], -1.0)
    # Of equal ones the first, as argmax would; across the grain it is several times faster.
    at, of = attention.max(-1), attention.max(-2)
    return at.indices.where(at.values >= 0, words), of.indices.where(of.values >= 0, words)


def looks_back_only(probabilities: Float[Tensor, "batch head query key"]) -> bool:
    """Return whether no token sees a later one, as a decoder's mask has it."""
    return not bool(probabilities.triu(1).any())


class RelationScores:
    """How often each head's prediction is right, per document, relation and direction."""

    name = "relations"
    reads_rows = True

    def __init__(self, n_layers: int, n_heads: int, documents: list[str], names: list[str]) -> None:
        """Start with nothing seen.

        Args:
            n_layers: Layers of the model.
            n_heads: Heads of a layer.
            documents: Ids of the documents, in corpus order.
            names: Names of the relations that are scored, sorted.
        """
        self.documents, self.names = documents, names
        shape = (len(documents), len(names), len(DIRECTIONS), n_layers, n_heads)
        self.correct = np.zeros(shape, dtype=np.int32)
        self.n = np.zeros(shape[:2], dtype=np.int32)
        self.asked = np.zeros(shape[:3], dtype=np.int32)
        """Of these pairs, those that have a right word which the mask lets a head find."""
        self.unknown = np.zeros(len(names), dtype=np.int64)
        """Pairs of each relation of which the vocabulary does not know a word."""
        self.offsets: dict[int, np.ndarray] = {}
        """Offset (head − dependent, in words) → counts by document and relation."""
        self.left_out = 0
        """Relations that touch a word without tokens."""
        self.back_only = True
        """Whether the mask hides later words: until a head has looked at one."""
        self._by_rows: WordRows | None = None
        self.looked: tuple[Tensor, Tensor] | None = None
        """The words predicted at the last update; None where nothing was asked of them."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's predictions on one batch; of some rows only with the last of them."""
        pairs = batch.relations
        self.looked = None
        if layer == 0 and call.first == 0:
            self.back_only = self.back_only and looks_back_only(call.probabilities)
            self._count(batch)
        if call.rows is not None:
            if self._by_rows is None:
                n_heads = call.probabilities.shape[1]
                self._by_rows = WordRows(batch, n_heads, back_only=self.back_only)
            self._by_rows.add(call)
            if not call.is_last:
                return
            self.looked, self._by_rows = self._by_rows.predicted(), None
        if not len(pairs.row):
            return
        hits = self._hits(layer, call, batch)
        groups, of_count = batch.relation_groups
        counted = torch.zeros(len(groups), *hits.shape[1:], dtype=torch.int32, device=hits.device)
        counted.index_add_(0, of_count, hits[pairs.counted].to(torch.int32))
        document, name = np.divmod(groups.cpu().numpy(), len(self.names))
        self.correct[document, name, :, layer] += counted.cpu().numpy()

    def _hits(
        self, layer: int, call: AttentionCall, batch: AnnotatedBatch
    ) -> Bool[Tensor, "pair direction head"]:
        """Return which pairs each head gets right."""
        pairs = batch.relations
        if self.looked is None:
            self.looked = predicted_words(call, batch, back_only=self.back_only)
        looked_at, looked_from = self.looked
        hits = torch.stack(
            [
                looked_at[pairs.row, :, pairs.dependent] == pairs.head[:, None],
                looked_at[pairs.row, :, pairs.head] == pairs.dependent[:, None],
                looked_from[pairs.row, :, pairs.dependent] == pairs.head[:, None],
            ],
            dim=1,
        )
        return hits & self._allowed(pairs.head - pairs.dependent)[..., None]

    def _allowed(self, offset: Int64[Tensor, "*pair"]) -> Bool[Tensor, "*pair direction"]:
        """Return in which directions the mask lets a head find a right word at an offset."""
        if not self.back_only:
            return torch.ones((*offset.shape, len(DIRECTIONS)), dtype=torch.bool).to(offset.device)
        return torch.stack([offset < 0, offset > 0, offset > 0], dim=-1)

    def _count(self, batch: AnnotatedBatch) -> None:
        pairs = batch.relations
        self.left_out += batch.relations_left_out
        counted, name = pairs.counted.cpu().numpy(), pairs.name.cpu().numpy()
        document = pairs.document.cpu().numpy()[counted]
        np.add.at(self.n, (document, name), 1)
        np.add.at(self.asked, (document, name), self._asked(batch)[counted])
        words = torch.stack([pairs.dependent, pairs.head])
        unknown = batch.unknown_words[pairs.row, words].any(0).cpu().numpy()
        self.unknown += np.bincount(name[unknown[counted]], minlength=len(self.names))
        count, apart = self._offsets(batch, counted)
        for offset in np.unique(apart):
            table = self.offsets.setdefault(int(offset), np.zeros_like(self.n))
            here = count[apart == offset]
            np.add.at(table, (document[here], name[here]), 1)

    def _asked(self, batch: AnnotatedBatch) -> Bool[np.ndarray, "pair direction"]:
        """Return in which directions each pair has a right word that the mask lets a head find."""
        apart = batch.relations.head - batch.relations.dependent
        return self._allowed(apart).cpu().numpy()

    def _offsets(
        self, batch: AnnotatedBatch, counted: Int64[np.ndarray, " count"]
    ) -> tuple[Int64[np.ndarray, " offset"], Int64[np.ndarray, " offset"]]:
        """Return (count, offset) of every offset at which a count's pair has a right word."""
        apart = (batch.relations.head - batch.relations.dependent).cpu().numpy()
        return np.arange(len(counted)), apart[counted]

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was counted, by name."""
        offsets = sorted(self.offsets)
        tables = [self.offsets[offset] for offset in offsets]
        stacked = np.stack(tables, -1) if tables else np.zeros((*self.n.shape, 0), dtype=np.int32)
        return {
            "relations.correct": self.correct,
            "relations.n": self.n,
            "relations.asked": self.asked,
            "relations.offsets": np.array(offsets, dtype=np.int64),
            "relations.offset_counts": stacked,
            "relations.left_out": np.array([self.left_out]),
            "relations.unknown": self.unknown,
        }

    def merge(self, other: "RelationScores") -> None:
        """Add what another one saw of the same documents and relations."""
        self.correct += other.correct
        self.n += other.n
        self.asked += other.asked
        self.unknown += other.unknown
        self.left_out += other.left_out
        for offset, table in other.offsets.items():
            self.offsets[offset] = self.offsets.get(offset, np.zeros_like(self.n)) + table

    def frame(self) -> pd.DataFrame:
        """Return the relations frame of what was seen."""
        return relation_accuracies(self.counts())

    def counts(self) -> RelationCounts:
        """Return the counts as claims are made from them."""
        return counts_from_state(self.state(), self.documents, self.names)


def packed_counts(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a state whose many counts take as few bytes as they need.

    Example:
        >>> packed_counts({"relations.correct": np.array([0, 200], dtype=np.int32)})
        {'relations.correct': array([  0, 200], dtype=uint8)}
    """
    large = ("relations.correct", "relations.offset_counts")
    return state | {
        name: state[name].astype(np.min_scalar_type(int(state[name].max(initial=0))))
        for name in large
        if name in state
    }


def counts_from_state(
    state: dict[str, np.ndarray], documents: list[str], names: list[str]
) -> RelationCounts:
    """Return the counts that a shard's state holds."""
    n, asked = state["relations.n"], state["relations.asked"]
    return RelationCounts(
        documents=tuple(documents),
        relations=tuple(names),
        offsets=tuple(int(offset) for offset in state["relations.offsets"]),
        correct=state["relations.correct"].astype(np.int32, copy=False),
        n=n,
        offset_counts=state["relations.offset_counts"].astype(np.int32, copy=False),
        asked=None if (asked == n[..., None]).all() else asked,
    )
