"""Norms: hidden states, queries or keys, each made as long as the others."""

import torch
from jaxtyping import Float
from torch import Tensor


def normalised(
    features: Float[Tensor, "*batch width"],
    gain: Float[Tensor, "*#batch width"] | None,
    bias: Float[Tensor, "*#batch width"] | None,
    eps: float,
    centred: bool,
) -> Float[Tensor, "*batch width"]:
    r"""Return features divided by the root of their mean square, times a gain.

    $g \odot (x - m) / \sqrt{\mathrm{mean}((x - m)^2) + \epsilon} + b$ with m the mean of x where
    it is centred, else 0.

    Args:
        features: Each row is normalised by itself.
        gain: g; 1 where not given.
        bias: b; 0 where not given.
        eps: ε.
        centred: Whether the mean is taken off: LayerNorm does, RMSNorm does not.

    Source: Ba et al. (2016), arXiv:1607.06450, eq. 4; without the mean: Zhang and Sennrich
        (2019), arXiv:1910.07467, eq. 4.

    Example:
        >>> normalised(torch.tensor([[3.0, 5.0]]), None, None, 0.0, centred=True)
        tensor([[-1.,  1.]])
    """
    centre = features - features.mean(-1, keepdim=True) if centred else features
    scaled = centre * torch.rsqrt(centre.square().mean(-1, keepdim=True) + eps)
    if gain is not None:
        scaled = scaled * gain.to(scaled.dtype)
    return scaled if bias is None else scaled + bias.to(scaled.dtype)
