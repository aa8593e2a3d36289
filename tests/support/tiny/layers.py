"""Tiny layers of four kinds, as models have them: attention far from uniform, biases not zero."""

import torch

KINDS = ("bert", "gpt2", "llama", "t5")
N_HEADS, D_HEAD, D_MODEL, LONGEST = 4, 8, 32, 24


def make_layer(kind, seed=3):
    """Return a layer as that kind of model has them, attention far from uniform."""
    from inspector.attention import LayerWeights
    from inspector.verification.diagnosis import Layer, Norm

    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    groups = 2 if kind == "llama" else N_HEADS
    biased = kind in ("bert", "gpt2")
    wide, narrow = N_HEADS * D_HEAD, groups * D_HEAD
    extra = {}
    if kind == "llama":
        pace = 1.0 / 10000 ** (torch.arange(0, D_HEAD, 2) / D_HEAD)
        angles = torch.arange(LONGEST)[:, None] * pace
        angles = torch.cat([angles, angles], -1)
        extra = {"rotary_cos": angles.cos(), "rotary_sin": angles.sin()}
    if kind == "t5":
        offsets = torch.arange(LONGEST)[None] - torch.arange(LONGEST)[:, None] + LONGEST - 1
        extra = {"relative_bias": draw(N_HEADS, 2 * LONGEST - 1)[:, offsets]}
    steep = 1.5 * D_MODEL**-0.5
    weights = LayerWeights(
        W_Q=steep * draw(wide, D_MODEL),
        W_K=steep * draw(narrow, D_MODEL),
        W_V=steep * draw(narrow, D_MODEL),
        W_O=steep * draw(D_MODEL, wide),
        b_Q=0.3 * draw(wide) if biased else None,
        b_K=0.3 * draw(narrow) if biased else None,
        b_V=0.3 * draw(narrow) if biased else None,
        b_O=0.3 * draw(D_MODEL) if biased else None,
        n_heads=N_HEADS,
        n_kv_heads=groups,
        scaling=1.0 if kind == "t5" else D_HEAD**-0.5,
        causal=kind in ("gpt2", "llama"),
        **extra,
    )
    centred = kind not in ("llama", "t5")
    bias = 0.1 * draw(D_MODEL) if centred else None
    return Layer(weights, Norm(1 + 0.1 * draw(D_MODEL), bias, 1e-6, centred))
