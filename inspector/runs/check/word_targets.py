"""Claims that a head looks at one word, at the nearest one of a class, or at one position.

Word by word, no tree.

Must not know: how claims are written, relations, UI.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Int64

from inspector.corpora import Corpus, Sentence
from inspector.heads.observers import (
    PredictedWords,
    RelationScores,
    annotated_batches,
    observe,
    predictions_from_state,
)
from inspector.heads.specialization.inference import bootstrap_weights, ratio_intervals
from inspector.heads.specialization.ladder.rules import (
    SIDES,
    class_words,
    position_rank,
    position_words,
)
from inspector.heads.specialization.ladder.sums import by_document
from inspector.heads.specialization.ladder.words import NOTHING, WordTable, word_table
from inspector.heads.specialization.lift import MIN_LIFT
from inspector.heads.specialization.split import is_for_selection
from inspector.models import BatchSize, PretrainedModel, random_init_model, word_batches
from inspector.models.forward.one_thread import one_thread
from inspector.models.forward.within_memory import Fitting, within_memory
from inspector.runs.check.described_words import WordTarget
from inspector.runs.check.token_targets import MOST, RANDOM_SENTENCES
from inspector.runs.profile.job import ProfileSettings

_SIZE = BatchSize(32)


def words_predicted(
    model: PretrainedModel,
    sentences: Sequence[Sentence],
    documents: Sequence[str],
    size: BatchSize = _SIZE,
) -> WordTable:
    """Return sentences with the word that each head predicts for each word, from one pass."""
    lengths = [len(sentence.words) for sentence in sentences]

    def read(size: BatchSize, fitting: Fitting) -> PredictedWords:
        scores = RelationScores(model.n_layers, model.n_heads, [""], [])
        seen = PredictedWords(scores, lengths)
        made = word_batches(model, [sentence.surface for sentence in sentences], size)
        batches = annotated_batches(made.batches, sentences, [0] * len(sentences), {})
        # The scores find what the mask hides, and put a long sentence's rows together.
        observe(model, fitting.each(batches), [scores, seen])
        return seen

    with one_thread():
        seen = within_memory(read, size, model.device)
    n_heads = model.n_layers * model.n_heads
    predicted = predictions_from_state(seen.state(), lengths, n_heads)
    return word_table(sentences, documents, predicted)


@dataclass(frozen=True, eq=False)
class WordLooks:
    """The words that each head of a model looks at, and of models with random weights."""

    table: WordTable
    random_init: tuple[WordTable, ...]
    n_heads: int
    seed: int

    @classmethod
    def of(
        cls,
        model: PretrainedModel,
        corpus: Corpus,
        settings: ProfileSettings,
        *,
        all_tested: bool = False,
    ) -> "WordLooks":
        """Return what one pass over the corpus shows.

        Args:
            model: Whose heads.
            corpus: What is read.
            settings: Of the pass; random models as they have them.
            all_tested: Whether every document is judged on, where nothing is chosen.
        """
        documents = corpus.document_ids()
        table = words_predicted(model, corpus.sentences, documents, settings.batch)
        if all_tested:
            table = replace(table, test_documents=tuple(sorted(set(documents))))
        tested = [
            (one, name)
            for one, name in zip(corpus.sentences, documents, strict=True)
            if not is_for_selection(name)
        ]
        some = tested[:: -(-len(tested) // RANDOM_SENTENCES) or 1]
        texts, names = [one for one, _ in some], [name for _, name in some]
        random_models = (random_init_model(model, seed) for seed in settings.random_init_seeds)
        return cls(
            table,
            tuple(words_predicted(one, texts, names, settings.batch) for one in random_models),
            model.n_heads,
            settings.seed,
        )

    def hides(self, target: WordTarget) -> bool:
        """Return whether the mask hides the target from every word."""
        is_later = target.side == "right" or target.position == "last"
        return self.table.is_causal and is_later

    def row(self, target: WordTarget, head: tuple[int, int] | None) -> dict[str, Any]:
        """Return what a head shows of a target on the test split, from all words that have one.

        'supported', as its role is: its strongest look goes there ten points more often than the
        commonest fixed offset of the selection split leads there, with a 95 % bootstrap interval
        over documents above 0; and more often than the best head of every model with random
        weights. 'explained' where random weights do as well, or where it looks there in one half
        and an offset does as well; 'underpowered' where the interval holds 0 and ten points, or
        there is none.

        Args:
            target: Where it is said to look.
            head: Its layer and number; None for the best on the selection split.
        """
        table, looks = self.table, self.table.predicted[0]
        nearest, asked = _asked(table, target)
        chosen = asked[table.document[asked] == NOTHING]
        if head is None:
            hits = _right(table, target, nearest, chosen, looks[:, chosen]).sum(axis=1)
            place = int(hits.argmax())
        else:
            place = head[0] * self.n_heads + head[1]
        layer, number = divmod(place, self.n_heads)
        named = {"layer": layer, "head": number}
        named["baseline_offset"] = _commonest(nearest[chosen] - chosen)
        found = self.again(target, named)
        at_random = max((_best(one, target) for one in self.random_init), default=np.nan)
        verdict, explained = _judged(found, at_random)
        judged = {"random_init_accuracy": at_random, "verdict": verdict, "explained_by": explained}
        return named | found | judged

    def again(self, target: WordTarget, claim: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a claim's head shows of its target on the test split: nothing is chosen.

        Args:
            target: Where it is said to look.
            claim: Its layer, head and baseline_offset.
        """
        table = self.table
        nearest, asked = _asked(table, target)
        tested = asked[table.document[asked] != NOTHING]
        place = claim["layer"] * self.n_heads + claim["head"]
        hit = _right(table, target, nearest, tested, table.predicted[0, place, tested])
        at_offset = _right(table, target, nearest, tested, tested + claim["baseline_offset"])
        document, size = table.document[tested], len(table.test_documents)
        wholes = by_document(np.ones(len(tested), dtype=np.int64), document, size)
        weights = bootstrap_weights(size, self.seed)
        (low, high), (lift_low, lift_high) = (
            ratio_intervals(by_document(one, document, size)[None], wholes, weights)[0]
            for one in (hit.astype(np.int8), hit.astype(np.int8) - at_offset)
        )
        accuracy, at = (one.mean() if len(tested) else np.nan for one in (hit, at_offset))
        return {
            "n": len(tested),
            "documents": int(np.count_nonzero(wholes)),
            "accuracy": accuracy,
            "ci_low": low,
            "ci_high": high,
            "baseline_accuracy": at,
            "lift": accuracy - at,
            "lift_low": lift_low,
            "lift_high": lift_high,
        }


def _judged(found: Mapping[str, float], at_random: float) -> tuple[str, str]:
    """Return the verdict on a head, and what explains it where that does."""
    spans = found["lift_low"] <= 0 and found["lift_high"] >= MIN_LIFT
    if np.isnan(found["lift_low"]) or spans:
        return "underpowered", ""
    if found["lift"] < MIN_LIFT:
        return ("explained", "offset") if found["accuracy"] > MOST else ("not supported", "")
    # Without random models nothing is supported.
    if found["accuracy"] > at_random:
        return "supported", ""
    return ("not supported", "") if np.isnan(at_random) else ("explained", "random-init")


def _asked(
    table: WordTable, target: WordTarget
) -> tuple[Int64[np.ndarray, " word"], Int64[np.ndarray, " pair"]]:
    """Return the word of the target for each word, and the words that have one, by document."""
    nearest = _nearest(table, target)
    asked = np.flatnonzero(table.is_read & (nearest != NOTHING))
    return nearest, asked[np.argsort(table.document[asked], kind="stable")]


def _nearest(table: WordTable, target: WordTarget) -> Int64[np.ndarray, " word"]:
    """Return the nearest word of the target for each word; NOTHING where the mask forbids it."""
    if target.position:
        return position_words(position_rank(target.position), 0, table)
    if target.word:
        inside = np.array(table.forms) == target.word
    else:
        inside = np.isin(table.tag, [p for p, tag in enumerate(table.tags) if tag == target.tag])
    # A decoder's words look to the left only.
    side = "left" if table.is_causal and target.side == "either" else target.side
    found = class_words(inside & table.is_read, table)[SIDES.index(side)]
    return np.where(table.allowed(np.arange(len(found)), found, 0), found, NOTHING)


def _right(
    table: WordTable,
    target: WordTarget,
    nearest: Int64[np.ndarray, " word"],
    asked: Int64[np.ndarray, " pair"],
    found: Int[np.ndarray, "*head pair"],
) -> Bool[np.ndarray, "*head pair"]:
    """Return where what is found is right: any word of the form, or the one word that is meant."""
    if not target.word:
        return np.asarray(found == nearest[asked])
    inside = (found >= table.start[asked]) & (found < table.end[asked]) & (found != asked)
    is_form = np.array(table.forms) == target.word
    return np.asarray(inside & is_form[np.where(inside, found, 0)])


def _commonest(apart: Int64[np.ndarray, " pair"]) -> int:
    """Return the commonest offset, 0 where there is none."""
    values, counts = np.unique(apart, return_counts=True)
    return int(values[counts.argmax()]) if len(values) else 0


def _best(table: WordTable, target: WordTarget) -> float:
    nearest, asked = _asked(table, target)
    if not len(asked):
        return float("nan")
    hits = _right(table, target, nearest, asked, table.predicted[0][:, asked])
    return float(hits.mean(axis=1).max())
