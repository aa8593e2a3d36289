"""One sentence of CoNLL-U: its lines read by the conllu library, its tree checked by us.

What is wrong is a `Fault` with the line and the reason; whether that skips the sentence or stops
the run is the caller's to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any

from conllu.exceptions import ParseException
from conllu.parser import parse_comment_line, parse_id_value, parse_int_value, parse_line

from inspector.corpora.sentence import COLUMNS, Labels, Sentence, tree_relations

# What the scorers need is parsed; all other columns stay as they stand in the file. Few numbers
# occur, and each of them in every sentence.
_id_value = lru_cache(maxsize=1024)(parse_id_value)
_int_value = lru_cache(maxsize=1024)(parse_int_value)
_PARSERS = {
    "id": lambda cells, i: _id_value(cells[i]),
    "head": lambda cells, i: _int_value(cells[i]),
}
_N_TABS = len(COLUMNS) - 1
Line = tuple[int, str]
"""A line's number in its file and its text."""


class Fault(Exception):
    """What makes a sentence malformed, with the number of the line."""

    def __init__(self, line: int, reason: str) -> None:
        """Keep the two apart."""
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass
class _Rows:
    """The word lines of a sentence, read."""

    words: list[str] = field(default_factory=list)
    upos: list[str] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    """Counted from 0; -1 for the root's."""
    deprels: list[str] = field(default_factory=list)
    lemmas: list[str] = field(default_factory=list)
    feats: list[str] = field(default_factory=list)
    misc: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_comments(lines: Iterable[str]) -> dict[str, str]:
    """Return the comments that name something: key → value, '' where the key stands alone."""
    return {
        key: value or ""
        for line in lines
        for key, value in parse_comment_line(line)
        if key != "newpar"
    }


def read_sentence(
    lines: Sequence[Line],
    *,
    id: str,
    document: str | None,
    text: str | None,
    comments: Sequence[str],
    labels: Labels,
    file: str = "",
) -> Sentence:
    """Return the sentence of word lines: its words and its tree.

    Args:
        lines: The sentence's lines without its comments, at least one.
        id: Of the sentence; so the others that are fields of `Sentence`.
        document: Where it belongs.
        text: As it is written.
        comments: Its comment lines, verbatim.
        labels: 'universal' keeps of each label the part before the colon.
        file: Where it was read, if it was.

    Raises:
        Fault: If a line is not CoNLL-U, or the heads are no tree.
    """
    rows = _read_rows(lines)
    _check_tree(rows)
    return Sentence(
        id=id,
        document=document,
        words=tuple(rows.words),
        upos=tuple(rows.upos) if any(tag != "_" for tag in rows.upos) else None,
        relations=tree_relations(rows.heads, rows.deprels, labels),
        text=text,
        source="\n".join([*comments, *(line for _, line in lines)]),
        file=file,
        line=rows.lines[0] if file else 0,
        lemmas=tuple(rows.lemmas),
        feats=tuple(rows.feats),
        heads=tuple(rows.heads),
        deprels=tuple(rows.deprels),
        misc=tuple(rows.misc),
    )


def _read_rows(lines: Sequence[Line]) -> _Rows:
    """Return the words; multiword ranges and empty nodes are checked, and skipped."""
    rows = _Rows()
    range_line, range_start, range_end, empty_nodes = 0, 0, 0, 0
    for number, text in lines:
        row = _read_line(number, text)
        match row["id"]:
            case int() as word:
                _add_word(rows, number, word, row)
                empty_nodes = 0
            case (int() as start, "-", int() as end):
                if start <= range_end or start != len(rows.words) + 1 or end <= start:
                    raise Fault(
                        number,
                        f"multiword range {start}-{end} must stand before its first word, hold at "
                        "least two words and overlap with no other range",
                    )
                range_line, range_start, range_end = number, start, end
            case (int() as word, ".", int() as part):
                empty_nodes += 1
                if word != len(rows.words) or part != empty_nodes:
                    raise Fault(
                        number,
                        f"empty node {word}.{part} must stand after word {word}, "
                        f"its parts counted from 1",
                    )
            case _:
                raise Fault(number, "ID is '_', expected a number, a range or an empty node")
    if not rows.words:
        raise Fault(lines[0][0], "there is no word")
    if len(rows.words) > 1 and set(rows.words) == {"_"}:
        raise Fault(
            rows.lines[0],
            "every FORM is '_': the treebank comes without its text, which its README says how to "
            "put back",
        )
    if range_end > len(rows.words):
        raise Fault(
            range_line,
            f"multiword range {range_start}-{range_end} lacks its words: "
            f"the last word is {len(rows.words)}",
        )
    return rows


def _read_line(number: int, text: str) -> dict[str, Any]:
    tabs = text.count("\t")
    if tabs != _N_TABS:
        hint = ""
        if tabs > _N_TABS:
            hint = ": name them (# global.columns = …), or keep the first ten (cut -f1-10)"
        elif len(text.split()) >= len(COLUMNS):
            hint = "; it has spaces where tabs belong"
        elif tabs:
            hint = ": write _ in those that it lacks, or name what it has (# global.columns = …)"
        raise Fault(
            number,
            f"{tabs + 1} column{'s' if tabs else ''} separated by tabs, expected "
            f"{len(COLUMNS)}{hint}",
        )
    if "  " in text:
        cells = text.split("\t")
        column = next(name for name, cell in zip(COLUMNS, cells, strict=True) if "  " in cell)
        raise Fault(number, f"{column.upper()} has two spaces in a row, which CoNLL-U forbids")
    try:
        return parse_line(text, COLUMNS, _PARSERS)
    except ParseException as error:
        is_id = str(error).startswith("Failed parsing field 'id'")
        column, place, expected = (
            ("ID", 0, "a number, a range or an empty node")
            if is_id
            else ("HEAD", COLUMNS.index("head"), "the number of a word, or 0")
        )
        cell = _printable(text.split("\t")[place])
        raise Fault(number, f"{column} is '{cell}', expected {expected}") from None
    except ValueError:  # thousands of digits, which Python does not read
        raise Fault(number, "a number is too long") from None


def _add_word(rows: _Rows, number: int, word: int, row: dict[str, Any]) -> None:
    expected = len(rows.words) + 1
    form, head, deprel = row["form"], row["head"], row["deprel"]
    if word != expected:
        raise Fault(number, f"word id {word} stands where {expected} must: ids count 1, 2, 3, …")
    if not form.strip():
        raise Fault(number, f"word {word} has an empty FORM")
    if head is None:
        raise Fault(number, f"word {word} has HEAD '_': every word of a tree needs a head")
    if head == word:
        raise Fault(number, f"word {word} is its own HEAD")
    if deprel in ("", "_"):
        raise Fault(number, f"word {word} has no DEPREL: every word of a tree needs a label")
    if (head == 0) != (deprel.partition(":")[0].lower() == "root"):
        raise Fault(
            number, f"word {word} has HEAD {head} and DEPREL {deprel!r}: root goes with HEAD 0 only"
        )
    rows.words.append(intern(form))
    rows.upos.append(intern(row["upos"]))
    rows.heads.append(head - 1)
    rows.deprels.append(intern(deprel))
    rows.lemmas.append(intern(row["lemma"]))
    rows.feats.append(intern(row["feats"]))
    rows.misc.append(intern(row["misc"]))
    rows.lines.append(number)


def _check_tree(rows: _Rows) -> None:
    n_words, root = len(rows.words), None
    for word, head in enumerate(rows.heads):
        if not -1 <= head < n_words:
            raise Fault(
                rows.lines[word],
                f"word {word + 1} has HEAD {head + 1}, outside the sentence of {n_words} words",
            )
        if head == -1 and root is not None:
            raise Fault(
                rows.lines[word],
                f"words {root + 1} and {word + 1} both have HEAD 0: a tree has one root",
            )
        root = word if head == -1 else root
    if root is None:
        raise Fault(rows.lines[0], "no word has HEAD 0: a tree needs a root")
    reaches_root = [False] * n_words
    reaches_root[root] = True
    for word in range(n_words):
        path: list[int] = []
        on_path: set[int] = set()
        here = word
        while not reaches_root[here]:
            if here in on_path:
                cycle = path[path.index(here) :]
                raise Fault(
                    rows.lines[min(cycle)],
                    f"the heads of words {_some([index + 1 for index in sorted(cycle)])} "
                    "form a cycle",
                )
            path.append(here)
            on_path.add(here)
            here = rows.heads[here]
        for index in path:
            reaches_root[index] = True


def _some(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:8])) + (", …" if len(numbers) > 8 else "")


def _printable(text: str) -> str:
    text = text if len(text) <= 200 else f"{text[:200]}…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
