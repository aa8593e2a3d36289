"""Heads that follow a relation each, and that one rung of the ladder alone explains.

Must not know: how any figure is computed from them.
"""

from dataclasses import replace

import numpy as np

from benchmarks.nulls import random_words
from inspector.corpora import Relation, Sentence
from inspector.heads.specialization.ladder.words import word_table

EXPLAINED = {
    "either target": "matched-target",
    "first word": "position",
    "free": "",
    "keyword": "matched-source",
    "next verb": "word-class",
    "seldom else": "",
    "two words": "",
    "whoever asks": "matched-source",
}
"""Relation → the rung that explains the head of its place; '' where none does."""
_DOCUMENTS, _SENTENCES, _WORDS = 30, 4, 16
# More than a run of the commonest six goes through: else a run to the left ends at the first word.
_TAGS = (*("NOUN",) * 8, *("VERB",) * 4, *("ADJ", "ADP", "ADV", "DET", "INTJ", "NUM", "PRON", "X"))


def rungs_table():
    """Return the table: head i follows the i-th relation, and looks anywhere from other words."""
    draw, size = np.random.default_rng(7), _DOCUMENTS * _SENTENCES
    looks = random_words(np.full(size, _WORDS), len(EXPLAINED), 0)
    sentences = []
    for number in range(size):
        tags = draw.choice(_TAGS, _WORDS).tolist()
        forms = [f"w{one}" for one in draw.integers(0, 999, _WORDS)]
        but, other = draw.choice(np.arange(3, 13), 2, replace=False).tolist()
        forms[but], forms[other] = "but", ("and", "or")[number % 2]
        first = number * _WORDS
        own = looks[0, :, first : first + _WORDS]
        pairs = []
        for head, name in enumerate(EXPLAINED):
            for source in draw.choice(np.arange(1, _WORDS), 3, replace=False).tolist():
                planted = _planted(name, source, tags, (but, other), draw)
                if planted is not None:
                    target, found = planted
                    pairs.append(Relation("syntax", name, source, target))
                    for word, seen in found.items():
                        own[head, word] = first + seen
        sentences.append(
            Sentence(f"s{number}", None, tuple(forms), tuple(tags), tuple(pairs), None)
        )
    documents = [f"d{number // _SENTENCES}" for number in range(size)]
    return word_table(sentences, documents, looks)


def graded_table(shares):
    """Return the table of two relations that each head follows in a share of the pairs."""
    table, draw = rungs_table(), np.random.default_rng(5)
    sentences = tuple(
        replace(
            one,
            relations=tuple(
                replace(pair, label="few" if number % 6 == 0 else "many")
                for pair in one.relations
                if pair.label == "free"
            ),
        )
        for number, one in enumerate(table.sentences)
    )
    looks = random_words(table.lengths, len(shares), 8)
    graded = word_table(sentences, table.documents, looks)
    for label in ("few", "many"):
        pairs = graded.pairs(label, "dependent_to_head")
        for head, share in enumerate(shares):
            hit = draw.random(len(pairs.asked)) < share
            looks[0, head, pairs.asked[hit]] = pairs.expected[hit]
    return graded


def _planted(name, source, tags, marks, draw):
    """Return the target of a source, and where the head looks from which words; None for none."""
    target = int(draw.choice([word for word in range(_WORDS) if word != source]))
    if name == "first word":
        return 0, {source: 0}
    if name in ("keyword", "seldom else", "two words"):
        mark, others = marks[name == "two words"], 0.5 if name == "seldom else" else 1.0
        # Of another class than all near it: nothing to match by class.
        if source == mark or any(tags[word] == tags[source] for word in _near(source)):
            return None
        asked = [word for word in range(_WORDS) if word != mark and draw.random() < others]
        return mark, dict.fromkeys((source, *asked), mark)
    if name == "whoever asks":
        alike = [word for word in _near(source) if tags[word] == tags[source]]
        asked = (source, *alike) if draw.random() < 0.8 else alike
        return target, {word: target for word in asked if word != target}
    if name == "either target":
        alike = [word for word in _near(target) if tags[word] == tags[target] and word != source]
        return target, {source: int(draw.choice([target, *alike, *alike]))}
    if name == "next verb":
        verbs = [word for word in range(source + 1, _WORDS) if tags[word] == "VERB"]
        if not verbs:
            return None
        return verbs[0] if draw.random() < 0.6 else target, {source: verbs[0]}
    return target, {source: target}


def _near(word):
    return [word + by for by in (-2, -1, 1, 2) if 0 <= word + by < _WORDS]
