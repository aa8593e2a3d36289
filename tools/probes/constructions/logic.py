"""Constructions of logic: negation, condition, coordination.

Each function writes one sentence of its construction, notes what it says beyond its tree, and
returns its root and final mark. Distance and direction vary on purpose.
"""

from tools.probes.constructions.coordination_and_voice import passive_parts
from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verbs
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import PAST, Clauses, Predicate
from tools.probes.grammar.tree import Node, comma, labelled, set_off

Said = tuple[Node, str]
_NEGATIVE_TENSES = ("past", "perfect", "past perfect", "past progressive", "future", "past")


NEGATION = ("not", "no", "passive", "never", "object", "state", "nobody", "neither", "nothing")


def negation(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause that denies: with "not", "never", "no", "nobody", or "neither … nor"."""
    if way in ("no", "object"):
        return _no(g, as_object=way == "object")
    if way == "nothing":
        return _passive_of(g, Node("nothing", "PRON", kind="device")), "."
    if way == "nobody":
        noun = Node("nobody", "PRON", kind="person")
        if g.chance(0.6):
            noun.right.append(g.pp("near", g.np("landmark", determiner="definite"), "nmod"))
        return g.clause(noun, g.action("person", g.pick(PAST))), "."
    if way == "neither":
        return _neither(g), "."
    subject = g.subject("person", post=0.3)
    if way == "passive":
        subject, predicate = passive_parts(g, g.pick(("past perfect", "perfect")), agent=False)
    elif way == "state":
        predicate = g.state("past")
    else:
        predicate = g.action("person", g.pick(_NEGATIVE_TENSES))
    if way == "never":
        predicate.middle = [Node("never", "ADV", "advmod")]
        predicate.tense = "past perfect" if predicate.passive else "past"
    else:
        predicate.negative = True
    if not predicate.copula and predicate.word.manner != "chance" and g.chance(0.5):
        adverb = Node(g.fresh(settings.MANNERS[predicate.word.manner]), "ADV", "advmod")
        if g.chance(0.6):
            adverb.left = [Node(g.pick(("very", "quite", "so")), "ADV", "advmod")]
        predicate.head.left = [adverb]
    root = g.clause(subject, predicate)
    if g.chance(0.35):
        root.right.append(g.temporal())
    return root, "."


def _passive_of(g: Clauses, noun: Node) -> Node:
    word = g.verb(verbs.TRANSITIVE, "person", noun.kind)
    tense = g.pick(("past", "past perfect", "perfect"))
    predicate = Predicate(Node("", "VERB"), word, tense, passive=True)
    if g.chance(0.6):
        noun.right.append(g.pp("in", g.np("place", determiner="definite"), "nmod"))
    if g.chance(0.5) and word.manner != "chance":
        predicate.head.left = [Node(g.fresh(settings.MANNERS[word.manner]), "ADV", "advmod")]
    if g.chance(0.5):
        predicate.head.right.append(g.time_for(predicate))
    return g.clause(noun, predicate)


def _no(g: Clauses, *, as_object: bool) -> Said:
    """Return a clause about no such thing: "no old green car"."""
    kind = g.pick(("portable", "vehicle", "furniture", "clothing") if as_object else ("person",))
    noun = g.np(
        kind,
        determiner="no",
        premodifiers=(0, 1, 2, 3),
        possessor=0.0,
        numeral=0.0,
        post=0.3 if not as_object else 0.0,
    )
    if not as_object:
        return g.clause(noun, g.action("person", g.pick(PAST))), "."
    subject = g.subject("person", post=0.2)
    return g.clause(subject, g.transitive("person", "past", patient=noun, joined=0.0)), "."


def _neither(g: Clauses) -> Node:
    first = g.np("person", determiner="the", possessor=0.0, post=0.3, premodifiers=(0, 1, 2))
    second = labelled("conj", g.np("person", determiner="the", possessor=0.0, numeral=0.0))
    first.left.insert(0, Node("neither", "CCONJ", "cc:preconj"))
    second.left.insert(0, Node("nor", "CCONJ", "cc"))
    first.right.append(second)
    first.agreement = second.agreement
    return g.clause(first, g.action("person", "past"))


def told(g: Clauses) -> Node:
    """Return a clause of the past about somebody, of any length."""
    subject = g.subject("person", pronoun=0.3, post=0.25)
    predicate = g.state("past") if g.chance(0.25) else g.action("person", "past", around=0.1)
    return g.clause(subject, predicate)


CONDITION = ("before", "after", "inside", "then", "after")


def condition(g: Clauses, m: Marks, way: str) -> Said:
    """Return a condition before, after or inside what follows from it."""
    subject = g.subject("person", pronoun=0.3, post=0.3)
    asked = g.clause(subject, g.action("person", "present", around=0.1))
    asked.left.insert(0, Node(g.pick(("if", "unless", "if")), "SCONJ", "mark"))
    labelled("advcl", asked)
    other = g.subject("person", pronoun=0.3, post=0.2)
    predicate = g.action("person", "future", around=0.1)
    predicate.negative = g.chance(0.25)
    root = g.clause(other, predicate)
    if way == "inside" and other.upos != "PRON":
        root.left.insert(root.left.index(other) + 1, set_off(asked))
    elif way == "after":
        root.right.append(asked)
    else:
        root.left.insert(0, set_off(asked, before=False))
        if way == "then":
            root.left.insert(1, Node("then", "ADV", "advmod"))
    return root, "."


COORDINATION = (
    *("verbs and", "objects or", "clauses but", "subjects and", "verbs or", "verbs but"),
    *("clauses and", "subjects or", "clauses or", "objects and"),
)


def coordination(g: Clauses, m: Marks, way: str) -> Said:
    """Return nouns, verbs or clauses joined by "and", "or" or "but", near and far."""
    way, _, word = way.partition(" ")
    tense = g.pick(("past", "past", "past perfect"))
    if way == "clauses":
        first, second = told(g), told(g)
        second.left.insert(0, comma())
        _join(first, second, word, after_comma=True)
        return first, "."
    if way == "verbs":
        subject = g.subject("person", post=0.2)
        root = g.clause(subject, g.action("person", tense, post=0.25, around=0.3))
        more = g.action("person", tense)
        said = g.finish(more, subject.agreement)
        more.head.left[:0] = [node for node in said if node.upos != "AUX"]
        _join(root, more.head, word)
        return root, "."
    kind = g.pick(("person", "animal", "portable"))
    if way == "subjects":
        kind = g.pick(("person", "animal"))
        first = _long(g, kind)
        _join(first, _long(g, kind), word)
        first.agreement = "p" if word == "and" else first.right[-1].agreement
        return g.clause(first, g.action(kind, "past")), "."
    first = _long(g, kind)
    _join(first, _long(g, kind), word)
    table = [w for w in verbs.TRANSITIVE if kind in w.objects and "person" in w.agents]
    head = Node("", "VERB", right=[labelled("obj", first)])
    predicate = Predicate(head, g.verb(table), "past")
    return g.clause(g.subject("person", post=0.1), predicate), "."


def _long(g: Clauses, kind: str) -> Node:
    """Return a noun phrase with a phrase or a clause after its noun, mostly."""
    noun = g.np(kind, possessor=0.1, numeral=0.0, premodifiers=(0, 0, 1))
    if g.chance(0.5):
        noun.right.append(g.noun_place(noun))
    elif g.chance(0.5):
        g.relative_object(noun, rich=0.3)
    return noun


def _join(first: Node, second: Node, word: str, *, after_comma: bool = False) -> None:
    second.left.insert(1 if after_comma else 0, Node(word, "CCONJ", "cc"))
    first.right.append(labelled("conj", second))
