"""Whether a head matters: silenced, gated, traced through the layers.

Must not know: files, engines, any user interface.
"""

from inspector.heads.cause.ablation import ABLATION_COLUMNS, ablation_frame
from inspector.heads.cause.corpus import corpus_batches, silence
from inspector.heads.cause.drift import DriftSums
from inspector.heads.cause.needed import NEEDED_COLUMNS, needed_heads, with_needed
from inspector.heads.cause.silencing import mean_outputs, silence_each, silence_together

__all__ = [
    "ablation_frame",
    "ABLATION_COLUMNS",
    "needed_heads",
    "with_needed",
    "NEEDED_COLUMNS",
    "silence",
    "silence_each",
    "silence_together",
    "mean_outputs",
    "corpus_batches",
    "DriftSums",
]
