"""A corpus as long arrays of words: which sentence and tag each has, and what each head predicts.

Words are numbered through all sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.corpora import Sentence
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
    document: IntPairs
    """Place among the documents of the test split; NOTHING in the selection split."""
    side: int
    """0 where the word that is asked looks, 1 where it is looked at."""

    @property
    def is_test(self) -> Bool[np.ndarray, " pair"]:
        """Return which pairs are of the test split."""
        return self.document != NOTHING

    def of(self, kept: Bool[np.ndarray, " pair"]) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.asked[kept], self.expected[kept], self.document[kept], self.side)


@dataclass(frozen=True, eq=False)
class WordTable:
    """Sentences as arrays, a place for each word."""

    sentences: tuple[Sentence, ...]
    documents: tuple[str, ...]
    """The document of each sentence."""
    test_documents: tuple[str, ...]
    """Those of the test split, sorted: the order of every sum over documents."""
    predicted: Int64[np.ndarray, "2 head word"]
    """The word that each word looks at, and that looks at it most; NOTHING where there is none."""

    @cached_property
    def is_causal(self) -> bool:
        """Return whether words look to the left only: none ever looked right."""
        looked = self.predicted[0]
        return bool((looked != NOTHING).any() and (looked < np.arange(len(self.start))).all())

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
        of_sentence = [
            NOTHING if is_for_selection(name) else place[name] for name in self.documents
        ]
        return np.repeat(np.array(of_sentence, dtype=np.int64), self.lengths)

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
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
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

        Those of the selection split come first. Only relations of one right word, chosen from all
        words of its sentence, and only where the mask lets a head find it.
        """
        table = np.array(self._by_label.get(relation, ()), dtype=np.int64).reshape(-1, 2)
        table = table[self.is_read[table].all(axis=1)]
        table = table[np.argsort(self.document[table[:, 0]], kind="stable")]
        asked, expected = table.T
        if direction == "head_to_dependent":
            asked, expected = expected, asked
        side = int(direction == "attended_by_head")
        pairs = Pairs(asked, expected, self.document[asked], side)
        return pairs.of(self.allowed(asked, expected, side))

    def allowed(
        self, asked: Int64[np.ndarray, " pair"], word: Int[np.ndarray, "*rule pair"], side: int
    ) -> Bool[np.ndarray, "*rule pair"]:
        """Return where the model's mask lets the word be predicted; anywhere for NOTHING."""
        if not self.is_causal:
            return np.ones(np.broadcast_shapes(asked.shape, word.shape), dtype=bool)
        return np.asarray(word > asked if side else word < asked)

    @cached_property
    def _by_label(self) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        start = 0
        for sentence in self.sentences:
            for relation in sentence.relations:
                if relation.is_plain:
                    pair = (start + relation.source, start + relation.target)
                    found.setdefault(relation.label, []).append(pair)
            start += len(sentence.words)
        return found


def word_table(
    sentences: Sequence[Sentence],
    documents: Sequence[str],
    predicted: Int64[np.ndarray, "2 head word"],
) -> WordTable:
    """Return the table of a corpus, its test documents in order.

    Args:
        sentences: All of them, also those that the model could not read.
        documents: Of each.
        predicted: The word that each head predicts for each word, looked at and looked from.
    """
    tested = tuple(sorted({name for name in documents if not is_for_selection(name)}))
    return WordTable(tuple(sentences), tuple(documents), tested, predicted)
