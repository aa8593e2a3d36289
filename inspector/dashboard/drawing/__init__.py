"""Attention as a guided drawing: the steps of a head or a layer, each with its whole matrices.

Must not know: how a number is computed, beyond which operands it is computed of.
"""

from inspector.dashboard.drawing.components import draw, pictures, step_chooser
from inspector.dashboard.drawing.head_drawing import head_drawing
from inspector.dashboard.drawing.layer_drawing import layer_drawing
from inspector.dashboard.drawing.panes import Pane, Step

__all__ = ["Pane", "Step", "draw", "head_drawing", "layer_drawing", "pictures", "step_chooser"]
