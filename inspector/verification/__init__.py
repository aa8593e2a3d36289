"""Proof: our attention against the real layers, stage by stage, with controls.

Must not know: corpora, linguistics, any user interface.
"""

from inspector.verification.controls import MUTATIONS, Control
from inspector.verification.diagnosis import Mistake
from inspector.verification.implementation import (
    IMPLEMENTATION_COLUMNS,
    ImplementationReport,
    verify_implementation,
)
from inspector.verification.judge import Judgement, judge, unit_roundoff
from inspector.verification.layers.cases import Case, standard_cases
from inspector.verification.layers.stages import STAGES
from inspector.verification.layers.verify_layers import verify
from inspector.verification.report import (
    VERIFICATION_COLUMNS,
    WHOLE_MODEL_COLUMNS,
    Coverage,
    VerificationReport,
)

__all__ = [
    "verify",
    "verify_implementation",
    "ImplementationReport",
    "IMPLEMENTATION_COLUMNS",
    "VerificationReport",
    "VERIFICATION_COLUMNS",
    "WHOLE_MODEL_COLUMNS",
    "STAGES",
    "Coverage",
    "Control",
    "Case",
    "standard_cases",
    "Mistake",
    "MUTATIONS",
    "Judgement",
    "judge",
    "unit_roundoff",
]
