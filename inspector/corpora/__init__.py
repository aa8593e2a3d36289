"""Annotated text: treebanks, generated probes and plain text, as sentences with relations.

Everything that reads text for the scorers stands here, so that syntax, semantics and logic reach
them in one form. Must not know: torch, transformers, what a score is.
"""

from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.annotation.registry import annotate, annotate_from
from inspector.corpora.default import default_corpus
from inspector.corpora.formats.conllu_files import read_conllu, write_conllu
from inspector.corpora.formats.download import NamedCorpus, fetch_corpus, named_corpora
from inspector.corpora.formats.from_tree import tree_sentence
from inspector.corpora.formats.memory_corpus import memory_corpus
from inspector.corpora.formats.plain_text import read_text
from inspector.corpora.formats.read_corpus import read_corpus
from inspector.corpora.formats.spacy_parse import parse_text
from inspector.corpora.probes import meaning_probes, syntax_probes
from inspector.corpora.sentence import Corpus, Labels, LeftOut, Relation, Sentence, Skipped

__all__ = [
    "Sentence",
    "Relation",
    "Skipped",
    "LeftOut",
    "Corpus",
    "Labels",
    "read_corpus",
    "read_annotated",
    "memory_corpus",
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
