"""Predicates of generated probes: a verb with its objects, or "be" with what it says.

A predicate lacks only its subject; `finish` writes its verb for a subject's agreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verb_forms as forms
from tools.probes.grammar import verbs
from tools.probes.grammar.phrases import Grammar
from tools.probes.grammar.tree import Node, labelled
from tools.probes.grammar.verb_forms import Verb

PAST = ("past",) * 4 + ("past perfect", "past progressive")
SHOWN = ("present", "perfect", "progressive", "past progressive", "perfect", "past")
"""Tenses most of which show the subject's number."""
ANY = (
    "past",
    "past",
    "past",
    "past",
    "past",
    "past",
    "present",
    "perfect",
    "past perfect",
    "future",
    "modal",
    "modal perfect",
    "past progressive",
    "progressive",
)
_PLANNED = ("present", "progressive", "past progressive", "future", "modal")
_SUBJECTS = ("person",) * 4 + ("animal",)


@dataclass
class Predicate:
    """A predicate without its subject."""

    head: Node
    word: Verb
    tense: str
    passive: bool = False
    copula: bool = False
    middle: list[Node] = field(default_factory=list)
    negative: bool = False


class Predicates(Grammar):
    """Writes predicates."""

    # --- choice of verbs --------------------------------------------------------------

    def verb(self, table: Sequence[Verb], agent: str = "", patient: str = "") -> Verb:
        """Return a verb that goes with these classes, one that is new to the sentence if any."""
        fitting = [
            word
            for word in table
            if (not agent or agent in word.agents) and (not patient or patient in word.objects)
        ]
        unused = [word for word in fitting if f"to {word.base}" not in self._used]
        word = self.pick(unused or fitting)
        self._used.add(f"to {word.base}")
        return word

    def subject(self, kind: str = "", *, pronoun: float = 0.15, post: float = 0.2) -> Node:
        """Return a subject: a noun phrase of the class, or a pronoun for a person."""
        kind = kind or self.pick(_SUBJECTS)
        if kind == "person" and self.chance(pronoun):
            return self.pronoun()
        return self.np(kind, post=post, premodifiers=(0, 0, 0, 0, 1, 1, 2))

    # --- predicates -------------------------------------------------------------------

    def transitive(
        self,
        agent: str,
        tense: str,
        *,
        patient: Node | None = None,
        post: float = 0.15,
        kind: str = "",
        joined: float = 0.08,
    ) -> Predicate:
        """Return a predicate with an object, a given one or one that fits the verb.

        Args:
            agent: Class of the subject.
            tense: One of `forms.TENSES`, or "to" or "ing".
            patient: The object, if it is given.
            post: Probability of a phrase after the object.
            kind: Class of the object; by chance where empty.
            joined: Probability that two objects are joined by "and".
        """
        table = verbs.TRANSITIVE
        if tense in ("to", "ing"):  # nobody plans to lose a thing
            table = tuple(word for word in table if word.manner != "chance")
        word = self.verb(table, agent, patient.kind if patient else kind)
        head = Node("", "VERB")
        if patient is None:
            kind = kind or self.pick(word.objects)
            patient = self.np(kind)
            if self.chance(post):
                self.tell_surely(patient)
            elif self.chance(joined):
                another = labelled("conj", self.np(kind, possessor=0.1))
                another.left.insert(0, Node(self.pick(("and", "and", "or")), "CCONJ", "cc"))
                patient.right.append(another)
        head.right.append(labelled("obj", patient))
        return Predicate(head, word, tense)

    def intransitive(self, agent: str, tense: str) -> Predicate:
        """Return a predicate without an object."""
        return Predicate(Node("", "VERB"), self.verb(verbs.INTRANSITIVE, agent), tense)

    def action(
        self,
        agent: str,
        tense: str,
        *,
        objects: float = 0.6,
        post: float = 0.1,
        around: float = 0.2,
    ) -> Predicate:
        """Return a predicate with or without an object, sometimes with a manner or place.

        Args:
            agent: Class of the subject.
            tense: One of `forms.TENSES`.
            objects: Probability of an object, if the agent is a person.
            post: Probability of a phrase after the object.
            around: Probability of a place or time.
        """
        if agent == "animal" or (agent == "person" and self.chance(objects)):
            predicate = self.transitive(agent, tense, post=post)
        else:
            predicate = self.intransitive(agent, tense)
        if self.chance(0.3):
            self.add_manner(predicate)
        if self.chance(around):
            kinds = ("event",) if predicate.head.right else ()
            where = self.chance(0.6)
            predicate.head.right.append(
                self.place(kinds=kinds) if where else self.time_for(predicate)
            )
        return predicate

    def time_for(self, predicate: Predicate) -> Node:
        """Return a phrase of time that fits the predicate's tense."""
        tense = predicate.tense if predicate.tense in settings.TIMES else "present"
        return self.time(tense)

    def add_manner(self, predicate: Predicate) -> None:
        """Put an adverb of manner before the verb, or after the object where that is short."""
        if predicate.word.manner == "chance" and "progressive" in predicate.tense:
            return
        adverb = Node(self.fresh(settings.MANNERS[predicate.word.manner]), "ADV", "advmod")
        if self.chance(0.2):
            adverb.left.append(Node(self.pick(("very", "quite", "rather")), "ADV", "advmod"))
        short = sum(node.size() for node in predicate.head.right) <= 5
        if short and predicate.word.manner != "chance" and (adverb.left or self.chance(0.75)):
            predicate.head.right.append(adverb)
        elif not adverb.left and not predicate.middle:
            predicate.head.left.append(adverb)

    def add_middle(self, predicate: Predicate) -> None:
        """Put an adverb that fits the tense between subject and verb."""
        words = settings.MIDDLES.get(predicate.tense)
        if predicate.copula and "modal" not in predicate.tense:
            words = settings.STATE_MIDDLES
        if words and not any(node.label == "advmod" for node in predicate.head.left):
            predicate.middle.append(Node(self.fresh(words), "ADV", "advmod"))

    def state(self, tense: str, agent: str = "person") -> Predicate:
        """Return a predicate like "was very tired"."""
        states = settings.STATES if agent == "person" else settings.ANIMAL_STATES
        adjective = self.adjective(self.fresh(states), 0.35)
        return Predicate(adjective, forms.BE, tense, copula=True)

    def finish(self, predicate: Predicate, agreement: str, *, question: bool = False) -> list[Node]:
        """Write the verb's form and return what is said before it, auxiliaries first."""
        if predicate.word.manner == "chance" and predicate.tense in _PLANNED:
            predicate.tense = "past"  # nobody is losing things for long, or plans to
        if predicate.tense == "present" and predicate.passive and question:
            predicate.tense = "past"
        modal = ""
        plain = not (predicate.copula or predicate.middle or predicate.negative or question)
        if predicate.tense == "present" and plain and self.chance(0.7):
            self.add_middle(predicate)
        if predicate.tense in forms.TENSES and forms.TENSES[predicate.tense][0]:
            modal = self.pick(forms.MODALS[forms.TENSES[predicate.tense][0]])
        if question and modal in ("may", "might", "must", "could"):
            modal = self.pick(("can", "should", "will"))
        helpers, form = forms.chain(
            predicate.word,
            predicate.tense,
            agreement,
            passive=predicate.passive,
            modal=modal,
            support=question or predicate.negative,
        )
        said = [Node(word, "AUX", relation) for word, relation in helpers]
        if predicate.copula:
            said.append(Node(form, "AUX", "cop"))
        else:
            predicate.head.form = form
        extra = list(predicate.middle)
        if predicate.negative:
            extra.insert(0, Node("not", "PART", "advmod"))
        return [*said[:1], *extra, *said[1:]] if said else extra
