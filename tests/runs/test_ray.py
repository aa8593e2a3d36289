"""That Ray gives what this machine gives: the same bytes, also when its workers die or refuse.

Most tests join one cluster; a few let inspector start its own, and look at what is left of it.
"""

import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
import support.processes.ray_head as ray_head
import support.texts.cheap_run as cheap_run
from support.processes.killing import assert_eventually, contents, session, shards, starting
from support.texts.cheap_run import (
    IDS,
    assert_right,
    computed,
    die_at_birth,
    figures,
    make_worker,
    manifest,
    run,
    visible_gpus,
)

from inspector.errors import InputError
from inspector.runs import Engine, WorkerError, run_shards
from inspector.runs.engines import ray_cluster

SHARDS = 12
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        find_spec("ray") is None, reason="ray, of the extra 'ray', is not installed"
    ),
]


@pytest.fixture(scope="module")
def address():
    """Give the address of a cluster that only this machine reaches."""
    setting = {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "0123456789abcdef" * 2,
    }
    head = subprocess.Popen(
        [sys.executable, ray_head.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, **setting, "PYTHONPATH": str(Path(cheap_run.__file__).parents[2])},
    )
    with head, pytest.MonkeyPatch.context() as patch:
        found = head.stdout.readline().strip()
        for name, value in {**setting, "RAY_ADDRESS": found}.items():
            patch.setenv(name, value)
        yield found
        head.stdin.close()
        assert head.wait(60) == 0
        assert_eventually(lambda: not session(head))


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


def on_ray(shard_ids, make, **given):
    return run_shards(shard_ids, make, Engine("ray", **given))


def test_every_shard_comes_once_and_right(address, log, capfd):
    make = functools.partial(make_worker, log=log)
    assert_right(list(on_ray(IDS, make, workers=4)))  # the cluster has two cores
    assert computed(log) == sorted(IDS)
    assert capfd.readouterr() == ("", "")


def test_nothing_to_do_starts_nothing(monkeypatch):
    monkeypatch.setattr(ray_cluster, "start_process", None)
    assert list(on_ray([], die_at_birth)) == []


def test_workers_that_die_are_replaced_and_only_their_shards_computed_again(address, log, capfd):
    mishaps = {3: "die once", 5: "die once"}
    assert_right(list(on_ray(IDS, functools.partial(make_worker, log=log, mishaps=mishaps))))
    assert computed(log) == sorted([*IDS, 3, 5])
    assert capfd.readouterr() == ("", "")


@pytest.mark.full
def test_a_shard_that_ends_every_worker_is_named(address, log):
    make = functools.partial(make_worker, log=log, mishaps={8: "exit"})
    with pytest.raises(WorkerError) as caught:
        list(on_ray([8, 0, 3], make, workers=2))
    assert str(caught.value) == (
        "shard (8) ended its worker process 3 times (The actor is dead because its worker process "
        "has died): the machine may be short of memory. "
        "Run the command again with --resume and fewer --workers; finished shards are kept."
    )
    assert computed(log).count(8) == 3


def test_a_sentence_for_users_comes_through_as_it_is(address, log):
    make = functools.partial(make_worker, log=log, mishaps={3: "refuse"})
    with pytest.raises(InputError) as caught:
        list(on_ray(IDS, make))
    assert str(caught.value) == "shard 3 is refused: choose another."
    assert computed(log).count(3) == 1


def test_a_bug_comes_with_its_traceback(address):
    with pytest.raises(RuntimeError) as caught:
        list(on_ray(IDS, functools.partial(make_worker, mishaps={3: "bug"})))
    assert str(caught.value) == "shard (3) failed in a worker: ZeroDivisionError: a bug"
    assert 'raise ZeroDivisionError("a bug")' in "".join(caught.value.__notes__)


@pytest.mark.full
def test_who_stops_early_does_not_wait_and_large_results_outlive_the_cluster(address):
    make = functools.partial(make_worker, size=100_000, pause=0.1)
    with closing(on_ray(range(1000), make)) as running:
        shard_id, result = next(running)
        start = time.monotonic()
    assert time.monotonic() - start < 30  # all of them would take 100
    assert (result.arrays["counts"] == figures(shard_id, 100_000).arrays["counts"]).all()


def test_a_worker_is_given_the_gpus_it_needs(address):
    ((_, result),) = on_ray([0], visible_gpus, gpus=1)
    assert result.labels == {"gpus": ["0"]}


def test_a_cluster_with_too_few_gpus_is_refused(address):
    with pytest.raises(InputError, match=r"which has 1 GPU\(s\), and each worker needs 2: start"):
        list(on_ray([0], visible_gpus, gpus=2))


def test_a_cluster_that_does_not_answer(address, monkeypatch, capfd):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(ray_cluster, "_JOIN_SECONDS", 4.0)
    with pytest.raises(InputError) as caught:
        list(on_ray([0], make_worker))
    assert str(caught.value) == (
        "RAY_ADDRESS (127.0.0.1:1) must name a cluster of Ray that can be used, it does not "
        "answer: start it, or unset RAY_ADDRESS to have one started on this machine."
    )
    assert capfd.readouterr() == ("", "")


def test_a_profile_has_the_same_bytes(address, command, tiny_folder, tmp_path, monkeypatch):
    from inspector.corpora.default import sample_files

    sentences = sample_files()[0].read_text(encoding="utf-8").split("\n\n")[:8]
    corpus = tmp_path / "few.conllu"
    corpus.write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    monkeypatch.chdir(tiny_folder().parent)  # the worker stands elsewhere, and finds the model
    given = ("profile", tiny_folder().name, "--corpus", corpus, "--no-ablation")
    local = command(*given, "-o", tmp_path / "local")
    there = command(*given, "-o", tmp_path / "ray", "--engine", "ray", "--json")
    assert (local.code, there.code) == (0, 0), there.err
    assert there.out.startswith("{")
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    run(path, manifest(SHARDS))
    return contents(path)


@pytest.fixture
def start():
    """Start a run on a cluster of its own, in a process of its own; nothing of it is left."""
    with tempfile.TemporaryDirectory() as own, starting() as begin:
        folders, started = {"HOME": own, "TMPDIR": own, "RAY_ADDRESS": "local"}, []

        def start(path, *options):
            words = (path, "--shards", SHARDS, "--workers", 2, *options)
            started.append(begin(cheap_run.__file__, *words, **folders))
            return started[-1]

        yield start
        assert_eventually(lambda: not any(map(session, started)))
        assert list(Path(own).iterdir()) == []  # no token, no log


def actors(process):
    """Return the worker processes of Ray in a session."""
    return [pid for pid in session(process) if b"ray::_Cell" in command_line(pid)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def listening(pids):
    """Return the addresses, in hexadecimal digits, at which processes wait for connections."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(link.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].partition(":")[0])
    return found


@pytest.mark.full
def test_begun_here_and_finished_by_ray_whose_workers_are_killed(tmp_path, start, undisturbed):
    path = tmp_path / "run"
    first = start(path, "--pause", 0.3)
    assert_eventually(lambda: shards(path) >= 3)
    first.terminate()
    assert first.wait() == 130
    kept = shards(path)
    assert 3 <= kept < SHARDS
    second = start(path, "--resume", "--engine", "ray", "--pause", 0.5)
    assert_eventually(lambda: shards(path) > kept or second.poll() is not None)
    assert listening(session(second)) == {"0100007F", "0000000000000000FFFF00000100007F"}
    for pid in actors(second):
        os.kill(pid, signal.SIGKILL)
    assert second.communicate(timeout=120)[1] == ""
    assert second.returncode == 0
    assert contents(path) == undisturbed


@pytest.mark.full
def test_interrupted_or_killed_nothing_of_ray_is_left_and_it_is_finished_here(
    tmp_path, start, undisturbed
):
    path = tmp_path / "run"
    process = start(path, "--engine", "ray", "--pause", 0.5)
    assert_eventually(lambda: shards(path) >= 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends Ctrl-C: to all of them
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 130
    assert not (path / "lock").exists()
    assert_eventually(lambda: not session(process), 10)
    kept = shards(path)
    process = start(path, "--resume", "--engine", "ray", "--pause", 0.5)
    assert_eventually(lambda: shards(path) > kept)
    process.kill()
    process.wait()
    assert_eventually(lambda: not session(process))
    run(path, manifest(SHARDS), resume=True)
    assert contents(path) == undisturbed
