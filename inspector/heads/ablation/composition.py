"""How heads of different layers combine through the weights: Q-, K- and V-composition."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from inspector.frames import dtypes
from inspector.models import PretrainedModel

COMPOSITION_COLUMNS = dtypes("composition")
"""Columns of the composition frame, in order: column → dtype."""
KINDS = ("Q", "K", "V")


def composition(model: PretrainedModel) -> pd.DataFrame:
    r"""Return how much each head reads of what each head of an earlier layer writes.

    With M_QK = W_Qᵀ W_K and M_OV = W_O W_V, and the earlier head's M'_OV, columns:

    - layer, head: the head that reads; from_layer, from_head: the earlier one that writes.
    - kind: 'Q', 'K' or 'V': what of the reading head's the written enters into.
    - score: ‖M_QKᵀ M'_OV‖_F / (‖M_QK‖_F ‖M'_OV‖_F) for Q, with M_QK in place of M_QKᵀ for K, with
      M_OV in its place for V; from 0 to 1. NaN where a matrix is 0.
    - baseline: √(1 / d_model), what the score of random matrices comes to when their rank is not
      small; excess: score − baseline.

    Layer norms and what stands between layers are left out, as in the source: the scores are of
    the weights alone. All products are formed from d_head × d_head matrices, in float64.

    Source: Elhage et al. (2021), A Mathematical Framework for Transformer Circuits,
        "Two-Layer Attention-Only Transformers".

    Example:
        >>> import inspector
        >>> frame = composition(inspector.load("minilm"))
        >>> frame["kind"].value_counts().tolist() == [15 * 12 * 12] * 3
        True
    """
    layers = [_Factors.of(model, layer) for layer in range(model.n_layers)]
    parts = []
    baseline = model.d_model**-0.5
    for later in range(model.n_layers):
        for earlier in range(later):
            scores = torch.stack(
                [layers[later].read(kind, layers[earlier]) for kind in KINDS], dim=-1
            )
            head, from_head, kind = np.indices(scores.shape).reshape(3, -1)
            parts.append(
                pd.DataFrame(
                    {
                        "layer": later,
                        "head": head,
                        "from_layer": earlier,
                        "from_head": from_head,
                        "kind": np.array(KINDS, dtype=object)[kind],
                        "score": scores.flatten().cpu().numpy(),
                    }
                )
            )
    if not parts:
        return pd.DataFrame({name: [] for name in COMPOSITION_COLUMNS}).astype(COMPOSITION_COLUMNS)
    frame = pd.concat(parts, ignore_index=True)
    frame["baseline"] = baseline
    frame["excess"] = frame["score"] - baseline
    order = ["layer", "head", "from_layer", "from_head"]
    frame = frame.sort_values(order, kind="stable", ignore_index=True)
    return frame[list(COMPOSITION_COLUMNS)].astype(COMPOSITION_COLUMNS)


class _Factors:
    """One layer's thin factors, each turned so that a product's norm needs its small part alone.

    ‖A Bᵀ C D‖_F for thin A and Dᵀ is ‖R_A (Bᵀ C) R_Dᵀ‖_F, with the triangles of their QR.
    """

    def __init__(
        self,
        query: Float[Tensor, "head d_head d_model"],
        key: Float[Tensor, "head d_head d_model"],
        value: Float[Tensor, "head d_head d_model"],
        output: Float[Tensor, "head d_model d_head"],
    ) -> None:
        self._read_by = {"Q": query, "K": key, "V": value}
        triangle_q, triangle_k = _triangle(query.mT), _triangle(key.mT)
        self._other = {"Q": triangle_k, "K": triangle_q, "V": _triangle(output)}
        self._output = output
        self._value_triangle = _triangle(value.mT)
        self._norm_qk = _norm(torch.matmul(triangle_q, triangle_k.mT))
        self._norm_ov = _norm(torch.matmul(self._other["V"], self._value_triangle.mT))

    @classmethod
    def of(cls, model: PretrainedModel, layer: int) -> "_Factors":
        """Return the factors of a layer, in float64; shared key/value heads are repeated."""
        heads = model.layer_weights(layer).to(torch.float64).by_head()
        return cls(heads.W_Q, heads.W_K, heads.W_V, heads.W_O)

    def read(self, kind: str, earlier: "_Factors") -> Float64[Tensor, "head from_head"]:
        """Return the scores of one kind, this layer's heads reading the earlier one's."""
        inner = torch.einsum("hcd,gde->hgce", self._read_by[kind], earlier._output)
        left = torch.matmul(self._other[kind][:, None], inner)
        product = torch.matmul(left, earlier._value_triangle.mT[None])
        own = self._norm_ov if kind == "V" else self._norm_qk
        return _norm(product) / (own[:, None] * earlier._norm_ov[None, :])


def _triangle(factor: Float[Tensor, "head row column"]) -> Float64[Tensor, "head column column"]:
    return torch.linalg.qr(factor, mode="r").R


def _norm(matrix: Float[Tensor, "*head row column"]) -> Float64[Tensor, "*head"]:
    return torch.linalg.matrix_norm(matrix)
