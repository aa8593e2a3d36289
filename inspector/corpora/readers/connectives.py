"""Discourse connectives and the heads of what they connect, from GUM's `PDTB=`.

`connective:SENSE`: an explicit connective to the head of its first argument, the one that it does
not stand in; `connective-own:SENSE`: to the head of the second, the clause that it introduces
(often its head in the tree). SENSE is contingency, comparison, expansion or temporal. `PDTB=`
counts the words of the document from 1.

Source: Webber et al. (2019), The Penn Discourse Treebank 3.0 Annotation Manual; Liu et al. (2024),
GDTB, for GUM's copy of its scheme.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from inspector.corpora.misc_column import misc_values
from inspector.corpora.readers.added_relations import Additions
from inspector.corpora.readers.parsed_sentence import parsed
from inspector.corpora.sentence import Relation

SENSES = ("contingency", "comparison", "expansion", "temporal")
_LONGEST = 100_000  # words of an argument; more are a slip, or an attack
_ELSEWHERE = "an argument in another sentence"
_MALFORMED = "a PDTB value that is not type:sense:connective:words:arg1:arg2"
_UNFIT = "a connective that does not stand at its words of the document"


@dataclass(frozen=True)
class Discourse:
    """One explicit relation of the discourse; words count from 0 in the document."""

    sense: str
    connective: str
    words: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]


def connectives(added: Additions, documents: Sequence[str]) -> None:
    """Add `connective:…` and `connective-own:…`, from the connective.

    Several words ("as soon as") are stood for by the one that heads them, arguments likewise. An
    argument with words in another sentence is left out and counted; the other one is kept.

    Args:
        added: Takes what is read.
        documents: The document of each sentence.
    """
    start = 0
    for document, group in groupby(documents):
        end = start + sum(1 for _ in group)
        if not document.startswith("block-"):
            _read_document(added, range(start, end))
        start = end


def _read_document(added: Additions, places: range) -> None:
    sentences = added.sentences[places.start : places.stop]
    starts = [0, *accumulate(len(sentence.words) for sentence in sentences)]
    words = [word.lower() for sentence in sentences for word in sentence.words]
    for sentence in sentences:
        for _, values in misc_values(sentence.misc, "PDTB"):
            for value in values.split(";"):
                if not value.startswith("Explicit:"):
                    continue
                found = read_discourse(value)
                if found is None:
                    added.leave_out(_MALFORMED, sentence.id)
                elif not _fits(found, words):
                    added.leave_out(_UNFIT, sentence.id)
                else:
                    _add(added, places, starts, found)


def read_discourse(value: str) -> Discourse | None:
    """Return what a value of `PDTB=` says, None where it cannot be read or is not explicit.

    Example:
        >>> read_discourse("Explicit:Temporal.Synchronous:as:3:1-2:4-5,7").second
        (3, 4, 6)
    """
    parts = value.split(":")
    if len(parts) != 6 or parts[0] != "Explicit":
        return None
    sense = parts[1].partition(".")[0].lower()
    words, first, second = map(_numbers, parts[3:])
    if sense not in SENSES or words is None or first is None or second is None:
        return None
    return Discourse(sense, parts[2], words, first, second)


def _numbers(spans: str) -> tuple[int, ...] | None:
    """Return the words of '3,5-7', counted from 0; None where it says something else."""
    found: list[int] = []
    for span in spans.split(","):
        start, _, end = span.partition("-")
        end = end or start
        if not (start.isdecimal() and end.isdecimal() and len(start) < 9 and len(end) < 9):
            return None
        if not 1 <= int(start) <= int(end):
            return None
        if int(end) - int(start) + len(found) >= _LONGEST:
            return None
        found += range(int(start) - 1, int(end))
    return tuple(found)


def _fits(found: Discourse, words: list[str]) -> bool:
    said = (*found.words, *found.first, *found.second)
    if max(said) >= len(words):
        return False
    return " ".join(words[word] for word in found.words) == found.connective.lower()


def _add(added: Additions, places: range, starts: list[int], found: Discourse) -> None:
    here = bisect_right(starts, found.words[0]) - 1
    sentence = added.sentences[places[here]]
    tree = parsed(sentence)
    begin, end = starts[here], starts[here + 1]

    def top(words: tuple[int, ...]) -> int | None:
        if not all(begin <= word < end for word in words):
            return None
        return tree.top_of({word - begin for word in words}) if tree else None

    source = top(found.words)
    for name, words in (("connective", found.first), ("connective-own", found.second)):
        target = top(words)
        if source is None or target is None:
            added.leave_out(_ELSEWHERE, sentence.id)
        else:
            added.add(places[here], Relation("logical", f"{name}:{found.sense}", source, target))
