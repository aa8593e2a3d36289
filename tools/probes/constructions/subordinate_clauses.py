"""Constructions of clauses within clauses: complement, adverbial, control, raising.

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose; see `probes` for how sentences are chosen.
"""

from tools.probes.constructions.coordination_and_voice import passive_parts
from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verb_forms as forms
from tools.probes.grammar import verbs
from tools.probes.grammar.clauses import PAST, Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled, set_off

Said = tuple[Node, str]


def complement_clause(g: Clauses) -> Said:
    """Return a clause whose object is a clause, after the verb or before it."""
    way = g.pick(("that", "that", "zero", "wh", "whether", "told", "front", "passive"))
    tense = g.pick(("past", "past", "past perfect"))
    if way == "front":
        inner = g.simple("past perfect", kind="person", pronoun=0.1)
        inner.left.insert(0, Node(g.pick(("where", "why", "how", "when")), "ADV", "advmod"))
        who = Node(g.pick(("nobody", "everybody", "no one")[:2]), "PRON")
        root = g.clause(
            who,
            Predicate(
                Node("", "VERB"),
                forms.verb(g.pick(("know knew known", "remember", "explain"))),
                "past",
            ),
        )
        root.left.insert(0, set_off(labelled("ccomp", inner), before=False))
        return root, "."
    if way == "passive":
        subject, predicate = passive_parts(g, g.pick(("past", "past perfect")), agent=g.chance(0.4))
        inner = g.clause(subject, predicate)
    else:
        subject = g.subject(pronoun=0.25, post=0.2)
        _tell_more(g, subject)
        inner_predicate = g.action(subject.kind, g.pick(PAST))
        if g.chance(0.3):
            g.add_middle(inner_predicate)
        inner = g.clause(subject, inner_predicate)
    labelled("ccomp", inner)
    head = Node("", "VERB")
    if way in ("wh", "whether"):
        word = g.pick(verbs.ASKING)
        first = Node("whether", "SCONJ", "mark")
        if way == "whether":
            word = forms.verb(g.pick(("wonder", "ask", "discover")))
        else:
            first = Node(g.pick(("why", "where", "how", "when")), "ADV", "advmod")
        inner.left.insert(0, first)
    else:
        word = g.pick(verbs.SAYING)
        if way != "zero" or word.base in ("explain", "remember", "admit"):
            inner.left.insert(0, Node("that", "SCONJ", "mark"))
    if way == "told":
        word = forms.verb(g.pick(("tell told told", "remind", "warn")))
        head.right.append(
            labelled("iobj", g.np("person", possessor=0.0, premodifiers=(0, 0, 1, 2)))
        )
    head.right.append(inner)
    outer = Predicate(head, word, tense)
    if g.chance(0.2) and way != "told":
        g.add_middle(outer)
    question = g.chance(0.12) and tense == "past"
    root = g.clause(g.subject("person", pronoun=0.25), outer, question=question)
    return root, "?" if question else "."


def adverbial_clause(g: Clauses) -> Said:
    """Return a clause with an adverbial clause before it, after it or inside it."""
    kind = g.pick(("temporal", "temporal", "temporal", "participle", "purpose", "if"))
    place = g.pick(("before", "before", "after", "inside"))
    if kind == "if":
        subject = g.subject("person", pronoun=0.2)
        condition = g.clause(subject, g.action("person", "present", around=0.0))
        condition.left.insert(0, Node(g.pick(("if", "unless")), "SCONJ", "mark"))
        aside = labelled("advcl", condition)
        main_tense, place = "future", "before" if place == "inside" else place
    elif kind == "purpose":
        aside = g.infinitive(g.transitive("person", "to", post=0.2), "advcl")
        main_tense, place = "past", "before" if place == "before" else "after"
    elif kind == "participle":
        aside, main_tense = g.participial(), "past"
    else:
        aside, main_tense = g.temporal("past"), "past"
    subject = g.subject("person", pronoun=0.15, post=0.2 if place != "inside" else 0.0)
    if place == "inside" and subject.upos == "PRON":
        place = "before"
    root = g.clause(subject, g.action("person", main_tense))
    if place == "before":
        root.left.insert(0, set_off(aside, before=False))
    elif place == "after":
        root.right.append(set_off(aside, after=False) if kind == "participle" else aside)
    else:
        root.left.insert(root.left.index(subject) + 1, set_off(aside))
    return root, "."


def _tell_more(g: Clauses, subject: Node) -> None:
    """Sometimes give the subject a relative clause, whose verb stands near the main verb."""
    if subject.upos == "NOUN" and not subject.right and g.chance(0.25):
        g.relative_subject(subject, "past")


def _rest(g: Clauses) -> Predicate:
    """Return a predicate without an object that somebody can want to do, and go on doing."""
    doable = [word for word in verbs.INTRANSITIVE if word.manner not in ("chance", "quick")]
    return Predicate(Node("", "VERB"), g.verb(doable, "person"), "to")


def control(g: Clauses) -> Said:
    """Return a verb of wanting, trying or persuading with an infinitive or -ing form."""
    way = g.pick(("subject", "subject", "ing", "object", "object", "indirect", "bare"))
    subject = g.subject("person", pronoun=0.2, post=0.15)
    _tell_more(g, subject)
    tense = g.pick(("past", "past", "past", "past", "perfect", "present", "future"))
    inner = g.transitive("person", "to", post=0.15) if g.chance(0.6) else _rest(g)
    if g.chance(0.3) and inner.word.manner != "chance":
        g.add_manner(inner)
    head = Node("", "VERB")
    if way == "ing":
        word = g.pick(verbs.ING_CONTROL)
        head.right = [g.bare(inner, "ing", "xcomp")]
    elif way == "subject":
        word = g.pick(verbs.SUBJECT_CONTROL)
        head.right = [g.infinitive(inner)]
        if g.chance(0.3) and word.base in ("decide", "promise", "agree", "refuse"):
            head.right.insert(0, set_off(g.place(kinds=("event",))))
        elif g.chance(0.3) and word.base == "try":
            hard = Node("hard", "ADV", "advmod")
            hard.left.append(Node(g.pick(("very", "quite", "really")), "ADV", "advmod"))
            head.right.insert(0, hard)
    else:
        table = {
            "object": verbs.OBJECT_CONTROL,
            "indirect": verbs.INDIRECT_CONTROL,
            "bare": verbs.BARE_CONTROL,
        }
        word = g.pick(table[way])
        whom = g.np("person", premodifiers=(0, 0, 1, 2), possessor=0.0, post=0.2)
        if subject.upos != "PRON" and g.chance(0.25):
            whom = g.object_pronoun()
        infinitive = g.bare(inner, "bare", "xcomp") if way == "bare" else g.infinitive(inner)
        head.right = [labelled("iobj" if way == "indirect" else "obj", whom), infinitive]
        if whom.upos == "NOUN" and not whom.right and g.chance(0.2):
            g.relative_subject(whom, "past")
    predicate = Predicate(head, word, tense)
    if g.chance(0.25):
        predicate.negative = tense in ("past", "perfect", "present")
    return g.say(subject, predicate)


def raising(g: Clauses) -> Said:
    """Return a verb of seeming, or of finding something so, or an adjective like "likely"."""
    way = g.pick(("verb", "verb", "adjective", "likely", "find", "find", "how", "how"))
    subject = g.subject("person", pronoun=0.15, post=0.2)
    _tell_more(g, subject)
    tense = g.pick(("past", "past", "present", "perfect", "past perfect"))
    if way == "how":
        feature = Node(
            g.fresh(settings.STATES), "ADJ", "xcomp", left=[Node("how", "ADV", "advmod")]
        )
        root = g.clause(
            subject,
            Predicate(Node("", "VERB"), g.pick(verbs.SEEMING[:4]), "past"),
            before=[feature],
        )
        return root, "!"
    if way == "verb":
        inner = g.action("person", "to") if g.chance(0.6) else g.state("to")
        word = g.pick(verbs.RAISING)
        head = Node("", "VERB", right=[g.infinitive(inner)])
        if word.base in ("seem", "appear") and g.chance(0.3):
            whom = g.np("person", determiner="the", premodifiers=(0, 1), possessor=0.0, numeral=0.0)
            head.right.insert(0, g.pp("to", whom, "obl"))
        predicate = Predicate(head, word, tense if word.base != "happen" else "past")
    elif way == "adjective":
        feature = g.adjective(g.fresh(settings.STATES), 0.5)
        predicate = Predicate(
            Node("", "VERB", right=[labelled("xcomp", feature)]), g.pick(verbs.SEEMING), tense
        )
    elif way == "likely":
        head = Node(g.pick(("likely", "unlikely", "certain", "sure")), "ADJ")
        head.right.append(g.infinitive(g.action("person", "to")))
        predicate = Predicate(head, forms.BE, g.pick(("past", "present")), copula=True)
    else:
        thing = g.np(
            g.pick(("text", "event", "place", "food")),
            determiner="definite",
            premodifiers=(0, 0, 1),
            post=0.35,
        )
        features = {
            "food": "delicious tasty disgusting",
            "text": "boring funny useful strange",
            "event": "boring useful exciting interesting",
            "place": "beautiful strange boring",
        }
        feature = labelled("xcomp", g.adjective(g.fresh(features[thing.kind].split()), 0.5))
        predicate = Predicate(
            Node("", "VERB", right=[labelled("obj", thing), feature]), g.pick(verbs.FINDING), tense
        )
    if g.chance(0.2) and tense in settings.MIDDLES:
        predicate.middle = [Node(g.pick(("always", "also", "still")), "ADV", "advmod")]
    return g.say(subject, predicate, asks=0.12)
