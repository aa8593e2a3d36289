"""Generated probes: sentences whose trees are known because a grammar wrote them.

Every construction is written many times, near and far, before and after, and of several
drafts the one is kept that leaves relations least predictable from distance: no fixed offset
between words finds 45 % of the heads of any relation (from 10 sentences of each construction).
Must not know: models, files, scores.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from inspector.corpora import probes_clausal as clausal
from inspector.corpora import probes_embedding as embedding
from inspector.corpora import probes_modified as modified
from inspector.corpora import probes_objects as objects
from inspector.corpora import probes_subjects as subjects
from inspector.corpora.making import tree_sentence
from inspector.corpora.probes_clauses import Clauses
from inspector.corpora.probes_tree import Node, Tree, spell
from inspector.corpora.sentence import Labels, Sentence, check_labels
from inspector.errors import InputError

SENTENCES_PER_DOCUMENT = 10
"""How many consecutive probes of a construction make one document."""
_DRAFTS = 8
_DRAFTS_DISTRACTING = 4  # they are rarer
_SHARES_TO_AVOID = ((0.36, 1.0), (0.42, 15.0))  # share of the commonest offset, weight
_LONGEST = 26
_COST_OF_A_WORD = 0.006
_ATTEMPTS = 400


@dataclass(frozen=True)
class Construction:
    """A kind of sentence, and the relation (full UD label) that it is there to show."""

    relation: str
    write: Callable[[Clauses], tuple[Node, str]]


CONSTRUCTIONS: dict[str, Construction] = {
    "determiner": Construction("det", modified.determiner),
    "adjective": Construction("amod", modified.adjective),
    "adverb": Construction("advmod", modified.adverb),
    "subject": Construction("nsubj", subjects.subject),
    "object": Construction("obj", objects.object_),
    "passive": Construction("nsubj:pass", clausal.passive),
    "passive-agent": Construction("obl:agent", clausal.passive_agent),
    "ditransitive": Construction("iobj", objects.ditransitive),
    "attachment-verb": Construction("obl", objects.attachment_verb),
    "attachment-noun": Construction("nmod", modified.attachment_noun),
    "relative-subject": Construction("acl:relcl", clausal.relative_subject),
    "relative-object": Construction("acl:relcl", clausal.relative_object),
    "coordination": Construction("conj", clausal.coordination),
    "complement-clause": Construction("ccomp", embedding.complement_clause),
    "adverbial-clause": Construction("advcl", embedding.adverbial_clause),
    "control": Construction("xcomp", embedding.control),
    "raising": Construction("xcomp", embedding.raising),
    "possessive": Construction("nmod:poss", modified.possessive),
    "particle": Construction("compound:prt", objects.particle),
    "numeral": Construction("nummod", modified.numeral),
    "question": Construction("aux", subjects.question),
    "copula": Construction("cop", subjects.copula),
}


def generate_probes(
    seed: int = 20170612, per_construction: int = 40, *, labels: Labels = "universal"
) -> list[Sentence]:
    """Return generated sentences of every construction, with trees in Universal Dependencies.

    The same seed gives the same sentences on every platform. Every third sentence of a
    construction has a distractor: a word of the head's part of speech that stands at least as
    near to the dependent as the head does, or one of the dependent's as near to the head.
    A sentence's comments name its construction and say whether it was chosen to distract.

    Args:
        seed: Any whole number.
        per_construction: Sentences of each construction, at least 1.
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.

    Raises:
        InputError: If a count is below 1 or the labels are unknown.

    Source: relations as in UD English, https://universaldependencies.org/en/.

    Example:
        >>> probes = generate_probes(per_construction=1)
        >>> len(probes) == len(CONSTRUCTIONS), probes[0].id, probes[0].document
        (True, 'probe-determiner-0001', 'probe-determiner-01')
    """
    if per_construction < 1:
        raise InputError(
            f"per_construction ({per_construction}) must be at least 1: it is the number of "
            "sentences of each construction."
        )
    check_labels(labels)
    random = Random(seed)  # noqa: S311 - sentences, not secrets
    offsets = _Offsets()
    texts: set[str] = set()
    written: dict[str, list[Sentence]] = {name: [] for name in CONSTRUCTIONS}
    for number in range(per_construction):  # round by round, so that all share the balance
        for name, construction in CONSTRUCTIONS.items():
            distracting = number % 3 == 0
            tree = _best_draft(random, construction, offsets, texts, distracting)
            offsets.add(tree)
            texts.add(tree.text)
            written[name].append(_sentence(tree, name, number, distracting, labels))
    return [sentence for sentences in written.values() for sentence in sentences]


def _sentence(tree: Tree, name: str, number: int, distracting: bool, labels: Labels) -> Sentence:
    comments = ["annotation = generated", f"construction = {name}"]
    if distracting:
        comments.append("distractor = yes")
    return tree_sentence(
        f"probe-{name}-{number + 1:04d}",
        tree.words,
        tree.heads,
        tree.labels,
        upos=tree.upos,
        document=f"probe-{name}-{number // SENTENCES_PER_DOCUMENT + 1:02d}",
        text=tree.text,
        misc=["SpaceAfter=No" if glued else "_" for glued in tree.glued],
        comments=comments,
        labels=labels,
    )


class _Offsets:
    """How often each relation, by its full and its universal label, has each offset."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[int]] = {}
        self._totals: Counter[str] = Counter()
        self._most: Counter[str] = Counter()  # pairs at the commonest offset

    def add(self, tree: Tree) -> None:
        for label, offset in _labelled_offsets(tree):
            counts = self._counts.setdefault(label, Counter())
            counts[offset] += 1
            self._totals[label] += 1
            self._most[label] = max(self._most[label], counts[offset])

    def cost(self, tree: Tree) -> float:
        """Return by how much the tree would push its relations over the shares to avoid.

        For a relation with n pairs, c of them at its commonest offset, what counts is
        weight * (c - n * share)² / n where c exceeds n * share, for each share to avoid;
        summed over relations, after less before.
        """
        new: dict[str, Counter[int]] = {}
        for label, offset in _labelled_offsets(tree):
            new.setdefault(label, Counter())[offset] += 1
        cost = 0.0
        for label, more in new.items():
            known = self._counts.get(label, Counter())
            total, most = self._totals[label], self._most[label]
            now = max(most, *(known[offset] + more[offset] for offset in more))
            cost += _excess(now, total + sum(more.values())) - _excess(most, total)
        return cost


def _excess(most: int, total: int) -> float:
    excesses = (weight * max(0.0, most - share * total) ** 2 for share, weight in _SHARES_TO_AVOID)
    return sum(excesses, 0.0) / max(total, 1)


def _labelled_offsets(tree: Tree) -> list[tuple[str, int]]:
    pairs: list[tuple[str, int]] = []
    for label, dependent, head in tree.pairs():
        universal = label.partition(":")[0]
        pairs += [(name, head - dependent) for name in dict.fromkeys((label, universal))]
    return pairs


def _best_draft(
    random: Random,
    construction: Construction,
    offsets: _Offsets,
    texts: set[str],
    distracting: bool,
) -> Tree:
    best: tuple[float, Tree] | None = None
    drafts = 0
    for _ in range(_ATTEMPTS):
        tree = spell(*construction.write(Clauses(random)))
        fits = (
            construction.relation in tree.labels
            and len(tree.words) <= _LONGEST
            and tree.text not in texts
            and (not distracting or has_distractor(tree, construction.relation))
        )
        if not fits:
            continue
        cost = offsets.cost(tree) + _COST_OF_A_WORD * len(tree.words)
        if best is None or cost < best[0]:
            best = (cost, tree)
        drafts += 1
        if drafts == (_DRAFTS_DISTRACTING if distracting else _DRAFTS):
            break
    if best is None:
        raise InputError(
            f"per_construction is too large: the grammar found no new sentence for "
            f"{construction.relation} in {_ATTEMPTS} attempts. Ask for fewer."
        )
    return best[1]


def has_distractor(tree: Tree, relation: str) -> bool:
    """Return whether some pair of the relation has another word that looks as good.

    Args:
        tree: Where to look.
        relation: Full label.
    """
    for label, dependent, head in tree.pairs():
        if label != relation:
            continue
        distance = abs(head - dependent)
        for word, tag in enumerate(tree.upos):
            if word in (dependent, head):
                continue
            if tag == tree.upos[head] and abs(word - dependent) <= distance:
                return True
            if tag == tree.upos[dependent] and abs(word - head) <= distance:
                return True
    return False
