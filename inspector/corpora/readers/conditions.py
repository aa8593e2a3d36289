"""Condition and consequence: "if it rains, we stay", from the rain to the staying.

`condition:consequence`: the head of the condition to the head of what follows from it.
`condition:cue`: "if" or "unless" to the head of what follows, which it does not depend on.
Read from trees (an adverbial clause marked by if or unless) and from GUM's `CxnElt`.
Must not know: files, models.

Source: constructions in UD, https://universaldependencies.org/workgroups/constructions.html;
the names Protasis and Apodosis as GUM has them.
"""

from collections.abc import Iterator

from inspector.corpora.lexicon import LEXICON
from inspector.corpora.misc_column import misc_value
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import Parsed, parsed
from inspector.corpora.sentence import Corpus, Relation, Sentence

CONSEQUENCE, CUE = "condition:consequence", "condition:cue"
_MARKS = LEXICON.conditions


def conditions(corpus: Corpus) -> Corpus:
    """Return the corpus with `condition:consequence` and `condition:cue`.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> words, heads = ["If", "asked", ",", "she", "sings"], [1, 4, 1, 4, -1]
        >>> labels = ["mark", "advcl", "punct", "nsubj", "root"]
        >>> sentence = tree_sentence("s", words, heads, labels)
        >>> found = conditions(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations[3:]
        >>> [(relation.label, relation.source, relation.target) for relation in found]
        [('condition:consequence', 1, 4), ('condition:cue', 0, 4)]
    """
    added = Additions(corpus, "conditions")
    for place, sentence in enumerate(corpus.sentences):
        tree = parsed(sentence)
        if tree is None:
            continue
        for relation in (*conditions_in(tree), *_in_constructions(sentence, added)):
            added.add(place, relation)
    return added.corpus()


def conditions_in(tree: Parsed) -> Iterator[Relation]:
    """Yield the conditions of one tree."""
    for clause, label in enumerate(tree.labels):
        if label != "advcl":
            continue
        marks = tree.children_by(clause, "mark")
        cues = [mark for mark in marks if tree.lemmas[mark] in _MARKS]
        # "as if" compares
        if cues and not any(tree.lemmas[mark] in ("as", "like") for mark in marks):
            yield Relation("logical", CONSEQUENCE, clause, tree.heads[clause])
            yield Relation("logical", CUE, cues[0], tree.heads[clause])


def _in_constructions(sentence: Sentence, added: Additions) -> Iterator[Relation]:
    """Yield condition → consequence of each construction, named by the word that bears it."""
    parts: dict[str, dict[str, int]] = {}
    for word, misc in enumerate(sentence.misc):
        for element in misc_value(misc, "CxnElt").split(","):
            bearer, _, name = element.partition(":")
            construction, _, part = name.rpartition(".")
            if construction.startswith("Conditional"):
                parts.setdefault(f"{bearer}:{construction}", {}).setdefault(part, word)
    for found in parts.values():
        if "Protasis" not in found or "Apodosis" not in found:
            added.leave_out("a condition without its consequence in the sentence", sentence.id)
        elif found["Protasis"] != found["Apodosis"]:
            yield Relation("logical", CONSEQUENCE, found["Protasis"], found["Apodosis"])
