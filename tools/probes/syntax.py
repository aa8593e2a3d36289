"""Generated probes: sentences whose trees are known because a grammar wrote them.

Every construction is written many times, near and far, before and after, and of several
drafts the one is kept that leaves relations least predictable from distance: no fixed offset
between words finds 45 % of the heads of any relation (from 10 sentences of each construction).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from inspector.corpora.formats.from_tree import tree_sentence
from inspector.corpora.sentence import Labels, Sentence, check_labels
from inspector.errors import InputError
from tools.probes.balance import Offsets
from tools.probes.constructions import coordination_and_voice as clausal
from tools.probes.constructions import noun_modifiers as modified
from tools.probes.constructions import objects, subjects
from tools.probes.constructions import subordinate_clauses as embedding
from tools.probes.grammar.clauses import Clauses
from tools.probes.grammar.tree import Node, Tree, spell

SEED = 20170612
"""Of the sentences that inspector ships."""
BALANCED = "syntax"
"""What these sentences are balanced for: further annotation is not read from them."""
SENTENCES_PER_DOCUMENT = 10
"""How many consecutive probes of a construction make one document."""
_DRAFTS = 8
_DRAFTS_DISTRACTING = 4  # they are rarer
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
    seed: int = SEED, per_construction: int = 40, *, labels: Labels = "universal"
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
    check_asked(per_construction, labels)
    random = Random(seed)  # noqa: S311 - sentences, not secrets
    offsets = Offsets()
    texts: set[str] = set()
    written: dict[str, list[Sentence]] = {name: [] for name in CONSTRUCTIONS}
    for number in range(per_construction):  # round by round, so that all share the balance
        for name, construction in CONSTRUCTIONS.items():
            distracting = number % 3 == 0
            tree = _best_draft(random, construction, offsets, texts, distracting)
            offsets.add(tree_offsets(tree.labels, tree.heads))
            texts.add(tree.text)
            written[name].append(_sentence(tree, name, number, distracting, labels))
    return [sentence for sentences in written.values() for sentence in sentences]


def check_asked(per_construction: int, labels: Labels) -> None:
    """Refuse what no probes can be written for.

    Raises:
        InputError: If a count is below 1 or the labels are unknown.
    """
    if per_construction < 1:
        raise InputError(
            f"per_construction ({per_construction}) must be at least 1: it is the number of "
            "sentences of each construction."
        )
    check_labels(labels)


def _sentence(tree: Tree, name: str, number: int, distracting: bool, labels: Labels) -> Sentence:
    comments = ["annotation = generated", f"construction = {name}", f"balanced = {BALANCED}"]
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


def tree_offsets(labels: Sequence[str], heads: Sequence[int]) -> list[tuple[str, int]]:
    """Return (relation, offset) of every pair of a tree, by its full and by its universal label.

    Root and punctuation are left out, as scorers do.
    """
    pairs: list[tuple[str, int]] = []
    for dependent, (label, head) in enumerate(zip(labels, heads, strict=True)):
        if head >= 0 and label != "punct":
            universal = label.partition(":")[0]
            pairs += [(name, head - dependent) for name in dict.fromkeys((label, universal))]
    return pairs


def _best_draft(
    random: Random,
    construction: Construction,
    offsets: Offsets,
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
        cost = offsets.cost(tree_offsets(tree.labels, tree.heads)) + _COST_OF_A_WORD * len(
            tree.words
        )
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
