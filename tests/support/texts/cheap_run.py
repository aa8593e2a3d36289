"""A run that computes cheap figures, as a process of its own that tests may kill.

The figures depend on the shard's id alone; a worker may be told to be slow, to raise or to die.
"""

import argparse
import functools
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from inspector.errors import InputError, InspectorError
from inspector.runs import Engine, Manifest, RunFolder, RunTarget, ShardResult, compute

IDS = [5, 0, 3, 8, 1]
SIZE = 200


def figures(shard_id, size=SIZE):
    draw = np.random.default_rng(shard_id)
    return ShardResult(
        {
            "counts": draw.integers(0, 9, (size, 3), dtype=np.int64),
            "sums": draw.normal(size=(2, size)).sum(1),
            "found": np.array(shard_id % 2 == 0),
        },
        {"documents": [f"d{shard_id}", f"é{shard_id}"]},
    )


def make_worker(*, pause=0.0, size=SIZE, log=None, mishaps=None):
    """Return a worker. Mishaps: shard → "die", "die once", "exit", "refuse", "bug"."""

    def work(shard_id):
        if log is not None:
            with Path(log).open("a") as file:
                file.write(f"{shard_id}\n")
        mishap = (mishaps or {}).get(shard_id)
        times = 0 if log is None else Path(log).read_text().split().count(str(shard_id))
        if mishap == "die" or (mishap == "die once" and times == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if mishap == "exit":
            os._exit(7)
        if mishap == "refuse":
            raise InputError(f"shard {shard_id} is refused: choose another.")
        if mishap == "bug":
            raise ZeroDivisionError("a bug")
        time.sleep(pause)
        return figures(shard_id, size)

    return work


def die_at_birth():
    os._exit(3)


def visible_gpus():
    """Return a worker that says which GPUs it was given."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return lambda shard_id: ShardResult({}, {"gpus": [given]})


def computed(log):
    """Return the shards in a log of `make_worker`, each as often as it was begun."""
    return sorted(map(int, Path(log).read_text().split()))


def assert_right(results):
    """Every one of `IDS` is there, once, with its own figures."""
    assert sorted(shard_id for shard_id, _ in results) == sorted(IDS)
    for shard_id, result in results:
        expected = figures(shard_id)
        assert result.labels == expected.labels
        for name, array in expected.arrays.items():
            np.testing.assert_array_equal(result.arrays[name], array, strict=True)


def manifest(n_shards=12, **changed):
    given = {
        "model": "cheap",
        "model_files": {"model.safetensors": "1" * 64},
        "corpus": "numbers",
        "corpus_sha256": "2" * 64,
        "settings": {"labels": "full", "seeds": [1, 2]},
        "versions": {"numpy": np.__version__},
        "shard_size": 32,
        "batch_size": 8,
        "n_shards": n_shards,
    }
    return Manifest(**{**given, **changed})


def run(path, asked, *, workers=1, engine="local", resume=False, force=False, **worker):
    import pandas as pd

    with RunFolder.create(RunTarget(path, resume=resume, force=force), asked) as folder:
        make = functools.partial(make_worker, **worker)
        results = compute(folder, range(asked.n_shards), make, Engine(engine, workers=workers))
        total = np.zeros(2)
        for result in results:
            total += result.arrays["sums"]
        documents = [name for result in results for name in result.labels["documents"]]
        folder.write_frame("sums", pd.DataFrame({"sum": total}))
        folder.write_frame("documents", pd.DataFrame({"document": documents}))
        folder.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--shards", type=int, default=12)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--engine", default="local")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    try:
        asked = manifest(given.shards, batch_size=given.batch_size)
        run(
            given.path,
            asked,
            workers=given.workers,
            engine=given.engine,
            resume=given.resume,
            pause=given.pause,
        )
    except InspectorError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    import cheap_run  # workers look its functions up by a name that can be imported

    cheap_run.main()
