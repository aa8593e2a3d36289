"""Constructions of coreference: pronouns, a noun again or a broader one, across a clause.

Each function writes one sentence of its construction, notes whose mentions are whose, and returns
its root and final mark. Distance and direction vary on purpose.
"""

from tools.probes.grammar import verbs
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import Clauses, Predicate
from tools.probes.grammar.tree import Node, comma, labelled, set_off

Said = tuple[Node, str]
WOMEN = ("Anna", "Maria", "Laura", "Helen", "Clara", "Nina")
MEN = ("Peter", "Daniel", "Martin", "Oscar", "Victor", "Simon")
SECOND = ("Lou", "Rowan", "Robin", "Lee", "Noel", "Alex", "Kim")
FAMILY = ("Stone", "Lopez", "Fischer", "Okafor", "Rossi", "Bennett", "Novak", "Larsen", "Patel")


def full_name(g: Clauses) -> list[Node]:
    """Return a person's two to four names; the first is the head, as UD has it."""
    middle = [g.fresh(SECOND) for _ in range(g.pick((0, 1, 2, 2)))]
    given = [g.fresh((*WOMEN, *MEN)), *middle, g.fresh(FAMILY)]
    first, *rest = [Node(form, "PROPN", "flat", kind="person") for form in given]
    first.right = list(rest)
    return [first, *rest]


_THINGS = ("portable", "text", "clothing", "vehicle", "device")
_SUBJECTS, _OWNERS = ("she", "he"), ("her", "his")
# class of noun → a word for any of its kind
_BROADER = {"animal": "animal", "vehicle": "vehicle", "device": "machine"}


def somebody(g: Clauses, *, post: float = 0.25) -> Node:
    """Return "the young baker", with a phrase after the noun with this probability."""
    return g.np("person", "s", determiner="the", possessor=0.0, post=post, premodifiers=(0, 0, 1))


def did(g: Clauses, subject: Node, thing: Node, tense: str = "past") -> Node:
    """Return a clause in which the subject does something to the thing."""
    table = [w for w in verbs.TRANSITIVE if thing.kind in w.objects and "person" in w.agents]
    head = Node("", "VERB", right=[labelled("obj", thing)])
    return g.clause(subject, Predicate(head, g.verb(table), tense))


def _gender(g: Clauses, person: Node) -> int:
    """Return 0 for "she" and "her", 1 for "he" and "his"; by chance where the noun says nothing."""
    if person.form in (*WOMEN, "girl", "woman"):
        return 0
    return 1 if person.form in (*MEN, "boy", "man", "waiter", "actor") else g.pick((0, 1))


def _again(noun: Node, form: str = "") -> Node:
    """Return a later mention of what the noun names: "the dog" again, or "the animal"."""
    said = Node(form or noun.form, "NOUN", agreement=noun.agreement, kind=noun.kind)
    said.left = [Node("the", "DET", "det")]
    return said


def one_after_another(g: Clauses, first: Node, second: Node) -> Node:
    """Return both clauses, the second subordinate or joined; the first is always said first."""
    way = g.pick(("after", "fronted", "joined"))
    if way == "joined":
        second.left[:0] = [comma(), Node(g.pick(("and", "but")), "CCONJ", "cc")]
        first.right.append(labelled("conj", second))
        return first
    word = Node(g.pick(("before", "while", "because")), "SCONJ", "mark")
    if way == "after":
        second.left.insert(0, word)
        first.right.append(labelled("advcl", second))
        return first
    word.form = "after" if word.form == "before" else word.form
    first.left.insert(0, word)
    second.left.insert(0, set_off(labelled("advcl", first), before=False))
    return second


PRONOUN = ("she", "both", "it")


def pronoun(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause about somebody and something, and one that says "she" or "it" of them."""
    person = somebody(g)
    thing = g.np(g.pick(_THINGS), "s", numeral=0.0, possessor=0.0, post=0.3)
    first = did(g, person, thing)
    mentions = [person], [thing]
    who = Node(_SUBJECTS[_gender(g, person)], "PRON", kind="person")
    if way == "it":
        who = somebody(g, post=0.4)
    else:
        mentions[0].append(who)
    what = g.np(thing.kind, "s", premodifiers=(0, 1, 2), numeral=0.0, possessor=0.0)
    if way != "she":
        what = Node("it", "PRON", kind=thing.kind)
        mentions[1].append(what)
    second = did(g, who, what)
    if way == "she" and g.chance(0.5):
        second.right.append(g.time("past"))
    m.entities += [found for found in mentions if len(found) > 1]
    return one_after_another(g, first, second), "."


SAME_NOUN = ("same", "broader")


def same_noun(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause about a thing, and one that names it again, by its noun or a broader one."""
    kinds = tuple(_BROADER) if way == "broader" else ("animal", "vehicle", "portable", "person")
    kind = g.pick(kinds)
    thing = g.np(kind, "s", numeral=0.0, possessor=0.0, premodifiers=(0, 1, 2), post=0.4)
    again = _again(thing, _BROADER[kind] if way == "broader" else "")
    first = did(g, somebody(g, post=0.2), thing)
    second = did(g, somebody(g, post=0.5), again)
    if g.chance(0.3):
        first.right.append(g.time("past"))
    m.entities.append([thing, again])
    return one_after_another(g, first, second), "."


ACROSS_A_CLAUSE = ("relative", "report", "family", "relative name", "report name")


def across_a_clause(g: Clauses, m: Marks, way: str) -> Said:
    """Return a mention whose antecedent stands beyond a clause: in a report, or before "who"."""
    name = full_name(g) if way == "family" or way.endswith("name") else None
    person = name[0] if name else somebody(g, post=0.0)
    if way == "family" and name:
        again = Node(name[-1].form, "PROPN", kind="person")
        other = did(g, somebody(g), g.np(g.pick(_THINGS), numeral=0.0))
        m.entities.append([person, again])
        first = g.clause(person, g.action("person", "past"))
        meeting = did(g, again, g.np("event", "s", determiner="the"))
        if g.chance(0.5):
            other.left.insert(0, Node("because", "SCONJ", "mark"))
            meeting.right.append(labelled("advcl", other))
        return one_after_another(g, first, meeting), "."
    if way.startswith("relative"):
        g.relative_subject(person, "past", loose=bool(name))
        owned = g.np(g.pick(("portable", "clothing")), "s", determiner="bare", numeral=0.0)
        owned.left = [node for node in owned.left if node.label != "nmod:poss"]
        own = Node(_OWNERS[_gender(g, person)], "PRON", "nmod:poss", kind="person")
        owned.left.insert(0, own)
        m.entities.append([person, own])
        root = did(g, person, owned, g.pick(("past", "past perfect")))
        return root, "."
    if g.chance(0.4):
        person.right.append(g.pp("near", g.np("landmark", "s", determiner="the"), "nmod"))
    again = Node(_SUBJECTS[_gender(g, person)], "PRON", kind="person")
    said = g.clause(again, g.action("person", g.pick(("past", "past perfect")), post=0.2))
    said.left.insert(0, Node("that", "SCONJ", "mark"))
    m.entities.append([person, again])
    head = Node("", "VERB", right=[labelled("ccomp", said)])
    outer = Predicate(head, g.verb(verbs.SAYING), "past")
    if g.chance(0.5):
        head.right.insert(0, g.place(kinds=("event",)))
    return g.clause(person, outer), "."
