"""Which roles act on one text: where a role's own rule leads, and where its head looks there.

Offsets, positions, words and special tokens need the text alone. What is asked of the words of a
relation needs these to be annotated; where they are not, that is said and nothing is concluded.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64

from inspector.corpora import Sentence
from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.observers import (
    AnnotatedBatch,
    Behaviour,
    NormBehaviour,
    annotated_batches,
    behaviour_frame,
    looks_back_only,
    observe,
)
from inspector.heads.observers.relation_scores import predicted_words
from inspector.heads.specialization.ladder.rules import (
    SIDES,
    class_words,
    position_rank,
    position_words,
)
from inspector.heads.specialization.ladder.words import NOTHING, WordTable, word_table
from inspector.heads.specialization.roles import role_rules
from inspector.models import AttentionCall, PretrainedModel, running, word_batches
from inspector.models.forward.backend import OURS

ENOUGH = 0.5
"""Share of the places that a role speaks of, at which its head must look where the rule leads."""
TREE, REPEAT, PROBE, PLACE = "tree", "repeat", "probe", "place"
"""Why a role cannot be judged on a text: its words are not annotated, no token stands there twice,
it is asked of made texts alone, or the rule leads nowhere here."""
_ASKED_FOR = re.compile(r"Asked for (?P<relation>\S+) \(")
_DIRECTION = re.compile(rf"\((?P<direction>{'|'.join(DIRECTIONS)})\)")
_BY_MASS = ("special-token", "no-op", "broad", "sink")
_OF_TOKENS = ("positional", "previous-token", "duplicate-token", "induction")
_OF_RELATIONS = ("syntactic", "semantic", "logical", "discourse-cue")


@dataclass(frozen=True)
class Place:
    """A word or token of which a role says where its head looks."""

    asked: int
    expected: tuple[int, ...]
    """Where the role's rule leads."""
    looked: int
    """Where the head looks most, or what looks there most; -1 where nothing does."""

    @property
    def is_hit(self) -> bool:
        """Whether the head is where the rule leads."""
        return self.looked in self.expected


@dataclass(frozen=True)
class ActingRole:
    """A role of a head, judged on one text."""

    layer: int
    head: int
    role: str
    places: tuple[Place, ...] = ()
    of_tokens: bool = False
    """Whether the places are tokens; words else."""
    share: float | None = None
    """Of a role that speaks of no single word: the figure that its rule asks for, of this text."""
    acts: bool | None = None
    """Whether it acts on the text; None where that cannot be judged, for the reason in `needs`."""
    needs: str = ""

    @property
    def hits(self) -> int:
        """Return at how many places the head looks where the rule leads."""
        return sum(place.is_hit for place in self.places)


def acting_roles(
    model: PretrainedModel, sentence: Sentence, roles: pd.DataFrame
) -> tuple[ActingRole, ...]:
    """Return each role of a frame, judged on one text, in the frame's order.

    A role of places acts where its head looks at the place that the rule leads to from at least
    half of those that it speaks of: a relation's words, all tokens, the tokens that occur again.
    One of masses ('special-token', 'no-op', 'broad', 'sink') acts where the text by itself reaches
    the figures that the role asks for.

    Args:
        model: What reads the text, twice.
        sentence: A sentence; with its relations and tags where it has any.
        roles: The roles frame, or some of its rows.

    Raises:
        InputError: If the model cannot read the text.
    """
    if roles.empty:
        return ()
    text = _Text.of(model, sentence)
    return tuple(
        text.judged(int(row["layer"]), int(row["head"]), row["role"], row["evidence"])
        for row in roles.to_dict("records")
    )


@dataclass(frozen=True, eq=False)
class _Text:
    """What all heads do with one text."""

    table: WordTable
    batch: AnnotatedBatch
    tokens: Int64[np.ndarray, "layer head token"]
    """The token that each looks at most, special ones set aside."""
    behaviour: pd.DataFrame
    n_heads: int

    @classmethod
    def of(cls, model: PretrainedModel, sentence: Sentence) -> "_Text":
        made = word_batches(model, [sentence.surface], 1)
        if not made.batches:
            raise InputError(
                f"text ({len(sentence.words)} words) must have a token that the model knows, and "
                f"at most {model.max_tokens} tokens: give another one."
            )
        (batch,) = annotated_batches(made.batches, [sentence], [0], {})
        calls: list[AttentionCall] = []
        with running(model, OURS, calls.append), torch.inference_mode():
            model.model(**batch.words.batch.inputs())
        back_only = looks_back_only(calls[0].probabilities)
        looked = [predicted_words(call, batch, back_only=back_only) for call in calls]
        words = np.stack(
            [torch.cat(side, 1)[0].cpu().numpy() for side in zip(*looked, strict=True)]
        )
        itself = np.arange(batch.n_words)
        words = np.where(words == itself, NOTHING, words)
        special = batch.words.special[0]
        tokens = [
            call.probabilities[0].masked_fill(special, -1.0).argmax(-1).cpu().numpy()
            for call in calls
        ]
        weights = Behaviour(model.n_layers, model.n_heads, model.max_tokens)
        norms = NormBehaviour(model)
        observe(model, [batch], [weights, norms])
        return cls(
            word_table([sentence], ["text"], words, tested=["text"]),
            batch,
            np.stack(tokens),
            behaviour_frame(weights, norms),
            model.n_heads,
        )

    def judged(self, layer: int, head: int, role: str, evidence: str) -> ActingRole:
        family, _, what = role.partition(":")
        if family in _BY_MASS:
            return self._by_mass(layer, head, role)
        of_tokens = family in _OF_TOKENS
        if of_tokens:
            found = self._token_places(layer, head, family, what)
            reason = REPEAT if family in ("duplicate-token", "induction") else PLACE
        else:
            found, reason = self._word_places(layer, head, role, evidence)
        places = tuple(found)
        if not places:
            return ActingRole(layer, head, role, of_tokens=of_tokens, needs=reason)
        acts = sum(place.is_hit for place in places) >= ENOUGH * len(places)
        return ActingRole(layer, head, role, places, of_tokens, acts=acts)

    def _by_mass(self, layer: int, head: int, role: str) -> ActingRole:
        """Return a role that follows from the behaviour frame, by the rules that it was earned by.

        A sink is earned by made texts too; of this text the share of the first token is asked.
        """
        rules = [rule for name, rule in role_rules().items() if name.partition("/")[0] == role]
        row = self.behaviour.iloc[layer * self.n_heads + head]
        if not rules:
            share = float(row["first_mass"])
            return ActingRole(layer, head, role, share=share, acts=share >= ENOUGH)
        met = [
            all(row[name] >= least for name, least in rule.at_least.items())
            and all(row[name] <= most for name, most in rule.at_most.items())
            for rule in rules
        ]
        figure = max(float(row[next(iter(rule.at_least))]) for rule in rules)
        return ActingRole(layer, head, role, share=figure, acts=any(met))

    def _token_places(self, layer: int, head: int, family: str, what: str) -> Iterable[Place]:
        looked = self.tokens[layer, head]
        expected: Iterable[tuple[int, tuple[int, ...]]]
        if family in ("positional", "previous-token"):
            offset = int(what) if family == "positional" else -1
            expected = ((at, (at + offset,)) for at in self.queries if at + offset in self.queries)
        else:
            step = int(family == "induction")
            expected = (
                (at, tuple(other + step for other in others if other + step in self.queries))
                for at, others in self.repeats(before=bool(step)).items()
            )
        return (Place(at, words, int(looked[at])) for at, words in expected if words)

    @cached_property
    def queries(self) -> list[int]:
        """Return the places of the tokens that are not special."""
        return [int(at) for at in self.batch.queries[0].nonzero()[:, 0]]

    def repeats(self, *, before: bool) -> dict[int, list[int]]:
        """Return where each token stands again; only before it, if asked."""
        found: dict[int, list[int]] = {}
        for _, at, other in zip(*(one.tolist() for one in self.batch.repeat_places), strict=True):
            if other < at or not before:
                found.setdefault(at, []).append(other)
        return found

    def _word_places(
        self, layer: int, head: int, role: str, evidence: str
    ) -> tuple[Iterable[Place], str]:
        """Return the places of a role that speaks of words, and why there are none if so."""
        family, _, what = role.partition(":")
        number = layer * self.n_heads + head
        every = np.flatnonzero(self.table.is_read)
        if family == "keyword":
            same = np.array(self.table.forms) == what
            words = [tuple(int(one) for one in np.flatnonzero(same) if one != at) for at in every]
            return self._places(every, words, 0, number), PLACE
        if family in _OF_RELATIONS:
            relation, direction = what, _DIRECTION.search(evidence)
            if direction is None:
                return [], TREE
            pairs = self.table.pairs(relation, direction["direction"])
            right: list[set[int]] = [{int(word)} for word in pairs.expected]
            if direction["direction"] != "head_to_dependent":
                for pair, _, word in pairs.also.T:
                    right[pair].add(int(word))
            words = [tuple(sorted(one)) for one in right]
            return self._places(pairs.asked, words, pairs.side, number), self._missing()
        if family not in ("position", "word-class"):
            return [], PROBE
        asked_for, direction = _ASKED_FOR.search(evidence), _DIRECTION.search(evidence)
        side, asked = 0, every
        if asked_for is not None and direction is not None:
            pairs = self.table.pairs(asked_for["relation"], direction["direction"])
            side, asked = pairs.side, pairs.asked
            if not len(asked):
                return [], self._missing()
        if family == "position":
            led = position_words(position_rank(what), side, self.table)
        else:
            tag, _, to = what.partition(":")
            inside = np.isin(
                self.table.tag, [i for i, name in enumerate(self.table.tags) if name == tag]
            )
            led = class_words(inside & self.table.is_read, self.table)[SIDES.index(to)]
        words = [() if led[at] == NOTHING else (int(led[at]),) for at in asked]
        return self._places(asked, words, side, number), PLACE

    def _missing(self) -> str:
        """Return why a relation has no pair here: no annotation at all, or none of this one."""
        return PLACE if self.table.sentences[0].relations else TREE

    def _places(
        self,
        asked: Int64[np.ndarray, " place"],
        words: Sequence[tuple[int, ...]],
        side: int,
        number: int,
    ) -> Iterable[Place]:
        looked = self.table.predicted[side, number]
        return (
            Place(int(at), expected, int(looked[at]))
            for at, expected in zip(asked, words, strict=True)
            if expected
        )
