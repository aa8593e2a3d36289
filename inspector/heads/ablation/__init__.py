"""Whether a head matters: ablated, gated, traced through the layers.

Must not know: files, engines, any user interface.
"""

from inspector.heads.ablation.ablate_heads import ablate_each, ablate_together, mean_outputs
from inspector.heads.ablation.ablation_rows import ABLATION_COLUMNS, ablation_frame
from inspector.heads.ablation.composition import COMPOSITION_COLUMNS, composition
from inspector.heads.ablation.corpus_pass import (
    ablation_over,
    corpus_batches,
    importance_over,
    robustness_over,
)
from inspector.heads.ablation.importance import IMPORTANCE_COLUMNS, head_importance
from inspector.heads.ablation.necessity import NEEDED_COLUMNS, needed_heads, with_needed
from inspector.heads.ablation.pruning_curve import ROBUSTNESS_COLUMNS, robustness_frame
from inspector.heads.ablation.rollout import ROLLOUT_COLUMNS, attention_rollout, rollout_frame
from inspector.heads.ablation.state_change import StateChangeSums

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
    "ablation_over",
    "ablate_each",
    "ablate_together",
    "mean_outputs",
    "corpus_batches",
    "StateChangeSums",
]
