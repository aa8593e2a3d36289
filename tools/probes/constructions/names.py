"""Constructions of names: of one person or place, and of several that share a word.

"Anna and Peter Stone" are Anna Stone and Peter Stone; "the Green or the Silver Lake" are two lakes.
So the words of a name need not stand side by side. Distance and direction vary on purpose. Must not
know: seeds, ids, files.
"""

from tools.probes.constructions.coreference import FAMILY, MEN, SECOND, WOMEN
from tools.probes.grammar import verbs
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import PAST, Clauses, Predicate
from tools.probes.grammar.tree import Node, comma, labelled, set_off

Said = tuple[Node, str]
_PLACE_FIRST = ("Green", "North", "Silver", "Old", "West", "Stone")
_PLACE_LAST = ("Lake", "Bridge", "Valley", "Harbor", "Hill", "River")

NAMES = ("subject", "object places", "both", "subject places", "object")
"""Who shares a family name, and whether places share the last word of theirs."""


def names(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause of persons and a place, some of whose names share a word with another's."""
    who = _persons(g, m, shared=way in ("subject", "both", "subject places"))
    whom = _persons(g, m, shared=way in ("object", "both", "object places"))
    table = [w for w in verbs.TRANSITIVE if "person" in w.objects and "person" in w.agents]
    head = Node("", "VERB", right=[labelled("obj", whom)])
    predicate = Predicate(head, g.verb(table), g.pick(PAST))
    root = g.clause(who, predicate)
    where = g.pp(g.pick(("near", "by")), _places(g, m, shared=way.endswith("places")), "obl")
    if g.chance(0.3):
        root.left.insert(0, set_off(where, before=False))
    else:
        root.right.append(where)
    if g.chance(0.2):
        root.right.append(g.time("past"))
    return root, "."


def _persons(g: Clauses, m: Marks, *, shared: bool) -> Node:
    """Return one person, or two or three of one family; the family name depends on the first."""
    family = Node(g.fresh(FAMILY), "PROPN", "flat", kind="person")
    persons = []
    for number in range(g.pick((2, 2, 3)) if shared else 1):
        given = Node(g.fresh((*WOMEN, *MEN)), "PROPN", "conj" if number else "", kind="person")
        given.right = [Node(g.fresh(SECOND), "PROPN", "flat") for _ in range(g.pick((0, 0, 1)))]
        m.names.append(("PER", [given, *given.right, family]))
        persons.append(given)
    first, *others = persons
    word = g.pick(("and", "or"))
    first.agreement = "p" if others and word == "and" else "s"
    _join(others, word)
    first.right += [*others, family]
    return first


def _places(g: Clauses, m: Marks, *, shared: bool) -> Node:
    """Return one place, or two or three of a kind, of which only the last says so."""
    last = Node(g.fresh(_PLACE_LAST), "PROPN", kind="place")
    if not shared:
        firsts = [Node(g.fresh(_PLACE_FIRST), "PROPN", "compound")]
        if g.chance(0.2):
            firsts.insert(0, Node("New", "PROPN", "compound"))
        last.left = list(firsts)
        m.names.append(("LOC", [*firsts, last]))
        return last
    said = [Node(g.fresh(_PLACE_FIRST), "PROPN", "conj") for _ in range(g.pick((2, 2, 3)))]
    m.names += [("LOC", [one, last]) for one in said]
    last.left = [labelled("compound", said[-1])]
    places = [*said[:-1], labelled("conj", last)]
    for place in places:
        place.left.insert(0, Node("the", "DET", "det"))
    first, *others = places
    _join(others, g.pick(("and", "or")))
    first.right += others
    return first


def _join(others: list[Node], word: str) -> None:
    """Put commas and, before the last, a conjunction between a first name and these."""
    for other in others[:-1]:
        other.left.insert(0, comma())
    for other in others[-1:]:
        other.left.insert(0, Node(word, "CCONJ", "cc"))
