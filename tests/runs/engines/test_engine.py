"""That shards come back whoever computes them: here, in processes, in ones that die or refuse."""

import functools
import os
import signal
import sys
import time
from contextlib import closing, nullcontext
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from support.texts.cheap_run import IDS, assert_right, computed, die_at_birth, figures, make_worker

from inspector.errors import InputError
from inspector.runs import Engine, WorkerError, run_shards
from inspector.runs.engines import engine, processes
from inspector.runs.engines.processes import _interrupts_held


def children():
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(scope="module")
def _tracker():
    """Have multiprocessing's own tracker of processes, which stays, started."""
    list(run_shards([0, 1], make_worker, Engine(workers=2)))


@pytest.fixture(autouse=True)
def _no_process_is_left(_tracker):
    before = children()
    yield
    assert children() <= before


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


@pytest.mark.parametrize("workers", [1, 2, 3, 9])
def test_every_shard_comes_once_and_right(log, workers):
    make = functools.partial(make_worker, log=log)
    assert_right(list(run_shards(IDS, make, Engine(workers=workers))))
    assert computed(log) == sorted(IDS)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Be a script that must not be run twice, as one of Streamlit's pages is."""
    main = ModuleType("__main__")
    main.__file__ = str(tmp_path / "script.py")
    Path(main.__file__).write_text("raise SystemExit('the script ran again')\n")
    monkeypatch.setitem(sys.modules, "__main__", main)
    return main


def test_workers_do_not_run_the_script_that_started_them(script):
    assert_right(list(run_shards(IDS, make_worker, Engine(workers=2))))
    assert sys.modules["__main__"] is script


def test_control_multiprocessing_would_have_run_it(script, monkeypatch, capfd):
    monkeypatch.setattr(processes, "_script_not_run_again", nullcontext)
    with pytest.raises(WorkerError, match="ended its worker process 3 times"):
        list(run_shards(IDS, make_worker, Engine(workers=2)))
    assert "the script ran again" in capfd.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_to_do_makes_no_worker(workers):
    assert list(run_shards([], die_at_birth, Engine(workers=workers))) == []


def test_one_worker_works_in_this_process_and_two_do_not():
    made = []

    def make():
        made.append(os.getpid())
        return make_worker()

    assert_right(list(run_shards(IDS, make)))
    assert made == [os.getpid()]
    with pytest.raises((AttributeError, TypeError)):  # a local function cannot be pickled
        list(run_shards(IDS, make, Engine(workers=2)))


def test_workers_must_be_positive():
    with pytest.raises(InputError) as caught:
        Engine(workers=0)
    assert str(caught.value) == "workers (0) must be at least 1: 1 computes in this process."


@pytest.mark.parametrize(("cores", "most"), [(1, 4), (None, 4), (4, 4), (16, 16)])
def test_however_many_workers_there_are_no_more_than_shards_and_cores(monkeypatch, cores, most):
    asked = []
    monkeypatch.setattr(engine.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(engine, "in_processes", lambda ids, make, workers: asked.append(workers))
    run_shards(range(100), make_worker, Engine(workers=10**9))
    run_shards(range(2), make_worker, Engine(workers=10**9))
    assert asked == [most, 2]


def test_an_engine_must_be_known():
    with pytest.raises(InputError) as caught:
        Engine("cloud")
    assert str(caught.value) == ("engine (cloud) must be one of these. Available: local, ray.")


@pytest.mark.parametrize("found", ["none", "2.9.3", "2.59.1", "1.100"])
def test_ray_must_be_installed_and_not_too_old(monkeypatch, found):
    def version(name):
        if found == "none":
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(engine, "version", version)
    with pytest.raises(InputError) as caught:
        Engine("ray")
    assert str(caught.value) == (
        f"engine (ray) needs ray 2.60 or newer, and {found} is installed: install inspector's "
        "extra 'ray' (pip install 'attention-inspector[ray]'), or choose another. Available: local."
    )


@pytest.mark.parametrize("found", ["2.60.0", "2.100", "3.0.0rc1"])
def test_control_a_newer_ray_will_do(monkeypatch, found):
    monkeypatch.setattr(engine, "version", lambda name: found)
    Engine("ray")


def test_a_worker_that_dies_is_replaced_and_only_its_shard_computed_again(log):
    make = functools.partial(make_worker, log=log, mishaps={3: "die once"})
    assert_right(list(run_shards(IDS, make, Engine(workers=2))))
    assert computed(log) == sorted([*IDS, 3])


def test_a_worker_that_is_killed_from_outside_is_replaced(log):
    make = functools.partial(make_worker, log=log, pause=0.2)
    before, results = children(), []
    with closing(run_shards(IDS, make, Engine(workers=2))) as running:
        results.append(next(running))
        for pid in children() - before:
            os.kill(int(pid), signal.SIGKILL)
        results += running
    assert_right(results)


@pytest.mark.parametrize(("mishap", "how"), [("die", "SIGKILL"), ("exit", "exit code 7")])
def test_a_shard_that_ends_every_worker_is_named(log, mishap, how):
    make = functools.partial(make_worker, log=log, mishaps={8: mishap})
    with pytest.raises(WorkerError) as caught:
        list(run_shards([8, 0, 3], make, Engine(workers=2)))
    assert str(caught.value) == (
        f"shard (8) ended its worker process 3 times ({how}): the machine may be short of memory. "
        "Run the command again with --resume and fewer --workers; finished shards are kept."
    )
    assert caught.value.exit_code == 3
    assert computed(log).count(8) == 3


def test_a_worker_that_dies_before_it_is_made():
    with pytest.raises(WorkerError, match=r"shard \(0\) ended .* 3 times \(exit code 3\)"):
        list(run_shards([0], die_at_birth, Engine(workers=2)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sentence_for_users_comes_through_as_it_is(log, workers):
    make = functools.partial(make_worker, log=log, mishaps={3: "refuse"})
    with pytest.raises(InputError) as caught:
        list(run_shards(IDS, make, Engine(workers=workers)))
    assert str(caught.value) == "shard 3 is refused: choose another."
    assert computed(log).count(3) == 1  # a refusal is not tried again


def test_a_bug_comes_with_its_traceback():
    make = functools.partial(make_worker, mishaps={3: "bug"})
    with pytest.raises(RuntimeError) as caught:
        list(run_shards(IDS, make, Engine(workers=2)))
    assert str(caught.value) == "shard (3) failed in a worker: ZeroDivisionError: a bug"
    assert 'raise ZeroDivisionError("a bug")' in "".join(caught.value.__notes__)


def test_results_larger_than_a_pipe_come_whole():
    make = functools.partial(make_worker, size=100_000)
    for shard_id, result in run_shards([1, 2], make, Engine(workers=2)):
        np.testing.assert_array_equal(
            result.arrays["counts"], figures(shard_id, 100_000).arrays["counts"]
        )


def test_who_stops_early_does_not_wait():
    make = functools.partial(make_worker, pause=0.1)
    with closing(run_shards(range(1000), make, Engine(workers=2))) as running:
        next(running)
        start = time.monotonic()
    assert time.monotonic() - start < 20  # all of them would take 50


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_process_is_started_comes_after(number):
    before, reached = signal.signal(number, signal.default_int_handler), []

    def start():
        with _interrupts_held():
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            reached.append(number)

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
        assert reached == [number]
        assert signal.getsignal(number) == signal.default_int_handler
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signal.signal(number, before)
