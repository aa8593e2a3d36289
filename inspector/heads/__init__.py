"""What is measured on heads. So far: what their weights say.

Must not know: files, engines, any user interface.
"""

from inspector.heads.thin import ThinProduct
from inspector.heads.weights import (
    WEIGHTS_COLUMNS,
    eigenvalues,
    singular_values,
    weight_statistics,
)

__all__ = [
    "weight_statistics",
    "WEIGHTS_COLUMNS",
    "singular_values",
    "eigenvalues",
    "ThinProduct",
]
