"""Names of several words: from each word to another of the same name.

`name:PER`, `name:LOC`, `name:ORG` as Universal NER has them, in files of IOB2 tags or in the last
column: `Name=B-PER`, or `Name=PER:1,PER:2` for a word of two names ("Ada and Bo Li").

Source: Mayhew et al. (2024), Universal NER, arXiv:2311.09122.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Found, Unread, each_to_another, one_of
from inspector.corpora.readers.annotation_table import read_blocks
from inspector.corpora.sentence import Relation, Sentence

_TAG = re.compile(r"O|[BI]-[A-Z]{1,12}")
_SHARED = re.compile(r"[A-Z]{1,12}:[0-9]{1,4}")
_UNREADABLE = "a Name value that is not TYPE:number"
_BROKEN = "a tag that is not O, B-TYPE or I-TYPE after the same type"


def carried_names(sentence: Sentence) -> Iterator[Found]:
    """Yield the relations of the names in a sentence's last column.

    A sentence has tags of IOB2, or names that are numbered: words with the same type and number
    are of one name, wherever they stand, and a word may be of several.
    """
    named = dict(misc_values(sentence.misc, "Name"))
    if not named:
        return
    tags = [named.get(word, "O") for word in range(len(sentence.words))]
    if not any(":" in tag for tag in tags):
        yield from _of_tags(tags)
        return
    names: dict[str, list[int]] = {}
    for word, tag in enumerate(tags):
        for said in tag.split(",") if tag != "O" else ():
            if _SHARED.fullmatch(said):
                names.setdefault(said, []).append(word)
            else:
                yield Unread(_UNREADABLE)
    yield from name_relations([(name.partition(":")[0], words) for name, words in names.items()])


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


def _of_tags(tags: Sequence[str]) -> Iterator[Found]:
    """Yield the relations of names in IOB2; one with a broken tag ends before it."""
    kind, words = "", list[int]()
    for word, tag in enumerate((*tags, "O")):
        if tag.startswith("I-") and kind and tag[2:] == kind:
            words.append(word)
            continue
        yield from each_to_another("semantic", f"name:{kind}", words)
        kind, words = "", []
        if not _TAG.fullmatch(tag) or tag.startswith("I-"):
            yield Unread(_BROKEN, word)
        elif tag != "O":
            kind, words = tag[2:], [word]


read_names = partial(
    read_blocks,
    annotation="names",
    n_columns=5,  # number, word, tag and two more
    read=lambda rows: _of_tags([cells[2] for cells in rows]),
)
"""Corpus, file of IOB2 tags → the corpus with its names."""
