"""inspector: proves and shows what every attention head of a pretrained Hugging Face model does.

The public functions and types stand here, and the rooms that they live in (`inspector.attention`,
`inspector.models`, ...); torch and transformers load when one is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inspector.public_names import public_names

if TYPE_CHECKING:
    from inspector import attention as attention
    from inspector import corpora as corpora
    from inspector import heads as heads
    from inspector import models as models
    from inspector import plot as plot
    from inspector import runs as runs
    from inspector import verification as verification
    from inspector import views as views
    from inspector.api import (
        ablate,
        attend,
        check,
        compare,
        composition,
        head_importance,
        load,
        lost_roles,
        match_heads,
        open_run,
        profile,
        replicate,
        report,
        robustness,
        rollout,
        trainer_callback,
        using,
        verify,
        verify_implementation,
        weight_statistics,
    )
    from inspector.attention import Attention, LayerWeights, MultiHeadAttention, SelfAttention
    from inspector.corpora import Corpus
    from inspector.heads.search.corpus_search import search
    from inspector.heads.weights.vocabulary_circuits import vocabulary_circuits
    from inspector.models import PretrainedModel
    from inspector.runs.battery import probes
    from inspector.runs.profile.job import ProfileSettings
    from inspector.runs.run import Run
    from inspector.verification import ImplementationReport, VerificationReport
    from inspector.views import AttentionMaps
    from inspector.views.top_attention import attend_generation, attend_top

__version__ = "0.1.0"

__all__ = [
    "attend", "attend_top", "attend_generation",
    "ablate", "head_importance", "robustness", "composition", "rollout", "compare",
    "check", "lost_roles", "match_heads", "report", "trainer_callback", "replicate", "load",
    "profile", "using", "probes", "verify", "verify_implementation", "vocabulary_circuits",
    "weight_statistics", "search", "open_run", "Run", "ProfileSettings", "Corpus",
    "PretrainedModel", "VerificationReport", "ImplementationReport", "AttentionMaps", "Attention",
    "SelfAttention", "MultiHeadAttention", "LayerWeights",
]  # fmt: skip

_ROOMS = (*("attention", "corpora", "plot", "models", "verification", "heads", "runs", "views"),)
_TYPES = {
    **dict.fromkeys(("Attention", "SelfAttention", "MultiHeadAttention"), "attention"),
    "LayerWeights": "attention",
    **dict.fromkeys(("VerificationReport", "ImplementationReport"), "verification"),
    "probes": "runs.battery",
    "search": "heads.search.corpus_search",
    "vocabulary_circuits": "heads.weights.vocabulary_circuits",
    **dict.fromkeys(("Run", "open_run"), "runs.run"),
    "ProfileSettings": "runs.profile.job",
    "Corpus": "corpora",
    "PretrainedModel": "models",
    "AttentionMaps": "views",
    **dict.fromkeys(("attend_top", "attend_generation"), "views.top_attention"),
}

_find, _ = public_names(__name__, {name: _TYPES.get(name, "api") for name in __all__})


def __getattr__(name: str) -> Any:
    """Return a public function or type, or a room, importing what it needs only now (PEP 562).

    Raises:
        AttributeError: If the name is not public.
    """
    if name in _ROOMS:
        return import_module(f"inspector.{name}")
    return _find(name)


def __dir__() -> list[str]:
    """Return the public names, without importing them."""
    return [*__all__, *_ROOMS, "__version__"]
