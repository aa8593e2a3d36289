"""Generated probes, made once for all tests that only read them."""

from functools import cache
from random import Random

from inspector.corpora import Sentence
from inspector.corpora.probes import generate_probes


@cache
def made_probes(
    seed: int = 20170612, count: int = 40, labels: str = "full"
) -> tuple[Sentence, ...]:
    """Return the probes of a seed."""
    return tuple(generate_probes(seed, count, labels=labels))


class OnlyRandom(Random):
    """Random numbers by `random` alone, which Python keeps the same from version to version."""

    def getrandbits(self, k, /):
        """Refuse: choice, shuffle and randrange would ask."""
        raise AssertionError("choice, shuffle and randrange may change between versions")
