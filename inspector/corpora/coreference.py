"""Coreference as relations: from a mention's head word to the head of any earlier mention of it.

Pronouns, names and common nouns apart, and pairs that the same word links apart from all of these.

Source: Clark et al. (2019), arXiv:1906.04341, sec. 4.3, for 'any earlier mention' and for both
rules that a head is compared with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from inspector.corpora.sentence import Relation

KIND = "semantic"
MENTIONS = ":mentions"
"""Ends the name of a relation whose prediction is chosen from mention heads alone."""
NEAREST, SAME_HEAD = "nearest-mention", "nearest-same-head"
"""Subsets of the pairs that a rule gets right: the mention just before; the last one before with
the same head word."""
_LABELS = {"PRON": "pronoun", "PROPN": "proper"}


@dataclass(frozen=True, slots=True)
class MentionHead:
    """A mention by the word that stands for it."""

    entity: str
    word: int


@dataclass
class _Seen:
    """The mentions so far, as the rules look them up."""

    of_entity: dict[str, list[int]] = field(default_factory=dict)
    of_form: dict[str, list[int]] = field(default_factory=dict)
    words: list[int] = field(default_factory=list)

    def add(self, mention: MentionHead, form: str) -> None:
        self.of_entity.setdefault(mention.entity, []).append(mention.word)
        self.of_form.setdefault(form, []).append(mention.word)
        self.words.append(mention.word)


def coreference_relations(
    mentions: Sequence[MentionHead], words: Sequence[str], upos: Sequence[str] | None
) -> tuple[Relation, ...]:
    """Return the relations between mentions of a text, each in both readings.

    A mention with an earlier one of its entity gives a relation from its head word to the heads
    of all of these, the last of them as the target. The label is 'coref:pronoun', 'coref:proper'
    or, for any other head word, 'coref:nominal'; it is 'coref-same-string:…' where any right
    word is the same word, upper and lower case alike, since to find that is to match strings. The
    same relation with ':mentions' at the end of its label has its prediction chosen from the heads
    of all mentions of the text.

    Pairs that the rule 'nearest mention' or 'nearest with the same head word' gets right are
    counted as subsets too.

    Args:
        mentions: In the order in which they open.
        words: Of the text.
        upos: Universal parts of speech, a word each; without them all mentions are nominal.

    Example:
        >>> text = ["Ann", "met", "Bo", ";", "she", "left"]
        >>> tags = ["PROPN", "VERB", "PROPN", "PUNCT", "PRON", "VERB"]
        >>> heads = [MentionHead("1", 0), MentionHead("2", 2), MentionHead("1", 4)]
        >>> for one in coreference_relations(heads, text, tags):
        ...     print(one.label, one.source, one.target)
        coref:pronoun 4 0
        coref:pronoun:mentions 4 0
    """
    heads = tuple(sorted({mention.word for mention in mentions}))
    forms = [word.casefold() for word in words]
    seen = _Seen()
    relations: list[Relation] = []
    for mention in mentions:
        source = mention.word
        earlier = dict.fromkeys(seen.of_entity.get(mention.entity, ()))
        if right := [word for word in earlier if word != source]:
            same = any(forms[word] == forms[source] for word in right)
            kind = _LABELS.get(upos[source] if upos else "", "nominal")
            label = f"coref{'-same-string' if same else ''}:{kind}"
            target, *also = reversed(right)
            subsets = tuple(
                name
                for name, found in (
                    (NEAREST, _nearest(seen.words, source)),
                    (SAME_HEAD, _nearest(seen.of_form.get(forms[source], []), source)),
                )
                if found in right
            )
            for reading, among in (("", ()), (MENTIONS, heads)):
                relations.append(
                    Relation(
                        *(KIND, label + reading, source, target),
                        also=tuple(also),
                        among=among,
                        subsets=subsets,
                    )
                )
        seen.add(mention, forms[source])
    return tuple(relations)


def _nearest(words: Sequence[int], source: int) -> int | None:
    """Return the nearest of the words that stand before the source.

    A mention that encloses another opens before it, and its own head may still come after.
    """
    return max((word for word in words if word < source), default=None)
