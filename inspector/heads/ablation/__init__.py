"""Whether a head matters: silenced, gated, traced through the layers.

Must not know: files, engines, any user interface.
"""

from inspector.heads.ablation.ablate_heads import mean_outputs, silence_each, silence_together
from inspector.heads.ablation.ablation_rows import ABLATION_COLUMNS, ablation_frame
from inspector.heads.ablation.composition import COMPOSITION_COLUMNS, composition
from inspector.heads.ablation.corpus_pass import (
    corpus_batches,
    importance_over,
    robustness_over,
    silence,
)
from inspector.heads.ablation.importance import IMPORTANCE_COLUMNS, head_importance
from inspector.heads.ablation.necessity import NEEDED_COLUMNS, needed_heads, with_needed
from inspector.heads.ablation.pruning_curve import ROBUSTNESS_COLUMNS, robustness_frame
from inspector.heads.ablation.rollout import ROLLOUT_COLUMNS, attention_rollout, rollout_frame
from inspector.heads.ablation.state_change import DriftSums

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
