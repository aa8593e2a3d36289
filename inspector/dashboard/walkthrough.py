"""What the Concepts page walks through: the library's functions called one after the other.

Hidden states come from the real model, weights from one of its layers; each stage is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inspector.attention import (
    STEPS,
    AdditiveScore,
    Attended,
    GeneralScore,
    LayerWeights,
    MultiHeadStages,
    Steps,
    attend_heads,
    combine_heads,
    dot_product_scores,
    multi_head_attention,
    project_heads,
    repeat_key_value_heads,
)
from inspector.attention.functional import ScoreFunction
from inspector.attention.softmax import Softmax, mask_before_softmax
from inspector.corpora.formats.plain_text import text_surface
from inspector.models import LayerCall, PretrainedModel, complete_weights, watch
from inspector.models.forward.sentence_batches import vocabulary_of
from inspector.vocabulary import Vocabulary

SCORES = ("scaled", "dot", "general", "additive")
UNTRAINED = ("general", "additive")
_SEED = 0
# Rounding of float32 moves these numbers by less than this share of their size.
ROUNDING = 1e-4


@dataclass(frozen=True)
class HeadSteps:
    """Every stage of one head's attention of a target over a source."""

    target: Float[Tensor, "query d_model"]
    source: Float[Tensor, "key d_model"]
    weights: LayerWeights
    """Of this head alone."""
    query: Float[Tensor, "query d_head"]
    """As projected; so is the key."""
    key: Float[Tensor, "key d_head"]
    value: Float[Tensor, "key d_head"]
    compared: tuple[Float[Tensor, "query d_head"], Float[Tensor, "key d_head"]] | None
    """Query and key after a norm or a rotation; None where there is neither."""
    bias: Float[Tensor, "query key"] | None
    """What is added to the scores for the sake of places."""
    scores: Float[Tensor, "query key"]
    """With the bias, and capped, where there are a bias and a cap."""
    allowed: Bool[Tensor, "query key"] | None
    """Where the layer lets queries look; None for everywhere."""
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
    """Return what one layer of the real model did with a text, and the text's tokens."""
    batch = model.encode([text], None if pair is None else [pair])
    calls: list[LayerCall] = []

    def keep(call: LayerCall) -> None:
        if call.layer == layer:
            calls.append(call)

    model.check_layer(layer)
    watch(model, batch, keep)
    return calls[0], batch.tokens[0]


def vocabulary(model: PretrainedModel, *texts: str) -> Vocabulary:
    """Return how much of some texts the model's vocabulary knows."""
    return vocabulary_of(model, [text_surface(text) for text in texts])


def unknown_words(model: PretrainedModel, *texts: str) -> list[str]:
    """Return the words of some texts that the model's vocabulary does not know, each once."""
    words = dict.fromkeys(text[slice(*span)] for text in texts for span in text_surface(text).spans)
    return [word for word in words if vocabulary(model, word).unknown_tokens]


def layer_weights(model: PretrainedModel, call: LayerCall) -> LayerWeights:
    """Return the weights of the layer that was called, with all that the call shows."""
    return complete_weights(model, call.layer, [call])


def follows(call: LayerCall, weights: LayerWeights) -> bool:
    """Return whether the layer's output follows from these weights, to rounding."""
    if call.key_source is not None or call.value_source is not None:
        return False
    hidden = call.hidden_states
    with torch.no_grad():
        ours = multi_head_attention(hidden, hidden, weights.to(hidden.dtype)).output
    return agrees(ours, call.output)


def agrees(ours: Tensor, theirs: Tensor) -> bool:
    """Return whether two tensors are equal but for the rounding of their dtype."""
    share = max(ROUNDING, 8 * torch.finfo(theirs.dtype).eps)
    return largest_difference(ours, theirs) <= share * float(theirs.abs().max())


def counts_places(weights: LayerWeights) -> bool:
    """Return whether it matters to a layer where in its text a token stands."""
    tables = (weights.window, weights.relative_bias, weights.rotary_cos)
    return weights.causal or any(table is not None for table in tables)


def between_sentences(weights: LayerWeights) -> LayerWeights:
    """Return the weights of a layer that counts no places: two sentences share none."""
    return replace(
        weights,
        causal=False,
        window=None,
        relative_bias=None,
        rotary_cos=None,
        rotary_sin=None,
        rotary_neighbours=False,
        norm_after_rotation=False,
    )


def is_turned(weights: LayerWeights) -> bool:
    """Return whether a norm or a rotation stands between projections and scores."""
    return any(
        each is not None for each in (weights.rotary_cos, weights.query_norm, weights.key_norm)
    )


def score_function(name: str, weights: LayerWeights) -> ScoreFunction | None:
    """Return a score function by its name in `SCORES`; None for the layer's own.

    Parameters of its own are drawn, seeded.
    """
    if name == "scaled":
        return None
    if name == "dot":
        return dot_product_scores
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
    score: ScoreFunction | None = None,
) -> HeadSteps:
    """Return the stages of one head: self-attention where target and source are the same.

    Args:
        target: What looks.
        source: What is looked at.
        weights: Of the whole layer.
        head: Which.
        score: In the place of the layer's own.
    """
    seen: list[tuple[Tensor, Tensor | None]] = []

    def masking(scores: Tensor, allowed: Tensor | None, softmax: Softmax) -> Tensor:
        seen.append((scores, allowed))
        return mask_before_softmax(scores, allowed, softmax)

    as_projected = replace(
        STEPS,
        norm=lambda query, key, weights: (query, key),
        rotate=lambda query, key, value, rotation: (query, key, value),
    )
    with torch.no_grad():
        query, key, _ = _of_head(target, source, weights, head, as_projected)
        turned = _of_head(target, source, weights, head)
        alone = head_alone(weights, head)
        attended = attend_heads(*turned, alone, steps=replace(_scored_by(score), masking=masking))
        bias = STEPS.bias(alone, len(target), len(source))
    scores, allowed = seen[0]
    return HeadSteps(
        target,
        source,
        alone,
        query[0, 0],
        key[0, 0],
        turned[2][0, 0],
        (turned[0][0, 0], turned[1][0, 0]) if is_turned(weights) else None,
        None if bias is None else bias[0],
        scores[0, 0],
        allowed,
        attended.probabilities[0, 0],
        attended.output[0, 0],
    )


def products(steps: HeadSteps) -> Float[Tensor, "query key"]:
    """Return the dot products of queries and keys as they are compared, before scale and cap."""
    query, key = steps.compared or (steps.query, steps.key)
    return dot_product_scores(query, key)


def _scored_by(score: ScoreFunction | None) -> Steps:
    """Return the steps with another score, those of the equations where none is given."""
    if score is None:
        return STEPS
    return replace(STEPS, score=lambda query, key, scaling: score(query, key))


def _of_head(
    target: Tensor, source: Tensor, weights: LayerWeights, head: int, steps: Steps = STEPS
) -> tuple[Tensor, Tensor, Tensor]:
    """Return query, key and value of one head, (1, 1, token, d_head) each."""
    query, key, value = project_heads(target[None], source[None], weights, steps)
    return (
        query[:, head : head + 1],
        repeat_key_value_heads(key, weights.n_heads)[:, head : head + 1],
        repeat_key_value_heads(value, weights.n_heads)[:, head : head + 1],
    )


def one_position(steps: HeadSteps, position: int, score: ScoreFunction | None = None) -> Attended:
    """Return attention of a single query, computed without the others."""
    query, key = steps.compared or (steps.query, steps.key)
    row = slice(position, position + 1)
    bias = None if steps.bias is None else steps.bias[None, row]
    mask = None if steps.allowed is None else steps.allowed[row]
    # Where the query stands is said by its mask and bias.
    alone = replace(
        _scored_by(score),
        order=lambda weights, n_query, n_key, device: mask,
        bias=lambda weights, n_query, n_key: bias,
    )
    with torch.no_grad():
        found = attend_heads(
            query[None, None, row], key[None, None], steps.value[None, None], steps.weights,
            steps=alone,
        )  # fmt: skip
    return Attended(found.output[0, 0], found.probabilities[0, 0])


def layer_steps(hidden: Float[Tensor, "token d_model"], weights: LayerWeights) -> LayerSteps:
    """Return the stages of multi-head self-attention, and each head's share of the output."""
    alone = []
    with torch.no_grad():
        stages = multi_head_attention(hidden[None], hidden[None], weights)
        for head in range(weights.n_heads):
            own = head_alone(weights, head)
            attended = attend_heads(*_of_head(hidden, hidden, weights, head), own)
            alone.append(combine_heads(attended.output, own)[1][0])
    bias = hidden.new_zeros(weights.W_O.shape[0]) if weights.b_O is None else weights.b_O
    return LayerSteps(stages, torch.stack(alone), bias)


def head_alone(weights: LayerWeights, head: int) -> LayerWeights:
    """Return the weights of a layer that has this head only, and no bias after W_O.

    Without norms: some are taken over all heads, so that no head has one of its own.
    """
    d_value = weights.W_V.shape[0] // weights.n_kv_heads
    group = head * weights.n_kv_heads // weights.n_heads
    own = _rows(head, weights.d_head)
    shared, values = _rows(group, weights.d_head), _rows(group, d_value)
    bias, sinks = weights.relative_bias, weights.sinks
    return replace(
        weights,
        W_Q=weights.W_Q[own],
        W_K=weights.W_K[shared],
        W_V=weights.W_V[values],
        W_O=weights.W_O[:, _rows(head, d_value)],
        b_Q=None if weights.b_Q is None else weights.b_Q[own],
        b_K=None if weights.b_K is None else weights.b_K[shared],
        b_V=None if weights.b_V is None else weights.b_V[values],
        b_O=None,
        n_heads=1,
        n_kv_heads=1,
        relative_bias=None if bias is None else bias[head : head + 1],
        sinks=None if sinks is None else sinks[head : head + 1],
        query_norm=None,
        key_norm=None,
        query_norm_bias=None,
        key_norm_bias=None,
        norm_eps=None,
        norm_centred=False,
        norm_after_rotation=False,
    )


def _rows(head: int, width: int) -> slice:
    return slice(head * width, (head + 1) * width)


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape."""
    return float((ours - theirs).abs().max())


def positions_of(tokens: list[str], word: list[str]) -> list[int]:
    """Return where a run of tokens stands in a text.

    Example:
        >>> positions_of(["[CLS]", "the", "bank", "[SEP]"], ["bank"])
        [2]
    """
    return [
        start
        for start in range(len(tokens) - len(word) + 1)
        if tokens[start : start + len(word)] == word
    ]
