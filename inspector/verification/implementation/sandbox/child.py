"""The process in which a user's implementation runs: it answers requests until there are none."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.text import in_a_line
from inspector.verification.implementation.sandbox.exchange import (
    FIRST,
    read_message,
    write_message,
)
from inspector.verification.implementation.sandbox.trial import Trial, UserCode
from inspector.verification.manner import Manner

MOST_OF_AN_ERROR = 1000


def serve(load: Callable[[], Any], name: str, requests: int, answers: int) -> None:
    """Answer requests until there are no more.

    Args:
        load: Returns the function that builds.
        name: What it is called in sentences.
        requests: 'load', 'start' with a layer's weights, 'run' with an input and the manner of
            the call.
        answers: To each request 'ok', with the stages of a run, or the sentence of an error; and
            the mark of the request.
    """
    child, served = _Child(load, name), os.getpid()
    with os.fdopen(requests, "rb") as asked, os.fdopen(answers, "wb") as answered:
        write_message(answered, {"ok": True, "mark": FIRST})
        while True:
            try:
                words, tensors = read_message(asked)
            except EOFError:
                return
            stages: dict[str, Tensor] = {}
            answer = {"ok": True, "mark": words["mark"]}
            try:
                with UserCode(f"implementation ({name})", "while it ran", everything=True):
                    stages = child.answer(words, tensors)
            except InputError as error:
                answer |= {"ok": False, "error": in_a_line(str(error), MOST_OF_AN_ERROR)}
            with suppress(OSError, ValueError, AttributeError):  # whatever the code made of it
                sys.stdout.flush()
            if os.getpid() != served:
                os._exit(0)  # a copy of the process, which the code made and came back from
            write_message(answered, answer, stages)


class _Child:
    """What is asked of an implementation, done."""

    def __init__(self, load: Callable[[], Any], name: str) -> None:
        self._load, self._name = load, name
        self._trial: Trial

    def answer(self, words: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        if words["request"] == "load":
            self._trial = Trial(self._load(), self._name)
        elif words["request"] == "start":
            fields: dict[str, Any] = {**words["settings"], **tensors}
            self._trial.start(LayerWeights(**fields), words["layer"])
        else:
            return self._trial.run(
                tensors["hidden"],
                tensors.get("padding"),
                words["name"],
                Manner(**words["manner"]),
                tensors.get("cotangent"),
            )
        return {}
