"""A corpus as long arrays of words: which sentence and tag each has, and what each head predicts.

Words are numbered through all sentences.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.corpora import Sentence
from inspector.corpora.battery.text import BY_DEFINITION
from inspector.heads.specialization.split import is_for_selection

NOTHING = -1
"""No word: a rule that finds none, a word without a token, a document of the other split."""

IntWords = Int64[np.ndarray, " word"]
IntPairs = Int64[np.ndarray, " pair"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of one relation in one direction: the word asked, and the one that is right."""

    asked: IntPairs
    expected: IntPairs
    """Of several right words one; of several that are asked the one that should find it."""
    document: IntPairs
    """Place among the documents of the test split; NOTHING in the selection split."""
    side: int
    """0 where the word that is asked looks, 1 where it is looked at."""
    also: Int64[np.ndarray, "3 answer"] = field(
        default_factory=lambda: np.zeros((3, 0), dtype=np.int64)
    )
    """(pair, word asked, right word) of every other way to be right."""

    @property
    def is_test(self) -> Bool[np.ndarray, " pair"]:
        """Return which pairs are of the test split."""
        return self.document != NOTHING

    @property
    def is_single(self) -> Bool[np.ndarray, " pair"]:
        """Return which pairs can be right in one way only."""
        single = np.ones(len(self.asked), dtype=bool)
        single[self.also[0]] = False
        return single

    def of(self, kept: Bool[np.ndarray, " pair"]) -> "Pairs":
        """Return some of the pairs."""
        pair, asked, expected = self.also[:, kept[self.also[0]]]
        place = np.cumsum(kept) - 1
        also = np.stack([place[pair], asked, expected])
        return Pairs(self.asked[kept], self.expected[kept], self.document[kept], self.side, also)

    def found(self, words: Int[np.ndarray, "*row word"]) -> Int[np.ndarray, "*row pair"]:
        """Return what is found for each pair: the expected word where any right one is.

        Args:
            words: The word that is found for each word of the corpus.
        """
        found = words[..., self.asked]
        if self.also.size:
            pair, asked, expected = self.also
            *rows, answer = np.nonzero(words[..., asked] == expected)
            found[(*rows, pair[answer])] = self.expected[pair[answer]]
        return found


@dataclass(frozen=True, eq=False)
class WordTable:
    """Sentences as arrays, a place for each word."""

    sentences: tuple[Sentence, ...]
    documents: tuple[str, ...]
    """The document of each sentence."""
    test_documents: tuple[str, ...]
    """Those of the test split, sorted: the order of every sum over documents."""
    predicted: Int[np.ndarray, "2 head word"]
    """The word that each word looks at, and that looks at it most; NOTHING where there is none."""
    n_windows: int = 0
    """How many of the sentences, at the end, are windows: of these alone, relations with several
    right words are asked."""

    @cached_property
    def is_causal(self) -> bool:
        """Return whether words look to the left only: none but a first one ever looked right."""
        looked, own = self.predicted[0], np.arange(len(self.start))
        is_left = (looked < own) | (own == self.start)  # a first word has nothing on its left
        return bool((looked[:, own > self.start] != NOTHING).any() and is_left.all())

    @cached_property
    def lengths(self) -> Int64[np.ndarray, " sentence"]:
        """Return the number of words of each sentence."""
        return np.array([len(sentence.words) for sentence in self.sentences], dtype=np.int64)

    @cached_property
    def start(self) -> IntWords:
        """Return the first word of each word's sentence."""
        return np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)

    @cached_property
    def end(self) -> IntWords:
        """Return the word after the last of each word's sentence."""
        return np.repeat(np.cumsum(self.lengths), self.lengths)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Return the parts of speech that occur, sorted."""
        return tuple(sorted({tag for one in self.sentences for tag in one.upos or ()}))

    @cached_property
    def tag(self) -> IntWords:
        """Return each word's part of speech, as its place in `tags`; NOTHING without any."""
        place = {tag: index for index, tag in enumerate(self.tags)}
        return np.array(
            [
                NOTHING if one.upos is None else place[one.upos[word]]
                for one in self.sentences
                for word in range(len(one.words))
            ],
            dtype=np.int64,
        )

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """Return each word in lower case."""
        return tuple(word.lower() for one in self.sentences for word in one.words)

    @cached_property
    def is_read(self) -> Bool[np.ndarray, " word"]:
        """Return which words a head can look from or at."""
        return np.asarray((self.predicted[:, 0] != NOTHING).any(axis=0))

    @cached_property
    def document(self) -> IntWords:
        """Return the place of each word's document in the test split; NOTHING elsewhere."""
        place = {name: index for index, name in enumerate(self.test_documents)}
        of_sentence = [place.get(name, NOTHING) for name in self.documents]
        return np.repeat(np.array(of_sentence, dtype=np.int64), self.lengths)

    @cached_property
    def in_sentence(self) -> Bool[np.ndarray, " word"]:
        """Return which words are of sentences, not of windows."""
        n_sentences = len(self.sentences) - self.n_windows
        return np.arange(len(self.start)) < self.lengths[:n_sentences].sum()

    @cached_property
    def related(self) -> Int64[np.ndarray, " pair"]:
        """Return every pair of words that some relation joins, either way, as one number; sorted.

        Example:
            >>> from inspector.corpora import tree_sentence
            >>> tree = tree_sentence("s", ["Dogs", "bark"], [1, -1], ["nsubj", "root"])
            >>> predicted = np.array([[[1, 0]], [[1, 0]]])
            >>> WordTable((tree,), ("d",), (), predicted).related.tolist()
            [1, 2]
        """
        pairs = [pair for label in self._by_label.values() for pair in label]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 3)[:, 1:]
        both = np.concatenate([table, table[:, ::-1]])
        return np.unique(self.key(both[:, 0], both[:, 1]))

    def key(
        self, word: Int64[np.ndarray, "*place"], other: Int64[np.ndarray, "*place"]
    ) -> Int64[np.ndarray, "*place"]:
        """Return one number for each pair of words."""
        return word * len(self.start) + other

    def is_related(
        self, word: Int64[np.ndarray, "*place"], other: Int64[np.ndarray, "*place"]
    ) -> Bool[np.ndarray, "*place"]:
        """Return whether some relation joins the two, either way."""
        keys = self.key(word, other)
        if not len(self.related):
            return np.zeros(keys.shape, dtype=bool)
        places = np.searchsorted(self.related, keys).clip(max=len(self.related) - 1)
        return np.asarray(self.related[places] == keys)

    def pairs(self, relation: str, direction: str) -> Pairs:
        """Return the pairs of a relation whose two words are read, by test document.

        Those of the selection split come first. Only what is chosen from all words of the text,
        and only where the mask lets a head find it; of several right words the nearest is expected.
        """
        table = np.array(self._by_label.get(relation, ()), dtype=np.int64).reshape(-1, 3)
        table = table[self.is_read[table[:, 1:]].all(axis=1)]
        table = table[np.argsort(self.document[table[:, 1]], kind="stable")]
        side = int(direction == "attended_by_head")
        if direction == "head_to_dependent":
            table = table[:, [0, 2, 1]]
        table = table[self.allowed(table[:, 1], table[:, 2], side)]
        _, first, of = np.unique(table[:, 0], return_index=True, return_inverse=True)
        is_first = np.zeros(len(table), dtype=bool)
        is_first[first] = True
        place = (np.cumsum(is_first) - 1)[first][of]
        _, asked, expected = table[is_first].T
        also = np.stack([place[~is_first], *table[~is_first, 1:].T])
        return Pairs(asked, expected, self.document[asked], side, also)

    def allowed(
        self, asked: Int64[np.ndarray, " pair"], word: Int[np.ndarray, "*rule pair"], side: int
    ) -> Bool[np.ndarray, "*rule pair"]:
        """Return where the model's mask lets the word be predicted; anywhere for NOTHING."""
        if not self.is_causal:
            return np.ones(np.broadcast_shapes(asked.shape, word.shape), dtype=bool)
        return np.asarray(word > asked if side else word < asked)

    @cached_property
    def _by_label(self) -> dict[str, list[tuple[int, int, int]]]:
        """Return (pair, source, right word) of each relation, the nearest right word first."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        start = pair = 0
        for place, sentence in enumerate(self.sentences):
            is_window = place >= len(self.sentences) - self.n_windows
            for relation in sentence.relations:
                if relation.is_control or not (is_window or relation.is_plain):
                    continue
                if relation.kind == BY_DEFINITION:  # no simpler rule is asked of it
                    continue
                if not relation.among:
                    found.setdefault(relation.label, []).extend(
                        (pair, start + relation.source, start + word) for word in relation.targets
                    )
                    pair += 1
            start += len(sentence.words)
        return found


def word_table(
    sentences: Sequence[Sentence],
    documents: Sequence[str],
    predicted: Int[np.ndarray, "2 head word"],
    n_windows: int = 0,
    tested: Collection[str] | None = None,
) -> WordTable:
    """Return the table of a corpus, its test documents in order.

    Args:
        sentences: All of them, also those that the model could not read; then the windows.
        documents: Of each.
        predicted: The word that each head predicts for each word, looked at and looked from.
        n_windows: How many are windows.
        tested: The documents of the test split; those that `is_for_selection` leaves if not given.
    """
    if tested is None:
        tested = {name for name in documents if not is_for_selection(name)}
    of_test = tuple(sorted(tested))
    return WordTable(tuple(sentences), tuple(documents), of_test, predicted, n_windows)
