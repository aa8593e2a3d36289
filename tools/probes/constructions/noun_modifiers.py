"""Constructions around nouns and adverbs: determiners, adjectives, possessives, numerals.

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose; see `probes` for how sentences are chosen.
"""

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import lexicon, verbs
from tools.probes.grammar.clauses import ANY, PAST, Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled, set_off

Said = tuple[Node, str]
_RICH = (0, 1, 1, 2, 2)


def determiner(g: Clauses) -> Said:
    """Return a clause whose nouns stand far from their determiners."""
    options = {"premodifiers": _RICH, "possessor": 0.0, "compound": 0.35, "numeral": 0.1}
    agent = g.pick(("person", "person", "animal"))
    subject = g.np(agent, **options)  # type: ignore[arg-type]
    word = g.verb(verbs.TRANSITIVE, agent)
    patient = g.np(g.pick(word.objects), **options)  # type: ignore[arg-type]
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", patient)]), word, g.pick(ANY))
    return g.say(subject, predicate)


def adjective(g: Clauses) -> Said:
    """Return a clause with rows of adjectives, or one after a pronoun ("someone kind")."""
    tense = g.pick(PAST)
    if g.chance(0.3):
        someone = Node(g.pick(("someone", "somebody")), "PRON", kind="person")
        word = g.adjective(g.fresh(lexicon.ADJECTIVES["person"][0]), 0.4)
        someone.right.append(word)
        if g.chance(0.5):
            return g.clause(someone, g.transitive("person", tense)), "."
        fitting = g.verb(verbs.TRANSITIVE, "person", "person")
        head = Node("", "VERB", right=[labelled("obj", someone)])
        subject = g.np("person", premodifiers=(1, 2, 2), possessor=0.0)
        return g.clause(subject, Predicate(head, fitting, tense)), "."
    if g.chance(0.3):
        thing = Node("something", "PRON", kind="portable")
        thing.right.append(
            g.adjective(g.fresh(("strange", "beautiful", "heavy", "expensive")), 0.4)
        )
        head = Node("", "VERB", right=[labelled("obj", thing)])
        verb = g.verb(verbs.TRANSITIVE, "person", "portable")
        return g.clause(g.subject("person"), Predicate(head, verb, tense)), "."
    subject = g.np(g.pick(("person", "animal")), premodifiers=(1, 1, 2, 2), compound=0.3)
    word2 = g.verb(verbs.TRANSITIVE, subject.kind)
    patient = g.np(g.pick(word2.objects), premodifiers=(1, 2, 2, 3), compound=0.3, degree=0.4)
    head = Node("", "VERB", right=[labelled("obj", patient)])
    return g.clause(subject, Predicate(head, word2, tense)), "."


def adverb(g: Clauses) -> Said:
    """Return a clause with adverbs before, inside and after it."""
    subject = g.subject(pronoun=0.2, post=0.3)
    tense = g.pick(ANY)
    if g.chance(0.4):
        predicate = g.intransitive(subject.kind, tense)
    else:
        predicate = g.transitive(subject.kind, tense, post=0.2)
    way = g.pick(("front", "front", "middle", "end", "end"))
    manner = Node(g.fresh(settings.MANNERS[predicate.word.manner]), "ADV", "advmod")
    if g.chance(0.35):
        manner.left.append(Node(g.pick(("very", "quite", "rather")), "ADV", "advmod"))
    if way == "end" and predicate.word.manner != "chance":
        predicate.head.right.append(manner)
    if way == "middle" or g.chance(0.3):
        g.add_middle(predicate)
    if g.chance(0.25) and tense in ("present", "perfect", "past"):
        predicate.negative = not any(word.form == "never" for word in predicate.middle)
        predicate.middle = [] if predicate.negative else predicate.middle
    root = g.clause(subject, predicate)
    if way == "front":
        manner.form = g.fresh(settings.FRONTED)
        root.left.insert(0, set_off(manner, before=False) if not predicate.negative else g.opener())
    elif g.chance(0.35):
        root.left.insert(0, g.opener())
    return root, "."


def attachment_noun(g: Clauses) -> Said:
    """Return a clause with phrases that tell which noun is meant, one inside another."""
    agent = g.np("person", premodifiers=(0, 0, 1))
    tense = g.pick(ANY)
    word = g.verb(verbs.TRANSITIVE, "person")
    patient = g.np(g.pick(word.objects), premodifiers=(0, 0, 1, 2))
    if g.chance(0.7):
        g.tell_surely(patient)
    if not patient.right or g.chance(0.5):
        agent.right.append(g.noun_place(agent))
        inner = agent.right[-1]
        if inner.kind in settings.NOUN_PHRASE_PLACES and g.chance(0.4):
            inner.right.append(g.noun_place(inner))
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", patient)]), word, tense)
    return g.say(agent, predicate)


def possessive(g: Clauses) -> Said:
    """Return a clause whose nouns have owners, and owners of owners."""
    word = g.verb(
        [
            w
            for w in verbs.TRANSITIVE
            if set(w.objects) & {"text", "portable", "clothing", "vehicle", "animal", "device"}
        ],
        "person",
    )
    kinds = [kind for kind in word.objects if kind not in ("place", "event", "food")]
    owned = _owned(g, g.pick(kinds))
    agent = _owned(g, "relative") if g.chance(0.35) else g.subject("person", post=0.0)
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", owned)]), word, g.pick(ANY))
    if g.chance(0.3):
        predicate.head.right.append(g.time_for(predicate))
    return g.say(agent, predicate)


def _owned(g: Clauses, kind: str) -> Node:
    noun = g.np(kind, premodifiers=(0, 0, 1, 1, 2, 3), determiner="bare", numeral=0.2, compound=0.4)
    noun.left.insert(0, g.possessor(0.65, 2))
    return noun


def numeral(g: Clauses) -> Said:
    """Return a clause whose numerals stand near and far from what they count."""
    options = {
        "premodifiers": (0, 1, 1, 2, 2),
        "numeral": 1.0,
        "compound": 0.5,
        "possessor": 0.15,
    }
    agent = g.pick(("person", "person", "animal"))
    subject_ = g.np(agent, "p", **options) if g.chance(0.6) else g.subject(agent)  # type: ignore[arg-type]
    word = g.verb(verbs.TRANSITIVE, agent)
    kinds = [kind for kind in word.objects if kind not in ("place", "event")] or list(word.objects)
    patient = g.np(g.pick(kinds), "p", **options)  # type: ignore[arg-type]
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", patient)]), word, g.pick(ANY))
    return g.say(subject_, predicate)
