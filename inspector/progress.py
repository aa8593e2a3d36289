"""How a long computation says how far it is."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, in [0, 1]."""
