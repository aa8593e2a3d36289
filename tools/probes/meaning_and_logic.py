"""Generated probes of meaning and logic: what they say beyond their trees is known as well.

As with the probes of syntax, every construction is written near and far, before and after, and of
several drafts the one is kept that leaves its relations least predictable from distance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from inspector.corpora.formats.from_tree import tree_sentence
from inspector.corpora.sentence import Labels, Sentence
from inspector.errors import InputError
from tools.probes.balance import Offsets
from tools.probes.constructions import comparison as comparing
from tools.probes.constructions import connectives, coreference, logic
from tools.probes.constructions import names as naming
from tools.probes.constructions import semantic_roles as meaning
from tools.probes.constructions import word_senses as senses
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import Clauses
from tools.probes.grammar.tree import Node, Tree, spell
from tools.probes.syntax import SEED, check_asked, tree_offsets

_DRAFTS = 18
_DRAFTS_DISTRACTING = 10
_LONGEST = 30
_COST_OF_A_WORD = 0.006
_ATTEMPTS = 400
_ENTITIES = ("global.Entity = GRP-etype-infstat-salience-centering-minspan-link-identity",)
_ATTEMPTS_DISTRACTING = 60


@dataclass(frozen=True)
class Beyond:
    """A kind of sentence, and the relations that it is there to show."""

    relations: tuple[str, ...]
    """How their names begin; each sentence holds one at least."""
    ways: tuple[str, ...]
    """Its variants, taken in turn."""
    write: Callable[[Clauses, Marks, str], tuple[Node, str]]


_SENSES = ("contingency", "comparison", "expansion", "temporal")
BEYOND_SYNTAX: dict[str, Beyond] = {
    "negation": Beyond(("neg:",), logic.NEGATION, logic.negation),
    **{
        f"connective-{sense}": Beyond(
            (f"connective:{sense}",), connectives.connectives_of(sense), connectives.connective
        )
        for sense in _SENSES
    },
    "condition": Beyond(("condition:",), logic.CONDITION, logic.condition),
    "joined": Beyond(("coordination:",), logic.COORDINATION, logic.coordination),
    "comparison": Beyond(("comparison:",), comparing.COMPARISON, comparing.comparison),
    "quantifier": Beyond(("quantifier:",), comparing.QUANTIFIER, comparing.quantifier),
    "roles": Beyond(("role:", "role-dep:"), meaning.ROLES, meaning.roles),
    "names": Beyond(("name:",), naming.NAMES, naming.names),
    "opposites": Beyond(("meaning:antonym",), meaning.TWO_ADJECTIVES, meaning.opposites),
    "likenesses": Beyond(("meaning:synonym",), meaning.TWO_ADJECTIVES, meaning.likenesses),
    "kinds": Beyond(("meaning:hypernym",), senses.TWO_NOUNS, senses.kinds),
    "parts": Beyond(("meaning:part",), senses.TWO_NOUNS, senses.parts),
    "classes": Beyond(("supersense:",), senses.CLASSES, senses.classes),
    "idioms": Beyond(("idiom:",), senses.IDIOMS, senses.idioms),
    "pronoun": Beyond(("coref:pronoun",), coreference.PRONOUN, coreference.pronoun),
    "same-noun": Beyond(("coref",), coreference.SAME_NOUN, coreference.same_noun),
    "across-a-clause": Beyond(
        ("coref:",), coreference.ACROSS_A_CLAUSE, coreference.across_a_clause
    ),
}
"""Construction → what it shows."""


def generate_beyond(
    seed: int = SEED,
    per_construction: int = 15,
    *,
    labels: Labels = "universal",
    beside: Sequence[Sentence] = (),
) -> list[Sentence]:
    """Return generated sentences of meaning and logic, with trees in Universal Dependencies.

    What they say beyond their trees stands in their last column, as treebanks have it: `Args=`,
    `Entity=`, `Name=`, `Meaning=`, `Supersense=`, `Idiom=`, `PDTB=`; `inspector.corpora.annotate`
    reads it. A document has one sentence of each construction, so that either split of the
    documents has them all; those with mentions have documents of their own, which keeps windows
    over them short. The same seed gives the same sentences on every platform. A sentence distracts,
    and its comment says so, if another word of the part of speech of what is looked for stands at
    least as near; every third one does, where its way of saying it allows that.

    Args:
        seed: Any whole number.
        per_construction: Sentences of each construction, at least 1.
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.
        beside: Sentences that these will stand beside: their syntax is balanced with theirs.

    Raises:
        InputError: If a count is below 1 or the labels are unknown.

    Example:
        >>> probes = generate_beyond(per_construction=1)
        >>> len(probes) == len(BEYOND_SYNTAX), probes[0].id
        (True, 'probe-negation-0001')
    """
    check_asked(per_construction, labels)
    random = Random(seed)  # noqa: S311 - sentences, not secrets
    offsets = Offsets()
    for sentence in beside:
        offsets.add(tree_offsets(sentence.deprels, sentence.heads))
    texts: set[str] = set()
    written: list[Sentence] = []
    for number in range(per_construction):
        document, n_words = "", 0
        for place, (name, beyond) in enumerate(BEYOND_SYNTAX.items()):
            group = "coreference" if beyond.relations[0].startswith("coref") else "beyond"
            first = document != f"probe-{group}-{number + 1:02d}"
            if first:
                document, n_words = f"probe-{group}-{number + 1:02d}", 0
            way = beyond.ways[number % len(beyond.ways)]
            tree, marks, distracts = _best_draft(
                random, name, way, offsets, texts, distracting=number % 3 == 0
            )
            offsets.add(_offsets(tree, marks))
            texts.add(tree.text)
            misc = marks.misc(tree, n_words, place)
            n_words += len(tree.words)
            comments = [*_ENTITIES] if first else []
            comments += ["annotation = generated", f"construction = {name}"]
            comments += ["distractor = yes"] if distracts else []
            written.append(_sentence(tree, misc, (name, number), document, comments, labels))
    return written


def _sentence(
    tree: Tree,
    misc: list[str],
    named: tuple[str, int],
    document: str,
    comments: list[str],
    labels: Labels,
) -> Sentence:
    name, number = named
    return tree_sentence(
        f"probe-{name}-{number + 1:04d}",
        tree.words,
        tree.heads,
        tree.labels,
        upos=tree.upos,
        document=document,
        text=tree.text,
        misc=misc,
        comments=comments,
        labels=labels,
    )


def _offsets(tree: Tree, marks: Marks) -> list[tuple[str, int]]:
    beyond = [(label, target - source) for label, source, target in marks.pairs(tree)]
    return [*tree_offsets(tree.labels, tree.heads), *beyond]


def _best_draft(
    random: Random,
    name: str,
    way: str,
    offsets: Offsets,
    texts: set[str],
    distracting: bool,
) -> tuple[Tree, Marks, bool]:
    """Return the draft that costs least, and whether it distracts; one that does, if asked for."""
    beyond = BEYOND_SYNTAX[name]
    best: dict[bool, tuple[float, Tree, Marks]] = {}
    drafts = 0
    for attempt in range(_ATTEMPTS):
        marks = Marks()
        tree = spell(*beyond.write(Clauses(random), marks, way))
        if len(tree.words) > _LONGEST or tree.text in texts or _joins_modifiers(tree):
            continue
        shown = [pair for pair in marks.pairs(tree) if pair[0].startswith(beyond.relations)]
        if not shown:
            continue
        distracts = _distracts(tree, shown)
        cost = offsets.cost(_offsets(tree, marks)) + _COST_OF_A_WORD * len(tree.words)
        if distracts not in best or cost < best[distracts][0]:
            best[distracts] = (cost, tree, marks)
        drafts += distracts or not distracting
        if drafts == (_DRAFTS_DISTRACTING if distracting else _DRAFTS):
            break
        if attempt >= _ATTEMPTS_DISTRACTING and best:  # some ways of saying it distract no one
            break
    if not best:
        raise InputError(
            f"per_construction is too large: the grammar found no new sentence for {name} in "
            f"{_ATTEMPTS} attempts. Ask for fewer."
        )
    wanted = True if distracting and True in best else min(best, key=lambda which: best[which][0])
    _, tree, marks = best[wanted]
    return tree, marks, wanted


def _joins_modifiers(tree: Tree) -> bool:
    """Return whether adjectives or compounds are joined, which is always near: "cheap and ugly"."""
    return any(
        label == "conj" and tree.labels[head] in ("amod", "compound")
        for label, head in zip(tree.labels, tree.heads, strict=True)
    )


def _distracts(tree: Tree, pairs: list[tuple[str, int, int]]) -> bool:
    """Return whether, for some pair, a word like its target is at least as near to its source."""
    return any(
        tree.upos[word] == tree.upos[target] and abs(word - source) <= abs(target - source)
        for _, source, target in pairs
        for word in range(len(tree.words))
        if word not in (source, target)
    )
