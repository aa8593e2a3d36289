"""Relations added to the sentences of a corpus, and what had to be left out of them.

Every reader of further annotation ends here, so that none can replace what was there, count a
pair twice or point outside a sentence.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from inspector.corpora.formats.line_reader import shown
from inspector.corpora.sentence import Corpus, LeftOut, Relation, Sentence

_EXAMPLES = 5
OUTSIDE = "a word number that is not in the sentence"
ITSELF = "a word related to itself"


class Unread(NamedTuple):
    """Why something in a sentence is left out, and the word that it stands at."""

    reason: str
    word: int = 0


Found = Relation | Unread
"""What readers yield of a sentence."""


class Additions:
    """What one annotation adds to a corpus.

    Example:
        >>> from inspector.corpora import default_corpus
        >>> corpus = default_corpus()
        >>> added = Additions(corpus, "pairs")
        >>> added.add(0, Relation("semantic", "pair", 0, 2))
        >>> added.add(0, Relation("semantic", "pair", 0, 200))
        >>> richer = added.corpus()
        >>> richer.sentences[0].relations[-1].label, richer.left_out[-1].count
        ('pair', 1)
    """

    def __init__(self, corpus: Corpus, annotation: str) -> None:
        """Start with nothing.

        Args:
            corpus: What is added to; it is not changed.
            annotation: Its name in `Corpus.left_out`.
        """
        self.sentences = corpus.sentences
        self._corpus = corpus
        self._annotation = annotation
        self._new: dict[int, dict[Relation, None]] = {}
        self._left_out: dict[str, tuple[int, tuple[str, ...]]] = {}

    def add(self, place: int, relation: Relation, example: str = "") -> None:
        """Add a relation to a sentence, once; one that cannot be is left out and counted.

        Args:
            place: Of the sentence, counted from 0.
            relation: Its words are counted from 0.
            example: Where it is read, if not the sentence.
        """
        sentence = self.sentences[place]
        n_words = len(sentence.words)
        if not all(0 <= word < n_words for word in (relation.source, *relation.targets)):
            self.leave_out(OUTSIDE, example or sentence.id)
        elif relation.source in relation.targets:
            self.leave_out(ITSELF, example or sentence.id)
        else:
            self._new.setdefault(place, {})[relation] = None

    def take(self, place: int, found: Iterable[Found], where: Sequence[str] = ()) -> None:
        """Add what was found in a sentence, and count what was not read.

        Args:
            place: Of the sentence, counted from 0.
            found: Relations, and reasons.
            where: Where each word is read, if not in the sentence.
        """
        for one in found:
            if isinstance(one, Relation):
                self.add(place, one)
            else:
                example = where[one.word] if where else self.sentences[place].id
                self.leave_out(one.reason, example)

    def leave_out(self, reason: str, example: str = "", count: int = 1) -> None:
        """Count what is left out; the first few examples of a reason are kept."""
        known, examples = self._left_out.get(reason, (0, ()))
        example = shown(example)
        if example and example not in examples and len(examples) < _EXAMPLES:
            examples = (*examples, example)
        self._left_out[reason] = (known + count, examples)

    def corpus(self, digest: str = "") -> Corpus:
        """Return the corpus with what was added, after what it has.

        Args:
            digest: The SHA-256 of the file that was read, if any: it becomes part of the corpus'.
        """
        sentences = list(self.sentences)
        for place, relations in self._new.items():
            sentences[place] = _with(sentences[place], relations)
        left_out = self._corpus.left_out + tuple(
            LeftOut(self._annotation, reason, count, examples)
            for reason, (count, examples) in self._left_out.items()
        )
        sha256 = self._corpus.sha256
        if digest:
            sha256 = hashlib.sha256(f"{sha256} {self._annotation} {digest}".encode()).hexdigest()
        return replace(
            self._corpus,
            sentences=sentences,
            sha256=sha256,
            left_out=tuple(dict.fromkeys(left_out)),
        )


def _with(sentence: Sentence, relations: Iterable[Relation]) -> Sentence:
    known = set(sentence.relations)
    new = [relation for relation in relations if relation not in known]
    return replace(sentence, relations=(*sentence.relations, *new)) if new else sentence


def sentence_places(sentences: Sequence[Sentence]) -> dict[str, int | None]:
    """Return the place of each sentence by its id; None where several have the same.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> twice = [tree_sentence(id, ["Go"], [-1], ["root"]) for id in ("a", "b", "b")]
        >>> sentence_places(twice)
        {'a': 0, 'b': None}
    """
    places: dict[str, int | None] = {}
    for place, sentence in enumerate(sentences):
        places[sentence.id] = None if sentence.id in places else place
    return places


def one_of(kind: str, label: str, source: int, right: Sequence[int]) -> Relation:
    """Return the relation of a word to any of several, the nearest of which is its target.

    Example:
        >>> relation = one_of("semantic", "name:PER", 4, [1, 3, 6])
        >>> relation.target, relation.also
        (3, (6, 1))
    """
    target, *also = sorted(right, key=lambda word: (abs(word - source), word))
    return Relation(kind, label, source, target, also=tuple(also))


def each_to_another(kind: str, label: str, words: Sequence[int]) -> list[Relation]:
    """Return, for each of the words, its relation to any other of them; none for a single word.

    Example:
        >>> [(one.source, one.targets) for one in each_to_another("semantic", "name:PER", [1, 2])]
        [(1, (2,)), (2, (1,))]
    """
    return [
        one_of(kind, label, source, [word for word in words if word != source])
        for source in words
        if len(words) > 1
    ]
