"""Words that belong together: a relation from each to the others, any of which is right.

Must not know: what holds the words together, files, models.
"""

from collections.abc import Sequence

from inspector.corpora.sentence import Relation


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
