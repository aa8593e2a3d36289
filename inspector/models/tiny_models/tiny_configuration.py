"""One tiny random network of a family of transformers, and inputs that suit it.

A configuration is data: the entries of config.json that make it small, and how its inputs are
made. Weights are drawn so that attention is far from uniform and no bias is zero.
Must not know: what is done with the network.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

Kind = Literal[
    "text encoder",
    "decoder",
    "encoder-decoder",
    "vision",
    "audio",
    "text and vision",
    "text and audio",
]
MakeInputs = Callable[[torch.Generator], dict[str, Tensor]]

# At width 32 scores then vary by more than one, and attention is far from uniform.
_MATRIX_DEVIATION, _VECTOR_DEVIATION = 0.3, 0.2


@dataclass(frozen=True)
class Configuration:
    """A tiny random network: hidden width 32 and two layers, as far as its family lets it."""

    name: str
    """Unique; the model type, and what is special after a comma."""
    model_type: str
    """What `config.json` calls it."""
    kind: Kind
    settings: Mapping[str, Any] = field(repr=False)
    """Entries of config.json."""
    inputs: MakeInputs = field(repr=False)
    class_name: str = "AutoModel"
    """Of transformers: what is built; `AutoModel` picks by the model type."""

    def build(self, seed: int = 20170612) -> nn.Module:
        """Return the network with random weights, in evaluation mode, with its eager attention.

        Args:
            seed: Of the weights; the generator's state is restored.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> type(configuration("bert").build()).__name__
            'BertModel'
        """
        import transformers

        config = transformers.AutoConfig.for_model(self.model_type, **deepcopy(dict(self.settings)))
        made: Any = getattr(transformers, self.class_name)
        # Some families draw more than parameters when they are built.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if self.class_name.startswith("Auto"):
                network = made.from_config(config, attn_implementation="eager")
            else:
                config._attn_implementation = "eager"
                network = made(config)
        draw_weights(network, seed)
        # The other ways of running experts have no float64.
        network.set_experts_implementation("eager")
        evaluating: nn.Module = network.float().eval()
        return evaluating

    def make_inputs(self, seed: int = 0) -> dict[str, Tensor]:
        """Return the keyword arguments of a forward pass: random, padded where there is padding.

        Example:
            >>> from inspector.models.tiny_models import configuration
            >>> configuration("gpt2").make_inputs()["attention_mask"].sum(-1).tolist()
            [9, 6, 4]
        """
        return self.inputs(torch.Generator().manual_seed(seed))


def draw_weights(network: nn.Module, seed: int) -> None:
    """Draw every parameter anew.

    Matrices and embeddings around zero; vectors (biases, the weights of norms, sinks) around what
    the family starts from, so that a norm stays near one and a bias is not zero.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(_MATRIX_DEVIATION * drawn)
            else:
                parameter.add_(_VECTOR_DEVIATION * drawn)
