"""Known truths: heads planted on a treebank, and what must be said of each of them.

16 follow a relation, 20 do not, 8 have one simpler role. Must not know: how a claim is judged.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.nulls import counted, guessing, random_words
from benchmarks.table import Measure

if TYPE_CHECKING:
    from jaxtyping import Int64

    from inspector.corpora import Corpus, Sentence
    from inspector.heads.specialization.ladder.heads_on_ladder import OnLadder
    from inspector.heads.specialization.ladder.words import WordTable

RULES = {
    "the next verb to the left": ("VERB", "left"),
    "the next noun to the right": ("NOUN", "right"),
    "the end of the nouns to the right": ("NOUN", "right-run"),
}
PLACES = {"the first word": "first", "the last word": "last", "the second word": "2"}
WORDS = {"'but'": "but", "'and'": "and"}
HEADS = (
    *("the tree", "the tree of det", "objects of verbs", "half the tree", "the word before"),
    *RULES,
    *PLACES,
    *WORDS,
    "anything",
    "over the noun",
)
PATH = "obl+case"
"""From a preposition over its noun to the predicate: two edges, neither of which a head follows
that follows both."""
ASKED = ("advmod", "amod", "case", "conj", "det", "mark", "nmod", "nsubj", "obj", "obl")
HOLDS = {
    *(("the tree", name, "dependent_to_head") for name in ASKED),
    *(("half the tree", name, "dependent_to_head") for name in ("nmod", "nsubj", "obl")),
    ("the tree of det", "det", "dependent_to_head"),
    ("objects of verbs", "obj", "head_to_dependent"),
    ("over the noun", PATH, "dependent_to_head"),
}
FAILS = {
    *(("the tree of det", name, "dependent_to_head") for name in ("amod", "case", "nsubj")),
    *(("objects of verbs", name, "head_to_dependent") for name in ("nsubj", "obl")),
    *((name, relation, "dependent_to_head") for name in RULES for relation in ("det", "obj")),
    *(("the word before", name, "dependent_to_head") for name in ("advmod", "obj")),
    *((name, "nsubj", "head_to_dependent") for name in PLACES),
    ("anything", "det", "dependent_to_head"),
    *((name, PATH, "dependent_to_head") for name in ("the tree", "the next verb to the left")),
    ("over the noun", "case", "dependent_to_head"),
}
EARNS = {
    **{name: {f"word-class:{tag}:{side.partition('-')[0]}"} for name, (tag, side) in RULES.items()},
    **{name: {f"position:{place}"} for name, place in PLACES.items()},
    **{name: {f"keyword:{word}"} for name, word in WORDS.items()},
}
N_TRUTHS = len(HOLDS) + len(FAILS) + len(EARNS)


def run() -> list[Measure]:
    """Return how many of the truths are said."""
    from benchmarks.nulls import gold
    from inspector.corpora import annotate, read_conllu
    from inspector.corpora.default import sample_files

    found = gold()
    table = planted(
        annotate(read_conllu([found] if found else sample_files()), ["coordination", "paths"])
    )
    held, roles, _ = said(table)
    right = len(HOLDS & held) + len(FAILS - held)
    right += sum(roles[name] == earned for name, earned in EARNS.items())
    what = f"truths: of {N_TRUTHS} about planted heads, said on {len(table.sentences)} sentences"
    return [Measure(what, right, "", at_least=N_TRUTHS if found else None)]


def said(
    table: "WordTable",
) -> "tuple[set[tuple[str, str, str]], dict[str, set[str]], OnLadder]":
    """Return which head holds for which relation, the simpler roles of each, and the syntax."""
    found, far = climbed(table, ASKED), climbed(table, (PATH,))
    logic = climbed(table, ("coordination:and", "coordination:but"))
    held = {
        (HEADS[row["head"]], row["relation"], row["direction"])
        for one in (found, far)
        for row in one.supported.query("supported").to_dict("records")
    }
    roles: dict[str, set[str]] = defaultdict(set)
    for row in pd.concat([found.roles, far.roles, logic.roles]).to_dict("records"):
        roles[HEADS[row["head"]]].add(row["role"])
    return held, roles, found


def climbed(table: "WordTable", labels: Sequence[str]) -> "OnLadder":
    """Return what the ladder leaves of every head, beside three that look anywhere."""
    from inspector.heads.specialization.claims import relation_claims
    from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
    from inspector.heads.specialization.split import documents_holding
    from inspector.heads.specialization.supported_heads import supported_heads

    counts = counted(table, labels)
    random_models = [counted(guessing(table, seed), labels) for seed in (1, 2, 3)]
    claims, support = relation_claims(counts, random_models), supported_heads(counts, random_models)
    return on_ladder(claims, support, table, documents_holding(counts))


def planted(corpus: "Corpus") -> "WordTable":
    """Return the table of a treebank and heads of which it is known what they do."""
    from inspector.heads.specialization.ladder.rules import SIDES, class_words
    from inspector.heads.specialization.ladder.words import word_table

    sentences, documents = corpus.sentences, corpus.document_ids()
    lengths = np.array([len(one.words) for one in sentences])
    looks = random_words(lengths, len(HEADS), 0)
    table = word_table(sentences, documents, looks.copy())
    word, start, end = np.arange(len(table.start)), table.start, table.end
    at = dict(zip(HEADS, looks[0], strict=True))
    anything = at["anything"].copy()
    tree = tree_words(sentences, anything.copy())
    at["the tree"][:] = tree
    half = np.random.default_rng(1).random(len(word)) < 0.6
    at["half the tree"][:] = np.where(half, tree, anything)
    for label, direction, name in (
        ("det", "dependent_to_head", "the tree of det"),
        ("obj", "head_to_dependent", "objects of verbs"),
        (PATH, "dependent_to_head", "over the noun"),
    ):
        pairs = table.pairs(label, direction)
        at[name][pairs.asked] = pairs.expected

    def look(name: str, words: "Int64[np.ndarray, ' word']") -> None:
        known = (words >= start) & (words < end) & (words != word)
        at[name][:] = np.where(known, words, anything)

    look("the word before", word - 1)
    for name, (tag, side) in RULES.items():
        inside = table.tag == table.tags.index(tag)
        look(name, class_words(inside, table)[SIDES.index(side)])
    for name, place in zip(PLACES, (start, end - 1, start + 1), strict=True):
        look(name, place)
    for name, form in WORDS.items():
        inside = np.array(table.forms) == form
        look(name, class_words(inside, table)[SIDES.index("either")])
    return word_table(sentences, documents, looks)


def tree_words(
    sentences: "Sequence[Sentence]", predicted: "Int64[np.ndarray, ' word']"
) -> "Int64[np.ndarray, ' word']":
    """Return the predictions, but each word that has a head looks at it."""
    start = 0
    for sentence in sentences:
        for pair in sentence.relations:
            if pair.kind == "syntax":
                predicted[start + pair.source] = start + pair.target
        start += len(sentence.words)
    return predicted
