"""What the weights of each head say: norms, spectra, rank, symmetry, copying.

One row per head; the figures of M_QK and M_OV come from thin factors, in float64.
"""

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.frames import dtypes
from inspector.heads.weights.low_rank_product import ThinProduct
from inspector.models import PretrainedModel
from inspector.models.any_model.any_model import AnyModel, proved_weights
from inspector.models.loading.load_model import ModelOrName, loaded

_PRODUCT_STATISTICS = (
    "spectral_norm",
    "frobenius_norm",
    "effective_rank",
    "stable_rank",
    "symmetry",
    "eigenvalue_positivity",
)

WEIGHTS_COLUMNS = dtypes("weights")
"""Columns of the weights frame, in order: column → dtype."""

MODULES_WEIGHTS_COLUMNS = dtypes("module_weights")
"""Columns of the weights frame of any network, whose `layer` counts its attention modules."""


def weight_statistics(model: PretrainedModel | AnyModel) -> pd.DataFrame:
    r"""Return a row of weight statistics for each layer × head (no unit, float64).

    For head h with rows W_Q, W_K, W_V (d_head × d_model) and columns W_O (d_model × d_head):
    M_QK = W_Qᵀ W_K and M_OV = W_O W_V, of rank ≤ d_head, never formed. Columns:

    - layer, head: counted from 0.
    - q_norm, k_norm, v_norm, o_norm: Frobenius norms of W_Q, W_K, W_V, W_O.
    - q_bias_norm, k_bias_norm, v_bias_norm: Euclidean norms of the head's biases; an absent bias
      acts as a zero one and has norm 0.
    - qk_…, ov_…, of M_QK and M_OV: spectral_norm σ₁; frobenius_norm; effective_rank
      exp(entropy of σ/Σσ); stable_rank ‖M‖_F²/‖M‖₂²; symmetry (‖S‖_F² − ‖A‖_F²)/‖M‖_F² in
      [−1, 1]; eigenvalue_positivity Σ Re λ / Σ|λ| in [−1, 1]. The last four are NaN for M = 0,
      the last two where M is not square, as between texts of different width.

    With grouped key/value heads a query head uses its group's W_K and W_V. Where a model turns or
    norms its queries and keys before they meet, M_QK is what it would be without; the frame's
    `attrs["before_rotation"]` is then True. Of any network: `module_weight_statistics`.

    Source: Roy & Vetterli (2007) for the effective rank; Elhage et al. (2021) for the
        ratio of eigenvalue positivity, there of W_U M_OV W_E (`vocabulary_circuits`).

    Example:
        >>> import inspector
        >>> len(inspector.weight_statistics(inspector.load("minilm")))
        72
    """
    if isinstance(model, AnyModel):
        return module_weight_statistics(model)
    layers = [_layer_rows(layer, model.layer_weights(layer)) for layer in range(model.n_layers)]
    frame = pd.concat(layers, ignore_index=True).astype(WEIGHTS_COLUMNS)
    if model.before_rotation:
        frame.attrs["before_rotation"] = True
    return frame


def module_weight_statistics(model: AnyModel) -> pd.DataFrame:
    """Return a row of weight statistics for each attention module × head of any network.

    Columns as of `weight_statistics`; `layer` counts the modules in the order of the network,
    from 0, and `module`, the last column, names them: encoder and decoder, self and cross, texts
    and images. `attrs["left_out"]` is module → why its weights are not proved, where there is one;
    `attrs["before_rotation"]` is True where some queries and keys are rotated or normed before
    they meet, and `attrs["not_seen"]` where that is not seen of some.

    Raises:
        UnsupportedModelError: If no module's weights are proved.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> frame = module_weight_statistics(AnyModel.of(configuration("t5").build()))
        >>> frame["module"][0], frame["layer"].nunique(), len(frame)
        ('encoder.block.0.layer.0.SelfAttention', 6, 24)
    """
    found, left = proved_weights(model)
    frames = [
        _layer_rows(number, each.weights).assign(module=each.module)
        for number, each in enumerate(found)
    ]
    frame = pd.concat(frames, ignore_index=True).astype(MODULES_WEIGHTS_COLUMNS)
    if left:
        frame.attrs["left_out"] = left
    if any(each.before_rotation for each in found):
        frame.attrs["before_rotation"] = True
    if any(each.before_rotation is None for each in found):
        frame.attrs["not_seen"] = True
    return frame


def singular_values(model: ModelOrName, layer: int, head: int) -> pd.DataFrame:
    """Return the singular values of one head's M_QK and M_OV, largest first.

    Columns: matrix ('QK' or 'OV'), index (from 0), singular_value.

    Raises:
        InputError: If the model has no such layer or head.
    """
    frames = [
        pd.DataFrame(
            {
                "matrix": name,
                "index": range(product.singular_values.shape[1]),
                "singular_value": product.singular_values[0].cpu().numpy(),
            }
        )
        for name, product in _products(model, layer, head).items()
    ]
    return pd.concat(frames, ignore_index=True)


def eigenvalues(model: ModelOrName, layer: int, head: int) -> pd.DataFrame:
    """Return the eigenvalues of one head's M_QK and M_OV that can differ from zero.

    Columns: matrix ('QK' or 'OV'), real, imaginary.

    Raises:
        InputError: If the model has no such layer or head.
    """
    frames = []
    for name, product in _products(model, layer, head).items():
        values = product.eigenvalues[0].cpu().numpy()
        frames.append(pd.DataFrame({"matrix": name, "real": values.real, "imaginary": values.imag}))
    return pd.concat(frames, ignore_index=True)


def _products(given: ModelOrName, layer: int, head: int) -> dict[str, ThinProduct]:
    model = loaded(given)
    weights = model.layer_weights(model.check_layer(layer)).by_head()
    one = slice(model.check_head(head), head + 1)
    return {
        "QK": ThinProduct(weights.W_Q[one].mT, weights.W_K[one]),
        "OV": ThinProduct(weights.W_O[one], weights.W_V[one]),
    }


def _layer_rows(layer: int, weights: LayerWeights) -> pd.DataFrame:
    # Views in the model's dtype: each factor is widened by itself, so that a layer is never held
    # four times over in float64.
    heads = weights.by_head()
    columns: dict[str, Tensor] = {
        "q_norm": _matrix_norms(heads.W_Q),
        "k_norm": _matrix_norms(heads.W_K),
        "v_norm": _matrix_norms(heads.W_V),
        "o_norm": _matrix_norms(heads.W_O),
        "q_bias_norm": _bias_norms(weights.b_Q, weights.n_heads, weights),
        "k_bias_norm": _bias_norms(weights.b_K, weights.n_kv_heads, weights),
        "v_bias_norm": _bias_norms(weights.b_V, weights.n_kv_heads, weights),
    }
    products = {"qk": ThinProduct(heads.W_Q.mT, heads.W_K), "ov": ThinProduct(heads.W_O, heads.W_V)}
    for prefix, product in products.items():
        for statistic in _PRODUCT_STATISTICS:
            columns[f"{prefix}_{statistic}"] = getattr(product, statistic)()
    frame = pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})
    frame.insert(0, "layer", layer)
    frame.insert(1, "head", range(weights.n_heads))
    return frame[list(WEIGHTS_COLUMNS)]


def _matrix_norms(matrices: Float[Tensor, "head row column"]) -> Float[Tensor, " head"]:
    return torch.linalg.vector_norm(matrices, dim=(-2, -1), dtype=torch.float64)


def _bias_norms(bias: Tensor | None, n_heads: int, weights: LayerWeights) -> Tensor:
    if bias is None:
        return torch.zeros(weights.n_heads, dtype=torch.float64)
    norms = torch.linalg.vector_norm(torch.unflatten(bias.double(), 0, (n_heads, -1)), dim=-1)
    return norms.repeat_interleave(weights.n_heads // n_heads)
