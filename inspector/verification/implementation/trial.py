"""A user's implementation, called in this process: built for a layer, run on inputs, watched.

What it raises becomes a sentence; the weights it was given must stay as they are.
Must not know: models, how it is judged.
"""

import traceback
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.verification.implementation.contract import as_stages


class Trial:
    """An implementation in this process."""

    def __init__(self, build: object, name: str) -> None:
        """Keep the function that builds.

        Args:
            build: `LayerWeights` → the implementation of a layer.
            name: What it is called in sentences.

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

    def start(self, weights: LayerWeights, layer: int) -> None:
        """Build the implementation of a layer.

        Raises:
            InputError: If that raises, returns nothing that can be called, or changes the weights.
        """
        self._kept, self._given, self._layer = weights, _copy(weights), layer
        with UserCode(f"build ({self._name})", f"with the weights of layer {layer}"):
            self._function = self._build(self._given)
        self._check_weights("build")
        if not callable(self._function):
            kind = "None" if self._function is None else type(self._function).__name__
            raise InputError(
                f"what build ({self._name}) returned ({kind}) must be a function: it gets "
                "(hidden_states, padding_mask) and returns the output."
            )

    def run(self, hidden: Tensor, padding: Tensor | None, name: str) -> dict[str, Tensor]:
        """Return what the implementation makes of an input: stage → tensor.

        Raises:
            InputError: If it raises, returns what is no result, or changes what it was given.
        """
        where = f"in layer {self._layer} on the input '{name}'"
        given = hidden.clone()
        with UserCode(f"the function that build ({self._name}) returned", where), torch.no_grad():
            returned = self._function(given, None if padding is None else padding.clone())
        with UserCode(f"what build ({self._name}) returned", where):
            stages = as_stages(returned, self._kept, hidden, where)
        self._check_weights("its function")
        if not torch.equal(given, hidden):
            raise InputError(
                f"hidden_states (of build {self._name}) were changed {where}: they must stay as "
                "they are, so work on a copy."
            )
        return stages

    def close(self) -> None:
        """Do nothing: there is nothing to let go."""

    def _check_weights(self, what: str) -> None:
        for name, kept in vars(self._kept).items():
            if isinstance(kept, Tensor) and not torch.equal(kept, getattr(self._given, name)):
                raise InputError(
                    f"weights.{name} (layer {self._layer}) was changed by {what} "
                    f"({self._name}): the weights must stay as they are, so work on a copy."
                )


class UserCode:
    """A context in which whatever a user's code raises becomes one sentence."""

    def __init__(self, what: str, where: str) -> None:
        """Say what is called, and on what."""
        self._what, self._where = what, where

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
        if isinstance(error, InputError) or not isinstance(error, Exception | SystemExit):
            return
        text = " ".join(str(error).split())
        raise InputError(
            f"{self._what} raised {type(error).__name__}{f' ({text[:300]})' if text else ''}"
            f"{_place(trace)}, {self._where}: it must end without an error."
        ) from error


def _place(trace: TracebackType | None) -> str:
    """Return the user's own line that was last reached."""
    frames = [f for f in traceback.extract_tb(trace)[1:] if not f.filename.startswith("<frozen")]
    if not frames:
        return ""
    own = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    return f" in {Path(own.filename).name}, line {own.lineno}"


def _copy(weights: LayerWeights) -> LayerWeights:
    copies: dict[str, Any] = {
        name: value.clone() for name, value in vars(weights).items() if isinstance(value, Tensor)
    }
    return replace(weights, **copies)
