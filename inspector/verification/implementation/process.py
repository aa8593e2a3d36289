"""A user's implementation in a process of its own, which is ended when a call takes too long.

A file runs in a fresh Python; a function that lives in this one in a copy of this process.
Must not know: models, judging.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from threading import Timer
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.verification.implementation.child import serve
from inspector.verification.implementation.manner import PLAINLY, Manner
from inspector.verification.implementation.messages import read_message, write_message
from inspector.verification.implementation.source import split_source


class ProcessTrial:
    """An implementation in another process: as `Trial`, with an end to its patience."""

    def __init__(
        self,
        name: str,
        streams: tuple[BinaryIO, BinaryIO],
        process: int,
        ended: Callable[[], int | None],
        timeout: float | None,
    ) -> None:
        """Wait until the process is there, then load what it runs.

        Args:
            name: What the implementation is called in sentences.
            streams: Where requests go, and where answers come from.
            process: Its id, which is also that of its group.
            ended: Waits for its end and returns its exit code.
            timeout: Seconds that loading, building, and each call may take; None for no limit.
        """
        self._name, self._timeout, self._process, self._ended = name, timeout, process, ended
        self._requests, self._answers = streams
        try:
            self._answer("start of its process", None)
            self._ask({"request": "load"}, {}, "loading the file")
        except BaseException:
            self.close()
            raise

    def start(self, weights: LayerWeights, layer: int) -> None:
        """Build the implementation of a layer.

        Raises:
            InputError: As `Trial.start`; if it takes too long, or the process ends.
        """
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
            InputError: As `Trial.run`; if it takes too long, or the process ends.
        """
        given = {"hidden": hidden, "padding": padding, "cotangent": cotangent}
        tensors = {key: value for key, value in given.items() if value is not None}
        words = {"request": "run", "name": name, "manner": manner.as_dict()}
        return self._ask(words, tensors, f"the call on the input '{name}'")

    def close(self) -> None:
        """End the process, and what it has started."""
        self._kill()
        for stream in (self._requests, self._answers):
            with suppress(OSError):
                stream.close()
        self._ended()

    def _ask(
        self, words: dict[str, Any], tensors: dict[str, Tensor], what: str
    ) -> dict[str, Tensor]:
        with suppress(BrokenPipeError):  # a process that is gone is told by its answer
            write_message(self._requests, words, tensors)
        return self._answer(what, self._timeout)

    def _answer(self, what: str, timeout: float | None) -> dict[str, Tensor]:
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            self._kill()

        timer = Timer(timeout, end) if timeout is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            words, tensors = read_message(self._answers)
        except EOFError:
            raise InputError(self._gone(what, bool(late))) from None
        finally:
            if timer is not None:
                timer.cancel()
        if not words["ok"]:
            raise InputError(words["error"])
        return tensors

    def _gone(self, what: str, late: bool) -> str:
        if late:
            return (
                f"implementation ({self._name}) did not end within {self._timeout:g} s: {what} "
                "was stopped. Give it longer with --timeout (timeout=), or less to do."
            )
        code = self._ended()
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = signal.Signals(-code).name
        return (
            f"implementation ({self._name}) ended its process ({how}) during {what}: "
            "it must return to its caller."
        )

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process, signal.SIGKILL)


def run_file(source: str, timeout: float | None) -> ProcessTrial:
    """Return the implementation FILE.py:NAME in a fresh Python.

    Raises:
        InputError: If there is no such file or name, it cannot be run, or takes too long.
    """
    split_source(source)
    child = subprocess.Popen(  # noqa: S603 - our own module; the file is the user's wish
        [sys.executable, "-m", "inspector.verification.implementation", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    streams = cast(BinaryIO, child.stdin), cast(BinaryIO, child.stdout)
    return ProcessTrial(source, streams, child.pid, child.wait, timeout)


def run_function(build: Callable[..., Any], name: str, timeout: float) -> ProcessTrial:
    """Return a function's implementation in a copy of this process.

    Raises:
        InputError: If this system cannot copy a process, or as `run_file`.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise InputError(
            f"timeout ({timeout:g}) needs a system that can copy a process: put the function "
            "into a file and give FILE.py:NAME."
        )
    to_child, from_child = os.pipe(), os.pipe()

    def child() -> None:
        os.setsid()
        torch.set_num_threads(1)  # the threads of this process were not copied
        os.close(to_child[1])
        os.close(from_child[0])
        with os.fdopen(to_child[0], "rb") as requests, os.fdopen(from_child[1], "wb") as answers:
            serve(lambda: build, name, requests, answers)

    process = multiprocessing.get_context("fork").Process(target=child, daemon=True)
    process.start()
    os.close(to_child[0])
    os.close(from_child[1])

    def ended() -> int | None:
        process.join()
        return process.exitcode

    streams = os.fdopen(to_child[1], "wb"), os.fdopen(from_child[0], "rb")
    return ProcessTrial(name, streams, cast(int, process.pid), ended, timeout)
