"""Relations that a user writes: a table of sentence, word, word and label over any CoNLL-U file.

The label LABEL becomes the relation `user:LABEL`, so that it can be mixed up with none of
inspector's.
"""

from pathlib import Path

from inspector.corpora.readers.annotation_table import Notes, word_number
from inspector.corpora.sentence import Corpus, Relation

COLUMNS = ("sent_id", "from", "to", "label")
"""Columns of a user's file; a fifth, kind, may say 'semantic' or 'logical'."""
KINDS = ("semantic", "logical")
_MAX_LABELS = 200


def read_relations(corpus: Corpus, path: str | Path) -> Corpus:
    """Return the corpus with a user's own relations, each named `user:LABEL`.

    Args:
        corpus: Any corpus whose sentences have ids.
        path: A table separated by tabs with the columns sent_id, from, to, label and, if wanted,
            kind ("semantic", where not said, or "logical"); from and to are word numbers
            of CoNLL-U, counted from 1.

    Raises:
        InputError: If a column is missing, or no sentence is the corpus'.
        OutputError: If the file cannot be read.
    """
    notes = Notes(corpus, path, "relations")
    labels: set[str] = set()
    for line, row in notes.table(COLUMNS):
        where = notes.where(line)
        label, kind = row["label"].strip(), row.get("kind", "").strip() or "semantic"
        if not label or not label.isprintable() or len(label) > 100:
            notes.added.leave_out("a label that is empty, too long or not printable", where)
            continue
        if kind not in KINDS:
            notes.added.leave_out(f"a kind that is none of {', '.join(KINDS)}", where)
            continue
        labels.add(label)
        if len(labels) > _MAX_LABELS:
            notes.added.leave_out(f"a label beyond the first {_MAX_LABELS}", where)
            labels.discard(label)
            continue
        place = notes.place(row["sent_id"], line)
        if place is not None:
            source, target = word_number(row["from"]), word_number(row["to"])
            notes.added.add(place, Relation(kind, f"user:{label}", source, target), where)
    return notes.corpus()
