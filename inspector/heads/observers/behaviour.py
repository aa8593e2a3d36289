"""Where each head looks: the sums behind the behaviour frame, by weight and by norm.

Counts and float64 sums per head; no map is kept.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from inspector.frames import dtypes
from inspector.heads.observers.batch import AnnotatedBatch
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
_OFFSETS = ("offset_mode", "offset_share")

BEHAVIOUR_COLUMNS = dtypes("behaviour")
"""Columns of the behaviour frame, in order: column → dtype."""


class Behaviour:
    """Sums of what each head's probabilities are like, over all queries of a corpus."""

    name = "behaviour"

    def __init__(self, n_layers: int, n_heads: int, max_tokens: int) -> None:
        """Start with nothing seen.

        Args:
            n_layers: Layers of the model.
            n_heads: Heads of a layer.
            max_tokens: The longest text, which bounds the offsets.
        """
        self.max_tokens = max_tokens
        self.sums = np.zeros((len(QUANTITIES), n_layers, n_heads))
        self.offsets = np.zeros((n_layers, n_heads, 2 * max_tokens - 1), dtype=np.int64)
        # One layer sees all queries: counted once a batch, in layer 0.
        self.counts = np.zeros(3, dtype=np.int64)
        """Queries; those whose token occurs again; those of sentences without tags."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""
        self._add(layer, call.probabilities, batch)

    def _add(
        self, layer: int, weights: Float[Tensor, "batch head query key"], batch: AnnotatedBatch
    ) -> None:
        if layer == 0:
            self.counts += _counts(batch)
        places, offsets = _describe(weights, batch)
        # float64 before the sum, in the fixed order of the batch.
        chosen = batch.queries[:, None, :].to(torch.float64)
        sums = torch.einsum("qbhi,bci->qh", places.double(), chosen)
        self.sums[:, layer] += sums.cpu().numpy()
        kept = offsets.movedim(1, 0)[:, batch.queries] + (self.max_tokens - 1)
        n_heads, width = self.offsets.shape[1:]
        of_head = torch.arange(n_heads, device=kept.device).unsqueeze(1) * width
        counted = torch.bincount((kept + of_head).flatten(), minlength=n_heads * width)
        self.offsets[layer] += counted.unflatten(0, (n_heads, width)).cpu().numpy()

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
        self.offsets += state[f"{self.name}.offsets"]
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
        self._gram = []
        for layer in range(model.n_layers):
            w_o = model.layer_weights(layer).by_head().W_O
            # ‖W_O v‖ = ‖R v‖ with W_O = Q R: d_head × d_head instead of d_model × d_head.
            triangle = torch.linalg.qr(w_o.double(), mode="r").R
            self._gram.append(triangle.to(w_o.dtype))

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""
        n_heads = call.probabilities.shape[1]
        value = call.value.repeat_interleave(n_heads // call.value.shape[1], dim=1)
        brought = torch.matmul(value, self._gram[layer].mT)
        norms = torch.linalg.vector_norm(brought, dim=-1)
        weighted = call.probabilities * norms.unsqueeze(2)
        total = weighted.sum(-1, keepdim=True)
        self._add(layer, weighted / total.clamp(min=torch.finfo(total.dtype).tiny), batch)


def behaviour_frame(weights: Behaviour, norms: NormBehaviour) -> pd.DataFrame:
    """Return the behaviour frame: a row per layer × head, columns `BEHAVIOUR_COLUMNS`.

    Each mean is over all queries (non-special tokens) of the corpus; NaN where there was none.
    `punctuation_mass` is NaN where any sentence has no part-of-speech tags.
    """
    by_norm = {f"norm_{name}": values for name, values in norms.columns().items()}
    frame = weights.frame().assign(**by_norm)
    return frame[list(BEHAVIOUR_COLUMNS)].astype(BEHAVIOUR_COLUMNS)


def _describe(
    weights: Float[Tensor, "batch head query key"], batch: AnnotatedBatch
) -> tuple[Float[Tensor, "quantity batch head query"], Int[Tensor, "batch head query"]]:
    """Return every quantity of every query, and the offset of its largest weight."""
    n_batch, _, n_tokens, _ = weights.shape
    content = batch.queries
    # p ln p is 0 where p is: the bound keeps the logarithm finite, and is faster than entr.
    bounded = weights.clamp(min=torch.finfo(weights.dtype).tiny)
    entropy = -(weights * bounded.log_()).sum(-1)
    # A text of one token, which decoders may have: its entropy, 0, is a share of 0 too.
    n_keys = batch.attended.sum(-1).clamp(min=2)
    share = entropy / torch.log(n_keys.to(weights.dtype))[:, None, None]
    top, place = weights.masked_fill(~content[:, None, None, :], -1.0).max(-1)
    position = torch.arange(n_tokens, device=weights.device)
    apart = (position[:, None] - position[None, :]).abs() * content.unsqueeze(1)
    # Masses are products with 0/1 columns: one pass over the map for all of them.
    first = torch.zeros_like(content)
    first[torch.arange(n_batch), batch.attended.int().argmax(-1)] = True
    punctuation = batch.punctuation
    marks = [
        first,
        batch.words.separator,
        batch.words.special,
        torch.zeros_like(content) if punctuation is None else punctuation,
        content,
    ]
    columns = torch.stack(marks, 1).to(weights.dtype)
    # This way round the product is several times faster: few columns, many rows.
    masses = torch.bmm(columns, weights.flatten(1, 2).mT).unflatten(2, weights.shape[1:3])
    first_mass, separator, special, punctuated, on_content = masses.unbind(1)
    distance = (weights * apart.to(weights.dtype).unsqueeze(1)).sum(-1)
    distance = distance / on_content.clamp(min=torch.finfo(weights.dtype).tiny)
    row, query, key = batch.repeat_places
    on_others = weights.new_zeros(n_batch * n_tokens, weights.shape[1])
    on_others.index_add_(0, row * n_tokens + query, weights[row, :, query, key])
    duplicate = on_others.unflatten(0, (n_batch, n_tokens)).mT
    own = weights.diagonal(dim1=-2, dim2=-1)
    previous = torch.nn.functional.pad(weights.diagonal(-1, dim1=-2, dim2=-1), (1, 0))
    following = torch.nn.functional.pad(weights.diagonal(1, dim1=-2, dim2=-1), (0, 1))
    quantities = (
        entropy,
        share,
        top,
        first_mass,
        separator,
        special,
        own,
        previous,
        following,
        punctuated,
        duplicate,
        distance,
    )
    return torch.stack(quantities), place - position


def _counts(batch: AnnotatedBatch) -> np.ndarray:
    queries = int(batch.queries.sum())
    repeated = int(batch.repeats.any(-1).sum())
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
