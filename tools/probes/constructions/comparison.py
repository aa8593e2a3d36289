"""Constructions of comparison and of quantifiers: "taller than", "as many … as", "some of the".

Each function writes one sentence of its construction and returns its root and final mark.
Distance and direction vary on purpose.
"""

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verb_forms as forms
from tools.probes.grammar import verbs
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import Clauses, Predicate
from tools.probes.grammar.tree import Node, labelled

Said = tuple[Node, str]
_COMPARATIVES = ("older", "younger", "taller", "faster", "slower", "calmer", "kinder", "prouder")
_LONG_ADJECTIVES = ("nervous", "patient", "careful", "famous", "cheerful", "honest")


COMPARISON = ("than", "as", "more things", "as many things", "than a clause", "as a clause")


def comparison(g: Clauses, m: Marks, way: str) -> Said:
    """Return somebody compared with somebody: "taller than", "more careful … than", "as … as"."""
    subject = g.subject("person", pronoun=0.25, post=0.25)
    word = way.partition(" ")[0]
    if way.endswith("things"):
        return _more_things(g, subject, equal=word == "as"), "."
    equal = word == "as"
    plain = g.chance(0.5)
    if equal:
        quality = Node(g.fresh(settings.STATES if plain else _LONG_ADJECTIVES), "ADJ")
        quality.left = [Node("as", "ADV", "advmod")]
    elif plain:
        quality = Node(g.fresh(_COMPARATIVES), "ADJ")
    else:
        quality = Node(g.fresh(_LONG_ADJECTIVES), "ADJ")
        quality.left = [Node(g.pick(("more", "less")), "ADV", "advmod")]
    standard = g.np("person", premodifiers=(0, 1, 2), numeral=0.0, post=0.2)
    if not way.endswith("clause"):
        standard.left.insert(0, Node(word, "ADP", "case"))
        last = labelled("obl", standard)
    else:
        was = forms.finite(forms.BE, standard.agreement, True)  # "than the driver was"
        last = Node(was, "AUX", "advcl", left=[Node(word, "SCONJ", "mark"), standard])
        labelled("nsubj", standard)
        if g.chance(0.5):
            last.right.append(g.time("past"))
    if g.chance(0.6):
        quality.right.append(g.place(kinds=("event", "place")))
    quality.right.append(last)
    predicate = Predicate(quality, forms.BE, g.pick(("past", "past perfect")), copula=True)
    root = g.clause(subject, predicate)
    if g.chance(0.25):
        root.left.insert(0, g.opener())
    return root, "."


def _more_things(g: Clauses, subject: Node, *, equal: bool) -> Node:
    """Return somebody who did something to more things than somebody else."""
    word = g.verb([w for w in verbs.TRANSITIVE if "person" in w.agents and w.manner != "chance"])
    things = g.np(
        g.pick([k for k in word.objects if k not in ("building", "event")] or word.objects),
        "p",
        determiner="bare",
        possessor=0.0,
        numeral=0.0,
        premodifiers=(0, 0, 1),
    )
    many = Node("many" if equal else g.pick(("more", "fewer")), "ADJ", "amod")
    if equal:
        many.left = [Node("as", "ADV", "advmod")]
    things.left.insert(0, many)
    predicate = Predicate(Node("", "VERB"), word, "past")
    predicate.head.right = [labelled("obj", things)]
    if g.chance(0.6):
        predicate.head.right.append(
            g.time_for(predicate) if g.chance(0.5) else g.place(kinds=("event", "place"))
        )
    standard = g.np("person", premodifiers=(0, 1), numeral=0.0, post=0.2)
    standard.left.insert(0, Node("as" if equal else "than", "ADP", "case"))
    predicate.head.right.append(labelled("obl", standard))
    return g.clause(subject, predicate)


_SINGULAR = (("every", "DET", "det"), ("each", "DET", "det"))
_PLURAL = (
    ("some", "DET", "det"),
    ("all", "DET", "det"),
    ("both", "DET", "det"),
    ("many", "ADJ", "amod"),
    ("few", "ADJ", "amod"),
    ("several", "ADJ", "amod"),
    ("most", "ADJ", "amod"),
)


QUANTIFIER = ("subject", "object of", "object", "subject of")


def quantifier(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause about every, some or most of such things, as its subject or object."""
    of = way.endswith("of")
    if way.startswith("subject"):
        noun = _counted(g, g.pick(("person", "animal")), of=of, post=0.3)
        tense = g.pick(("past", "past perfect", "past progressive"))
        root = g.clause(noun, g.action(noun.kind, tense))
        return root, "."
    noun = _counted(g, g.pick(("portable", "text", "clothing", "person")), of=of, post=0.0)
    table = [w for w in verbs.TRANSITIVE if noun.kind in w.objects and "person" in w.agents]
    predicate = Predicate(Node("", "VERB", right=[labelled("obj", noun)]), g.verb(table), "past")
    if g.chance(0.3):
        predicate.head.right.append(g.time_for(predicate))
    return g.clause(g.subject("person", post=0.25), predicate), "."


def _counted(g: Clauses, kind: str, *, of: bool, post: float) -> Node:
    """Return "every old cup", or "some of her old cups"."""
    word, tag, label = g.pick((*_SINGULAR, *_PLURAL))
    if of:
        word = {"every": "each", "most": "most"}.get(word, word)
        things = g.np(
            *(kind, "p"),
            determiner=g.pick(("the", "these", "")),
            premodifiers=(0, 0, 1, 1, 2),
            numeral=0.1,
            post=post,
        )
        things.left.insert(0, Node("of", "ADP", "case"))
        head = Node(word, "DET", right=[labelled("nmod", things)], kind=kind)
        head.agreement = "s" if word == "each" else "p"
        return head
    noun = g.np(
        *(kind, "s" if label == "det" and word in ("every", "each") else "p"),
        determiner="bare",
        possessor=0.0,
        numeral=0.0,
        premodifiers=(0, 1, 1, 2, 3),
        post=post,
    )
    noun.left.insert(0, Node(word, tag, label))
    return noun
