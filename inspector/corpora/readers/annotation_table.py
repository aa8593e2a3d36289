"""Files of annotation that stand beside a corpus: read line by line, compared with its sentences.

Two shapes: a table with a header (one relation a line), and blocks of word lines that name their
sentence, as CoNLL-U has them. Whatever does not fit is counted with its line; a file of which
nothing fits is refused.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from inspector.corpora.formats.line_reader import LineReader, shown
from inspector.corpora.readers.added_relations import Additions, Found, sentence_places
from inspector.corpora.sentence import Corpus, Sentence
from inspector.errors import InputError

TOO_LONG = "a line that is too long"
UNKNOWN_SENTENCE = "a sentence id that is not in the corpus"
SEVERAL = "a sentence id that several sentences of the corpus have"
OTHER_WORDS = "a sentence whose words are not those of the corpus"

_MAX_ROWS = 10_000
_TOO_MANY = f"a sentence of more than {_MAX_ROWS:,} lines"


@dataclass
class Block:
    """The word lines of one sentence, and how their sentence is named."""

    sentence: str = ""
    line: int = 0
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    """Number of the line, cells."""


class Notes:
    """One file of annotation over a corpus.

    `added` takes what is read; `corpus` ends it.
    """

    def __init__(self, corpus: Corpus, path: str | Path, annotation: str) -> None:
        """Look at the file.

        Args:
            corpus: Whose sentences are annotated.
            path: The file, UTF-8.
            annotation: Its name in messages and in `Corpus.left_out`.

        Raises:
            InputError: If it is no regular file.
            OutputError: If it cannot be looked at.
        """
        self.path = Path(path)
        self.added = Additions(corpus, annotation)
        self._annotation = annotation
        self._corpus = corpus
        self._digest = hashlib.sha256()
        self._lines = LineReader(self.path, self._digest, annotation)
        self._places = sentence_places(corpus.sentences)
        self._fitting = 0

    def where(self, line: int) -> str:
        """Return how a line of the file is named in messages."""
        return f"{shown(self.path.name)}, line {line}"

    def table(self, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield (line, column → cell) of a table separated by tabs; broken lines are counted.

        Args:
            needed: Columns that the header, the first line, must name.

        Raises:
            InputError: If the header lacks one, or the file is not UTF-8.
        """
        header: list[str] = []
        for number, text in self._lines:
            if text is None:
                self.added.leave_out(TOO_LONG, self.where(number))
                continue
            if not header:
                header = text.split("\t")
                missing = [name for name in needed if name not in header]
                if missing:
                    raise InputError(
                        f"{self._annotation} ({shown(self.path)}) lacks the column "
                        f"{missing[0]!r} in its first line: give a table separated by tabs with "
                        f"the columns {', '.join(needed)}."
                    )
                continue
            if not text.strip():
                continue
            cells = text.split("\t")
            if len(cells) != len(header):
                reason = f"a line without {len(header)} columns separated by tabs"
                self.added.leave_out(reason, self.where(number))
                continue
            yield number, dict(zip(header, cells, strict=True))

    def blocks(self, n_columns: int) -> Iterator[Block]:
        """Yield the blocks of word lines that name their sentence in a comment `# sent_id = …`.

        Args:
            n_columns: How many cells a word line has; a block with another line is left out.
        """
        block, whole = Block(), True
        for number, text in chain(self._lines, [(0, "")]):
            if text is None:
                self.added.leave_out(TOO_LONG, self.where(number))
                whole = False
            elif not text.strip():
                if block.rows and whole:
                    yield block
                block, whole = Block(), True
            elif text.startswith("#"):
                key, _, value = text[1:].partition("=")
                if key.strip() == "sent_id":
                    block.sentence, block.line = value.strip(), number
            elif (cells := text.split("\t"))[0].isdecimal():
                if whole and len(cells) != n_columns:
                    reason = f"a line without {n_columns} columns separated by tabs"
                    self.added.leave_out(reason, self.where(number))
                    whole = False
                elif whole and len(block.rows) >= _MAX_ROWS:
                    self.added.leave_out(_TOO_MANY, self.where(number))
                    whole = False
                if whole:
                    block.rows.append((number, cells))

    def place(self, sentence_id: str, line: int) -> int | None:
        """Return the place of a sentence in the corpus, or None after counting why there is none.

        Ids that are not in the corpus are named.
        """
        if sentence_id not in self._places:
            self.added.leave_out(UNKNOWN_SENTENCE, shown(sentence_id) or self.where(line))
            return None
        found = self._places[sentence_id]
        if found is None:
            self.added.leave_out(SEVERAL, shown(sentence_id))
        else:
            self._fitting += 1
        return found

    def place_of(self, block: Block) -> int | None:
        """Return the place of the sentence that a block annotates, if its words are the same."""
        found = self.place(block.sentence, block.line or block.rows[0][0])
        if found is None:
            return None
        words = tuple(cells[1] for _, cells in block.rows)
        if words != self.sentence(found).words:
            self.added.leave_out(OTHER_WORDS, shown(block.sentence))
            return None
        return found

    def sentence(self, place: int) -> Sentence:
        """Return a sentence of the corpus."""
        return self._corpus.sentences[place]

    def corpus(self) -> Corpus:
        """Return the corpus with what was read.

        Raises:
            InputError: If the file names no sentence of the corpus.
        """
        if not self._fitting:
            raise InputError(
                f"{self._annotation} ({shown(self.path)}) must name sentences of corpus "
                f"{shown(self._corpus.name)}: none of its ids is there. Give the file that belongs "
                "to this corpus."
            )
        return self.added.corpus(self._digest.hexdigest())


def read_blocks(
    corpus: Corpus,
    path: str | Path,
    *,
    annotation: str,
    n_columns: int,
    read: Callable[[list[list[str]]], Iterable[Found]],
) -> Corpus:
    """Return the corpus with the annotation of a file of word lines, sentences by `# sent_id`.

    Args:
        corpus: The corpus that the file belongs to.
        path: The file, UTF-8.
        annotation: Its name in messages and in `Corpus.left_out`.
        n_columns: How many cells a word line has; the second is the word.
        read: What the lines of a sentence say.

    Raises:
        InputError: If the file is not UTF-8, or no sentence is the corpus'.
        OutputError: If it cannot be read.
    """
    notes = Notes(corpus, path, annotation)
    for block in notes.blocks(n_columns):
        place = notes.place_of(block)
        if place is not None:
            where = [notes.where(line) for line, _ in block.rows]
            notes.added.take(place, read([cells for _, cells in block.rows]), where)
    return notes.corpus()


def word_number(cell: str) -> int:
    """Return a word's number counted from 0; -1 where the cell holds none.

    Example:
        >>> word_number("3"), word_number("0"), word_number("3.1")
        (2, -1, -1)
    """
    return int(cell) - 1 if cell.isdecimal() and len(cell) < 9 else -1
