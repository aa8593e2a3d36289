"""A run: its folder, its shards, and where they are computed. Resumed, it gives the same bytes.

Must not know: UI.
"""

from inspector.progress import Progress
from inspector.runs.engines.engine import Engine, Worker, WorkerError, compute, run_shards
from inspector.runs.store.folder_checks import RunTarget
from inspector.runs.store.manifest import Manifest, differences
from inspector.runs.store.run_folder import RunFolder
from inspector.runs.store.shards import ShardResult

__all__ = [
    "Engine",
    "Manifest",
    "RunFolder",
    "RunTarget",
    "ShardResult",
    "Worker",
    "Progress",
    "WorkerError",
    "compute",
    "differences",
    "run_shards",
]
