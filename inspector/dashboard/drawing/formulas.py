"""How a layer computes its scores and its heads, in formulas."""

import math

from inspector.attention import LayerWeights
from inspector.dashboard.walkthrough import is_turned


def layer_formula(weights: LayerWeights) -> str:
    """Return the layer's softmax(S) V as a formula, with a bias B and a mask M where there are."""
    product = r"\tilde Q\tilde K^\top" if is_turned(weights) else r"QK^\top"
    bias = "" if weights.relative_bias is None else " + B"
    mask = " + M" if weights.causal or weights.window is not None else ""
    inner = f"{_capped(product, weights)}{bias}{mask}"
    return rf"\mathrm{{softmax}}\!\left({inner}\right)V"


def _capped(product: str, weights: LayerWeights) -> str:
    if math.isclose(weights.scaling, weights.d_head**-0.5, rel_tol=1e-6):
        scaled = rf"\frac{{{product}}}{{\sqrt{{d_k}}}}"
    else:
        scaled = product if weights.scaling == 1.0 else rf"{weights.scaling:.4g}\,{product}"
    if weights.softcap is None:
        return scaled
    cap = f"{weights.softcap:g}"
    return rf"{cap}\,\tanh\!\left(\frac{{1}}{{{cap}}}\,{scaled}\right)"
