"""Every mistake that is known, in the order in which they are tried and told.

Must not know: how a mistake is found.
"""

from inspector.verification.diagnosis.catalogue.axes import AXES
from inspector.verification.diagnosis.catalogue.fused import FUSED
from inspector.verification.diagnosis.catalogue.heads import HEADS
from inspector.verification.diagnosis.catalogue.masking import MASKING
from inspector.verification.diagnosis.catalogue.output import OUTPUT
from inspector.verification.diagnosis.catalogue.positions import POSITIONS
from inspector.verification.diagnosis.catalogue.precision import PRECISION
from inspector.verification.diagnosis.catalogue.projections import PROJECTIONS
from inspector.verification.diagnosis.catalogue.randomness import RANDOMNESS
from inspector.verification.diagnosis.catalogue.scale import SCALE
from inspector.verification.diagnosis.catalogue.softmax import SOFTMAX
from inspector.verification.diagnosis.mistake import Mistake

CATALOGUE: tuple[Mistake, ...] = (
    *SCALE,
    *SOFTMAX,
    *MASKING,
    *PROJECTIONS,
    *HEADS,
    *FUSED,
    *AXES,
    *OUTPUT,
    *POSITIONS,
    *PRECISION,
    *RANDOMNESS,
)

__all__ = ["CATALOGUE"]
