"""Time and memory of one long text: by a layer on its beginning, by what is held at once."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from inspector.corpora import Sentence
from inspector.heads.observers.batch import annotated_batches
from inspector.heads.observers.behaviour import Behaviour, NormBehaviour
from inspector.heads.observers.model_pass import Observer, observe
from inspector.heads.observers.predicted_words import PredictedWords
from inspector.heads.observers.relation_scores import RelationScores
from inspector.models import PretrainedModel, token_counts, word_batches
from inspector.models.forward import row_blocks

_FEWEST_WORDS = 200
_TRIED = (1.1, 2.2)  # times the length from which texts are long
_BLOCKS = 6  # copies of a block of rows that are held at once
_MAPS = 4  # of a whole map
_STATES, _WIDE = 10, 3  # tensors of a token's width, and of the network's within a layer


def long_texts(model: PretrainedModel, sentences: Sequence[Sentence]) -> dict[int, int]:
    """Return the texts that are read row by row: place → tokens."""
    places = [place for place, text in enumerate(sentences) if len(text.words) > _FEWEST_WORDS]
    counts, n_special = token_counts(model, [sentences[place].surface for place in places])
    return {
        place: count + n_special
        for place, count in zip(places, counts, strict=True)
        if row_blocks.LONG < count + n_special <= model.max_tokens
    }


def peak_bytes(model: PretrainedModel, n_tokens: int) -> int:
    """Return what one text takes at the peak, in bytes, beside the loaded model."""
    config: Any = model.model.config
    wide = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None)
    size = max(model.torch_dtype.itemsize, 4)
    states = size * n_tokens * (_STATES * model.d_model + _WIDE * int(wide or 4 * model.d_model))
    cells = model.n_heads * n_tokens**2 * _MAPS
    if not model.has_own_maths:
        rows = row_blocks.block_rows(model.n_heads, n_tokens)
        cells = model.n_heads * n_tokens * rows * _BLOCKS
    heads = model.n_layers * model.n_heads
    counted = 2 * 8 * heads * 2 * n_tokens  # offsets, by weight and by norm
    return states + size * cells + counted


def long_seconds(model: PretrainedModel, text: Sentence, lengths: Sequence[int]) -> list[float]:
    """Return how long texts of so many tokens take: by each token, and by each of its pairs.

    Args:
        model: What reads.
        text: The longest, with whose beginning it is tried.
        lengths: Tokens of each.
    """
    _of_a_layer(model, text, row_blocks.LONG)  # the first of its kind is slower
    some = [_of_a_layer(model, text, int(row_blocks.LONG * times)) for times in _TRIED]
    (few, short), (many, longer) = some
    if many <= few:
        return [short * (n / few) ** 2 * model.n_layers for n in lengths]
    of_pair = max((longer / many - short / few) / (many - few), 0.0)
    of_token = max(longer / many - of_pair * many, 0.0)
    return [(of_token * n + of_pair * n**2) * model.n_layers for n in lengths]


def _of_a_layer(model: PretrainedModel, text: Sentence, n_tokens: int) -> tuple[int, float]:
    """Return the tokens of a text's beginning, and how long one layer takes on them."""
    (count,), _ = token_counts(model, [text.surface])
    n_words = max(1, min(len(text.words), len(text.words) * n_tokens // count))
    begin = replace(
        text,
        words=text.words[:n_words],
        upos=text.upos and text.upos[:n_words],
        relations=(),
        text=None,
        written=None,
    )
    one = replace(model, n_layers=1)
    made = word_batches(model, [begin.surface], 1).batches
    batches = annotated_batches(made, [begin], [0], {})
    scores = RelationScores(1, model.n_heads, ["begin"], [])
    seen: list[Observer] = [
        scores,
        PredictedWords(scores, [n_words]),
        Behaviour(1, model.n_heads, model.max_tokens),
        NormBehaviour(one),
    ]
    start = time.perf_counter()
    observe(one, batches, seen)
    return made[0].batch.input_ids.shape[1], time.perf_counter() - start
