"""Where shards are computed: in this process, in processes of this machine, or on a Ray cluster.

The one seam for all of them. Shard ids go in, (id, result) come out as each is done; what a shard
gives must depend on its id alone. A worker that dies is replaced and its shard given out again.
"""

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from inspector.arguments import shown
from inspector.errors import InputError, extra, no_memory
from inspector.progress import Progress
from inspector.runs.engines.pool import Results, Worker, WorkerError, out_of_memory
from inspector.runs.engines.processes import in_processes
from inspector.runs.store.run_folder import RunFolder
from inspector.runs.store.shards import ShardResult

ENGINES = ("local", "ray")
LEAST_PROCESSES = 4
"""As many as may be asked for on a machine of few cores."""
OLDEST_RAY = (2, 60)
"""From here on a cluster that Ray starts by itself asks for a token."""

__all__ = [
    "ENGINES",
    "OLDEST_RAY",
    "Engine",
    "Worker",
    "WorkerError",
    "compute",
    "run_shards",
]


@dataclass(frozen=True)
class Engine:
    """Where shards are computed, and by how many; what they give is the same.

    Raises:
        InputError: If the engine is not known or not installed, or there is less than one worker.

    Example:
        >>> Engine(workers=2).here, Engine().here
        (False, True)
    """

    name: str = "local"
    """'local', this machine; or 'ray', see `inspector.runs.engines.ray_cluster`."""
    workers: int = 1
    """Processes, at most: never more than shards nor, by 'local', than cores (four where there are
    fewer); 1, by 'local', is this process."""
    gpus: int = 0
    """How many of them each worker is given, by an engine that hands them out."""

    def __post_init__(self) -> None:
        """Refuse what cannot compute."""
        if self.name not in ENGINES:
            raise InputError(
                f"engine ({shown(self.name)}) must be one of these. "
                f"Available: {', '.join(ENGINES)}."
            )
        if self.workers < 1:
            raise InputError(
                f"workers ({shown(self.workers)}) must be at least 1: 1 computes in this process."
            )
        if self.name == "ray":
            _check_ray()

    @property
    def here(self) -> bool:
        """Return whether this process itself computes."""
        return self.name == "local" and self.workers == 1


HERE = Engine()
"""This process."""


def run_shards(
    shard_ids: Sequence[int],
    make_worker: Callable[[], Worker],
    engine: Engine = HERE,
) -> Results:
    """Return an iterator of (shard id, result), as each is done. Close it to stop early.

    Args:
        shard_ids: What to compute.
        make_worker: Called once in every process that computes; returns the function from shard
            id to result. Unless it is called in this process it is pickled, so it must be a
            function or class of a module that can be imported, or a `functools.partial` of one.
            It must fix whatever else the result depends on, such as the number of torch threads.
        engine: Where, and by how many.

    Raises:
        InspectorError: What a worker raised, as it raised it.
        WorkerError: If a shard ended three worker processes, or the cluster cannot be used.
        RuntimeError: If a worker process raised anything else; its traceback is in the notes.

    Example:
        >>> import numpy as np
        >>> from inspector.runs import ShardResult
        >>> def make_worker():
        ...     return lambda shard_id: ShardResult({"square": np.array(shard_id**2)})
        >>> [(i, int(result.arrays["square"])) for i, result in run_shards([2, 3], make_worker)]
        [(2, 4), (3, 9)]
    """
    capped = min(engine.workers, max(len(shard_ids), 1))
    if engine.name == "ray":
        from inspector.runs.engines.ray_cluster import on_ray

        return on_ray(shard_ids, make_worker, capped, engine.gpus)
    if engine.here:
        return _in_this_process(shard_ids, make_worker)
    most = max(LEAST_PROCESSES, os.cpu_count() or 1)
    return in_processes(shard_ids, make_worker, min(capped, most))


def compute(
    folder: RunFolder,
    shard_ids: Sequence[int],
    make_worker: Callable[[], Worker],
    engine: Engine = HERE,
    progress: Progress | None = None,
    *,
    fits: Callable[[int, ShardResult], bool] | None = None,
    packed: Callable[[ShardResult], ShardResult] = lambda result: result,
    costs: Sequence[float] = (),
) -> list[ShardResult]:
    """Return what each shard gave, in the order of `shard_ids`, read back from the folder.

    Shards that are there and whole are not computed again; every other is written as it comes.

    Args:
        folder: A run to write to.
        shard_ids: The shards that are wanted.
        make_worker: As `run_shards` takes it. Not called when nothing is missing.
        engine: As `run_shards` takes it.
        progress: Called with what is being done, rate and time left in it, and the share done.
        fits: Says of a shard that is there whether it can be what a worker gives; one that cannot
            is computed again, however well sealed.
        packed: Makes of each that is read back what is kept of it in memory.
        costs: How long each shard takes, in any unit: the share done and the time left are of them.

    Raises:
        OutputError: If a shard cannot be written or read back.
        InspectorError: Whatever a worker raises; `WorkerError` if a shard ends its processes.
    """
    show = progress or (lambda what, share: None)
    valid = set(folder.valid_shards(fits))
    missing = [shard_id for shard_id in shard_ids if shard_id not in valid]
    total, kept, started = len(shard_ids), len(shard_ids) - len(missing), time.monotonic()
    cost = dict(zip(shard_ids, costs or [1.0] * total, strict=True))
    whole = max(sum(cost.values()), 1e-9)
    share = first = 1 - sum(cost[shard_id] for shard_id in missing) / whole
    show(f"Shards {kept} of {total}", share)
    with closing(run_shards(missing, make_worker, engine)) as results:
        for computed, (shard_id, result) in enumerate(results, start=1):
            folder.write_shard(shard_id, result)
            passed = max(time.monotonic() - started, 1e-9)
            share += cost[shard_id] / whole
            left = _duration(passed * max(1 - share, 0.0) / max(share - first, 1e-9))
            done = kept + computed
            said = f"Shards {done} of {total}, {_speed(computed / passed)}, {left} left"
            show(said, min(share, 1.0) if done < total else 1.0)
            give_back_memory()
    return [packed(folder.read_shard(shard_id)) for shard_id in shard_ids]


def give_back_memory() -> None:
    """Give the system what is free of this process's memory, where the C library can.

    A pass over a model leaves gaps, in which what comes after it finds no place: shard by shard
    they would add up.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _in_this_process(shard_ids: Sequence[int], make_worker: Callable[[], Worker]) -> Results:
    if shard_ids:
        worker = make_worker()
        for shard_id in shard_ids:
            try:
                result = worker(shard_id)
            except (MemoryError, RuntimeError, OSError) as error:
                if no_memory(error):
                    raise out_of_memory(shard_id) from error
                raise
            yield shard_id, result


def _check_ray() -> None:
    oldest = ".".join(map(str, OLDEST_RAY))
    try:
        found = version("ray")
    except PackageNotFoundError:
        found = "none"
    parts = [int(part) for part in found.split(".")[:2] if part.isdigit()]
    if tuple(parts) < OLDEST_RAY:
        raise InputError(
            f"engine (ray) needs ray {oldest} or newer, and {found} is installed: "
            f"{extra('ray')}, or choose another. Available: local."
        )


def _speed(per_second: float) -> str:
    slow = per_second < 1
    return f"{1 / per_second:.1f} s each" if slow else f"{per_second:.1f} a second"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
