"""One call of the attention function inside a model: what went in and what came out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


@dataclass(frozen=True)
class AttentionCall:
    """One call of the attention function inside a model."""

    module: nn.Module
    query: Float[Tensor, "batch head query d_head"]
    key: Float[Tensor, "batch kv_head key d_head"]
    value: Float[Tensor, "batch kv_head key d_value"]
    mask: Bool[Tensor, "#batch #head #query key"] | None
    scaling: float
    dropout: float
    """Probability of dropping a weight: 0 outside training."""
    random_state: Tensor | None
    """The random generator's state before the call, where there was dropout."""
    probabilities: Float[Tensor, "batch head row seen"]
    context: Float[Tensor, "batch query heads_d_value"]
    bias: Float[Tensor, "#batch #head #query #key"] | None = None
    """What is added to the scores, where anything is."""
    softcap: float | None = None
    """The bound that scores are soft-capped at, where there is one."""
    sinks: Float[Tensor, "#batch head #query 1"] | None = None
    """The score of a key without a value, where there is one."""
    again: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] | None = None
    """The model's own function on other queries, keys and values; where it was watched."""
    sources: tuple[Tensor, ...] = ()
    """What the gradient of the context is taken of, where that are not queries, keys and values:
    of custom attention, the hidden states that it was given."""
    own_term: str | None = None
    """Which score term of the model's own mathematics ours was given; None in the interface."""
    rows: range | None = None
    """The queries of which these are the probabilities; all of them where not given. Keys after the
    last that is looked at may then be left out."""
    scores: Float[Tensor, "batch head row seen"] | None = None
    """What the probabilities of some rows are made of."""
    of_rows: Callable[[range], Tensor] | None = None
    """Computes the probabilities of any rows anew, where all of them are never held."""

    @property
    def first(self) -> int:
        """Return the place of the first query of the probabilities."""
        return 0 if self.rows is None else self.rows.start

    @property
    def is_last(self) -> bool:
        """Return whether these are the last rows of the call."""
        return self.rows is None or self.rows.stop == self.query.shape[-2]

    @cached_property
    def log_sum_exp(self) -> Float[Tensor, "batch head row"]:
        """Return ln Σ e^s of each row of the scores, from where they are largest; 0 without any."""
        if self.scores is None:
            return self.probabilities.new_zeros(self.probabilities.shape[:-1])
        largest = self.probabilities.amax(-1)
        return self.scores.amax(-1) - largest.clamp(min=torch.finfo(largest.dtype).tiny).log()

    @property
    def softmax_dtype(self) -> torch.dtype | None:
        """Return the precision of the model's own softmax, where it is not that of the call.

        Many families round it to float32 whatever the model's dtype is: then every probability
        of a float64 model is a float32 number.
        """
        if self.probabilities.dtype != torch.float64:
            return None
        rounded = self.probabilities.float().double()
        same = (rounded == self.probabilities) | self.probabilities.isnan()
        return torch.float32 if bool(same.all()) else None

    @property
    def is_causal(self) -> bool:
        """Return whether the mask let no query look ahead."""
        n_query, n_key = self.query.shape[-2], self.key.shape[-2]
        if self.mask is None or n_query != n_key or n_query == 1:
            return False
        return not bool(self.mask.expand(*self.mask.shape[:2], n_query, n_key).triu(1).any())
