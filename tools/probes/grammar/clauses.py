"""Clauses of generated probes: statements, questions, relative and adverbial clauses.

A predicate and its subject make a clause, in the order of a statement or a question.
"""

from collections.abc import Sequence

from tools.probes.grammar import adjuncts as settings
from tools.probes.grammar import verbs
from tools.probes.grammar.predicates import ANY, PAST, SHOWN, Predicate, Predicates
from tools.probes.grammar.tree import Node, labelled, set_off

__all__ = ["ANY", "PAST", "SHOWN", "Clauses", "Predicate"]


class Clauses(Predicates):
    """Writes clauses."""

    def clause(
        self,
        subject: Node,
        predicate: Predicate,
        *,
        question: bool = False,
        before: Sequence[Node] = (),
    ) -> Node:
        """Return the clause that says the predicate of the subject.

        Args:
            subject: Its agreement decides the verb's form.
            predicate: What is said.
            question: Whether the first auxiliary comes before the subject.
            before: What comes before all else, such as a question word.
        """
        said = self.finish(predicate, subject.agreement, question=question)
        labelled("nsubj:pass" if predicate.passive else "nsubj", subject)
        head = predicate.head
        row = [said[0], subject, *said[1:]] if question else [subject, *said]
        head.left[:0] = [*before, *row]
        return head

    def infinitive(self, predicate: Predicate, label: str = "xcomp") -> Node:
        """Return the predicate as an infinitive with "to", "to" last where adverbs are few."""
        predicate.tense = "to"
        said = self.finish(predicate, "s")
        predicate.head.left[:0] = [Node("to", "PART", "mark"), *said]
        return labelled(label, predicate.head)

    def bare(self, predicate: Predicate, form: str, label: str) -> Node:
        """Return the predicate as a bare infinitive ("bare") or an -ing form ("ing")."""
        predicate.tense = form
        predicate.head.left[:0] = self.finish(predicate, "s")
        return labelled(label, predicate.head)

    def say(self, subject: Node, predicate: Predicate, *, asks: float = 0.2) -> tuple[Node, str]:
        """Return the clause with its final mark: a question, a statement, or one with an opener.

        Args:
            subject: As for `clause`.
            predicate: As for `clause`.
            asks: Probability of a question.
        """
        fitting = predicate.tense not in ("modal", "modal perfect") and not predicate.negative
        question = fitting and self.chance(asks)
        if question:
            predicate.middle.clear()
        root = self.clause(subject, predicate, question=question)
        if not question and self.chance(0.12):
            root.left.insert(0, self.opener())
        return root, "?" if question else "."

    def simple(
        self, tense: str = "", *, pronoun: float = 0.2, kind: str = "", post: float = 0.1
    ) -> Node:
        """Return a whole clause about somebody or an animal."""
        subject = self.subject(kind, pronoun=pronoun, post=post)
        predicate = self.action(subject.kind, tense or self.pick(PAST), post=post, around=0.05)
        return self.clause(subject, predicate)

    # --- relative clauses -------------------------------------------------------------

    def relative_subject(self, noun: Node, tense: str = "", *, loose: bool = False) -> None:
        """Give the noun a relative clause whose subject is the relative pronoun.

        Args:
            noun: A person or an animal.
            tense: Of the relative clause.
            loose: Whether the clause is set off by commas.
        """
        person = noun.kind == "person"
        clear = loose or bool(noun.right)  # "who" cannot belong to a thing named in between
        word = "who" if person and (clear or self.chance(0.7)) else "which" if loose else "that"
        pronoun = Node(word, "PRON", agreement=noun.agreement)
        if self.chance(0.2):
            predicate = self.state(tense or "past", noun.kind)
        else:
            predicate = self.action(
                noun.kind, tense or self.pick(PAST), objects=0.7, post=0.0, around=0.1
            )
        if self.chance(0.15):
            self.add_middle(predicate)
        clause = labelled("acl:relcl", self.clause(pronoun, predicate))
        noun.right.append(set_off(clause) if loose else clause)

    def relative_object(self, noun: Node, tense: str = "", *, rich: float = 0.3) -> bool:
        """Give the noun a relative clause in which it is the object, if some verb allows it.

        Returns:
            Whether a verb was found.
        """
        fitting = [
            word
            for word in verbs.TRANSITIVE
            if noun.kind in word.objects and "person" in word.agents
        ]
        if not fitting:
            return False
        word = self.verb(fitting)
        subject = self.subject("person", pronoun=0.3, post=0.25 * rich)
        for node in subject.left:  # "who that nurse" reads badly
            node.form = "the" if node.form in ("this", "that", "these", "those") else node.form
        predicate = Predicate(Node("", "VERB"), word, tense or self.pick(PAST))
        if self.chance(0.4 * rich):
            self.add_middle(predicate)
        if self.chance(rich):
            predicate.head.right.append(
                self.place() if self.chance(0.4) else self.time_for(predicate)
            )
        before = []
        if noun.right or self.chance(0.75):
            choices = (
                ("that", "which", "that")
                if noun.kind != "person"
                else ("who", "whom")
                if noun.right
                else ("who", "that", "whom")
            )
            before = [Node(self.pick(choices), "PRON", "obj")]
        noun.right.append(labelled("acl:relcl", self.clause(subject, predicate, before=before)))
        return True

    # --- clauses beside clauses -------------------------------------------------------

    def temporal(self, tense: str = "past") -> Node:
        """Return an adverbial clause of time or reason with its subordinator."""
        if self.chance(0.35):
            subject = self.subject("person", pronoun=0.6, post=0.0)
            clause = self.clause(subject, self.state(tense))
            word = self.pick(("because", "although", "because"))
        else:
            word = self.pick(("after", "before", "while", "when", "as"))
            ongoing = "past progressive" if word in ("while", "as") else tense
            clause = self.simple(ongoing if tense == "past" else tense, post=0.0)
        tag = ("ADV", "advmod") if word == "when" else ("SCONJ", "mark")
        clause.left.insert(0, Node(word, *tag))
        return labelled("advcl", clause)

    def participial(self, agent: str = "person") -> Node:
        """Return an adverbial -ing clause without a subject."""
        predicate = self.transitive(agent, "ing", post=0.1)
        return self.bare(predicate, "ing", "advcl")

    def opener(self) -> Node:
        """Return an adverb about the whole sentence, with its comma."""
        return set_off(Node(self.fresh(settings.OPENERS), "ADV", "advmod"), before=False)
