"""What some modules compute in the place of softmax(Q Kᵀ) V, in words.

Our function has no part in it, so that a verification can only say what it is.
Must not know: what is said besides.
"""

from collections.abc import Iterable

from torch import nn

OTHER_MATHEMATICS: dict[str, str] = {
    "BigBirdBlockSparseAttention": "each block looks at a few blocks, some drawn at random",
    "BigBirdPegasusBlockSparseAttention": "each block looks at a few blocks, some drawn at random",
    "FNetFourierTransform": "tokens are mixed by Fourier transforms",
    "LSHSelfAttention": "each token looks at those whose hashes agree with its own",
    "MiniMaxLightningAttention": "keys and values are summed up as they decay, without a softmax",
    "MobileViTV2LinearSelfAttention": "every query weights the keys alike",
    "MraSelfAttention": "scores of coarse blocks are refined where they are large",
    "NystromformerSelfAttention": "scores run through landmarks and an approximate inverse",
    "RwkvSelfAttention": "keys and values are summed up as they decay, without a softmax",
    "YosoSelfAttention": "weights are how likely hashes of query and key agree, not a softmax",
}
"""Class of a module → what it computes."""


def other_mathematics(modules: Iterable[nn.Module]) -> list[str]:
    """Return what modules compute that is no softmax of products, as far as that is known.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> other_mathematics(configuration("fnet").build().modules())
        ['tokens are mixed by Fourier transforms']
    """
    kinds = {type(module).__name__ for module in modules}
    return sorted({OTHER_MATHEMATICS[kind] for kind in kinds & set(OTHER_MATHEMATICS)})
