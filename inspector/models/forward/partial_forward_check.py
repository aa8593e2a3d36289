"""Whether a model can be run again from the middle: tried, not believed.

Must not know: what it is run again for.
"""

import torch

from inspector.errors import UnsupportedModelError
from inspector.models.forward.head_ablation import silenced
from inspector.models.forward.partial_forward import resumable
from inspector.models.pretrained import Batch, PretrainedModel

# How far two ways to the same states may be apart, of their norm.
_ROUNDING = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 0.05}


def is_resumable(model: PretrainedModel, batch: Batch) -> bool:
    """Return whether going on from the middle gives what whole passes give.

    Tried on the batch with a head of the first layer and one of the last put out of action.

    Args:
        model: Any that is loaded.
        batch: A small one.

    Example:
        >>> import inspector
        >>> model = inspector.load("minilm")
        >>> is_resumable(model, model.encode(["A cat."]))
        True
    """
    tried = sorted({0, model.n_layers - 1})
    with resumable(model) as resumer:
        try:
            clean = resumer.clean(batch)
        except UnsupportedModelError:
            return False
        again = []
        for layer in tried:
            given = torch.zeros_like(clean.layers[layer].heads[:, :, 0])
            again.append(resumer.states(clean, layer, [0], given[None])[0])
    attended = batch.attention_mask.bool()
    for layer, state in zip(tried, again, strict=True):
        with silenced(model, [(layer, 0)]), torch.inference_mode():
            whole = model.model(**batch.inputs()).last_hidden_state
        apart = (state - whole)[attended].norm() / whole[attended].norm()
        if not float(apart) < _ROUNDING[model.dtype]:
            return False
    return True
