"""The softmax inside a module, and the values weighted by it, as the processor computes them.

For modules that return neither their probabilities nor their context: each softmax is noted, and
the matrix product that it is the left side of. Must not know: any class of modules.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

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
