"""Tiny random networks of every kind of family that transformers has.

What inspector's attention, and its table of where weights are, is tried on.
Must not know: what is tried.
"""

from inspector.errors import InputError
from inspector.models.tiny_models.audio import AUDIO
from inspector.models.tiny_models.decoders import DECODERS
from inspector.models.tiny_models.encoder_decoders import ENCODER_DECODERS
from inspector.models.tiny_models.mixed import MIXED
from inspector.models.tiny_models.mixtures import MIXTURES
from inspector.models.tiny_models.model_parts import PARTS
from inspector.models.tiny_models.text_encoders import TEXT_ENCODERS
from inspector.models.tiny_models.tiny_configuration import Configuration, Kind
from inspector.models.tiny_models.vision import VISION

CONFIGURATIONS: tuple[Configuration, ...] = (
    *TEXT_ENCODERS,
    *DECODERS,
    *MIXTURES,
    *ENCODER_DECODERS,
    *VISION,
    *AUDIO,
    *MIXED,
    *PARTS,
)
"""All of them, by kind."""

__all__ = ["CONFIGURATIONS", "Configuration", "Kind", "configuration"]


def configuration(name: str) -> Configuration:
    """Return the configuration of a name.

    Raises:
        InputError: If there is none.

    Example:
        >>> configuration("gpt2").kind
        'decoder'
    """
    for row in CONFIGURATIONS:
        if row.name == name:
            return row
    available = ", ".join(row.name for row in CONFIGURATIONS)
    raise InputError(
        f"configuration ({name}) must be one of inspector's families. Available: {available}."
    )
