"""Time and memory that long texts take, told before they are read; what cannot fit is refused.

Memory by what is held at once, time by one layer on the beginning of the longest text.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inspector.corpora import Sentence
from inspector.errors import InputError
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


@dataclass(frozen=True)
class LongTexts:
    """Texts that are read row by row, or by maps where a model allows nothing else."""

    lengths: tuple[int, ...]
    """Tokens of each."""
    seconds: float
    megabytes: float
    """At the peak, beside the loaded model."""

    def __str__(self) -> str:
        """Return what they take, in a sentence."""
        minutes = f"{self.seconds:.0f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"
        return (
            f"{len(self.lengths)} long text{'s' * (len(self.lengths) != 1)}, of up to "
            f"{max(self.lengths)} tokens: reading takes about {minutes}, and "
            f"{self.megabytes:.0f} MB of memory beside the model"
        )


def note_long_texts(
    model: PretrainedModel, sentences: Sequence[Sentence], free: int | None
) -> None:
    """Log what the long ones of some texts take, before they are read.

    Args:
        model: What reads.
        sentences: The texts.
        free: Bytes of memory that are, where that is known.

    Raises:
        InputError: If the longest needs more memory than there is.
    """
    texts = [text for text in sentences if len(text.words) > _FEWEST_WORDS]
    counts, n_special = token_counts(model, [text.surface for text in texts])
    long = {
        place: count + n_special
        for place, count in enumerate(counts)
        if row_blocks.LONG < count + n_special <= model.max_tokens
    }
    if not long:
        return
    longest = max(long, key=lambda place: long[place])
    needed = peak_bytes(model, long[longest])
    if free is not None and needed > free:
        raise InputError(
            f"text ({long[longest]} tokens) needs about {needed / 1e9:.1f} GB of memory beside the "
            f"model, and {free / 1e9:.1f} GB are free: give shorter texts, or more memory."
        )
    lengths = tuple(long.values())
    seconds = _seconds(model, texts[longest], lengths)
    estimate = LongTexts(lengths, seconds, needed / 1e6)
    logging.getLogger("inspector").warning("%s", estimate)


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


def _seconds(model: PretrainedModel, text: Sentence, lengths: Sequence[int]) -> float:
    """Return how long texts take: of a layer so much for each token, and for each of its pairs."""
    _of_a_layer(model, text, row_blocks.LONG)  # the first of its kind is slower
    some = [_of_a_layer(model, text, int(row_blocks.LONG * times)) for times in _TRIED]
    (few, short), (many, longer) = some
    if many <= few:
        return sum(short * (n / few) ** 2 for n in lengths) * model.n_layers
    of_pair = max((longer / many - short / few) / (many - few), 0.0)
    of_token = max(longer / many - of_pair * many, 0.0)
    return sum(of_token * n + of_pair * n**2 for n in lengths) * model.n_layers


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
