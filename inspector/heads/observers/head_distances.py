"""How differently any two heads look at the same text, for clustering them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from inspector.frames import dtypes
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import AttentionCall
from inspector.models.forward.row_blocks import block_rows

DISTANCES_COLUMNS = dtypes("distances")
"""Columns of the distances frame: a row for each pair of heads, the earlier one first."""


class HeadDistances:
    r"""Mean Jensen–Shannon divergence between the attention of any two heads, in nats.

    $JS(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2$, the mean over all queries; between 0 and ln 2.
    The maps of one batch, or of its parts, are held until the last layer; then they are dropped.

    Source: Clark et al. (2019), arXiv:1906.04341, sec. 6.
    """

    name = "distances"
    reads_rows = True

    def __init__(self, n_layers: int, n_heads: int) -> None:
        """Start with nothing seen."""
        self.n_layers, self.n_heads = n_layers, n_heads
        self.sums = np.zeros((n_layers * n_heads, n_layers * n_heads))
        self.queries = 0
        self._rows: dict[int, list[Float[Tensor, "head row key"]]] = {}
        """By batch: a long one comes in parts, all of them layer by layer."""
        self._of_rows: list[Callable[[range], Tensor]] = []
        """Of a long text: what computes the rows of each layer."""

    def update(self, layer: int, call: AttentionCall, batch: AnnotatedBatch) -> None:
        """Keep one layer's rows; with the last layer, compare all heads."""
        if call.of_rows is not None:
            if call.is_last:
                self._of_rows.append(call.of_rows)
            if call.is_last and layer == self.n_layers - 1:
                self._compare_by_rows(batch)
            return
        rows = self._rows.setdefault(id(batch), [])
        rows.append(call.probabilities.movedim(1, 0)[:, batch.queries])
        if layer == self.n_layers - 1:
            self._compare(torch.cat(self._rows.pop(id(batch))))

    def _compare_by_rows(self, batch: AnnotatedBatch) -> None:
        """Compare all heads, a block of rows after the other: queries and keys are what is kept."""
        n_tokens = batch.queries.shape[1]
        size = max(1, block_rows(self.n_heads, n_tokens) // self.n_layers)
        for start in range(0, n_tokens, size):
            rows = range(start, min(start + size, n_tokens))
            kept = batch.queries[0, rows.start : rows.stop]
            parts = [of_rows(rows)[0] for of_rows in self._of_rows]
            widest = max(part.shape[-1] for part in parts)
            padded = [torch.nn.functional.pad(one, (0, widest - one.shape[-1])) for one in parts]
            self._compare(torch.cat(padded)[:, kept])
        self._of_rows = []

    def _compare(self, rows: Float[Tensor, "head row key"]) -> None:
        entropy = torch.special.entr(rows).sum(-1).double().sum(-1)
        self.queries += rows.shape[1]
        for head in range(len(rows) - 1):
            middle = (rows[head + 1 :] + rows[head]).mul_(0.5)
            mixed = torch.special.entr(middle).sum(-1).double().sum(-1)
            apart = mixed - (entropy[head] + entropy[head + 1 :]) / 2
            self.sums[head, head + 1 :] += apart.cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was summed, by name."""
        return {"distances.sums": self.sums, "distances.queries": np.array([self.queries])}

    def merge(self, other: "HeadDistances") -> None:
        """Add what another one saw."""
        self.add_state(other.state())

    def add_state(self, state: dict[str, np.ndarray]) -> None:
        """Add what `state` of another one returned."""
        self.sums += state["distances.sums"]
        self.queries += int(state["distances.queries"][0])

    def frame(self) -> pd.DataFrame:
        """Return a row for each pair of heads: columns `DISTANCES_COLUMNS`."""
        one, other = np.triu_indices(len(self.sums), k=1)
        with np.errstate(invalid="ignore"):
            distance = self.sums[one, other] / self.queries if self.queries else np.nan
        columns = {
            "layer": one // self.n_heads,
            "head": one % self.n_heads,
            "other_layer": other // self.n_heads,
            "other_head": other % self.n_heads,
            "distance_nats": distance,
        }
        return pd.DataFrame(columns).astype(DISTANCES_COLUMNS)
