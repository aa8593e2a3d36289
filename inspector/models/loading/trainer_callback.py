"""A callback of transformers' Trainer that looks at the model whenever it is evaluated."""

from collections.abc import Callable, Mapping
from typing import Any


def evaluation_callback(look: Callable[[Any, Any], Mapping[str, float]]) -> Any:
    """Return a callback that notes what `look` finds, in its `reports` and in the Trainer's log.

    Args:
        look: Given the model as it is then, and the Trainer's tokenizer or None.
    """
    from transformers import TrainerCallback

    class Report(TrainerCallback):
        """Looks at the model after each evaluation."""

        def __init__(self) -> None:
            self.reports: list[dict[str, float]] = []

        def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            found = {
                "step": state.global_step,
                **look(given["model"], given.get("processing_class")),
            }
            self.reports.append(found)
            state.log_history.append(found)

    return Report()
