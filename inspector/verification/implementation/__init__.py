"""A user's own attention, compared with a model's layers: is it the same, and if not, why.

Must not know: command lines, any user interface.
"""

from inspector.verification.implementation.differences import Difference
from inspector.verification.implementation.implementation_report import (
    IMPLEMENTATION_COLUMNS,
    ImplementationReport,
)
from inspector.verification.implementation.sandbox.contract import STAGE_AXES
from inspector.verification.implementation.verifier import verify_implementation

__all__ = [
    "verify_implementation",
    "ImplementationReport",
    "IMPLEMENTATION_COLUMNS",
    "Difference",
    "STAGE_AXES",
]
