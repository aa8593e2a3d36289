"""Frames as plain data, and as the bytes of a file: CSV, Parquet, JSON.

No figure is rounded; what is not a finite number becomes null in JSON.
"""

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries that JSON can hold.

    Example:
        >>> import pandas as pd
        >>> records(pd.DataFrame({"layer": [0], "error": [float("nan")]}))
        [{'layer': 0, 'error': None}]
    """
    return [
        {
            str(name): None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


def json_text(document: Any) -> str:
    """Return plain data as JSON.

    Raises:
        ValueError: If a number in it is not finite.
    """
    return json.dumps(document, indent=1, allow_nan=False)


FRAME_WRITERS: dict[str, Callable[["pd.DataFrame"], bytes]] = {
    ".csv": lambda frame: frame.to_csv(index=False).encode(),
    ".parquet": lambda frame: bytes(frame.to_parquet(index=False)),
    ".json": lambda frame: (json_text(records(frame)) + "\n").encode(),
}
"""File suffix → the function that makes such a file of a frame."""
