"""One attention call of a real model, computed again by ours and judged beside the model's own.

Ours is evaluated on the very same queries, keys, values and mask, in the model's dtype and, as
the truth, in float64: errors do not add up, and each call is judged apart.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention import (
    Attended,
    attention,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)
from inspector.models import AttentionCall
from inspector.verification.across_cases import largest_score, rounded_scores
from inspector.verification.diagnosis import REFERENCE, Plan
from inspector.verification.judge import (
    PRECISE,
    Distances,
    Judgement,
    cotangent_of,
    judge,
    rows_with_keys,
    unit_roundoff,
)
from inspector.verification.layers.stages import same_draws
from inspector.verification.scope import ALL_QUERIES

CALL_STAGES = ("probabilities", "context")
# Score maps are computed in parts of about so many numbers, which stay in a processor's cache.
_NUMBERS_AT_ONCE = 50_000
# Of calls with more scores than `ALL_QUERIES` some queries are compared, never fewer than these.
_FEWEST_QUERIES = 64


_ALL = slice(None)


class HeadGroup(NamedTuple):
    """Some of the heads of a call, and the key/value heads that they share."""

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

    def of_texts(self, texts: slice) -> "Terms":
        """Return the terms of some of the texts."""
        cut = {
            name: tensor[texts]
            for name in _BY_TEXT_AND_HEAD
            if (tensor := getattr(self, name)) is not None and len(tensor) > 1
        }
        mask = cut.get("mask", self.mask)
        # A text without padding has nothing to mask; larger masks cost more to look through.
        if mask is not None and mask.shape[-2] == 1 and bool(mask.all()):
            cut["mask"] = None
        return Terms(**{**vars(self), **cut})

    def of_heads(self, group: HeadGroup) -> "Terms":
        """Return the terms of some of the heads."""
        cut = {
            name: tensor[:, group.kv_heads if name in ("key", "value") else group.heads]
            for name in _BY_TEXT_AND_HEAD
            if (tensor := getattr(self, name)) is not None and tensor.shape[1] > 1
        }
        return Terms(**{**vars(self), **cut})


_BY_TEXT_AND_HEAD = ("query", "mask", "bias", "sinks", "key", "value")
"""Of `Terms`; those that are the same for all have length 1 there."""


def evaluate(terms: Terms, plan: Plan = REFERENCE) -> Attended:
    """Return what our attention makes of a call, with the mistake of a plan where one is given."""
    for change in plan.terms:
        terms = change(terms)
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
            steps=plan,
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
    plan: Plan = REFERENCE,
    dtype: torch.dtype | None = None,
    *,
    large: float | None = None,
) -> dict[str, Judgement]:
    """Return stage → judgement of ours against the model's own, rows without a key left out.

    Scores are taken for small but for their bias; where a stage then fails in float32 or float64,
    the rule gets the call's largest score.

    Args:
        call: Seen.
        plan: What ours is.
        dtype: In which ours computes; the call's where not given.
        large: The largest score, where it is known not to be small.
    """
    terms, working = terms_of(call), dtype or call.query.dtype
    softmax_dtype = call.softmax_dtype
    distances = {stage: Distances() for stage in CALL_STAGES}
    shown = _shows_its_weights(call)
    contexts = call.context.unflatten(-1, (call.query.shape[1], -1)).transpose(1, 2)
    # A mistake may be one of heads among each other: it is given them all. So is dropout, which
    # draws for all of them.
    whole = [(_ALL, [HeadGroup(_ALL, _ALL)])]
    portions = whole if terms.dropout else _portions(call, by_heads=plan is REFERENCE)
    with torch.inference_mode():  # which makes each of the many small steps cheaper
        for texts, groups in portions:
            of_texts = terms.of_texts(texts)
            keep, real = _rows_with_keys(of_texts), real_keys(of_texts)
            for group in groups:
                part, heads = of_texts.of_heads(group), group.heads
                ours, truth = evaluate(part.to(working, softmax_dtype), plan), exact(part, real)
                kept = None if keep is None else keep[:, heads]
                theirs = contexts[texts, heads]
                _add(distances["context"], kept, ours.output, theirs, truth.output)
                if shown:
                    theirs = call.probabilities[texts, heads]
                    maps = (ours.probabilities, theirs, truth.probabilities)
                    _add(distances["probabilities"], kept, *maps)
    # What rounds its softmax to float32 is no more precise than that, whatever its dtype.
    precision = softmax_dtype or call.query.dtype

    def judged(room: float) -> dict[str, Judgement]:
        return {
            stage: distances[stage].judgement(precision, room)
            for stage in CALL_STAGES
            if stage == "context" or shown
        }

    found = judged(rounded_scores(call) if large is None else large)
    precise = unit_roundoff(precision) <= PRECISE
    if large is None and precise and not all(one.passed for one in found.values()):
        return judged(max(rounded_scores(call), largest_score(call)))
    return found


def exact(terms: Terms, real: slice | None = None) -> Attended:
    """Return what our attention makes of a call in float64.

    Args:
        terms: Of the call.
        real: The keys of one padded text that are real: of these alone it is computed, as others
            have probability 0, and cost as much.
    """
    part = terms.to(torch.float64)
    if real is None:
        return evaluate(part)
    bias = part.bias
    if bias is not None and bias.shape[-1] > 1:
        bias = bias[..., real]
    of_real = replace(
        part, key=part.key[:, :, real], value=part.value[:, :, real], mask=None, bias=bias
    )
    found, n_keys = evaluate(of_real), part.key.shape[2]
    probabilities = found.probabilities.new_zeros(*found.probabilities.shape[:-1], n_keys)
    probabilities[..., real] = found.probabilities
    return Attended(found.output, probabilities)


def real_keys(terms: Terms) -> slice | None:
    """Return the keys of a padded text that are not padding; None of other calls."""
    mask = terms.mask
    if mask is None or mask.shape[:3] != (1, 1, 1) or len(terms.query) > 1 or terms.dropout:
        return None
    real: list[int] = mask[0, 0, 0].nonzero()[:, 0].tolist()
    if not real or real[-1] + 1 - real[0] != len(real):
        return None
    return slice(real[0], real[-1] + 1)


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
    return int((~rows_with_keys(call.mask, len(call.query), call.query.shape[2])).sum())


def _portions(call: AttentionCall, by_heads: bool) -> Iterator[tuple[slice, Sequence[HeadGroup]]]:
    """Yield some texts and groups of their heads, each about as large as the processor's cache."""
    n_texts, n_heads, n_queries, _ = call.query.shape
    n_groups = call.key.shape[1]
    shared = n_heads // n_groups
    group = max(1, shared * n_queries * call.key.shape[2])
    texts = max(1, _NUMBERS_AT_ONCE // (n_groups * group))
    # Of long texts two heads: half as many steps, each of which costs the same, however small.
    groups = max(2, _NUMBERS_AT_ONCE // group) if by_heads and texts == 1 else n_groups
    shares = [
        HeadGroup(slice(first * shared, (first + groups) * shared), slice(first, first + groups))
        for first in range(0, n_groups, groups)
    ]
    for start in range(0, n_texts, texts):
        yield slice(start, start + texts), shares


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
    key = repeat_key_value_heads(call.key.double(), call.query.shape[1])
    spread = float(scaled_dot_product_scores(call.query.double(), key, call.scaling).std())
    return _with_longer_queries(call, 1.0 / spread) if 0.0 < spread < 1.0 else None


def with_large_scores(call: AttentionCall, largest: float) -> AttentionCall | None:
    """Return the call on queries so long that its largest score is as large, if it can be made."""
    found = largest_score(call, with_bias=False)
    return None if found == 0.0 else _with_longer_queries(call, largest / found)


def _with_longer_queries(call: AttentionCall, times: float) -> AttentionCall | None:
    if call.again is None:
        return None
    query = call.query * times
    output, probabilities = call.again(query, call.key, call.value)
    return replace(call, query=query, context=output.flatten(-2), probabilities=probabilities)


def judge_call_gradient(call: AttentionCall, seed: int) -> Judgement | None:
    """Return the judgement of the gradient that is worst; None where autograd did not see it.

    A vector-Jacobian product with a cotangent of the context that is drawn from the seed, and 0
    for queries without a key.
    """
    leaves = call.sources or tuple(
        {id(each): each for each in (call.query, call.key, call.value)}.values()
    )
    if not call.context.requires_grad or not all(leaf.requires_grad for leaf in leaves):
        return None
    dtype, shape = call.query.dtype, call.context.shape
    keep = rows_with_keys(call.mask, *shape[:2]).to(call.context.device)
    cotangent = cotangent_of(shape, keep[..., None], seed, call.context.dtype)
    theirs = torch.autograd.grad(
        call.context, leaves, cotangent, retain_graph=True, allow_unused=True
    )
    ours, truth = (_ours(call, leaves, cotangent, each) for each in (dtype, torch.float64))
    precision = call.softmax_dtype or dtype
    judged = [
        judge(a, torch.zeros_like(leaf) if b is None else b, t, precision)
        for a, b, t, leaf in zip(ours, theirs, truth, leaves, strict=True)
    ]
    return max(judged, key=lambda each: (not each.passed, each.error_in_u))


def _ours(
    call: AttentionCall, leaves: tuple[Tensor, ...], cotangent: Tensor, dtype: torch.dtype
) -> tuple[Tensor, ...]:
    """Return the gradients by our attention, computed in a dtype."""
    terms = _without_gradients_of_the_rest(call)
    if not call.sources:
        made = {id(leaf): leaf.detach().to(dtype, copy=True).requires_grad_() for leaf in leaves}
        terms = replace(
            terms, query=made[id(call.query)], key=made[id(call.key)], value=made[id(call.value)]
        )
        leaves = tuple(made.values())
    exact = dtype == torch.float64 != call.query.dtype
    with torch.enable_grad():
        output = evaluate(terms.to(dtype, None if exact else call.softmax_dtype)).output
        context = output.transpose(1, 2).flatten(-2)
        found = torch.autograd.grad(
            context, leaves, cotangent.to(dtype), retain_graph=True, allow_unused=True
        )
    return tuple(
        torch.zeros_like(leaf) if each is None else each
        for each, leaf in zip(found, leaves, strict=True)
    )


def _without_gradients_of_the_rest(call: AttentionCall) -> Terms:
    terms = terms_of(call)
    if call.sources:
        return terms
    bias = None if terms.bias is None else terms.bias.detach()
    sinks = None if terms.sinks is None else terms.sinks.detach()
    return replace(terms, bias=bias, sinks=sinks)
