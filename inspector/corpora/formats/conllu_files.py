"""Treebanks in CoNLL-U, read sentence by sentence and written back.

A malformed sentence is skipped with file, line and reason, and does not spoil the next; in
strict mode it stops the reading. Must not know: models, what relations are scored for.

Source: https://universaldependencies.org/format.html
"""

import hashlib
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
from inspector.corpora.formats.conllu_sentence import (
    Fault,
    Line,
    make_sentence,
    read_comments,
    read_rows,
)
from inspector.corpora.formats.line_reader import (
    MAX_LINE_BYTES,
    LineReader,
    Paths,
    as_paths,
    corpus_name,
    shown,
)
from inspector.corpora.sentence import Corpus, Labels, Sentence, Skipped, check_labels
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
            self.fault = self.fault or Fault(
                number, f"the line is longer than {MAX_LINE_BYTES:,} bytes"
            )
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


@dataclass
class _Reading:
    """What is known so far of a corpus that is being read."""

    labels: Labels
    strict: bool
    sentences: list[Sentence] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    """Annotation → the first sentence that has it."""
    document: str | None = None
    unnamed: int = 0
    columns: Columns | None = None
    """Where the file's columns stand, if it names them."""

    def take(self, block: _Block, path: Path) -> None:
        """Keep the sentence of a block, or what was wrong with it."""
        self._follow_columns(block, path)
        comments = read_comments(block.comments)
        self._follow_documents(comments, path)
        sent_id = comments.get("sent_id")
        if not block.rows and not block.fault and sent_id is None:
            return
        try:
            if block.fault:
                raise block.fault
            if not block.rows:
                raise Fault(block.first, "there is no word")
            lines = self.columns.as_conllu(block.rows) if self.columns else block.rows
            rows = read_rows(lines)
        except Fault as fault:
            self._skip(fault, sent_id, path)
            return
        name = sent_id or f"{path.name}:{block.rows[0][0]}"
        self.annotations.setdefault(comments.get("annotation", "gold"), name)
        kept = [line for line in block.comments if not (self.columns and is_declaration(line))]
        source = "\n".join([*kept, *(text for _, text in lines)])
        self.sentences.append(
            make_sentence(
                rows,
                id=name,
                document=self.document,
                text=comments.get("text"),
                source=source,
                labels=self.labels,
                file=shown(path),
            )
        )

    def _follow_columns(self, block: _Block, path: Path) -> None:
        """Heed the columns that a block names, for it and for those after it."""
        named = declared(block.comments, f"{shown(path)}, line {block.first}")
        self.columns = named or self.columns
        if block.rows and self.columns is None and path.suffix.lower() in SUFFIXES:
            raise undeclared(shown(path))

    def _follow_documents(self, comments: dict[str, str], path: Path) -> None:
        for key in comments:
            if _is_newdoc(key):
                self.unnamed += 1
                self.document = comments[key] or f"{path.stem}-{self.unnamed}"

    def _skip(self, fault: Fault, sent_id: str | None, path: Path) -> None:
        name = shown(path)
        if self.strict:
            which = f" ({shown(sent_id)})" if sent_id else ""
            raise InputError(
                f"sentence{which} in {name}, line {fault.line}, is malformed: {fault.reason}. "
                "Fix it, or read without strict (--strict) to skip it."
            )
        self.skipped.append(Skipped(name, fault.line, sent_id, fault.reason))


def read_conllu(
    paths: Paths,
    *,
    labels: Labels = "universal",
    strict: bool = False,
) -> Corpus:
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
    files = as_paths(paths)
    digest = hashlib.sha256()
    reading = _Reading(check_labels(labels), strict)
    for path in files:
        read, skipped = len(reading.sentences), len(reading.skipped)
        reading.document = reading.columns = None
        for block in _blocks(LineReader(path, digest)):
            reading.take(block, path)
        if len(reading.sentences) == read:
            raise _nothing_read(path, reading.skipped[skipped:])
    if len(reading.annotations) > 1:
        (one, here), (other, there) = list(reading.annotations.items())[:2]
        raise InputError(
            f"corpus must be annotated in one way: sentence {shown(here)} is {shown(one)}, "
            f"sentence {shown(there)} is {shown(other)}. Give them as two corpora."
        )
    return Corpus(
        name=corpus_name(files),
        sentences=reading.sentences,
        skipped=reading.skipped,
        sha256=digest.hexdigest(),
        annotation=next(iter(reading.annotations)),
    )


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


def _nothing_read(path: Path, skipped: list[Skipped]) -> InputError:
    if not skipped:
        return InputError(f"corpus ({shown(path)}) holds no sentence: it is empty of word lines.")
    first = skipped[0]
    return InputError(
        f"corpus ({shown(path)}) holds no sentence that can be read: {len(skipped)} skipped, the "
        f"first at line {first.line}: {first.reason}."
    )
