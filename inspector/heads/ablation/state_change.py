"""How far states move when heads are ablated: sums per document, relation and word.

The loss is summed beside them where it is asked for. Sums are of whole units: the same bits
whatever the number of workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from inspector.heads.ablation.fixed_point import UNIT as UNIT
from inspector.heads.ablation.fixed_point import whole_units
from inspector.heads.ablation.target_words import Marks, n_cells
from inspector.heads.ablation.word_loss import LOSS_TABLES, LossSums
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models.forward.head_ablation import Head

_TABLES = ("n", "effect", "matched", "cosine", "matched_cosine")


@dataclass(eq=False)
class StateChangeSums:
    """Sums of the state change at measured and at matched words, for each variant of the model."""

    documents: list[str]
    names: list[str]
    """Names of the relations."""
    variants: list[tuple[Head, ...]]
    """The heads that each variant lacks."""
    losses: LossSums | None = None
    """The loss at the same words; None where not asked for, or the model has no head for it."""
    n: Int64[np.ndarray, "document cell"] = field(init=False)
    """Measured words."""
    effect: Int64[np.ndarray, "document cell variant"] = field(init=False)
    """Relative L2 change at the measured words, in `UNIT`."""
    matched: Int64[np.ndarray, "document cell variant"] = field(init=False)
    """The same at the matched words: of each measured word's matches the mean."""
    cosine: Int64[np.ndarray, "document cell variant"] = field(init=False)
    """Cosine between the states with and without, at the measured words, in `UNIT`."""
    matched_cosine: Int64[np.ndarray, "document cell variant"] = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing seen."""
        cells, variants = n_cells(self.names), len(self.variants)
        self.n = np.zeros((len(self.documents), cells), dtype=np.int64)
        self.effect = np.zeros((*self.n.shape, variants), dtype=np.int64)
        self.matched = np.zeros_like(self.effect)
        self.cosine = np.zeros_like(self.effect)
        self.matched_cosine = np.zeros_like(self.effect)

    def count(self, marked: Marks) -> None:
        """Add a batch's measured words."""
        np.add.at(self.n, (marked.document, marked.cell), marked.n)

    def add(
        self,
        marked: Marks,
        variants: Sequence[int],
        effect: Float64[Tensor, "variant word"],
        cosine: Float64[Tensor, "variant word"],
    ) -> None:
        """Add a batch's state changes, for some of the variants."""
        where = (marked.document[:, None], marked.cell[:, None], np.array(variants)[None, :])
        np.add.at(self.effect, where, whole_units(marked.measured.sums(effect)))
        np.add.at(self.matched, where, whole_units(marked.matched.sums(effect)))
        np.add.at(self.cosine, where, whole_units(marked.measured.sums(cosine)))
        np.add.at(self.matched_cosine, where, whole_units(marked.matched.sums(cosine)))

    def state(self) -> dict[str, np.ndarray]:
        """Return all sums by name, those of the loss with a name of their own."""
        found = {f"ablation.{name}": getattr(self, name) for name in _TABLES}
        if self.losses is not None:
            found |= {f"loss.{name}": getattr(self.losses, name) for name in LOSS_TABLES}
        return found

    def add_state(
        self, state: dict[str, np.ndarray], documents: Sequence[str], names: Sequence[str]
    ) -> None:
        """Add what another one saw, of documents and relations that are known here.

        Args:
            state: Its sums.
            documents: Its documents.
            names: Its relations.
        """
        rows = np.array([self.documents.index(one) for one in documents], dtype=np.int64)
        cells = [2 * self.names.index(name) + end for name in names for end in (0, 1)] + [
            n_cells(self.names) - 1
        ]
        where = np.ix_(rows, np.array(cells, dtype=np.int64))
        for name in _TABLES:
            getattr(self, name)[where] += state[f"ablation.{name}"]
        if self.losses is not None:
            for name in LOSS_TABLES:
                getattr(self.losses, name)[where] += state[f"loss.{name}"]


def word_state_change(
    batch: AnnotatedBatch,
    before: Float[Tensor, "batch token d_model"],
    after: Float[Tensor, "variant batch token d_model"],
) -> tuple[Float64[Tensor, "variant word"], Float64[Tensor, "variant word"]]:
    r"""Return each word's relative L2 change and cosine, words as row · longest sentence + word.

    Of a token $\lVert z' - z \rVert / \lVert z \rVert$ and
    $z \cdot z' / (\lVert z \rVert \lVert z' \rVert)$ with z and z' its last hidden states before
    and after; of a word the mean over its tokens. Words without tokens have 0.
    """
    norm = torch.linalg.vector_norm(before, dim=-1, dtype=torch.float64)
    moved = torch.linalg.vector_norm(after - before, dim=-1, dtype=torch.float64) / norm
    other = torch.linalg.vector_norm(after, dim=-1, dtype=torch.float64)
    cosine = (after * before).sum(-1, dtype=torch.float64) / (norm * other)
    words = batch.words.word_of_token
    row, token = (words >= 0).nonzero().unbind(1)
    place = row * batch.n_words + words[row, token]
    n_tokens = batch.word_tokens.n.flatten().clamp(min=1)

    def per_word(figure: Tensor) -> Tensor:
        total = figure.new_zeros(len(figure), len(n_tokens))
        return total.index_add_(1, place, figure[:, row, token]) / n_tokens

    return per_word(moved), per_word(cosine)
