"""inspector: proves and shows what every attention head of a pretrained Hugging Face model does.

The public functions stand here; torch and transformers load when one is first needed.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspector.api import (
        ablate,
        attend,
        compare,
        composition,
        head_importance,
        load,
        profile,
        robustness,
        rollout,
        using,
        verify,
        verify_implementation,
        weight_statistics,
    )

__version__ = version("inspector")

__all__ = [
    "attend",
    "ablate",
    "head_importance",
    "robustness",
    "composition",
    "rollout",
    "compare",
    "load",
    "profile",
    "using",
    "verify",
    "verify_implementation",
    "weight_statistics",
]


def __getattr__(name: str) -> Any:
    """Return a public function, importing what it needs only now (PEP 562).

    Raises:
        AttributeError: If the name is not public.
    """
    if name in __all__:
        return getattr(import_module("inspector.api"), name)
    raise AttributeError(
        f"module 'inspector' has no attribute {name!r}. Available: {', '.join(__all__)}."
    )


def __dir__() -> list[str]:
    """Return the public names, without importing them."""
    return [*__all__, "__version__"]
