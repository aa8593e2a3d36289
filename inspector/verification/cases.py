"""The inputs on which a model is verified: real text, in every shape that has hidden a mistake.

Must not know: what is done with them.
"""

from dataclasses import dataclass, replace

from inspector.models import Batch, PretrainedModel

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
_MOST_PIECES = 512


@dataclass(frozen=True)
class Case:
    """One input of a verification."""

    name: str
    batch: Batch
    seed: int | None = None
    """Where given, the model is run in training mode, with this seed for its dropout."""


def standard_cases(model: PretrainedModel) -> list[Case]:
    """Return the cases that every verification runs, in the order in which they are reported."""
    padded = model.encode(_PADDED, truncate=True)
    cases = [
        Case("one sentence", model.encode([_SENTENCE], truncate=True)),
        Case("padded batch", padded),
        Case("single piece", _first_piece(model)),
        Case("longest text", _longest(model)),
    ]
    if dropout_probability(model) > 0.0:
        cases.append(Case("training, same seed", padded, seed=20170612))
    return cases


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


def _first_piece(model: PretrainedModel) -> Batch:
    batch = model.encode(["attention"], special=False)
    kinds = batch.token_type_ids
    return replace(
        batch,
        input_ids=batch.input_ids[:, :1],
        attention_mask=batch.attention_mask[:, :1],
        token_type_ids=None if kinds is None else kinds[:, :1],
        pieces=[batch.pieces[0][:1]],
    )


def _longest(model: PretrainedModel) -> Batch:
    longest = min(model.max_pieces, _MOST_PIECES)
    # Every repetition has more pieces than words.
    repetitions = longest // len(_PARAGRAPH.split()) + 1
    bounded = replace(model, max_pieces=longest)
    return bounded.encode([_PARAGRAPH * repetitions], truncate=True)
