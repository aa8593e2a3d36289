"""What the text fields of Concepts hold at first, in a language that reader and model know."""

from collections.abc import Sequence

from inspector import words
from inspector.dashboard import walkthrough
from inspector.dashboard.settings import Settings, Visit
from inspector.models import PretrainedModel
from inspector.vocabulary import Vocabulary

_NAMES = ("sentence", "target", "source", "word")
_MOST_UNKNOWN = 0.1
"""Share of the examples' tokens of a language that a model reads."""


class Examples:
    """The examples for one reader of one model."""

    def __init__(self, visit: Visit, model: PretrainedModel) -> None:
        """Ask the model's vocabulary for the examples of the reader's language."""
        self._settings, self._said = visit.settings, words.of("examples", visit.language)
        self.known = Vocabulary()
        """What the vocabulary knows of them; of nothing where they are English."""
        if visit.language != words.REFERENCE:
            self.known = walkthrough.vocabulary(model, *self._said.values())

    @property
    def are_read(self) -> bool:
        """Whether the model knows the words of the reader's language."""
        return self.known.unknown_tokens <= _MOST_UNKNOWN * self.known.tokens

    def __getitem__(self, name: str) -> str:
        """Return the operator's own text, else the example in a language that the model reads."""
        given: str = getattr(self._settings, name)
        own = given != Settings.model_fields[name].default
        return given if own or not self.are_read else self._said[name]

    @property
    def contexts(self) -> Sequence[str]:
        """Return two texts around the word."""
        given = self._settings.contexts
        own = given != Settings.model_fields["contexts"].default
        if own or not self.are_read or self["word"] != self._said["word"]:
            return given
        return [self._said["context_1"], self._said["context_2"]]
