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
from inspector.runs.store.lock import LOCK, check_unlocked, locked

HOLDS = """
import sys, time
from pathlib import Path
from inspector.runs.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def leave_lock(folder, **owner):
    given = {"host": socket.gethostname(), "pid": os.getpid()}
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


def test_a_living_process_keeps_it_and_one_that_was_killed_does_not(tmp_path, holder):
    assert assert_locked(tmp_path) == (
        f"folder ({tmp_path}) is being written to by process {holder.pid}: "
        "wait for it, or choose another folder."
    )
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it is not yet waited for
    assert json.loads((tmp_path / LOCK).read_bytes())["pid"] == holder.pid
    check_unlocked(tmp_path)
    assert_free(tmp_path)


def test_a_file_without_the_kernels_lock_holds_nobody_up(tmp_path):
    """Whatever process it names, and whatever process has got that number since."""
    leave_lock(tmp_path, pid=os.getppid())
    assert_free(tmp_path)
    (tmp_path / LOCK).touch()  # whoever made it was killed before it was named
    assert_free(tmp_path)


def test_another_machines_process_cannot_be_judged(tmp_path):
    leave_lock(tmp_path, host="elsewhere", pid=7)
    assert assert_locked(tmp_path) == (
        f"folder ({tmp_path}) is locked by process 7 on 'elsewhere': wait for it, or choose "
        f"another folder. If that process is gone, delete {tmp_path / LOCK}."
    )


@pytest.mark.parametrize("text", ["7", "{}", '{"host": "x", "pid": null}', "no JSON"])
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


def test_of_many_that_find_a_stale_lock_one_takes_it(tmp_path):
    for _ in range(20):
        leave_lock(tmp_path, pid=1)
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
