"""Comparison: what is compared, and what with ("taller than the tree", "as old as her").

`comparison:standard`: the head of what it is compared with to the word that compares.
`comparison:cue`: "than", or the second "as", to the word that compares, which it does not depend
on. Must not know: files, models.

Source: https://universaldependencies.org/workgroups/comparatives.html
"""

from collections.abc import Iterator

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation

STANDARD, CUE = "comparison:standard", "comparison:cue"
_COMPARING = LEXICON.comparing_words
_COMPARING |= {"better", "further", "later", "sooner", "otherwise"}
_EQUAL = LEXICON.equal_degrees
_NONE = "a 'than' without a word that compares"


def comparisons(corpus: Corpus) -> Corpus:
    """Return the corpus with `comparison:standard` and `comparison:cue`.

    An "as" alone ("works as a cook") does not compare; one before it ("as tall as") makes it.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> words, heads = ["Dogs", "are", "bigger", "than", "cats"], [2, 2, -1, 4, 2]
        >>> labels, tags = ["nsubj", "cop", "root", "case", "obl"], "NOUN AUX ADJ ADP NOUN".split()
        >>> sentence = tree_sentence("s", words, heads, labels, upos=tags)
        >>> found = comparisons(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations
        >>> [(relation.label, relation.source, relation.target) for relation in found[4:]]
        [('comparison:standard', 4, 2), ('comparison:cue', 3, 2)]
    """
    added = Additions(corpus, "comparison")
    for place, sentence in enumerate(corpus.sentences):
        tree = parsed(sentence)
        if tree is None:
            continue
        found = list(comparisons_in(tree))
        for relation in found:
            added.add(place, relation)
        comparing = {relation.source for relation in found}
        alone = [word for word in _cues(tree) if word not in comparing]
        if lost := sum(tree.lemmas[word] == "than" for word in alone):
            added.leave_out(_NONE, sentence.id, lost)
    return added.corpus()


def comparisons_in(tree: Parsed) -> Iterator[Relation]:
    """Yield the comparisons of one tree."""
    for cue in _cues(tree):
        standard = tree.heads[cue]
        compared = _compared(tree, cue, standard, tree.lemmas[cue])
        if compared is not None:
            yield Relation("logical", STANDARD, standard, compared)
            yield Relation("logical", CUE, cue, compared)


def _cues(tree: Parsed) -> list[int]:
    return [
        word
        for word, lemma in enumerate(tree.lemmas)
        if lemma in ("than", "as") and tree.labels[word] in ("case", "mark", "cc")
    ]


def _compared(tree: Parsed, cue: int, standard: int, lemma: str) -> int | None:
    """Return the word whose degree is compared: the nearest before the cue that can be."""
    head = tree.heads[standard]
    if head < 0:
        return None
    if lemma == "than" and head < cue and _is_comparative(tree, head):
        return _quality(tree, head, standard)
    inside = set(tree.subtree(standard))
    near = [word for word in tree.subtree(head) if word < cue and word not in inside]
    for word in reversed(near):
        fits = tree.lemmas[word] in _EQUAL if lemma == "as" else _is_comparative(tree, word)
        if fits and tree.labels[word] not in ("case", "mark", "cc", "fixed"):
            return _quality(tree, word, standard)
    return None


def _quality(tree: Parsed, word: int, standard: int) -> int:
    """Return what "more" or "as" modifies, where that is an adjective or an adverb."""
    head = tree.heads[word]
    modifies = tree.labels[word] == "advmod" and head >= 0 and head != standard
    return head if modifies and tree.upos[head] in ("ADJ", "ADV") else word


def _is_comparative(tree: Parsed, word: int) -> bool:
    if tree.feats[word] != "_":
        if "Degree=Cmp" in tree.feats[word]:
            return True
    elif tree.upos[word] in ("ADJ", "ADV") and tree.lemmas[word].endswith("er"):
        return True
    return tree.lemmas[word] in _COMPARING
