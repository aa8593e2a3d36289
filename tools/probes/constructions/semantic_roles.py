"""Constructions of meaning: semantic roles, words of like or opposite meaning.

Each function writes one sentence of its construction, notes what it says beyond its tree, and
returns its root and final mark. Distance and direction vary on purpose.
"""

from collections.abc import Mapping

from tools.probes.constructions.coordination_and_voice import passive_parts
from tools.probes.constructions.coreference import did, one_after_another, somebody
from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import lexicon, verbs
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled
from tools.probes.grammar.verb_forms import BE

Said = tuple[Node, str]

# --- semantic roles --------------------------------------------------------------------------


def _agent(m: Marks, who: Node, *predicates: Node) -> None:
    m.roles += [("ARG0", who, predicate) for predicate in predicates]


def _patient(m: Marks, what: Node, *predicates: Node) -> None:
    m.roles += [("ARG1", what, predicate) for predicate in predicates]


ROLES = ("passive", "both", "joined", "control", "both", "active", "joined")


def roles(g: Clauses, m: Marks, way: str) -> Said:
    """Return agents and patients in places that the tree does not tell: active, passive, afar."""
    if way in ("passive", "both"):
        subject, predicate = passive_parts(g, g.pick(("past", "past perfect")), agent=True)
        by, manner = predicate.head.right[0], predicate.word.manner
        if g.chance(0.6) and manner != "chance":
            adverb = Node(g.fresh(settings.MANNERS[manner]), "ADV", "advmod")
            predicate.head.left = [adverb]
        if g.chance(0.4):
            predicate.head.right.insert(0, g.time_for(predicate))
        _agent(m, by, predicate.head)
        _patient(m, subject, predicate.head)
        root = g.clause(subject, predicate)
        if way == "both":  # "was found and sold by the nurse"
            table = [w for w in verbs.TRANSITIVE if subject.kind in w.objects]
            word = g.verb([w for w in table if "person" in w.agents])
            again = Node(word.participle, "VERB", "conj")
            again.left = [Node("and", "CCONJ", "cc")]
            if g.chance(0.5):
                again.right.append(g.place(kinds=("place", "event")))
            root.right.insert(0, again)
            _patient(m, subject, again)
            _agent(m, by, again)
        return root, "."
    subject = g.subject("person", pronoun=0.2, post=0.35)
    first = g.transitive("person", "past", post=0.2, joined=0.0)
    _agent(m, subject, first.head)
    if way == "control":
        inner = g.transitive("person", "to", post=0.2, joined=0.0)
        _agent(m, subject, inner.head)
        _patient(m, inner.head.right[0], inner.head)
        head = Node("", "VERB", right=[g.infinitive(inner)])
        m.roles[0] = ("ARG0", subject, head)
        _patient(m, inner.head, head)
        return g.clause(subject, Predicate(head, g.verb(verbs.SUBJECT_CONTROL), "past")), "."
    _patient(m, first.head.right[0], first.head)
    root = g.clause(subject, first)
    if way == "joined":
        more = g.transitive("person", "past", post=0.2, joined=0.0)
        _agent(m, subject, more.head)
        _patient(m, more.head.right[0], more.head)
        more.head.left[:0] = [Node("and", "CCONJ", "cc"), *g.finish(more, subject.agreement)]
        root.right.append(labelled("conj", more.head))
    return root, "."


# --- word meaning ----------------------------------------------------------------------------

# class of noun → pairs of adjectives
_OPPOSITE = {
    "person": (("young", "old"), ("happy", "sad"), ("polite", "rude"), ("rich", "poor")),
    "portable": (("new", "old"), ("heavy", "light"), ("large", "small"), ("cheap", "expensive")),
    "clothing": (("clean", "dirty"), ("new", "old"), ("dry", "wet"), ("long", "short")),
    "vehicle": (("fast", "slow"), ("new", "old"), ("clean", "dirty")),
    "text": (("long", "short"), ("boring", "interesting"), ("new", "old")),
}
_ALIKE = {
    "person": (("famous", "renowned"), ("rich", "wealthy"), ("angry", "furious")),
    "portable": (("large", "big"), ("small", "little"), ("expensive", "costly")),
    "clothing": (("dirty", "filthy"), ("beautiful", "lovely"), ("wet", "damp")),
    "vehicle": (("fast", "quick"), ("broken", "damaged"), ("expensive", "costly")),
    "text": (("funny", "amusing"), ("boring", "dull"), ("strange", "odd")),
}


TWO_ADJECTIVES = ("object", "clauses", "state")


def opposites(g: Clauses, m: Marks, way: str) -> Said:
    """Return two things distinguished by adjectives of opposite meaning."""
    return _two_adjectives(g, m, way, "antonym", _OPPOSITE)


def likenesses(g: Clauses, m: Marks, way: str) -> Said:
    """Return two things told by adjectives of like meaning."""
    return _two_adjectives(g, m, way, "synonym", _ALIKE)


def _two_adjectives(
    g: Clauses,
    m: Marks,
    way: str,
    relation: str,
    pairs: Mapping[str, tuple[tuple[str, str], ...]],
) -> Said:
    kind = "person" if way == "object" else g.pick(tuple(pairs))
    one, other = g.pick(pairs[kind])
    if g.chance(0.5):
        one, other = other, one
    first, second = (Node(word, "ADJ", "amod") for word in (one, other))
    m.meanings += [(relation, first, second), (relation, second, first)]
    noun, thing = _told_by(g, kind, first), _told_by(g, kind, second)
    if way == "object":
        return did(g, noun, thing), "."
    if way == "state":
        second.label = "root"
        thing.left = [node for node in thing.left if node is not second]
        state = g.clause(thing, Predicate(second, BE, "past", copula=True))
        clause = did(g, somebody(g, post=0.1), noun)
        return one_after_another(g, clause, state), "."
    clauses = [did(g, somebody(g, post=0.2), what) for what in (noun, thing)]
    if g.chance(0.4):
        clauses[0].right.append(g.time("past"))
    return one_after_another(g, *clauses), "."


def _told_by(g: Clauses, kind: str, adjective: Node) -> Node:
    """Return a noun phrase with this adjective, sometimes with another one, or a place."""
    noun = g.np(
        *(kind, ""),
        premodifiers=(0,),
        possessor=0.2,
        numeral=0.0,
        compound=0.0,
        post=0.2,
    )
    noun.left.append(adjective)
    if g.chance(0.3) and kind in ("clothing", "vehicle", "portable"):
        color = g.fresh(lexicon.ADJECTIVES[kind][3])
        noun.left.append(Node(color, "ADJ", "amod"))
    return noun
