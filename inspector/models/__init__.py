"""Real models: the only room that imports transformers.

Loading, where each architecture keeps its weights, our attention as a backend, and a forward
pass watched layer by layer. Must not know: linguistics, statistics.
"""

from inspector.models.architectures import ARCHITECTURES, Architecture, architecture_for
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.forward.backend import running, sdpa_context
from inspector.models.forward.capture import (
    LayerCall,
    attention_probabilities,
    last_hidden_state,
    watch,
)
from inspector.models.forward.sentence_batches import (
    BatchSize,
    WordBatch,
    WordBatches,
    token_counts,
    word_batches,
)
from inspector.models.loading.load_model import load, random_init_model
from inspector.models.loading.model_names import ALIASES, DEFAULT_MODEL
from inspector.models.pretrained import DTYPES, Batch, LayerSite, PretrainedModel
from inspector.models.tokenizing.guarded import check_text
from inspector.models.weight_checks.observed_terms import complete_weights, unsaid

__all__ = [
    "load",
    "random_init_model",
    "PretrainedModel",
    "LayerSite",
    "Batch",
    "check_text",
    "BatchSize",
    "WordBatch",
    "WordBatches",
    "token_counts",
    "word_batches",
    "DTYPES",
    "DEFAULT_MODEL",
    "ALIASES",
    "Architecture",
    "ARCHITECTURES",
    "architecture_for",
    "running",
    "watch",
    "complete_weights",
    "unsaid",
    "LayerCall",
    "AttentionCall",
    "sdpa_context",
    "attention_probabilities",
    "last_hidden_state",
]
