"""What is measured while a model runs: small observers that keep sums and no map.

Must not know: files, engines, any user interface.
"""

from inspector.heads.observers.across import AcrossScores
from inspector.heads.observers.batch import AnnotatedBatch, annotated_batches
from inspector.heads.observers.behaviour import (
    BEHAVIOUR_COLUMNS,
    Behaviour,
    NormBehaviour,
    behaviour_frame,
)
from inspector.heads.observers.distances import DISTANCES_COLUMNS, HeadDistances
from inspector.heads.observers.observe import Observer, observe
from inspector.heads.observers.relations import (
    RelationScores,
    counts_from_state,
    word_attention,
)

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
    "counts_from_state",
    "word_attention",
    "HeadDistances",
    "DISTANCES_COLUMNS",
]
