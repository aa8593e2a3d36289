"""A user's implementation in a process of its own, which is ended whatever it does.

A file runs in a fresh Python; a function that lives in this one in a copy of this process.
Must not know: models, judging.
"""

import multiprocessing
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from functools import partial
from math import prod
from typing import Any, cast

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.text import in_a_line
from inspector.verification.implementation.child import MOST_OF_AN_ERROR, serve
from inspector.verification.implementation.contract import as_stages, stage_shapes
from inspector.verification.implementation.exchange import (
    Exchange,
    ForgedError,
    GoneError,
    LateError,
)
from inspector.verification.implementation.limits import half_of_free
from inspector.verification.implementation.manner import PLAINLY, Manner
from inspector.verification.implementation.source import split_source
from inspector.verification.implementation.supervisor import TOO_LARGE, supervise
from inspector.verification.implementation.tree import end_marked

_START_SECONDS = 300.0
_PATIENCE_SECONDS = 5.0
_HEADER = 1 << 16
_WIDEST = 8  # bytes of a number that is returned
_MARK = "INSPECTOR_TRIAL"


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


def run_file(source: str, timeout: float | None, memory: int | None = None) -> ProcessTrial:
    """Return the implementation FILE.py:NAME in a fresh Python.

    Raises:
        InputError: If there is no such file or name, it cannot be run, or takes too long or much.
    """
    split_source(source)

    def start(exchange: Exchange, limit: int | None) -> Callable[[], None]:
        mark, theirs = secrets.token_hex(16), list(vars(exchange.theirs).values())
        pipes = ",".join(map(str, theirs))
        watched = [source, pipes, str(os.getpid()), str(limit or 0)]
        # -P: no file of the current folder is taken for a module.
        supervisor = subprocess.Popen(  # noqa: S603 - our own module; the file is the user's wish
            [sys.executable, "-P", "-m", "inspector.verification.implementation", *watched],
            stdin=subprocess.DEVNULL,
            stdout=exchange.theirs.output,
            stderr=exchange.theirs.output,
            start_new_session=True,
            pass_fds=theirs,
            env={**os.environ, _MARK: mark},
        )

        def end() -> None:
            try:
                supervisor.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                supervisor.kill()
                supervisor.wait()
            if supervisor.returncode != 0:  # the code ended it, perhaps, before it could end all
                end_marked(mark)

        return end

    return ProcessTrial(source, start, timeout, memory)


def run_function(
    build: Callable[..., Any], name: str, timeout: float | None, memory: int | None = None
) -> ProcessTrial:
    """Return a function's implementation in a copy of this process.

    Raises:
        InputError: If this system cannot copy a process, or as `run_file`.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise InputError(
            f"timeout ({timeout}) and memory ({memory}) need a system that can copy a process: put "
            "the function into a file and give FILE.py:NAME."
        )

    def start(exchange: Exchange, limit: int | None) -> Callable[[], None]:
        parent = os.getpid()

        def watch() -> None:
            os.setsid()
            exchange.let_go_of_ours()
            torch.set_num_threads(1)  # the threads of this process were not copied
            supervise(partial(serve, lambda: build, name), exchange.theirs, parent, limit)

        supervisor = multiprocessing.get_context("fork").Process(target=watch, daemon=True)
        supervisor.start()

        def end() -> None:
            supervisor.join(_PATIENCE_SECONDS)
            if supervisor.is_alive():
                supervisor.kill()
                supervisor.join()

        return end

    return ProcessTrial(name, start, timeout, memory)
