"""What a wrong implementation of attention does instead: known mistakes, tried and named.

Must not know: models, files, any user interface.
"""

from inspector.verification.diagnosis.catalogue import CATALOGUE, known
from inspector.verification.diagnosis.diagnosis import (
    Diagnosis,
    Explanation,
    diagnose,
    diagnose_randomness,
    unknown,
)
from inspector.verification.diagnosis.evaluation import REFERENCE, Evaluator, Plan
from inspector.verification.diagnosis.layer import STAGES, Layer, Mistake, Norm, Probe
from inspector.verification.diagnosis.plan_comparison import Comparison, Observation
from inspector.verification.judge import Distance

__all__ = [
    "diagnose",
    "diagnose_randomness",
    "unknown",
    "Diagnosis",
    "Explanation",
    "CATALOGUE",
    "known",
    "Mistake",
    "Layer",
    "Norm",
    "Probe",
    "Observation",
    "Comparison",
    "Distance",
    "STAGES",
    "Plan",
    "REFERENCE",
    "Evaluator",
]
