"""A language model's loss at words, with and without heads: sums per document, relation and word.

A decoder's loss at a word is that of its tokens given all before; a masked model's is that of its
tokens when all of them are masked, every seventh word of the text at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64
from torch import Tensor

from inspector.heads.ablation.fixed_point import whole_units
from inspector.heads.ablation.target_words import Marks, marks, n_cells
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.models import Batch
from inspector.models.forward.head_ablation import Head
from inspector.models.loading.language_head import LanguageHead

MASKED_EVERY = 7
"""A masked model reads a text as often, each time with one word in as many masked."""
LOSS_TABLES = ("n", "loss", "increase", "matched")
"""Tables of `LossSums`."""


@dataclass(frozen=True)
class Question:
    """One text of each row, and the tokens that the states of this text are asked about."""

    batch: Batch
    row: Int[Tensor, " asked"]
    place: Int[Tensor, " asked"]
    """Where the state stands that speaks of the token."""
    token: Int[Tensor, " asked"]
    """The token that is right."""
    word: Int[Tensor, " asked"]
    """Its word, as row · words of the longest sentence + word."""
    share: Float64[Tensor, " asked"]
    """One over the tokens of its word that are asked about."""
    n_words: int
    """Words of all rows."""


def questions(head: LanguageHead, batch: AnnotatedBatch) -> list[Question]:
    """Return what is asked: of a decoder in one go, of a masked model in seven."""
    words, ids = batch.words.word_of_token, batch.words.batch.input_ids
    row, place = (words >= 0).nonzero().unbind(1)
    word = words[row, place]
    if head.kind == "causal":
        # A token with nothing before it has no loss.
        has_one = (place > 0) & batch.attended[row, (place - 1).clamp(min=0)]
        row, place, word = row[has_one], place[has_one], word[has_one]
        return [_question(batch, batch.words.batch, row, place - 1, ids[row, place], word)]
    found = []
    for start in range(MASKED_EVERY):
        some = word % MASKED_EVERY == start
        if not bool(some.any()):
            continue
        asked = row[some], place[some]
        masked = ids.clone()
        masked[asked] = int(head.mask_id or 0)
        text = replace(batch.words.batch, input_ids=masked)
        found.append(_question(batch, text, *asked, ids[asked], word[some]))
    return found


def _question(
    batch: AnnotatedBatch, text: Batch, row: Tensor, place: Tensor, token: Tensor, word: Tensor
) -> Question:
    n_words = len(batch.sentences) * batch.n_words
    flat = row * batch.n_words + word
    share = 1.0 / torch.bincount(flat, minlength=n_words)[flat].double()
    return Question(text, row, place, token, flat, share, n_words)


def _known_words(asked: Sequence[Question], batch: AnnotatedBatch) -> Bool[Tensor, "batch word"]:
    """Return which words have a loss: in a decoder not the first token of a text."""
    known = torch.zeros(len(batch.sentences) * batch.n_words, dtype=torch.bool)
    for question in asked:
        known[question.word.cpu()] = True
    return known.view(len(batch.sentences), batch.n_words)


def word_losses(
    head: LanguageHead,
    question: Question,
    states: Float[Tensor, "variant batch token d_model"],
) -> Float64[Tensor, "variant word"]:
    r"""Return each word's loss in nats: the mean of $-\log p$ over its tokens, 0 if not asked."""
    picked = states[:, question.row, question.place]
    found = head.log_probabilities(picked.flatten(0, 1), question.token.repeat(len(states)))
    total = found.new_zeros(len(states), question.n_words)
    return total.index_add_(1, question.word, -found.view(len(states), -1) * question.share)


@dataclass(eq=False)
class LossSums:
    """Sums of the loss at measured and at matched words, and of what each variant adds to it."""

    head: LanguageHead
    documents: list[str]
    names: list[str]
    """Names of the relations."""
    variants: list[tuple[Head, ...]]
    """The heads that each variant lacks."""
    alone: bool = False
    """Whether the loss alone is asked for where how far states move would be another reading."""
    n: Int64[np.ndarray, "document cell"] = field(init=False)
    """Measured words that have a loss, and a match that has one."""
    loss: Int64[np.ndarray, "document cell"] = field(init=False)
    """Loss of the unchanged model at the measured words, in `UNIT` nats."""
    increase: Int64[np.ndarray, "document cell variant"] = field(init=False)
    """What the loss at the measured words is more without the heads, in `UNIT` nats."""
    matched: Int64[np.ndarray, "document cell variant"] = field(init=False)
    """The same at the matched words: of each measured word's matches the mean."""

    def __post_init__(self) -> None:
        """Start with nothing seen."""
        cells = n_cells(self.names)
        self.n = np.zeros((len(self.documents), cells), dtype=np.int64)
        self.loss = np.zeros_like(self.n)
        self.increase = np.zeros((*self.n.shape, len(self.variants)), dtype=np.int64)
        self.matched = np.zeros_like(self.increase)

    def asked(self, batch: AnnotatedBatch) -> "list[Answers]":
        """Return the questions of a batch, each ready for its answers; its words are counted."""
        asked = questions(self.head, batch)
        marked = marks(batch, _known_words(asked, batch))
        np.add.at(self.n, (marked.document, marked.cell), marked.n)
        return [Answers(self, marked, question) for question in asked]


class Answers:
    """What the model's states say to one question, before and after, on its way to the sums."""

    def __init__(self, sums: LossSums, marked: Marks, question: Question) -> None:
        """Take the sums that are added to, and the words that are measured."""
        self.question = question
        self._sums, self._marked = sums, marked
        self._before = torch.zeros(1, question.n_words, dtype=torch.float64)

    def start(self, state: Float[Tensor, "batch token d_model"]) -> None:
        """Add the loss of the unchanged model."""
        self._before = word_losses(self._sums.head, self.question, state[None])
        measured = whole_units(self._marked.measured.sums(self._before))
        np.add.at(self._sums.loss, (self._marked.document, self._marked.cell), measured[:, 0])

    def add(
        self, variants: Sequence[int], states: Float[Tensor, "variant batch token d_model"]
    ) -> None:
        """Add what some of the variants lose more than the unchanged model."""
        marked = self._marked
        increase = word_losses(self._sums.head, self.question, states) - self._before
        where = (marked.document[:, None], marked.cell[:, None], np.array(variants)[None, :])
        np.add.at(self._sums.increase, where, whole_units(marked.measured.sums(increase)))
        np.add.at(self._sums.matched, where, whole_units(marked.matched.sums(increase)))
