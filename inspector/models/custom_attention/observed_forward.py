"""What is seen of one forward of a module with mathematics of its own, and a call made of it.

A reader says what the queries, keys, values, mask, bias and scaling are; the probabilities and
the context that ours is compared with are the module's own, returned by it or, of modules that
return neither, its softmax and the matrix product that it is the left side of.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from inspector.attention import split_heads
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.calls.call_arguments import split_mask
from inspector.models.weight_layouts.layout import N_HEADS

_ATEN: Any = torch.ops.aten
_SOFTMAX = (_ATEN._softmax.default, _ATEN._safe_softmax.default)
# Without autograd these come whole: nobody has taken them apart before.
_COMPOSED = (
    _ATEN.softmax.int, _ATEN.matmul.default, _ATEN.scaled_dot_product_attention.default,
)  # fmt: skip
# What leaves the numbers as they are, or rounds them, in another place in memory.
_COPIES = (_ATEN._to_copy.default, _ATEN.clone.default)


@dataclass(frozen=True)
class Product:
    """One softmax, and what it was multiplied with."""

    probabilities: Tensor
    context: Tensor
    """(batch · head, query, d_value), as it was computed."""


class WatchedProducts(TorchDispatchMode):
    """Notes each softmax that is the left side of a product of matrices.

    Fused kernels, which hold no softmax that could be seen, are replaced by torch's own plain
    ones as long as this lasts.

    Example:
        >>> q = torch.ones(1, 1, 2, 3)
        >>> with WatchedProducts() as watched:
        ...     made = torch.nn.functional.scaled_dot_product_attention(q, q, q)
        >>> watched.products[0].probabilities.flatten().tolist()
        [0.5, 0.5, 0.5, 0.5]
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: list[Product] = []
        self._softmax: dict[int, Tensor] = {}
        """Where in memory → the probabilities there, held so that no other tensor takes it."""
        self._outer = ExitStack()

    def __enter__(self) -> "WatchedProducts":
        """Begin to watch."""
        fast = torch.backends.mha.get_fastpath_enabled()
        self._outer.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        self._outer.enter_context(sdpa_kernel(SDPBackend.MATH))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        """Let fused kernels be used again."""
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._outer.close()
        self._softmax.clear()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Compute as without us, and note what is looked for."""
        if func in _COMPOSED and torch.is_inference_mode_enabled():
            return self._composed(func, args, kwargs or {})
        made = func(*args, **(kwargs or {}))
        if func in _SOFTMAX:
            self._softmax[_place(made)] = made
        elif func in _COPIES and _place(args[0]) in self._softmax:
            self._softmax.setdefault(_place(made), made)
        elif func is _ATEN.bmm.default and _place(args[0]) in self._softmax:
            # A copy: what is added to the context in its place is not of the attention.
            self.products.append(Product(self._softmax[_place(args[0])], made.clone()))
        return made

    def _composed(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Return what the functions make that one is put together of, each of them seen."""
        composed: Any = func
        super().__enter__()  # type: ignore[no-untyped-call]
        try:
            return composed.decompose(*args, **kwargs)
        finally:
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]


def _place(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


_CACHES = ("layer_past", "past_key_values", "cache", "layer_state")


@dataclass(frozen=True)
class Seen:
    """What was seen of one forward of a module."""

    module: Any
    arguments: dict[str, Any]
    """Of its forward, defaults included."""
    made: dict[str, Tensor]
    """Linear layer → what it made, the first time."""
    context: Tensor
    weights: Tensor
    """The probabilities that it returned; the first that it made, where its softmax was watched."""
    products: Sequence[Product] = ()
    """What its softmax made, and the values weighted by it; where that was watched."""
    again: dict[str, Tensor] = field(default_factory=dict)
    """Linear layer → what it made the second time."""
    returned: Any = None
    """By the module."""

    @property
    def n_heads(self) -> int:
        """Return the number of the module's heads."""
        return int(first(self.module, *N_HEADS))

    def heads(self, *names: str) -> tuple[Tensor, ...]:
        """Return what linear layers made, split into the module's heads."""
        return tuple(split_heads(self.made[name], self.n_heads) for name in names)


Calls = AttentionCall | Sequence[AttentionCall] | None


@dataclass(frozen=True)
class Reader:
    """One way to read a module."""

    read: Callable[[Seen], Calls]
    output: str | None = None
    """The linear layer that holds W_O, below the module; None where it returns the context."""
    watched: bool = False
    """Whether probabilities and context are taken from its softmax and the product after it."""


class Readers(dict[str, Reader]):
    """Class of a module, after its file where two share a name → how it is read."""

    def of(
        self, *classes: str, output: str | None = None, watched: bool = False
    ) -> Callable[[Callable[[Seen], Calls]], Callable[[Seen], Calls]]:
        """Return what notes a function as the reader of some classes; the rest as in `Reader`."""

        def note(read: Callable[[Seen], Calls]) -> Callable[[Seen], Calls]:
            self.update({name: Reader(read, output, watched) for name in classes})
            return read

        return note


def first(module: Any, *names: str) -> Any:
    """Return the first attribute that a module has."""
    return next(getattr(module, name) for name in names if hasattr(module, name))


def called(
    seen: Seen,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    term: str,
    scaling: float | None = None,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    product: int | None = None,
) -> AttentionCall:
    """Return the call; keys and values before it are taken from the cache, where there is one.

    Args:
        seen: Of the module.
        query: As its scores are computed from; so are the others.
        key: The same.
        value: The same.
        term: What its score term is called.
        scaling: Of the scores; 1/√d_head where not given.
        bias: Added to the scores.
        mask: In the place of the argument `attention_mask`.
        product: Which of the watched products is the call's; what it returned where not given.
    """
    key, value = _with_cache(seen, key, value)
    given = seen.arguments.get("attention_mask") if mask is None else mask
    allowed, added = split_mask(seen.module, query.dtype, given)
    if bias is not None:
        added = bias if added is None else bias + added
    shape = (*query.shape[:3], key.shape[2])
    if product is None:
        weights, context = seen.weights.reshape(shape), seen.context
    else:
        watched = seen.products[product]
        weights = watched.probabilities.reshape(shape)
        heads = watched.context.reshape(*query.shape[:3], value.shape[3])
        context = heads.transpose(1, 2).flatten(2)
    return AttentionCall(
        seen.module,
        query,
        key,
        value,
        allowed,
        query.shape[-1] ** -0.5 if scaling is None else scaling,
        0.0,
        None,
        weights,
        context,
        added,
        sources=tuple(_with_gradients(seen))[:1],
        own_term=term,
    )


def _with_gradients(seen: Seen) -> Iterator[Tensor]:
    for given in seen.arguments.values():
        if isinstance(given, Tensor) and given.ndim > 2 and given.requires_grad:
            yield given


def _with_cache(seen: Seen, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    caches = (seen.arguments.get(name) for name in _CACHES)
    cache = next((cache for cache in caches if cache is not None), None)
    if cache is None:
        return key, value
    cache = getattr(cache, "self_attention_cache", cache)
    layer = cache.layers[first(seen.module, "layer_idx", "layer_id")]
    return layer.keys, layer.values


def without_cache(seen: Seen) -> Seen:
    """Return what was seen, as of a module that keeps nothing: of keys that another part made."""
    kept = {name: given for name, given in seen.arguments.items() if name not in _CACHES}
    return replace(seen, arguments=kept)


def linear(features: Tensor, layer: nn.Linear) -> Tensor:
    """Return what a linear layer makes of features, without calling it: hooks stay silent."""
    return nn.functional.linear(features, layer.weight, layer.bias)
