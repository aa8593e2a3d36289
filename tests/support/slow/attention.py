"""Attention in plain Python: loops over floats, nothing of torch but reading and writing tensors.

Slow, and written from the papers alone, so that it shares no mistake with what it is compared with.
"""

import itertools
import math

import torch
from torch import Tensor


def dot(query, key):
    return sum(q * k for q, k in zip(query, key, strict=True))


def scaled_dot(query, key):
    return dot(query, key) / math.sqrt(len(query))


def general(weight):
    """Return the score q · W k for a W in rows."""
    return lambda query, key: sum(
        query[i] * weight[i][j] * key[j] for i in range(len(query)) for j in range(len(key))
    )


def additive(query_weight, key_weight, vector):
    """Return the score v · tanh(W q + U k) for W and U in rows."""
    return lambda query, key: sum(
        v * math.tanh(dot(w, query) + dot(u, key))
        for w, u, v in zip(query_weight, key_weight, vector, strict=True)
    )


def softmax(scores, allowed):
    """Return a row's probabilities: 0 where not allowed, all 0 where nothing is."""
    if not any(allowed):
        return [0.0] * len(scores)
    top = max(score for score, ok in zip(scores, allowed, strict=True) if ok)
    powers = [
        math.exp(score - top) if ok else 0.0 for score, ok in zip(scores, allowed, strict=True)
    ]
    total = math.fsum(powers)
    return [power / total for power in powers]


def slow_scores(query: Tensor, key: Tensor, score) -> Tensor:
    """Return (…, query, key) in float64, one pair at a time."""
    result = torch.empty(*query.shape[:-1], key.shape[-2], dtype=torch.float64)
    for at in itertools.product(*map(range, result.shape)):
        *batch, i, j = at
        result[at] = score(query[(*batch, i)].tolist(), key[(*batch, j)].tolist())
    return result


def slow_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    allowed = allowed.broadcast_to(scores.shape)
    result = torch.empty(scores.shape, dtype=torch.float64)
    for at in itertools.product(*map(range, scores.shape[:-1])):
        row = softmax(scores[at].tolist(), allowed[at].tolist())
        result[at] = torch.tensor(row, dtype=torch.float64)
    return result


def slow_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, score=scaled_dot
) -> tuple[Tensor, Tensor]:
    """Return output and probabilities in float64."""
    probabilities = slow_softmax(slow_scores(query, key, score), mask)
    output = torch.zeros(*query.shape[:-1], value.shape[-1], dtype=torch.float64)
    for at in itertools.product(*map(range, output.shape)):
        *batch, i, feature = at
        output[at] = dot(
            probabilities[(*batch, i)].tolist(), value[(*batch, slice(None), feature)].tolist()
        )
    return output, probabilities


def slow_general_attention(
    query, key, value, *, mask, bias, softcap, sinks, scaling
) -> tuple[Tensor, Tensor]:
    """Return output and probabilities in float64, of heads in groups, one number at a time.

    Written as the papers do: no maximum is taken off, no key is masked by a number.
    """
    n_batch, n_heads, n_query, _ = query.shape
    group = n_heads // key.shape[1]
    probabilities = torch.zeros(n_batch, n_heads, n_query, key.shape[2], dtype=torch.float64)
    output = torch.zeros(n_batch, n_heads, n_query, value.shape[-1], dtype=torch.float64)

    def at(tensor, b, h, i, j):
        sizes = zip((b, h, i, j), tensor.shape, strict=True)
        return tensor[tuple(0 if size == 1 else index for index, size in sizes)].item()

    for b, h, i in itertools.product(range(n_batch), range(n_heads), range(n_query)):
        powers = {}
        for j in range(key.shape[2]):
            if mask is not None and not at(mask, b, h, i, j):
                continue
            score = dot(query[b, h, i].tolist(), key[b, h // group, j].tolist()) * scaling
            if softcap is not None:
                score = softcap * math.tanh(score / softcap)
            if bias is not None:
                score += at(bias, b, h, i, j)
            powers[j] = math.exp(score)
        total = math.fsum(powers.values())
        if sinks is not None:
            total += math.exp(at(sinks, b, h, i, 0))
        for j, power in powers.items():
            probabilities[b, h, i, j] = power / total
            for d in range(value.shape[-1]):
                output[b, h, i, d] += power / total * value[b, h // group, j, d].item()
    return output, probabilities


def slow_linear(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x W^T + b in float64, one number at a time."""
    result = torch.empty(*hidden.shape[:-1], weight.shape[0], dtype=torch.float64)
    for at in itertools.product(*map(range, result.shape)):
        *place, out = at
        term = 0.0 if bias is None else float(bias[out])
        result[at] = dot(weight[out].tolist(), hidden[tuple(place)].tolist()) + term
    return result


def slow_multi_head(target: Tensor, source: Tensor, weights, mask: Tensor | None) -> dict:
    """Return each stage in float64: head by head, each on its own rows of the matrices."""
    d, group = weights.d_head, weights.n_heads // weights.n_kv_heads
    query = slow_linear(target, weights.W_Q, weights.b_Q)
    key = slow_linear(source, weights.W_K, weights.b_K)
    value = slow_linear(source, weights.W_V, weights.b_V)
    maps, contexts = [], []
    for head in range(weights.n_heads):
        own, shared = slice(head * d, (head + 1) * d), head // group
        theirs = slice(shared * d, (shared + 1) * d)
        output, probabilities = slow_attention(
            query[..., own],
            key[..., theirs],
            value[..., theirs],
            mask,
            score=lambda q, k: dot(q, k) * weights.scaling,
        )
        maps.append(probabilities)
        contexts.append(output)
    context = torch.cat(contexts, dim=-1)
    return {
        "probabilities": torch.stack(maps, dim=1),
        "context": context,
        "output": slow_linear(context, weights.W_O, weights.b_O),
    }
