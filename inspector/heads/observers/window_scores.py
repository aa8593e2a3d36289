"""Which of several right words each head finds, in windows of many sentences.

The rule of `RelationScores`, computed for the words alone that a relation asks about: a window has
hundreds of words, and few of them stand in a relation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int, Int64
from torch import Tensor

from inspector.corpora import Relation
from inspector.heads.counts import DIRECTIONS
from inspector.heads.observers.batch import AnnotatedBatch
from inspector.heads.observers.relation_scores import RelationScores
from inspector.models import AttentionCall


@dataclass(frozen=True)
class _Choice:
    """The pairs of a row whose predictions are chosen from the same words."""

    among: Int[Tensor, " choice"] | None
    """These words; None where they are all words of the batch's longest text."""
    pair: Int[Tensor, " answer"]
    """The pair that an answer is for; each right word of a pair is an answer."""
    source: Int[Tensor, " answer"]
    target: Int[Tensor, " answer"]


@dataclass(frozen=True)
class _Row:
    """What is asked about one window."""

    looking: Int[Tensor, " looking"]
    """The words whose attention is asked for."""
    looked: Int[Tensor, " looked"]
    """The words to which attention is asked for: the sources."""
    place_looking: Int[Tensor, " word"]
    """Each word's place in `looking`."""
    place_looked: Int[Tensor, " word"]
    choices: tuple[_Choice, ...]


class AcrossScores(RelationScores):
    """How often each head's prediction is right, where several words may be.

    From the source a head predicts right if its word is any of the right ones; to the source, if
    any of the right words' prediction is the source; and, attended by, if the word that attends
    most to the source is any of them. The offset −k predicts right if the word k before the source
    is any of them, counted in the words to choose from.
    """

    reads_rows = False  # a window is short

    def _hits(
        self, layer: int, call: AttentionCall, batch: AnnotatedBatch
    ) -> Bool[Tensor, "pair direction head"]:
        if layer == 0:
            self._rows = _asked(batch)
        n_pairs, n_heads = len(batch.relations.row), call.probabilities.shape[1]
        found = torch.zeros(
            n_pairs, 3, n_heads, dtype=torch.int32, device=call.probabilities.device
        )
        for row, asked in enumerate(self._rows):
            if asked is None:
                continue
            words = _Words(batch, row)
            looking = words.attention(call.probabilities[row], asked.looking, None)
            looked = words.attention(call.probabilities[row], None, asked.looked)
            looking[:, torch.arange(len(asked.looking)), asked.looking] = -1.0
            looked[:, asked.looked, torch.arange(len(asked.looked))] = -1.0
            for choice in asked.choices:
                looks_at = _best_words(looking, choice.among, 2)
                looked_from = _best_words(looked, choice.among, 1)
                source, target = asked.place_looking[choice.source], choice.target
                hits = torch.stack(
                    [
                        looks_at[:, source] == target,
                        looks_at[:, asked.place_looking[target]] == choice.source,
                        looked_from[:, asked.place_looked[choice.source]] == target,
                    ]
                )
                # Offsets among the words to choose from have the sign of those in the text.
                hits &= self._allowed(target - choice.source).T[:, None]
                found.index_add_(0, choice.pair, hits.permute(2, 0, 1).to(torch.int32))
        return found > 0

    def _asked(self, batch: AnnotatedBatch) -> Bool[np.ndarray, "pair direction"]:
        """Return in which directions each pair has a right word that the mask lets a head find."""
        pairs = [relation for _, relation in batch.scored[0]]
        asked = np.ones((len(pairs), len(DIRECTIONS)), dtype=bool)
        if not self.back_only:
            return asked
        for place, relation in enumerate(pairs):
            apart = torch.tensor([target - relation.source for target in relation.targets])
            asked[place] = self._allowed(apart).any(dim=0).numpy()
        return asked

    def _offsets(
        self, batch: AnnotatedBatch, counted: Int64[np.ndarray, " count"]
    ) -> tuple[Int64[np.ndarray, " offset"], Int64[np.ndarray, " offset"]]:
        """Return (count, offset) of every offset at which a count's pair has a right word."""
        apart = [_offsets_of(relation) for _, relation in batch.scored[0]]
        sizes = np.array([len(apart[pair]) for pair in counted], dtype=np.int64)
        flat = [offset for pair in counted for offset in apart[pair]]
        return np.repeat(np.arange(len(counted)), sizes), np.array(flat, dtype=np.int64)


def _offsets_of(relation: Relation) -> list[int]:
    """Return how far right words are from the source, in the words that are chosen from."""
    if not relation.among:
        return [target - relation.source for target in relation.targets]
    place = {word: i for i, word in enumerate(relation.among)}
    return [place[target] - place[relation.source] for target in relation.targets]


def _asked(batch: AnnotatedBatch) -> list[_Row | None]:
    by_row: dict[int, list[tuple[int, Relation]]] = {}
    for pair, (row, relation) in enumerate(batch.scored[0]):
        by_row.setdefault(row, []).append((pair, relation))
    device = batch.words.word_of_token.device
    return [
        _asked_of_row(batch, row, by_row[row], device) if row in by_row else None
        for row in range(len(batch.sentences))
    ]


def _asked_of_row(
    batch: AnnotatedBatch, row: int, pairs: list[tuple[int, Relation]], device: torch.device
) -> _Row:
    sources = sorted({relation.source for _, relation in pairs})
    words = sorted({*sources, *(word for _, relation in pairs for word in relation.targets)})
    groups: dict[tuple[int, ...], list[tuple[int, int, int]]] = {}
    for pair, relation in pairs:
        answers = [(pair, relation.source, target) for target in relation.targets]
        groups.setdefault(relation.among, []).extend(answers)
    everything = tuple(batch.has_tokens[row].nonzero()[:, 0].tolist())
    choices = []
    for among, answers in groups.items():
        table = torch.tensor(answers, device=device).unbind(1)
        words_to_choose = among or everything
        is_all = len(words_to_choose) == batch.n_words
        chosen = None if is_all else torch.tensor(words_to_choose, device=device)
        choices.append(_Choice(chosen, *table))
    return _Row(
        looking=torch.tensor(words, device=device),
        looked=torch.tensor(sources, device=device),
        place_looking=_places(words, batch.n_words, device),
        place_looked=_places(sources, batch.n_words, device),
        choices=tuple(choices),
    )


def _places(words: list[int], n_words: int, device: torch.device) -> Int[Tensor, " word"]:
    places = torch.zeros(n_words, dtype=torch.long, device=device)
    places[torch.tensor(words, device=device)] = torch.arange(len(words), device=device)
    return places


def _best_words(
    attention: Float64[Tensor, "head a b"], among: Int[Tensor, " choice"] | None, dim: int
) -> Int[Tensor, "head other"]:
    """Return the word of the largest along a dimension, the first of equals."""
    # With its value a largest one is found several times as fast.
    if among is None:
        return attention.max(dim).indices
    return among[_selected(attention, among, dim).max(dim).indices]


def _selected(values: Tensor, places: Int[Tensor, " some"], dim: int) -> Tensor:
    """Return what stands at some places of a dimension, of (head, a, b)."""
    if dim == 1:
        return values.index_select(1, places)
    # A gather is several times as fast as index_select where single numbers are selected.
    return values.gather(2, places.expand(*values.shape[:2], -1))


class _Words:
    """Sums and means over the tokens of words, in one row of a batch."""

    def __init__(self, batch: AnnotatedBatch, row: int) -> None:
        tokens = batch.word_tokens
        self._first, self._n = tokens.first[row], tokens.n[row].clamp(min=1)
        later = [(word[rows == row], token[rows == row]) for rows, word, token in tokens.rounds]
        none = self._first[:0]
        self._later_word = torch.cat([none, *(word for word, _ in later)])
        self._later_token = torch.cat([none, *(token for _, token in later)])

    def attention(
        self,
        probabilities: Tensor,
        looking: Int[Tensor, " looking"] | None,
        looked: Int[Tensor, " looked"] | None,
    ) -> Float64[Tensor, "head looking looked"]:
        """Return the attention of some words to some words; None stands for all of them.

        Sums over the tokens of the word looked at, means over those of the word that looks.
        """
        sides = [
            (1, looking is None, self._tokens(looking)),
            (2, looked is None, self._tokens(looked)),
        ]
        picked = probabilities
        # The side of which few words are asked for first: what follows is that much smaller.
        for dim, _, (tokens, _) in sorted(sides, key=lambda side: side[1]):
            picked = _selected(picked, tokens, dim)
        merged = picked.double()
        for dim, _, (tokens, further) in reversed(sides):
            n = len(tokens) - len(further)
            later = merged.narrow(dim, n, len(further))
            merged = merged.narrow(dim, 0, n).index_add_(dim, further, later)
        return merged.div_((self._n if looking is None else self._n[looking])[:, None])

    def _tokens(
        self, words: Int[Tensor, " some"] | None
    ) -> tuple[Int[Tensor, " token"], Int[Tensor, " further"]]:
        """Return some words' first tokens, then all further ones; of these, whose they are."""
        if words is None:
            return torch.cat([self._first, self._later_token]), self._later_word
        place = torch.full_like(self._first, -1)
        place[words] = torch.arange(len(words), device=words.device)
        further = place[self._later_word]
        kept = further >= 0
        return torch.cat([self._first[words], self._later_token[kept]]), further[kept]
