"""A real profile in a real process, killed at any moment: resumed, it gives the same bytes.

Run as a program it is that process.
"""

import argparse
import random
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.processes.killing import assert_eventually, contents, shards, starting

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.models import load
from inspector.runs import Engine, RunFolder, RunTarget
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

SETTINGS = ProfileSettings(shard_size=4, batch_size=2, ablation=False)
# The model: 16 shards of sentences, 3 of windows; each random one: 16, and a window shard.
N_SHARDS = 16 + 3 + 3 * (16 + 1)
pytestmark = pytest.mark.process


def profile(model, folder, workers=1, resume=False):
    read = read_conllu(sample_files())
    return profile_corpus(
        load(str(model)),
        replace(read, sentences=read.sentences[:64]),
        RunTarget(folder, resume=resume),
        settings=SETTINGS,
        engine=Engine(workers=workers),
    )


@pytest.fixture(scope="module")
def undisturbed(tiny_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    run = profile(tiny_folder(), folder)
    assert run.manifest.n_shards == N_SHARDS
    return contents(folder)


@pytest.fixture
def start(tiny_folder):
    with starting() as begin:
        yield lambda folder, workers: begin(__file__, tiny_folder(), folder, "--workers", workers)


def test_killed_it_gives_the_same_bytes(tmp_path, start, undisturbed, tiny_folder):
    folder, draw = tmp_path / "run", random.Random()
    process = start(folder, 2)
    wanted = draw.randrange(1, N_SHARDS - 24)
    assert_eventually(lambda: shards(folder) >= wanted or process.poll() is not None, 120)
    time.sleep(draw.random() * 0.02)
    process.kill()
    process.wait()
    kept = RunFolder.open(folder)
    assert 0 < len(kept.valid_shards()) < N_SHARDS
    assert not kept.is_complete
    profile(tiny_folder(), folder, resume=True)
    assert contents(folder) == undisturbed


@pytest.mark.full
def test_killed_forty_times_at_any_moment_it_gives_the_same_bytes(
    tmp_path, start, undisturbed, tiny_folder
):
    """Not only between shards: while it is imported, loads, reads, adds up, writes and finishes."""
    seed = random.randrange(10**9)
    draw, folder, kills, whole = random.Random(seed), tmp_path / "run", 0, 30.0
    while kills < 40:
        began = time.monotonic()
        process = start(folder, draw.choice([1, 2]))
        try:
            error = process.communicate(timeout=draw.random() * whole)[1]
            assert (process.returncode, error) == (0, ""), seed
            assert contents(folder) == undisturbed, seed
            whole = 1.1 * (time.monotonic() - began)  # so that few come to their end
            shutil.rmtree(folder)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    profile(tiny_folder(), folder, resume=True)
    assert contents(folder) == undisturbed, seed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    profile(given.model, given.folder, given.workers, resume=True)


if __name__ == "__main__":
    main()
