"""In which manner layers are run: with gradients, in training, on which memory, on large numbers.

An implementation or a model's own layers; afterwards everything is as it was.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inspector.models.any_model.call_watch import attention_modules

# Where functions of torch that drop something among other things are told its probability.
_PLACES = {"scaled_dot_product_attention": 4, "multi_head_attention_forward": 10}
_DROPS = "Drop"
_DEPTH = 3


@dataclass(frozen=True)
class Manner:
    """How one call is made; by default as in evaluation, without gradients."""

    gradients: str = "off"
    """'off' (torch.no_grad), 'on', 'asked' (on, and that of the hidden states is asked for), or
    'inference' (torch.inference_mode)."""
    training: bool | None = None
    """Whether its modules are in training mode; None: in the mode they came in. Where there is no
    module nothing is called."""
    dropout_seed: int | None = None
    """From which training mode draws what is dropped; without one nothing is."""
    memory: str = "in order"
    """How the hidden states and the mask lie in memory: a name of `LAYOUTS`, or 'in order'."""

    @property
    def strided(self) -> bool:
        """Return whether they are not contiguous."""
        return self.memory in LAYOUTS

    @property
    def mode(self) -> str:
        """Return what reports call the mode of the modules."""
        if not self.training:
            return "evaluation"
        return "training" if self.dropout_seed is None else "training with dropout"

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
            dropping = manner.dropout_seed is not None
            for module in modules:
                # Some have a dropout of their own, which torch's functions have no part in.
                drops = _DROPS in type(module).__name__
                module.training = manner.training and (dropping or not drops)
            stack.enter_context(torch.random.fork_rng(devices=[]))  # some draw what they leave out
            if manner.dropout_seed is None:
                stack.enter_context(WithoutDropout())
            else:
                torch.manual_seed(manner.dropout_seed)
        try:
            yield
        finally:
            for module, training in before:
                module.training = training


@contextmanager
def own_layers(
    network: nn.Module, manner: Manner, factors: Mapping[str, float] | None = None
) -> Iterator[None]:
    """Make a model's own attention modules run in a manner, as long as this lasts."""
    with ExitStack() as stack:
        stack.enter_context(surroundings(manner, network))
        for name in {**attention_modules(network), **(factors or {})}:
            module, factor = network.get_submodule(name), (factors or {}).get(name, 1.0)
            hook = functools.partial(_hand_over, manner, factor)
            # First: whoever else looks at what the module is given sees what it is really given.
            handle = module.register_forward_pre_hook(hook, prepend=True, with_kwargs=True)
            stack.callback(handle.remove)
        yield


def _hand_over(
    manner: Manner, factor: float, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a module is given, its hidden states as the manner wants them."""
    given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
    for name, value in given.items():
        # The first floating numbers of each token are the hidden states.
        if isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 2:
            given[name] = _in_manner(value, manner, factor)
            break
    return tuple(given.pop(index) for index in range(len(args))), given


def _in_manner(hidden: Tensor, manner: Manner, factor: float) -> Tensor:
    hidden = hidden if factor == 1.0 else hidden * factor
    if manner.strided:
        hidden = LAYOUTS[manner.memory](hidden)
    if manner.gradients == "asked" and not hidden.requires_grad:
        hidden = hidden.detach().requires_grad_().clone()  # some modules write into what is theirs
    return hidden


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
        place = _PLACES.get(name, 1 if "dropout" in name else None)
        if place is not None:
            args = (*args[:place], 0.0, *args[place + 1 :]) if len(args) > place else args
            given |= dict.fromkeys(given.keys() & {"p", "dropout_p"}, 0.0)
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
    vars_of: dict[str, object] = getattr(function, "__dict__", {})
    held: list[object] = [getattr(function, "__self__", None), *vars_of.values()]
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
