"""What words are searched for: a form, a lemma, a part of speech.

Must not know: models, heads.
"""

from dataclasses import dataclass, fields

from inspector.arguments import refused
from inspector.corpora import Sentence
from inspector.errors import InputError

MOST_CHARACTERS = 200
"""Of a pattern: it names a word."""


@dataclass(frozen=True)
class WordPattern:
    """What a word must be, all of it; any word where nothing is named."""

    word: str = ""
    """Its form, in lower case."""
    lemma: str = ""
    """In lower case."""
    tag: str = ""
    """Its universal part of speech, in upper case."""

    @classmethod
    def of(cls, name: str, written: str) -> "WordPattern":
        """Return the pattern that is written so: 'bank', 'lemma:be', 'tag:VERB lemma:be'.

        Args:
            name: Of the argument, as errors say it.
            written: Terms between spaces; one without a colon is a form, as is one with another.

        Raises:
            InputError: If it is no string, too long, or two terms say the same of the word.

        Example:
            >>> WordPattern.of("words", "tag:verb lemma:Be")
            WordPattern(word='', lemma='be', tag='VERB')
        """
        if not isinstance(written, str):
            raise refused(name, written, "words that are looked for, behind the corpus they are in")
        if len(written) > MOST_CHARACTERS:
            raise InputError(
                f"{name} ({len(written)} characters) must have at most {MOST_CHARACTERS}: name a "
                "word, a lemma or a tag."
            )
        kinds, found = [one.name for one in fields(cls)], {}
        for term in written.split():
            kind, colon, what = term.partition(":")
            if not (colon and what and kind.lower() in kinds):
                kind, what = "word", term
            kind = kind.lower()
            if kind in found:
                raise InputError(
                    f"{name} ({written}) must say one {kind} of a word: take one away. "
                    "Available: a form, lemma:be, tag:VERB, or several of these."
                )
            found[kind] = what.upper() if kind == "tag" else what.lower()
        return cls(**found)

    def places(self, sentence: Sentence) -> list[int]:
        """Return which words of a sentence it is, in order; none where it lacks what is asked."""
        columns = (
            (self.word, sentence.words, str.lower),
            (self.lemma, sentence.lemmas, str.lower),
            (self.tag, sentence.upos or (), str.upper),
        )
        places = list(range(len(sentence.words)))
        for wanted, column, as_asked in columns:
            if wanted:
                places = [
                    at for at in places if at < len(column) and as_asked(column[at]) == wanted
                ]
        return places
