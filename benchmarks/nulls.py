"""How often something is claimed of annotation that is none: the model reads once, trees are dealt.

A null says nothing of the annotation that was there: heads permuted within each sentence, another
sentence's tree, each pair slid along its sentence; or of a network with random weights. EWT's dev
set, or inspector's own treebank where INSPECTOR_DATA (or ../shared/data) has none; its third for
random networks, as each must read it.
Must not know: how a claim is judged.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.subjects import minilm
from benchmarks.table import Measure

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Int64

    from inspector.corpora import Relation, Sentence
    from inspector.heads.counts import RelationCounts
    from inspector.heads.specialization.ladder.heads_on_ladder import OnLadder
    from inspector.heads.specialization.ladder.words import WordTable
    from inspector.models import PretrainedModel

DRAWS = 20
THIRD = 667
"""Sentences that random networks read: twenty passes over a whole treebank take a quarter hour."""
NETWORKS = "random networks"
MOST = 3
"""Draws of twenty in which anything may be claimed: 5 % of them, and two standard errors."""
_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_EWT = Path("ud-english-ewt") / "en_ewt-ud-dev.conllu"


def run(draws: int = DRAWS, sentences: int | None = None) -> list[Measure]:
    """Return in how many draws of each null anything was claimed."""
    model, rows = minilm(), []
    whole, third = read(model, sentences), read(model, min(sentences or THIRD, THIRD))
    for name in (*NULLS, NETWORKS):
        table = third if name == NETWORKS else whole
        claimed = sum(
            claims_anything(drawn(model, table, name, seed), seed) for seed in range(draws)
        )
        print(f"{name}: {claimed} of {draws} with a claim", file=sys.stderr, flush=True)
        what = f"nulls: {name}, of {draws} draws on {len(table.sentences)} sentences with a claim"
        rows.append(Measure(what, claimed, "", MOST * draws / DRAWS))
    return rows


def drawn(model: "PretrainedModel", table: "WordTable", null: str, seed: int) -> "WordTable":
    """Return the table with annotation that is none, or with what a random network predicts."""
    from inspector.models import random_init_model
    from inspector.runs.check.word_targets import words_predicted

    if null == NETWORKS:
        network = random_init_model(model, 100 + seed)
        return words_predicted(network, table.sentences, table.documents)
    return dealt(table, null, seed)


def gold() -> Path | None:
    """Return EWT's dev set where it is here."""
    path = Path(os.environ.get("INSPECTOR_DATA", _DATA)) / _EWT
    return path if path.exists() else None


def read(model: "PretrainedModel", sentences: int | None = None) -> "WordTable":
    """Return the words of the treebank's first sentences, with what each head predicts for each."""
    from inspector.corpora import read_conllu
    from inspector.corpora.default import sample_files
    from inspector.runs.check.word_targets import words_predicted

    found = gold()
    corpus = read_conllu([found] if found else sample_files())
    # From all over the treebank, so that there are documents enough for something to be claimed.
    step = max(1, len(corpus.sentences) // (sentences or len(corpus.sentences)))
    chosen = corpus.sentences[::step][:sentences]
    documents = corpus.document_ids()[::step][:sentences]
    return words_predicted(model, tuple(chosen), tuple(documents))


def dealt(table: "WordTable", null: str, seed: int) -> "WordTable":
    """Return the table with annotation that is none."""
    draw, others = np.random.default_rng(seed), by_length(table.sentences)
    return replace(
        table, sentences=tuple(NULLS[null](one, others, draw) for one in table.sentences)
    )


def by_length(sentences: "Sequence[Sentence]") -> "dict[int, list[Sentence]]":
    """Return the sentences with a tree of each number of words, the shortest first."""
    found: dict[int, list[Sentence]] = {}
    for one in sorted(sentences, key=lambda one: len(one.words)):
        if one.relations:
            found.setdefault(len(one.words), []).append(one)
    return found


def permuted(
    sentence: "Sentence", others: "dict[int, list[Sentence]]", draw: np.random.Generator
) -> "Sentence":
    """Return a sentence whose heads are dealt out anew: each is still the head of something."""
    pairs = [pair for pair in sentence.relations if pair.kind == "syntax"]
    heads = draw.permutation([pair.target for pair in pairs]).tolist()
    dealt = [replace(pair, target=head) for pair, head in zip(pairs, heads, strict=True)]
    return replace(sentence, relations=_of_two_words(dealt))


def swapped(
    sentence: "Sentence", others: "dict[int, list[Sentence]]", draw: np.random.Generator
) -> "Sentence":
    """Return a sentence with another one's tree, of one that is as long where there is any."""
    size = len(sentence.words)
    alike: list[Sentence] = []
    for length, those in others.items():
        if length >= size and not alike:
            alike = [one for one in those if one is not sentence]
    if not alike:
        return replace(sentence, relations=())
    other = alike[int(draw.integers(len(alike)))]
    inside = [pair for pair in other.relations if max(pair.source, pair.target) < size]
    return replace(sentence, relations=tuple(inside))


def slid(
    sentence: "Sentence", others: "dict[int, list[Sentence]]", draw: np.random.Generator
) -> "Sentence":
    """Return a sentence whose pairs stand elsewhere in it, their words as far apart as before."""
    moved = []
    for pair in sentence.relations:
        first, last = sorted((pair.source, pair.target))
        by = int(draw.integers(len(sentence.words) - (last - first))) - first
        moved.append(replace(pair, source=pair.source + by, target=pair.target + by))
    return replace(sentence, relations=_of_two_words(moved))


Null = Callable[["Sentence", "dict[int, list[Sentence]]", np.random.Generator], "Sentence"]
"""Of a sentence and those of each length, the sentence with annotation that is none."""
NULLS: dict[str, Null] = {
    "permuted heads": permuted,
    "swapped trees": swapped,
    "slid pairs": slid,
}


def claims_anything(table: "WordTable", seed: int = 0) -> bool:
    """Return whether any claim is supported, of what a table holds.

    No rung supports what an offset or random words explain: where that is all, none is asked.
    """
    counts, claims = over_offset(table, seed)
    if not (claims["verdict"] == "supported").any():
        return False
    return bool((judged(table, counts, claims, seed).claims["verdict"] == "supported").any())


def over_offset(table: "WordTable", seed: int = 0) -> "tuple[RelationCounts, pd.DataFrame]":
    """Return a table's counts of syntax, and its claims over a fixed offset and random words.

    Random words instead of random models are the weakest control there is, so that a null is held
    by the others.
    """
    from inspector.heads.specialization.claims import relation_claims

    labels = sorted({pair.label for one in table.sentences for pair in one.relations})
    random_models = [counted(guessing(table, number), labels) for number in (1, 2, 3)]
    counts = counted(table, labels)
    return counts, relation_claims(counts, random_models, seed)


def judged(
    table: "WordTable", counts: "RelationCounts", claims: "pd.DataFrame", seed: int = 0
) -> "OnLadder":
    """Return what the ladder leaves of claims; only the chosen heads are asked about."""
    import pandas as pd

    from inspector.heads.counts import DIRECTIONS
    from inspector.heads.specialization.ladder.heads_on_ladder import on_ladder
    from inspector.heads.specialization.split import documents_holding
    from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS

    others = pd.DataFrame(
        {name: [0] if kind == "int64" else [np.nan] for name, kind in SUPPORT_COLUMNS.items()}
    ).assign(
        head=table.predicted.shape[1] - 1,
        relation=counts.relations[0],
        direction=DIRECTIONS[0],
        supported=False,
    )
    return on_ladder(claims, others.astype(SUPPORT_COLUMNS), table, documents_holding(counts), seed)


def guessing(table: "WordTable", seed: int) -> "WordTable":
    """Return the table as of heads that look at any word of the sentence."""
    words = random_words(table.lengths, table.predicted.shape[1], seed)
    return replace(table, predicted=np.where(table.is_read, words, -1))


def counted(table: "WordTable", labels: "Sequence[str]") -> "RelationCounts":
    """Return the counts that a table's predictions amount to, of heads of one layer."""
    from inspector.heads.counts import DIRECTIONS, RelationCounts

    documents = tuple(dict.fromkeys(table.documents))
    place = {name: index for index, name in enumerate(documents)}
    of_word = np.repeat([place[name] for name in table.documents], table.lengths)
    n = np.zeros((len(documents), len(labels)), dtype=np.int32)
    shape = (*n.shape, len(DIRECTIONS), 1, table.predicted.shape[1])
    correct = np.zeros(shape, dtype=np.int32)
    apart = {}
    for name, label in enumerate(labels):
        for rank, direction in enumerate(DIRECTIONS):
            pairs = table.pairs(label, direction)
            hits = table.predicted[pairs.side][:, pairs.asked] == pairs.expected
            order = np.argsort(of_word[pairs.asked], kind="stable")
            rows, starts = np.unique(of_word[pairs.asked][order], return_index=True)
            if len(rows):  # sums of neighbours: a hundredth of the time that np.add.at takes
                sums = np.add.reduceat(hits[:, order], starts, axis=1, dtype=np.int32)
                correct[rows, name, rank, 0] = sums.T
            if rank == 0:
                np.add.at(n[:, name], of_word[pairs.asked], 1)
                apart[name] = (of_word[pairs.asked], pairs.expected - pairs.asked)
    offsets = tuple(sorted({int(o) for _, values in apart.values() for o in values}))
    at = np.zeros((*n.shape, len(offsets)), dtype=np.int32)
    for name, (document, values) in apart.items():
        np.add.at(at[:, name], (document, np.searchsorted(offsets, values)), 1)
    return RelationCounts(documents, tuple(labels), offsets, correct, n, at)


def random_words(
    lengths: "Int64[np.ndarray, ' sentence']", n_heads: int, seed: int
) -> "Int64[np.ndarray, '2 head word']":
    """Return a word of the same sentence, never itself, for each word and head, both sides."""
    rng = np.random.default_rng(seed)
    size = np.repeat(lengths, lengths)
    start = np.repeat(np.cumsum(lengths) - lengths, lengths)
    apart = rng.integers(1, np.maximum(size, 2), size=(2, n_heads, len(size)))
    word = np.arange(len(size)) - start
    return np.where(size > 1, start + (word + apart) % size, -1)


def _of_two_words(pairs: "list[Relation]") -> "tuple[Relation, ...]":
    return tuple(pair for pair in pairs if pair.source != pair.target)
