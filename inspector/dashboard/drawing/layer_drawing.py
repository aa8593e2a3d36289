"""The steps of a layer after its heads: concatenation, W_O, and the same as a sum over heads."""

from collections.abc import Sequence

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.dashboard.drawing.panes import Pane, Step, encoded
from inspector.dashboard.walkthrough import LayerSteps


def layer_drawing(
    done: LayerSteps,
    weights: LayerWeights,
    theirs: Tensor,
    tokens: Sequence[str],
    head: int,
    position: int,
    heads: Sequence[str],
) -> list[Step]:
    """Return the steps of a layer.

    Args:
        done: Every stage.
        weights: Of the layer.
        theirs: What the model's own layer wrote, (token, d_model).
        tokens: Of the text.
        head: Whose map is drawn large.
        position: Whose output is taken apart.
        heads: What the heads are called.
    """
    stages = done.stages
    context, output = stages.context[0], stages.output[0]
    chosen = stages.probabilities[0, head]
    concatenated = Pane("C", context, ("query", "heads·d_head"), tokens)
    bias = None if weights.b_O is None else encoded(weights.b_O)
    made = {"kind": "product", "left": "C", "right": "W_O", "by": "row", "bias": bias}
    mixing = Pane("W_O", weights.W_O, ("d_model", "heads·d_head"))
    mixed = Pane("O", output, ("query", "d_model"), tokens, made=made)
    one_row = context[position].unflatten(0, (weights.n_heads, -1))
    written = done.contributions[:, position]
    by_head = {"kind": "block", "left": "z", "right": "W_O"}
    total = {"kind": "total", "of": "H", "bias": encoded(done.bias)}
    rows = torch.stack([done.total[position]])
    return [
        Step("heads", "P₁ … P_h", "", (Pane("P", chosen, ("query", "key"), tokens, tokens),)),
        Step("concat", "C = [Z₁ … Z_h]", "", (concatenated,)),
        Step("out", "O = C·W_O + b", r"O = C\,W_O + b_O", (concatenated, mixing, mixed)),
        Step(
            "sum",
            "Σ zₕ·W_O",
            r"\mathrm{MultiHead}(X) = \sum_h \mathrm{head}_h\,W^O_h + b_O",
            (
                Pane("z", one_row, ("head", "d_head"), heads),
                mixing,
                Pane("H", written, ("head", "d_model"), heads, made=by_head),
                Pane("Σ", rows, ("row", "d_model"), ["Σ"], made=total),
                Pane("O", theirs[position : position + 1], ("row", "d_model"), [tokens[position]]),
            ),
        ),
    ]
