"""One attention call of a real model, computed again by ours and judged beside the model's own.

Ours is evaluated on the very same queries, keys, values and mask, in the model's dtype and, as
the truth, in float64: errors do not add up, and each call is judged apart.
Must not know: which model, which layer.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention import STEPS, Attended, Steps, attention, scaled_dot_product_scores
from inspector.models import AttentionCall
from inspector.verification.across_cases import largest_score
from inspector.verification.judge import Distances, Judgement
from inspector.verification.layers.stages import same_draws
from inspector.verification.scope import ALL_QUERIES

CALL_STAGES = ("probabilities", "context")
# Score maps are computed in parts of about so many numbers, which stay in a processor's cache.
_NUMBERS_AT_ONCE = 50_000
# Of calls with more scores than `ALL_QUERIES` some queries are compared, never fewer than these.
_FEWEST_QUERIES = 64


class Portion(NamedTuple):
    """Some of the texts of a call, and some of its heads with the key/value heads they share."""

    texts: slice
    heads: slice
    kv_heads: slice


@dataclass(frozen=True)
class Terms:
    """All that the result of a call follows from."""

    query: Float[Tensor, "batch head query d_head"]
    key: Float[Tensor, "batch kv_head key d_head"]
    value: Float[Tensor, "batch kv_head key d_value"]
    mask: Bool[Tensor, "#batch #head #query key"] | None
    bias: Float[Tensor, "#batch #head #query #key"] | None
    softcap: float | None
    sinks: Float[Tensor, "#batch head #query 1"] | None
    scaling: float
    softmax_dtype: torch.dtype | None = None
    dropout: float = 0.0
    random_state: Tensor | None = None
    """From which dropout draws."""

    def to(self, dtype: torch.dtype, softmax_dtype: torch.dtype | None = None) -> "Terms":
        """Return the same numbers in another dtype."""
        if self.query.dtype == dtype and self.softmax_dtype == softmax_dtype:
            return self  # all of a call are of one dtype
        changed = {
            name: tensor.to(dtype)
            for name, tensor in vars(self).items()
            if isinstance(tensor, Tensor) and tensor.is_floating_point()
        }
        return Terms(**{**vars(self), **changed, "softmax_dtype": softmax_dtype})

    def part(self, portion: Portion) -> "Terms":
        """Return the terms of some of the texts and heads."""
        cut = {
            name: _cut(tensor, portion.texts, heads)
            for name, tensor, heads in (
                ("query", self.query, portion.heads),
                ("key", self.key, portion.kv_heads),
                ("value", self.value, portion.kv_heads),
                ("mask", self.mask, portion.heads),
                ("bias", self.bias, portion.heads),
                ("sinks", self.sinks, portion.heads),
            )
        }
        mask = cut["mask"]
        # A text without padding has nothing to mask; larger masks cost more to look through.
        if mask is not None and mask.shape[-2] == 1 and bool(mask.all()):
            cut["mask"] = None
        return Terms(**{**vars(self), **cut})


def _cut(tensor: Tensor | None, texts: slice, heads: slice) -> Tensor | None:
    """Return the part of a tensor, all of an axis along which it is the same for all."""
    if tensor is None:
        return None
    tensor = tensor[texts] if len(tensor) > 1 else tensor
    return tensor[:, heads] if tensor.shape[1] > 1 else tensor


Evaluate = Callable[[Terms], Attended]


def evaluate(terms: Terms, steps: Steps = STEPS) -> Attended:
    """Return what our attention makes of a call, with other steps where they are given."""
    with same_draws(terms.random_state) if terms.dropout else nullcontext():
        return attention(
            terms.query,
            terms.key,
            terms.value,
            mask=terms.mask,
            bias=terms.bias,
            softcap=terms.softcap,
            sinks=terms.sinks,
            softmax_dtype=terms.softmax_dtype,
            score=partial(scaled_dot_product_scores, scaling=terms.scaling),
            dropout=terms.dropout,
            steps=steps,
        )


def terms_of(call: AttentionCall) -> Terms:
    """Return what a call's result follows from."""
    return Terms(
        call.query, call.key, call.value, _as_row(call.mask), call.bias, call.softcap,
        call.sinks, call.scaling, dropout=call.dropout if call.module.training else 0.0,
        random_state=call.random_state,
    )  # fmt: skip


def _as_row(mask: Tensor | None) -> Tensor | None:
    """Return the mask, as one row where it is one row in memory that all queries share."""
    return mask if mask is None or mask.stride(-2) else mask[..., :1, :]


def judge_call(
    call: AttentionCall,
    *,
    ours: Evaluate = evaluate,
    dtype: torch.dtype | None = None,
    largest_score: float = 1.0,
) -> dict[str, Judgement]:
    """Return stage → judgement of ours against the model's own, rows without a key left out.

    Args:
        call: As the model computed it.
        ours: What is under test.
        dtype: In which ours computes; that of the call where not given.
        largest_score: Of the call.
    """
    terms, working = terms_of(call), dtype or call.query.dtype
    softmax_dtype = call.softmax_dtype
    distances = {stage: Distances() for stage in CALL_STAGES}
    shown = _shows_its_weights(call)
    contexts = call.context.unflatten(-1, (call.query.shape[1], -1)).transpose(1, 2)
    # A mistake may be one of heads among each other: it is given them all. So is dropout, which
    # draws for all of them.
    whole = [Portion(slice(None), slice(None), slice(None))]
    for portion in whole if terms.dropout else _portions(call, by_heads=ours is evaluate):
        part = terms.part(portion)
        found = ours(part.to(working, softmax_dtype))
        truth = exact(part)
        keep = _rows_with_keys(part)
        theirs = contexts[portion.texts, portion.heads]
        _add(distances["context"], keep, found.output, theirs, truth.output)
        if shown:
            theirs = call.probabilities[portion.texts, portion.heads]
            maps = (found.probabilities, theirs, truth.probabilities)
            _add(distances["probabilities"], keep, *maps)
    # What rounds its softmax to float32 is no more precise than that, whatever its dtype.
    precision = softmax_dtype or call.query.dtype
    return {
        stage: distances[stage].judgement(precision, largest_score)
        for stage in CALL_STAGES
        if stage == "context" or shown
    }


def exact(part: Terms) -> Attended:
    """Return what our attention makes of a part of a call in float64.

    Where one text is padded, of its real keys alone: others have probability 0, and cost as much.
    """
    terms, mask = part.to(torch.float64), part.mask
    if mask is None or mask.shape[:3] != (1, 1, 1) or len(part.query) > 1 or part.dropout:
        return evaluate(terms)
    real = mask[0, 0, 0].nonzero()[:, 0]
    n_keys = len(real)
    if not n_keys or int(real[-1] - real[0]) + 1 != n_keys:
        return evaluate(terms)
    keys = slice(int(real[0]), int(real[-1]) + 1)
    bias = terms.bias
    if bias is not None and bias.shape[-1] > 1:
        bias = bias[..., keys]
    of_real = replace(
        terms, key=terms.key[:, :, keys], value=terms.value[:, :, keys], mask=None, bias=bias
    )
    found = evaluate(of_real)
    probabilities = found.probabilities.new_zeros(*found.probabilities.shape[:-1], mask.shape[-1])
    probabilities[..., keys] = found.probabilities
    return Attended(found.output, probabilities)


def some_queries(call: AttentionCall, seed: int) -> AttentionCall:
    """Return a long call with so many of its queries as are compared, drawn from a seed.

    Of a short one all of them; of a long one the first, the last and others between.
    """
    batch, n_heads, n_queries, _ = call.query.shape
    most = max(_FEWEST_QUERIES, ALL_QUERIES // (batch * n_heads * call.key.shape[2]))
    if n_queries <= most or call.query.requires_grad:
        return call
    drawn = torch.randperm(n_queries - 2, generator=torch.Generator().manual_seed(seed))
    inner = drawn[: most - 2].sort().values + 1
    rows = torch.cat([torch.tensor([0]), inner, torch.tensor([n_queries - 1])])

    def cut(tensor: Tensor | None, axis: int = 2) -> Tensor | None:
        if tensor is None or tensor.shape[axis] == 1:
            return tensor
        return tensor.index_select(axis, rows.to(tensor.device))

    terms = {name: cut(getattr(call, name)) for name in ("query", "bias", "sinks", "probabilities")}
    mask, context = _as_row(call.mask), cut(call.context, axis=1)
    kept: dict[str, Any] = {**terms, "mask": cut(mask), "context": context}
    return replace(call, **kept)


def draws(call: AttentionCall) -> bool:
    """Return whether a call drops weights, and it is known which."""
    return call.random_state is not None and call.dropout > 0.0 and call.module.training


def rows_left_out(call: AttentionCall) -> int:
    """Return how many queries, of each text, have no key that they may look at in any head."""
    if call.mask is None:
        return 0
    rows = call.mask.any(dim=-1).any(dim=1).expand(len(call.query), call.query.shape[2])
    return int((~rows).sum())


def _portions(call: AttentionCall, by_heads: bool) -> Iterator[Portion]:
    """Yield parts of a call, each about as large as the processor's cache."""
    n_texts, n_heads, n_queries, _ = call.query.shape
    n_groups = call.key.shape[1]
    shared = n_heads // n_groups
    group = max(1, shared * n_queries * call.key.shape[2])
    texts = max(1, _NUMBERS_AT_ONCE // (n_groups * group))
    groups = max(1, _NUMBERS_AT_ONCE // group) if by_heads and texts == 1 else n_groups
    for start in range(0, n_texts, texts):
        for first in range(0, n_groups, groups):
            last = first + groups
            yield Portion(
                slice(start, start + texts), slice(first * shared, last * shared),
                slice(first, last),
            )  # fmt: skip


def _rows_with_keys(terms: Terms) -> Bool[Tensor, "batch head query"] | None:
    """Return which queries of which heads see any key; None where all do."""
    if terms.mask is None:
        return None
    rows = terms.mask.any(dim=-1)
    return None if bool(rows.all()) else rows.expand(terms.query.shape[:3])


def _add(distances: Distances, keep: Tensor | None, *computations: Tensor) -> None:
    ours, theirs, truth = (
        tensor if keep is None else tensor[keep.to(tensor.device)] for tensor in computations
    )
    distances.add(ours, theirs, truth)


def _shows_its_weights(call: AttentionCall) -> bool:
    """Return whether the weights that the model's own function returns are those that it used.

    Some apply their sinks to the context alone, and return weights that sum to one.
    """
    if call.sinks is None or call.again is None or call.module.training:
        return call.sinks is None or call.again is None
    keep = _rows_with_keys(terms_of(call))
    sums = call.probabilities.float().sum(dim=-1)
    exact = evaluate(terms_of(call)).probabilities.float().sum(dim=-1)
    if keep is not None:
        sums, exact = sums[keep], exact[keep]
    return bool(torch.allclose(sums, exact, atol=1e-2))


def with_scores_spread(call: AttentionCall) -> AttentionCall | None:
    """Return the call on queries so long that attention is far from uniform, if it can be made.

    A model that has not been trained looks at everything alike: there a wrong scale is no mistake
    that any rule could see.
    """
    if call.again is None:
        return None
    scores = scaled_dot_product_scores(call.query.double(), _first_heads(call), call.scaling)
    spread = float(scores.std())
    if not 0.0 < spread < 1.0:
        return None
    query = call.query * (1.0 / spread)
    output, probabilities = call.again(query, call.key, call.value)
    return replace(call, query=query, context=output.flatten(-2), probabilities=probabilities)


def with_large_scores(call: AttentionCall, largest: float) -> AttentionCall | None:
    """Return the call on queries so long that its largest score is as large, if it can be made."""
    found = largest_score(call, with_bias=False)
    if call.again is None or found == 0.0:
        return None
    query = call.query * (largest / found)
    output, probabilities = call.again(query, call.key, call.value)
    return replace(call, query=query, context=output.flatten(-2), probabilities=probabilities)


def _first_heads(call: AttentionCall) -> Tensor:
    repeats = call.query.shape[1] // call.key.shape[1]
    return call.key.double().repeat_interleave(repeats, dim=1)
