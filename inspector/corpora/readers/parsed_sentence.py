"""A sentence's tree as the readers of logic ask for it: lemmas, labels, children, predicates."""

from collections.abc import Iterable

from inspector.corpora.sentence import Sentence

ARGUMENTS = frozenset({"nsubj", "obj", "iobj", "obl", "csubj", "dislocated", "vocative"})
"""Labels by which a word depends on a predicate."""
_INSIDE = frozenset(
    {"nmod", "conj", "appos", "compound", "flat", "fixed", "amod", "nummod", "det", "list"}
)
_ENGLISH = frozenset({"the", "and", "of", "to", "a"})
_SEEN, _SHARE = 200, 0.01
"""Words by which a language can be told, and the share of them that a text in English has."""
_FOR_SYNTAX = "# balanced = syntax\n"
"""The comment of generated sentences whose logic nothing balances: it is not read."""


class Parsed:
    """A sentence's columns, and what follows from its tree; words count from 0."""

    def __init__(self, sentence: Sentence, *, english: bool = True) -> None:
        """Take a sentence with a tree; where it has no lemma, the word stands for it."""
        self.english = english
        """Whether lists of English words may speak of it."""
        self.lemmas = tuple(
            (word if lemma == "_" and word != "_" else lemma).lower()
            for word, lemma in zip(sentence.words, sentence.lemmas, strict=True)
        )
        """In small letters."""
        self.upos = sentence.upos or ("_",) * len(sentence.words)
        self.feats, self.misc = sentence.feats, sentence.misc
        self.heads, self.deprels = sentence.heads, sentence.deprels
        self.labels = tuple(deprel.partition(":")[0] for deprel in sentence.deprels)
        """The tree's labels without subtypes."""
        self.children: list[list[int]] = [[] for _ in self.heads]
        """Of each word, in order."""
        for word, head in enumerate(self.heads):
            if head >= 0:
                self.children[head].append(word)

    def children_by(self, word: int, *labels: str) -> list[int]:
        """Return the word's children that have one of these labels (without subtype)."""
        return [child for child in self.children[word] if self.labels[child] in labels]

    def subtree(self, word: int) -> list[int]:
        """Return the word and all that depends on it, in order."""
        found, waiting = [], [word]
        while waiting:
            here = waiting.pop()
            found.append(here)
            waiting += self.children[here]
        return sorted(found)

    def predicate_above(self, word: int) -> int | None:
        """Return the predicate whose argument the word's noun phrase is, if it is one's.

        From the word upwards, through noun phrases, to the first word that is an argument; its
        head is the predicate.
        """
        here = word
        while self.labels[here] in _INSIDE and self.heads[here] >= 0:
            here = self.heads[here]
        return self.heads[here] if self.labels[here] in ARGUMENTS else None

    def top_of(self, words: set[int]) -> int | None:
        """Return the word that heads a span: of those whose head is outside it, the highest.

        Ties go to the first, punctuation comes last; None where the span is empty.
        """
        tops = [word for word in sorted(words) if self.heads[word] not in words]
        return min(
            tops, key=lambda word: (self.labels[word] == "punct", self.depth(word)), default=None
        )

    def depth(self, word: int) -> int:
        """Return how many words are above the word."""
        count = 0
        while self.heads[word] >= 0:
            word = self.heads[word]
            count += 1
        return count


def is_english(sentences: Iterable[Sentence]) -> bool:
    """Return whether a text may be in English: it is short, or has the commonest English words.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> short = tree_sentence("s", ["Hunde", "bellen"], [1, -1], ["nsubj", "root"])
        >>> is_english([short]), is_english([short] * 100)
        (True, False)
    """
    words = [word.casefold() for sentence in sentences for word in sentence.words]
    return len(words) < _SEEN or sum(word in _ENGLISH for word in words) >= _SHARE * len(words)


def parsed(sentence: Sentence, *, english: bool = True) -> Parsed | None:
    """Return the sentence's tree, or None where it has none, or is there for its syntax alone.

    Args:
        sentence: With a tree or without.
        english: Whether lists of English words may speak of it.

    Example:
        >>> from inspector.corpora import tree_sentence
        >>> tree = parsed(tree_sentence("s", ["Dogs", "bark"], [1, -1], ["nsubj", "root"]))
        >>> tree.lemmas, tree.children, tree.predicate_above(0)
        (('dogs', 'bark'), [[], [0]], 1)
    """
    if not sentence.source or _FOR_SYNTAX in sentence.source:
        return None
    return Parsed(sentence, english=english)
