"""The word that each head's attention goes to, for every word: all that later questions need.

Kept as distances in one byte each (two or four where a sentence has more than 256 words),
compressed: any simpler explanation is compared with the heads afterwards, without a second pass.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64

from inspector.errors import InputError
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.relation_scores import RelationScores, predicted_words
from inspector.models import AttentionCall

NOTHING = -1
"""Predicted where a word has no token, is the only one that has, or its sentence was not read."""
_KINDS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32}
"""By their bytes: of the words that a sentence may have."""
_LEVEL = 6


class PredictedWords:
    """What each word of some sentences looks at, and is looked at from, by each head."""

    name = "predicted_words"
    reads_rows = True

    def __init__(self, scores: RelationScores, lengths: Sequence[int]) -> None:
        """Start with nothing seen.

        Args:
            scores: Shown each layer before this; what it has computed is not computed again.
            lengths: Words of each sentence, in order.
        """
        self._scores = scores
        self._n_heads = scores.correct.shape[-1]
        self._starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        longest = max(lengths, default=0)
        dtype = next(kind for width, kind in _KINDS.items() if longest <= 256**width)
        heads = scores.correct.shape[-2] * self._n_heads
        # A word never predicts itself: a distance of 0 stands for no prediction.
        self.distances = np.zeros((2, heads, self._starts[-1]), dtype=dtype)

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's predictions on one batch."""
        if not call.is_last:
            return
        looked = self._scores.looked
        if looked is None:
            looked = predicted_words(call, batch, back_only=self._scores.back_only)
        places = torch.arange(batch.n_words, device=looked[0].device)
        has_tokens = batch.has_tokens.cpu().numpy()
        has_tokens &= has_tokens.sum(1, keepdims=True) > 1
        row, word = has_tokens.nonzero()
        index = self._starts[np.array(batch.words.sentences)[row]] + word
        heads = slice(layer * self._n_heads, (layer + 1) * self._n_heads)
        for side, words in enumerate(looked):
            apart = (words - places).permute(1, 0, 2).cpu().numpy()
            self.distances[side, heads, index] = apart[:, row, word].astype(self.distances.dtype).T

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was kept, by name."""
        packed = zlib.compress(np.ascontiguousarray(self.distances).tobytes(), _LEVEL)
        return {
            "predicted_words.packed": np.frombuffer(packed, dtype=np.uint8),
            "predicted_words.bytes": np.array([self.distances.dtype.itemsize]),
        }

    def frame(self) -> pd.DataFrame:
        """Return the distances (predicted − word; 0 for none), a row per head and word."""
        side, head, word = (axis.ravel() for axis in np.indices(self.distances.shape))
        signed = self.distances.astype(self.distances.dtype.str.replace("u", "i")).ravel()
        return pd.DataFrame({"side": side, "head": head, "word": word, "distance": signed})


def predictions_from_state(
    state: Mapping[str, np.ndarray], lengths: Sequence[int], n_heads: int
) -> Int64[np.ndarray, "2 head word"]:
    """Return the word that each word looks at, then is looked at from; -1 where there is none.

    Words are numbered through all sentences.

    Args:
        state: Of a shard.
        lengths: Words of each of its sentences, in order.
        n_heads: Heads of all layers together.

    Raises:
        InputError: If the state is not of these sentences and heads.
    """
    starts = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths).astype(np.int64)
    width = int(state["predicted_words.bytes"][0])
    size = 2 * n_heads * len(starts) * width
    try:
        # No more than is right: what was stored may be damaged, or made to fill the memory.
        data = zlib.decompressobj().decompress(state["predicted_words.packed"].tobytes(), size + 1)
    except zlib.error:
        data = b""
    kind = _KINDS.get(width)
    if kind is None or len(data) != size:
        raise InputError(
            f"predicted words ({len(data)} bytes) must be those of {len(starts)} words and "
            f"{n_heads} heads ({size} bytes): give the sentences that the shard read."
        )
    apart = np.frombuffer(data, dtype=kind).reshape(2, n_heads, len(starts))
    place = np.arange(len(starts)) - starts
    # Distances are kept modulo their bytes, and no sentence is longer than that.
    predicted = starts + (place.astype(kind) + apart).astype(np.int64)
    return np.where(apart == 0, NOTHING, predicted)
