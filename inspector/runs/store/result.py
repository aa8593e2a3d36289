"""result.json, written last: what a complete run holds, under a checksum of its own.

Frames by the SHA-256 of their files, shards by their seals. Its bytes follow from its content:
what differs in a single one is damaged. Frames are read from Parquet here, and compared with what
a frame of their name has.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FRAME_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHARD_NAME = re.compile(r"[0-9]{6,18}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DamageError(ValueError):
    """Why bytes are not the result of a run, or none of its frames, in a few words."""


@dataclass(frozen=True)
class Result:
    """What a complete run holds."""

    run_id: str
    frames: dict[str, str] = field(default_factory=dict)
    """Frame → SHA-256 of its file."""
    shards: dict[str, str] = field(default_factory=dict)
    """Shard, as its file is named → its seal."""
    vocabulary: dict[str, int] = field(default_factory=dict)
    """What was read, and what of it the model's vocabulary does not know; counts by name."""

    def encoded(self) -> bytes:
        """Return the bytes of result.json.

        Example:
            >>> decode_result(Result("a", {"claims": "0" * 64}).encoded()).frames["claims"][:3]
            '000'
        """
        document = asdict(self)
        checksum = hashlib.sha256(_text(document)).hexdigest()
        return _text({**document, "sha256": checksum})


def decode_result(data: bytes) -> Result:
    """Return the result whose bytes these are.

    Raises:
        DamageError: If a byte differs from what was written.
    """
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise DamageError("it is not JSON") from None
    names = {one.name for one in fields(Result)}
    if not isinstance(document, dict) or document.keys() != names | {"sha256"}:
        raise DamageError("it is not the list of frames and shards of a run")
    result = Result(**{name: document[name] for name in names})
    listed = ((result.frames, FRAME_NAME), (result.shards, _SHARD_NAME))
    counted = result.vocabulary
    if not (
        isinstance(result.run_id, str)
        and all(_lists(given, name) for given, name in listed)
        and isinstance(counted, dict)
        and all(type(count) is int and count >= 0 for count in counted.values())
    ):
        raise DamageError("it is not the list of frames and shards of a run")
    if data != result.encoded():
        raise DamageError("its checksum does not fit")
    return result


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


def _lists(given: Any, name: re.Pattern[str]) -> bool:
    return isinstance(given, dict) and all(
        name.fullmatch(key) and isinstance(value, str) and _SHA256.fullmatch(value)
        for key, value in given.items()
    )


def _text(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
