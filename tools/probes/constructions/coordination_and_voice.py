"""Constructions across clauses: passive, relative clauses, coordination.

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose; see `probes` for how sentences are chosen.
"""

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verb_forms as forms
from tools.probes.grammar import verbs
from tools.probes.grammar.clauses import PAST, SHOWN, Clauses, Predicate
from tools.probes.grammar.tree import Node, comma, labelled

Said = tuple[Node, str]
_PASSIVE_TENSES = (
    *("past",) * 5,
    "perfect",
    "past perfect",
    "present",
    "future",
    "modal",
    "modal perfect",
    "past progressive",
)
_PATIENTS = ("text", "portable", "device", "vehicle", "furniture", "clothing", "food", "animal")


def passive_parts(
    g: Clauses, tense: str, *, agent: bool, post: float = 0.25
) -> tuple[Node, Predicate]:
    """Return the subject and the predicate of a passive clause."""
    subject = g.np(g.pick(_PATIENTS), premodifiers=(0, 0, 1, 2), post=post)
    words = [w for w in verbs.TRANSITIVE if w.base not in ("leave", "visit", "discuss", "watch")]
    predicate = Predicate(
        Node("", "VERB"), g.verb(words, "person", subject.kind), tense, passive=True
    )
    if agent:
        by = g.np("person", premodifiers=(0, 0, 1, 2, 3), compound=0.4, numeral=0.1, post=0.15)
        if g.chance(0.3) and not by.right:
            g.relative_subject(by, "past")
        predicate.head.right.append(g.pp("by", by, "obl:agent"))
    return subject, predicate


def passive(g: Clauses) -> Said:
    """Return a passive clause whose subject stands near or far, or in a question."""
    tense = g.pick(_PASSIVE_TENSES)
    subject, predicate = passive_parts(g, tense, agent=g.chance(0.2))
    if g.chance(0.35):
        g.add_middle(predicate)
    if g.chance(0.35) and predicate.word.manner != "chance" and not predicate.middle:
        adverb = Node(g.fresh(settings.MANNERS[predicate.word.manner]), "ADV", "advmod")
        side = predicate.head.left if g.chance(0.5) else predicate.head.right
        side.insert(0, adverb)
    if g.chance(0.2) and not predicate.middle and "modal" not in tense:
        predicate.negative = True
    if not subject.right and g.chance(0.25):
        g.relative_object(subject)
    if not predicate.head.right and g.chance(0.4):
        predicate.head.right.append(g.time_for(predicate))
    return g.say(subject, predicate, asks=0.5)


def passive_agent(g: Clauses) -> Said:
    """Return a passive whose agent is named, with other phrases between them."""
    if g.chance(0.2):
        return _reduced(g)
    tense = g.pick(_PASSIVE_TENSES)
    subject, predicate = passive_parts(g, tense, agent=True, post=0.15)
    way = g.pick(("plain", "manner", "place", "place", "time"))
    if way == "manner" and predicate.word.manner != "chance":
        predicate.head.right.insert(
            0, Node(g.fresh(settings.MANNERS[predicate.word.manner]), "ADV", "advmod")
        )
    elif way == "place":
        predicate.head.right.insert(0, g.place(kinds=("place", "event")))
    elif way == "time":
        predicate.head.right.insert(0, g.time_for(predicate))
    return g.say(subject, predicate, asks=0.5)


def _reduced(g: Clauses) -> Said:
    """Return a clause about a thing "repaired by" somebody."""
    thing = g.np(
        g.pick(("text", "device", "vehicle", "furniture", "clothing")),
        determiner="definite",
        premodifiers=(0, 0, 1),
    )
    word = g.verb(verbs.TRANSITIVE, "person", thing.kind)
    by = g.np("person", premodifiers=(0, 0, 1, 2), compound=0.3)
    clause = Node(word.participle, "VERB", "acl", right=[g.pp("by", by, "obl:agent")])
    if g.chance(0.4):
        clause.right.insert(0, g.time("past"))
    if g.chance(0.6) and word.manner != "chance":
        clause.left.append(Node(g.fresh(settings.MANNERS[word.manner]), "ADV", "advmod"))
    if g.chance(0.5):
        thing.right.append(g.noun_place(thing))
    thing.right.append(clause)
    head = g.adjective(g.fresh(("expensive", "beautiful", "famous", "ugly", "strange", "old")), 0.4)
    return g.clause(thing, Predicate(head, forms.BE, g.pick(("past", "present")), copula=True)), "."


def relative_subject(g: Clauses) -> Said:
    """Return a clause with a relative clause on its subject or object."""
    return _relative(g, inner="subject")


def relative_object(g: Clauses) -> Said:
    """Return a clause with a relative clause in which the noun is the object."""
    return _relative(g, inner="object")


def _relative(g: Clauses, inner: str) -> Said:
    if g.chance(0.5):
        noun = g.np(g.pick(("person", "person", "animal")), premodifiers=(0, 0, 1))
        predicate = g.action(noun.kind, g.pick((*SHOWN, *PAST)), post=0.0)
        subject = noun
    else:
        subject = g.subject("person", pronoun=0.2, post=0.1)
        kind = g.pick(("person", "animal") if inner == "subject" else (*_PATIENTS, "person"))
        predicate = g.transitive("person", g.pick(PAST), post=0.0, kind=kind, joined=0.0)
        noun = predicate.head.right[0]
    if noun.kind == "person" and not noun.right and g.chance(0.4):
        noun.right.append(g.noun_place(noun, sure=noun is not subject))
    if inner == "subject":
        g.relative_subject(noun, loose=g.chance(0.25))
    else:
        g.relative_object(noun, rich=0.5)
    return g.say(subject, predicate)


def coordination(g: Clauses) -> Said:
    """Return a clause with joined nouns or verbs, or joined clauses."""
    way = g.pick(("subjects", "objects", "verbs", "verbs", "clauses", "three"))
    tense = g.pick(PAST)
    if way == "clauses":
        one = g.simple(tense, kind="person", post=0.1)
        another = g.simple(tense, pronoun=0.3)
        return _join(one, another, g.pick(("and", "but", "and", "so")), split=True), "."
    if way == "verbs":
        subject = g.subject("person", post=0.3)
        predicate = g.transitive("person", tense, post=0.2, joined=0.0)
        root = g.clause(subject, predicate)
        more = g.action("person", tense)
        said = g.finish(more, subject.agreement)
        more.head.left[:0] = [node for node in said if node.upos != "AUX"]
        if g.chance(0.3):
            more.head.left.insert(0, Node(g.pick(("then", "later")), "ADV", "advmod"))
        return _join(root, more.head, g.pick(("and", "and", "but"))), "."
    kind = g.pick(("person", "person", "animal"))
    if way == "subjects":
        joined = _join(
            g.np(kind, post=0.25, possessor=0.1), g.np(kind, post=0.1, possessor=0.1), "and"
        )
        joined.agreement = "p"
        return g.say(joined, g.action(kind, tense))
    subject = g.subject("person")
    predicate = g.transitive("person", tense, post=0.2 if way == "objects" else 0.0, joined=0.0)
    first = predicate.head.right[0]
    for last in (False, True) if way == "three" else (True,):
        other = labelled("conj", g.np(first.kind, possessor=0.1))
        other.left.insert(0, Node(g.pick(("and", "and", "or")), "CCONJ", "cc") if last else comma())
        if way == "three" and last:
            other.left.insert(0, comma())
        first.right.append(other)
    return g.say(subject, predicate)


def _join(first: Node, second: Node, word: str, *, split: bool = False) -> Node:
    second.left.insert(0, Node(word, "CCONJ", "cc"))
    if split:
        second.left.insert(0, comma())
    first.right.append(labelled("conj", second))
    return first
