"""The probes: how the text of each is drawn, and that of its control.

Each takes what may be used and a source of chance, and returns the text and its control, None
where the control stands in the same text.
"""

from collections.abc import Callable, Sequence
from random import Random

from inspector.corpora.battery.text import Text
from inspector.corpora.battery.words import LISTS, ProbeWords

SHORTEST, LONGEST = 6, 24
"""Words of the part that is repeated; how many is drawn for each text."""
Drawn = tuple[Text, Text | None]


def repeats(known: ProbeWords, draw: Random, periods: Sequence[int]) -> Drawn:
    """Return words and the same words again; the control repeats them in another order.

    - induction: from the second copy of a word to the word after its first copy.
      Its control: to the word at the same distance where the second half is shuffled.
    - duplicate-token: from the second copy to the first. Its control: to the nearest word that is
      as frequent.
    - previous-token: from each word of the second copy to the one before it.

    Source: Olsson et al. (2022), arXiv:2209.11895, "Evaluation of induction heads: prefix
        matching"; Wang et al. (2022), arXiv:2211.00593, sec. 3.1.
    """
    part = draw.sample(known.drawn, draw.choice(periods))
    lead = _lead(known, draw, part)
    text, period = Text(known, lead), len(part)
    first = text.write(*part)
    second = text.write(*part)
    for step in range(period):
        text.ask("duplicate-token", second + step, first + step)
        if other := _as_frequent(known, part, step):
            text.ask("duplicate-token", second + step, first + other - 1, control=True)
        if step < period - 1:
            text.ask("induction", second + step, first + step + 1)
        if step:
            text.ask("previous-token", second + step, second + step - 1)
    shuffled = draw.sample(part, period)
    control = Text(known, lead)
    control.write(*part)
    control.write(*shuffled)
    for step in range(period - 1):
        if shuffled[step] != part[step]:
            control.ask("induction", second + step, first + step + 1, control=True)
    return text, control


def successor(known: ProbeWords, draw: Random, _: Sequence[int]) -> Drawn:
    """Return the members of an order, such as days, in disorder among drawn words.

    From a member to the one before it in its order, where that stands before it in the text.
    The control has drawn words in the places of the members.

    Source: the order as in Gould et al. (2024), arXiv:2312.09230, who read it from weights.
    """
    members = draw.choice([one for one in _orders(known) if len(one) >= FEWEST_MEMBERS])
    start = draw.randrange(len(members) - FEWEST_MEMBERS + 1)
    run = list(members[start : start + FEWEST_MEMBERS + 2])
    stand_ins = dict(zip(run, _others(known, draw, len(run), run), strict=True))
    order = draw.sample(run, len(run))
    lead = _lead(known, draw, tuple(stand_ins.values()))
    texts = Text(known, lead), Text(known, lead)
    places: dict[str, int] = {}
    for member in order:
        between = _others(known, draw, draw.randrange(1, 4), tuple(stand_ins.values()))
        for text in texts:
            text.write(*between)
        places[member] = texts[0].write(member, tag="NUM")
        texts[1].write(stand_ins[member], tag="NUM")
        before = run[run.index(member) - 1] if run.index(member) else None
        if before in places:
            texts[0].ask("successor", places[member], places[before])
            texts[1].ask("successor", places[member], places[before], control=True)
    return texts


def indirect_object(known: ProbeWords, draw: Random, _: Sequence[int]) -> Drawn:
    """Return a sentence with two names, of which the second clause repeats one.

    From the last word: name-mover to the name that is not repeated, s-inhibition to the repeated
    one. The control has a third name in its place, so that nothing tells the two apart.

    Source: Wang et al. (2022), arXiv:2211.00593, sec. 2 and app. E.
    """
    names = draw.sample(known.known(LISTS.names), 3)
    subject = draw.randrange(2)
    towns = known.known(LISTS.towns)
    town = draw.choice(towns) if towns and draw.random() < 0.5 else None
    template = draw.choice(indirect_objects(known)).split()
    lead = _lead(known, draw, (), least=draw.randrange(4))
    made: list[Text] = []
    for again in (names[subject], names[2]):
        text, place = Text(known, lead), dict[str, int]()
        for slot in template:
            if slot in ("A", "B"):
                place[slot] = text.write(names["AB".index(slot)], tag="PROPN")
            elif slot == "S":
                place[slot] = text.write(again, tag="PROPN")
            elif slot == "X":
                if town is not None:
                    text.write("of", tag="ADP")
                    text.write(town, tag="PROPN")
            else:
                text.write(slot)
        is_control, last = bool(made), len(text.words) - 1
        text.ask("name-mover", last, place["BA"[subject]], control=is_control)
        text.ask("s-inhibition", last, place["S"], control=is_control)
        made.append(text)
    return made[0], made[1]


def retrieval(known: ProbeWords, draw: Random, _: Sequence[int]) -> Drawn:
    """Return needles at drawn depths of drawn words, and a question for one of them.

    From the last word of the question to what its needle says. In the control another needle
    stands in that place, or, in one text of two, its own words in disorder.

    Source: Wu et al. (2024), arXiv:2404.15574, sec. 2, whose score asks the same of each step of
        an answer; here the answer is the next word.
    """
    names = draw.sample(known.known(LISTS.names), NEEDLES)
    needle = LISTS.needle.split()
    values = _others(known, draw, NEEDLES, needle)
    gaps = [_others(known, draw, draw.randrange(1, 7), values) for _ in range(NEEDLES + 1)]
    asked = draw.randrange(NEEDLES)
    lead = _lead(known, draw, values)
    mixed = _disorder(draw, needle) if draw.random() < 0.5 else needle
    others = names if mixed != needle else [*names[1:], names[0]]
    made: list[Text] = []
    for shown, own in ((names, needle), (others, mixed)):
        text, place = Text(known, lead), 0
        for number, gap in enumerate(gaps[:-1]):
            text.write(*gap)
            for slot in own if number == asked else needle:
                if slot == "V":
                    at = text.write(values[number], tag="NOUN")
                    place = at if number == asked else place
                else:
                    text.write(shown[number] if slot == "N" else slot)
        text.write(*gaps[-1])
        for slot in LISTS.question.split():
            text.write(names[asked] if slot == "N" else slot)
        text.ask("retrieval", len(text.words) - 1, place, control=bool(made))
        made.append(text)
    return made[0], made[1]


def _disorder(draw: Random, needle: Sequence[str]) -> list[str]:
    """Return a needle's words in another order, what it says not where it stood behind the name."""
    apart = needle.index("V") - needle.index("N")
    while True:
        mixed = draw.sample(needle, len(needle))
        if mixed.index("V") - mixed.index("N") != apart:
            return mixed


FEWEST_MEMBERS = 5
"""Members of an order that a text needs."""
NEEDLES = 3
DRAWS: dict[str, Callable[[ProbeWords, Random, Sequence[int]], Drawn]] = {
    "previous-token": repeats,
    "duplicate-token": repeats,
    "induction": repeats,
    "successor": successor,
    "name-mover": indirect_object,
    "s-inhibition": indirect_object,
    "retrieval": retrieval,
}
"""Probe → what draws its texts; those of one function stand in the same texts."""
TEXTS_A_DOCUMENT = {"repeats": 1, "successor": 2, "indirect_object": 4, "retrieval": 6}
"""Texts of a document: of a text that asks once there must be several."""


def lacking(known: ProbeWords, probe: str) -> str:
    """Return why a probe cannot be asked of a vocabulary, '' where it can."""
    made = DRAWS[probe]
    if made is successor and not any(len(one) >= FEWEST_MEMBERS for one in _orders(known)):
        return f"of no order (days, months, numbers) {FEWEST_MEMBERS} words are one token each"
    if made in (indirect_object, retrieval):
        n_names = len(known.known(LISTS.names))
        if n_names < NEEDLES + 1:
            return f"{n_names} names are one token each, and {NEEDLES + 1} are needed"
    if made is indirect_object and not indirect_objects(known):
        return "some word of each of its sentences is not one token"
    if made is retrieval and (other := _unknown(known, f"{LISTS.needle} {LISTS.question}")):
        return f"'{other[0]}' is not one token"
    return ""


def indirect_objects(known: ProbeWords) -> list[str]:
    """Return the sentences of which every word is one token."""
    return [one for one in LISTS.indirect_objects if not _unknown(known, f"{one} of")]


def _unknown(known: ProbeWords, template: str) -> list[str]:
    words = [word for word in template.split() if word not in ("A", "B", "S", "X", "N", "V")]
    kept = known.known(words)
    return [word for word in words if word not in kept]


def _orders(known: ProbeWords) -> list[tuple[str, ...]]:
    """Return the orders, each up to the first word that is not one token."""
    found = []
    for members in LISTS.orders.values():
        kept = known.known(members)
        length = next((n for n, one in enumerate(members) if one not in kept), len(members))
        found.append(members[:length])
    return found


def _others(known: ProbeWords, draw: Random, n: int, taken: Sequence[str]) -> list[str]:
    """Return drawn words that are not taken."""
    free = [word for word in known.drawn if word not in taken]
    return draw.sample(free, n)


def _lead(known: ProbeWords, draw: Random, part: Sequence[str], least: int = 0) -> list[str]:
    """Return the words before a text: one where no mark begins it, so that one can rest there."""
    return _others(known, draw, max(least, int(not known.has_start)), part)


def _as_frequent(known: ProbeWords, part: Sequence[str], step: int) -> int:
    """Return 1 + the place of the nearest word of the same band, 0 where there is none.

    The word after it is none: an induction head looks there.
    """
    places = [
        place
        for place, word in enumerate(part)
        if place not in (step, step + 1) and known.band[word] == known.band[part[step]]
    ]
    return 1 + min(places, key=lambda place: (abs(place - step), place)) if places else 0
