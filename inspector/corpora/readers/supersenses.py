"""Supersenses and idioms of STREUSLE: words of the same class of meaning, words of one expression.

`supersense:noun`, `:verb`, `:preposition`: a word to any other of its sentence with the same
supersense and another lemma. `idiom:verb`, `idiom:other`: a word to another of the same strong
multiword expression; names are left to `names`. Must not know: models, how lines are read.

Source: Schneider & Smith (2015), NAACL; columns as in STREUSLE's CONLLULEX.md.
"""

from pathlib import Path

from inspector.corpora.readers.adding import Additions
from inspector.corpora.readers.groups import each_to_another, one_of
from inspector.corpora.readers.notes import Block, Notes
from inspector.corpora.sentence import Corpus

_COLUMNS = 19
_UPOS, _EXPRESSION, _CATEGORY, _LEMMA, _SENSE = 3, 10, 11, 12, 13
_CLASSES = {"n.": "noun", "v.": "verb", "p.": "preposition"}
_BROKEN = "a strong expression that is not number:word"


def read_supersenses(corpus: Corpus, path: str | Path) -> Corpus:
    """Return the corpus with the supersenses and the idioms of a CoNLL-U-Lex file.

    An expression's supersense stands at its first word, and so do its relations.

    Args:
        corpus: The corpus that the file belongs to.
        path: Word lines of 19 cells, sentences named by `# sent_id`.

    Raises:
        InputError: If the file is not UTF-8, or no sentence is the corpus'.
        OutputError: If it cannot be read.
    """
    notes = Notes(corpus, path, "supersenses")
    for block in notes.blocks(_COLUMNS):
        place = notes.place_of(block)
        if place is not None:
            _add_senses(notes.added, place, block)
            _add_idioms(notes, place, block)
    return notes.corpus()


def _add_senses(added: Additions, place: int, block: Block) -> None:
    classes: dict[str, list[tuple[int, str]]] = {}
    for word, (_, cells) in enumerate(block.rows):
        if cells[_SENSE][:2] in _CLASSES:
            classes.setdefault(cells[_SENSE], []).append((word, cells[_LEMMA].lower()))
    for sense, members in classes.items():
        label = f"supersense:{_CLASSES[sense[:2]]}"
        for source, lemma in members:
            if right := [word for word, other in members if other != lemma]:
                added.add(place, one_of("semantic", label, source, right))


def _add_idioms(notes: Notes, place: int, block: Block) -> None:
    groups: dict[str, list[int]] = {}
    for word, (line, cells) in enumerate(block.rows):
        if cells[_EXPRESSION] == "_":
            continue
        number, colon, member = cells[_EXPRESSION].partition(":")
        if not (colon and number.isdecimal() and member.isdecimal()):
            notes.added.leave_out(_BROKEN, notes.where(line))
            continue
        groups.setdefault(number, []).append(word)
    for words in groups.values():
        rows = [block.rows[word][1] for word in words]
        if all(cells[_UPOS] == "PROPN" for cells in rows):
            continue
        label = "idiom:verb" if rows[0][_CATEGORY].startswith("V") else "idiom:other"
        for relation in each_to_another("semantic", label, words):
            notes.added.add(place, relation)
