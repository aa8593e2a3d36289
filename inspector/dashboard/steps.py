"""What the Concepts page walks through: the library's functions called one after the other.

Hidden states come from the real model, weights from one of its layers; each stage is kept.
Must not know: how a stage is computed, how it is shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from inspector.attention import (
    AdditiveScore,
    Attended,
    GeneralScore,
    LayerWeights,
    MultiHeadStages,
    attention,
    dot_product_scores,
    multi_head_attention,
    project_heads,
    repeat_key_value_heads,
    scaled_dot_product_scores,
)
from inspector.attention.functional import ScoreFunction
from inspector.models import LayerCall, PretrainedModel, watch

SCORES = ("scaled", "dot", "general", "additive")
UNTRAINED = ("general", "additive")
_SEED = 0


@dataclass(frozen=True)
class HeadSteps:
    """Every stage of one head's attention of a target over a source."""

    target: Float[Tensor, "query d_model"]
    source: Float[Tensor, "key d_model"]
    query: Float[Tensor, "query d_head"]
    key: Float[Tensor, "key d_head"]
    value: Float[Tensor, "key d_head"]
    scores: Float[Tensor, "query key"]
    probabilities: Float[Tensor, "query key"]
    output: Float[Tensor, "query d_head"]


@dataclass(frozen=True)
class LayerSteps:
    """Every stage of a layer, and what each head alone adds to the output."""

    stages: MultiHeadStages
    contributions: Float[Tensor, "head query d_model"]
    bias: Float[Tensor, " d_model"]

    @property
    def total(self) -> Float[Tensor, "query d_model"]:
        """Return the heads' contributions added up, and W_O's bias."""
        return self.contributions.sum(0) + self.bias


def layer_call(
    model: PretrainedModel, text: str, layer: int, pair: str | None = None
) -> tuple[LayerCall, list[str]]:
    """Return what one layer of the real model did with a text, and the text's pieces."""
    batch = model.encode([text], None if pair is None else [pair])
    calls: list[LayerCall] = []

    def keep(call: LayerCall) -> None:
        if call.layer == layer:
            calls.append(call)

    model.check_layer(layer)
    watch(model, batch, keep)
    return calls[0], batch.pieces[0]


def score_function(name: str, weights: LayerWeights) -> ScoreFunction:
    """Return a score function by its name in `SCORES`; parameters of its own are drawn, seeded."""
    if name == "dot":
        return dot_product_scores
    if name == "scaled":
        return partial(scaled_dot_product_scores, scaling=weights.scaling)
    width = weights.d_head
    makers: dict[str, Callable[[], ScoreFunction]] = {
        "general": lambda: GeneralScore(width, width),
        "additive": lambda: AdditiveScore(width, width, width),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return makers[name]()


def head_steps(
    target: Float[Tensor, "query d_model"],
    source: Float[Tensor, "key d_model"],
    weights: LayerWeights,
    head: int,
    score: ScoreFunction,
) -> HeadSteps:
    """Return the stages of one head: self-attention where target and source are the same."""
    with torch.no_grad():
        queries, keys, values = project_heads(target[None], source[None], weights)
        query = queries[0, head]
        key = repeat_key_value_heads(keys, weights.n_heads)[0, head]
        value = repeat_key_value_heads(values, weights.n_heads)[0, head]
        attended = attention(query, key, value, score=score)
        return HeadSteps(
            target, source, query, key, value, score(query, key),
            attended.probabilities, attended.output,
        )  # fmt: skip


def one_position(steps: HeadSteps, position: int, score: ScoreFunction) -> Attended:
    """Return attention of a single query, computed without the others."""
    with torch.no_grad():
        return attention(steps.query[position : position + 1], steps.key, steps.value, score=score)


def layer_steps(hidden: Float[Tensor, "piece d_model"], weights: LayerWeights) -> LayerSteps:
    """Return the stages of multi-head self-attention, and each head's share of the output."""
    with torch.no_grad():
        stages = multi_head_attention(hidden[None], hidden[None], weights)
        alone = [
            multi_head_attention(hidden[None], hidden[None], head_alone(weights, head)).output[0]
            for head in range(weights.n_heads)
        ]
    bias = hidden.new_zeros(weights.d_model) if weights.b_O is None else weights.b_O
    return LayerSteps(stages, torch.stack(alone), bias)


def head_alone(weights: LayerWeights, head: int) -> LayerWeights:
    """Return the weights of a layer that has this head only, and no bias after W_O."""
    own = _rows(head, weights.d_head)
    shared = _rows(head * weights.n_kv_heads // weights.n_heads, weights.d_head)
    return replace(
        weights,
        W_Q=weights.W_Q[own],
        W_K=weights.W_K[shared],
        W_V=weights.W_V[shared],
        W_O=weights.W_O[:, own],
        b_Q=None if weights.b_Q is None else weights.b_Q[own],
        b_K=None if weights.b_K is None else weights.b_K[shared],
        b_V=None if weights.b_V is None else weights.b_V[shared],
        b_O=None,
        n_heads=1,
        n_kv_heads=1,
    )


def _rows(head: int, d_head: int) -> slice:
    return slice(head * d_head, (head + 1) * d_head)


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape."""
    return float((ours - theirs).abs().max())


def positions_of(pieces: list[str], word: list[str]) -> list[int]:
    """Return where a run of pieces stands in a text.

    Example:
        >>> positions_of(["[CLS]", "the", "bank", "[SEP]"], ["bank"])
        [2]
    """
    return [
        start
        for start in range(len(pieces) - len(word) + 1)
        if pieces[start : start + len(word)] == word
    ]
