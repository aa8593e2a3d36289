"""Logic in trees of Universal Dependencies: negation, conditions, coordination, comparison, counts.

`neg:scope`: "not", "never", "no", … to the word that it modifies ("not" to "came", "no" to "dog").
`neg:predicate`: a negating word in a noun phrase ("no dog came", "nobody came") to the predicate
that the phrase is an argument of.
`condition:consequence`: the head of the condition to the head of what follows from it ("if it
rains, we stay"). `condition:cue`: "if" or "unless" to the head of what follows, which it does not
depend on. Read from adverbial clauses, and from GUM's `CxnElt`.
`coordination:and`, `:or`, `:but`: the conjunction to the conjunct before it, which is not its head
(that is the conjunct after it). `coordination:conjuncts`: a conjunct to the one before it; the tree
has the first instead.
`comparison:standard`: the head of what something is compared with to the word that compares
("taller than the tree", "as old as her"). `comparison:cue`: "than", or the second "as", to the word
that compares, which it does not depend on.
`quantifier:noun`: "every", "some", "many" to its noun; `quantifier:partitive`: "some of the books"
to the books; `quantifier:scope`: the quantifier to the predicate whose argument the noun is, which
it does not depend on. "No" is read as negation, numerals are not read.

Features and parts of speech come first, and are all that is read of another language: negation by
`Polarity=Neg` and `PronType=Neg`, quantifiers by `PronType=Tot` and `Ind`, conjunctions by `CCONJ`,
each under its own lemma (`coordination:und`). In English texts lists of English words
(lexicon.yaml) add what has no such feature. "If" and "than" are told by these lists alone.

Source: https://universaldependencies.org/u/feat/Polarity.html (nobody, nothing and no have
PronType=Neg), https://universaldependencies.org/workgroups/constructions.html (Protasis and
Apodosis as GUM has them), https://universaldependencies.org/u/overview/specific-syntax.html and
https://universaldependencies.org/workgroups/comparatives.html.
"""

from collections.abc import Iterator

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Found, Unread
from inspector.corpora.readers.parsed_sentence import Parsed
from inspector.corpora.sentence import Relation

_MODIFYING = frozenset({"advmod", "det", "cc", "neg"})
_NEGATING = frozenset({"PART", "ADV", "DET", "PRON", "CCONJ"})
"""Parts of speech of words that negate others; verbs with Polarity=Neg are negated themselves."""
_NO_HEAD = Unread("a negating word that modifies none (an answer such as 'no')")
_NO_CONSEQUENCE = Unread("a condition without its consequence in the sentence")
_NO_CONJUNCT = Unread("a conjunction whose other conjunct is not in its sentence")
_NO_OPERATOR = Unread("a conjunction other than and, or, but")
_NO_CCONJ = Unread("a conjunction that is not tagged CCONJ")
_NOTHING_COMPARED = Unread("a 'than' without a word that compares")
_NEGATIVE = LEXICON.negating_words | LEXICON.negating_pronouns
_COMPARING = LEXICON.comparing_words | {"better", "further", "later", "sooner", "otherwise"}


def _logical(label: str, source: int, target: int) -> Relation:
    return Relation("logical", label, source, target)


def negations(tree: Parsed) -> Iterator[Found]:
    """Yield what negating words modify, and the predicates that they negate from afar."""
    for word, label in enumerate(tree.labels):
        if not _is_negating(tree, word):
            continue
        modifies = label in _MODIFYING or (label == "aux" and not tree.english)
        if modifies:
            yield _logical("neg:scope", word, tree.heads[word])
        predicate = None
        if label == "det" or not modifies:
            predicate = tree.predicate_above(word)
        if predicate is not None:
            yield _logical("neg:predicate", word, predicate)
        elif not modifies:
            yield _NO_HEAD


def _is_negating(tree: Parsed, word: int) -> bool:
    """Return whether a word negates, by its features or its lemma."""
    if tree.labels[word] in ("fixed", "goeswith", "reparandum"):
        return False
    feats, tag = tree.feats[word], tree.upos[word]
    if tag in ("PRON", "DET", "ADV") and "PronType=Neg" in feats:
        return True
    if tag in _NEGATING and "Polarity=Neg" in feats and tree.labels[word] in _MODIFYING:
        return True  # "nicht", "不": what negates in another language
    if tree.english:
        return tree.lemmas[word] in _NEGATIVE
    return tag == "AUX" and "Polarity=Neg" in feats and tree.labels[word] == "aux"  # "ない", "ei"


def conditions(tree: Parsed) -> Iterator[Found]:
    """Yield conditions with their consequences, of adverbial clauses and of GUM's constructions."""
    for clause, label in enumerate(tree.labels):
        if label != "advcl":
            continue
        marks = tree.children_by(clause, "mark") if tree.english else []
        cues = [mark for mark in marks if tree.lemmas[mark] in LEXICON.conditions]
        # "as if" compares
        if cues and not any(tree.lemmas[mark] in ("as", "like") for mark in marks):
            yield _logical("condition:consequence", clause, tree.heads[clause])
            yield _logical("condition:cue", cues[0], tree.heads[clause])
    parts: dict[str, dict[str, int]] = {}  # of each construction, named by the word that bears it
    for word, elements in misc_values(tree.misc, "CxnElt"):
        for element in elements.split(","):
            bearer, _, name = element.partition(":")
            construction, _, part = name.rpartition(".")
            if construction.startswith("Conditional"):
                parts.setdefault(f"{bearer}:{construction}", {}).setdefault(part, word)
    for found in parts.values():
        if "Protasis" not in found or "Apodosis" not in found:
            yield _NO_CONSEQUENCE
        elif found["Protasis"] != found["Apodosis"]:
            yield _logical("condition:consequence", found["Protasis"], found["Apodosis"])


def coordinations(tree: Parsed) -> Iterator[Found]:
    """Yield operators and conjuncts, in the order in which they are said."""
    for word, label in enumerate(tree.labels):
        if label != "cc" or tree.deprels[word] == "cc:preconj":
            continue
        before = _conjunct_before(tree, tree.heads[word])
        operator = LEXICON.conjunctions.get(tree.lemmas[word]) if tree.english else None
        if not tree.english and tree.upos[word] == "CCONJ":
            operator = tree.lemmas[word]
        if operator is None:
            yield _NO_OPERATOR if tree.english else _NO_CCONJ
        elif before is None:
            yield _NO_CONJUNCT
        else:
            yield _logical(f"coordination:{operator}", word, before)
    for word in range(len(tree.heads)):
        before = _conjunct_before(tree, word)
        if before is not None:
            yield _logical("coordination:conjuncts", word, before)


def _conjunct_before(tree: Parsed, conjunct: int) -> int | None:
    """Return the conjunct that is said before this one, or None where it is the first."""
    if tree.labels[conjunct] != "conj":
        return None
    first = tree.heads[conjunct]
    row = [first, *tree.children_by(first, "conj")]
    return max((word for word in row if word < conjunct), default=None)


def comparisons(tree: Parsed) -> Iterator[Found]:
    """Yield what is compared, and what with.

    An "as" alone ("works as a cook") does not compare; one before it ("as tall as") makes it.
    """
    for cue, lemma in enumerate(tree.lemmas):
        if (
            not tree.english
            or lemma not in ("than", "as")
            or tree.labels[cue] not in ("case", "mark", "cc")
        ):
            continue
        standard = tree.heads[cue]
        compared = _compared(tree, cue, standard, lemma)
        if compared is not None:
            yield _logical("comparison:standard", standard, compared)
            yield _logical("comparison:cue", cue, compared)
        elif lemma == "than":
            yield _NOTHING_COMPARED


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
        equal = tree.lemmas[word] in LEXICON.equal_degrees
        fits = equal if lemma == "as" else _is_comparative(tree, word)
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


def _is_quantifier(tree: Parsed, word: int) -> bool:
    if tree.english:
        return tree.lemmas[word] in LEXICON.quantifiers
    feats = tree.feats[word]
    return tree.upos[word] == "DET" and ("PronType=Tot" in feats or "PronType=Ind" in feats)


def quantifiers(tree: Parsed) -> Iterator[Found]:
    """Yield what quantifiers count and range over."""
    for word, lemma in enumerate(tree.lemmas):
        counting = tree.english and lemma in LEXICON.counting_nouns
        if not counting and not _is_quantifier(tree, word):
            continue
        counted = [
            child
            for child in tree.children_by(word, "nmod")  # after "of", the quantifier its head
            if child > word and any(tree.lemmas[w] == "of" for w in tree.children_by(child, "case"))
        ]
        for noun in counted:
            yield _logical("quantifier:partitive", word, noun)
        noun = tree.heads[word]
        modifies = tree.labels[word] in ("det", "amod", "nummod")
        if counted or counting or not modifies or tree.upos[noun] not in ("NOUN", "PROPN", "PRON"):
            continue
        yield _logical("quantifier:noun", word, noun)
        predicate = tree.predicate_above(noun)
        if predicate is not None:
            yield _logical("quantifier:scope", word, predicate)
