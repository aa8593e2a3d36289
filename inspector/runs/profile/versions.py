"""What must be the same wherever a run's shards are computed: the model's files, and versions."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from inspector import __version__
from inspector.errors import ModelError

if TYPE_CHECKING:
    from inspector.models import PretrainedModel

_VERSIONED = ("torch", "transformers", "numpy", "tokenizers")
_SHOWN = 12


def versions() -> dict[str, str]:
    """Return the versions of the packages that figures depend on."""
    return {"inspector": __version__, **{name: version(name) for name in _VERSIONED}}


def identity(model: "PretrainedModel") -> dict[str, str]:
    """Return what a model's figures depend on besides text: its files' hashes, and versions."""
    return identity_of(model.file_hashes)


def identity_of(file_hashes: Mapping[str, str]) -> dict[str, str]:
    """Return the same of a model that need not be in memory."""
    return {**file_hashes, **versions()}


def check_same(asked: dict[str, str], model: "PretrainedModel") -> None:
    """Refuse a model, or a version, other than those that a run was begun with.

    Args:
        asked: The identity that the run was begun with.
        model: As it was loaded here.

    Raises:
        ModelError: If one differs.

    Example:
        >>> from inspector.models import load
        >>> model = load("minilm")
        >>> check_same(identity(model), model)
    """
    here = identity(model)
    for name in sorted({*asked, *here}):
        if asked.get(name) != here.get(name):
            begun, found = (of.get(name, "none")[:_SHOWN] for of in (asked, here))
            raise ModelError(
                f"{name} ({found}) of a worker must be what the run was begun with ({begun}): "
                "give every machine the same model files and the same packages."
            )
