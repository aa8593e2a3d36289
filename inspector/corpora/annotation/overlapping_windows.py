"""A text that is longer than a model takes, as windows of it that overlap by half.

Each word is described in one window alone, that in which it stands furthest from both ends; so is
each relation, which is asked nowhere if no window holds all its words.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from inspector.corpora.sentence import Relation, Sentence
from inspector.corpora.surface import Surface


def overlapping_places(lengths: Sequence[int], limit: int) -> list[range]:
    """Return windows of words, each begun where half of the one before it is read.

    Args:
        lengths: The tokens of each word.
        limit: Those of a window, at most; a word that has more stands alone.

    Example:
        >>> overlapping_places([1] * 9, 4)
        [range(0, 4), range(2, 6), range(4, 8), range(6, 9)]
    """
    ends = [0, *accumulate(lengths)]
    found: list[range] = []
    start = 0
    while not found or found[-1].stop < len(lengths):
        stop, half = start + 1, start + 1
        while stop < len(lengths) and ends[stop + 1] - ends[start] <= limit:
            stop += 1
        if found and stop == found[-1].stop:  # before a word that stands alone
            start += 1
            continue
        while half < stop and ends[half] - ends[start] < limit / 2:
            half += 1
        found.append(range(start, stop))
        start = half
    return found


def windows_of_text(sentence: Sentence, windows: Sequence[range]) -> list[Sentence]:
    """Return a text's windows, each with what is asked and described in it alone."""
    joints = [(one.stop + other.start) // 2 for one, other in pairwise(windows)]
    bounds = [0, *joints, len(sentence.words)]
    asked: list[list[Relation]] = [[] for _ in windows]
    for relation in sentence.relations:
        words = (relation.source, *relation.targets, *relation.among)
        low, high = min(words), max(words)
        room = [min(low - one.start, one.stop - 1 - high) for one in windows]
        place = max(range(len(room)), key=room.__getitem__)
        if room[place] >= 0:
            asked[place].append(relation)
    return [
        _window(sentence, one, asked[number], (bounds[number], bounds[number + 1]))
        for number, one in enumerate(windows)
    ]


def _window(
    sentence: Sentence, words: range, asked: Sequence[Relation], described: tuple[int, int]
) -> Sentence:
    first, part = words.start, slice(words.start, words.stop)
    surface = sentence.surface
    spans = surface.spans[part]
    begin = spans[0][0]
    text = surface.text[begin : spans[-1][1]]
    moved = tuple((start - begin, end - begin) for start, end in spans)
    heads = tuple(head - first if head in words else -1 for head in sentence.heads[part])
    return replace(
        sentence,
        id=f"{sentence.id}:{first + 1}-{words.stop}",
        words=sentence.words[part],
        upos=sentence.upos and sentence.upos[part],
        relations=tuple(_moved(relation, first) for relation in asked),
        text=text,
        source="",
        written=Surface(text, moved),
        lemmas=sentence.lemmas[part],
        feats=sentence.feats[part],
        heads=heads,
        deprels=sentence.deprels[part],
        misc=(),  # entities would be read twice
        described=(described[0] - first, described[1] - first),
    )


def _moved(relation: Relation, first: int) -> Relation:
    return replace(
        relation,
        source=relation.source - first,
        target=relation.target - first,
        also=tuple(word - first for word in relation.also),
        among=tuple(word - first for word in relation.among),
    )
