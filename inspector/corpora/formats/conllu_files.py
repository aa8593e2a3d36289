"""Treebanks in CoNLL-U, read sentence by sentence and written back.

A malformed sentence is skipped with file, line and reason, and does not spoil the next; in
strict mode it stops the reading.

Source: https://universaldependencies.org/format.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inspector.corpora.formats.conllu_plus import (
    SUFFIXES,
    Columns,
    declared,
    is_declaration,
    undeclared,
)
from inspector.corpora.formats.conllu_sentence import Fault, Line, read_comments, read_sentence
from inspector.corpora.formats.line_reader import Paths, shown
from inspector.corpora.formats.reading import TOO_LONG, Reading
from inspector.corpora.sentence import Corpus, Labels, Sentence, check_labels
from inspector.errors import InputError

_MAX_LINES = 10_000
"""More lines than this without an empty one are no sentence; they are skipped."""


@dataclass
class _Block:
    """The lines between two empty ones."""

    first: int = 0
    """The number of the first."""
    comments: list[str] = field(default_factory=list)
    rows: list[Line] = field(default_factory=list)
    fault: Fault | None = None

    def add(self, number: int, text: str | None) -> None:
        self.first = self.first or number
        if text is None:
            self.fault = self.fault or Fault(number, TOO_LONG)
        elif len(self.rows) + len(self.comments) >= _MAX_LINES:
            self.fault = self.fault or Fault(
                number, f"the sentence has more than {_MAX_LINES:,} lines"
            )
        elif text.startswith("#"):
            self.comments.append(text)
        else:
            self.rows.append((number, text))

    def __bool__(self) -> bool:
        return bool(self.comments or self.rows or self.fault)


class _Treebank(Reading):
    """A treebank while its files are read."""

    def __init__(self, paths: Paths, labels: Labels, *, strict: bool) -> None:
        super().__init__(paths, strict=strict)
        self.labels = labels
        self.annotations: dict[str, str] = {}
        """Annotation → the first sentence that has it."""
        self._document: str | None = None
        self._unnamed = 0
        self._columns: Columns | None = None
        """Where the file's columns stand, if it names them."""

    def read(self, path: Path) -> None:
        """Keep the sentences of a file."""
        self._document = self._columns = None
        for block in _blocks(self.lines(path)):
            self._take(block, path)

    def _take(self, block: _Block, path: Path) -> None:
        """Keep the sentence of a block, or what was wrong with it."""
        named = declared(block.comments, f"{shown(path)}, line {block.first}")
        self._columns = named or self._columns
        if block.rows and self._columns is None and path.suffix.lower() in SUFFIXES:
            raise undeclared(shown(path))
        comments = read_comments(block.comments)
        for key in filter(_is_newdoc, comments):
            self._unnamed += 1
            self._document = comments[key] or f"{path.stem}-{self._unnamed}"
        sent_id = comments.get("sent_id")
        if not block.rows and not block.fault and sent_id is None:
            return
        try:
            sentence = self._sentence(block, path, comments)
        except Fault as fault:
            self.skip(path, fault.line, fault.reason, sent_id)
            return
        self.annotations.setdefault(comments.get("annotation", "gold"), sentence.id)
        self.sentences.append(sentence)

    def _sentence(self, block: _Block, path: Path, comments: dict[str, str]) -> Sentence:
        if block.fault or not block.rows:
            raise block.fault or Fault(block.first, "there is no word")
        lines, kept = block.rows, block.comments
        if self._columns:
            lines = self._columns.as_conllu(lines)
            kept = [line for line in kept if not is_declaration(line)]
        return read_sentence(
            lines,
            id=comments.get("sent_id") or f"{path.name}:{lines[0][0]}",
            document=self._document,
            text=comments.get("text"),
            comments=kept,
            labels=self.labels,
            file=shown(path),
        )


def read_conllu(paths: Paths, *, labels: Labels = "universal", strict: bool = False) -> Corpus:
    """Return the sentences of CoNLL-U files, in order, with their trees as relations.

    Words are the syntactic words; multiword ranges, empty nodes, enhanced dependencies and all
    other columns stay with each sentence, verbatim. Where a file names its columns
    (`# global.columns`, CoNLL-U Plus), they are read by these names, as the ten of CoNLL-U, and
    further ones are skipped. `annotation` is 'gold' unless the sentences say otherwise in a
    comment `# annotation = …`, as those that a parser made do.

    Args:
        paths: One file or several.
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.
        strict: Whether a malformed sentence stops the reading, not only that sentence.

    Raises:
        InputError: If a file holds no sentence that can be read, or is not UTF-8 text, or lacks
            a column that trees need, or gold and made-up trees are mixed, or, with `strict`, a
            sentence is malformed.
        OutputError: If a file cannot be read.
    """
    treebank = _Treebank(paths, check_labels(labels), strict=strict)
    for path, _ in treebank.files():
        treebank.read(path)
    if len(treebank.annotations) > 1:
        (one, here), (other, there) = list(treebank.annotations.items())[:2]
        raise InputError(
            f"corpus must be annotated in one way: sentence {shown(here)} is {shown(one)}, "
            f"sentence {shown(there)} is {shown(other)}. Give them as two corpora."
        )
    return treebank.corpus(next(iter(treebank.annotations)))


def write_conllu(sentences: Iterable[Sentence]) -> str:
    """Return sentences as CoNLL-U, with everything that stood in their own lines.

    Documents are marked where they begin, and every sentence has its id.

    Raises:
        InputError: If a sentence has no tree.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> print(write_conllu([tree_sentence("s", ["Go"], [-1], ["root"], document="d")]), end="")
        # newdoc id = d
        # sent_id = s
        # text = Go
        1	Go	_	_	_	_	0	root	_	_
        <BLANKLINE>
    """
    written: list[str] = []
    document: str | None = None
    for sentence in sentences:
        if not sentence.source:
            raise InputError(
                f"sentence ({shown(sentence.id)}) has no tree: only annotated sentences can be "
                "written as CoNLL-U."
            )
        keys = {line: set(read_comments([line])) for line in sentence.comments}
        lines = [
            line
            for line in sentence.source.split("\n")
            if not any(_is_newdoc(key) for key in keys.get(line, ()))
        ]
        if not any("sent_id" in found for found in keys.values()):
            lines.insert(0, f"# sent_id = {sentence.id}")
        if sentence.document != document:
            document = sentence.document
            lines.insert(0, "# newdoc" if document is None else f"# newdoc id = {document}")
        written += [*lines, ""]
    return "".join(f"{line}\n" for line in written)


def _is_newdoc(key: str) -> bool:
    return key == "newdoc" or key.startswith("newdoc ")


def _blocks(lines: Iterable[tuple[int, str | None]]) -> Iterator[_Block]:
    block = _Block()
    for number, text in lines:
        if text is not None and not text.strip():
            if block:
                yield block
                block = _Block()
        else:
            block.add(number, text)
    if block:
        yield block
