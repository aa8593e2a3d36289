"""Sentences made from a tree in memory: what generated probes and parsers hand over.

They go through the same checks as a file's, and can be written as CoNLL-U.
"""

from collections.abc import Iterable, Sequence

from inspector.corpora.formats.conllu_sentence import Fault, read_comments, read_sentence
from inspector.corpora.sentence import Labels, Sentence
from inspector.errors import InputError


def tree_sentence(
    id: str,
    words: Sequence[str],
    heads: Sequence[int],
    deprels: Sequence[str],
    *,
    upos: Sequence[str] | None = None,
    document: str | None = None,
    text: str | None = None,
    misc: Sequence[str] | None = None,
    comments: Sequence[str] = (),
    labels: Labels = "universal",
) -> Sentence:
    """Return a sentence made from a tree, checked as if it had been read from a file.

    Args:
        id: Unique in its corpus.
        words: At least one.
        heads: The head of each word, counted from 0; -1 for the root's.
        deprels: The label of each word, 'root' for the root.
        upos: Universal parts of speech.
        document: The document it belongs to.
        text: The sentence as it is written; the words joined by spaces where not given.
        misc: The last column of CoNLL-U.
        comments: More comments, each 'key = value'.
        labels: 'universal' keeps of each label the part before the colon.

    Raises:
        InputError: If the heads are no tree, or something cannot be written as CoNLL-U.

    Example:
        >>> sentence = tree_sentence("s1", ["Dogs", "bark"], [1, -1], ["nsubj", "root"])
        >>> sentence.relations
        (Relation(kind='syntax', label='nsubj', source=0, target=1),)
        >>> sentence.heads
        (1, -1)
    """
    tags, last = upos or ["_"] * len(words), misc or ["_"] * len(words)
    if len({len(words), len(heads), len(deprels), len(tags), len(last)}) > 1 or not words:
        raise InputError(
            f"sentence ({id}) must have a head, a label and what else is given for each word, and "
            f"at least one word: it has {len(words)} words, {len(heads)} heads, {len(deprels)} "
            "labels."
        )
    text = " ".join(words) if text is None else text
    named = {"sent_id": id, "text": text}
    above = [*(f"{key} = {value}" for key, value in named.items()), *comments]
    written = _lines(above, zip(words, tags, heads, deprels, last, strict=True))
    try:
        sentence = read_sentence(
            [line for line in written if not line[1].startswith("#")],
            id=id,
            document=document,
            text=text,
            comments=[line for _, line in written if line.startswith("#")],
            labels=labels,
        )
    except Fault as fault:
        raise InputError(f"sentence ({id}) must be a tree of words: {fault.reason}.") from None
    found = read_comments(sentence.comments)
    differs = sentence.words != tuple(words)
    differs = differs or any(found.get(key, "") != named[key] for key in named)
    if differs or "\r" in sentence.source:
        raise InputError(
            f"sentence ({id}) must be writable as CoNLL-U: no tabs or line ends in its words, "
            "none and no outer spaces in its id and text."
        )
    return sentence


def _lines(
    comments: Iterable[str], rows: Iterable[tuple[str, str, int, str, str]]
) -> list[tuple[int, str]]:
    """Return the numbered lines of a sentence in CoNLL-U; what holds a line end makes more."""
    lines = [f"# {comment}" for comment in comments]
    lines += [
        "\t".join([str(number), form, "_", tag, "_", "_", str(head + 1), deprel, "_", more])
        for number, (form, tag, head, deprel, more) in enumerate(rows, 1)
    ]
    return list(enumerate("\n".join(lines).split("\n"), 1))
