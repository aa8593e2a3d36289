"""The forms of verbs in generated probes: regular forms, agreement, auxiliaries.

`verb` reads a row of the verb tables, `chain` puts auxiliaries in front of a verb.
"""

from typing import NamedTuple


class Verb(NamedTuple):
    """A verb's forms, and what it goes with."""

    base: str
    past: str
    participle: str
    agents: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    manner: str = "quiet"

    @property
    def third(self) -> str:
        """Return the form for the third person singular of the present."""
        if self.base.endswith(("s", "sh", "ch", "x", "z", "o")):
            return self.base + "es"
        if self.base.endswith("y") and self.base[-2] not in "aeiou":
            return self.base[:-1] + "ies"
        return self.base + "s"

    @property
    def gerund(self) -> str:
        """Return the -ing form."""
        if self.base.endswith("e") and not self.base.endswith(("ee", "be")):
            return self.base[:-1] + "ing"
        return _doubled(self.base) + "ing"


_DOUBLING = frozenset(("stop", "drop", "plan", "forget", "sit", "put", "wrap", "let", "admit"))


def _doubled(base: str) -> str:
    return base + base[-1] if base in _DOUBLING else base


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return _doubled(base) + "ed"


def verb(row: str) -> Verb:
    """Return the verb that a row of the table describes.

    Args:
        row: "base [past participle] | agents | objects | manner"; later parts may be missing.

    Example:
        >>> verb("eat ate eaten | person").gerund, verb("carry").past, verb("stop").past
        ('eating', 'carried', 'stopped')
    """
    parts = [part.split() for part in row.split("|")]
    parts += [[]] * (4 - len(parts))
    forms = parts[0]
    past = forms[1] if len(forms) > 1 else _regular_past(forms[0])
    participle = forms[2] if len(forms) > 2 else past
    manner = parts[3][0] if parts[3] else "quiet"
    return Verb(forms[0], past, participle, tuple(parts[1]), tuple(parts[2]), manner)


_BE = {"1": ("am", "was"), "s": ("is", "was"), "p": ("are", "were")}
TENSES = {
    # tense: (modal, perfect, progressive, past)
    "past": ("", False, False, True),
    "present": ("", False, False, False),
    "perfect": ("", True, False, False),
    "past perfect": ("", True, False, True),
    "progressive": ("", False, True, False),
    "past progressive": ("", False, True, True),
    "future": ("will", False, False, False),
    "modal": ("may", False, False, False),
    "modal perfect": ("must", True, False, False),
}
MODALS = {
    "will": ("will",),
    "may": ("may", "might", "can", "should", "must", "could"),
    "must": ("must", "may", "might", "could", "should"),
}
BE = Verb("be", "was", "been")
HAVE = Verb("have", "had", "had")
DO = Verb("do", "did", "done")


def finite(word: Verb, agreement: str, past: bool) -> str:
    """Return the verb's finite form for a subject of this agreement.

    Example:
        >>> finite(BE, "p", True), finite(HAVE, "s", False), finite(verb("carry"), "s", False)
        ('were', 'has', 'carries')
    """
    if word.base == "be":
        return _BE[agreement][past]
    if past:
        return word.past
    if agreement != "s":
        return word.base
    return "has" if word.base == "have" else word.third


def chain(
    word: Verb,
    tense: str,
    agreement: str,
    *,
    passive: bool = False,
    modal: str = "",
    support: bool = False,
) -> tuple[list[tuple[str, str]], str]:
    """Return the auxiliaries, each with its relation, and the form of the verb after them.

    Args:
        word: The verb; `BE` for a copula.
        tense: One of `TENSES`, or "bare", "to" and "ing" for forms without a subject.
        agreement: Of the subject: "1", "s" or "p".
        passive: Whether be + participle is wanted.
        modal: Takes the place of the tense's own modal.
        support: Whether a simple tense takes "do" (questions and "not").

    Example:
        >>> chain(verb("eat ate eaten"), "perfect", "s", passive=True)
        ([('has', 'aux'), ('been', 'aux:pass')], 'eaten')
        >>> chain(verb("eat ate eaten"), "past", "s", support=True)
        ([('did', 'aux')], 'eat')
    """
    row: list[tuple[Verb, str, str]] = []  # verb, relation, form that it asks for
    own, perfect, progressive, past = TENSES.get(tense, ("", False, False, False))
    if perfect:
        row.append((HAVE, "aux", "participle"))
    if progressive:
        row.append((BE, "aux", "gerund"))
    if passive:
        row.append((BE, "aux:pass", "participle"))
    said: list[tuple[str, str]] = []
    form = {"to": "base", "bare": "base", "ing": "gerund"}.get(tense, "finite")
    if own:
        said.append((modal or own, "aux"))
        form = "base"
    elif support and not row and word.base != "be" and form == "finite":
        said.append((finite(DO, agreement, past), "aux"))
        form = "base"
    for helper, relation, asks in row:
        said.append((_form(helper, form, agreement, past), relation))
        form = asks
    return said, _form(word, form, agreement, past)


def _form(word: Verb, form: str, agreement: str, past: bool) -> str:
    if form == "finite":
        return finite(word, agreement, past)
    return str(getattr(word, form))
