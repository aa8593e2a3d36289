"""Comparison: what is compared, and what with ("taller than the tree", "as old as her").

`comparison:standard`: the head of what it is compared with to the word that compares.
`comparison:cue`: "than", or the second "as", to the word that compares, which it does not depend
on. Must not know: files, models.

Source: https://universaldependencies.org/workgroups/comparatives.html
"""

from inspector.corpora.readers.adding import Additions
from inspector.corpora.readers.parsed import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation

STANDARD, CUE = "comparison:standard", "comparison:cue"
_COMPARING = frozenset({"more", "less", "fewer", "rather", "other", "else", "different", "worse"})
_COMPARING |= {"better", "further", "later", "sooner", "otherwise"}
_EQUAL = frozenset({"as", "so", "same"})
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
        for word, lemma in enumerate(tree.lemmas):
            if lemma not in ("than", "as") or tree.labels[word] not in ("case", "mark", "cc"):
                continue
            standard = tree.heads[word]
            compared = _compared(tree, word, standard, lemma)
            if compared is None:
                if lemma == "than":
                    added.leave_out(_NONE, sentence.id)
                continue
            for label, source in ((STANDARD, standard), (CUE, word)):
                added.add(place, Relation("logical", label, source, compared))
    return added.corpus()


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
