"""A corpus searched: for words, for pairs in a relation, for what one head does with them.

The model reads a bounded number of sentences, spread evenly over those that have such words.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import pandas as pd
import torch

from inspector.arguments import is_whole
from inspector.corpora import Corpus, Sentence
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.head_names import Head, Heads, head_list
from inspector.heads.ablation.ablate_heads import last_states
from inspector.heads.ablation.state_change import word_state_change
from inspector.heads.observers import AnnotatedBatch, annotated_batches
from inspector.heads.search.word_pattern import WordPattern
from inspector.heads.specialization.head_examples import head_attention
from inspector.html import table
from inspector.models import PretrainedModel, word_batches
from inspector.models.forward.head_ablation import check_heads
from inspector.models.loading.load_model import ModelOrName, loaded
from inspector.progress import Progress, shown

BY = ("attention", "ablation")
"""What a head may be asked for."""
NOBODY = -1
"""The place of a second word where a match has none."""
_BATCH = 16
_SHOWN = 20


@dataclass(frozen=True)
class Match:
    """A place of the corpus that was searched for."""

    sentence: Sentence
    word: int
    """The word that was searched for, or that looks."""
    other: int
    """The one that it is related to, or looks at; NOBODY where there is none."""
    relation: str
    """Which joins the two, '' where none was asked for."""
    score: float
    """The attention between them, or how far ablation moves the word; NaN without a head."""
    weights: tuple[float, ...] = ()
    """Attention from the word to each word of the sentence, -1 where it is no choice."""


@dataclass(frozen=True)
class Found:
    """What a search found."""

    matches: tuple[Match, ...]
    """At most as many as were asked for: of a head the strongest first, else in corpus order."""
    total: int
    """How many there are in what was read."""
    candidates: int
    """Sentences that have such words."""
    read: int
    """How many of these were looked at; the model reads no more than it was allowed to."""

    def __len__(self) -> int:
        """Return the number of matches that are kept."""
        return len(self.matches)

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row per match, as the frame `matches` has it."""
        columns = dtypes("matches")
        rows = [
            (
                one.sentence.id, one.sentence.surface.text, one.word,
                one.sentence.words[one.word], one.other,
                "" if one.other == NOBODY else one.sentence.words[one.other],
                one.relation, one.score,
            )
            for one in self.matches
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(columns)).astype(columns)

    def __repr__(self) -> str:
        """Return what was found, in a line."""
        return (
            f"<{self.total} matches in {self.read} of {self.candidates} sentences, "
            f"{len(self)} kept>"
        )

    def _repr_html_(self) -> str:
        """Return the first matches as a table, escaped."""
        frame = self.frame.head(_SHOWN)
        return table(list(dtypes("matches")), frame.itertuples(index=False), repr(self).strip("<>"))


def search(
    corpus: Any = None,
    words: str = "",
    *,
    to: str = "",
    relation: str = "",
    model: ModelOrName | None = None,
    head: Heads | None = None,
    by: str = "attention",
    more_than: float = 0.1,
    limit: int = 50,
    sentences: int = 200,
    progress: Progress | bool | None = None,
) -> Found:
    """Return where a corpus has words, pairs in a relation, or a head that acts on them.

    Without a head, words of the pattern, each by itself, or each pair whose dependent (the word
    that a relation comes from) is of it and whose head is of `to`. With one, by 'attention', each
    pair in which a word of the pattern gives one of `to` more than that share, as the relations
    frame counts attention between words, whichever way the relation joins them if one is named; by
    'ablation' the words whose last state moves most without the head (relative L2 change under
    zero ablation), each with the word that it gives most. Sentences by themselves; one that is
    longer than the model takes is left out.

    Args:
        corpus: As `inspector.profile` takes it; one.
        words: A form, `lemma:be`, `tag:VERB`, or several of these; any word if empty.
        to: The same for the second word.
        relation: The name of one, such as obj.
        model: What reads, minilm if not given; unused without a head.
        head: Such as '3-1'.
        by: 'attention' or 'ablation'.
        more_than: The share of attention, or the change, that must be exceeded.
        limit: How many matches are kept.
        sentences: How many the model reads at most, evenly of those that have such words.
        progress: As `inspector.profile` takes it.

    Raises:
        InputError: If a pattern, relation, head or number cannot be used; if the corpus cannot.
        ModelError: If the model cannot be loaded.

    Example:
        >>> found = search("The cat sat. A dog sat.", "sat")
        >>> found, found.frame["word"].tolist()
        (<2 matches in 2 of 2 sentences, 2 kept>, ['sat', 'sat'])
    """
    source, target = WordPattern.of("words", words), WordPattern.of("to", to)
    _check(to, relation, head, by, more_than, limit, sentences)
    read = corpus if isinstance(corpus, Corpus) else _one(read_annotated(corpus))
    _check_known(read, relation, (source, target))
    ablating = head is not None and by == "ablation"
    pairs = {
        place: found
        for place, one in enumerate(read.sentences)
        if (found := _pairs(one, source, target, relation, head=head is not None and not ablating))
    }
    if head is None:
        every = (
            Match(read.sentences[place], word, other, relation, float("nan"))
            for place, found in pairs.items()
            for word, other in found
        )
        kept = tuple(one for _, one in zip(range(limit), every, strict=False))
        return Found(kept, sum(map(len, pairs.values())), len(pairs), len(pairs))
    ready = loaded("minilm" if model is None else model)
    one, *others = check_heads(ready, head_list(head))
    if others:
        raise InputError(f"head ({len(others) + 1} heads) must be one, such as '3-1'.")
    step = max(-(-len(pairs) // sentences), 1)
    chosen = list(pairs)[::step]
    asked = [(read.sentences[place], pairs[place]) for place in chosen]
    with shown(progress) as show:
        scored = list(_scored(ready, one, asked, relation, by, more_than, show))
    best = nlargest(limit, scored, key=lambda match: match.score)
    return Found(tuple(best), len(scored), len(pairs), len(chosen))


def _pairs(
    sentence: Sentence, source: WordPattern, target: WordPattern, relation: str, *, head: bool
) -> list[tuple[int, int]]:
    """Return the pairs of words that are asked for: (word, other); NOBODY for no other.

    Args:
        sentence: Whose words.
        source: What the first one must be.
        target: What the second one must be.
        relation: That joins them; '' for any two, or none.
        head: Whether any two words are a pair, and a relation joins them either way.
    """
    first = source.places(sentence)
    if not first:
        return []
    if relation:
        second = set(target.places(sentence))
        joined = [
            (one.source, word)
            for one in sentence.relations
            if one.label == relation
            for word in one.targets
        ]
        if head:
            joined += [(word, other) for other, word in joined]
        firsts = set(first)
        return sorted({(a, b) for a, b in joined if a in firsts and b in second})
    if not head:
        return [(word, NOBODY) for word in first]
    second_places = target.places(sentence)
    return [(word, other) for word in first for other in second_places if other != word]


def _scored(
    model: PretrainedModel,
    head: Head,
    asked: Sequence[tuple[Sentence, list[tuple[int, int]]]],
    relation: str,
    by: str,
    more_than: float,
    progress: Progress | None,
) -> Iterator[Match]:
    """Yield the pairs that score more than is asked."""
    sentences = [sentence for sentence, _ in asked]
    made = word_batches(model, [one.surface for one in sentences], _BATCH)
    batches = annotated_batches(made.batches, sentences, [0] * len(sentences), {})
    for number, batch in enumerate(batches, 1):
        attention, back_only = head_attention(model, batch, *head)
        moved = _moved(model, batch, head) if by == "ablation" else None
        for row, place in enumerate(batch.words.sentences):
            sentence, pairs = asked[place]
            n_words = len(sentence.words)
            map_of = attention[row, :n_words, :n_words]
            if back_only:
                later = torch.ones(n_words, n_words, dtype=torch.bool).triu(1)
                map_of = map_of.masked_fill(later, -1.0)
            for word, other in pairs:
                weights = map_of[word]
                if moved is None:
                    score = float(weights[other])
                else:
                    score = moved[row][word]
                    if other == NOBODY and n_words > 1 and float(weights.max()) >= 0:
                        other = int(weights.argmax())
                if score > more_than:
                    given = tuple(weights.tolist())
                    yield Match(sentence, word, other, relation, score, given)
        if progress is not None:
            progress("sentences", number / len(batches))


def _moved(model: PretrainedModel, batch: AnnotatedBatch, head: Head) -> list[list[float]]:
    """Return how far the last state of each word moves without a head, row by row."""
    with torch.inference_mode():
        before = last_states(model, batch.words.batch, ())
        after = last_states(model, batch.words.batch, [head])
        change, _ = word_state_change(batch, before, after[None])
    rows: list[list[float]] = change[0].unflatten(0, (-1, batch.n_words)).tolist()
    return rows


def _one(read: Sequence[Corpus]) -> Corpus:
    if len(read) != 1:
        raise InputError(f"corpus ({len(read)} corpora) must be one: search each by itself.")
    return read[0]


def _check(
    to: str, relation: str, head: Heads | None, by: str, more_than: float, limit: int, most: int
) -> None:
    if by not in BY:
        raise InputError(f"by ({by}) must be one of: {', '.join(BY)}.")
    if head is None and to.strip() and not relation:
        raise InputError(
            f"to ({to}) needs what joins the two words: give a relation such as obj, or a head."
        )
    if not 0 <= more_than < float("inf"):
        raise InputError(
            f"more_than ({more_than}) must be a number from 0: of attention a share, such as 0.1."
        )
    for name, number in (("limit", limit), ("sentences", most)):
        if not is_whole(number) or number < 1:
            raise InputError(f"{name} ({number}) must be a whole number from 1: give how many.")


def _check_known(corpus: Corpus, relation: str, patterns: Sequence[WordPattern]) -> None:
    """Refuse what the corpus has nowhere: a name that is misspelt would find nothing."""
    known: dict[str, Callable[[Sentence], Any]] = {
        "relation": lambda one: (pair.label for pair in one.relations if not pair.is_control),
        "tag": lambda one: one.upos or (),
    }
    asked = [("relation", relation), *(("tag", one.tag) for one in patterns)]
    for name, wanted in asked:
        if not wanted:
            continue
        there = {value for one in corpus.sentences for value in known[name](one)}
        if wanted not in there:
            listed = ", ".join(sorted(there)) or f"none, the corpus has no {name}s"
            raise InputError(
                f"{name} ({wanted}) must be one that the corpus has. Available: {listed}."
            )
    if any(one.lemma for one in patterns) and not any(one.lemmas for one in corpus.sentences):
        raise InputError(
            "lemma (of a corpus without lemmas) cannot be searched for: search for the word's form."
        )
