"""What stands before a noun in generated probes: adjectives, nouns that modify, numerals.

`Modifiers` also holds the chance of one seed and the words that a sentence has used, so that
none comes twice. Everything it returns is a `Node` with its dependents.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import lexicon
from tools.probes.grammar.tree import Node, comma, labelled, set_off

T = TypeVar("T")


class Modifiers:
    """Chance and memory of one sentence being written."""

    def __init__(self, random: Random) -> None:
        """Start with nothing used.

        Args:
            random: Where all chance comes from; only its `random` is called, whose numbers
                Python guarantees to be the same on every platform and version.
        """
        self._random = random
        self._used: set[str] = set()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._random.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, each as likely."""
        return choices[int(self._random.random() * len(choices))]

    def fresh(self, choices: Sequence[str]) -> str:
        """Return one of the words that the sentence has not used, if there is any."""
        unused = [word for word in choices if word.partition("/")[0] not in self._used]
        word = self.pick(unused or choices)
        self._used.add(word.partition("/")[0])
        return word

    def adjective(self, word: str, degree: float = 0.12) -> Node:
        """Return an adjective, sometimes with an adverb of degree before it."""
        node = Node(word, "ADJ", "amod")
        if word not in lexicon.UNGRADABLE and self.chance(degree):
            node.left.append(Node(self.fresh(lexicon.DEGREES), "ADV", "advmod"))
        return node

    def adjectives(
        self, kind: str, count: int, degree: float = 0.12, *, noun: str = ""
    ) -> list[Node]:
        """Return adjectives for a noun of this class, in the order in which they are said.

        Args:
            kind: Class of the noun.
            count: How many, at most.
            degree: Probability of an adverb of degree before the first.
            noun: The noun itself; some do not go with adjectives of age.
        """
        ranks = list(lexicon.ADJECTIVES.get(kind, ()))
        if noun in lexicon.AGELESS and len(ranks) > 2:
            ranks[2] = ()
        if noun in lexicon.MADE_OF:
            ranks = ranks[:4]  # the material stands in the compound
        opinions, ranks = ranks[:1], [rank for rank in ranks if rank]
        while len(ranks) > count:
            ranks.pop(int(self._random.random() * len(ranks)))
        nodes = [
            self.adjective(self.fresh(rank), 0.0 if place else degree)
            for place, rank in enumerate(ranks)
        ]
        if nodes and ranks[:1] == opinions and self.chance(0.4 if len(nodes) == 1 else 0.15):
            self._join_another(nodes, opinions[0])
        return nodes

    def _join_another(self, nodes: list[Node], rank: Sequence[str]) -> None:
        first = nodes[0]
        fitting = [
            word
            for word in rank
            if word != first.form and frozenset((word, first.form)) not in lexicon.CLASHES
        ]
        if not fitting:
            return
        second = self.adjective(self.fresh(fitting), 0.65)
        if first.left or len(nodes) > 1 or self.chance(0.3):
            set_off(first, before=False)
            nodes.insert(1, second)
        else:
            second.left.insert(0, Node("and", "CCONJ", "cc"))
            first.right.append(labelled("conj", second))

    def compounds(self, noun: str, probability: float) -> list[Node]:
        """Return nouns that say what the noun is for or made of, or nothing."""
        uses, materials = lexicon.COMPOUNDS.get(noun, ((), ()))
        if not (uses or materials) or not self.chance(probability):
            return []
        if self.chance(0.75 if materials else 0.85):
            return [self._joined_uses(uses)]
        kinds = [kind for kind in (materials, uses) if kind]
        if len(kinds) == 2 and self.chance(0.1):
            kinds.remove(self.pick(kinds))
        return [Node(self.fresh(kind), "NOUN", "compound") for kind in kinds]

    def _joined_uses(self, uses: Sequence[str]) -> Node:
        first = Node(self.fresh(uses), "NOUN", "compound")
        unused = [use for use in uses if use != first.form]
        if len(unused) > 1 and self.chance(0.3):
            middle = Node(self.fresh(unused), "NOUN", "conj", left=[comma()])
            unused.remove(middle.form)
            first.right.append(middle)
        last = Node(self.fresh(unused), "NOUN", "conj")
        last.left = [comma()] if first.right else []
        last.left.append(Node(self.pick(("and", "or", "and")), "CCONJ", "cc"))
        first.right.append(last)
        return first

    def numeral(self, about: float = 0.12) -> Node:
        """Return a numeral, with this probability after "exactly" or "about"."""
        number = Node(self.fresh(settings.NUMBERS), "NUM", "nummod")
        if self.chance(about):
            word = self.pick(("exactly", "about"))
            number.left.append(Node(word, "ADV", "advmod"))
        return number
