"""What must be ruled out before a relation of meaning counts as one: syntax, strings, positions.

For each pair: whether it is more than the same word twice or a path of one or two edges of the
tree, and another pair of the same text that is like it but for the relation.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from inspector.corpora.battery.text import APART, BY_DEFINITION, MATCHED
from inspector.corpora.battery.text import KINDS as OF_BATTERY
from inspector.corpora.readers.paths import KIND as PATHS
from inspector.corpora.sentence import Relation, RelationSubset, Sentence

OF_TREES = ("syntax", PATHS)
"""Kinds that the tree alone explains: there is nothing to rule out."""
WITHOUT_CONTROLS = (*OF_TREES, BY_DEFINITION)
"""Kinds whose claims are not asked for controls of meaning."""
_AS_THEY_ARE = (*OF_TREES, *OF_BATTERY)


def with_controls(sentence: Sentence, heads: Sequence[int]) -> Sentence:
    """Return the sentence with the controls of its relations of meaning and logic.

    A pair is counted as 'label|apart' too if no right word is the same word as the source, upper
    and lower case alike, or one or two edges from it in the tree: its head or dependent, one of
    theirs, or another dependent of its head. For each pair there is, where the
    text has one, a relation 'label|matched': from another word of the source's part of speech to
    words of the targets' parts of speech at the distances nearest to theirs, none of which is
    right for it. Which of the words of that part of speech is drawn by the sentence's id, the
    label and the source. Where a text has no parts of speech no two words are known to be alike but
    those that a reading chooses from: the matched pair is then from the source itself to the one
    of these that is not right, of several the one whose distance is nearest (in GAP and WinoBias
    from the pronoun to the other person). Relations of the tree, paths among them,
    and those of the decoder battery, which brings its own controls, stay as they are.

    Args:
        sentence: With its relations.
        heads: Each word's head in the tree, counted from 0; empty without a tree.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> words, tags = ["Ann", "saw", "Bo", "run"], ["PROPN", "VERB", "PROPN", "VERB"]
        >>> tree = tree_sentence("s", words, [1, -1, 3, 1], ["nsubj", "root", "nsubj", "ccomp"],
        ...                      upos=tags)
        >>> agent = Relation("semantic", "role:ARG0", 1, 0)
        >>> controlled = with_controls(replace(tree, relations=(agent,)), tree.heads)
        >>> [(one.label, one.source, one.target) for one in controlled.relations]
        [('role:ARG0', 1, 0), ('role:ARG0|matched', 3, 2)]
    """
    asked = [relation for relation in sentence.relations if relation.kind not in _AS_THEY_ARE]
    if not asked:
        return sentence
    matching = _Rivals(asked) if sentence.upos is None else _Matching(sentence, asked)
    relations: list[Relation] = []
    for relation in sentence.relations:
        if relation.kind in _AS_THEY_ARE:
            relations.append(relation)
            continue
        if is_apart(relation, sentence.words, heads):
            relation = replace(relation, subsets=(*relation.subsets, APART))
        relations.append(relation)
        if matched := matching.of(relation):
            relations.append(matched)
    return replace(sentence, relations=tuple(relations))


def is_apart(relation: Relation, words: Sequence[str], heads: Sequence[int]) -> bool:
    """Return whether a pair is neither the same word twice nor one or two edges apart."""
    source = relation.source
    return not any(
        words[word].casefold() == words[source].casefold()
        or (len(heads) > 0 and _are_near(source, word, heads))
        for word in relation.targets
    )


def _are_near(one: int, other: int, heads: Sequence[int]) -> bool:
    """Return whether a path of one or two edges joins two words of a tree."""
    up = [{word, heads[word]} - {-1} for word in (one, other)]
    return bool(up[0] & up[1]) or any(
        heads[middle] == end
        for start, end in ((one, other), (other, one))
        if (middle := heads[start]) >= 0
    )


class _Rivals:
    """Finds the words that stand beside the right ones to be chosen from."""

    def __init__(self, asked: Sequence[Relation]) -> None:
        self._rivals: dict[int, set[int]] = {}
        for relation in asked:
            self._rivals.setdefault(relation.source, set()).update(relation.among)
        for relation in asked:
            self._rivals[relation.source] -= {relation.source, *relation.targets}

    def of(self, relation: Relation) -> Relation | None:
        """Return the pair of the same source with a rival, None where it has none."""
        rivals = self._rivals[relation.source]
        if not rivals or relation.also:
            return None
        source, away = relation.source, abs(relation.target - relation.source)
        rival = min(rivals, key=lambda word: (abs(abs(word - source) - away), word))
        label = RelationSubset(relation.label, MATCHED).name
        return Relation(relation.kind, label, source, rival, among=relation.among)


class _Matching:
    """Draws pairs of a text that are like related ones."""

    def __init__(self, sentence: Sentence, asked: Sequence[Relation]) -> None:
        self._id = sentence.id
        self._tags = sentence.upos or ()
        self._related: dict[int, set[int]] = {}
        for relation in asked:
            self._related.setdefault(relation.source, set()).update(relation.targets)
            for target in relation.targets:
                self._related.setdefault(target, set()).add(relation.source)
        self._places: dict[tuple[tuple[int, ...], str], list[int]] = {}

    def of(self, relation: Relation) -> Relation | None:
        """Return the matched relation, None where the text has none."""
        alike = self._of_tag(relation.among, self._tags[relation.source])
        sources = [word for word in alike if word != relation.source]
        draw = Random(f"{self._id} {relation.label} {relation.source}")  # noqa: S311
        draw.shuffle(sources)
        for source in sources:
            taken = {source, *self._related.get(source, ())}
            found: list[int] = []
            for target in relation.targets:
                wanted = source + target - relation.source
                places = self._of_tag(relation.among, self._tags[target])
                word = _nearest(places, wanted, source, taken)
                if word is None:
                    break
                taken.add(word)
                found.append(word)
            if len(found) == len(relation.targets):
                label = RelationSubset(relation.label, MATCHED).name
                also, among = tuple(found[1:]), relation.among
                return Relation(relation.kind, label, source, found[0], also=also, among=among)
        return None

    def _of_tag(self, among: tuple[int, ...], tag: str) -> list[int]:
        key = (among, tag)
        if key not in self._places:
            words = among or range(len(self._tags))
            self._places[key] = [word for word in words if self._tags[word] == tag]
        return self._places[key]


def _nearest(places: list[int], wanted: int, source: int, taken: set[int]) -> int | None:
    """Return the free place nearest to the one wanted, on the same side of the source."""
    right = bisect_left(places, wanted)
    left = right - 1
    after = wanted > source
    while left >= 0 or right < len(places):
        near_left = left >= 0 and (
            right >= len(places) or wanted - places[left] <= places[right] - wanted
        )
        word = places[left] if near_left else places[right]
        if word not in taken and (word > source) == after:
            return word
        if near_left:
            left -= 1
        else:
            right += 1
    return None
