"""The conditions of ordinary use that a model admits, and what it is run on under each."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from inspector.models.any_model.any_model import AnyModel
from inspector.models.any_model.call_watch import Pass
from inspector.models.any_model.random_inputs import text_limit
from inspector.verification.conditions import Condition, conditions, full_length
from inspector.verification.manner import own_layers

# Sounds have no positions that would bound them: so many frames are tried.
_MOST_FRAMES = 129
_ONE_SIZE = "it takes inputs of one size"
_NO_MASK = "its forward takes no attention_mask"


class ModelConditions:
    """The conditions of one model."""

    def __init__(self, model: AnyModel, seed: int) -> None:
        """Find out of what sizes its inputs may be."""
        self._model, self._seed = model, seed
        short, longer = (model.make_inputs(real=torch.ones(1, n, dtype=torch.bool)) for n in (7, 9))
        self._sized = any(short[name].shape != longer[name].shape for name in short)
        self._is_text = any(name.endswith("input_ids") for name in short)
        self._prefixes = [name.removesuffix("input_ids") for name in short if "input_ids" in name]
        padded = model.make_inputs(padded=True)
        self.not_asked: dict[str, str] = {}
        """What is not tried → why."""
        if not self._sized:
            self.not_asked["lengths and padding"] = _ONE_SIZE
        elif not any(name.endswith("attention_mask") for name in padded):
            self.not_asked["padding"] = _NO_MASK

    def __iter__(self) -> Iterator[Condition]:
        """Yield them, texts of full length last but one: the first input comes once more."""
        config: Any = self._model.model.config
        longest = max((text_limit(config, each) for each in self._prefixes), default=_MOST_FRAMES)
        *most, again = conditions(longest, self._seed, sized=self._sized)
        yield from most
        if self._is_text:
            yield from full_length(longest, self._seed)
        yield again

    def run_of(self, condition: Condition, factors: Mapping[str, float]) -> Pass:
        """Return what the model is run on under a condition."""
        network: Any = self._model.model
        made = self._model.make_inputs(real=condition.real, seed=condition.seed)
        inputs = {name: _row(tensor, condition) for name, tensor in made.items()}

        def run() -> None:
            with own_layers(network, condition.manner, factors):
                network(**inputs)

        return Pass(condition.name, run)


def _row(tensor: Tensor, condition: Condition) -> Tensor:
    """Return what of an input is of the row that is alone, all where none is."""
    return tensor if condition.row is None else tensor[condition.row, None]
