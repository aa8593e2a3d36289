"""The trees of generated probes: words with dependents left and right, written out in order.

A `Node` is a word with its dependents in the order in which they are said, so every tree
is projective and has one root by construction. `spell` puts the words in a row, sets
commas, capitals and a/an, and numbers the heads.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

_SILENT_H = ("hour", "honest", "honor")
_CONSONANT_SOUND = ("uni", "use", "usu", "one", "euro")


@dataclass(eq=False)
class Node:
    """A word and its dependents; `label` is its relation to the word it depends on.

    Args:
        form: The word as it is written inside a sentence.
        upos: Universal part of speech.
        label: UD relation, with subtype where UD English has one.
        left: Dependents said before the word, in order.
        right: Dependents said after it, in order.
        agreement: "1" (I), "s" (third person singular) or "p"; for words that can be subjects.
        kind: Class of meaning of a noun (`lexicon.NOUNS`), empty for other words.
    """

    form: str
    upos: str
    label: str = "root"
    left: list["Node"] = field(default_factory=list)
    right: list["Node"] = field(default_factory=list)
    agreement: str = "s"
    kind: str = ""

    def size(self) -> int:
        """Return the number of words in the subtree."""
        return 1 + sum(node.size() for node in (*self.left, *self.right))


class Tree(NamedTuple):
    """A written sentence: words, tags, heads (index from 0, -1 for the root) and labels."""

    words: tuple[str, ...]
    upos: tuple[str, ...]
    heads: tuple[int, ...]
    labels: tuple[str, ...]
    text: str
    glued: tuple[bool, ...]  # no space after the word
    nodes: tuple[Node, ...] = ()  # what each word was written from

    def pairs(self) -> list[tuple[str, int, int]]:
        """Return (label, dependent, head) of every relation but root and punct."""
        return [
            (label, word, head)
            for word, (label, head) in enumerate(zip(self.labels, self.heads, strict=True))
            if head >= 0 and label != "punct"
        ]


def labelled(label: str, node: Node) -> Node:
    """Return the node itself, now bearing this relation.

    Example:
        >>> labelled("obj", Node("cake", "NOUN")).label
        'obj'
    """
    node.label = label
    return node


def comma() -> Node:
    """Return a comma, to be put among the dependents of the unit that it sets off."""
    return Node(",", "PUNCT", "punct")


def set_off(node: Node, *, before: bool = True, after: bool = True) -> Node:
    """Return the node with commas around its subtree; they depend on it, as UD asks."""
    if before:
        node.left.insert(0, comma())
    if after:
        node.right.append(comma())
    return node


def spell(root: Node, end: str = ".") -> Tree:
    """Return the sentence that the tree says, with its final mark attached to the root.

    A comma at either end of the sentence, or beside another comma, is not written.

    Example:
        >>> dog = Node("dog", "NOUN", "nsubj", left=[Node("a", "DET", "det")])
        >>> tree = spell(Node("barked", "VERB", left=[dog]))
        >>> tree.text, tree.heads
        ('A dog barked.', (1, 2, -1, 2))
    """
    root.label = "root"
    root.right.append(Node(end, "PUNCT", "punct"))
    said: list[tuple[Node, Node | None]] = []
    _say(root, None, said)
    said = [pair for place, pair in enumerate(said) if not _is_idle(said, place)]
    place_of = {id(node): place for place, (node, _) in enumerate(said)}
    words = [_written(said, place) for place in range(len(said))]
    glued = [
        place + 1 == len(words)
        or words[place + 1] in ("'s", "'")
        or said[place + 1][0].upos == "PUNCT"
        for place in range(len(words))
    ]
    text = "".join(
        word + ("" if near else " ") for word, near in zip(words, glued, strict=True)
    ).strip()
    return Tree(
        words=tuple(words),
        upos=tuple(node.upos for node, _ in said),
        heads=tuple(-1 if head is None else place_of[id(head)] for _, head in said),
        labels=tuple(node.label for node, _ in said),
        text=text,
        glued=tuple(glued),
        nodes=tuple(node for node, _ in said),
    )


def _say(node: Node, head: Node | None, said: list[tuple[Node, Node | None]]) -> None:
    for dependent in node.left:
        _say(dependent, node, said)
    said.append((node, head))
    for dependent in node.right:
        _say(dependent, node, said)


def _is_idle(said: list[tuple[Node, Node | None]], place: int) -> bool:
    if said[place][0].form != ",":
        return False
    return place == 0 or said[place + 1][0].upos == "PUNCT"


def _written(said: list[tuple[Node, Node | None]], place: int) -> str:
    form = said[place][0].form
    if form == "a" and said[place][0].upos == "DET":
        form = indefinite_article(said[place + 1][0].form)
    return form[0].upper() + form[1:] if place == 0 else form


def indefinite_article(following: str) -> str:
    """Return "a" or "an", whichever the sound of the following word asks for.

    Example:
        >>> [indefinite_article(word) for word in ("owl", "uniform", "hour", "pear")]
        ['an', 'a', 'an', 'a']
    """
    word = following.lower()
    if word.startswith(_SILENT_H):
        return "an"
    vowel = word[0] in "aeiou" and not word.startswith(_CONSONANT_SOUND)
    return "an" if vowel else "a"
