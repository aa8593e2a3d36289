"""The inputs on which a model is verified: real text, in every shape that has hidden a mistake."""

from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

import torch

from inspector.models import Batch, PretrainedModel
from inspector.models.any_model.random_inputs import MOST_TOKENS
from inspector.verification.conditions import Condition, conditions, full_length
from inspector.verification.manner import PLAINLY, Manner

_SENTENCE = "The keys to the cabinet that she bought in the old town are on the kitchen table."
_PADDED = [
    "Rain.",
    "The committee, which had met twice since the spring, could not agree on a date.",
    "He gave the dog a bone, and it was gone within a minute.",
]
_PARAGRAPH = (
    "When the ferry was late, the passengers waited on the pier and watched the gulls. "
    "Nobody knew whether the captain had turned back, or the storm had simply held him up. "
    "A child asked if ships could sleep; her grandfather said that they could, but only in port. "
)
# What one layer's scores may hold in numbers.
_MOST_SCORES = 2**26
# A bias of positions is a number for each head and each two tokens of the longest text.
_MOST_TOKENS_WITH_BIAS = 512


@dataclass(frozen=True)
class Case:
    """One input of a verification."""

    name: str
    batch: Batch
    manner: Manner = PLAINLY
    """In which the model is run; the gradient of the hidden states is compared where asked for."""
    whole_model: bool = True
    """Whether the whole model is run on it."""
    row: int | None = None
    """Which row of the first padded batch it is, where it is one alone."""
    largest_score: float | None = None
    """Up to where hidden states are multiplied for scores to be large."""


def standard_cases(model: PretrainedModel, seed: int = 0) -> list[Case]:
    """Return the cases that every verification runs, in the order in which they are reported."""
    longest = longest_length(model)
    tried = [*conditions(longest, seed), *list(full_length(longest, seed))[-1:]]
    dropout = dropout_probability(model) > 0.0
    return [
        *text_cases(model),
        *(
            Case(
                each.name, _random_tokens(model, each), each.manner, whole_model=False,
                row=each.row, largest_score=each.largest_score,
            )
            for each in tried
            if dropout or each.manner.dropout_seed is None
        ),
    ]  # fmt: skip


def text_cases(model: PretrainedModel) -> list[Case]:
    """Return the cases of real text."""
    return [
        Case("one sentence", model.encode([_SENTENCE], truncate=True)),
        padded_case(model),
        Case("single token", model.encode(["attention"], special=False).cut(1)),
        Case("longest text", longest_text(model, longest_length(model))),
    ]


def padded_case(model: PretrainedModel) -> Case:
    """Return the case with padding: the one on which every control can be caught."""
    return Case("padded batch", model.encode(_PADDED, truncate=True))


def dropout_probability(model: PretrainedModel) -> float:
    """Return the probability with which the model drops attention weights in training."""
    config = model.model.config
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            return float(getattr(config, name))
    return 0.0


def longest_length(model: PretrainedModel, *, biased: bool = False) -> int:
    """Return how many tokens the longest text has: all that the model takes, up to 2,048."""
    most = _MOST_TOKENS_WITH_BIAS if biased else MOST_TOKENS
    return min(model.max_tokens, most, isqrt(_MOST_SCORES // model.n_heads))


def longest_text(model: PretrainedModel, longest: int) -> Batch:
    """Return a text of real sentences of so many tokens."""
    # Every repetition has more tokens than words.
    repetitions = longest // len(_PARAGRAPH.split()) + 1
    bounded = replace(model, max_tokens=longest)
    return bounded.encode([_PARAGRAPH * repetitions], truncate=True)


def _random_tokens(model: PretrainedModel, condition: Condition) -> Batch:
    """Return random tokens of the vocabulary, with padding where a condition wants it."""
    generator, real = torch.Generator().manual_seed(condition.seed), condition.real
    tokenizer = model.tokenizer
    special = set(tokenizer.all_special_ids)
    config: Any = model.model.config
    size = min(len(tokenizer), config.get_text_config().vocab_size)
    ordinary = torch.tensor([number for number in range(size) if number not in special] or [0])
    drawn = torch.randint(len(ordinary), tuple(real.shape), generator=generator)
    pad = tokenizer.pad_token_id
    ids = ordinary[drawn].masked_fill(~real, pad if pad is not None and pad < size else 0)
    if condition.row is not None:
        ids, real = ids[condition.row, None], real[condition.row, None]
    kinds = "token_type_ids" in tokenizer.model_input_names
    place = model.device
    tokens = [
        tokenizer.convert_ids_to_tokens(row[keep].tolist())
        for row, keep in zip(ids, real, strict=True)
    ]
    return Batch(
        ids.to(place),
        real.long().to(place),
        torch.zeros_like(ids).to(place) if kinds else None,
        tokens,
        [None] * len(ids),
    )
