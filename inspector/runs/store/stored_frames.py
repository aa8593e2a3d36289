"""Frames of a run's folder: read from Parquet, and compared with what a frame of their name has."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from inspector.runs.store.result import DamageError

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(data: bytes) -> "pd.DataFrame":
    """Return the frame whose Parquet file these bytes are.

    Raises:
        DamageError: If they are none, or what pandas wrote beside the columns is damaged.
    """
    import pandas as pd
    from pyarrow import ArrowException

    try:
        frame = pd.read_parquet(BytesIO(data))
    # What pandas' own metadata hold is trusted by it: damaged, they raise whatever they hit.
    except (
        *(ArrowException, OSError, ValueError, TypeError, LookupError, AttributeError),
        *(NotImplementedError, RecursionError, MemoryError),
    ):
        raise DamageError("it is not Parquet") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise DamageError("its rows have names")
    return frame


def check_columns(frame: "pd.DataFrame", columns: Mapping[str, str]) -> None:
    """Pass if a frame has the columns, of their kinds and in their order.

    Args:
        frame: What was read.
        columns: Column → dtype.

    Raises:
        DamageError: If it has not.

    Example:
        >>> import pandas as pd
        >>> check_columns(pd.DataFrame({"layer": [0]}), {"layer": "int64"})
    """
    found = {str(name): str(kind) for name, kind in frame.dtypes.items()}
    if missing := [name for name in columns if name not in found]:
        raise DamageError(f"it lacks the column {missing[0]!r}")
    if further := [name for name in found if name not in columns]:
        raise DamageError(f"it has a column {further[0]!r:.80} that no such frame has")
    for name, kind in columns.items():
        if found[name] != kind:
            raise DamageError(f"its column {name!r} holds {found[name]:.80}, not {kind}")
    if list(found) != list(columns):
        raise DamageError("its columns stand in another order")
