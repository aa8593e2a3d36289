"""Word meaning: content words of one sentence that WordNet relates, and pairs matched to them.

`meaning:synonym`, `:antonym`, `:hypernym` (to the broader word, three steps at most), `:part` (to
the whole). A word's commonest meaning is compared with the three commonest of the other, antonyms
against all: not annotated in context, and noisy.
`meaning-control:…`: for each, a pair that WordNet does not relate, at the same distance, of the
same parts of speech and of the nearest frequencies.

Source: Fellbaum (1998), WordNet.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path

from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Additions, Found, Unread
from inspector.corpora.readers.annotation_table import word_number
from inspector.corpora.readers.parsed_sentence import parsed
from inspector.corpora.readers.wordnet import DEBIAN, TAGS, Pointer, Synset, WordNet
from inspector.corpora.sentence import Corpus, Relation, Sentence

KINDS = ("synonym", "antonym", "hypernym", "part")
_STEPS = 3
_SENSES = 3
_WHOLES = ("#p", "#m", "#s")
_UNMATCHED = "a related pair without a pair to match it in the corpus"
Word = tuple[str, str]
"""Lemma and universal part of speech."""


@dataclass(frozen=True)
class _Pair:
    """An ordered pair of content words of a sentence."""

    sentence: int
    source: int
    target: int


def read_word_meaning(corpus: Corpus, folder: str | Path = DEBIAN) -> Corpus:
    """Return the corpus with pairs of words that WordNet relates, and their control pairs.

    Args:
        corpus: With lemmas and parts of speech.
        folder: WordNet's database files; where Debian keeps them, if not given.

    Raises:
        InputError: If they are not there.
        OutputError: If they cannot be read.
    """
    wordnet = WordNet(Path(folder))
    added = Additions(corpus, "meaning")
    contents = [_content_words(corpus, place) for place in range(len(corpus.sentences))]
    counts = Counter(word for content in contents for word in content.values())
    meanings = _Meanings(wordnet, set(counts))
    related = _related_pairs(contents, meanings)
    for label, pairs in related.items():
        for pair in pairs:
            relation = Relation("semantic", f"meaning:{label}", pair.source, pair.target)
            added.add(pair.sentence, relation)
    controls = _Controls(contents, counts, related)
    for label, pairs in related.items():
        for pair in pairs:
            control = controls.match(pair)
            if control is None:
                added.leave_out(_UNMATCHED, corpus.sentences[pair.sentence].id)
                continue
            name = f"meaning-control:{label}"
            relation = Relation("semantic", name, control.source, control.target)
            added.add(control.sentence, relation)
    if wordnet.broken:
        added.leave_out("a synset that is not at its place", str(folder), wordnet.broken)
    return added.corpus(wordnet.sha256())


def carried_meaning(sentence: Sentence) -> Iterator[Found]:
    """Yield the relations of the word meaning in a sentence's last column.

    A word says `Meaning=antonym:7`: how it is related, and to which word.
    """
    for word, value in misc_values(sentence.misc, "Meaning"):
        for said in filter(None, value.split(",")):
            kind, _, number = said.partition(":")
            if kind in KINDS:
                yield Relation("semantic", f"meaning:{kind}", word, word_number(number))
            else:
                yield Unread("a Meaning value that is not KIND:word")


def _content_words(corpus: Corpus, place: int) -> dict[int, Word]:
    tree = parsed(corpus.sentences[place])
    if tree is None:
        return {}
    return {word: (tree.lemmas[word], tag) for word, tag in enumerate(tree.upos) if tag in TAGS}


class _Meanings:
    """How words are related by their commonest senses."""

    def __init__(self, wordnet: WordNet, words: set[Word]) -> None:
        self._wordnet = wordnet
        self._senses = wordnet.senses(words)
        self._broader: dict[Synset, frozenset[Synset]] = {}

    def between(self, source: Word, target: Word) -> list[str]:
        """Return how the source is related to the target; nothing for one word twice."""
        ones, others = self._senses.get(source, ()), self._senses.get(target, ())
        if not ones or not others or source[0] == target[0]:
            return []
        near = others[:_SENSES]
        found = []
        if ones[0] in near or others[0] in ones[:_SENSES]:
            found.append("synonym")
        if any(self._is_antonym(one, source[0], others, target[0]) for one in ones):
            found.append("antonym")
        if not self._closure(ones[0]).isdisjoint(near):
            found.append("hypernym")
        if any(p.symbol in _WHOLES and p.target in near for p in self._pointers(ones[0])):
            found.append("part")
        return found

    def _closure(self, synset: Synset) -> frozenset[Synset]:
        if synset not in self._broader:
            found: set[Synset] = set()
            row = {synset}
            for _ in range(_STEPS):
                row = {
                    pointer.target
                    for one in row
                    for pointer in self._pointers(one)
                    if pointer.symbol in ("@", "@i")
                } - found
                found |= row
            self._broader[synset] = frozenset(found)
        return self._broader[synset]

    def _is_antonym(
        self, one: Synset, source: str, others: tuple[Synset, ...], target: str
    ) -> bool:
        return any(
            pointer.symbol == "!"
            and pointer.target in others
            and self._word(one, pointer.source_word) == source
            and self._word(pointer.target, pointer.target_word) == target
            for pointer in self._pointers(one)
        )

    def _word(self, synset: Synset, number: int) -> str:
        words = self._wordnet.meaning(synset).words
        return words[number - 1] if 0 < number <= len(words) else ""

    def _pointers(self, synset: Synset) -> tuple[Pointer, ...]:
        return self._wordnet.meaning(synset).pointers


def _pairs(contents: list[dict[int, Word]]) -> Iterator[tuple[_Pair, Word, Word]]:
    for place, content in enumerate(contents):
        for source, word in content.items():
            for target, other in content.items():
                if source != target and word[0] != other[0]:
                    yield _Pair(place, source, target), word, other


def _related_pairs(contents: list[dict[int, Word]], meanings: _Meanings) -> dict[str, list[_Pair]]:
    found: dict[str, list[_Pair]] = {kind: [] for kind in KINDS}
    known: dict[tuple[Word, Word], list[str]] = {}
    for place, source, target in _pairs(contents):
        if (source, target) not in known:
            known[source, target] = meanings.between(source, target)
        for kind in known[source, target]:
            found[kind].append(place)
    return found


class _Controls:
    """Unrelated pairs of the corpus, by distance and parts of speech, each to be used once."""

    def __init__(
        self,
        contents: list[dict[int, Word]],
        counts: Counter[Word],
        related: dict[str, list[_Pair]],
    ) -> None:
        self._contents = contents
        self._logs = {word: log(count) for word, count in counts.items()}
        taken = {pair for pairs in related.values() for pair in pairs}
        taken |= {_Pair(pair.sentence, pair.target, pair.source) for pair in taken}
        wanted = {self._shape(pair) for pairs in related.values() for pair in pairs}
        self._free: dict[tuple[int, str, str], list[tuple[float, float, _Pair]]] = {}
        for pair, source, target in _pairs(contents):
            shape = (pair.target - pair.source, source[1], target[1])
            if shape in wanted and pair not in taken:
                row = (self._logs[source], self._logs[target], pair)
                self._free.setdefault(shape, []).append(row)

    def _shape(self, pair: _Pair) -> tuple[int, str, str]:
        content = self._contents[pair.sentence]
        return (pair.target - pair.source, content[pair.source][1], content[pair.target][1])

    def match(self, pair: _Pair) -> _Pair | None:
        """Return the free pair of this shape that is nearest in frequency, and use it up."""
        free = self._free.get(self._shape(pair))
        if not free:
            return None
        content = self._contents[pair.sentence]
        source, target = self._logs[content[pair.source]], self._logs[content[pair.target]]
        best = min(
            range(len(free)),
            key=lambda i: (abs(free[i][0] - source) + abs(free[i][1] - target), i),
        )
        return free.pop(best)[2]
