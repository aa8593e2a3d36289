"""Quantifiers: the noun that they count, and the predicate that they range over.

`quantifier:noun`: "every", "some", "many" to its noun; `quantifier:partitive`: "some of the books"
to the books; `quantifier:scope`: the quantifier to the predicate whose argument the noun is, which
it does not depend on. "No" is read as negation, numerals are not read. Must not know: files,
models.
"""

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation

NOUN, PARTITIVE, SCOPE = "quantifier:noun", "quantifier:partitive", "quantifier:scope"
QUANTIFIERS = LEXICON.quantifiers
"""Lemmas that count things without a number."""
_COUNTING_NOUNS = LEXICON.counting_nouns
_MODIFYING = frozenset({"det", "amod", "nummod"})
_THINGS = frozenset({"NOUN", "PROPN", "PRON"})


def quantifiers(corpus: Corpus) -> Corpus:
    """Return the corpus with `quantifier:…` relations.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> heads, labels = [1, 2, -1], ["det", "nsubj", "root"]
        >>> tags = ["DET", "NOUN", "VERB"]
        >>> sentence = tree_sentence("s", ["Every", "dog", "barked"], heads, labels, upos=tags)
        >>> found = quantifiers(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations
        >>> [(relation.label, relation.source, relation.target) for relation in found[2:]]
        [('quantifier:noun', 0, 1), ('quantifier:scope', 0, 2)]
    """
    added = Additions(corpus, "quantifiers")
    for place, sentence in enumerate(corpus.sentences):
        tree = parsed(sentence)
        if tree is None:
            continue
        for relation in quantifiers_in(tree):
            added.add(place, relation)
    return added.corpus()


def quantifiers_in(tree: Parsed) -> list[Relation]:
    """Return what the quantifiers of one tree count and range over."""
    return [
        Relation("logical", label, word, target)
        for word in range(len(tree.heads))
        for label, target in _targets(tree, word)
    ]


def _targets(tree: Parsed, word: int) -> list[tuple[str, int]]:
    lemma, head = tree.lemmas[word], tree.heads[word]
    if lemma not in QUANTIFIERS and lemma not in _COUNTING_NOUNS:
        return []
    found = [(PARTITIVE, counted) for counted in _counted(tree, word)]
    if found or lemma in _COUNTING_NOUNS:
        return found
    if tree.labels[word] in _MODIFYING and tree.upos[head] in _THINGS:
        found.append((NOUN, head))
        predicate = tree.predicate_above(head)
        if predicate is not None:
            found.append((SCOPE, predicate))
    return found


def _counted(tree: Parsed, word: int) -> list[int]:
    """Return the noun after "of", where the quantifier is its head."""
    return [
        child
        for child in tree.children_by(word, "nmod")
        if child > word and any(tree.lemmas[w] == "of" for w in tree.children_by(child, "case"))
    ]
