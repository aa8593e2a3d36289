"""Annotated text: treebanks, generated probes and plain text, as sentences with relations.

Everything that reads text for the scorers stands here, so that syntax, semantics and logic reach
them in one form. Must not know: torch, transformers, what a score is.
"""

from inspector.corpora.sentence import Corpus, Labels, Relation, Sentence, Skipped
from inspector.corpora.treebank import read_conllu, write_conllu
from inspector.corpora.trees import tree_sentence

__all__ = [
    "Sentence",
    "Relation",
    "Skipped",
    "Corpus",
    "Labels",
    "read_conllu",
    "write_conllu",
    "tree_sentence",
]
