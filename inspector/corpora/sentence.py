"""Sentences as the scorers see them: words, and typed relations between words.

Syntax, semantics and logic are the same thing here: a kind, a label, the word a relation comes
from and the word it goes to. What a reader does not use stays with the sentence, verbatim, for
later readers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, ClassVar, Literal, NamedTuple, cast, get_args, overload

from inspector.arguments import check, is_whole, refused
from inspector.corpora.surface import Surface, surface_of
from inspector.errors import InputError
from inspector.html import table

Labels = Literal["universal", "full"]
"""Whether a label is its part before the colon, or stands as the treebank has it."""

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The columns of CoNLL-U, in order."""
LEFT_OUT = frozenset({"root", "punct"})
"""Universal labels that no scorer asks for: the root goes to no word, punctuation to any."""
SENTENCES_PER_BLOCK = 20
"""How many consecutive sentences make a document where no document is named."""


_FIRST, _SHOWN = 5, 120
"""Sentences that a notebook shows, and characters of each."""


class RelationSubset(NamedTuple):
    """A relation, and the subset of its pairs that a control asks for; '' for all of them.

    Example:
        >>> RelationSubset("coref:pronoun", "apart").name
        'coref:pronoun|apart'
        >>> RelationSubset.of("coref:pronoun|apart").subset
        'apart'
    """

    relation: str
    subset: str = ""

    @classmethod
    def of(cls, name: str) -> "RelationSubset":
        """Return what is counted under a name."""
        relation, _, subset = name.partition("|")
        return cls(relation, subset)

    @property
    def name(self) -> str:
        """Return the name that it is counted under."""
        return f"{self.relation}|{self.subset}" if self.subset else self.relation


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation between two words of a sentence; words count from 0."""

    kind: str
    """'syntax' for trees, 'semantic', 'logical'."""
    label: str
    source: int
    """The word it comes from: in a tree, the dependent."""
    target: int
    """The word it goes to: in a tree, the head; of several right ones the nearest."""
    also: tuple[int, ...] = field(default=(), repr=False)
    """Further words that are as right as the target: a prediction of any of them is a hit."""
    among: tuple[int, ...] = field(default=(), repr=False)
    """The words that a prediction is chosen from, source and targets with them, in order; all
    words of the sentence where it is empty."""
    subsets: tuple[str, ...] = field(default=(), repr=False)
    """The subsets that the pair is counted in as well, for controls."""

    @property
    def targets(self) -> tuple[int, ...]:
        """Return every word that is right."""
        return (self.target, *self.also)

    @property
    def is_plain(self) -> bool:
        """Whether one word is right, and chosen from all words."""
        return not self.also and not self.among

    @property
    def is_control(self) -> bool:
        """Whether it is no relation itself but a pair that stands beside one, for a control."""
        return bool(RelationSubset.of(self.label).subset)

    @property
    def counted_as(self) -> tuple[str, ...]:
        """Return the names that the pair is counted under: its label, and its subsets.

        Example:
            >>> Relation("semantic", "coref:pronoun", 4, 1, subsets=("apart",)).counted_as
            ('coref:pronoun', 'coref:pronoun|apart')
        """
        if not self.subsets:
            return (self.label,)
        return (self.label, *(RelationSubset(self.label, name).name for name in self.subsets))


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with the relations that hold between them."""

    id: str
    document: str | None
    words: tuple[str, ...]
    """Syntactic words, as the treebank numbers them."""
    upos: tuple[str, ...] | None
    """Universal parts of speech, a word each, or None where the text has none."""
    relations: tuple[Relation, ...]
    text: str | None = None
    source: str = field(default="", compare=False, repr=False)
    """The sentence's lines of CoNLL-U with all their columns, '' where it has no tree."""
    file: str = field(default="", compare=False, repr=False)
    """The file it was read from, '' where it is of no file."""
    line: int = field(default=0, compare=False, repr=False)
    """The line of its first word there, counted from 1."""
    written: Surface | None = field(default=None, compare=False, repr=False)
    """How it stands in its text, where text and source do not say so: of joined sentences."""
    lemmas: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """This column and the next four, a word each, '_' for nothing; empty without a tree."""
    feats: tuple[str, ...] = field(default=(), compare=False, repr=False)
    heads: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Each word's head in the tree, counted from 0; -1 for the root's."""
    deprels: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Each word's label in the tree, root, punctuation and subtypes included."""
    misc: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Where treebanks keep entities and spacing."""
    described: tuple[int, int] | None = field(default=None, compare=False, repr=False)
    """Of a window that overlaps with others, the first word that is described here, and the one
    after the last; all words where not given."""

    @property
    def surface(self) -> Surface:
        """Return the text that a model reads, and where each word stands in it.

        Example:
            >>> Sentence("s", None, ("Go", "!"), None, (), "Go!").surface.spans
            ((0, 2), (2, 3))
        """
        if self.written is not None:
            return self.written
        form, misc = COLUMNS.index("form"), COLUMNS.index("misc")
        lines = [(cells[0], cells[form], cells[misc]) for cells in self._lines()]
        return surface_of(self.words, self.text, lines)

    def column(self, name: str) -> tuple[str, ...]:
        """Return a column of CoNLL-U, a word each, as it stands in the file ('_' for nothing).

        Args:
            name: One of `COLUMNS`.

        Example:
            >>> from inspector.corpora import tree_sentence
            >>> tree_sentence("s", ["Dogs", "bark"], [1, -1], ["nsubj", "root"]).column("deprel")
            ('nsubj', 'root')
        """
        index = COLUMNS.index(name)
        if not self.source:
            return ("_",) * len(self.words)
        return tuple(cells[index] for cells in self._lines() if cells[0].isdecimal())

    @property
    def deps(self) -> tuple[str, ...]:
        """Return each word's enhanced dependencies, unread."""
        return self.column("deps")

    @property
    def comments(self) -> tuple[str, ...]:
        """Return the sentence's comment lines, verbatim, with their '#'."""
        return tuple(line for line in self.source.split("\n") if line.startswith("#"))

    def _lines(self) -> Iterator[list[str]]:
        for line in self.source.split("\n"):
            if line and not line.startswith("#"):
                yield line.split("\t")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sentence that was left out, and why."""

    file: str
    line: int
    """Counted from 1."""
    sentence: str | None
    """Its id, where it has one."""
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Annotation that could not be used although its sentence may be there, and why."""

    annotation: str
    """Which annotation: 'roles', 'connectives', 'names', …"""
    reason: str
    count: int
    examples: tuple[str, ...] = ()
    """Where the first few stand: a sentence's id, or a file and its line."""


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True, repr=False)
class Corpus:
    """Sentences in order, with what had to be left out.

    Example:
        >>> corpus = Corpus.from_texts(["The cat sat.", "It slept."])
        >>> [sentence.words for sentence in corpus.sentences]
        [('The', 'cat', 'sat', '.'), ('It', 'slept', '.')]
    """

    name: str
    sentences: list[Sentence]
    skipped: list[Skipped]
    sha256: str
    """Of the bytes of the files, one after the other, or of the CoNLL-U of what was generated."""
    annotation: str
    """'gold', 'silver:' and the parser's label scheme, 'generated', 'none', or two of these
    joined by ' and '."""
    left_out: tuple[LeftOut, ...] = ()
    """What of further annotation had to be left out, a row a reason."""
    _read: ClassVar[Callable[..., "Corpus"]]
    """What reads the forms below; the readers stand above this module, and put it here."""

    @classmethod
    def from_text(cls, text: str) -> "Corpus":
        """Return the sentences of one text, a document; without trees.

        Example:
            >>> Corpus.from_text("The cat sat. It slept.")
            <Corpus texts: 2 sentences, 7 words, annotation none>
        """
        return cls._read("text", text)

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> "Corpus":
        """Return the sentences of several texts, of a list or a Series; without trees."""
        return cls._read("texts", texts)

    @classmethod
    def from_words(cls, words: Iterable[Any]) -> "Corpus":
        """Return sentences of words, or one of them; without trees.

        Example:
            >>> Corpus.from_words([["The", "cat", "sat"], ["It", "slept"]])
            <Corpus words: 2 sentences, 5 words, annotation none>
        """
        return cls._read("words", words)

    @classmethod
    def from_frame(cls, frame: Any) -> "Corpus":
        """Return a DataFrame's or Dataset's rows: a column `text` or `words`, maybe `document`."""
        return cls._read("frame", frame)

    @classmethod
    def from_conllu(
        cls, trees: Any, *, labels: Labels = "universal", strict: bool = False
    ) -> "Corpus":
        """Return trees with their relations: a file, CoNLL-U in a string, or conllu's TokenLists.

        Args:
            trees: What holds them.
            labels: 'universal' keeps of each label the part before the colon; 'full' all of it.
            strict: Whether a malformed sentence stops the reading, not only that sentence.
        """
        return cls._read("conllu", trees, labels=labels, strict=strict)

    @classmethod
    def from_spacy(cls, docs: Any, *, labels: Labels = "universal") -> "Corpus":
        """Return the sentences of spaCy's Docs, with their trees where they were parsed."""
        return cls._read("spacy", docs, labels=labels)

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sentences)

    def __iter__(self) -> Iterator[Sentence]:
        """Yield the sentences."""
        return iter(self.sentences)

    @overload
    def __getitem__(self, place: int) -> Sentence: ...

    @overload
    def __getitem__(self, place: slice) -> "Corpus": ...

    def __getitem__(self, place: int | slice) -> "Sentence | Corpus":
        """Return a sentence, or some of them as a corpus; each stays in its document.

        Example:
            >>> from inspector.corpora import memory_corpus
            >>> memory_corpus(["Go.", "Stop.", "Wait."])[:2]
            <Corpus texts: 2 sentences, 4 words, annotation none>
        """
        limits = (place.start, place.stop, place.step) if isinstance(place, slice) else (place,)
        if not all(is_whole(one) or (one is None and isinstance(place, slice)) for one in limits):
            raise refused("sentence", place, "a number, or a part such as [:100]")
        if isinstance(place, slice):
            return self._part(range(len(self.sentences))[place])
        if not -len(self.sentences) <= place < len(self.sentences):
            raise IndexError(
                f"sentence ({place}) must be one of the corpus's {len(self.sentences)}, counted "
                "from 0."
            )
        return self.sentences[place]

    def sample(self, n: int, seed: int = 0) -> "Corpus":
        """Return some of the sentences, drawn at random, in their order.

        Args:
            n: How many.
            seed: Of the choice.

        Raises:
            InputError: If there are not so many.
        """
        check("seed", seed)
        if not is_whole(n) or not 1 <= n <= len(self.sentences):
            raise InputError(
                f"n ({n}) must be a number of sentences that the corpus has: from 1 to "
                f"{len(self.sentences)}."
            )
        return self._part(sorted(Random(seed).sample(range(len(self.sentences)), n)))  # noqa: S311

    def _part(self, places: Sequence[int]) -> "Corpus":
        documents = self.document_ids()
        kept = [replace(self.sentences[i], document=documents[i]) for i in places]
        digest = sha256(f"{self.sha256} {list(places)}".encode()).hexdigest()
        return replace(self, sentences=kept, sha256=digest)

    def __repr__(self) -> str:
        """Return what it is, in a line."""
        return (
            f"<Corpus {self.name}: {len(self.sentences)} sentences, {self.n_words} words, "
            f"annotation {self.annotation}>"
        )

    def _repr_html_(self) -> str:
        """Return its first sentences as a table, escaped."""
        columns = ["sentence", "document", "text", "words", "relations"]
        rows = [
            [one.id, document, _shortened(one.surface.text), len(one.words), len(one.relations)]
            for one, document in zip(self.sentences[:_FIRST], self.document_ids(), strict=False)
        ]
        shown = f", the first {_FIRST}" if len(self.sentences) > _FIRST else ""
        return table(columns, rows, f"{repr(self).strip('<>')}{shown}")

    @property
    def n_words(self) -> int:
        """Return the number of words of all sentences."""
        return sum(len(sentence.words) for sentence in self.sentences)

    def document_ids(self) -> list[str]:
        """Return the document of each sentence.

        Where no document is named, each block of 20 consecutive sentences is one.
        """
        ids: list[str] = []
        unnamed = 0
        for sentence in self.sentences:
            if sentence.document is None:
                ids.append(f"block-{unnamed // SENTENCES_PER_BLOCK:05d}")
                unnamed += 1
            else:
                ids.append(sentence.document)
        return ids

    def relation_counts(self) -> dict[tuple[str, str], int]:
        """Return how often each (kind, label) occurs, the commonest first."""
        counts = Counter(
            (relation.kind, relation.label)
            for sentence in self.sentences
            for relation in sentence.relations
        )
        return dict(counts.most_common())


def tree_relations(
    heads: list[int], deprels: list[str], labels: Labels = "universal"
) -> tuple[Relation, ...]:
    """Return the relations of a tree, from dependent to head, without root and punctuation.

    Args:
        heads: The head of each word, counted from 0; -1 for the root's.
        deprels: The label of each word.
        labels: 'universal' keeps of each label the part before the colon.

    Example:
        >>> tree_relations([1, 2, -1], ["det", "nsubj:pass", "root"])[1]
        Relation(kind='syntax', label='nsubj', source=1, target=2)
    """
    relations = []
    for word, (head, deprel) in enumerate(zip(heads, deprels, strict=True)):
        universal = deprel.partition(":")[0]
        if head >= 0 and universal not in LEFT_OUT:
            label = universal if labels == "universal" else deprel
            relations.append(Relation("syntax", label, word, head))
    return tuple(relations)


def check_labels(labels: str) -> Labels:
    """Return the labels if they are a known choice.

    Raises:
        InputError: If they are not.
    """
    for known in get_args(Labels):
        if labels == known:
            return cast(Labels, known)
    raise InputError(f"labels ({labels!r}) must be a known choice. Available: 'universal', 'full'.")
