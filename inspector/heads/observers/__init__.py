"""What is measured while a model runs: small observers that keep sums and no map.

Must not know: files, engines, any user interface.
"""

from inspector.heads.observers.batch import AnnotatedBatch, annotated_batches
from inspector.heads.observers.behaviour import (
    BEHAVIOUR_COLUMNS,
    Behaviour,
    NormBehaviour,
    behaviour_frame,
)
from inspector.heads.observers.head_distances import DISTANCES_COLUMNS, HeadDistances
from inspector.heads.observers.model_pass import Observer, observe
from inspector.heads.observers.predicted_words import PredictedWords, predictions_from_state
from inspector.heads.observers.probe_masses import (
    PROBE_SCORES_COLUMNS,
    ProbeMasses,
    probe_scores_frame,
)
from inspector.heads.observers.relation_scores import (
    RelationScores,
    counts_from_state,
    looks_back_only,
    packed_counts,
    word_attention,
)
from inspector.heads.observers.window_scores import AcrossScores

__all__ = [
    "AnnotatedBatch",
    "annotated_batches",
    "Observer",
    "observe",
    "Behaviour",
    "NormBehaviour",
    "behaviour_frame",
    "BEHAVIOUR_COLUMNS",
    "RelationScores",
    "AcrossScores",
    "PredictedWords",
    "ProbeMasses",
    "PROBE_SCORES_COLUMNS",
    "probe_scores_frame",
    "predictions_from_state",
    "counts_from_state",
    "looks_back_only",
    "packed_counts",
    "word_attention",
    "HeadDistances",
    "DISTANCES_COLUMNS",
]
