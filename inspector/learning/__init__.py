"""A two-layer model of our own equations that learns a pattern while one watches.

Must not know: anything but torch.
"""

from inspector.learning.patterns import PATTERNS, Examples, draw
from inspector.learning.small_model import SmallModel
from inspector.learning.training import Snapshot, train

__all__ = ["PATTERNS", "Examples", "draw", "SmallModel", "Snapshot", "train"]
