"""One text of the battery while it is written: words, their tags, and what is asked of them."""

from collections.abc import Iterable

from inspector.corpora.battery.words import ProbeWords
from inspector.corpora.sentence import Relation, RelationSubset, Sentence
from inspector.corpora.surface import Surface

DECODER = "decoder"
"""Kind of the relations of which each has a control text or pair."""
BY_DEFINITION = "decoder-position"
"""Kind of those that are an offset by definition: compared with random models alone."""
KINDS = (DECODER, BY_DEFINITION)
APART = "apart"
"""The subset of pairs that are neither the same word twice nor joined by a path of one or two edges
of the tree."""
MATCHED = "matched"
"""Of pairs that stand in no relation, but are matched in distance and parts of speech; in texts
without parts of speech, of the words that a prediction could have been instead; in the battery, of
a probe's control."""


class Text:
    """Words in their order, written one by one."""

    def __init__(self, known: ProbeWords, lead: Iterable[str] = ()) -> None:
        """Start with some words of which nothing is asked."""
        self.known = known
        self.words: list[str] = []
        self.tags: list[str] = []
        self.relations: list[Relation] = []
        self.write(*lead)

    def write(self, *words: str, tag: str | None = None) -> int:
        """Add words, and return the place of the first of them."""
        place = len(self.words)
        self.words += words
        self.tags += [tag or self.known.band.get(word, "X") for word in words]
        return place

    def ask(self, probe: str, source: int, target: int, *, control: bool = False) -> None:
        """Ask from one word for another; of a control, that it is not found."""
        if probe == "previous-token":
            self.relations.append(Relation(BY_DEFINITION, probe, source, target))
        elif control:
            name = RelationSubset(probe, MATCHED).name
            self.relations.append(Relation(DECODER, name, source, target))
        else:
            self.relations.append(Relation(DECODER, probe, source, target, subsets=(APART,)))

    def sentence(self, name: str, document: str, probes: Iterable[str]) -> Sentence:
        """Return the text, with the relations of some probes."""
        asked = set(probes)
        spans, start = [], len(self.known.before)
        for word in self.words:
            spans.append((start, start + len(word)))
            start += len(word) + 1
        text = self.known.before + " ".join(self.words)
        return Sentence(
            id=name,
            document=document,
            words=tuple(self.words),
            upos=tuple(self.tags),
            relations=tuple(
                one for one in self.relations if RelationSubset.of(one.label).relation in asked
            ),
            text=text,
            written=Surface(text, tuple(spans)),
        )
