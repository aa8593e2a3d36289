"""The gradient of one attention call: what the model's own computation sends back, and what ours.

Of the queries, keys and values of the call; of custom attention, whose queries are not handed
over, of the hidden states that the module was given. Must not know: which model, which layer.
"""

from dataclasses import replace

import torch
from torch import Tensor

from inspector.models import AttentionCall
from inspector.verification.calls.call_comparison import Terms, evaluate, terms_of
from inspector.verification.judge import Judgement, judge, rows_with_keys


def judge_call_gradient(call: AttentionCall, seed: int) -> Judgement | None:
    """Return the judgement of the gradient that is worst; None where autograd did not see it.

    A vector-Jacobian product with a cotangent of the context that is drawn from the seed, and 0
    for queries without a key.

    Args:
        call: Of a pass with gradients.
        seed: Of the cotangent.
    """
    leaves = call.sources or tuple(
        {id(each): each for each in (call.query, call.key, call.value)}.values()
    )
    if not call.context.requires_grad or not all(leaf.requires_grad for leaf in leaves):
        return None
    cotangent = _cotangent(call, seed)
    theirs = torch.autograd.grad(
        call.context, leaves, cotangent, retain_graph=True, allow_unused=True
    )
    dtype = call.query.dtype
    ours, truth = (_ours(call, leaves, cotangent, each) for each in (dtype, torch.float64))
    precision = call.softmax_dtype or dtype
    judged = [
        judge(a, torch.zeros_like(leaf) if b is None else b, t, precision)
        for a, b, t, leaf in zip(ours, theirs, truth, leaves, strict=True)
    ]
    return max(judged, key=lambda each: (not each.passed, each.error_in_u))


def _cotangent(call: AttentionCall, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(call.context.shape, generator=generator, dtype=torch.float64)
    n_texts, n_queries = call.context.shape[:2]
    keep = rows_with_keys(call.mask, n_texts, n_queries).cpu()
    return (drawn * keep[..., None]).to(call.context.device, call.context.dtype)


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
