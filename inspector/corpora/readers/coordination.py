"""Coordination as logic: the operator and what it joins, in the order in which it is said.

`coordination:and`, `:or`, `:but`: the conjunction to the conjunct before it, which in Universal
Dependencies is not its head (that is the conjunct after it). `coordination:conjuncts`: a conjunct
to the one before it; the tree has the first instead. Must not know: files, models.

Source: https://universaldependencies.org/u/overview/specific-syntax.html#coordination
"""

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation

CONJUNCTS = "coordination:conjuncts"
OPERATORS = LEXICON.conjunctions
"""Lemma of the conjunction → operator."""
_ALONE = "a conjunction whose other conjunct is not in its sentence"
_UNKNOWN = "a conjunction other than and, or, but"


def coordinations(corpus: Corpus) -> Corpus:
    """Return the corpus with `coordination:…` relations.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> words, heads = ["Sing", "or", "dance"], [-1, 2, 0]
        >>> sentence = tree_sentence("s", words, heads, ["root", "cc", "conj"])
        >>> found = coordinations(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations
        >>> [(relation.label, relation.source, relation.target) for relation in found[2:]]
        [('coordination:or', 1, 0), ('coordination:conjuncts', 2, 0)]
    """
    added = Additions(corpus, "coordination")
    for place, sentence in enumerate(corpus.sentences):
        tree = parsed(sentence)
        if tree is None:
            continue
        for relation in coordinations_in(tree):
            added.add(place, relation)
        for word in _conjunctions(tree):
            if tree.lemmas[word] not in OPERATORS:
                added.leave_out(_UNKNOWN, sentence.id)
            elif conjunct_before(tree, tree.heads[word]) is None:
                added.leave_out(_ALONE, sentence.id)
    return added.corpus()


def coordinations_in(tree: Parsed) -> list[Relation]:
    """Return the operators and conjuncts of one tree."""
    found = []
    for word in _conjunctions(tree):
        before = conjunct_before(tree, tree.heads[word])
        if before is not None and tree.lemmas[word] in OPERATORS:
            name = f"coordination:{OPERATORS[tree.lemmas[word]]}"
            found.append(Relation("logical", name, word, before))
    for word in range(len(tree.heads)):
        before = conjunct_before(tree, word)
        if before is not None:
            found.append(Relation("logical", CONJUNCTS, word, before))
    return found


def _conjunctions(tree: Parsed) -> list[int]:
    return [
        word
        for word, label in enumerate(tree.labels)
        if label == "cc" and tree.deprels[word] != "cc:preconj"
    ]


def conjunct_before(tree: Parsed, conjunct: int) -> int | None:
    """Return the conjunct that is said before this one, or None where it is the first."""
    if tree.labels[conjunct] != "conj":
        return None
    first = tree.heads[conjunct]
    row = [first, *tree.children_by(first, "conj")]
    return max((word for word in row if word < conjunct), default=None)
