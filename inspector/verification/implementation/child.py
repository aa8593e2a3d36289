"""The child process in which a user's implementation runs, so that it can be ended.

It answers requests, one by one, until there are no more. Must not know: models, judging; who
asks, and over what.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

from torch import Tensor

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.verification.implementation.manner import Manner
from inspector.verification.implementation.messages import read_message, write_message
from inspector.verification.implementation.trial import Trial


def serve(load: Callable[[], Any], name: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more.

    Args:
        load: Returns the function that builds.
        name: What it is called in sentences.
        requests: 'load', 'start' with a layer's weights, 'run' with an input and the manner of
            the call.
        answers: To each request 'ok', with the stages of a run, or the sentence of an error.
    """
    trial: Trial | None = None
    write_message(answers, {"ok": True})
    while True:
        try:
            words, tensors = read_message(requests)
        except EOFError:
            return
        stages: dict[str, Tensor] = {}
        try:
            if words["request"] == "load":
                trial = Trial(load(), name)
            elif trial is not None and words["request"] == "start":
                fields: dict[str, Any] = {**words["settings"], **tensors}
                trial.start(LayerWeights(**fields), words["layer"])
            elif trial is not None:
                stages = trial.run(
                    tensors["hidden"],
                    tensors.get("padding"),
                    words["name"],
                    Manner(**words["manner"]),
                    tensors.get("cotangent"),
                )
        except InputError as error:
            write_message(answers, {"ok": False, "error": str(error)})
            continue
        write_message(answers, {"ok": True}, stages)
