"""Negation in trees: what a negating word modifies, and the predicate it negates from afar.

`neg:scope`: "not", "never", "no", … to the word that it modifies ("not" to "came", "no" to "dog").
`neg:predicate`: a negating word in a noun phrase ("no dog came", "nobody came") to the predicate
that the phrase is an argument of. Must not know: files, models.

Source: https://universaldependencies.org/u/feat/Polarity.html; nobody, nothing and no have
PronType=Neg.
"""

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation

SCOPE, PREDICATE = "neg:scope", "neg:predicate"
_CUES = LEXICON.negating_words
_PRONOUNS = LEXICON.negating_pronouns
_MODIFYING = frozenset({"advmod", "det", "cc", "neg"})
_WORDS = frozenset({"PART", "ADV", "DET", "PRON", "CCONJ"})
"""Parts of speech of words that negate others; verbs with Polarity=Neg are negated themselves."""
_NO_HEAD = "a negating word that modifies none (an answer such as 'no')"


def negations(corpus: Corpus) -> Corpus:
    """Return the corpus with `neg:scope` and `neg:predicate`, from the negating word.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> heads, labels = [1, 2, -1], ["det", "nsubj", "root"]
        >>> sentence = tree_sentence("s", ["No", "dog", "barked"], heads, labels)
        >>> found = negations(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations[2:]
        >>> [(relation.label, relation.source, relation.target) for relation in found]
        [('neg:scope', 0, 1), ('neg:predicate', 0, 2)]
    """
    added = Additions(corpus, "negation")
    for place, sentence in enumerate(corpus.sentences):
        tree = parsed(sentence)
        if tree is None:
            continue
        found = negations_in(tree)
        for relation in found:
            added.add(place, relation)
        negating = {relation.source for relation in found}
        alone = [w for w in range(len(tree.heads)) if is_cue(tree, w) and w not in negating]
        if alone:
            added.leave_out(_NO_HEAD, sentence.id, len(alone))
    return added.corpus()


def negations_in(tree: Parsed) -> list[Relation]:
    """Return the negations of one tree."""
    return [
        Relation("logical", label, word, target)
        for word in range(len(tree.heads))
        if is_cue(tree, word)
        for label, target in _targets(tree, word)
    ]


def is_cue(tree: Parsed, word: int) -> bool:
    """Return whether a word negates, by its features or its lemma."""
    if tree.labels[word] in ("fixed", "goeswith", "reparandum"):
        return False
    feats, tag = tree.feats[word], tree.upos[word]
    if tag in ("PRON", "DET", "ADV") and "PronType=Neg" in feats:
        return True
    if tag in _WORDS and "Polarity=Neg" in feats and tree.labels[word] in _MODIFYING:
        return True  # "nicht", "不": what negates in another language
    return tree.lemmas[word] in _CUES or tree.lemmas[word] in _PRONOUNS


def _targets(tree: Parsed, word: int) -> list[tuple[str, int]]:
    found = []
    modifies = tree.labels[word] in _MODIFYING
    if modifies:
        found.append((SCOPE, tree.heads[word]))
    if tree.labels[word] == "det" or not modifies:
        predicate = tree.predicate_above(word)
        if predicate is not None:
            found.append((PREDICATE, predicate))
    return found
