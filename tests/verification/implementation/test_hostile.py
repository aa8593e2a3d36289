"""User code that breaks what it can reach: each ends in a sentence, and nothing of it is left."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
import torch
from support.implementations.user_code import RIGHT, in_file, plain, returning

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")

HANDS_OFF = "it must leave alone the descriptors that it did not open."


@pytest.fixture(scope="module")
def weights(tiny_bert):
    return tiny_bert.layer_weights(1)


@pytest.fixture
def tried(weights):
    """Return a function: build → what its process returns of an input, or its sentence."""
    from inspector.errors import InputError
    from inspector.verification.implementation.sandbox.starting import run_function

    def run(build, timeout=60.0, memory=None):
        try:
            with closing(run_function(build, "mine", timeout, memory)) as trial:
                trial.start(weights, 1)
                return trial.run(torch.ones(1, 5, 32), None, "ones")
        except InputError as error:
            return str(error)

    return run


def ended(process):
    """Return whether a process is gone, within the time that its end takes."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        with suppress(FileNotFoundError, ProcessLookupError):
            if b") Z " not in Path(f"/proc/{process}/stat").read_bytes():
                time.sleep(0.01)
                continue
        return True
    return False


def to_all(data):
    for descriptor in range(3, 64):
        with suppress(OSError):
            if Path(f"/proc/self/fd/{descriptor}").is_fifo():
                os.set_blocking(descriptor, False)
                os.write(descriptor, data)


def message(text, length=None):
    return struct.pack("!QQ", len(text) if length is None else length, 0) + text


def interrupts(weights):
    raise KeyboardInterrupt("so there")


class WordlessError(BaseException):
    def __str__(self):
        raise KeyboardInterrupt


def wordless(weights):
    raise WordlessError


def says_too_much(weights):
    raise ValueError("\x1b[31mred " + "a\n" * 1_000_000)


def nests(weights):
    to_all(message(b"[" * 60_000))
    time.sleep(60)


def promises(weights):
    to_all(message(b"", length=1 << 62))
    time.sleep(60)


def forges(weights):
    answer = json.dumps({"ok": True, "mark": "start"}).encode()
    to_all(message(answer))
    return plain(weights)


def says_no_words(weights):
    to_all(message(b"17"))
    time.sleep(60)


def closes(weights):
    os.closerange(3, 256)
    return plain(weights)


def ends_its_watcher(weights):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def breaks_json(weights):
    json.dumps = lambda *given, **more: "[" * 100_000
    return plain(weights)


BUILDING = "during build, with the weights of layer 1"
MEDDLED = f"wrote to the descriptor of its answers, or closed it, {BUILDING}: {HANDS_OFF}"
ENDS_WELL = "it must end without an error."


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (interrupts, f"raised KeyboardInterrupt (so there){{place}}, while it ran: {ENDS_WELL}"),
        (wordless, f"raised WordlessError{{place}}, while it ran: {ENDS_WELL}"),
        (nests, MEDDLED),
        (promises, MEDDLED),
        (forges, MEDDLED),
        (says_no_words, MEDDLED),
        (breaks_json, MEDDLED),
        (closes, f"ended its process (exit code 1) {BUILDING}: it must return to its caller."),
        (
            ends_its_watcher,
            (
                f"ended its process (and the one that watches it) {BUILDING}: it must return to "
                "its caller."
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_ends_in_one_sentence(tried, build, sentence):
    place = f" in test_hostile.py, line {build.__code__.co_firstlineno + 1}"
    assert tried(build) == f"implementation (mine) {sentence.format(place=place)}"


def test_it_has_no_hold_of_the_pipes_that_we_had_open(tried):
    """A copy of our process has copies of all our descriptors: a test runner's, a logger's."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)

    def writes_to_all(weights):
        to_all(b"garbage")
        return plain(weights)

    tried(writes_to_all)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)
    os.close(ours)
    os.close(theirs)


def test_what_it_raises_is_cut_and_steers_no_terminal(tried):
    sentence = tried(says_too_much)
    assert sentence.startswith("build (mine) raised ValueError (red a a a a a")
    assert sentence.endswith(f", with the weights of layer 1: {ENDS_WELL}")
    assert 300 < len(sentence) < 450
    assert sentence.isprintable()


def test_what_it_raises_without_words_is_told_in_this_process_too(refused):
    def build(weights):
        class OddError(Exception):
            def __str__(self):
                raise RuntimeError

        raise OddError

    assert "raised OddError in test_hostile.py, line " in refused(build)


def test_a_large_view_is_refused_by_its_shape_before_it_is_copied(refused):
    import numpy as np

    large = (10**6, 10**5, 32)
    for view in (torch.zeros(1, 1, 1).expand(large), np.broadcast_to(np.float32(0), large)):
        sentence = refused(returning(lambda output, view=view: view))
        assert "output (shape (1000000, 100000, 32)) must have the shape" in sentence


def hog(size):
    return lambda weights: lambda hidden, padding: [torch.ones(size // 40) for _ in range(1000)]


def hog_in_children(size):
    def build(weights):
        for _ in range(4):
            if os.fork() == 0:
                os.setsid()
                kept = b"a" * (size // 3)
                time.sleep(60)
                os._exit(len(kept) % 2)
        time.sleep(60)

    return build


@pytest.mark.parametrize("hogging", [hog, hog_in_children])
def test_more_memory_than_allowed_ends_it(tried, hogging):
    lines = Path("/proc/self/status").read_text().splitlines()
    (ours,) = [int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")]
    memory = ours + 200_000_000
    sentence = tried(hogging(memory), memory=memory)
    assert sentence.startswith(f"implementation (mine) took more than {memory} bytes of memory (")
    assert sentence.endswith(
        ", and was ended: give it more with --memory (memory=), or less to do."
    )


def test_half_of_what_is_free_is_allowed_where_nothing_is_said():
    from inspector.verification.implementation.sandbox.process_tree import half_of_free

    lines = Path("/proc/meminfo").read_text().splitlines()
    (free,) = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    assert 0 < half_of_free() < 0.6 * free


def leaves_behind(file, then):
    """Return a build that starts a process apart, of a process that is gone, and does something."""

    def build(weights):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                file.write_text(str(os.getpid()))
                time.sleep(300)
            os._exit(0)
        while not file.exists() or not file.read_text():
            time.sleep(0.01)
        return then(weights)

    return build


def raises(weights):
    raise ValueError


def with_a_thread(weights):
    threading.Thread(target=time.sleep, args=(300,)).start()
    return plain(weights)


@pytest.mark.parametrize(
    ("then", "timeout"),
    [(with_a_thread, 60.0), (raises, 60.0), (lambda weights: time.sleep(60), 2.0)],
)
def test_what_it_started_ends_with_it_however_that_ends(tried, tmp_path, then, timeout):
    file = tmp_path / "process"
    found = tried(leaves_behind(file, then), timeout=timeout)
    assert ("output" in found) == (then is with_a_thread)
    assert ended(file.read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_us_however_we_end(weights, tmp_path, number):
    from inspector.verification.implementation.sandbox.starting import run_function

    file = tmp_path / "process"
    build = leaves_behind(file, lambda weights: time.sleep(300))
    ours = os.fork()
    if ours == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            run_function(build, "mine", 300.0).start(weights, 1)
        finally:
            os._exit(1)
    while not file.exists() or not file.read_text():
        time.sleep(0.01)
    os.kill(ours, number)
    os.waitpid(ours, 0)
    assert ended(file.read_text())


def test_a_copy_of_its_process_that_comes_back_answers_nothing(tried):
    def build(weights):
        os.fork()
        return plain(weights)

    assert "output" in tried(build)


def test_what_it_prints_is_cut_and_steers_no_terminal(tried, capfd):
    def build(weights):
        def layer(hidden, padding):
            for _ in range(50):
                os.write(2, b"\x1b]0;title\x07\x1b[2Jflood\r\n" * 10_000)
            print("\x07the end")
            return plain(weights)(hidden, padding)

        print("it begins")
        return layer

    assert "output" in tried(build)
    shown = capfd.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[:3] == ["mine printed:", "it begins", "flood"]
    assert lines[-1] == "�the end"
    assert len(shown.err) < 2200
    assert any("bytes left out" in line for line in lines)
    assert not set(shown.err) & set("\x1b\x07\r")


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("-inf")])
def test_what_is_no_time_to_wait(refused, timeout):
    assert refused(plain, timeout=timeout) == (
        f"timeout ({timeout:g}) must be more than 0 seconds."
    )


@pytest.mark.parametrize("timeout", [1e300, float("inf")])
def test_for_ever_is_a_time_to_wait(tried, timeout):
    assert "output" in tried(plain, timeout=timeout)


def test_what_is_no_memory(refused, command):
    assert refused(plain, memory=0) == "memory (0) must be more than 0 bytes."
    done = command("verify", "minilm", "--implementation", f"{__file__}:x", "--memory", "-1")
    assert (done.code, done.err) == (2, "inspector: memory (-1) must be more than 0 bytes.\n")


MARKED = "from pathlib import Path\nPath(__file__).with_suffix('.ran').write_text('')\n"
FOREIGN = ("torch", "numpy", "random", "json", "struct", "sitecustomize", "inspector", "conllu")


@pytest.mark.process
def test_no_python_file_of_the_current_folder_is_run(tiny_folder, tmp_path):
    for name in FOREIGN:
        in_file(tmp_path, MARKED, f"{name}.py")
    in_file(tmp_path, RIGHT, "beside.py")
    in_file(tmp_path, "from beside import build\n")
    script = Path(sys.executable).with_name("inspector")
    options = ("--layers", "0", "--memory", "3000000000")
    done = subprocess.run(
        [script, "verify", tiny_folder("bert"), "--implementation", "my.py:build", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, list(tmp_path.glob("*.ran"))) == (0, []), done.stderr
    assert "my.py:build printed:\nwhat a user prints is in nobody's way" in done.stderr


def test_no_worker_of_a_run_takes_a_file_of_the_current_folder(tmp_path, monkeypatch):
    from inspector.runs.engines.processes import end_process, start_process

    for name in FOREIGN:
        in_file(tmp_path, MARKED, f"{name}.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [each for each in sys.path if each])
    process, connection = start_process(print)
    process.join(60)
    connection.close()
    assert end_process(process) == "exit code 0"
    assert list(tmp_path.glob("*.ran")) == []
    assert "PYTHONSAFEPATH" not in os.environ
