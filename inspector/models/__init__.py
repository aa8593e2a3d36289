"""Real models: the only room that imports transformers.

Loading, where each architecture keeps its weights, our attention as a backend, and a forward
pass watched layer by layer. Must not know: linguistics, statistics.

What stands here imports torch and transformers when it is first asked for: a room beside it, such
as the names of models, needs neither.
"""

from typing import TYPE_CHECKING

from inspector.public_names import public_names

if TYPE_CHECKING:
    from inspector.models.architectures import ARCHITECTURES as ARCHITECTURES
    from inspector.models.architectures import Architecture as Architecture
    from inspector.models.architectures import architecture_for as architecture_for
    from inspector.models.calls.attention_call import AttentionCall as AttentionCall
    from inspector.models.forward.backend import running as running
    from inspector.models.forward.backend import sdpa_context as sdpa_context
    from inspector.models.forward.capture import LayerCall as LayerCall
    from inspector.models.forward.capture import attention_probabilities as attention_probabilities
    from inspector.models.forward.capture import last_hidden_state as last_hidden_state
    from inspector.models.forward.capture import watch as watch
    from inspector.models.forward.sentence_batches import BatchSize as BatchSize
    from inspector.models.forward.sentence_batches import WordBatch as WordBatch
    from inspector.models.forward.sentence_batches import WordBatches as WordBatches
    from inspector.models.forward.sentence_batches import token_counts as token_counts
    from inspector.models.forward.sentence_batches import word_batches as word_batches
    from inspector.models.loading.load_model import load as load
    from inspector.models.loading.load_model import random_init_model as random_init_model
    from inspector.models.loading.model_names import ALIASES as ALIASES
    from inspector.models.loading.model_names import DEFAULT_MODEL as DEFAULT_MODEL
    from inspector.models.pretrained import DTYPES as DTYPES
    from inspector.models.pretrained import Batch as Batch
    from inspector.models.pretrained import LayerSite as LayerSite
    from inspector.models.pretrained import PretrainedModel as PretrainedModel
    from inspector.models.tokenizing.guarded import check_text as check_text
    from inspector.models.weight_checks.observed_terms import complete_weights as complete_weights
    from inspector.models.weight_checks.observed_terms import unsaid as unsaid

_MODULES = {
    "load": "loading.load_model",
    "random_init_model": "loading.load_model",
    "PretrainedModel": "pretrained",
    "LayerSite": "pretrained",
    "Batch": "pretrained",
    "check_text": "tokenizing.guarded",
    "BatchSize": "forward.sentence_batches",
    "WordBatch": "forward.sentence_batches",
    "WordBatches": "forward.sentence_batches",
    "token_counts": "forward.sentence_batches",
    "word_batches": "forward.sentence_batches",
    "DTYPES": "pretrained",
    "DEFAULT_MODEL": "loading.model_names",
    "ALIASES": "loading.model_names",
    "Architecture": "architectures",
    "ARCHITECTURES": "architectures",
    "architecture_for": "architectures",
    "running": "forward.backend",
    "watch": "forward.capture",
    "complete_weights": "weight_checks.observed_terms",
    "unsaid": "weight_checks.observed_terms",
    "LayerCall": "forward.capture",
    "AttentionCall": "calls.attention_call",
    "sdpa_context": "forward.backend",
    "attention_probabilities": "forward.capture",
    "last_hidden_state": "forward.capture",
}

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

__getattr__, __dir__ = public_names(__name__, _MODULES)
