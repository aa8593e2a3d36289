"""That one writer has a folder, and that a lock whose process is gone stops nobody."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from inspector.errors import OutputError
from inspector.runs.store import lock as locks
from inspector.runs.store.lock import LOCK, check_unlocked, locked


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def leave_lock(folder, **owner):
    given = {"host": socket.gethostname(), "pid": os.getpid(), "started": None}
    (folder / LOCK).write_text(json.dumps({**given, **owner}))


def assert_free(folder):
    with locked(folder):
        assert json.loads((folder / LOCK).read_bytes())["pid"] == os.getpid()
    assert not (folder / LOCK).exists()


def assert_locked(folder):
    with pytest.raises(OutputError) as caught, locked(folder):
        pytest.fail("it was locked twice")
    with pytest.raises(OutputError) as checked:
        check_unlocked(folder)
    assert str(checked.value) == str(caught.value)
    return str(caught.value)


def test_it_is_held_inside_and_gone_after(tmp_path):
    with locked(tmp_path):
        owner = json.loads((tmp_path / LOCK).read_bytes())
        assert owner["pid"] == os.getpid()
        assert owner["host"] == socket.gethostname()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_it_is_released_whatever_is_raised(tmp_path, error):
    with pytest.raises(error), locked(tmp_path):
        raise error
    check_unlocked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_this_process_cannot_hold_it_twice_and_the_first_keeps_it(tmp_path):
    with locked(tmp_path):
        assert assert_locked(tmp_path) == (
            f"folder ({tmp_path}) is being written to by this process already: "
            "wait for it, or choose another folder."
        )
        assert (tmp_path / LOCK).exists()


def test_a_living_process_keeps_it(tmp_path, sleeper):
    leave_lock(tmp_path, pid=sleeper.pid, started=locks._started(sleeper.pid))
    assert assert_locked(tmp_path) == (
        f"folder ({tmp_path}) is being written to by process {sleeper.pid}: "
        "wait for it, or choose another folder."
    )


def test_a_process_that_is_gone_does_not(tmp_path, sleeper):
    leave_lock(tmp_path, pid=sleeper.pid, started=locks._started(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    assert_free(tmp_path)


def test_one_that_was_killed_and_not_yet_waited_for_does_not(tmp_path, sleeper):
    leave_lock(tmp_path, pid=sleeper.pid, started=locks._started(sleeper.pid))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert_free(tmp_path)


def test_a_number_that_was_used_again_does_not(tmp_path, sleeper):
    leave_lock(tmp_path, pid=sleeper.pid, started="another-boot 1")
    assert_free(tmp_path)


def test_without_proc_the_number_alone_decides(tmp_path, sleeper, monkeypatch):
    monkeypatch.setattr(locks, "_PROCESSES", tmp_path / "no proc")
    leave_lock(tmp_path, pid=sleeper.pid)
    assert f"by process {sleeper.pid}:" in assert_locked(tmp_path)
    sleeper.kill()
    sleeper.wait()
    assert_free(tmp_path)


def test_another_machines_process_cannot_be_judged(tmp_path):
    leave_lock(tmp_path, host="elsewhere", pid=7)
    assert assert_locked(tmp_path) == (
        f"folder ({tmp_path}) is locked by process 7 on 'elsewhere': wait for it, or choose "
        f"another folder. If that process is gone, delete {tmp_path / LOCK}."
    )


@pytest.mark.parametrize("text", ["", "7", "{}", '{"host": "x", "pid": null, "started": null}'])
def test_a_lock_that_says_nothing(tmp_path, text):
    (tmp_path / LOCK).write_text(text)
    assert assert_locked(tmp_path) == (
        f"lock ({tmp_path / LOCK}) does not say which process holds it: "
        "delete this file if no other run writes there."
    )


def test_a_lock_that_another_was_let_in_by_hand_is_left_to_it(tmp_path):
    with locked(tmp_path):
        leave_lock(tmp_path, pid=1)
    assert json.loads((tmp_path / LOCK).read_bytes())["pid"] == 1


def test_of_many_that_find_a_stale_lock_one_takes_it(tmp_path, sleeper):
    sleeper.kill()
    sleeper.wait()
    for _ in range(20):
        leave_lock(tmp_path, pid=sleeper.pid, started="gone")
        start, end = threading.Barrier(8), threading.Barrier(8)
        held = []

        def take(start=start, end=end, held=held):
            start.wait()
            try:
                with locked(tmp_path):
                    held.append(1)
                    end.wait()
            except OutputError:
                end.wait()

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert held == [1]


def test_sigterm_is_as_ctrl_c_while_it_is_held(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), locked(tmp_path):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert not (tmp_path / LOCK).exists()


def test_somebody_elses_sigterm_handler_is_left_alone(tmp_path):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with locked(tmp_path):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
