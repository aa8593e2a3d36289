"""Frames → Altair charts, the same for the dashboard and for notebooks.

No chart sets a background or the colour of text outside its own marks, so that each follows the
page's theme. Every chart has a description, which is its accessible name.
Must not know: how a number came to be; Streamlit.
"""

from inspector.views.charts.ablation import robustness_curve
from inspector.views.charts.curves import cost_curve, eigenvalue_plane, spectrum
from inspector.views.charts.errors import error_grid
from inspector.views.charts.forest import claims_forest
from inspector.views.charts.heads import attention_matrix, head_grid
from inspector.views.charts.roles import role_grid

__all__ = [
    "head_grid",
    "attention_matrix",
    "error_grid",
    "spectrum",
    "eigenvalue_plane",
    "cost_curve",
    "role_grid",
    "claims_forest",
    "robustness_curve",
]
