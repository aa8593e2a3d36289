"""Two layers of attention and nothing else, by the equations of `inspector.attention`."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from inspector.attention import LayerWeights, multi_head_attention

LAYERS, HEADS = 2, 2
_WIDTH = 32


class SmallModel(nn.Module):
    """Letters and positions in, scores of each letter out; each layer adds to what came in.

    Causal: no position sees what stands behind it.
    """

    def __init__(self, letters: int, length: int, seed: int) -> None:
        """Draw its weights."""
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def drawn(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator) * shape[-1] ** -0.5)

        self.letter, self.position = drawn(letters, _WIDTH), drawn(length, _WIDTH)
        self.matrices = nn.ParameterList(drawn(_WIDTH, _WIDTH) for _ in range(4 * LAYERS))
        self.says = drawn(letters, _WIDTH)

    def layer(self, number: int) -> LayerWeights:
        """Return the weights of a layer."""
        query, key, value, output = list(self.matrices)[4 * number : 4 * number + 4]
        return LayerWeights(
            W_Q=query,
            W_K=key,
            W_V=value,
            W_O=output,
            b_Q=None,
            b_K=None,
            b_V=None,
            b_O=None,
            n_heads=HEADS,
            n_kv_heads=HEADS,
            scaling=(_WIDTH // HEADS) ** -0.5,
            causal=True,
        )

    def forward(
        self, letters: Int[Tensor, "text position"]
    ) -> tuple[
        Float[Tensor, "text position letter"], list[Float[Tensor, "text head position position"]]
    ]:
        """Return the scores of each letter, and each layer's probabilities."""
        states, probabilities = self.letter[letters] + self.position[: letters.shape[1]], []
        for number in range(LAYERS):
            stages = multi_head_attention(states, states, self.layer(number))
            states = states + stages.output
            probabilities.append(stages.probabilities)
        return states @ self.says.T, probabilities
