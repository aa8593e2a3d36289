"""A corpus of what stands in memory: texts, words, tables, and trees that other libraries made.

Each form goes the way that a file of it goes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inspector.arguments import are_several, refused, shown
from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.formats.plain_text import read_text, split_sentences
from inspector.corpora.formats.spacy_parse import doc_sentences
from inspector.corpora.sentence import Corpus, Labels, Sentence, check_labels
from inspector.errors import InputError

TAKEN = (
    "a file, a known name, a text, a list of texts or of lists of words, a DataFrame with a column "
    "text or words, conllu's TokenLists, spaCy's Docs, or a Corpus"
)
"""What a corpus may be, as messages say it."""
_COLUMNS = ("words", "text")
_CONLLU = re.compile(r"^\d+\t(?:[^\t\n]*\t){8}[^\t\n]*$", re.MULTILINE)


FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda given: isinstance(given, str), "one text"),
    "texts": (lambda given: _all(_is_text, given), "texts, in a list or a Series"),
    "words": (lambda given: _all(_are_words, given), "a list of words, or several such lists"),
    "frame": (lambda given: is_table(given), "a DataFrame with a column text or words"),
    "conllu": (lambda given: _all(_is_token_list, given), "a file, CoNLL-U, or TokenLists"),
    "spacy": (lambda given: _all(_is_doc, given), "a Doc, or several"),
}
"""How each form is known that a corpus can be made from, and what messages call it."""


def memory_corpus(given: Any, *, labels: Labels = "universal", strict: bool = False) -> Corpus:
    """Return what a user holds as a corpus.

    Texts and words have no trees: behaviour is measured on them, and no relation. A text of
    several sentences is a document; of texts of one sentence, and of sentences of words, each 20
    are one, unless a column `document` names them.

    Args:
        given: A text, or several; lists of words; a DataFrame, a Series or a Dataset with a column
            `text` or `words`; conllu's TokenLists; spaCy's Docs, with their trees where they have
            been parsed.
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.
        strict: Whether a malformed sentence stops the reading, not only that sentence.

    Raises:
        InputError: If it is of another kind, or holds no word.

    Example:
        >>> corpus = memory_corpus([["The", "cat", "sat"], ["It", "slept"]])
        >>> corpus.n_words, corpus.annotation
        (5, 'none')
    """
    labels = check_labels(labels)
    if is_table(given):
        return _of_table(given)
    if isinstance(given, str) and _CONLLU.search(given):
        return conllu_corpus(given, labels, strict=strict)
    if hasattr(given, "iloc"):  # a Series
        given = given.tolist()
    several = [given] if isinstance(given, str) or _is_one(given) else given
    if hasattr(given, "read"):
        raise InputError(f"corpus (an open file, {shown(given)}) must be closed: give its name.")
    if not (_in_order(several) or isinstance(several, Iterator)):
        raise refused("corpus", given, TAKEN)
    items = list(several)
    if not items:
        raise InputError("corpus ([]) must be at least one: give a corpus to read.")
    for is_kind, read in _KINDS:
        if all(map(is_kind, items)):
            return read(items, labels, strict)
    kinds = [next((kind for kind, _ in _KINDS if kind(one)), None) for one in items]
    if None in kinds:
        raise refused("corpus", items[kinds.index(None)], TAKEN)
    other = next(one for one, kind in zip(items, kinds, strict=True) if kind is not kinds[0])
    raise InputError(
        f"corpus must hold one kind of things, not {shown(items[0])} and {shown(other)}: give "
        "texts alone, or lists of words, or trees."
    )


def is_table(given: Any) -> bool:
    """Return whether something is a DataFrame, or a Dataset that can be made one."""
    has_columns = hasattr(given, "columns") or hasattr(given, "column_names")
    return has_columns and (hasattr(given, "iloc") or hasattr(given, "to_pandas"))


def _all(is_kind: Callable[[Any], bool], given: Any) -> bool:
    return _in_order(given) and all(map(is_kind, given))


def _in_order(given: Any) -> bool:
    """Return whether something holds several in an order, and is no table or mapping."""
    return are_several(given) and not (isinstance(given, Mapping | Set) or is_table(given))


def holds_trees(given: Any) -> bool:
    """Return whether something is a TokenList or a Doc, or several."""
    kinds = (_is_token_list, _is_doc)
    return any(is_kind(given) or (_all(is_kind, given) and len(given) > 0) for is_kind in kinds)


def _is_one(given: Any) -> bool:
    return _is_token_list(given) or _is_doc(given)


def _is_text(item: Any) -> bool:
    return isinstance(item, str)


def _is_token_list(item: Any) -> bool:
    return hasattr(item, "serialize") and hasattr(item, "metadata")


def _is_doc(item: Any) -> bool:
    return hasattr(item, "sents") and hasattr(item, "has_annotation")


def _are_words(item: Any) -> bool:
    return _all(_is_text, item)


def table_items(table: Any) -> tuple[list[Any], list[str] | None]:
    """Return the texts of a table, or its lists of words, and the documents they are of.

    Raises:
        InputError: If it has no such column, or a row holds something else.
    """
    table = table.to_pandas() if hasattr(table, "to_pandas") else table
    names = [str(name) for name in table.columns]
    column = next((name for name in _COLUMNS if name in names), None)
    if column is None:
        raise InputError(
            f"corpus (DataFrame with columns {', '.join(names[:8]) or 'none'}) has no column text "
            "or words: rename the one that holds them."
        )
    for name in {column, "document"}:
        if names.count(name) > 1:
            raise InputError(
                f"corpus (DataFrame with {names.count(name)} columns {name}) must have one: rename "
                "the others."
            )
    items = table[column].tolist()
    documents = None
    if "document" in names:
        documents = [str(name) for name in table["document"]]
        if table["document"].isna().any():
            row = table["document"].isna().tolist().index(True)
            raise InputError(f"document ({documents[row]}) in row {row} of corpus must be a name.")
    for row, item in enumerate(items):
        if not (_is_text(item) if column == "text" else _are_words(item)):
            what = "a text" if column == "text" else "a list of words"
            raise InputError(f"{column} ({shown(item)}) in row {row} of corpus must be {what}.")
    if not items:
        raise InputError("corpus (DataFrame of no rows) must hold at least one row.")
    return items, documents


def _of_table(table: Any) -> Corpus:
    items, documents = table_items(table)
    return (_of_texts if _is_text(items[0]) else _of_words)(items, documents)


def _of_texts(items: Sequence[str], documents: Sequence[str] | None = None) -> Corpus:
    """Return texts as a file has them that holds one in a line, a document in a block."""
    lines = [" ".join(item.split()) for item in items]
    apart = documents is not None or any(len(split_sentences(line)) > 1 for line in lines)
    with _written("\n\n".join(lines) if apart else "\n".join(lines), "texts.txt") as path:
        read = read_text([path])
    if documents is None:
        return _in_memory(read, "texts", path)
    # The reader numbers blocks by the texts that hold anything.
    names = [name for name, line in zip(documents, lines, strict=True) if line]
    sentences = [
        replace(one, document=names[int(one.id.split(":")[0].rpartition("-")[2]) - 1])
        for one in read.sentences
    ]
    return _in_memory(replace(read, sentences=sentences), "texts", path)


def _of_words(items: Sequence[Sequence[str]], documents: Sequence[str] | None = None) -> Corpus:
    sentences = []
    for place, item in enumerate(items):
        words = tuple(item)
        if not words or not all(word.strip() for word in words):
            raise InputError(
                f"words ({shown(list(words))}) of sentence {place} must be at least one, and none "
                "of them empty: leave out what is."
            )
        _check_unicode(" ".join(words))
        document = documents[place] if documents else None
        sentences.append(Sentence(f"words-{place + 1:05d}", document, words, None, ()))
    written = json.dumps([[one.document, one.words] for one in sentences])
    digest = hashlib.sha256(written.encode()).hexdigest()
    return Corpus("words", sentences, [], digest, "none")


def _of_token_lists(items: Sequence[Any], labels: Labels, strict: bool) -> Corpus:
    return conllu_corpus("".join(item.serialize() for item in items), labels, strict=strict)


def conllu_corpus(written: str, labels: Labels, *, strict: bool) -> Corpus:
    """Return the sentences of CoNLL-U in a string.

    Raises:
        InputError: If it holds none.
    """
    with _written(written, "trees.conllu") as path:
        return _in_memory(read_conllu([path], labels=labels, strict=strict), "trees", path)


def _of_docs(items: Sequence[Any], labels: Labels, strict: bool) -> Corpus:
    sentences = [
        sentence
        for number, doc in enumerate(items, 1)
        for sentence in doc_sentences(doc, f"doc-{number:05d}", labels)
    ]
    if not sentences:
        raise InputError("corpus (Doc) holds no word: give a text that has some.")
    parsed = {one.source != "" for one in sentences}
    written = "\n\n".join(one.source or " ".join(one.words) for one in sentences)
    annotation = "none" if parsed == {False} else f"silver:spacy ({items[0].lang_})"
    digest = hashlib.sha256(written.encode()).hexdigest()
    return Corpus("docs", sentences, [], digest, annotation)


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Labels, bool], Corpus]], ...] = (
    (_is_text, lambda items, labels, strict: _of_texts(items)),
    (_is_token_list, _of_token_lists),
    (_is_doc, _of_docs),
    (_are_words, lambda items, labels, strict: _of_words(items)),
)


def _check_unicode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"corpus ({shown(text)}) must be valid Unicode: a lone surrogate is no letter."
        ) from None


@contextmanager
def _written(content: str, name: str) -> Iterator[Path]:
    """Give a file of a text, for as long as it is read."""
    if not content.strip():
        raise InputError("corpus (an empty text) must hold at least one word: give a text.")
    encoded = _check_unicode(content)
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(encoded)
        yield path


def _in_memory(read: Corpus, name: str, path: Path) -> Corpus:
    """Return what was read, without the file that it went through."""
    return replace(
        read,
        name=name,
        sentences=[replace(one, file="") for one in read.sentences],
        skipped=[replace(one, file=f"{name} in memory") for one in read.skipped],
    )
