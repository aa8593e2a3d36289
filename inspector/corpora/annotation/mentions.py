"""Mentions of entities, from the brackets that treebanks keep in MISC as `Entity=`.

A mention that cannot be read is left out with file, line and reason; the others are kept.

Source: https://github.com/UniversalDependencies/UD_English-GUM, README.md (brackets as in
CoNLL-2012; the fields of a bracket are named in `# global.Entity`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from inspector.corpora.sentence import Sentence, Skipped

FIELDS = ("GRP", "etype", "infstat", "salience", "centering", "minspan", "link", "identity")
"""What a bracket says where no `# global.Entity` does: the fields of GUM, in order."""
_ENTITY_NAMES = ("GRP", "eid")
_KEY, _DECLARED = "Entity=", "# global.Entity"
_BRACKET = re.compile(r"\((?P<opened>[^()]+)(?P<alone>\))?|(?P<closed>[^()]+)\)")


@dataclass(frozen=True, slots=True)
class Mention:
    """Words of a sentence that speak of an entity; words count from 0."""

    document: str
    sentence: int
    """Its sentence's place among those that were given."""
    entity: str
    """Unique in the document only."""
    start: int
    end: int
    """The last word."""
    head: int
    """The word that stands for the mention."""
    min_words: tuple[int, ...]
    """The words that annotators hold for its core."""
    etype: str
    """'person', 'place', …"""
    infstat: str
    """'new', 'giv:act', …: whether readers know the entity already, by the annotators."""
    link: str
    """How it goes back: 'ana', 'coref', 'sgl', …; not whether it has an antecedent."""
    identity: str
    """The Wikipedia title, '' where there is none."""


def has_mentions(sentences: Sequence[Sentence]) -> bool:
    """Return whether any sentence marks a mention, readable or not."""
    return any(_KEY in sentence.source for sentence in sentences)


def read_mentions(
    sentences: Sequence[Sentence], documents: Sequence[str]
) -> tuple[list[Mention], list[Skipped]]:
    """Return the mentions of sentences in the order in which they open, and what was left out.

    Of mentions that open at one word the longer comes first. The head is the word whose head in
    the tree lies outside; of several such words the first: GUM's minspan names the last of them,
    'exposure' for '50 years of limited L2 exposure'.

    Args:
        sentences: In the order of the text.
        documents: The document of each sentence.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> cells = ["Entity=(4-person-new-_____-cf1-1-ana)", "_"]
        >>> tree = tree_sentence("s", ["She", "left"], [1, -1], ["nsubj", "root"], misc=cells)
        >>> mentions, left_out = read_mentions([tree], ["d"])
        >>> mentions[0].entity, mentions[0].head, left_out
        ('4', 0, [])
    """
    mentions: list[Mention] = []
    left_out: list[Skipped] = []
    names: tuple[str, ...] = FIELDS
    declared_in: str | None = None
    for place, (sentence, document) in enumerate(zip(sentences, documents, strict=True)):
        if document != declared_in:
            names, declared_in = FIELDS, document
        if _DECLARED in sentence.source:
            names = _declared(sentence, names)
        if _KEY in sentence.source:
            brackets = _Brackets(sentence, names)
            brackets.read()
            mentions += brackets.mentions(place, document)
            left_out += brackets.faults
    return mentions, left_out


def _declared(sentence: Sentence, names: tuple[str, ...]) -> tuple[str, ...]:
    for comment in sentence.comments:
        if comment.startswith(_DECLARED):
            names = tuple(comment.partition("=")[2].strip().split("-"))
    return names


@dataclass
class _Brackets:
    """The brackets of one sentence."""

    sentence: Sentence
    names: tuple[str, ...]
    found: list[tuple[int, int, int, list[str]]] = field(default_factory=list)
    """Of each mention: start, end, how many opened before it, fields."""
    faults: list[Skipped] = field(default_factory=list)
    _open: list[tuple[int, int, list[str]]] = field(default_factory=list)
    _opened: int = 0

    def read(self) -> None:
        """Find the mentions, and what is wrong with the others."""
        if not any(name in self.names for name in _ENTITY_NAMES):
            self._fault(0, f"# global.Entity ({'-'.join(self.names)}) has no field GRP")
            return
        for word, cell in _cells(self.sentence):
            self._read_cell(word, cell)
        for start, _, fields in self._open:
            self._fault(
                start,
                f"a mention of entity {self._entity(fields)} opens at word {start + 1} and is not "
                "closed where the sentence ends",
            )

    def _read_cell(self, word: int, cell: str) -> None:
        read_to = 0
        for bracket in _BRACKET.finditer(cell):
            if bracket.start() != read_to:
                break
            read_to = bracket.end()
            if bracket["closed"] is not None:
                self._close(word, bracket["closed"])
                continue
            fields = bracket["opened"].split("-", len(self.names) - 1)
            if bracket["alone"]:
                self.found.append((word, word, self._opened, fields))
            else:
                self._open.append((word, self._opened, fields))
            self._opened += 1
        if read_to < len(cell):
            self._fault(word, f"Entity ({cell[read_to:][:40]}) at word {word + 1} is no bracket")

    def _close(self, word: int, entity: str) -> None:
        """Close the innermost mention of an entity that is open; others must not be inside it."""
        places = [i for i, (*_, fields) in enumerate(self._open) if self._entity(fields) == entity]
        if not places:
            self._fault(
                word,
                f"entity {entity} is closed at word {word + 1} and is not open: it was closed "
                "twice, or never opened",
            )
            return
        start, number, fields = self._open.pop(places[-1])
        inside = [self._entity(other) for at, _, other in self._open[places[-1] :] if at > start]
        if inside:
            self._fault(
                word,
                f"the mention of entity {entity} at words {start + 1}-{word + 1} crosses that of "
                f"entity {inside[0]}: brackets must be nested",
            )
        else:
            self.found.append((start, word, number, fields))

    def _entity(self, fields: list[str]) -> str:
        return self._value(fields, "GRP") or self._value(fields, "eid")

    def _value(self, fields: list[str], name: str) -> str:
        place = self.names.index(name) if name in self.names else len(fields)
        return fields[place] if place < len(fields) else ""

    def _fault(self, word: int, reason: str) -> None:
        line = self.sentence.line + _lines_before(self.sentence, word) if self.sentence.line else 0
        self.faults.append(Skipped(self.sentence.file, line, self.sentence.id, reason))

    def mentions(self, place: int, document: str) -> Iterator[Mention]:
        """Yield the mentions that were found, in the order in which they open."""
        heads = self.sentence.heads
        for start, end, _, fields in sorted(self.found, key=lambda one: (one[0], -one[1], one[2])):
            tops = [w for w in range(start, end + 1) if not start <= heads[w] <= end]
            spans = self._value(fields, "minspan").split(",")
            counted = [int(n) for n in spans if n.isdecimal() and len(n) <= 9]
            yield Mention(
                document=document,
                sentence=place,
                entity=self._entity(fields),
                start=start,
                end=end,
                head=tops[0],
                min_words=tuple(start + n - 1 for n in counted),
                etype=self._value(fields, "etype"),
                infstat=self._value(fields, "infstat"),
                link=self._value(fields, "link"),
                identity=self._value(fields, "identity"),
            )


def _cells(sentence: Sentence) -> Iterator[tuple[int, str]]:
    for word, misc in enumerate(sentence.misc):
        if _KEY in misc:
            for part in misc.split("|"):
                if part.startswith(_KEY):
                    yield word, part.removeprefix(_KEY)


def _lines_before(sentence: Sentence, word: int) -> int:
    """Return how many lines stand between the first word's line and a word's, ranges counted."""
    ids = [line.partition("\t")[0] for line in sentence.source.split("\n") if line[:1] != "#"]
    return ids.index(str(word + 1)) - ids.index("1")
