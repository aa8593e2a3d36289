"""What generated probes say beyond their trees, written as treebanks write it, in the last column.

Roles (`Args=`), entities (`Entity=`, GUM's brackets), names (`Name=`), word meaning (`Meaning=`,
`Supersense=`, `Idiom=`) and connectives (`PDTB=`) are noted on nodes while a sentence is written,
and become words when it is spelled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inspector.corpora.readers import logic
from inspector.corpora.readers.added_relations import each_to_another
from inspector.corpora.readers.entity_names import name_relations
from inspector.corpora.readers.parsed_sentence import Parsed
from inspector.corpora.readers.semantic_roles import role_relation
from inspector.corpora.readers.supersenses import sense_relations
from inspector.corpora.sentence import Relation, Sentence
from tools.probes.grammar.tree import Node, Tree

_PLACES = frozenset({"place", "building", "landmark"})
_PRONOUNS = frozenset({"PRON"})


@dataclass
class Connective:
    """An explicit connective and the clauses that it connects."""

    sense: str
    """As in GUM: 'Contingency.Cause.Reason'."""
    words: list[Node]
    first: Node
    second: Node
    """The clause that the connective stands in."""


@dataclass
class Marks:
    """What one sentence says beyond its tree."""

    roles: list[tuple[str, Node, Node]] = field(default_factory=list)
    """Role, head of the argument, predicate."""
    entities: list[list[Node]] = field(default_factory=list)
    """The heads of each entity's mentions, in the order in which they are said."""
    names: list[tuple[str, list[Node]]] = field(default_factory=list)
    """Type and words of each name; a word may be part of several."""
    senses: list[tuple[str, Node]] = field(default_factory=list)
    """Supersense and word."""
    idioms: list[tuple[str, list[Node]]] = field(default_factory=list)
    """'verb' or 'other', and the words of each."""
    meanings: list[tuple[str, Node, Node]] = field(default_factory=list)
    connectives: list[Connective] = field(default_factory=list)

    def misc(self, tree: Tree, first_word: int, number: int) -> list[str]:
        """Return each word's last column.

        Args:
            tree: As it was spelled.
            first_word: How many words of the document come before.
            number: Of the sentence in its document, so that entities are distinguished.
        """
        placed = _Placed(tree)
        keys: list[dict[str, str]] = [{} for _ in tree.words]
        for word, glued in enumerate(tree.glued):
            if glued:
                keys[word]["SpaceAfter"] = "No"
        _write_entities(keys, placed, self.entities, number)
        for role, argument, predicate in self.roles:
            _more(keys[placed.of(argument)], "Args", f"{role}:{placed.of(predicate) + 1}")
        for kind, source, target in self.meanings:
            _more(keys[placed.of(source)], "Meaning", f"{kind}:{placed.of(target) + 1}")
        for count, (kind, nodes) in enumerate(self.names, 1):
            for node in nodes:
                _more(keys[placed.of(node)], "Name", f"{kind}:{count}")
        for sense, node in self.senses:
            keys[placed.of(node)]["Supersense"] = sense
        for count, (kind, nodes) in enumerate(self.idioms, 1):
            for node in nodes:
                keys[placed.of(node)]["Idiom"] = f"{kind}:{count}"
        for connective in self.connectives:
            word, value = placed.discourse(connective, first_word)
            keys[word]["PDTB"] = value
        return ["|".join(f"{k}={v}" for k, v in sorted(own.items())) or "_" for own in keys]

    def pairs(self, tree: Tree) -> list[tuple[str, int, int]]:
        """Return (relation, source, target) of all that the sentence shows beyond its tree.

        The labels are those of the readers; a mention's target is the nearest earlier one, that of
        a word of a name the nearest of its other words.
        """
        placed = _Placed(tree)
        parse = placed.parse
        found = [
            (relation.label, relation.source, relation.target)
            for relation in (
                *logic.negations(parse),
                *logic.conditions(parse),
                *logic.coordinations(parse),
                *logic.comparisons(parse),
                *logic.quantifiers(parse),
                *(
                    role_relation(
                        role, placed.of(argument), placed.of(predicate), (tree.heads, tree.labels)
                    )
                    for role, argument, predicate in self.roles
                ),
            )
            if isinstance(relation, Relation)
        ]
        for kind, source, target in self.meanings:
            found.append((f"meaning:{kind}", placed.of(source), placed.of(target)))
        for connective in self.connectives:
            found += placed.connected(connective)
        for mentions in self.entities:
            found += placed.coreferent(mentions)
        named = [(kind, [placed.of(node) for node in nodes]) for kind, nodes in self.names]
        senses = [(placed.of(node), sense, node.form.lower()) for sense, node in self.senses]
        several = [*name_relations(named), *sense_relations(senses)]
        for kind, nodes in self.idioms:
            words = sorted(placed.of(node) for node in nodes)
            several += each_to_another("semantic", f"idiom:{kind}", words)
        return [*found, *((one.label, one.source, one.target) for one in several)]


class _Placed:
    """Where the nodes of a sentence stand."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._place = {id(node): place for place, node in enumerate(tree.nodes)}
        nothing = ("_",) * len(tree.words)
        self.parse = Parsed(
            Sentence(
                *("", None, tree.words, tree.upos, ()),
                lemmas=nothing,
                feats=nothing,
                heads=tree.heads,
                deprels=tree.labels,
            )
        )

    def of(self, node: Node) -> int:
        return self._place[id(node)]

    def arguments(self, connective: Connective) -> tuple[list[int], list[int], list[int]]:
        """Return the words of a connective and of its arguments, without punctuation."""
        words = sorted(map(self.of, connective.words))
        second = set(self.parse.subtree(self.of(connective.second)))
        first = set(self.parse.subtree(self.of(connective.first))) - second - set(words)
        return words, self._said(first), self._said(second - set(words))

    def _said(self, words: Iterable[int]) -> list[int]:
        return [word for word in sorted(words) if self.tree.upos[word] != "PUNCT"]

    def discourse(self, connective: Connective, before: int) -> tuple[int, str]:
        """Return the word that bears a value of `PDTB=`, and the value."""
        words, first, second = self.arguments(connective)
        form = " ".join(self.tree.words[word] for word in words).lower()
        spans = ":".join(_spans(part, before) for part in (words, first, second))
        return words[0], f"Explicit:{connective.sense}:{form}:{spans}"

    def connected(self, connective: Connective) -> list[tuple[str, int, int]]:
        words, first, second = self.arguments(connective)
        sense = connective.sense.partition(".")[0].lower()
        source = self.parse.top_of(set(words))
        found = []
        for name, argument in (("connective", first), ("connective-own", second)):
            target = self.parse.top_of(set(argument))
            if source is not None and target is not None and source != target:
                found.append((f"{name}:{sense}", source, target))
        return found

    def coreferent(self, mentions: list[Node]) -> list[tuple[str, int, int]]:
        places = sorted(map(self.of, mentions))
        found = []
        for place, word in enumerate(places[1:], 1):
            forms = [self.tree.words[earlier].lower() for earlier in places[:place]]
            kind = {"PRON": "pronoun", "PROPN": "proper"}.get(self.tree.upos[word], "nominal")
            same = self.tree.words[word].lower() in forms
            name = "coref-same-string" if same else "coref"
            found.append((f"{name}:{kind}", word, places[place - 1]))
        return found


def _more(keys: dict[str, str], key: str, value: str) -> None:
    keys[key] = f"{keys[key]},{value}" if key in keys else value


def _spans(words: list[int], before: int) -> str:
    """Return '3-4,6' for words, counted from 1 in the document."""
    spans: list[list[int]] = []
    for word in words:
        if spans and word == spans[-1][1] + 1:
            spans[-1][1] = word
        else:
            spans.append([word, word])
    numbers = [(start + before + 1, end + before + 1) for start, end in spans]
    return ",".join(str(start) if start == end else f"{start}-{end}" for start, end in numbers)


def _write_entities(
    keys: list[dict[str, str]], placed: _Placed, entities: list[list[Node]], number: int
) -> None:
    """Write brackets: at a word, mentions that open there, the longest first, then those closed."""
    opened: list[list[tuple[int, str]]] = [[] for _ in keys]
    closed: list[list[tuple[int, str]]] = [[] for _ in keys]
    for count, mentions in enumerate(entities, 1):
        entity = str(number * 10 + count)
        for node in mentions:
            span = _mention(placed, node)
            status = "new" if node is mentions[0] else "giv:act"
            link = "ana" if node.upos in _PRONOUNS else "coref"
            head = placed.of(node) - span[0] + 1
            told = f"({entity}-{_etype(mentions)}-{status}-_____-cf1-{head}-{link}"
            alone = span[0] == span[-1]
            opened[span[0]].append((-span[-1], told + (")" if alone else "")))
            if not alone:
                closed[span[-1]].append((-span[0], f"{entity})"))
    for word, own in enumerate(keys):
        brackets = [text for _, text in (*sorted(opened[word]), *sorted(closed[word]))]
        if brackets:
            own["Entity"] = "".join(brackets)


def _mention(placed: _Placed, node: Node) -> list[int]:
    """Return the words of a mention: those of its phrase, without punctuation at its ends."""
    words = placed.parse.subtree(placed.of(node))
    while placed.tree.upos[words[-1]] == "PUNCT":
        words.pop()
    while placed.tree.upos[words[0]] == "PUNCT":
        words.pop(0)
    return words


def _etype(mentions: list[Node]) -> str:
    kinds = {node.kind for node in mentions}
    if "person" in kinds:
        return "person"
    if "animal" in kinds:
        return "animal"
    return "place" if kinds & _PLACES else "object"
