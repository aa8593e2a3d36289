"""Supersenses and idioms of STREUSLE: words of the same class of meaning, words of one expression.

`supersense:noun`, `:verb`, `:preposition`: a word to any other of its sentence with the same
supersense and another lemma. `idiom:verb`, `idiom:other`: a word to another of the same strong
multiword expression; names are left to `names`. The last column may hold them too
(`Supersense=n.FOOD`, `Idiom=verb:1`). Must not know: models, how lines are read.

Source: Schneider & Smith (2015), NAACL; columns as in STREUSLE's CONLLULEX.md.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from inspector.corpora.misc_column import misc_value
from inspector.corpora.readers.added_relations import Additions, each_to_another, one_of
from inspector.corpora.readers.annotation_table import Block, Notes
from inspector.corpora.sentence import Corpus, Relation

_COLUMNS = 19
_UPOS, _EXPRESSION, _CATEGORY, _LEMMA, _SENSE = 3, 10, 11, 12, 13
_CLASSES = {"n.": "noun", "v.": "verb", "p.": "preposition"}
_IDIOM = re.compile(r"(?:verb|other):[0-9]{1,4}")
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


def carried_supersenses(corpus: Corpus) -> Corpus:
    """Return the corpus with the supersenses and idioms that its own last column holds.

    Words with the same value of `Idiom=` are of one idiom: its kind and a number.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> misc = ["Idiom=verb:1", "_", "Idiom=verb:1"]
        >>> labels = ["root", "amod", "obj"]
        >>> sentence = tree_sentence("s", ["Take", "good", "care"], [-1, 2, 0], labels, misc=misc)
        >>> found = carried_supersenses(Corpus("c", [sentence], [], "", "generated"))
        >>> [(one.label, one.source, one.target) for one in found.sentences[0].relations[2:]]
        [('idiom:verb', 0, 2), ('idiom:verb', 2, 0)]
    """
    added = Additions(corpus, "supersenses")
    for place, sentence in enumerate(corpus.sentences):
        if "Supersense=" not in sentence.source and "Idiom=" not in sentence.source:
            continue
        senses: list[tuple[int, str, str]] = []
        idioms: dict[str, list[int]] = {}
        for word, misc in enumerate(sentence.misc):
            sense, idiom = misc_value(misc, "Supersense"), misc_value(misc, "Idiom")
            if sense[:2] in _CLASSES:
                senses.append((word, sense, sentence.words[word].lower()))
            elif sense:
                added.leave_out("a Supersense value of no class (n., v., p.)", sentence.id)
            if _IDIOM.fullmatch(idiom):
                idioms.setdefault(idiom, []).append(word)
            elif idiom:
                added.leave_out(
                    "an Idiom value that is not verb:number or other:number", sentence.id
                )
        relations = sense_relations(senses)
        for idiom, words in idioms.items():
            relations += each_to_another("semantic", f"idiom:{idiom.partition(':')[0]}", words)
        for relation in relations:
            added.add(place, relation)
    return added.corpus()


def sense_relations(members: Iterable[tuple[int, str, str]]) -> list[Relation]:
    """Return the relation of each word to any other of its supersense that has another lemma.

    Args:
        members: Word, supersense and lemma of each word that has a supersense of a known class.

    Example:
        >>> members = [(0, "n.FOOD", "pie"), (2, "n.FOOD", "pie"), (5, "n.FOOD", "egg")]
        >>> [(one.source, one.targets) for one in sense_relations(members)]
        [(0, (5,)), (2, (5,)), (5, (2, 0))]
    """
    classes: dict[str, list[tuple[int, str]]] = {}
    for word, sense, lemma in members:
        classes.setdefault(sense, []).append((word, lemma))
    found = []
    for sense, words in classes.items():
        label = f"supersense:{_CLASSES[sense[:2]]}"
        for source, lemma in words:
            if right := [word for word, other in words if other != lemma]:
                found.append(one_of("semantic", label, source, right))
    return found


def _add_senses(added: Additions, place: int, block: Block) -> None:
    members = [
        (word, cells[_SENSE], cells[_LEMMA].lower())
        for word, (_, cells) in enumerate(block.rows)
        if cells[_SENSE][:2] in _CLASSES
    ]
    for relation in sense_relations(members):
        added.add(place, relation)


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
