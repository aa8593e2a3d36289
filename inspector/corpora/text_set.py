"""Texts that are read alike, and which of their relations are scored: sentences, or windows."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from inspector.corpora.sentence import Relation, RelationSubset, Sentence


@dataclass(frozen=True)
class TextSet:
    """Sentences, or windows: sentences that are read together, as one each."""

    texts: tuple[Sentence, ...] = ()
    documents: tuple[str, ...] = ()
    """The document of each."""
    relations: tuple[str, ...] = ()
    """Names that are counted, those of subsets among them, sorted."""
    is_windows: bool = False

    @classmethod
    def of(
        cls, texts: Iterable[Sentence], documents: Iterable[str], *, is_windows: bool = False
    ) -> "TextSet":
        """Return texts with all that is scored in them."""
        some = cls(tuple(texts), tuple(documents), is_windows=is_windows)
        found = (one for text in some.texts for one in some.scored(text))
        names = sorted({name for one in found for name in one.counted_as})
        return cls(some.texts, some.documents, tuple(names), is_windows)

    def scored(self, text: Sentence) -> list[Relation]:
        """Return the relations of a text that are scored: all of a window, plain ones of others.

        Those that are not plain, a sentence has for the window that it is, too.
        """
        return [one for one in text.relations if self.is_windows or one.is_plain]

    def at(self, places: Iterable[int]) -> "TextSet":
        """Return some of the texts, with the same names."""
        chosen = tuple(places)
        return TextSet(
            tuple(self.texts[place] for place in chosen),
            tuple(self.documents[place] for place in chosen),
            self.relations,
            self.is_windows,
        )

    def with_any_of(self, names: Iterable[str]) -> "TextSet":
        """Return the texts in which a relation of these names is scored, and only these names."""
        wanted = set(names)
        kept = self.at(
            place
            for place, text in enumerate(self.texts)
            if any(one.label in wanted for one in self.scored(text))
        )
        known = tuple(name for name in self.relations if name in wanted)
        return TextSet(kept.texts, kept.documents, known, self.is_windows)

    @property
    def asked(self) -> list[str]:
        """Return the names that are counted, without those of subsets."""
        return [name for name in self.relations if not RelationSubset.of(name).subset]

    @cached_property
    def lengths(self) -> list[int]:
        """Return the number of words of each text."""
        return [len(text.words) for text in self.texts]
