"""Constructions of word meaning: a kind and its kinds, a part and its whole, classes, idioms.

Each function writes one sentence of its construction, notes what it says beyond its tree, and
returns its root and final mark. Distance and direction vary on purpose.
"""

from tools.probes.constructions.coreference import did, one_after_another, somebody
from tools.probes.grammar.annotation import Marks
from tools.probes.grammar.clauses import Clauses, Predicate
from tools.probes.grammar.tree import Node
from tools.probes.grammar.verb_forms import Verb, verb

Said = tuple[Node, str]
# class of noun → pairs (narrower, broader)
_KINDS = {
    "animal": (("parrot", "bird"), ("owl", "bird"), ("horse", "animal"), ("cow", "animal")),
    "food": (("apple", "fruit"), ("pear", "fruit"), ("orange", "fruit")),
    "vehicle": (("truck", "vehicle"), ("van", "vehicle"), ("tractor", "vehicle")),
    "clothing": (("coat", "garment"), ("shirt", "garment"), ("sweater", "garment")),
    "device": (("radio", "device"), ("printer", "machine"), ("computer", "machine")),
}
# class of the whole → (class of the part, pairs (part, whole))
_PARTS = {
    "vehicle": ("device", (("wheel", "bicycle"), ("engine", "truck"), ("engine", "boat"))),
    "text": ("text", (("chapter", "book"), ("page", "newspaper"), ("chapter", "report"))),
    "clothing": ("clothing", (("sleeve", "jacket"), ("collar", "coat"), ("button", "shirt"))),
}
TWO_NOUNS = ("first", "second", "near", "second", "first")
"""Where the narrower word, or the part, is said; 'near' puts both in one clause."""


def kinds(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause about a thing, and one about a thing of the broader kind."""
    kind = g.pick(tuple(_KINDS))
    narrow, broad = (_noun(g, form, kind) for form in g.pick(_KINDS[kind]))
    m.meanings.append(("hypernym", narrow, broad))
    return _both(g, narrow, broad, way), "."


def parts(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause about a part, and one about what it is a part of."""
    kind = g.pick(tuple(_PARTS))
    kind_of_part, pairs = _PARTS[kind]
    part, whole = g.pick(pairs)
    one, other = _noun(g, part, kind_of_part), _noun(g, whole, kind)
    m.meanings.append(("part", one, other))
    return _both(g, one, other, way), "."


def _noun(g: Clauses, form: str, kind: str) -> Node:
    """Return a phrase of this noun, told by adjectives and sometimes by where it is."""
    noun = g.np(
        *(kind, "s"),
        determiner=g.pick(("the", "this")),
        premodifiers=(0, 0, 1, 2),
        possessor=0.0,
        compound=0.0,
    )
    noun.form = form
    if g.chance(0.3):
        noun.right.append(g.pp("near", g.np("landmark", "s", determiner="the"), "nmod"))
    return noun


def _both(g: Clauses, one: Node, other: Node, way: str) -> Node:
    first, second = (other, one) if way == "second" else (one, other)
    if way == "near":
        clause = did(g, somebody(g), first)
        clause.right.append(g.pp(g.pick(("beside", "near")), second, "obl"))
        return clause
    clauses = [did(g, somebody(g, post=0.2), noun) for noun in (first, second)]
    if g.chance(0.3):
        clauses[0].right.append(g.time("past"))
    return one_after_another(g, *clauses)


# --- classes of meaning ----------------------------------------------------------------------

_CLASSES = {
    "food": "n.FOOD",
    "animal": "n.ANIMAL",
    "text": "n.COMMUNICATION",
    "vehicle": "n.ARTIFACT",
    "clothing": "n.ARTIFACT",
    "building": "n.LOCATION",
}
CLASSES = ("persons", "things", "all", "things")
"""Of which nouns there are two of a class."""


def classes(g: Clauses, m: Marks, way: str) -> Said:
    """Return two clauses with nouns of the same class of meaning, and others between them."""
    kind = g.pick(tuple(_CLASSES))
    other = g.pick([k for k in _CLASSES if _CLASSES[k] != _CLASSES[kind]])
    wanted = (kind, other if way == "persons" else kind)
    things = [g.np(one, "s", numeral=0.0, possessor=0.0, compound=0.0, post=0.0) for one in wanted]
    m.senses += [(_CLASSES[thing.kind], thing) for thing in things]
    if way == "things":
        persons = [Node("she", "PRON", kind="person"), somebody(g, post=0.2)]
    else:
        persons = [somebody(g, post=0.0), somebody(g, post=0.2)]
    m.senses += [("n.PERSON", person) for person in persons if person.upos == "NOUN"]
    first, second = (did(g, who, what) for who, what in zip(persons, things, strict=True))
    if g.chance(0.4):
        first.right.append(g.time("past"))
    return one_after_another(g, first, second), "."


# --- idioms ----------------------------------------------------------------------------------

# verb, noun, what may stand between, what follows
_IDIOMS: tuple[tuple[Verb, str, tuple[str, ...], str], ...] = (
    (verb("take took taken | person || careful"), "care", ("good", "special", "tender"), "of"),
    (verb("pay paid paid | person || careful"), "attention", ("close", "special", "careful"), "to"),
    (verb("make made made | person || loud"), "fun", ("cruel", "silly", "unkind"), "of"),
    (verb("take took taken | person || quiet"), "notice", ("careful", "polite", "serious"), "of"),
    (verb("take took taken | person || quiet"), "advantage", ("unfair", "clever", "rude"), "of"),
)
IDIOMS = ("together", "one between", "passive", "two between")
"""Whether words stand between those of the idiom, or the passive turns them round."""


def idioms(g: Clauses, m: Marks, way: str) -> Said:
    """Return a clause with an idiom whose words stand together or apart ("took good care of")."""
    word, form, between, preposition = g.pick(_IDIOMS)
    noun = Node(form, "NOUN", "obj")
    if way != "together" and (way != "passive" or g.chance(0.5)):
        noun.left.append(Node(g.fresh(between), "ADJ", "amod"))
    if way == "two between":
        noun.left[0].left.append(Node(g.pick(("very", "quite", "rather")), "ADV", "advmod"))
    about = g.np(g.pick(("person", "animal")), "s", determiner="the", possessor=0.0, post=0.2)
    noun.right.append(g.pp(preposition, about, "nmod"))
    head = Node("", "VERB")
    m.idioms.append(("verb", [head, noun]))
    if g.chance(0.4):
        head.right.append(g.time("past"))
    if way == "passive":
        tense = g.pick(("past", "past perfect"))
        return g.clause(noun, Predicate(head, word, tense, passive=True)), "."
    head.right.insert(0, noun)
    return g.clause(g.subject("person", post=0.2), Predicate(head, word, "past")), "."
