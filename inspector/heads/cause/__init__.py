"""Whether a head matters: silenced, gated, traced through the layers.

Must not know: files, engines, any user interface.
"""

from inspector.heads.cause.ablation import ABLATION_COLUMNS, ablation_frame
from inspector.heads.cause.composition import COMPOSITION_COLUMNS, composition
from inspector.heads.cause.corpus import (
    corpus_batches,
    importance_over,
    robustness_over,
    silence,
)
from inspector.heads.cause.drift import DriftSums
from inspector.heads.cause.importance import IMPORTANCE_COLUMNS, head_importance
from inspector.heads.cause.needed import NEEDED_COLUMNS, needed_heads, with_needed
from inspector.heads.cause.robustness import ROBUSTNESS_COLUMNS, robustness_frame
from inspector.heads.cause.rollout import ROLLOUT_COLUMNS, attention_rollout, rollout_frame
from inspector.heads.cause.silencing import mean_outputs, silence_each, silence_together

__all__ = [
    "ablation_frame",
    "ABLATION_COLUMNS",
    "needed_heads",
    "with_needed",
    "NEEDED_COLUMNS",
    "importance_over",
    "head_importance",
    "IMPORTANCE_COLUMNS",
    "robustness_over",
    "robustness_frame",
    "ROBUSTNESS_COLUMNS",
    "composition",
    "COMPOSITION_COLUMNS",
    "rollout_frame",
    "attention_rollout",
    "ROLLOUT_COLUMNS",
    "silence",
    "silence_each",
    "silence_together",
    "mean_outputs",
    "corpus_batches",
    "DriftSums",
]
