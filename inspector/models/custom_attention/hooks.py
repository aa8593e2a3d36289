"""Attention that models compute by mathematics of their own, seen through hooks.

Around a module whose class is known here: what went into it, what its linear layers made of it,
which weights it used and the context that W_O was given. From these an `AttentionCall` is made,
whose score term is ours; whether it computes what the module does is for others to judge.
"""

import inspect
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

from torch import Tensor, nn

from inspector.models.calls.attention_call import AttentionCall
from inspector.models.custom_attention import plain_attention, text_attention, windowed_attention
from inspector.models.custom_attention.observed_forward import (
    Reader,
    Seen,
    WatchedProducts,
)

READERS: dict[str, Reader] = {
    **plain_attention.READERS,
    **text_attention.READERS,
    **windowed_attention.READERS,
}
"""Class of a module, after its file where two share a name → how it is read."""


def reader_of(module: nn.Module) -> Reader | None:
    """Return how a module's own mathematics is read, None where that is not known."""
    kind = type(module)
    if not kind.__module__.startswith(("transformers.", "torch.nn.modules.")):
        return None
    file = kind.__module__.rsplit(".", 1)[-1]
    return READERS.get(kind.__name__) or READERS.get(f"{file}.{kind.__name__}")


def watch_own_maths(network: nn.Module, on_call: Callable[[AttentionCall], None]) -> ExitStack:
    """Return the hooks around modules whose own mathematics is known: closing takes them off."""
    stack = ExitStack()
    for module in network.modules():
        reader = reader_of(module)
        if reader is not None:
            _Watcher(module, reader, on_call).attach(stack)
    return stack


class _Watcher:
    """Puts together what is seen of one module in one forward."""

    def __init__(
        self, module: nn.Module, reader: Reader, on_call: Callable[[AttentionCall], None]
    ) -> None:
        self._module, self._reader, self._on_call = module, reader, on_call
        self._signature = inspect.signature(module.forward)
        self._arguments: dict[str, Any] = {}
        self._made: dict[str, Tensor] = {}
        self._again: dict[str, Tensor] = {}
        self._context: Tensor | None = None
        self._watched: WatchedProducts | None = None

    def attach(self, stack: ExitStack) -> None:
        """Hook the module and its linear layers."""
        begin = self._module.register_forward_pre_hook(self._begin, with_kwargs=True)
        stack.callback(begin.remove)
        end = self._module.register_forward_hook(self._end, always_call=True)
        stack.callback(end.remove)
        for name, child in self._module.named_children():
            if name == self._reader.output:
                stack.callback(child.register_forward_pre_hook(self._combining).remove)
            else:
                stack.callback(child.register_forward_hook(partial(self._projected, name)).remove)

    def _begin(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self._arguments, self._context = dict(bound.arguments), None
        self._made, self._again = {}, {}
        if self._reader.watched:
            self._watched = WatchedProducts()
            self._watched.__enter__()
        if "output_attentions" not in self._signature.parameters:
            return None
        # Else the weights are thrown away. Who calls the module looks at its first result only.
        bound.arguments["output_attentions"] = True
        return bound.args, bound.kwargs

    def _projected(self, name: str, module: nn.Module, args: Any, output: Any) -> None:
        made = output[0] if isinstance(output, tuple) else output
        if isinstance(made, Tensor):
            seen = self._again if name in self._made else self._made
            seen.setdefault(name, made)

    def _combining(self, module: nn.Module, args: Any) -> None:
        self._context = args[0]

    def _end(self, module: nn.Module, args: Any, output: Any) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.__exit__(None, None, None)
        products = [] if watched is None else watched.products
        if output is None:  # of a forward that failed
            return
        if self._reader.watched:
            if not products:
                return
            context: Tensor | None = products[0].context
            weights = [products[0].probabilities]
        else:
            context = self._context if self._reader.output else output[0]
            weights = [part for part in output[1:] if isinstance(part, Tensor) and part.ndim > 2]
        if context is None or not weights:
            return
        seen = Seen(
            module, self._arguments, self._made, context, weights[-1], products, self._again,
            output,
        )  # fmt: skip
        calls = self._reader.read(seen)
        for call in [calls] if isinstance(calls, AttentionCall) else calls or ():
            self._on_call(call)


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
