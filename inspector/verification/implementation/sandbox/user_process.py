"""A user's implementation in a process of its own, which is ended whatever it does."""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from math import prod
from typing import Any, cast

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.text import in_a_line
from inspector.verification.implementation.sandbox.child import MOST_OF_AN_ERROR
from inspector.verification.implementation.sandbox.contract import as_stages, stage_shapes
from inspector.verification.implementation.sandbox.exchange import (
    Exchange,
    ForgedError,
    GoneError,
    LateError,
)
from inspector.verification.implementation.sandbox.process_tree import half_of_free
from inspector.verification.implementation.sandbox.supervisor import TOO_LARGE
from inspector.verification.manner import PLAINLY, Manner

_START_SECONDS = 300.0
_HEADER = 1 << 16
_WIDEST = 8  # bytes of a number that is returned


class ProcessTrial:
    """An implementation in another process: as `Trial`, with an end to its patience."""

    def __init__(
        self,
        name: str,
        start: Callable[[Exchange, int | None], Callable[[], None]],
        timeout: float | None,
        memory: int | None,
    ) -> None:
        """Start the process, and load what it runs.

        Args:
            name: What the implementation is called in sentences.
            start: Starts a supervisor at the other end of an exchange, with a limit of memory;
                returns a function that waits for its end, or ends it.
            timeout: Seconds that loading, building, and each call may take; None for no limit.
            memory: Bytes that it may take, with all that it starts; half of what is free if None.

        Raises:
            InputError: If it cannot be loaded, takes too long or too much, or ends its process.
        """
        self._name, self._timeout = name, timeout
        self._memory = half_of_free() if memory is None else memory
        self._layer, self._weights = 0, cast(LayerWeights, None)
        self._exchange, self._closed = Exchange(), False
        self._end: Callable[[], None] | None = None
        try:
            try:
                self._end = start(self._exchange, self._memory)
            finally:
                self._exchange.let_go_of_theirs()
            self._ask(None, {}, "the start of its process", timeout=_START_SECONDS)
            self._ask({"request": "load"}, {}, "loading the file")
        except BaseException:
            self.close()
            raise

    def start(self, weights: LayerWeights, layer: int) -> None:
        """Build the implementation of a layer.

        Raises:
            InputError: As `Trial.start`; if it takes too long or too much, or the process ends.
        """
        self._weights, self._layer = weights, layer
        values = {field.name: getattr(weights, field.name) for field in fields(weights)}
        tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
        settings = {name: value for name, value in values.items() if name not in tensors}
        words = {"request": "start", "settings": settings, "layer": layer}
        self._ask(words, tensors, f"build, with the weights of layer {layer}")

    def run(
        self,
        hidden: Tensor,
        padding: Tensor | None,
        name: str,
        manner: Manner = PLAINLY,
        cotangent: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return what `Trial.run` returns.

        Raises:
            InputError: As `Trial.run`; if it takes too long or too much, or the process ends.
        """
        given = {"hidden": hidden, "padding": padding, "cotangent": cotangent}
        tensors = {key: value for key, value in given.items() if value is not None}
        words = {"request": "run", "name": name, "manner": manner.as_dict()}
        shapes = [max(map(prod, each)) for each in stage_shapes(self._weights, hidden).values()]
        most = _WIDEST * (sum(shapes) + hidden.numel())
        stages = self._ask(words, tensors, f"the call on the input '{name}'", most)
        # All is checked there already; but the answer may be another's.
        gradient = stages.pop("gradient", None)
        if not stages and (manner.gradients == "asked" or manner.training is not None):
            return {}
        where = f"in layer {self._layer} on the input '{name}'"
        checked = as_stages(stages, self._weights, hidden, where)
        if gradient is None or cotangent is None:
            return checked
        if gradient.shape != hidden.shape or not gradient.is_floating_point():
            raise InputError(self._forged(f"the call on the input '{name}'"))
        return {**checked, "gradient": gradient}

    def close(self) -> None:
        """End the process, and what it has started; then show what it printed."""
        if self._closed:
            return
        self._closed = True
        self._exchange.close()
        if self._end is not None:
            self._end()
        if printed := self._exchange.printed.text():
            print(f"{self._name} printed:\n{printed}", file=sys.stderr)

    def _ask(
        self,
        words: dict[str, Any] | None,
        tensors: dict[str, Tensor],
        what: str,
        most: int = 0,
        timeout: float | None = None,
    ) -> dict[str, Tensor]:
        seconds = self._timeout if timeout is None else timeout
        try:
            answer, found = self._exchange.ask(words, tensors, _HEADER + most, seconds)
        except LateError:
            raise InputError(
                f"implementation ({self._name}) did not end within {seconds:g} s: {what} "
                "was stopped. Give it longer with --timeout (timeout=), or less to do."
            ) from None
        except ForgedError:
            raise InputError(self._forged(what)) from None
        except GoneError as error:
            raise InputError(self._gone(what, error.last_word)) from None
        if answer.get("ok") is not True:
            said = answer.get("error")
            if not isinstance(said, str):
                raise InputError(self._forged(what))
            raise InputError(in_a_line(said, MOST_OF_AN_ERROR))
        return found

    def _forged(self, what: str) -> str:
        return (
            f"implementation ({self._name}) wrote to the descriptor of its answers, or closed it, "
            f"during {what}: it must leave alone the descriptors that it did not open."
        )

    def _gone(self, what: str, last_word: tuple[int, int] | None) -> str:
        kind, number = last_word or (None, 0)
        if kind == TOO_LARGE:
            return (
                f"implementation ({self._name}) took more than {self._memory} bytes of memory "
                f"({number}) during {what}, and was ended: give it more with --memory (memory=), "
                "or less to do."
            )
        how = f"exit code {number}" if number >= 0 else _signal_name(-number)
        return (
            f"implementation ({self._name}) ended its process "
            f"({how if last_word else 'and the one that watches it'}) during {what}: "
            "it must return to its caller."
        )


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
