"""Noun phrases, possessives, prepositional phrases and times of generated probes.

Agreement is decided here: a noun's number, its determiner and what it owns go together.
"""

from collections.abc import Sequence

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import lexicon
from tools.probes.grammar.modifiers import Modifiers
from tools.probes.grammar.tree import Node, labelled

_SINGULAR = ("the",) * 8 + ("a",) * 7 + ("this", "that", "every")
_PLURAL = ("the",) * 9 + ("these", "those", "some", "some", "some")
_DEFINITE = {"s": ("the",) * 5 + ("this",), "p": ("the",) * 5 + ("these",)}
_POSSESSORS = ("my", "her", "his", "our", "their", "your")
_PRONOUNS = (("she", "s"), ("he", "s"), ("they", "p"), ("we", "p"), ("I", "1"), ("you", "p"))
_OBJECT_PRONOUNS = ("her", "him", "them", "us", "me", "you")
_UNOWNED = frozenset(("person", "place", "building", "event", "landmark"))


class Grammar(Modifiers):
    """Writes noun phrases and what they are part of."""

    def inflected(self, entry: str, kind: str, number: str = "") -> Node:
        """Return the noun of a lexicon entry in this number, or one by chance."""
        number = number or ("p" if self.chance(0.35) else "s")
        singular, _, irregular = entry.partition("/")
        form = singular if number == "s" else irregular or _plural(singular)
        return Node(form, "NOUN", agreement=number, kind=kind)

    def np(
        self,
        kind: str,
        number: str = "",
        *,
        premodifiers: Sequence[int] = (0, 0, 0, 0, 1, 1, 1, 2),
        determiner: str = "",
        numeral: float = 0.06,
        possessor: float = 0.15,
        compound: float = 0.12,
        post: float = 0.0,
        degree: float = 0.12,
    ) -> Node:
        """Return a noun phrase of this class of meaning.

        Args:
            kind: Class of the noun.
            number: "s" or "p"; by chance where empty.
            premodifiers: Numbers of adjectives, one of which is taken.
            determiner: "definite" for the, this, these; "bare" for none; another word for
                itself; by chance where empty.
            numeral: Probability of a numeral with a plural.
            possessor: Probability of a possessive in place of the determiner.
            compound: Probability of a noun that modifies the noun, where one is known.
            post: Probability of a prepositional phrase after the noun.
            degree: Probability of an adverb of degree before the first adjective.
        """
        entry = self.fresh(lexicon.NOUNS[kind])
        singular = entry.partition("/")[0]
        if kind in ("place", "building", "event"):
            number = "s"
        noun = self.inflected(entry, "person" if kind == "relative" else kind, number)
        noun.left = self.adjectives(kind, self.pick(premodifiers), degree, noun=singular)
        noun.left += self.compounds(singular, compound * (3 if len(noun.left) == 1 else 1))
        counted = noun.agreement == "p" and self.chance(numeral)
        ordered = noun.agreement == "p" and not determiner and self.chance(0.06)
        if counted or ordered:
            noun.left.insert(0, self.numeral(0.0) if ordered else self.numeral())
        if ordered:
            noun.left.insert(0, Node(self.pick(("other", "last", "first", "other")), "ADJ", "amod"))
            determiner = "the"
        if not determiner and kind not in _UNOWNED and self.chance(possessor):
            noun.left.insert(0, self.possessor())
        else:
            noun.left[:0] = self._determined(noun, determiner, counted=counted)
        if self.chance(post):
            told = self.full_of(noun) if self.chance(0.2) else None
            noun.right.append(told or self.noun_place(noun, singular))
        return noun

    def _determined(self, noun: Node, determiner: str, *, counted: bool) -> list[Node]:
        plural = noun.agreement == "p"
        if determiner == "bare":
            return []
        if determiner == "definite":
            return [Node(self.pick(_DEFINITE[noun.agreement]), "DET", "det")]
        if determiner in _POSSESSORS:
            return [Node(determiner, "PRON", "nmod:poss")]
        if determiner:
            return [Node(determiner, "DET", "det")]
        if plural and counted:
            approximate = any(node.label == "advmod" for node in noun.left[0].left)
            if approximate or self.chance(0.5):
                return []
            return [Node(self.pick(("the", "the", "these", "those")), "DET", "det")]
        if plural and self.chance(0.05):
            return [Node("all", "DET", "det:predet"), Node("the", "DET", "det")]
        return [Node(self.pick(_PLURAL if plural else _SINGULAR), "DET", "det")]

    def possessor(self, long: float = 0.5, depth: int = 1) -> Node:
        """Return a possessive: a pronoun, or a phrase with 's.

        Args:
            long: Probability of a phrase.
            depth: How many owners may own one another.
        """
        if not self.chance(long):
            return Node(self.pick(_POSSESSORS), "PRON", "nmod:poss")
        nested = depth > 1 and self.chance(0.5)
        owner = self.np(
            "relative" if nested else "person",
            "s" if nested else "",
            premodifiers=(0, 0, 0, 1, 1, 2),
            determiner="bare" if nested else "the",
            numeral=0.0,
        )
        if nested:
            owner.left.insert(0, self.possessor(0.5, depth - 1))
        owner.right.append(Node("'" if owner.form.endswith("s") else "'s", "PART", "case"))
        return labelled("nmod:poss", owner)

    def pronoun(self) -> Node:
        """Return a pronoun that can be a subject."""
        word, agreement = self.pick(_PRONOUNS)
        return Node(word, "PRON", agreement=agreement, kind="person")

    def object_pronoun(self) -> Node:
        """Return a pronoun that can be the object of a verb whose subject is a noun phrase."""
        return Node(self.pick(_OBJECT_PRONOUNS), "PRON", kind="person")

    def pp(self, preposition: str, noun: Node, label: str) -> Node:
        """Return the noun phrase with a preposition before it."""
        noun.left.insert(0, Node(preposition, "ADP", "case"))
        return labelled(label, noun)

    def noun_place(
        self, noun: Node, entry: str = "", number: str = "", *, sure: bool = False
    ) -> Node:
        """Return a prepositional phrase that tells which noun of its kind is meant.

        Args:
            noun: What it tells about.
            entry: The noun's singular; some nouns can be told by a part of theirs.
            number: Of the noun inside the phrase; by chance where empty.
            sure: Whether it must not be one that could belong to a verb.
        """
        parts = () if number else lexicon.PARTS.get(entry, ())
        places = settings.NOUN_PHRASE_PLACES.get(noun.kind, ())
        if sure:
            places = tuple(place for place in places if place in settings.SURE_PLACES)
        if parts and (not places or self.chance(0.5)):
            part = self.inflected(self.fresh(parts), "part", "s")
            word = self.fresh(lexicon.PART_ADJECTIVES)
            part.left = [Node(self.pick(("the", "a")), "DET", "det"), self.adjective(word)]
            return self.pp("with", part, "nmod")
        if number:
            places = tuple(
                place for place in places if place[1] not in ("clothing", "place", "building")
            )
        preposition, kind = self.pick(places)
        worn = kind == "clothing"
        inner = self.np(
            kind,
            noun.agreement if worn else number,
            determiner="the" if worn else "definite",
            premodifiers=(1, 1, 2) if worn else (0, 0, 1, 1, 2),
            numeral=0.0,
            degree=0.06,
        )
        return self.pp(preposition, inner, "nmod")

    def tell_surely(self, noun: Node) -> None:
        """Tell which noun is meant by a phrase that cannot belong to a verb before it, if any."""
        entry = noun.form if noun.agreement == "s" else ""
        told = self.full_of(noun) if self.chance(0.3) else None
        places = settings.NOUN_PHRASE_PLACES.get(noun.kind, ())
        sure = noun.kind in ("person", "text") and settings.SURE_PLACES.intersection(places)
        if told:
            noun.right.append(told)
        elif sure or entry in lexicon.PARTS:
            noun.right.append(self.noun_place(noun, entry, sure=True))

    def full_of(self, noun: Node) -> Node | None:
        """Return an adjective with its complement, to be said after the noun, if one fits."""
        if noun.kind not in settings.FULL_OF or noun.left[:1] == []:
            return None
        word, preposition, kind = self.pick(settings.FULL_OF[noun.kind])
        if any(node.form == word for node in noun.left):
            return None
        feature = Node(word, "ADJ", "amod")
        many = word in ("full", "fond", "afraid")
        complement = self.np(
            kind,
            "p" if many else "",
            determiner="bare" if many else self._owner_of(noun) if kind == "relative" else "the",
            premodifiers=(0, 0, 0, 1),
            compound=0.05,
            numeral=0.0,
        )
        feature.right = [self.pp(preposition, complement, "obl")]
        return feature

    def _owner_of(self, noun: Node) -> str:
        return "their" if noun.agreement == "p" else self.pick(("his", "her"))

    def place(self, *, kinds: Sequence[str] = ()) -> Node:
        """Return a prepositional phrase that says where, or at what occasion.

        Args:
            kinds: Classes of nouns to choose from; all that fit where empty.
        """
        places = [place for place in settings.ACTION_PLACES if not kinds or place[1] in kinds]
        preposition, kind = self.pick(places)
        noun = self.np(
            kind,
            "s",
            determiner=self.pick(("the", "the", "the", "the", "a", "this")),
            premodifiers=(0, 0, 0, 1, 1, 2),
            post=0.05,
            degree=0.06,
        )
        return self.pp(preposition, noun, "obl")

    def time(self, tense: str) -> Node:
        """Return a phrase that says when, fitting the tense."""
        preposition, determiner, word = self.pick(settings.TIMES[tense])
        noun = Node(word, "PROPN" if word[0].isupper() else "NOUN")
        if determiner in ("last", "next"):
            noun.left.append(Node(determiner, "ADJ", "amod"))
        elif determiner:
            tag, label = ("NUM", "nummod") if determiner == "one" else ("DET", "det")
            noun.left.append(Node(determiner, tag, label))
        if not preposition:
            return labelled("obl:unmarked", noun)
        return self.pp(preposition, noun, "obl")


def _plural(noun: str) -> str:
    if noun.endswith(("s", "sh", "ch", "x", "z")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
