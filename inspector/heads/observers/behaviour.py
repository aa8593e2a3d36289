"""Where each head looks: the sums behind the behaviour frame, by weight and by norm.

Counts and float64 sums per head; no map is kept.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from inspector.frames import dtypes
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.first_largest import first_largest
from inspector.models import AttentionCall, PretrainedModel

QUANTITIES = (
    "entropy_nats",
    "entropy_share",
    "confidence",
    "first_mass",
    "separator_mass",
    "special_mass",
    "self_mass",
    "previous_mass",
    "next_mass",
    "punctuation_mass",
    "duplicate_mass",
    "distance_tokens",
)
_SHORT = 512
_OFFSETS = ("offset_mode", "offset_share")

BEHAVIOUR_COLUMNS = dtypes("behaviour")
"""Columns of the behaviour frame, in order: column → dtype."""


class Behaviour:
    """Sums of what each head's probabilities are like, over all queries of a corpus."""

    name = "behaviour"
    reads_rows = True

    def __init__(self, n_layers: int, n_heads: int, max_tokens: int) -> None:
        """Start with nothing seen.

        Args:
            n_layers: Layers of the model.
            n_heads: Heads of a layer.
            max_tokens: The longest text, which bounds the offsets; room for longer ones than most
                is made when one comes.
        """
        self.max_tokens = min(max_tokens, _SHORT)
        self.sums = np.zeros((len(QUANTITIES), n_layers, n_heads))
        self.offsets = np.zeros((n_layers, n_heads, 2 * self.max_tokens - 1), dtype=np.int64)
        # One layer sees all queries: counted once a batch, in layer 0.
        self.counts = np.zeros(3, dtype=np.int64)
        """Queries; those whose token occurs again; those of sentences without tags."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch, or some rows of it."""
        self._add(layer, _Weights.of(call, batch), batch)

    def _add(self, layer: int, weights: "_Weights", batch: AnnotatedBatch) -> None:
        if layer == 0 and weights.first == 0:
            self.counts += _counts(batch)
        self._make_room(batch.queries.shape[1])
        places, offsets = weights.described()
        # float64 before the sum, in the fixed order of the batch.
        queries = weights.queries
        chosen = queries[:, None, :].to(torch.float64)
        sums = torch.einsum("qbhi,bci->qh", places.double(), chosen)
        self.sums[:, layer] += sums.cpu().numpy()
        kept = offsets.movedim(1, 0)[:, queries] + (self.max_tokens - 1)
        n_heads, width = self.offsets.shape[1:]
        of_head = torch.arange(n_heads, device=kept.device).unsqueeze(1) * width
        counted = torch.bincount((kept + of_head).flatten(), minlength=n_heads * width)
        self.offsets[layer] += counted.unflatten(0, (n_heads, width)).cpu().numpy()

    def _make_room(self, n_tokens: int) -> None:
        """Count offsets of texts of so many tokens too."""
        more = n_tokens - self.max_tokens
        if more > 0:
            self.max_tokens = n_tokens
            self.offsets = np.pad(self.offsets, ((0, 0), (0, 0), (more, more)))

    def looks_at(self, offset: int) -> Int[np.ndarray, "layer head"]:
        """Return how often each head's largest weight is at an offset."""
        if abs(offset) >= self.max_tokens:
            return np.zeros_like(self.offsets[..., 0])
        return self.offsets[..., offset + self.max_tokens - 1]

    def merge(self, other: "Behaviour") -> None:
        """Add what another one saw."""
        self.add_state(other.state())

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was summed, by name."""
        return {
            f"{self.name}.sums": self.sums,
            f"{self.name}.offsets": self.offsets,
            f"{self.name}.counts": self.counts,
        }

    def add_state(self, state: dict[str, np.ndarray]) -> None:
        """Add what `state` of another one returned."""
        self.sums += state[f"{self.name}.sums"]
        other = state[f"{self.name}.offsets"]
        self._make_room((other.shape[-1] + 1) // 2)
        reach = (self.offsets.shape[-1] - other.shape[-1]) // 2
        self.offsets[..., reach : reach + other.shape[-1]] += other
        self.counts += state[f"{self.name}.counts"]

    def frame(self) -> pd.DataFrame:
        """Return a row per layer × head: layer, head, queries, and the columns of this kind."""
        n_layers, n_heads = self.sums.shape[1:]
        layer, head = np.divmod(np.arange(n_layers * n_heads), n_heads)
        queries = np.full_like(layer, self.counts[0])
        return pd.DataFrame({"layer": layer, "head": head, "queries": queries} | self.columns())

    def columns(self) -> dict[str, np.ndarray]:
        """Return the frame's columns of one kind, flat over layer × head."""
        queries, repeated, untagged = map(int, self.counts)
        means: dict[str, Any] = {}
        for index, quantity in enumerate(QUANTITIES):
            n = repeated if quantity == "duplicate_mass" else queries
            means[quantity] = _mean(self.sums[index], n).ravel()
        if untagged:
            means["punctuation_mass"] = np.full_like(means["punctuation_mass"], np.nan)
        mode = _commonest(self.offsets, self.max_tokens)
        means["offset_mode"] = mode.ravel() - (self.max_tokens - 1)
        hits = np.take_along_axis(self.offsets, mode[..., None], axis=-1)[..., 0]
        means["offset_share"] = _mean(hits.astype(np.float64), queries).ravel()
        return means


class ValueNorms:
    """The length of what each key brings to each head, ‖f(x_j)‖ with f(x) = (x W_V + b_V) W_O."""

    def __init__(self, model: PretrainedModel) -> None:
        """Take the model whose W_O the norms are taken with."""
        self._gram = []
        for layer in range(model.n_layers):
            w_o = model.layer_weights(layer).by_head().W_O
            # ‖W_O v‖ = ‖R v‖ with W_O = Q R: d_head × d_head instead of d_model × d_head.
            triangle = torch.linalg.qr(w_o.double(), mode="r").R
            self._gram.append(triangle.to(w_o.dtype))

    def of(self, layer: int, call: AttentionCall) -> Float[Tensor, "batch head key"]:
        """Return the norms of one layer's call."""
        shared = call.probabilities.shape[1] // call.value.shape[1]
        value = call.value.repeat_interleave(shared, dim=1)
        return torch.linalg.vector_norm(torch.matmul(value, self._gram[layer].mT), dim=-1)


class NormBehaviour(Behaviour):
    """The same, each weight replaced by the share of the norm of what it brings.

    p_ij → ‖p_ij f(x_j)‖ / Σ_j ‖p_ij f(x_j)‖ with f(x) = (x W_V + b_V) W_O of the head.

    Source: Kobayashi et al. (2020), arXiv:2004.10102, eq. 3 and sec. 2.2.
    """

    name = "norm_behaviour"

    def __init__(self, model: PretrainedModel) -> None:
        """Start with nothing seen.

        Args:
            model: Whose W_O the norms are taken with.
        """
        super().__init__(model.n_layers, model.n_heads, model.max_tokens)
        self._lengths = ValueNorms(model)
        self._norms: Tensor | None = None
        """Of the layer that is shown row by row."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""
        if call.first == 0:
            self._norms = self._lengths.of(layer, call)
        self._add(layer, _Weights.of(call, batch, self._norms), batch)
        if call.is_last:
            self._norms = None


def behaviour_frame(weights: Behaviour, norms: NormBehaviour) -> pd.DataFrame:
    """Return the behaviour frame: a row per layer × head, columns `BEHAVIOUR_COLUMNS`.

    Each mean is over all queries (non-special tokens) of the corpus; NaN where there was none.
    `punctuation_mass` is NaN where any sentence has no part-of-speech tags.
    """
    by_norm = {f"norm_{name}": values for name, values in norms.columns().items()}
    frame = weights.frame().assign(**by_norm)
    return frame[list(BEHAVIOUR_COLUMNS)].astype(BEHAVIOUR_COLUMNS)


@dataclass(frozen=True)
class _Weights:
    """Some rows of weights that add up to 1: probabilities, or shares of the norm."""

    weights: Float[Tensor, "batch head row key"]
    entropy: Float[Tensor, "batch head row"]
    batch: AnnotatedBatch
    first: int
    """The place of the first row's query."""

    @classmethod
    def of(
        cls, call: AttentionCall, batch: AnnotatedBatch, norms: Tensor | None = None
    ) -> "_Weights":
        """Return the probabilities of a call, or the shares of the norms."""
        weights, tiny = call.probabilities, torch.finfo(call.probabilities.dtype).tiny
        total = None
        if norms is not None:
            norms = norms[..., : weights.shape[-1]].to(weights.dtype)
            weights = weights * norms.unsqueeze(2)
            total = weights.sum(-1, keepdim=True).clamp(min=tiny)
        if call.scores is None:
            weights = weights if total is None else weights / total
            # p ln p is 0 where p is: the bound keeps the logarithm finite, and is faster than entr.
            entropy = -(weights * weights.clamp(min=tiny).log_()).sum(-1)
            return cls(weights, entropy, batch, call.first)
        # ln p = s - lse: no logarithm of a map is taken.
        lse = call.log_sum_exp
        on_scores = torch.einsum("bhrk,bhrk->bhr", weights, call.scores)
        mass = weights.sum(-1) if total is None else total.squeeze(-1)
        entropy = lse * mass - on_scores
        if norms is not None and total is not None:
            logs = norms.clamp(min=tiny).log().unsqueeze(-1)
            # This way round a product with one column is several times faster.
            on_logs = torch.matmul(logs.mT, weights.mT).squeeze(-2)
            entropy = (entropy - on_logs) / mass + mass.log()
            weights = weights.div_(total)
        return cls(weights, entropy, batch, call.first)

    @property
    def queries(self) -> Bool[Tensor, "batch row"]:
        """Return which rows are those of non-special tokens."""
        return self.batch.queries[:, self.first : self.first + self.weights.shape[2]]

    def described(
        self,
    ) -> tuple[Float[Tensor, "quantity batch head row"], Int[Tensor, "batch head row"]]:
        """Return every quantity of every query, and the offset of its largest weight."""
        weights, batch, first = self.weights, self.batch, self.first
        _, _, n_rows, n_keys = weights.shape
        content = batch.content[:, :n_keys]
        # A text of one token, which decoders may have: its entropy, 0, is a share of 0 too.
        attended = batch.attended.sum(-1).clamp(min=2)
        share = self.entropy / torch.log(attended.to(weights.dtype))[:, None, None]
        top, place = _largest(weights, content)
        exact = torch.promote_types(weights.dtype, torch.float32)  # whole numbers are so in it
        key = torch.arange(n_keys, device=weights.device)
        query = torch.arange(first, first + n_rows, device=weights.device)
        apart = (query.to(exact)[:, None] - key.to(exact)[None, :]).abs_() * content.unsqueeze(1)
        on_first, separator, special, punctuated, on_content = self._masses(content)
        apart = apart.to(weights.dtype)
        if n_rows == batch.queries.shape[1]:
            distance = (weights * apart.unsqueeze(1)).sum(-1)
        else:  # no copy of the rows
            of_query = weights.movedim(1, 2).mT
            distance = torch.matmul(apart.unsqueeze(-2), of_query).squeeze(-2).mT
        distance = distance / on_content.clamp(min=torch.finfo(weights.dtype).tiny)
        quantities = (
            self.entropy,
            share,
            top,
            on_first,
            separator,
            special,
            _beside(weights, first),
            _beside(weights, first - 1),
            _beside(weights, first + 1),
            punctuated,
            self._on_repeats(),
            distance,
        )
        return torch.stack(quantities), place - query

    def _masses(self, content: Bool[Tensor, "batch key"]) -> tuple[Tensor, ...]:
        """Return what goes to some kinds of keys: one product with 0/1 columns for all of them."""
        batch, n_keys = self.batch, content.shape[1]
        first = torch.zeros_like(content)
        first[torch.arange(len(content)), batch.attended.int().argmax(-1)] = True
        punctuation = batch.punctuation
        marks = [
            first,
            batch.words.separator[:, :n_keys],
            batch.words.special[:, :n_keys],
            torch.zeros_like(content) if punctuation is None else punctuation[:, :n_keys],
            content,
        ]
        columns = torch.stack(marks, 1).to(self.weights.dtype)
        # This way round the product is several times faster: few columns, many rows.
        masses = torch.bmm(columns, self.weights.flatten(1, 2).mT)
        return masses.unflatten(2, self.weights.shape[1:3]).unbind(1)

    def _on_repeats(self) -> Float[Tensor, "batch head row"]:
        """Return what goes to the same token at other places."""
        n_batch, n_heads, n_rows, n_keys = self.weights.shape
        row, query, key = self.batch.repeats_of(self.first, n_rows, n_keys)
        on_others = self.weights.new_zeros(n_batch * n_rows, n_heads)
        on_others.index_add_(0, row * n_rows + query, self.weights[row, :, query, key])
        return on_others.unflatten(0, (n_batch, n_rows)).mT


def _largest(
    weights: Float[Tensor, "batch head row key"], content: Bool[Tensor, "batch key"]
) -> tuple[Float[Tensor, "batch head row"], Int[Tensor, "batch head row"]]:
    """Return the largest weight among keys that are content, and its place; the first of equals."""
    places = content[0].nonzero()[:, 0]
    if len(content) == 1 and len(places) and len(places) == places[-1] - places[0] + 1:
        start = int(places[0])
        top, place = first_largest(weights[..., start : start + len(places)])  # no copy
        return top, place + start
    found = weights.masked_fill(~content[:, None, None, :], -1.0).max(-1)
    return found.values, found.indices


def _beside(
    weights: Float[Tensor, "batch head row key"], offset: int
) -> Float[Tensor, "batch head row"]:
    """Return each row's weight at a diagonal, 0 where there is no key."""
    found = weights.diagonal(offset, dim1=-2, dim2=-1)
    before = max(-offset, 0)
    after = weights.shape[2] - before - found.shape[-1]
    return torch.nn.functional.pad(found, (before, after))


def _counts(batch: AnnotatedBatch) -> np.ndarray:
    queries = int(batch.queries.sum())
    repeated = batch.n_repeated
    untagged = sum(sentence.upos is None for sentence in batch.sentences)
    return np.array([queries, repeated, untagged])


def _mean(total: Float64[np.ndarray, "..."], n: int) -> Float64[np.ndarray, "..."]:
    return total / n if n else np.full_like(total, np.nan)


def _commonest(
    counts: Int[np.ndarray, "layer head offset"], max_tokens: int
) -> Int[np.ndarray, "layer head"]:
    """Return the place of the commonest offset; of equals the nearest, then the one before."""
    width = counts.shape[-1]
    order = sorted(range(width), key=lambda place: (abs(place - (max_tokens - 1)), place))
    return np.array(order)[counts[..., order].argmax(-1)]
