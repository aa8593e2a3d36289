"""Real processes, really killed: what is left is whole, and going on gives the same bytes."""

import os
import random
import signal
import time

import pytest
import support.texts.cheap_run as cheap_run
from support.processes.killing import assert_eventually, contents, session, shards, starting
from support.texts.cheap_run import manifest, run

from inspector.runs import RunFolder

SHARDS = 40
pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    run(path, manifest(SHARDS))
    return contents(path)


@pytest.fixture
def start():
    """Start the run, every shard with a pause, in a process of its own."""
    with starting() as begin:
        yield lambda path, *options, pause=0.03: begin(
            cheap_run.__file__, path, "--shards", SHARDS, "--pause", pause, *options
        )


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.full)])
def test_killed_again_and_again_it_gives_the_same_bytes(tmp_path, start, undisturbed, workers):
    path, draw = tmp_path / "run", random.Random(workers)
    for _ in range(5):
        before = shards(path)
        process = start(path, "--resume", "--workers", workers, pause=0.05 * workers)
        assert_eventually(lambda before=before: shards(path) > before)
        time.sleep(draw.random() * 0.12)
        assert process.poll() is None
        process.kill()
        process.wait()
        assert_eventually(lambda process=process: not session(process))  # no orphan goes on
        assert (path / "lock").exists()
        folder = RunFolder.open(path)
        assert shards(path) == len(folder.valid_shards()) < SHARDS
    last = start(path, "--resume", "--workers", workers, pause=0)
    assert last.communicate()[1] == ""
    assert last.returncode == 0
    assert contents(path) == undisturbed


def test_workers_of_a_killed_run_do_not_finish_what_nobody_waits_for(tmp_path, start):
    process = start(tmp_path / "run", "--workers", 2, pause=3600)
    assert_eventually(lambda: len(session(process)) == 4)  # one is multiprocessing's own tracker
    time.sleep(1)  # now they are at their shards
    process.kill()
    process.wait()
    assert_eventually(lambda: not session(process))


@pytest.mark.parametrize(
    ("workers", "name", "at"),
    [
        (1, "SIGINT", 4),
        (2, "SIGTERM", 4),
        *(
            pytest.param(*more, marks=pytest.mark.full)
            for more in [(2, "SIGINT", 4), (2, "SIGINT", 0), (1, "SIGTERM", 0)]
        ),
    ],
)
def test_interrupted_it_stops_quietly_and_leaves_no_lock(
    tmp_path, start, undisturbed, workers, name, at
):
    path = tmp_path / "run"
    process = start(path, "--workers", workers)
    assert_eventually(lambda: shards(path) >= at and (path / "manifest.json").exists())
    if name == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends Ctrl-C: to all of them
    else:
        process.terminate()
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 130
    assert_eventually(lambda: not session(process))
    assert not (path / "lock").exists()
    run(path, manifest(SHARDS), resume=True)
    assert contents(path) == undisturbed


def test_a_second_writer_is_told_who_the_first_is(tmp_path, start, undisturbed):
    path = tmp_path / "run"
    first = start(path, pause=1)
    assert_eventually(lambda: shards(path) > 0)
    others = [start(path, *options) for options in ([], ["--resume"], ["--batch-size", 9])]
    for other in others:
        assert other.communicate()[1] == (
            f"folder ({path}) is being written to by process {first.pid}: "
            "wait for it, or choose another folder.\n"
        )
        assert other.returncode == 4
    assert first.poll() is None
    first.terminate()
    assert first.wait() == 130
    assert contents(path).items() <= undisturbed.items()
