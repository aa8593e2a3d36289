"""Semantic roles of PropBank: from the head of an argument to its predicate.

`role:ARG0` and so on hold the pairs that no edge of the tree joins; `role-dep:ARG0` those where
one is the other's head in the tree, which is syntax under another name; `role-copula:ARG1` those
of a copula, which has no arguments in the tree. ARGM-NEG is read as logic: `neg:argument`, from
the negating word to the predicate.

Source: Palmer, Gildea & Kingsbury (2005), The Proposition Bank; heads of arguments as Universal
PropBank has them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Found, Unread
from inspector.corpora.readers.annotation_table import Notes, word_number
from inspector.corpora.sentence import Corpus, Relation, Sentence

COLUMNS = ("sent_id", "pred_id", "roleset", "role", "arg_id", "pred_form", "arg_form")
"""Columns of a file of roles."""
NEGATION = "neg:argument"
_AUXILIARIES = frozenset({"be.03", "have.01", "do.01"})
Tree = tuple[tuple[int, ...], tuple[str, ...]]
"""A sentence's heads and labels."""
_ROLE = re.compile(r"ARG[0-9A]|ARGM-[A-Z]{2,4}")
_AUXILIARY = f"a predicate that is an auxiliary ({', '.join(sorted(_AUXILIARIES))})"
_NO_ROLE = "a role that only continues or takes up another one (C-, R-)"
_OTHER_WORD = "a word that is not the corpus' one"


def read_roles(corpus: Corpus, path: str | Path) -> Corpus:
    """Return the corpus with the semantic roles of a file, from argument to predicate.

    Args:
        corpus: The corpus that the file belongs to.
        path: A table separated by tabs with the columns sent_id, pred_id, roleset, role, arg_id,
            pred_form, arg_form; ids are word numbers of CoNLL-U.

    Raises:
        InputError: If the columns are others, or no sentence is the corpus'.
        OutputError: If the file cannot be read.
    """
    notes = Notes(corpus, path, "roles")
    for line, row in notes.table(COLUMNS):
        where = notes.where(line)
        if row["roleset"] in _AUXILIARIES:
            notes.added.leave_out(_AUXILIARY, where)
            continue
        if not _ROLE.fullmatch(row["role"]):
            notes.added.leave_out(_NO_ROLE, where)
            continue
        place = notes.place(row["sent_id"], line)
        if place is None:
            continue
        sentence = notes.sentence(place)
        predicate, argument = word_number(row["pred_id"]), word_number(row["arg_id"])
        if not (
            _is(sentence, predicate, row["pred_form"]) and _is(sentence, argument, row["arg_form"])
        ):
            notes.added.leave_out(_OTHER_WORD, where)
            continue
        tree = (sentence.heads, sentence.deprels)
        notes.added.add(place, role_relation(row["role"], argument, predicate, tree), where)
    return notes.corpus()


def carried_roles(sentence: Sentence) -> Iterator[Found]:
    """Yield the relations of the roles in a sentence's last column.

    An argument says `Args=ARG0:3,ARG1:7`: its role and the number of its predicate, as the
    generated probes have it.
    """
    for word, value in misc_values(sentence.misc, "Args"):
        for said in filter(None, value.split(",")):
            role, _, number = said.partition(":")
            if _ROLE.fullmatch(role):
                tree = (sentence.heads, sentence.deprels)
                yield role_relation(role, word, word_number(number), tree)
            else:
                yield Unread("an Args value that is not ROLE:word")


def role_relation(role: str, argument: int, predicate: int, tree: Tree) -> Relation:
    """Return the relation of an argument to its predicate, named by how the tree joins them.

    Example:
        >>> tree = ((1, -1, 3, 1), ("nsubj", "root", "mark", "xcomp"))
        >>> role_relation("ARG1", 3, 1, tree).label, role_relation("ARG0", 0, 3, tree).label
        ('role-dep:ARG1', 'role:ARG0')
    """
    if role == "ARGM-NEG":
        return Relation("logical", NEGATION, argument, predicate)
    heads, deprels = tree
    inside = 0 <= argument < len(heads) and 0 <= predicate < len(heads)
    if inside and deprels[predicate].partition(":")[0] in ("cop", "aux"):
        name = "role-copula"
    elif inside and (heads[argument] == predicate or heads[predicate] == argument):
        name = "role-dep"
    else:
        name = "role"
    return Relation("semantic", f"{name}:{role}", argument, predicate)


def _is(sentence: Sentence, word: int, form: str) -> bool:
    return 0 <= word < len(sentence.words) and sentence.words[word] == form
