"""Names of several words: from each word to another of the same name.

`name:PER`, `name:LOC`, `name:ORG` as Universal NER has them, in files of IOB2 tags or in the last
column: `Name=B-PER`, or `Name=PER:1,PER:2` for a word of two names ("Ada and Bo Li"). Must not
know: models, how lines are read.

Source: Mayhew et al. (2024), Universal NER, arXiv:2311.09122.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspector.corpora.misc_column import misc_value
from inspector.corpora.readers.added_relations import Additions, each_to_another, one_of
from inspector.corpora.readers.annotation_table import Notes
from inspector.corpora.sentence import Corpus, Relation

_COLUMNS = 5
_TAG = re.compile(r"O|[BI]-[A-Z]{1,12}")
_SHARED = re.compile(r"[A-Z]{1,12}:[0-9]{1,4}")
_UNREADABLE = "a Name value that is not TYPE:number"
_BROKEN = "a tag that is not O, B-TYPE or I-TYPE after the same type"


def read_names(corpus: Corpus, path: str | Path) -> Corpus:
    """Return the corpus with the names of an IOB2 file, from each word to another of its name.

    Args:
        corpus: The corpus that the file belongs to.
        path: Word lines of five cells (number, word, tag and two more), sentences named by
            `# sent_id`.

    Raises:
        InputError: If the file is not UTF-8, or no sentence is the corpus'.
        OutputError: If it cannot be read.
    """
    notes = Notes(corpus, path, "names")
    for block in notes.blocks(_COLUMNS):
        place = notes.place_of(block)
        if place is not None:
            where = [notes.where(line) for line, _ in block.rows]
            _add(notes.added, place, [cells[2] for _, cells in block.rows], where)
    return notes.corpus()


def carried_names(corpus: Corpus) -> Corpus:
    """Return the corpus with the names that its own last column holds.

    A sentence has tags of IOB2, or names that are numbered: words with the same type and number
    are of one name, wherever they stand, and a word may be of several.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> sentence = tree_sentence(
        ...     "s", ["Ada", "Li"], [-1, 0], ["root", "flat"], misc=["Name=B-PER", "Name=I-PER"]
        ... )
        >>> carried_names(Corpus("c", [sentence], [], "", "gold")).sentences[0].relations[1:]
        (Relation(kind='semantic', label='name:PER', source=0, target=1),
         Relation(kind='semantic', label='name:PER', source=1, target=0))
    """
    added = Additions(corpus, "names")
    for place, sentence in enumerate(corpus.sentences):
        if "Name=" not in sentence.source:
            continue
        tags = [misc_value(misc, "Name") or "O" for misc in sentence.misc]
        if any(":" in tag for tag in tags):
            for relation in name_relations(_numbered(tags, added, sentence.id)):
                added.add(place, relation)
        else:
            _add(added, place, tags, [sentence.id] * len(tags))
    return added.corpus()


def name_relations(names: Sequence[tuple[str, Sequence[int]]]) -> list[Relation]:
    """Return the relation of each word of a name to any other word of a name that it is part of.

    Args:
        names: The type and the words of each.

    Example:
        >>> both = [("PER", [0, 3]), ("PER", [2, 3])]  # "Ada and Bo Li"
        >>> [(one.source, one.targets) for one in name_relations(both)]
        [(0, (3,)), (2, (3,)), (3, (2, 0))]
    """
    right: dict[tuple[str, int], set[int]] = {}
    for kind, words in names:
        for word in words:
            right.setdefault((kind, word), set()).update(words)
    return [
        one_of("semantic", f"name:{kind}", word, sorted(others - {word}))
        for (kind, word), others in sorted(right.items(), key=lambda item: item[0][1])
        if others - {word}
    ]


def _numbered(tags: Sequence[str], added: Additions, where: str) -> list[tuple[str, list[int]]]:
    """Return the type and the words of each name; a value that cannot be read is counted."""
    names: dict[str, list[int]] = {}
    for word, tag in enumerate(tags):
        for said in tag.split(",") if tag != "O" else ():
            if _SHARED.fullmatch(said):
                names.setdefault(said, []).append(word)
            else:
                added.leave_out(_UNREADABLE, where)
    return [(name.partition(":")[0], words) for name, words in names.items()]


def _add(added: Additions, place: int, tags: Sequence[str], where: Sequence[str]) -> None:
    for kind, words in _spans(tags, added, where):
        for relation in each_to_another("semantic", f"name:{kind}", words):
            added.add(place, relation)


def _spans(
    tags: Sequence[str], added: Additions, where: Sequence[str]
) -> Iterator[tuple[str, list[int]]]:
    """Yield the type and the words of each name; one with a broken tag ends before it."""
    kind, words = "", list[int]()
    for word, tag in enumerate((*tags, "O")):
        if tag.startswith("I-") and kind and tag[2:] == kind:
            words.append(word)
            continue
        if words:
            yield kind, words
        kind, words = "", []
        if not _TAG.fullmatch(tag) or tag.startswith("I-"):
            added.leave_out(_BROKEN, where[word])
        elif tag != "O":
            kind, words = tag[2:], [word]
