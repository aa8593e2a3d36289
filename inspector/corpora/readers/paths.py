"""Paths of two and three edges of the tree: what no single edge joins.

`obl+case`: a preposition to the predicate that its noun is an oblique of, the edges named from the
top down; `obl+nmod+case`: one noun further. A pair that one edge joins as well, in the enhanced
dependencies ("apples and pears": the tree has the pears an object over the apples, the enhanced
dependencies by themselves), is taken out. Only paths that a corpus has often are read.

Source: https://universaldependencies.org/u/overview/enhanced-syntax.html.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import parsed
from inspector.corpora.sentence import Relation, Sentence

KIND = "multi-hop"
EDGES = (2, 3)
"""Of how many edges a path may be."""
MIN_PAIRS, MIN_DOCUMENTS = 200, 10
"""Of a path in a corpus: of fewer a claim can say nothing, and there are thousands of them."""
_BETWEEN = "+"


def paths(added: Additions, documents: Sequence[str]) -> None:
    """Add the paths that the corpus has often, from the word below to the one above.

    Args:
        added: Takes what is read.
        documents: The document of each sentence.
    """
    found = [
        (place, relation)
        for place, sentence in enumerate(added.sentences)
        if parsed(sentence) is not None
        for relation in _of(sentence)
    ]
    pairs = Counter(relation.label for _, relation in found)
    holding = defaultdict(set)
    for place, relation in found:
        holding[relation.label].add(documents[place])
    for place, relation in found:
        name = relation.label
        if pairs[name] >= MIN_PAIRS and len(holding[name]) >= MIN_DOCUMENTS:
            added.add(place, relation)


def _of(sentence: Sentence) -> Iterator[Relation]:
    """Yield every path of a sentence; edges to the root and of punctuation are none."""
    edges = {one.source: one for one in sentence.relations if one.kind == "syntax"}
    joined = _joined(sentence)
    for word in sorted(edges):
        labels: list[str] = []
        here = word
        while here in edges and len(labels) < max(EDGES):
            labels.append(edges[here].label)
            here = edges[here].target
            if len(labels) in EDGES and not {(word, here), (here, word)} & joined:
                yield Relation(KIND, _BETWEEN.join(reversed(labels)), word, here)


def _joined(sentence: Sentence) -> set[tuple[int, int]]:
    """Return (dependent, head) of each enhanced dependency, words counted from 0."""
    return {
        (word, int(head) - 1)
        for word, cell in enumerate(sentence.deps)
        if cell != "_"
        for head, _, _ in (edge.partition(":") for edge in cell.split("|"))
        if head.isdecimal() and len(head) < 9
    }
