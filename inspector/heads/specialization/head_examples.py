"""What one head predicts on single sentences: the pairs of a relation, hit or missed.

The same word-to-word attention and the same argmax that the counts come from, kept for a handful
of sentences to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from inspector.corpora import Relation, Sentence
from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.observers import (
    AnnotatedBatch,
    annotated_batches,
    looks_back_only,
    word_attention,
)
from inspector.models import AttentionCall, PretrainedModel, running, word_batches
from inspector.models.forward.backend import OURS

_BATCH_SIZE = 16


@dataclass(frozen=True)
class Prediction:
    """What a head predicts for one word that stands in a relation."""

    sentence: Sentence
    relation: Relation
    direction: str
    """One of DIRECTIONS."""
    asked: int
    """The word whose partner is asked for."""
    expected: int
    """Its partner by the annotation; of several the nearest."""
    predicted: int
    """Its partner by the head."""
    weights: tuple[float, ...]
    """For each word of the sentence, the attention that was compared: from the word asked about,
    or, for 'attended_by_head', to it. -1 where a word is no choice."""

    @property
    def right(self) -> tuple[int, ...]:
        """Return every word that is right by the annotation, the expected one first.

        Of a relation with several right words any of them; asked from these ('head_to_dependent'),
        the source alone, where the counts take any of them that predicts it.
        """
        if self.direction == "head_to_dependent":
            return (self.expected,)
        return self.relation.targets

    @property
    def is_hit(self) -> bool:
        """Whether the head predicts what the annotation says."""
        return self.predicted in self.right


def head_predictions(
    model: PretrainedModel,
    sentences: Sequence[Sentence],
    layer: int,
    head: int,
    relation: str,
    direction: str,
) -> list[Prediction]:
    """Return what one head predicts for each pair of a relation, in the order of the sentences.

    Pairs with a word that has no token, pairs whose partner a decoder's mask hides, and sentences
    longer than the model takes, are left out, as in the relations frame.

    Args:
        model: What runs, once over all sentences: a handful is meant.
        sentences: With the relations that are asked for; or windows of several sentences
            (`inspector.corpora.annotation.document_windows`), for relations that reach across them.
        layer: Of the head, from 0.
        head: The head's number in its layer, from 0.
        relation: The label.
        direction: 'dependent_to_head', 'head_to_dependent' or 'attended_by_head'.

    Raises:
        InputError: If there is no such layer, head or direction.
    """
    _check(model, layer, head, direction)
    asked_for = [one for one in sentences if any(r.label == relation for r in one.relations)]
    if not asked_for:
        return []
    made = word_batches(model, [one.surface for one in asked_for], _BATCH_SIZE)
    batches = annotated_batches(made.batches, asked_for, [0] * len(asked_for), {relation: 0})
    found: dict[int, list[Prediction]] = {}
    for batch in batches:
        attention, back_only = head_attention(model, batch, layer, head)
        for row, place in enumerate(batch.words.sentences):
            has_tokens = batch.has_tokens[row].tolist()
            n_words = len(asked_for[place].words)
            found[place] = [
                _prediction(asked_for[place], pair, direction, attention[row, :n_words, :n_words])
                for pair in asked_for[place].relations
                if pair.label == relation
                and has_tokens[pair.source]
                and has_tokens[pair.target]
                and not (back_only and _is_hidden(pair, direction))
            ]
    return [prediction for place in sorted(found) for prediction in found[place]]


def head_attention(
    model: PretrainedModel, batch: AnnotatedBatch, layer: int, head: int
) -> tuple[Float64[Tensor, "batch word word"], bool]:
    """Return one head's attention on one batch, and whether tokens look back only."""
    calls: list[AttentionCall] = []
    with running(model, OURS, calls.append), torch.inference_mode():
        model.model(**batch.words.batch.inputs())
    attention = word_attention(calls[layer].probabilities[:, head : head + 1], batch)
    return attention[:, 0].cpu(), looks_back_only(calls[0].probabilities)


def _is_hidden(pair: Relation, direction: str) -> bool:
    """Return whether a mask that hides later words hides what is right in this direction."""
    back = [target < pair.source for target in pair.targets]
    return not any(back) if direction == "dependent_to_head" else all(back)


def _prediction(
    sentence: Sentence, pair: Relation, direction: str, attention: Float64[Tensor, "word word"]
) -> Prediction:
    asked, expected = pair.source, pair.target
    if direction == "head_to_dependent":
        asked, expected = expected, asked
    weights = attention[:, asked] if direction == "attended_by_head" else attention[asked]
    if pair.among:
        chosen = torch.zeros(len(weights), dtype=torch.bool)
        chosen[list(pair.among)] = True
        weights = weights.masked_fill(~chosen, -1.0)
    predicted = int(torch.argmax(weights.contiguous()))
    return Prediction(
        sentence, pair, direction, asked, expected, predicted, tuple(weights.tolist())
    )


def _check(model: PretrainedModel, layer: int, head: int, direction: str) -> None:
    model.check_layer(layer)
    if not 0 <= head < model.n_heads:
        raise InputError(
            f"head ({head}) must be one of the {model.n_heads} heads of a layer, "
            f"0 to {model.n_heads - 1}."
        )
    if direction not in DIRECTIONS:
        raise InputError(
            f"direction ({direction}) must be a known one. Available: {', '.join(DIRECTIONS)}."
        )
