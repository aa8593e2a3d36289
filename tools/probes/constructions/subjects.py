"""Constructions of subjects: near, far, inverted; with "be", and in questions.

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose; see `probes` for how sentences are chosen.
"""

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verb_forms as forms
from tools.probes.grammar.clauses import SHOWN, Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled, set_off

Said = tuple[Node, str]
_OPPOSITE = {"s": "p", "p": "s"}


def subject(g: Clauses) -> Said:
    """Return a clause whose subject is far from the verb, near it, or after it."""
    way = g.pick(
        ("pp", "relative", "relative", "aside", "near", "question", "there", "inverted", "plan")
    )
    if way == "there":
        return _there(g)
    if way == "inverted":
        return _inverted(g)
    if way == "plan":
        return _plan(g)
    agent = g.pick(("person", "person", "animal"))
    number = g.pick(("s", "p"))
    noun = g.np(agent, number, possessor=0.0, premodifiers=(0, 0, 1, 2))
    tense = g.pick(SHOWN)
    if way == "pp":
        noun.right.append(g.noun_place(noun, number=_OPPOSITE[number]))
    elif way == "relative" and (g.chance(0.5) or not g.relative_object(noun)):
        g.relative_subject(noun, loose=g.chance(0.3))
    predicate = g.action(agent, tense)
    if way == "near":
        g.add_middle(predicate)
    root = g.clause(noun, predicate, question=way == "question")
    if way == "aside":
        _put_after(root, noun, set_off(_aside(g)))
    if way == "near" and g.chance(0.5):
        root.left.insert(0, g.opener())
    return root, "?" if way == "question" else "."


def _aside(g: Clauses) -> Node:
    """Return something that can stand between commas after a subject."""
    way = g.pick(("adverb", "think", "place", "according"))
    if way == "adverb":
        return Node(
            g.pick(("however", "apparently", "surprisingly", "fortunately")), "ADV", "advmod"
        )
    if way == "think":
        who = Node(g.pick(("I", "we")), "PRON", "nsubj")
        said = Node(g.pick(("think", "believe", "suspect")), "VERB", "parataxis", left=[who])
        if g.chance(0.5):
            said.form = "told"
            said.left = [labelled("nsubj", g.np("person", determiner="definite"))]
            said.right = [labelled("iobj", Node(g.pick(("me", "us")), "PRON"))]
        return said
    if way == "according":
        source = g.np("person", determiner="definite", possessor=0.0, numeral=0.0)
        root = g.pp("according", source, "obl")
        root.left[0].upos = "VERB"
        root.left[0].right.append(Node("to", "ADP", "fixed"))
        return root
    return g.place(kinds=("event",))


def _put_after(root: Node, anchor: Node, node: Node) -> None:
    root.left.insert(root.left.index(anchor) + 1, node)


def _there(g: Clauses) -> Said:
    tense = g.pick(("past", "present", "perfect", "past perfect", "modal perfect"))
    noun = g.np(g.pick(("person", "animal")), determiner="", possessor=0.0, numeral=0.3)
    article = Node("a", "DET", "det") if noun.agreement == "s" else Node("some", "DET", "det")
    noun.left = [node for node in noun.left if not node.label.startswith("det")]
    if not any(node.label == "nummod" for node in noun.left):
        noun.left.insert(0, article)
    predicate = Predicate(Node("", "VERB"), forms.BE, tense)
    if g.chance(0.4) and tense != "modal perfect":
        predicate.middle.append(
            Node(g.pick(("once", "also", "probably", "always")), "ADV", "advmod")
        )
    question = g.chance(0.3) and tense != "modal perfect"
    said = g.finish(predicate, noun.agreement, question=question)
    there = Node("there", "PRON", "expl")
    root = predicate.head
    row = (
        [said[0], there, *said[1:]]
        if question and said and said[0].upos == "AUX"
        else [there, *said]
    )
    place = g.place(kinds=("place", "landmark"))
    root.right = [labelled("nsubj", noun), place]
    if question and row[0] is there:  # "was there": the verb itself comes first
        predicate.middle.clear()
        root.left, root.right = [], [there, *root.right]
        return root, "?"
    if not question and g.chance(0.35):
        root.right.remove(place)
        row.insert(0, place)
    root.left = row
    return root, "?" if question else "."


def _plan(g: Clauses) -> Said:
    """Return a clause about somebody's plan to do something."""
    noun = Node(g.pick(("plan", "decision", "promise", "wish")), "NOUN", kind="plan")
    noun.left = [g.possessor(0.6)] if g.chance(0.6) else [Node("the", "DET", "det")]
    content = g.transitive("person", "to", post=0.2)
    if g.chance(0.4):
        content.head.left.append(Node(g.pick(("secretly", "quietly", "quickly")), "ADV", "advmod"))
    noun.right = [g.infinitive(content, "acl")]
    feature = g.adjective(g.fresh(("strange", "important", "famous", "wise", "bold")), 0.4)
    if g.chance(0.4):
        return g.say(noun, Predicate(feature, forms.BE, "past", copula=True), asks=0.1)
    whom = labelled("obj", g.np("person", premodifiers=(0, 0, 1)))
    word = forms.verb(g.pick(("surprise", "please", "worry", "amuse")))
    tense = g.pick(("past", "perfect", "past perfect", "past"))
    return g.say(noun, Predicate(Node("", "VERB", right=[whom]), word, tense), asks=0.2)


def _inverted(g: Clauses) -> Said:
    noun = g.np(
        g.pick(("person", "animal")),
        determiner=g.pick(("", "definite")),
        possessor=0.0,
        premodifiers=(0, 1, 1, 2),
    )
    word = forms.verb(g.pick(("sit sat sat", "stand stood stood", "wait", "sleep slept slept")))
    place = g.place(kinds=("place", "landmark"))
    root = Node(word.past, "VERB", left=[place], right=[labelled("nsubj", noun)])
    if g.chance(0.4):
        g.relative_subject(noun)
    return root, "."


def copula(g: Clauses) -> Said:
    """Return a clause with "be" before an adjective, a noun or a place."""
    way = g.pick(("adjective", "noun", "place", "place"))
    tense = g.pick(("past", "present", "present", "perfect", "past", "modal"))
    question = g.chance(0.3)
    if way == "place":
        noun = g.np(
            g.pick(("portable", "text", "clothing")), determiner="definite", premodifiers=(0, 0, 1)
        )
        kind, preposition = g.pick((("container", "in"), ("surface", "on"), ("place", "in")))
        head = g.np(kind, "s", determiner="definite", premodifiers=(0, 1, 2, 3), possessor=0.1)
        head.left.insert(0, Node(preposition, "ADP", "case"))
    elif way == "noun":
        noun = g.subject("person", pronoun=0.3)
        if noun.form == "you":
            noun = Node("she", "PRON", kind="person")
        number = "p" if noun.agreement == "p" else "s"
        head = g.np(
            "person",
            number,
            determiner="a" if number == "s" else "bare",
            possessor=0.0,
            premodifiers=(1, 1, 2, 3),
            post=0.2,
            compound=0.3,
            numeral=0.0,
        )
    else:
        noun = g.subject("person", pronoun=0.25, post=0.35)
        head = g.adjective(g.fresh(settings.STATES), 0.5)
        if g.chance(0.3):
            second = labelled("conj", g.adjective(g.fresh(settings.STATES), 0.2))
            second.left.insert(0, Node("and", "CCONJ", "cc"))
            head.right.append(second)
    predicate = Predicate(head, forms.BE, tense, copula=True)
    if g.chance(0.35):
        g.add_middle(predicate)
    elif g.chance(0.2) and tense != "modal":
        predicate.negative = True
    root = g.clause(noun, predicate, question=question)
    return root, "?" if question else "."


def question(g: Clauses) -> Said:
    """Return a question whose auxiliary stands before the subject, or a clause with several."""
    tense = g.pick(
        (
            "past",
            "present",
            "perfect",
            "progressive",
            "past perfect",
            "future",
            "past progressive",
            "modal perfect",
        )
    )
    agent = g.subject(pronoun=0.2, post=0.25)
    predicate = (
        g.transitive(agent.kind, tense, post=0.2) if g.chance(0.6) else g.action(agent.kind, tense)
    )
    if tense == "modal perfect":
        g.add_middle(predicate)
        return g.say(agent, predicate)
    if g.chance(0.3) and tense in ("perfect", "progressive", "future", "past progressive"):
        g.add_middle(predicate)
    before = []
    if g.chance(0.35):
        before = [Node(g.pick(("why", "when", "where", "how")), "ADV", "advmod")]
        predicate.middle.clear()
    root = g.clause(agent, predicate, question=True, before=before)
    return root, "?"
