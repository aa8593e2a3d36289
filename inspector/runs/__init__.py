"""A run: its folder, its shards, and where they are computed. Resumed, it gives the same bytes.

Must not know: UI.
"""

from inspector.runs.computation import Progress, compute
from inspector.runs.engine import Worker, WorkerError, run_shards
from inspector.runs.folder import RunFolder
from inspector.runs.manifest import Manifest, differences
from inspector.runs.place import check_run_folder
from inspector.runs.shards import ShardResult

__all__ = [
    "Manifest",
    "RunFolder",
    "ShardResult",
    "Worker",
    "Progress",
    "WorkerError",
    "check_run_folder",
    "compute",
    "differences",
    "run_shards",
]
