"""What one claim says, before anybody has looked.

Must not know: how claims are written, corpora, models.
"""

from dataclasses import dataclass

from inspector.errors import InputError

ANY = -1
"""Layer and head of a claim about some head, whichever it is."""


@dataclass(frozen=True)
class Claim:
    """One head, and what it is said to do; layers and heads count from 0."""

    layer: int
    head: int
    relation: str = ""
    """Name of the relation that it is said to follow; '' where it is a target."""
    target: str = ""
    """Where else it is said to look: a name of `vocabulary.targets`."""
    direction: str = ""
    """One of DIRECTIONS; '' where the claim names none, and all are asked."""
    model: str = ""
    """'' where the claim names none."""
    said: str = ""
    """The claim as it was given."""
    source: str = ""
    """Who makes it."""
    counting: int = 0
    """From what number it was counted."""
    place: str = ""
    """Where it stands, as errors name it; '' where it was given by itself."""

    @property
    def what(self) -> str:
        """Return what the head is said to do, in a few words."""
        return self.relation or self.target

    def refused(self, text: str) -> InputError:
        """Return what is raised where the claim cannot be asked."""
        return InputError(f"{self.place}: {text}" if self.place else text)
