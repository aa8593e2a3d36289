"""How much each head's attention goes where the decoder battery asks, and to the first token.

The literature's scores are such means; claims go by the argmax. By norm each weight counts as much
more as its value is longer than the text's values are on average. Words of the battery are one
token each.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64
from torch import Tensor

from inspector.corpora.sentence import RelationSubset
from inspector.frames import dtypes
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.behaviour import ValueNorms
from inspector.models import AttentionCall, PretrainedModel

SINK = "sink"
"""The name under which attention to the first token is kept."""
PROBE_SCORES_COLUMNS = dtypes("probe_scores")
"""Columns of the probe_scores frame, in order: column → dtype."""


class ProbeMasses:
    """Sums of the attention at the pairs of each probe, and at the first token of its texts."""

    name = "probe_masses"
    reads_rows = True

    def __init__(self, model: PretrainedModel, names: Sequence[str]) -> None:
        """Start with nothing seen.

        Args:
            model: Whose heads.
            names: Of the probes, and of their controls.
        """
        self.names = [*names, SINK]
        self.sums = np.zeros((2, len(self.names), model.n_layers, model.n_heads))
        """By weight, and by norm."""
        self.n = np.zeros(len(self.names), dtype=np.int64)
        self._model = model

    @cached_property
    def _norms(self) -> ValueNorms:
        return ValueNorms(self._model)

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Add one layer's attention on one batch."""
        pairs = batch.relations
        of_name = np.full(len(batch.names), len(self.names))
        for name, place in batch.names.items():
            if name in self.names:
                of_name[place] = self.names.index(name)
        kept = of_name[pairs.name.cpu().numpy()]
        counted = pairs.counted[torch.from_numpy(kept < len(self.names)).to(pairs.counted.device)]
        if not len(counted):
            return
        kept = kept[kept < len(self.names)]
        row, first = pairs.row[counted], batch.word_tokens.first
        asked, right = first[row, pairs.dependent[counted]], first[row, pairs.head[counted]]
        n_rows = call.probabilities.shape[2]
        inside = (asked >= call.first) & (asked < call.first + n_rows)
        here = inside.cpu().numpy()
        lengths = self._relative_lengths(layer, call, batch)
        of, at, to = row[inside], asked[inside] - call.first, right[inside]
        masses = call.probabilities[of, :, at, to].double()
        by_norm = masses * lengths[of, :, to]
        for sums, one in zip(self.sums, (masses, by_norm), strict=True):
            np.add.at(sums[:, layer], kept[here], one.cpu().numpy())
        rows = torch.unique(row)
        start = batch.attended[rows].int().argmax(-1)
        places = torch.arange(batch.attended.shape[1], device=rows.device)
        later = batch.attended[rows] & (places > start[:, None])
        queries = later[:, call.first : call.first + n_rows]
        to_first = call.probabilities[rows, :, :, start].double() * queries[:, None]
        by_norm = to_first * lengths[rows, :, start][..., None]
        for sums, mass in zip(self.sums, (to_first, by_norm), strict=True):
            sums[-1, layer] += mass.sum((0, 2)).cpu().numpy()
        if layer == 0:
            np.add.at(self.n, kept[here], 1)
            self.n[-1] += int(queries.sum())

    def _relative_lengths(
        self, layer: int, call: AttentionCall, batch: AnnotatedBatch
    ) -> Float64[Tensor, "batch head key"]:
        """Return each value's length over the mean of its text."""
        there = batch.attended[:, None].double()
        norms = self._norms.of(layer, call).double() * there
        mean = norms.sum(-1, keepdim=True) / there.sum(-1, keepdim=True)
        return norms / mean.clamp(min=torch.finfo(torch.float64).tiny)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was summed, by name."""
        return {f"{self.name}.sums": self.sums, f"{self.name}.n": self.n}

    def add_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Add what `state` of another one returned."""
        self.sums += state[f"{self.name}.sums"]
        self.n += state[f"{self.name}.n"]

    def frame(self) -> pd.DataFrame:
        """Return the mean attention of each head, a row for each name."""
        means = self.means()[0]
        name, layer, head = (axis.ravel() for axis in np.indices(means.shape))
        names = np.array(self.names, dtype=object)[name]
        return pd.DataFrame({"layer": layer, "head": head, "probe": names, "score": means.ravel()})

    def means(self) -> np.ndarray:
        """Return (by weight or norm, name, layer, head) means; NaN where there was no pair."""
        n = self.n[:, None, None]
        return np.divide(self.sums, n, out=np.full_like(self.sums, np.nan), where=n > 0)


def probe_scores_frame(own: ProbeMasses, random_models: Sequence[ProbeMasses]) -> pd.DataFrame:
    """Return a row for each head and probe, columns `PROBE_SCORES_COLUMNS`.

    Args:
        own: Of the model.
        random_models: Of those with random weights.
    """
    means, by_norm = own.means()
    others = [one.means()[0] for one in random_models]
    rows = []
    for place, probe in enumerate(own.names):
        if RelationSubset.of(probe).subset:
            continue
        control = next(
            (at for at, name in enumerate(own.names) if name.startswith(f"{probe}|matched")), None
        )
        best = max((float(one[place].max()) for one in others), default=np.nan)
        for layer, head in np.ndindex(means.shape[1:]):
            there = np.nan if control is None else means[control, layer, head]
            score = means[place, layer, head]
            norm = by_norm[place, layer, head]
            rows.append((layer, head, probe, own.n[place], score, norm, there, best))
    frame = pd.DataFrame(rows, columns=list(PROBE_SCORES_COLUMNS))
    return frame.sort_values(["layer", "head"], kind="stable", ignore_index=True).astype(
        PROBE_SCORES_COLUMNS
    )
