"""Constructions of objects and what stands beside them: recipients, tools, particles.

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose; see `probes` for how sentences are chosen.
"""

from tools.probes.grammar import verbs
from tools.probes.grammar.clauses import ANY, Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled, set_off

Said = tuple[Node, str]


def object_(g: Clauses) -> Said:
    """Return a clause whose object follows the verb or comes before it as a question word."""
    way = g.pick(("after", "after", "relative", "which", "what", "embedded"))
    tense = g.pick(("past", "past", "perfect", "future", "past perfect"))
    agent = g.subject("person", post=0.25)
    word = g.verb(verbs.TRANSITIVE, "person")
    kind = g.pick(word.objects)
    head = Node("", "VERB")
    predicate = Predicate(head, word, tense)
    if g.chance(0.4):
        event = way in ("after", "relative") or g.chance(0.5)
        place = g.place(kinds=("event",) if event else ())
        head.right.append(place if g.chance(0.5) else g.time_for(predicate))
    if way == "after":
        patient = g.np(kind, premodifiers=(0, 1, 2, 3))
        if g.chance(0.5):
            g.tell_surely(patient)
        head.right.insert(0, labelled("obj", patient))
        return g.say(agent, predicate)
    if way == "relative":
        patient = g.np(kind, premodifiers=(0, 0, 1))
        if not g.relative_object(patient, rich=0.5):
            g.tell_surely(patient)
        head.right = [labelled("obj", patient)]
        return g.say(agent, predicate)
    if way == "which":
        patient = g.np(
            kind,
            premodifiers=(0, 0, 1),
            determiner=g.pick(("which", "which", "what")),
            possessor=0.0,
            numeral=0.0,
        )
    else:
        patient = Node("who" if kind == "person" else "what", "PRON")
    asked = labelled("obj", patient)
    if way == "embedded":
        inner = labelled("ccomp", g.clause(agent, predicate, before=[asked]))
        outer = Predicate(
            Node("", "VERB", right=[inner]), g.pick(verbs.ASKING), g.pick(("past", "past perfect"))
        )
        return g.clause(g.subject("person", post=0.0), outer), "."
    return g.clause(agent, predicate, question=True, before=[asked]), "?"


def ditransitive(g: Clauses) -> Said:
    """Return a clause with two objects, or its alternative with "to" and "for"."""
    word = g.pick(verbs.DITRANSITIVE)
    tense = g.pick(("past", "past", "perfect", "future", "past perfect", "modal"))
    giver = g.subject("person", pronoun=0.2, post=0.15)
    theme = labelled("obj", g.np(g.pick(word.objects), premodifiers=(0, 0, 1, 2)))
    if g.chance(0.2):
        g.tell_surely(theme)
    if giver.upos != "PRON" and g.chance(0.2):
        receiver = g.object_pronoun()
    else:
        receiver = g.np("person", premodifiers=(0, 1, 1, 2, 3), possessor=0.0, compound=0.3)
    predicate = Predicate(Node("", "VERB"), word, tense)
    if g.chance(0.1):
        g.add_middle(predicate)
    predicate.head.right = [labelled("iobj", receiver), theme]
    return g.say(giver, predicate)


def attachment_verb(g: Clauses) -> Said:
    """Return a clause with a phrase of tool, place or time that depends on the verb."""
    tense = g.pick(("past", "past", "past", "past", "perfect", "past progressive"))
    agent = g.subject("person", post=0.1)
    if g.chance(0.5):
        words = [word for word in verbs.TRANSITIVE if word.base in verbs.TOOLS]
        word = g.pick(words)
        tool = Node(g.pick(verbs.TOOLS[word.base]), "NOUN", kind="tool")
        if g.chance(0.6):
            tool.left = [
                g.adjective(g.fresh(("old", "new", "small", "large", "cheap", "red")), 0.2)
            ]
        tool.left.insert(0, Node(g.pick(("a", "a", "the", "this")), "DET", "det"))
        phrase = g.pp("with", tool, "obl")
    else:
        word = g.verb(verbs.TRANSITIVE, "person")
        phrase = g.place(kinds=() if g.chance(0.4) else ("event",))
    patient = g.np(g.pick(word.objects), premodifiers=(0, 0, 1, 2))
    if g.chance(0.3):
        g.tell_surely(patient)
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", patient)]), word, tense)
    in_event = phrase.kind == "event" or phrase.left[0].form == "with"
    if not in_event or g.chance(0.25):  # after the object it could belong to that
        root = g.clause(agent, predicate)
        root.left.insert(0, set_off(phrase, before=False))
        return root, "."
    predicate.head.right.append(phrase)
    if g.chance(0.3):
        predicate.head.right.append(g.time_for(predicate))
    return g.say(agent, predicate)


def particle(g: Clauses) -> Said:
    """Return a particle verb, its particle beside the verb or after the object."""
    tense = g.pick(ANY)
    if g.chance(0.15):
        form, word = g.pick(verbs.PARTICLE_ALONE)
        subject = g.subject(g.pick(word.agents), pronoun=0.15, post=0.2)
        head = Node("", "VERB", right=[Node(form, "ADP", "compound:prt")])
        predicate = Predicate(head, word, tense)
        head.right.append(g.place() if g.chance(0.5) else g.time_for(predicate))
        return g.say(subject, predicate)
    form, tag, word = g.pick(verbs.PARTICLE)
    kind = g.pick(word.objects)
    part = Node(form, tag, "compound:prt")
    subject = g.subject("person", pronoun=0.15, post=0.4)
    head = Node("", "VERB")
    predicate = Predicate(head, word, tense)
    way = g.pick(("beside", "after", "after", "after", "after", "pronoun"))
    if way == "pronoun" and subject.upos != "PRON":
        patient = g.object_pronoun() if kind == "person" else Node(g.pick(("it", "them")), "PRON")
    else:
        patient = g.np(
            kind, premodifiers=(0, 0, 1, 1, 2) if way == "after" else (0, 1, 2, 3), compound=0.3
        )
    labelled("obj", patient)
    head.right = [part, patient] if way == "beside" else [patient, part]
    if g.chance(0.4):
        kinds = ("event",) if way == "beside" else ("place", "event")
        head.right.append(g.place(kinds=kinds) if g.chance(0.5) else g.time_for(predicate))
    return g.say(subject, predicate)
