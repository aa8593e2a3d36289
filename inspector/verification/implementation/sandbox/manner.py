"""In which manner an implementation is called: with gradients, in training, on which memory.

Must not know: what it computes, who judges it.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_NO_DROPOUT = {"p": 0.0, "dropout_p": 0.0}
_DEPTH = 3


@dataclass(frozen=True)
class Manner:
    """How one call is made; by default as in evaluation, without gradients."""

    gradients: str = "off"
    """'off' (torch.no_grad), 'on', 'asked' (on, and that of the hidden states is asked for), or
    'inference' (torch.inference_mode)."""
    training: bool | None = None
    """Whether its modules are in training mode (without dropout); None: in the mode they came in.
    Where there is no module nothing is called."""
    memory: str = "in order"
    """How the hidden states and the mask lie in memory: a name of `LAYOUTS`, or 'in order'."""

    @property
    def strided(self) -> bool:
        """Return whether they are not contiguous."""
        return self.memory in LAYOUTS

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@contextmanager
def surroundings(manner: Manner, function: object) -> Iterator[None]:
    """Make torch and the function's modules ready for a call; afterwards all is as it was."""
    modules = [part for module in modules_of(function) for part in module.modules()]
    before = [(module, module.training) for module in modules]
    with ExitStack() as stack:
        stack.enter_context(
            torch.inference_mode()
            if manner.gradients == "inference"
            else torch.set_grad_enabled(manner.gradients != "off")
        )
        if manner.training is not None:
            for module in modules:
                module.training = manner.training
            stack.enter_context(WithoutDropout())
        try:
            yield
        finally:
            for module, training in before:
                module.training = training


class WithoutDropout(TorchFunctionMode):
    """A context in which no function of torch drops anything."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function with a probability of 0, where it has one."""
        given = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if "dropout" in name and len(args) > 1:
            args = (args[0], 0.0, *args[2:])
        elif name == "scaled_dot_product_attention" and len(args) > 4:
            args = (*args[:4], 0.0, *args[5:])
        elif name == "multi_head_attention_forward" and len(args) > 10:
            args = (*args[:10], 0.0, *args[11:])
        if "dropout" in name or name in (
            "scaled_dot_product_attention",
            "multi_head_attention_forward",
        ):
            given |= {key: value for key, value in _NO_DROPOUT.items() if key in given}
        return func(*args, **given)


def modules_of(function: object, depth: int = _DEPTH) -> list[nn.Module]:
    """Return the modules that a function is, belongs to, or holds.

    Example:
        >>> modules_of(nn.Linear(2, 2).forward)
        [Linear(in_features=2, out_features=2, bias=True)]
    """
    if isinstance(function, nn.Module):
        return [function]
    if depth == 0:
        return []
    held: list[object] = [getattr(function, "__self__", None), *_attributes(function)]
    if isinstance(function, functools.partial):
        held += [function.func, *function.args, *function.keywords.values()]
    for cell in getattr(function, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    found = {
        id(module): module
        for each in held
        if isinstance(each, nn.Module | functools.partial) or callable(each)
        for module in modules_of(each, depth - 1)
    }
    return list(found.values())


def _attributes(function: object) -> list[object]:
    return list(getattr(function, "__dict__", {}).values())


def strided(tensor: Tensor) -> Tensor:
    """Return the numbers as a view of wider memory: no axis is contiguous, the start is not 0.

    Example:
        >>> strided(torch.arange(6.0).reshape(1, 2, 3)).stride()
        (4, 4, 1)
    """
    first, second, *rest = tensor.shape
    wider = [size + 1 for size in rest]
    # What stands beside is no number of the input, and would be seen in any result.
    memory = torch.full((second + 1, first, *wider), 7.0).to(tensor.dtype)
    view = memory[1:, :, *(slice(1, None) for _ in rest)].transpose(0, 1)
    view.copy_(tensor)
    return view


def axis_first(tensor: Tensor, axis: int) -> Tensor:
    """Return the numbers with another axis outermost in memory, which they fill exactly.

    Example:
        >>> axis_first(torch.arange(6.0).reshape(1, 2, 3), -1).stride()
        (2, 1, 2)
    """
    return tensor.movedim(axis, 0).contiguous().movedim(0, axis)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "views of wider memory": strided,
    "tokens first in memory": functools.partial(axis_first, axis=1),
    "last axis first in memory": functools.partial(axis_first, axis=-1),
}
"""How memory may lie that is not contiguous: name → what returns the same numbers so."""
PLAINLY = Manner()
