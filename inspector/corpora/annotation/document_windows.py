"""Windows: consecutive sentences of a document as one text, as long as a model takes.

What relates words of different sentences can be scored only where both are read together. No
sentence is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inspector.corpora.annotation.matched_pairs import with_controls
from inspector.corpora.annotation.mentions import Mention, read_mentions
from inspector.corpora.coreference import MentionHead, coreference_relations
from inspector.corpora.sentence import Corpus, Sentence, Skipped
from inspector.corpora.surface import joined_surface

_EXAMPLES = 5


@dataclass(frozen=True)
class Windows:
    """The texts over which relations across sentences are scored."""

    texts: tuple[Sentence, ...]
    """Each with the relations that are scored in it, and no others."""
    n_mentions: int
    left_out: tuple[Skipped, ...]
    """Mentions that could not be read."""
    n_before: int
    """Mentions whose antecedents all stand in an earlier window."""
    documents_without: int
    """Documents in which no mention is marked, where any document has one."""
    examples_without: tuple[str, ...] = ()
    """The first few of these."""


def cut_windows(
    lengths: Sequence[int], documents: Sequence[str], limit: int
) -> list[tuple[int, ...]]:
    """Return which sentences are read together: as many of one document as the limit allows.

    A sentence that is longer than the limit stands alone.

    Args:
        lengths: The length of each sentence.
        documents: The document of each.
        limit: The length of a window, at most.

    Example:
        >>> cut_windows([3, 4, 2, 9, 1], ["a", "a", "a", "a", "b"], 8)
        [(0, 1), (2,), (3,), (4,)]
    """
    windows: list[list[int]] = []
    used = 0
    for place, (length, document) in enumerate(zip(lengths, documents, strict=True)):
        fits = windows and documents[windows[-1][-1]] == document and used + length <= limit
        if fits:
            windows[-1].append(place)
            used += length
        else:
            windows.append([place])
            used = length
    return [tuple(window) for window in windows]


def corpus_windows(
    corpus: Corpus, lengths: Sequence[int], limit: int, *, coreference: bool = True
) -> Windows:
    """Return the windows of a corpus in which there is something to score.

    Those of documents with mentions have the relations of `coreference_relations`; and each
    sentence that comes with relations that are not plain is a window of its own, with these.

    Args:
        corpus: Whose sentences.
        lengths: The length of each sentence.
        limit: The length of a window, at most.
        coreference: Whether mentions are read.
    """
    documents = corpus.document_ids()
    read = corpus.sentences if coreference else []
    mentions, left_out = read_mentions(read, documents[: len(read)])
    of_sentence: dict[int, list[Mention]] = {}
    for mention in mentions:
        of_sentence.setdefault(mention.sentence, []).append(mention)
    texts: list[Sentence] = []
    anaphoric = 0
    if mentions:
        for places in cut_windows(lengths, documents, limit):
            joined, heads = _joined(corpus, documents, places, of_sentence)
            found = coreference_relations(heads, joined.words, joined.upos)
            anaphoric += len(found) // 2
            if found:
                tree = _joined_heads(corpus, places)
                texts.append(with_controls(replace(joined, relations=found), tree))
    for sentence, document in zip(corpus.sentences, documents, strict=True):
        rest = tuple(relation for relation in sentence.relations if not relation.is_plain)
        if rest:
            texts.append(
                with_controls(replace(sentence, relations=rest, document=document), sentence.heads)
            )
    with_mentions = {mention.document for mention in mentions}
    without = [name for name in dict.fromkeys(documents) if mentions and name not in with_mentions]
    return Windows(
        texts=tuple(texts),
        n_mentions=len(mentions),
        left_out=tuple(left_out),
        n_before=_anaphoric(mentions) - anaphoric if mentions else 0,
        documents_without=len(without),
        examples_without=tuple(without[:_EXAMPLES]),
    )


def _joined(
    corpus: Corpus,
    documents: Sequence[str],
    places: Sequence[int],
    of_sentence: dict[int, list[Mention]],
) -> tuple[Sentence, list[MentionHead]]:
    words: list[str] = []
    tags: list[str] = []
    heads: list[MentionHead] = []
    for place in places:
        sentence = corpus.sentences[place]
        heads += [
            MentionHead(mention.entity, len(words) + mention.head)
            for mention in of_sentence.get(place, ())
        ]
        words += sentence.words
        tags += sentence.upos or ()
    surface = joined_surface([corpus.sentences[place].surface for place in places])
    joined = Sentence(
        id=corpus.sentences[places[0]].id,
        document=documents[places[0]],
        words=tuple(words),
        upos=tuple(tags) if len(tags) == len(words) else None,
        relations=(),
        text=surface.text,
        written=surface,
    )
    return joined, heads


def _joined_heads(corpus: Corpus, places: Sequence[int]) -> tuple[int, ...]:
    """Return each word's head in its sentence's tree, as a word of the window; -1 for roots."""
    heads: list[int] = []
    for place in places:
        start = len(heads)
        heads += [head + start if head >= 0 else -1 for head in corpus.sentences[place].heads]
    return tuple(heads)


def _anaphoric(mentions: Sequence[Mention]) -> int:
    """Return how many mentions have an earlier one of their entity, with another head word."""
    earlier: dict[tuple[str, str], set[tuple[int, int]]] = {}
    found = 0
    for mention in mentions:
        words = earlier.setdefault((mention.document, mention.entity), set())
        here = (mention.sentence, mention.head)
        found += bool(words - {here})
        words.add(here)
    return found
