"""A run's shards from begin to end: what is missing is computed and written, then all is read back.

What is returned comes from the disk, so a run that was interrupted gives what one that was not
gives.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from inspector.progress import Progress
from inspector.runs.engines.engine import Worker, run_shards
from inspector.runs.store.run_folder import RunFolder
from inspector.runs.store.shards import ShardResult


def compute(
    folder: RunFolder,
    shard_ids: Sequence[int],
    make_worker: Callable[[], Worker],
    workers: int = 1,
    progress: Progress | None = None,
    *,
    engine: str = "local",
    gpus: int = 0,
    fits: Callable[[int, ShardResult], bool] | None = None,
) -> list[ShardResult]:
    """Return what each shard gave, in the order of `shard_ids`, read back from the folder.

    Shards that are there and whole are not computed again; every other is written as it comes.

    Args:
        folder: A run to write to.
        shard_ids: The shards that are wanted.
        make_worker: As `run_shards` takes it. Not called when nothing is missing.
        workers: As `run_shards` takes it.
        progress: Called with what is being done, rate and time left in it, and the share done.
        engine: As `run_shards` takes it.
        gpus: As `run_shards` takes it.
        fits: Says of a shard that is there whether it can be what a worker gives; one that cannot
            is computed again, however well sealed.

    Raises:
        OutputError: If a shard cannot be written or read back.
        InspectorError: Whatever a worker raises; `WorkerError` if a shard ends its processes.
    """
    show = progress or (lambda what, share: None)
    valid = set(folder.valid_shards(fits))
    missing = [shard_id for shard_id in shard_ids if shard_id not in valid]
    total, kept, started = len(shard_ids), len(shard_ids) - len(missing), time.monotonic()
    show(f"Shards {kept} of {total}", kept / max(total, 1))
    running = run_shards(missing, make_worker, workers=workers, engine=engine, gpus=gpus)
    with closing(running) as results:
        for computed, (shard_id, result) in enumerate(results, start=1):
            folder.write_shard(shard_id, result)
            rate = computed / max(time.monotonic() - started, 1e-9)
            left = _duration((len(missing) - computed) / rate)
            done = kept + computed
            show(f"Shards {done} of {total}, {_speed(rate)}, {left} left", done / total)
    return [folder.read_shard(shard_id) for shard_id in shard_ids]


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
