"""Constructions of connectives: two clauses, and the word that says how one bears on the other.

Each connective's sense is that of GUM; its arguments are noted for `PDTB=`. Distance and direction
vary on purpose.
"""

from tools.probes.constructions.logic import told
from tools.probes.grammar.annotation import Connective, Marks
from tools.probes.grammar.clauses import Clauses
from tools.probes.grammar.tree import Node, comma, labelled, set_off

Said = tuple[Node, str]
# sense → (connective, its sense in full, how it joins)
_CONNECTIVES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "contingency": (
        ("because", "Contingency.Cause.Reason", "mark"),
        ("so", "Contingency.Cause.Result", "cc"),
        ("since", "Contingency.Cause.Reason", "mark"),
        ("therefore", "Contingency.Cause.Result", "advmod"),
    ),
    "comparison": (
        ("although", "Comparison.Concession.Arg2-as-denier", "mark"),
        ("but", "Comparison.Concession.Arg2-as-denier", "cc"),
        ("whereas", "Comparison.Contrast", "mark"),
        ("however", "Comparison.Contrast", "advmod"),
    ),
    "expansion": (
        ("and", "Expansion.Conjunction", "cc"),
        ("instead", "Expansion.Substitution.Arg2-as-subst", "advmod"),
        ("or", "Expansion.Disjunction", "cc"),
        ("moreover", "Expansion.Conjunction", "advmod"),
    ),
    "temporal": (
        ("before", "Temporal.Asynchronous.Precedence", "mark"),
        ("afterwards", "Temporal.Asynchronous.Precedence", "advmod"),
        ("until", "Temporal.Asynchronous.Precedence", "mark"),
        ("while", "Temporal.Synchronous", "mark"),
    ),
}
_TAGS = {"mark": "SCONJ", "cc": "CCONJ", "advmod": "ADV"}


def connectives_of(sense: str) -> tuple[str, ...]:
    """Return the connectives of a sense."""
    return tuple(word for word, *_ in _CONNECTIVES[sense])


def connective(g: Clauses, m: Marks, word: str) -> Said:
    """Return two clauses and the connective between them, or before both, or in the second."""
    _, full, how = next(row for rows in _CONNECTIVES.values() for row in rows if row[0] == word)
    first, second = told(g), told(g)
    node = Node(word, _TAGS[how], how)
    if how == "mark":
        second.left.insert(0, node)
        labelled("advcl", second)
        if g.chance(0.5):
            first.left.insert(0, set_off(second, before=False))
        else:
            first.right.append(second)
    elif how == "cc":
        second.left[:0] = [comma(), node]
        first.right.append(labelled("conj", second))
    else:
        _put_adverb(g, second, node)
        second.left.insert(0, Node(";", "PUNCT", "punct"))
        first.right.append(labelled("parataxis", second))
    m.connectives.append(Connective(full, [node], first, second))
    return first, "."


def _put_adverb(g: Clauses, clause: Node, adverb: Node) -> None:
    """Put an adverb at the front of a clause, after its subject, or at its end."""
    way = g.pick(("front", "inside", "end"))
    subject = next(p for p, node in enumerate(clause.left) if node.label.startswith("nsubj"))
    if way == "front":
        clause.left.insert(0, set_off(adverb, before=False))
    elif way == "inside":
        clause.left.insert(subject + 1, set_off(adverb))
    else:
        clause.right.append(set_off(adverb, after=False))
