"""CoNLL-U Plus: files that name their columns, read as the ten of CoNLL-U.

Columns may stand in any order, further ones are skipped, '_' stands for those that are not there.

Source: https://universaldependencies.org/ext-format.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inspector.corpora.formats.conllu_sentence import Fault, Line
from inspector.corpora.formats.line_reader import shown
from inspector.corpora.sentence import COLUMNS
from inspector.errors import InputError

SUFFIXES = (".conllup", ".cupt")
"""Of files that must name their columns."""
_DECLARED = re.compile(r"#\s*global\.columns\s*=(.*)")
_NEEDED = ("form", "head", "deprel")
_EXAMPLE = "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"


@dataclass(frozen=True)
class Columns:
    """Where the columns of CoNLL-U stand in a file."""

    n_columns: int
    places: tuple[int | None, ...]
    """Of each column of `COLUMNS`; None where the file lacks it."""

    def as_conllu(self, lines: Sequence[Line]) -> list[Line]:
        r"""Return word lines with the ten columns of CoNLL-U; words count from 1 where ID lacks.

        Raises:
            Fault: If a line has another number of columns than the file names.

        Example:
            >>> Columns(2, (None, 1, *[None] * 4, 0, *[None] * 3)).as_conllu([(7, "0\tGo")])
            [(7, '1\tGo\t_\t_\t_\t_\t0\t_\t_\t_')]
        """
        found = []
        for word, (number, text) in enumerate(lines, 1):
            cells = text.split("\t")
            if len(cells) != self.n_columns:
                raise Fault(
                    number,
                    f"{len(cells)} column{'s' if len(cells) > 1 else ''} separated by tabs, "
                    f"expected {self.n_columns}, as # global.columns names",
                )
            row = ["_" if place is None else cells[place] for place in self.places]
            row[0] = str(word) if self.places[0] is None else row[0]
            found.append((number, "\t".join(row)))
        return found


def is_declaration(comment: str) -> bool:
    """Return whether a comment names the columns.

    Example:
        >>> is_declaration("# global.columns = ID FORM")
        True
    """
    return _DECLARED.fullmatch(comment) is not None


def declared(comments: Sequence[str], where: str) -> Columns | None:
    """Return the columns that comments name last, None where none does.

    Args:
        comments: Of a block of lines.
        where: The file, and the line of the first comment.

    Raises:
        InputError: If a column stands twice, or one lacks that words and trees need.
    """
    said = [match[1].split() for comment in comments if (match := _DECLARED.fullmatch(comment))]
    if not said:
        return None
    names = [name.lower() for name in said[-1]]
    if lacking := [name.upper() for name in _NEEDED if name not in names]:
        raise InputError(
            f"corpus ({where}) must have the columns FORM, HEAD and DEPREL, which words and trees "
            f"need, and its # global.columns lacks {', '.join(lacking)}: add them, or give the "
            "text alone (.txt)."
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"corpus ({where}) names the column {shown(twice.upper())} twice in its "
            "# global.columns: name each once."
        )
    places = {name: place for place, name in enumerate(names)}
    return Columns(len(names), tuple(places.get(name) for name in COLUMNS))


def undeclared(path: str) -> InputError:
    """Return the refusal of a file that must name its columns and does not."""
    return InputError(
        f"corpus ({path}) must name its columns in its first line, as CoNLL-U Plus does "
        f"({_EXAMPLE}): add that line, or, if it has these ten columns, name the file .conllu."
    )
