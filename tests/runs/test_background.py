"""Runs that nobody waits for: what they are, how far they are, and what a folder of them holds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.each import each
from support.tiny.models import save_tiny_model

from inspector.corpora import default_corpus, write_conllu
from inspector.errors import InputError, OutputError
from inspector.runs.background import job as jobs
from inspector.runs.background import processes, worker
from inspector.runs.background.job import (
    Job,
    Status,
    folder_of,
    read_job,
    read_status,
    write_job,
    write_status,
)
from inspector.runs.background.shelf import runs_below
from inspector.runs.run import Run
from inspector.runs.store.lock import locked

SMALL = {"ablation": False, "random_init_sentences": 4, "shard_size": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a root with one complete run of ten sentences on a tiny model, and its job."""
    root = tmp_path_factory.mktemp("root")
    text = write_conllu(default_corpus().sentences[:10]).encode()
    model = save_tiny_model(tmp_path_factory.mktemp("model"), "bert")
    job = Job(str(model), "ten.conllu", (), "ten.conllu", "0" * 64, SMALL)
    folder = write_job(root, job, text)
    assert worker.main(folder) == 0
    return root, job


@pytest.fixture
def copied(made, tmp_path):
    """Return the same root, to be damaged, its run's folder and its job's."""
    root = tmp_path / "root"
    shutil.copytree(made[0], root)
    return root, root / made[1].name, folder_of(root, made[1].name)


def listed(root):
    (one,) = runs_below(root)
    return one


def test_a_job_makes_the_run_that_is_listed(made):
    root, job = made
    one = listed(root)
    assert (one.name, one.state, one.corpus, one.has_job) == (
        job.name, "complete", "ten.conllu", True,
    )  # fmt: skip
    assert read_status(folder_of(root, job.name)) == Status("done", share=1.0)
    counted = dict(Run.open(root / job.name).totals.itertuples(index=False, name=None))
    assert counted["sentences"] == 10


def test_what_was_stopped_is_gone_on_with(copied):
    root, run, folder = copied
    shards = sorted((run / "shards").iterdir())
    (run / "result.json").unlink()
    shards[-1].unlink()
    kept = {path: path.stat().st_mtime_ns for path in shards[:-1]}
    assert listed(root).state == "stopped"
    write_status(folder, Status("failed", sentence="no room."))
    assert (listed(root).state, listed(root).sentence) == ("failed", "no room.")
    assert worker.main(folder) == 0
    assert listed(root).state == "complete"
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@each(
    ("file", "said"),
    [
        ("claims.parquet", "claims.parquet) cannot be read, it was changed since"),
        ("result.json", "result.json) of the run is damaged"),
        ("manifest.json", "manifest.json) is not JSON"),
    ],
)
def test_what_is_damaged_is_said(copied, file, said):
    root, run, _ = copied
    (run / file).write_bytes(b"?" + (run / file).read_bytes()[1:])
    assert listed(root).state == "damaged"
    assert said in listed(root).sentence


def test_what_is_computed_is_known_by_its_lock(copied):
    root, run, folder = copied
    (run / "result.json").unlink()
    write_status(folder, Status(stage="Shards 1 of 4", share=0.25, begun=1.0))
    with locked(folder):
        assert listed(root).state == "running"
        assert listed(root).status.share == 0.25
        with pytest.raises(OutputError, match="being written to by this process"):
            worker.main(folder)
    assert listed(root).state == "stopped"
    # Of one that was started elsewhere only its shards tell how far it is.
    shutil.rmtree(folder)
    with locked(run):
        assert listed(root).state == "running"
        assert listed(root).status.share == 1.0


def test_a_folder_holds_what_is_no_run_too(copied, tmp_path):
    root, run, folder = copied
    (root / "notes").mkdir()
    (root / "notes" / "a.txt").write_text("a")
    (root / "away").symlink_to(run, target_is_directory=True)
    deep = root / "x" / "y"
    shutil.copytree(run, deep)
    assert [one.name for one in runs_below(root)].count(run.name) == 1
    assert {one.name for one in runs_below(root)} == {run.name, "x/y"}
    assert runs_below(tmp_path / "nowhere") == []
    for text in (b"{", b"[]", b'{"model": 1}', json.dumps({"text": "../../x"}).encode()):
        (folder / "job.json").write_bytes(text)
        with pytest.raises(OutputError, match="is damaged: start the run anew"):
            read_job(folder)
        assert not next(one for one in runs_below(root) if one.name == run.name).has_job


def test_a_name_says_what_is_computed_and_can_be_no_way_out():
    one = Job("minilm", "../../Ä b.conllu", text_sha256="0")
    assert one.name.startswith("b-")
    assert "/" not in Job("minilm", "../../etc/passwd").name
    assert Job("other", "../../Ä b.conllu", text_sha256="0").name != one.name
    assert Job("minilm", "x").name == Job("minilm", "x").name


def test_how_far_it_is_is_told_with_the_time_that_is_left(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(jobs.time, "time", lambda: now[0])
    tell = jobs.teller(tmp_path)
    tell("Shards 5 of 10", 0.5)  # it is gone on with
    assert read_status(tmp_path).seconds_left(100.0) is None
    now[0] = 110.0
    tell("Shards 7 of 10", 0.7)
    assert read_status(tmp_path).seconds_left(110.0) == pytest.approx(15.0)
    # Between two parts the time counts down; told again at the same share it does not begin anew.
    assert read_status(tmp_path).seconds_left(114.0) == pytest.approx(11.0)
    now[0] = 114.0
    tell("Shards 7 of 10", 0.7)
    assert read_status(tmp_path).seconds_left(114.0) == pytest.approx(11.0)
    assert read_status(tmp_path).seconds_left(500.0) == 1.0
    (tmp_path / "status.json").write_text("[")
    assert read_status(tmp_path) == Status()


def test_a_trouble_that_nobody_foresaw_is_told_and_logged(copied, monkeypatch):
    _, _, folder = copied

    def fail(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(worker, "compute", fail)
    with pytest.raises(ZeroDivisionError):
        worker.main(folder)
    assert read_status(folder).state == "failed"
    assert "that inspector did not foresee (ZeroDivisionError" in read_status(folder).sentence

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "compute", interrupted)
    assert worker.main(folder) == 130
    assert read_status(folder).state == "stopped"


class Asleep(subprocess.Popen):
    """A process that waits in the place of the one that would compute."""

    def __init__(self, command, **given):
        self.command, self.given = command, given
        super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], **given)


def test_a_process_is_started_once_and_stopped_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(processes.subprocess, "Popen", Asleep)
    one, other, third = (write_job(tmp_path, Job("minilm", name)) for name in ("a", "b", "c"))
    processes.start(one, 2)
    child = processes._CHILDREN[one]
    assert child.command[1:] == ["-P", "-m", "inspector.runs.background.worker", str(one)]
    assert child.given["env"]["PYTHONSAFEPATH"] == "1"
    processes.start(one, 2)
    processes.start(other, 2)
    assert processes._CHILDREN[one] is child
    with pytest.raises(InputError, match=r"as many as may be at once \(2\): wait until one"):
        processes.start(third, 2)
    processes.stop(one)
    assert child.poll() is not None
    assert not processes.is_running(one)
    assert processes.is_running(other)
    processes.stop(other)


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_server_that_is_killed_takes_its_process_with_it_and_shards_stay(copied):
    """The worker is told by its pipe: it ends by itself, and the run can be gone on with."""
    root, run, folder = copied
    (run / "result.json").unlink()
    shutil.rmtree(run / "shards")
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from inspector.runs.background import processes\n"
        "processes.start(Path(sys.argv[1]), 1)\nprint('started', flush=True)\ntime.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"started\n"
    # Not by its status: that is told so seldom that all may be done by then.
    _until(lambda: any((run / "shards").glob("*.safetensors")))
    assert listed(root).state == "running"
    server.send_signal(signal.SIGKILL)
    server.wait(60)
    server.stdout.close()
    _until(lambda: not processes.is_running(folder))
    assert listed(root).state in ("stopped", "complete")
    assert not list(Path(run).rglob("*.tmp"))
    assert "Traceback" not in (folder / "log.txt").read_text()


def _until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
