"""A user's implementation, called in this process: built for a layer, run on inputs, watched.

What it raises becomes a sentence; the weights it was given must stay as they are.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.text import in_a_line
from inspector.verification.implementation.sandbox.contract import as_stages
from inspector.verification.manner import (
    LAYOUTS,
    PLAINLY,
    Manner,
    modules_of,
    surroundings,
)

_BUILD = "build(weights), with the weights of one layer"
_LAYER = "layer(hidden_states, padding_mask)"
_OURS = str(Path(__file__).parents[1])
_MOST_OF_A_NAME, _MOST_OF_A_TEXT, _MOST_OF_A_SIGNATURE = 100, 300, 200


class Trial:
    """An implementation in this process."""

    def __init__(self, build: object, name: str) -> None:
        """Keep the function that builds.

        Raises:
            InputError: If it is not a function.
        """
        if not callable(build):
            raise InputError(
                f"build ({name}, of type {type(build).__name__}) must be a function: it gets the "
                "weights of a layer and returns what computes it."
            )
        self._build: Any = build
        self._name = name
        self._kept: LayerWeights
        self._given: LayerWeights
        self._layer: int
        self._function: Any
        self._memory: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def start(self, weights: LayerWeights, layer: int) -> None:
        """Build the implementation of a layer.

        Raises:
            InputError: If that raises, returns nothing that can be called, or changes the weights.
        """
        self._kept, self._given, self._layer = weights, _copy(weights), layer
        with UserCode(f"build ({self._name})", f"with the weights of layer {layer}"):
            check_takes(self._build, f"build ({self._name})", ("weights",), _BUILD)
            self._function = self._build(self._given)
        self._check_weights("build")
        if not callable(self._function):
            kind = "None" if self._function is None else type(self._function).__name__
            raise InputError(
                f"what build ({self._name}) returned ({kind}) must be a function: it gets "
                "(hidden_states, padding_mask) and returns the output."
            )
        with UserCode(f"what build ({self._name}) returned", f"in layer {layer}"):
            check_takes(self._function, self._returned(), ("hidden", "padding"), _LAYER)

    def _returned(self) -> str:
        return f"the function that build ({self._name}) returned"

    def run(
        self,
        hidden: Tensor,
        padding: Tensor | None,
        name: str,
        manner: Manner = PLAINLY,
        cotangent: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return what the implementation makes of an input: stage → tensor.

        Args:
            hidden: The hidden states.
            padding: True for a real token; None where all are.
            name: What the input is called in sentences.
            manner: How it is called.
            cotangent: Where gradients are asked for: of the last stage that is returned. The
                product with that stage's derivative comes back as 'gradient', where there is
                autograd: without it, nothing comes back at all.

        Raises:
            InputError: If it raises, returns what is no result, or changes what it was given.
        """
        if manner.training is not None and not modules_of(self._function):
            return {}
        where = f"in layer {self._layer} on the input '{name}'"
        given, mask = self._given_to(hidden, padding, manner)
        asked = manner.gradients == "asked"
        try:
            returned, stages = self._called(given.requires_grad_(asked), mask, where, manner)
        except InputError as error:
            # With gradients on it has run before: it leaves torch, or writes in place.
            if asked and isinstance(error.__cause__, RuntimeError | BufferError):
                return {}
            raise
        self._check_weights("its function")
        self._check_given(given, hidden, "hidden_states", where)
        if mask is not None and padding is not None:
            self._check_given(mask, padding, "padding_mask", where)
        if asked and cotangent is not None:
            return _with_gradient(stages, returned, given, cotangent)
        return stages

    def _called(
        self, given: Tensor, mask: Tensor | None, where: str, manner: Manner
    ) -> tuple[Any, dict[str, Tensor]]:
        """Return what the function returns, as it is and as stages."""
        with (
            UserCode(self._returned(), where),
            surroundings(manner, self._function),
            warnings.catch_warnings(),
        ):
            # A text of nothing but padding has no number, of which numpy warns.
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                returned = self._function(given, mask)
            except (TypeError, AttributeError, ValueError) as error:
                if mask is None:
                    self._check_takes_no_mask(given, error)
                raise
        with UserCode(f"what build ({self._name}) returned", where):
            return returned, as_stages(returned, self._kept, given, where)

    def _check_takes_no_mask(self, hidden: Tensor, error: Exception) -> None:
        """Refuse a function that ended in an error without a mask, and does not with one."""
        takes_one = False
        with suppress(Exception), torch.no_grad():
            self._function(hidden.detach().clone(), torch.ones(hidden.shape[:2], dtype=torch.bool))
            takes_one = True
        if takes_one:
            raise InputError(
                f"{self._returned()} must take None for padding_mask, and raised "
                f"{type(error).__name__}: it is called as {_LAYER}, and padding_mask is None where "
                "every token is real."
            ) from error

    def _given_to(
        self, hidden: Tensor, padding: Tensor | None, manner: Manner
    ) -> tuple[Tensor, Tensor | None]:
        """Return copies of an input; those of the same shape in the same memory.

        Whoever keeps results by a tensor's place or identity is given another text there.
        """
        if manner.strided:
            lay = LAYOUTS[manner.memory]
            return lay(hidden), None if padding is None else lay(padding)
        if manner.gradients != "off":
            return hidden.clone(), None if padding is None else padding.clone()
        return self._in_place("hidden", hidden), (
            None if padding is None else self._in_place("padding", padding)
        )

    def _in_place(self, name: str, values: Tensor) -> Tensor:
        kept = self._memory.setdefault((name, tuple(values.shape)), torch.empty_like(values))
        return kept.copy_(values)

    def close(self) -> None:
        """Do nothing: there is nothing to let go."""

    def _check_given(self, given: Tensor, before: Tensor, what: str, where: str) -> None:
        if not torch.equal(given, before):
            raise InputError(
                f"{what} (of build {self._name}) were changed {where}: they must stay as "
                "they are, so work on a copy."
            )

    def _check_weights(self, what: str) -> None:
        for name, kept in vars(self._kept).items():
            if isinstance(kept, Tensor) and not torch.equal(kept, getattr(self._given, name)):
                raise InputError(
                    f"weights.{name} (layer {self._layer}) was changed by {what} "
                    f"({self._name}): the weights must stay as they are, so work on a copy."
                )


class UserCode:
    """A context in which whatever a user's code raises becomes one sentence."""

    def __init__(self, what: str, where: str, *, everything: bool = False) -> None:
        """Say what is called, and on what; and whether nobody but the code can stop it."""
        self._what, self._where, self._everything = what, where, everything

    def __enter__(self) -> None:
        """Start to watch."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Turn an error into a sentence; what the user or the system stops goes through.

        Raises:
            InputError: If the code raised, or wanted to end the process.
        """
        of_the_code = isinstance(error, Exception | SystemExit) or self._everything
        if error is None or isinstance(error, InputError) or not of_the_code:
            return
        name = in_a_line(str(type(error).__name__), _MOST_OF_A_NAME)
        text = ""
        with suppress(BaseException if self._everything else Exception):  # of its own words
            text = in_a_line(str(error), _MOST_OF_A_TEXT)
        raise InputError(
            f"{self._what} raised {name}{f' ({text})' if text else ''}"
            f"{_place(trace)}, {self._where}: it must end without an error."
        ) from error


def _with_gradient(
    stages: dict[str, Tensor], returned: Any, given: Tensor, cotangent: Tensor
) -> dict[str, Tensor]:
    """Return the stages with the gradient of the hidden states; nothing without autograd."""
    stage = list(stages)[-1]
    last = returned[stage] if isinstance(returned, Mapping) else returned
    if not isinstance(last, Tensor) or not last.requires_grad:
        return {}
    try:
        (gradient,) = torch.autograd.grad(
            last, given, cotangent.to(last.dtype).expand_as(last), allow_unused=True
        )
    except RuntimeError:  # it writes in place what is needed on the way back
        return {}
    # Where the graph does not lead to the hidden states, a training would see nothing of them.
    return {**stages, "gradient": torch.zeros_like(given) if gradient is None else gradient}


def _place(trace: TracebackType | None) -> str:
    """Return the user's own line that was last reached. No file is read: its name may be any."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
    ours = max((i for i, (file, _) in enumerate(frames) if file.startswith(_OURS)), default=-1)
    frames = [each for each in frames[ours + 1 :] if not each[0].startswith("<frozen")]
    if not frames:
        return ""
    file, line = [each for each in frames if each[0] == frames[0][0]][-1]
    return f" in {in_a_line(Path(file).name, _MOST_OF_A_NAME)}, line {line}"


def _copy(weights: LayerWeights) -> LayerWeights:
    copies: dict[str, Any] = {
        name: value.detach().clone()
        for name, value in vars(weights).items()
        if isinstance(value, Tensor)
    }
    return replace(weights, **copies)


def check_takes(function: Callable[..., Any], what: str, given: tuple[str, ...], call: str) -> None:
    """Refuse a function that cannot be called in this way, where it tells what it takes.

    Raises:
        InputError: If it takes fewer arguments, or needs more.

    Example:
        >>> check_takes(lambda query, key, value: query, "mine", ("x", "mask"), "layer(x, mask)")
        Traceback (most recent call last):
        inspector.errors.InputError: mine takes (query, key, value): it is called as layer(x, mask).
    """
    try:
        # What a module takes is said by its forward, not by what calls that.
        called = function.forward if isinstance(function, nn.Module) else function
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given)
    except TypeError:
        takes = in_a_line(str(signature).partition(" -> ")[0], _MOST_OF_A_SIGNATURE)
        raise InputError(f"{what} takes {takes}: it is called as {call}.") from None
