"""Annotated text: treebanks, generated probes and plain text, as sentences with relations.

Everything that reads text for the scorers stands here, so that syntax, semantics and logic reach
them in one form. Must not know: torch, transformers, what a score is.
"""

from inspector.corpora.annotations import annotate, annotate_from
from inspector.corpora.default import default_corpus
from inspector.corpora.making import tree_sentence
from inspector.corpora.plain_text import read_text
from inspector.corpora.probes import meaning_probes, syntax_probes
from inspector.corpora.reading import read_corpus
from inspector.corpora.sentence import Corpus, Labels, LeftOut, Relation, Sentence, Skipped
from inspector.corpora.silver import parse_text
from inspector.corpora.sources import NamedCorpus, fetch_corpus, named_corpora
from inspector.corpora.treebank import read_conllu, write_conllu

__all__ = [
    "Sentence",
    "Relation",
    "Skipped",
    "LeftOut",
    "Corpus",
    "Labels",
    "read_corpus",
    "annotate",
    "annotate_from",
    "default_corpus",
    "read_conllu",
    "write_conllu",
    "read_text",
    "parse_text",
    "syntax_probes",
    "meaning_probes",
    "tree_sentence",
    "NamedCorpus",
    "named_corpora",
    "fetch_corpus",
]
