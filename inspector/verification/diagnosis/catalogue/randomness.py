"""Dropout: it is random, so that no plan computes it; it is seen by calling twice.

Must not know: how it is found.
"""

from inspector.verification.diagnosis.catalogue import equations
from inspector.verification.diagnosis.mistake import Mistake

DROPOUT = Mistake(
    "dropout left on",
    "Put the module into evaluation mode (.eval()), or drop nothing outside training.",
    equations.SOFTMAX,
)

RANDOMNESS = (DROPOUT,)
