"""A whole model on our attention: forward, generate(), training, for as long as it is wanted.

Refused where a part computes attention by mathematics of its own: it would go on doing so, and
nobody would notice. Must not know: what the model is run for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from inspector.errors import UnsupportedModelError
from inspector.models.any_model.any_model import AnyModel
from inspector.models.any_model.call_watch import attention_modules
from inspector.models.calls.eager_functions import calls_interface
from inspector.models.forward.backend import OURS, running
from inspector.models.pretrained import PretrainedModel

_SOME = 3


@contextmanager
def using(model: PretrainedModel | AnyModel | nn.Module) -> Iterator[None]:
    """Run a model on inspector's attention inside a `with` block; its own is back after it.

    Each module keeps its mode. Other threads that use the model wait.

    Args:
        model: What `inspector.load` returned, or a model of transformers.

    Raises:
        UnsupportedModelError: If it is no model of transformers, has no attention, or has one
            that transformers' attention interface does not reach.

    Example:
        >>> import torch
        >>> from inspector.models.tiny_models import configuration
        >>> network = configuration("llama").build()
        >>> ids = torch.tensor([[7, 11, 13]])
        >>> with using(network):
        ...     state = network(ids).last_hidden_state
        >>> torch.allclose(state, network(ids).last_hidden_state, atol=1e-5)
        True
    """
    runnable = model if isinstance(model, (PretrainedModel, AnyModel)) else AnyModel.of(model)
    modules = attention_modules(runnable.model)
    if not modules:
        raise UnsupportedModelError(f"model ({runnable.name}) has no attention to exchange.")
    own = sorted(name for name, module in modules.items() if not calls_interface(module))
    if own:
        kinds = ", ".join(sorted({type(modules[name]).__name__ for name in own}))
        more = f" and {len(own) - _SOME} more" if len(own) > _SOME else ""
        raise UnsupportedModelError(
            f"model ({runnable.name}) computes {len(own)} of its {len(modules)} attention modules "
            f"by mathematics of its own ({kinds} in {', '.join(own[:_SOME])}{more}), which "
            "inspector's attention cannot take the place of."
        )
    with running(runnable, OURS, evaluating=False):
        yield
