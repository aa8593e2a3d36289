"""All annotation beyond the tree: what a treebank carries by itself, and what files add to it.

The one registry: a name for each, the function that reads it, and what its relations say. Rows are
added to a sentence's relations, none is replaced.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspector.corpora.formats.line_reader import LineReader, shown
from inspector.corpora.readers import logic, semantic_roles, user_relations
from inspector.corpora.readers.added_relations import Additions, Found
from inspector.corpora.readers.connectives import connectives
from inspector.corpora.readers.entity_names import carried_names, read_names
from inspector.corpora.readers.parsed_sentence import Parsed, is_english, parsed
from inspector.corpora.readers.paths import paths
from inspector.corpora.readers.semantic_roles import carried_roles, read_roles
from inspector.corpora.readers.supersenses import carried_supersenses, read_supersenses
from inspector.corpora.readers.user_relations import read_relations
from inspector.corpora.readers.word_meaning import carried_meaning, read_word_meaning
from inspector.corpora.readers.wordnet import DEBIAN
from inspector.corpora.sentence import Corpus, Sentence
from inspector.errors import InputError

Reading = Callable[[Additions, Sequence[str]], None]
"""Takes what a corpus shall be given, and the document of each of its sentences."""


@dataclass(frozen=True)
class Carried:
    """Annotation that sentences carry by themselves."""

    read: Reading
    relations: tuple[str, ...]
    """How the names of its relations begin; none where the tree has named them."""
    needs: str
    """Where it is read."""


@dataclass(frozen=True)
class Beside:
    """Annotation that stands in a file beside the corpus."""

    read: Callable[[Corpus, str | Path], Corpus]
    relations: tuple[str, ...]
    file: str
    """What its file looks like."""


def _each(read: Callable[[Sentence], Iterable[Found]]) -> Reading:
    """Return what reads every sentence by itself."""

    def over(added: Additions, documents: Sequence[str]) -> None:
        for place, sentence in enumerate(added.sentences):
            added.take(place, read(sentence))

    return over


def _trees(read: Callable[[Parsed], Iterable[Found]], told_by: str = "") -> Reading:
    """Return what reads the tree of every sentence that has one.

    Args:
        read: Takes a tree.
        told_by: The English words without which nothing of it can be told.
    """

    def over(added: Additions, documents: Sequence[str]) -> None:
        english = is_english(added.sentences)
        trees = 0
        for place, sentence in enumerate(added.sentences):
            tree = parsed(sentence, english=english)
            if tree is not None:
                trees += 1
                added.take(place, read(tree))
        if told_by and trees and not english:
            added.leave_out(
                f"sentences not in English: English words tell ({told_by})", count=trees
            )

    return over


CARRIED: dict[str, Carried] = {
    "paths": Carried(paths, (), "the tree"),
    "negation": Carried(_trees(logic.negations), ("neg:",), "the tree"),
    "conditions": Carried(
        _trees(logic.conditions, "if, unless"), ("condition:",), "the tree, CxnElt="
    ),
    "coordination": Carried(_trees(logic.coordinations), ("coordination:",), "the tree"),
    "comparison": Carried(_trees(logic.comparisons, "than, as"), ("comparison:",), "the tree"),
    "quantifiers": Carried(_trees(logic.quantifiers), ("quantifier:",), "the tree"),
    "connectives": Carried(connectives, ("connective:", "connective-own:"), "PDTB="),
    "roles": Carried(_each(carried_roles), ("role:", "role-dep:", "role-copula:", "neg:"), "Args="),
    "names": Carried(_each(carried_names), ("name:",), "Name="),
    "meaning": Carried(_each(carried_meaning), ("meaning:",), "Meaning="),
    "supersenses": Carried(
        _each(carried_supersenses), ("supersense:", "idiom:"), "Supersense=, Idiom="
    ),
}
"""Name → annotation, in the order in which it is added."""

BESIDE: dict[str, Beside] = {
    "roles": Beside(
        read_roles, CARRIED["roles"].relations, "a table with the columns sent_id, pred_id, …"
    ),
    "names": Beside(read_names, ("name:",), "IOB2 tags, *.iob2"),
    "supersenses": Beside(
        read_supersenses, ("supersense:", "idiom:"), "CoNLL-U-Lex of STREUSLE, *.conllulex"
    ),
    "meaning": Beside(
        read_word_meaning,
        ("meaning:", "meaning-control:"),
        "a folder of WordNet's database files, or 'wordnet' for Debian's",
    ),
    "relations": Beside(
        read_relations, ("user:",), "a table with the columns sent_id, from, to, label"
    ),
}
"""Name → annotation in files."""
_SUFFIXES = {".iob2": "names", ".conllulex": "supersenses"}
_WORDNET = "wordnet"


def annotate(corpus: Corpus, names: Sequence[str] | None = None) -> Corpus:
    """Return the corpus with the annotation that its sentences carry.

    Twice is the same as once. Generated probes of syntax stay as they are, and so do trees in
    other label schemes than Universal Dependencies' (those of a parser).

    Args:
        corpus: What to annotate; it is not changed.
        names: Some of `CARRIED`; all where not given.

    Raises:
        InputError: If a name is unknown.

    Example:
        >>> from inspector.corpora import meaning_probes
        >>> probes = meaning_probes()[:20]
        >>> corpus = annotate(Corpus("probes", probes, [], "", "generated"), ["conditions"])
        >>> corpus.relation_counts()["logical", "condition:cue"]
        1
    """
    for name in CARRIED if names is None else names:
        if name not in CARRIED:
            raise InputError(
                f"annotation ({name!r}) must be a known one. Available: "
                f"{', '.join(map(repr, CARRIED))}."
            )
        if not corpus.annotation.startswith("silver:"):
            added = Additions(corpus, name)
            CARRIED[name].read(added, corpus.document_ids())
            corpus = added.corpus()
    return corpus


def annotate_from(corpus: Corpus, path: str | Path) -> Corpus:
    """Return the corpus with the annotation of a file, whose kind is told from the file itself.

    Args:
        corpus: What the file belongs to.
        path: One of the files of `BESIDE`.

    Raises:
        InputError: If it is none of them, or does not belong to the corpus.
        OutputError: If it cannot be read.
    """
    if str(path) == _WORDNET and not Path(path).exists():
        path = DEBIAN
    return BESIDE[_kind_of(Path(path))].read(corpus, path)


def _kind_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if path.is_dir() or path == DEBIAN:
        return "meaning"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    first = next(iter(LineReader(path, hashlib.sha256(), "annotation")), (1, ""))[1] or ""
    columns = first.split("\t")
    for name, needed in (("roles", semantic_roles.COLUMNS), ("relations", user_relations.COLUMNS)):
        if set(needed) <= set(columns):
            return name
    available = "; ".join(f"{name}: {beside.file}" for name, beside in BESIDE.items())
    raise InputError(
        f"annotation ({shown(path)}) must be of a kind that can be told by its suffix or by the "
        f"columns that its first line names. Available: {available}."
    )
