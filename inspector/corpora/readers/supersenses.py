"""Supersenses and idioms of STREUSLE: words of the same class of meaning, words of one expression.

`supersense:noun`, `:verb`, `:preposition`: a word to any other of its sentence with the same
supersense and another lemma; an expression's stands at its first word. `idiom:verb`,
`idiom:other`: a word to another of the same strong multiword expression; names are left to
`names`. The last column may hold them too (`Supersense=n.FOOD`, `Idiom=verb:1`).

Source: Schneider & Smith (2015), NAACL; columns as in STREUSLE's CONLLULEX.md.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Found, Unread, each_to_another, one_of
from inspector.corpora.readers.annotation_table import read_blocks
from inspector.corpora.sentence import Relation, Sentence

_UPOS, _EXPRESSION, _CATEGORY, _LEMMA, _SENSE = 3, 10, 11, 12, 13
_CLASSES = {"n.": "noun", "v.": "verb", "p.": "preposition"}
_IDIOM = re.compile(r"(?:verb|other):[0-9]{1,4}")
_BROKEN = "a strong expression that is not number:word"
_NO_CLASS = Unread("a Supersense value of no class (n., v., p.)")
_NO_IDIOM = Unread("an Idiom value that is not verb:number or other:number")


def carried_supersenses(sentence: Sentence) -> Iterator[Found]:
    """Yield the relations of the supersenses and idioms in a sentence's last column.

    Words with the same value of `Idiom=` are of one idiom: its kind and a number.
    """
    senses: list[tuple[int, str, str]] = []
    for word, sense in misc_values(sentence.misc, "Supersense"):
        if sense[:2] in _CLASSES:
            senses.append((word, sense, sentence.words[word].lower()))
        else:
            yield _NO_CLASS
    idioms: dict[str, list[int]] = {}
    for word, idiom in misc_values(sentence.misc, "Idiom"):
        if _IDIOM.fullmatch(idiom):
            idioms.setdefault(idiom, []).append(word)
        else:
            yield _NO_IDIOM
    yield from sense_relations(senses)
    for idiom, words in idioms.items():
        yield from each_to_another("semantic", f"idiom:{idiom.partition(':')[0]}", words)


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


def _of_rows(rows: list[list[str]]) -> Iterator[Found]:
    yield from sense_relations(
        (word, cells[_SENSE], cells[_LEMMA].lower())
        for word, cells in enumerate(rows)
        if cells[_SENSE][:2] in _CLASSES
    )
    groups: dict[str, list[int]] = {}
    for word, cells in enumerate(rows):
        number, colon, member = cells[_EXPRESSION].partition(":")
        if colon and number.isdecimal() and member.isdecimal():
            groups.setdefault(number, []).append(word)
        elif cells[_EXPRESSION] != "_":
            yield Unread(_BROKEN, word)
    for words in groups.values():
        if any(rows[word][_UPOS] != "PROPN" for word in words):
            is_verb = rows[words[0]][_CATEGORY].startswith("V")
            yield from each_to_another("semantic", f"idiom:{'verb' if is_verb else 'other'}", words)


read_supersenses = partial(read_blocks, annotation="supersenses", n_columns=19, read=_of_rows)
"""Corpus, file of CoNLL-U-Lex → the corpus with its supersenses and idioms."""
