"""One batch of annotated sentences, with what every observer asks of it computed once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from inspector.corpora import Relation, Sentence
from inspector.corpora.text_set import TextSet
from inspector.heads.observers.word_tokens import WordTokens, tokens_of_words
from inspector.models import BatchSize, PretrainedModel, WordBatch, WordBatches, word_batches


@dataclass(frozen=True)
class RelationIndex:
    """Every scored pair of a batch, as index tensors of one length."""

    row: Int[Tensor, " pair"]
    """The sentence's row in the batch."""
    document: Int[Tensor, " pair"]
    """Place in the list of documents."""
    dependent: Int[Tensor, " pair"]
    head: Int[Tensor, " pair"]
    """The word that is right; of several the nearest."""
    counted: Int[Tensor, " count"]
    """The pair of each count: a pair counts under its relation's name, and under its subsets'."""
    name: Int[Tensor, " count"]
    """The name of each count, as its place in the list of relation names."""


@dataclass(frozen=True)
class AnnotatedBatch:
    """A batch of sentences with their tokens, words and relations."""

    words: WordBatch
    sentences: tuple[Sentence, ...]
    """The sentences of the rows, in order."""
    documents: tuple[int, ...]
    """For each row, the place of its document in the list of documents."""
    names: dict[str, int]
    """Relation name → place."""
    across: bool = False
    """Whether relations that are not plain are scored: with several right words, or some to choose
    from."""

    @cached_property
    def attended(self) -> Bool[Tensor, "batch token"]:
        """Return which tokens are no padding."""
        return self.words.batch.attention_mask.bool()

    @cached_property
    def content(self) -> Bool[Tensor, "batch token"]:
        """Return the non-special tokens."""
        return self.attended & ~self.words.special

    @cached_property
    def queries(self) -> Bool[Tensor, "batch token"]:
        """Return the tokens whose attention is described: the non-special ones.

        Of a window that overlaps with others, those of the words that it describes.
        """
        chosen = self.content
        if any(sentence.described for sentence in self.sentences):
            chosen = chosen.clone()
            for row, sentence in enumerate(self.sentences):
                start, stop = sentence.described or (0, len(sentence.words))
                # A token of no word goes with the word before it.
                word = self.words.word_of_token[row].cummax(0).values
                chosen[row] &= (word < stop) & ((word >= start) | (start == 0))
        return chosen

    @cached_property
    def n_words(self) -> int:
        """Return the number of words of the longest sentence."""
        return max(len(sentence.words) for sentence in self.sentences)

    @cached_property
    def word_tokens(self) -> WordTokens:
        """Return which tokens make up each word."""
        return tokens_of_words(self.words.word_of_token, self.n_words)

    @property
    def has_tokens(self) -> Bool[Tensor, "batch word"]:
        """Return which words have at least one token."""
        return self.word_tokens.n > 0

    @cached_property
    def unknown_words(self) -> Bool[Tensor, "batch word"]:
        """Return which words have a token that stands for what the vocabulary lacks."""
        words = self.words.word_of_token
        found = torch.zeros(len(words), self.n_words, dtype=torch.bool, device=words.device)
        row, token = (self.words.unknown & (words >= 0)).nonzero().unbind(1)
        found[row, words[row, token]] = True
        return found

    @cached_property
    def punctuation(self) -> Bool[Tensor, "batch token"] | None:
        """Return the tokens of words tagged PUNCT, None where a sentence has no tags."""
        if any(sentence.upos is None for sentence in self.sentences):
            return None
        tagged = torch.zeros(len(self.sentences), self.n_words, dtype=torch.bool)
        for row, sentence in enumerate(self.sentences):
            for word, tag in enumerate(sentence.upos or ()):
                tagged[row, word] = tag == "PUNCT"
        words = self.words.word_of_token
        device_tags = tagged.to(words.device)
        return torch.gather(device_tags, 1, words.clamp(min=0)) & (words >= 0)

    @cached_property
    def repeats(self) -> Bool[Tensor, "batch query key"]:
        """Return where a query's token stands again at another place of the text.

        Unknown tokens are none: what stood at the two places need not be the same.
        """
        ids = self.words.batch.input_ids
        same = ids.unsqueeze(2) == ids.unsqueeze(1)
        known = self.content & ~self.words.unknown
        same &= known.unsqueeze(2) & known.unsqueeze(1)
        same.diagonal(dim1=1, dim2=2).fill_(False)
        return same

    @cached_property
    def repeat_places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return where `repeats` is true, as (row, query, key): few places, looked up once."""
        row, query, key = self.repeats.nonzero().unbind(1)
        return row, query, key

    @cached_property
    def n_repeated(self) -> int:
        """Return how many queries' tokens stand again at another place of their text."""
        known = self.content & ~self.words.unknown
        found = 0
        for ids, kept, asked in zip(self.words.batch.input_ids, known, self.queries, strict=True):
            _, of_token, n = ids[kept].unique(return_inverse=True, return_counts=True)
            found += int((n[of_token] > 1)[asked[kept]].sum())
        return found

    def repeats_of(self, first: int, n_rows: int, n_keys: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return `repeat_places` of some rows alone: (row of the batch, row of these, key)."""
        if n_rows == self.queries.shape[1]:
            return self.repeat_places
        ids, known = self.words.batch.input_ids, self.content & ~self.words.unknown
        rows, keys = slice(first, first + n_rows), slice(n_keys)
        same = ids[:, rows, None] == ids[:, None, keys]
        same &= known[:, rows, None] & known[:, None, keys]
        same.diagonal(first, dim1=1, dim2=2).fill_(False)
        row, query, key = same.nonzero().unbind(1)
        return row, query, key

    @cached_property
    def scored(self) -> tuple[list[tuple[int, Relation]], int]:
        """Return (row, relation) of every scored relation, and how many were left out.

        Words without tokens are neither right nor to choose from; a relation whose source, or all
        of whose right words, have none is left out.
        """
        kept: list[tuple[int, Relation]] = []
        left_out = 0
        present = self.has_tokens.tolist()
        for row, sentence in enumerate(self.sentences):
            is_whole = all(present[row][: len(sentence.words)])
            for relation in sentence.relations:
                if relation.label not in self.names or not (self.across or relation.is_plain):
                    continue
                if is_whole:
                    kept.append((row, relation))
                    continue
                targets = [word for word in relation.targets if present[row][word]]
                if not present[row][relation.source] or not targets:
                    left_out += not relation.is_control
                    continue
                if not relation.is_plain:
                    among = tuple(word for word in relation.among if present[row][word])
                    relation = replace(
                        relation, target=targets[0], also=tuple(targets[1:]), among=among
                    )
                kept.append((row, relation))
        return kept, left_out

    @cached_property
    def relations(self) -> RelationIndex:
        """Return every relation that can be scored."""
        pairs: list[tuple[int, int, int, int]] = []
        counts: list[tuple[int, int]] = []
        for pair, (row, relation) in enumerate(self.scored[0]):
            pairs.append((row, self.documents[row], relation.source, relation.target))
            counts += [
                (pair, self.names[name]) for name in relation.counted_as if name in self.names
            ]
        device = self.words.word_of_token.device
        table = torch.tensor(pairs, dtype=torch.long).reshape(-1, 4).to(device)
        counted = torch.tensor(counts, dtype=torch.long).reshape(-1, 2).to(device)
        return RelationIndex(*table.unbind(1), *counted.unbind(1))

    @cached_property
    def relation_groups(self) -> tuple[Int[Tensor, " group"], Int[Tensor, " count"]]:
        """Return the (document × name) places that occur, and each count's place among them."""
        pairs = self.relations
        places = pairs.document[pairs.counted] * len(self.names) + pairs.name
        groups, of_count = torch.unique(places, return_inverse=True)
        return groups, of_count

    @property
    def relations_left_out(self) -> int:
        """Return how many relations touch a word without tokens."""
        return self.scored[1]


def annotated_batches(
    batches: Sequence[WordBatch],
    sentences: Sequence[Sentence],
    documents: Sequence[int],
    names: dict[str, int],
    *,
    across: bool = False,
) -> list[AnnotatedBatch]:
    """Return batches with the annotation of their sentences.

    Args:
        batches: As `inspector.models.word_batches` made them of the sentences.
        sentences: All of the shard.
        documents: For each sentence, the place of its document.
        names: Relation name → place; relations of other names are not scored.
        across: Whether relations that are not plain are scored too, as `AcrossScores` does.
    """
    return [
        AnnotatedBatch(
            batch,
            tuple(sentences[i] for i in batch.sentences),
            tuple(documents[i] for i in batch.sentences),
            names,
            across,
        )
        for batch in batches
    ]


def batches_of(
    model: PretrainedModel,
    read: TextSet,
    documents: Sequence[str],
    names: Sequence[str],
    batch_size: int | BatchSize,
) -> tuple[WordBatches, list[AnnotatedBatch]]:
    """Return texts as batches, without their annotation and with it.

    Args:
        model: Whose tokenizer cuts them.
        read: The texts.
        documents: All that are counted, in the order of the counts.
        names: The relations that are, in theirs.
        batch_size: Texts in a batch.
    """
    made = word_batches(model, [text.surface for text in read.texts], batch_size)
    annotated = annotated_batches(
        made.batches,
        read.texts,
        [documents.index(document) for document in read.documents],
        {name: place for place, name in enumerate(names)},
        across=read.is_windows,
    )
    return made, annotated
