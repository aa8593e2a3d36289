"""What the benchmarks measure on: a random BERT of any size, minilm, batches of a given shape.

Must not know: what is measured.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from inspector.models import PretrainedModel


def random_bert(n_layers: int, n_heads: int, d_model: int) -> "PretrainedModel":
    """Return a BertModel with random weights, without files and tokenizer."""
    import torch
    from transformers import BertConfig, BertModel  # type: ignore[attr-defined]

    from inspector.models import ARCHITECTURES, LayerSite, PretrainedModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=100,
        hidden_size=d_model,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        intermediate_size=4 * d_model,
    )
    layers = [f"encoder.layer.{layer}.attention" for layer in range(n_layers)]
    return PretrainedModel(
        name="random",
        folder=Path(),
        model=BertModel(config).eval(),
        tokenizer=None,
        architecture=ARCHITECTURES["bert"],
        sites=tuple(
            LayerSite(number, f"{layer}.self", f"{layer}.output.dense")
            for number, layer in enumerate(layers)
        ),
        n_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_heads,
        d_model=d_model,
        d_head=d_model // n_heads,
        max_tokens=512,
        dtype="float32",
        file_hashes={},
        unused_tensors=(),
    )


@cache
def minilm() -> "PretrainedModel":
    """Return the default model, loaded once."""
    import inspector

    return inspector.load("minilm")


def batch(texts: int, tokens: int, padded: bool) -> dict[str, "Tensor"]:
    """Return random tokens as a model's inputs, (texts, tokens).

    Args:
        texts: Rows.
        tokens: Columns.
        padded: Whether the rows end in padding, from none in the first to half in the last.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 20000, (texts, tokens), generator=generator)
    attended = torch.ones_like(ids)
    if padded:
        for row in range(texts):
            attended[row, tokens - row * tokens // (2 * max(texts - 1, 1)) :] = 0
    return {"input_ids": ids, "attention_mask": attended}
