"""Models whose weights are what the test says: no network, no files, any number of layers."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.models import ARCHITECTURES, PretrainedModel


@dataclass(frozen=True)
class PlantedModel(PretrainedModel):
    """A model that is asked for its weights only."""

    planted: tuple[LayerWeights, ...] = ()

    def layer_weights(self, layer: int) -> LayerWeights:
        return self.planted[self.check_layer(layer)]


def planted_model(*layers: LayerWeights) -> PlantedModel:
    first = layers[0]
    return PlantedModel(
        name="planted",
        folder=Path(),
        model=nn.Module(),
        tokenizer=None,
        architecture=ARCHITECTURES["bert"],
        sites=(),
        n_layers=len(layers),
        n_heads=first.n_heads,
        n_kv_heads=first.n_kv_heads,
        d_model=first.d_model,
        d_head=first.d_head,
        max_tokens=1,
        dtype="float64",
        file_hashes={},
        unused_tensors=(),
        planted=layers,
    )


def random_weights(
    n_heads: int = 3,
    n_kv_heads: int | None = None,
    d_head: int = 5,
    d_model: int = 17,
    seed: int = 0,
) -> LayerWeights:
    kv_heads = n_heads if n_kv_heads is None else n_kv_heads
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return LayerWeights(
        W_Q=draw(n_heads * d_head, d_model),
        W_K=draw(kv_heads * d_head, d_model),
        W_V=draw(kv_heads * d_head, d_model),
        W_O=draw(d_model, n_heads * d_head),
        b_Q=draw(n_heads * d_head),
        b_K=draw(kv_heads * d_head),
        b_V=draw(kv_heads * d_head),
        b_O=draw(d_model),
        n_heads=n_heads,
        n_kv_heads=kv_heads,
        scaling=d_head**-0.5,
    )


def one_head(left: Tensor, right: Tensor) -> LayerWeights:
    """Return one head with W_QK = W_OV = left · right, (d_model × d_head) · (d_head × d_model)."""
    weights = random_weights(1, 1, left.shape[1], left.shape[0])
    return replace(weights, W_Q=left.T, W_K=right, W_O=left, W_V=right)


def changed(weights: LayerWeights, **tensors: Any) -> LayerWeights:
    return replace(weights, **tensors)
