"""One batch of annotated sentences, with what every observer asks of it worked out once.

Must not know: attention, observers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from inspector.corpora import Sentence
from inspector.models import WordBatch


@dataclass(frozen=True)
class RelationIndex:
    """Every scored relation of a batch, as index tensors of one length."""

    row: Int[Tensor, " pair"]
    """The sentence's row in the batch."""
    name: Int[Tensor, " pair"]
    """Place in the list of relation names."""
    document: Int[Tensor, " pair"]
    """Place in the list of documents."""
    dependent: Int[Tensor, " pair"]
    head: Int[Tensor, " pair"]


@dataclass(frozen=True)
class WordPieces:
    """The pieces of each word: the first ones, and the further ones in rounds.

    Nearly all words have one piece, so that rounds are few and short.
    """

    first: Int[Tensor, "batch word"]
    """The first piece of a word; 0 where it has none."""
    n: Int[Tensor, "batch word"]
    """The number of pieces."""
    rounds: tuple[tuple[Tensor, Tensor, Tensor], ...]
    """(row, word, piece) of the second pieces, then of the third ones, and so on."""


@dataclass(frozen=True)
class AnnotatedBatch:
    """A batch of sentences with their pieces, words and relations."""

    words: WordBatch
    sentences: tuple[Sentence, ...]
    """The sentences of the rows, in order."""
    documents: tuple[int, ...]
    """For each row, the place of its document in the list of documents."""
    names: dict[str, int]
    """Relation name → place."""

    @cached_property
    def attended(self) -> Bool[Tensor, "batch piece"]:
        """Return which pieces are no padding."""
        return self.words.batch.attention_mask.bool()

    @cached_property
    def queries(self) -> Bool[Tensor, "batch piece"]:
        """Return the non-special pieces: those whose attention is described."""
        return self.attended & ~self.words.special

    @cached_property
    def n_words(self) -> int:
        """Return the number of words of the longest sentence."""
        return max(len(sentence.words) for sentence in self.sentences)

    @cached_property
    def word_pieces(self) -> "WordPieces":
        """Return which pieces make up each word."""
        return _word_pieces(self.words.word_of_piece, self.n_words)

    @property
    def has_pieces(self) -> Bool[Tensor, "batch word"]:
        """Return which words have at least one piece."""
        return self.word_pieces.n > 0

    @cached_property
    def punctuation(self) -> Bool[Tensor, "batch piece"] | None:
        """Return the pieces of words tagged PUNCT, None where a sentence has no tags."""
        if any(sentence.upos is None for sentence in self.sentences):
            return None
        tagged = torch.zeros(len(self.sentences), self.n_words, dtype=torch.bool)
        for row, sentence in enumerate(self.sentences):
            for word, tag in enumerate(sentence.upos or ()):
                tagged[row, word] = tag == "PUNCT"
        words = self.words.word_of_piece
        device_tags = tagged.to(words.device)
        return torch.gather(device_tags, 1, words.clamp(min=0)) & (words >= 0)

    @cached_property
    def repeats(self) -> Bool[Tensor, "batch query key"]:
        """Return where a query's piece stands again at another place of the text."""
        ids = self.words.batch.input_ids
        same = ids.unsqueeze(2) == ids.unsqueeze(1)
        same &= self.queries.unsqueeze(2) & self.queries.unsqueeze(1)
        same.diagonal(dim1=1, dim2=2).fill_(False)
        return same

    @cached_property
    def repeat_places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return where `repeats` is true, as (row, query, key): few places, looked up once."""
        row, query, key = self.repeats.nonzero().unbind(1)
        return row, query, key

    @cached_property
    def _pairs(self) -> tuple[RelationIndex, int]:
        """Return the relations whose two words have pieces, and how many were left out."""
        rows: list[tuple[int, int, int, int, int]] = []
        left_out = 0
        present = self.has_pieces.tolist()
        for row, sentence in enumerate(self.sentences):
            for relation in sentence.relations:
                if relation.label not in self.names:
                    continue
                if present[row][relation.source] and present[row][relation.target]:
                    name = self.names[relation.label]
                    rows.append((row, name, self.documents[row], relation.source, relation.target))
                else:
                    left_out += 1
        table = torch.tensor(rows, dtype=torch.long).reshape(-1, 5)
        return RelationIndex(*table.to(self.words.word_of_piece.device).unbind(1)), left_out

    @cached_property
    def relation_groups(self) -> tuple[Int[Tensor, " group"], Int[Tensor, " pair"]]:
        """Return the (document × name) places that occur, and each pair's place among them."""
        places = self.relations.document * len(self.names) + self.relations.name
        groups, of_pair = torch.unique(places, return_inverse=True)
        return groups, of_pair

    @property
    def relations(self) -> RelationIndex:
        """Return every relation that can be scored."""
        return self._pairs[0]

    @property
    def relations_left_out(self) -> int:
        """Return how many relations touch a word without pieces."""
        return self._pairs[1]


def _word_pieces(word_of_piece: Int[Tensor, "batch piece"], n_words: int) -> WordPieces:
    n_batch = len(word_of_piece)
    first = torch.zeros(n_batch, n_words, dtype=torch.long)
    n = torch.zeros(n_batch, n_words, dtype=torch.long)
    rounds: list[list[tuple[int, int, int]]] = []
    for row, words in enumerate(word_of_piece.tolist()):
        seen = [0] * n_words
        for piece, word in enumerate(words):
            if word < 0:
                continue
            if seen[word] == 0:
                first[row, word] = piece
            else:
                while len(rounds) < seen[word]:
                    rounds.append([])
                rounds[seen[word] - 1].append((row, word, piece))
            seen[word] += 1
        n[row] = torch.tensor(seen)
    device = word_of_piece.device
    later = []
    for entries in rounds:
        rows, of_word, pieces = torch.tensor(entries, device=device).unbind(1)
        later.append((rows, of_word, pieces))
    return WordPieces(first.to(device), n.to(device), tuple(later))


def annotated_batches(
    batches: Sequence[WordBatch],
    sentences: Sequence[Sentence],
    documents: Sequence[int],
    names: dict[str, int],
) -> list[AnnotatedBatch]:
    """Return batches with the annotation of their sentences.

    Args:
        batches: As `inspector.models.word_batches` made them of the sentences.
        sentences: All of the shard.
        documents: For each sentence, the place of its document.
        names: Relation name → place; relations of other names are not scored.
    """
    return [
        AnnotatedBatch(
            batch,
            tuple(sentences[i] for i in batch.sentences),
            tuple(documents[i] for i in batch.sentences),
            names,
        )
        for batch in batches
    ]
