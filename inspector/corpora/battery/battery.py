"""The battery of a vocabulary: the texts of all its probes as one corpus, and what is not asked."""

from collections.abc import Sequence
from hashlib import sha256
from random import Random

from inspector.arguments import is_whole
from inspector.corpora.battery.probes import (
    DRAWS,
    LONGEST,
    SHORTEST,
    TEXTS_A_DOCUMENT,
    lacking,
)
from inspector.corpora.battery.words import MIN_WORDS, ProbeWords
from inspector.corpora.sentence import Corpus, LeftOut, Sentence
from inspector.errors import InputError

DOCUMENTS = 40
"""Documents of each probe; about half of them are of the test split."""
ANNOTATION = "generated"


def battery(
    known: ProbeWords,
    probes: Sequence[str] | None = None,
    *,
    documents: int = DOCUMENTS,
    periods: Sequence[int] | None = None,
    seed: int = 0,
) -> Corpus:
    """Return the texts of the probes, each with the relations that it asks, and their controls.

    A probe whose words are not one token each is not asked; the corpus says so in `left_out`.

    Args:
        known: What of a vocabulary may be used.
        probes: Which; all where not given.
        documents: Of each probe.
        periods: How many words are repeated, one of these for each text; as many as the vocabulary
            and the model allow, from 6 to 24, where not given.
        seed: Of all that is drawn.

    Raises:
        InputError: If there is no such probe, or the numbers cannot be used.
    """
    asked = _checked(probes, documents)
    allowed = _periods(known, periods)
    reasons = {probe: _reason(known, probe, allowed) for probe in asked}
    sentences: list[Sentence] = []
    for draw in dict.fromkeys(DRAWS[probe] for probe in asked):
        names = [probe for probe in asked if DRAWS[probe] is draw and not reasons[probe]]
        if not names:
            continue
        what = draw.__name__.replace("_", "-")
        for number in range(documents * TEXTS_A_DOCUMENT[draw.__name__]):
            document = f"battery-{what}-{number % documents:03d}"
            random = Random(f"{seed} {what} {number}")  # noqa: S311
            made = draw(known, random, allowed)
            for kind, text in zip(("text", "control"), made, strict=True):
                if text is None or len(text.words) > known.longest or not text.relations:
                    continue
                name = f"{document}-{kind}-{number // documents}"
                sentences.append(text.sentence(name, document, names))
    left = tuple(
        LeftOut(f"probe {probe}", f"not asked: {reason}", 1)
        for probe, reason in reasons.items()
        if reason
    )
    if not known.has_start and sentences:
        left += (LeftOut("probes", "no token begins a text: a drawn word stands there", 1),)
    digest = sha256("\n".join(f"{one.surface.text} {one.relations}" for one in sentences).encode())
    return Corpus("decoder-battery", sentences, [], digest.hexdigest(), ANNOTATION, left)


def _checked(probes: Sequence[str] | None, documents: int) -> list[str]:
    if isinstance(probes, str):
        probes = [probes]
    asked = list(DRAWS if probes is None else dict.fromkeys(probes))
    unknown = [probe for probe in asked if probe not in DRAWS]
    if unknown or not asked:
        raise InputError(
            f"probes ({', '.join(map(str, unknown))}) must be of the battery. "
            f"Available: {', '.join(DRAWS)}."
        )
    if not is_whole(documents) or documents < 1:
        raise InputError(f"documents ({documents}) must be a whole number, at least 1.")
    return asked


def _periods(known: ProbeWords, periods: Sequence[int] | None) -> list[int]:
    """Return how many words may be repeated."""
    most = min((known.longest - 1) // 2, len(known.drawn) - 2)
    if periods is None:
        return list(range(SHORTEST, min(LONGEST, most, len(known.drawn) // 2) + 1))
    allowed = sorted({period for period in periods if is_whole(period) and 2 <= period <= most})
    if len(allowed) != len(set(periods)):
        raise InputError(
            f"periods ({', '.join(map(str, periods))}) must be whole numbers from 2 to {most}: "
            f"the model takes {known.longest} words, and {len(known.drawn)} can be drawn."
        )
    if len(allowed) < 2:
        raise InputError(
            f"periods ({', '.join(map(str, periods))}) must be at least two different numbers: "
            "what repeats at one distance is found by a fixed offset."
        )
    return allowed


def _reason(known: ProbeWords, probe: str, periods: Sequence[int]) -> str:
    if len(known.drawn) < MIN_WORDS:
        return (
            f"the tokenizer makes one token of {len(known.drawn)} words, and {MIN_WORDS} are needed"
        )
    if len(periods) < 2:
        return f"the model takes {known.longest} words, too few to repeat any"
    return lacking(known, probe)
