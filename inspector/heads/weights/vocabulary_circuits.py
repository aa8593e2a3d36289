"""What each head's weights say in the vocabulary: its full OV and QK circuits.

Through W_E, the embedding, and W_U, the unembedding; layer norms, biases, positions and what lies
between are set aside. The circuits are vocabulary × vocabulary matrices of rank d_head: they are
never formed.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from inspector.arguments import checked
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.models import PretrainedModel
from inspector.models.loading.language_head import language_head
from inspector.models.loading.load_model import ModelOrName, loaded

VOCABULARY_CIRCUITS_COLUMNS = dtypes("vocabulary_circuits")
"""Columns of the vocabulary_circuits frame, in order: column → dtype."""
N_SAMPLED = 128
"""Tokens that the shares are of, evenly spread over the vocabulary."""
_HIGHEST, _LOWEST, _SHOWN = 5, 10, 5
_ROWS = 8192


@checked
def vocabulary_circuits(model: ModelOrName, *, sampled: int = N_SAMPLED) -> pd.DataFrame:
    r"""Return a row for each layer × head: what its OV and QK circuits do to tokens.

    With $W_E$ (d_model × vocabulary), $W_U$ (vocabulary × d_model), $M_{OV} = W_O W_V$ and
    $M_{QK} = W_Q^\top W_K$ of the head. Columns:

    - copying_score: $\sum \mathrm{Re}\,\lambda / \sum |\lambda|$ over the eigenvalues of
      $W_U M_{OV} W_E$, which are those of the small $W_V (W_E W_U) W_O$; matching_score: of
      $W_E^\top M_{QK} W_E$. In float64; NaN where every eigenvalue is 0.
    - copying_share: of the sampled tokens, those whose own logit is among the 5 highest of their
      column of $W_U M_{OV} W_E$; suppression_share: among the 10 lowest.
    - ov_top, qk_top: the strongest entries from sampled tokens, as 'token → token'.

    Args:
        model: A loaded model, or what `inspector.load` takes, with its language-modelling head.
        sampled: Tokens that are followed, spread over the vocabulary; all if it has no more.

    Raises:
        InputError: If the model has no language-modelling head, or its embedding is of another
            width than its heads read.
        ModelError: If the model cannot be loaded.

    Source: Elhage et al. (2021), A Mathematical Framework for Transformer Circuits, "Summarizing
        OV/QK matrices" and "Copying"; Wang et al. (2022), arXiv:2211.00593, sec. 3.2, for the five
        highest; McDougall et al. (2023), arXiv:2310.04625, sec. 3.1, for the ten lowest.

    Example:
        >>> vocabulary_circuits("gpt2").nlargest(3, "copying_score")  # doctest: +SKIP
    """
    model = loaded(model)
    embedding, unembedding = _matrices(model)
    through = _product(embedding, unembedding), _product(embedding, embedding)
    tokens = torch.linspace(0, len(embedding) - 1, min(sampled, len(embedding)))
    tokens = torch.unique(tokens.round().long()).to(embedding.device)
    rows = []
    for layer in range(model.n_layers):
        heads = model.layer_weights(layer).by_head()
        for head in range(model.n_heads):
            w_q, w_k, w_v, w_o = (one[head] for one in (heads.W_Q, heads.W_K, heads.W_V, heads.W_O))
            written = (embedding[tokens] @ w_v.mT @ w_o.mT) @ unembedding.mT
            matched = (embedding[tokens] @ w_q.mT @ w_k) @ embedding.mT
            own = written.gather(1, tokens[:, None])
            rows.append(
                {
                    "layer": layer,
                    "head": head,
                    "copying_score": _positivity(w_v.double() @ through[0] @ w_o.double()),
                    "matching_score": _positivity(w_k.double() @ through[1] @ w_q.double().mT),
                    "copying_share": _share((written > own).sum(1) < _HIGHEST),
                    "suppression_share": _share((written < own).sum(1) < _LOWEST),
                    "ov_top": _strongest(model.tokenizer, written, tokens),
                    "qk_top": _strongest(model.tokenizer, matched, tokens),
                }
            )
    return pd.DataFrame(rows).astype(VOCABULARY_CIRCUITS_COLUMNS)


def circuits_if_any(model: PretrainedModel) -> pd.DataFrame | None:
    """Return the circuits, None where the model has no head, or an embedding of another width."""
    try:
        return vocabulary_circuits(model)
    except InputError:
        return None


def _matrices(model: PretrainedModel) -> tuple[Tensor, Tensor]:
    """Return W_Eᵀ and W_U, (vocabulary, d_model) both."""
    head = language_head(model)
    unembedding = None if head is None else head.unembedding
    if unembedding is None:
        raise InputError(
            f"model ({model.name}) must have its language-modelling head for the vocabulary's "
            "circuits: load the checkpoint that it was saved with."
        )
    own: Any = model.model
    embedding = own.get_input_embeddings().weight
    if embedding.shape[1] != model.d_model or unembedding.shape[1] != model.d_model:
        raise InputError(
            f"model ({model.name}) must embed tokens as wide as its heads read ({model.d_model}): "
            f"its embedding is {embedding.shape[1]} wide, its unembedding {unembedding.shape[1]}."
        )
    size = min(len(embedding), len(unembedding))  # some pad one of the two
    return embedding.detach()[:size], unembedding.detach()[:size]


def _product(
    left: Float[Tensor, "token d_model"], right: Float[Tensor, "token d_model"]
) -> Float[Tensor, "d_model d_model"]:
    """Return leftᵀ · right in float64, some rows at a time."""
    total = left.new_zeros(left.shape[1], right.shape[1], dtype=torch.float64)
    for one, other in zip(left.split(_ROWS), right.split(_ROWS), strict=True):
        total += one.double().mT @ other.double()
    return total


def _positivity(small: Float[Tensor, "d_head d_head"]) -> float:
    values = torch.linalg.eigvals(small)
    return float(values.real.sum() / values.abs().sum())


def _share(of: Tensor) -> float:
    return float(of.double().mean())


def _strongest(
    tokenizer: Any, entries: Float[Tensor, "sampled token"], tokens: Int[Tensor, " sampled"]
) -> str:
    """Return the largest entry of each of the rows with the largest, as 'token → token'."""
    best = entries.max(1)
    rows = best.values.argsort(descending=True, stable=True)[:_SHOWN].tolist()
    pairs = [(int(tokens[row]), int(best.indices[row])) for row in rows]
    return ", ".join(" → ".join(_shown(tokenizer, pair)) for pair in pairs)


def _shown(tokenizer: Any, tokens: Sequence[int]) -> list[str]:
    return [str(tokenizer.decode([token])).strip() or repr(token) for token in tokens]
