"""Claims about where a head looks that is no relation: the next token, [CLS], punctuation.

Must not know: how claims are written, relations, UI.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from inspector.corpora import Corpus, Sentence
from inspector.heads.observers import Behaviour, annotated_batches, observe
from inspector.heads.observers.behaviour import QUANTITIES
from inspector.heads.specialization.inference import bootstrap_weights, ratio_intervals
from inspector.heads.specialization.split import is_for_selection
from inspector.models import BatchSize, PretrainedModel, random_init_model, word_batches
from inspector.models.forward.one_thread import one_thread
from inspector.models.forward.within_memory import Fitting, within_memory
from inspector.runs.check.vocabulary import Target
from inspector.runs.profile.job import ProfileSettings

MOST = 0.5
"""Share of a head's looks, or of its attention, above which it is said to look somewhere."""
RANDOM_SENTENCES = 128
"""Sentences that models with random weights read, at most: their attention is nearly uniform."""
_UNIT = 1_000_000
_QUERIES, _REPEATED = 0, 1
_NEXT = QUANTITIES.index("next_mass")


@dataclass(frozen=True, eq=False)
class Looks:
    """Where each head looks in each document of a corpus, and with random weights in all."""

    documents: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]
    """Of each document."""
    random_init: tuple[Behaviour, ...]
    seed: int
    window: int | None = None
    """Tokens, itself among them, that a query sees at most; None where there is no such bound."""

    @classmethod
    def of(cls, model: PretrainedModel, corpus: Corpus, settings: ProfileSettings) -> "Looks":
        """Return what one pass over the corpus shows; random models as the settings have them."""
        of_document: dict[str, list[Sentence]] = {}
        for sentence, name in zip(corpus.sentences, corpus.document_ids(), strict=True):
            of_document.setdefault(name, []).append(sentence)
        names = sorted(of_document)
        tested = [one for name in names if not is_for_selection(name) for one in of_document[name]]
        step = -(-len(tested) // RANDOM_SENTENCES) or 1
        random_models = (random_init_model(model, seed) for seed in settings.random_init_seeds)
        return cls(
            documents=tuple(names),
            behaviours=tuple(
                _behaviour(model, of_document[name], settings.batch) for name in names
            ),
            random_init=tuple(
                _behaviour(one, tested[::step], settings.batch) for one in random_models
            ),
            seed=settings.seed,
            window=model.window,
        )

    @cached_property
    def looks_back_only(self) -> bool:
        """Return whether no token sees the next one, as a decoder's mask has it."""
        return not any(one.sums[_NEXT].any() for one in self.behaviours)

    def hides(self, target: Target) -> bool:
        """Return whether the mask hides the target from every token."""
        offset = target.offset or 0
        is_beyond = self.window is not None and abs(offset) >= self.window
        return is_beyond or (offset > 0 and self.looks_back_only)

    def row(self, target: Target, head: tuple[int, int] | None) -> dict[str, Any]:
        """Return what a head shows of a target on the test split.

        'supported': the share of its looks (of an offset) or of its attention is at least one half,
        its 95 % bootstrap interval over documents lies above one half, and it is above the best
        head of every model with random weights; 'underpowered' where the interval holds one half,
        or there is none.

        Args:
            target: Where it is said to look.
            head: Its layer and number; None for the best on the selection split.
        """
        figures = [_parts(one, target) for one in self.behaviours]
        parts, wholes = (np.stack(axis) for axis in zip(*figures, strict=True))
        selection = np.array([is_for_selection(name) for name in self.documents])
        if head is None:
            best = int(parts[selection].sum(axis=0).argmax())
            layer, number = divmod(best, parts.shape[-1])
        else:
            layer, number = head
        found = self._share(parts[~selection, layer, number], wholes[~selection])
        at_random = max((_best(one, target) for one in self.random_init), default=np.nan)
        verdict, explained = judged_share(
            found["accuracy"], found["ci_low"], found["ci_high"], at_random
        )
        return found | {
            "layer": layer,
            "head": number,
            "random_init_accuracy": at_random,
            "verdict": verdict,
            "explained_by": explained,
        }

    def again(self, target: Target, claim: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a claim's head shows of its target on all documents: nothing is chosen."""
        figures = [_parts(one, target) for one in self.behaviours]
        parts, wholes = (np.stack(axis) for axis in zip(*figures, strict=True))
        return self._share(parts[:, claim["layer"], claim["head"]], wholes)

    def _share(
        self, parts: Int64[np.ndarray, " document"], n: Int64[np.ndarray, " document"]
    ) -> dict[str, Any]:
        weights = bootstrap_weights(len(parts), self.seed)
        low, high = ratio_intervals(parts[None], n * _UNIT, weights)[0]
        total = int(n.sum())
        return {
            "n": total,
            "documents": int(np.count_nonzero(n)),
            "accuracy": parts.sum() / (_UNIT * total) if total else np.nan,
            "ci_low": low,
            "ci_high": high,
        }


def judged_share(accuracy: float, low: float, high: float, at_random: float) -> tuple[str, str]:
    """Return whether a head is said to look somewhere, and what explains it where that does."""
    if np.isnan(low) or low <= MOST <= high:
        return "underpowered", ""
    if accuracy < MOST:
        return "not supported", ""
    # Without random models nothing is supported.
    if accuracy > at_random:
        return "supported", ""
    return ("not supported", "") if np.isnan(at_random) else ("explained", "random-init")


def _behaviour(model: PretrainedModel, sentences: Sequence[Sentence], size: BatchSize) -> Behaviour:
    def read(size: BatchSize, fitting: Fitting) -> Behaviour:
        seen = Behaviour(model.n_layers, model.n_heads, model.max_tokens)
        made = word_batches(model, [sentence.surface for sentence in sentences], size)
        batches = annotated_batches(made.batches, sentences, [0] * len(sentences), {})
        observe(model, fitting.each(batches), [seen])
        return seen

    with one_thread():
        return within_memory(read, size, model.device)


def _parts(seen: Behaviour, target: Target) -> tuple[Int64[np.ndarray, "layer head"], np.int64]:
    """Return what goes to the target, in millionths, and of how many queries."""
    if target.offset is not None:
        return seen.looks_at(target.offset) * _UNIT, seen.counts[_QUERIES]
    which = _REPEATED if target.column == "duplicate_mass" else _QUERIES
    sums = seen.sums[QUANTITIES.index(target.column)]
    return np.rint(sums * _UNIT).astype(np.int64), seen.counts[which]


def _best(seen: Behaviour, target: Target) -> float:
    parts, whole = _parts(seen, target)
    shares: Float64[np.ndarray, "layer head"] = parts / (_UNIT * max(int(whole), 1))
    return float(shares.max())
