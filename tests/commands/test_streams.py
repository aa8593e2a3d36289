"""The command's streams: closed, full or read by nobody, a command ends as it would have."""

import os
import subprocess
import sys
from types import SimpleNamespace

from support.each import each

# What a command does with its streams, without the seconds that torch takes.
PROGRAM = """
import os, sys
from inspector.commands.streams import lost_output, open_streams
open_streams()
opened = os.open({file!r}, os.O_RDWR)  # a file that a command reads or writes
for _ in range({times}):
    print("result " * 1000)
print("message", file=sys.stderr)
lost = lost_output()
print("lost:", lost, file=sys.stderr)
os._exit(9) if opened < 3 else sys.exit(0 if lost is None else 4)
"""
PLENTY = 100  # times 7 kB: more than any pipe holds


def run(redirection, tmp_path, times=PLENTY):
    file = tmp_path / "file"
    file.write_text("untouched")
    program = PROGRAM.format(file=str(file), times=times)
    script = f'"$0" -c "$1" {redirection}; echo "code $?" >&9'
    read, write = os.pipe()
    done = subprocess.run(
        ["bash", "-c", f"exec 9>&{write}; {script}", sys.executable, program],
        capture_output=True,
        text=True,
        pass_fds=[write],
        timeout=60,
        check=False,
    )
    os.close(write)
    with os.fdopen(read) as codes:
        code = codes.read().strip()
    assert file.read_text() == "untouched"
    return SimpleNamespace(code=code, out=done.stdout, err=done.stderr)


@each(
    ("redirection", "code", "err"),
    [
        ("", 0, "message\nlost: None\n"),
        (">&-", 4, "message\nlost: it is closed\n"),
        (">/dev/full", 4, "message\nlost: No space left on device\n"),
        ("<&-", 0, "message\nlost: None\n"),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&- 2>&- <&-", 4, ""),
    ],
)
def test_what_stands_behind_the_streams(tmp_path, redirection, code, err):
    done = run(redirection, tmp_path)
    assert (done.code, done.err) == (f"code {code}", err)
    unwritten = {">&-", ">/dev/full"} & set(redirection.split())
    assert done.out == ("" if unwritten else ("result " * 1000 + "\n") * PLENTY)


@each("redirection", ["", "2>&1"])
@each("times", [1, PLENTY])
def test_a_reader_who_has_enough_changes_no_exit_code(tmp_path, redirection, times):
    """Not even with the buffer full at the end: Python itself would exit with 120."""
    done = run(f"> >(exit) {redirection}", tmp_path, times)
    assert done.code == "code 0"
    assert done.err == ("" if redirection else "message\nlost: None\n")


def test_what_the_encoding_lacks_is_written_as_an_escape():
    program = (
        "from inspector.commands.streams import open_streams; open_streams(); print('\\ud800é')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, check=True
    )
    assert done.stdout == b"\\ud800\\xe9\n"


# What goes wrong inside a command


def failing(monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("inspector.models.any_model.any_model.load_for_weights", fail)


NO_MEMORY = (
    "inspector: there is not enough memory left for this: end other programs, or give a smaller "
    "model, shorter texts or less of a corpus.\n"
)


@each(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 8.00 TiB for an array"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("shard (3) failed in a worker: MemoryError"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_no_memory_left(command, monkeypatch, error):
    failing(monkeypatch, error)
    result = command("weights")
    assert (result.code, result.out, result.err) == (4, "", NO_MEMORY)


class PanicException(BaseException):
    """As pyo3 raises it: no Exception."""


@each(
    ("error", "said"),
    [
        (KeyError("depth"), "KeyError: 'depth'"),
        (PanicException("regex"), "test_streams.PanicException: regex"),
        (ValueError("a\n  b\x1b[31m"), "ValueError: a b�[31m"),
        (BrokenPipeError(32, "Broken pipe"), None),
        (SystemExit(0), "SystemExit: 0"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_nobody_foresaw_is_a_sentence_and_no_verdict(command, monkeypatch, error, said):
    failing(monkeypatch, error)
    result = command("weights")
    if said is None:
        said = "what the system was asked for cannot be used: Broken pipe.\n"
        assert (result.code, result.out, result.err) == (4, "", f"inspector: {said}")
        return
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"inspector: something went wrong that inspector did not foresee ({said}): --debug shows "
        "where. Please report it, with what you gave.\n"
    )
    assert "Traceback" in command("weights", "--debug").err


@each("length", [400, 5_000, 2_000_000])
def test_sentences_are_cut(command, length, tmp_path):
    name = "/" + "x" * length
    result = command("weights", "minilm", "-o", tmp_path / "a.csv", "--device", name)
    assert result.code == 2
    assert len(result.err) <= len("inspector: \n") + 500
    assert result.err.startswith("inspector: device (/xxx")
    assert result.err.endswith("is not there on this machine: choose one that is, such as cpu.\n")
    for wrong in (["--frob" + "b" * length], ["x" * length]):
        assert len(command(*wrong).err) <= len("inspector: \n") + 500


def test_a_sentence_is_one_line_that_steers_nothing(command, tmp_path):
    result = command("weights", "a\n\tb\x1b]0;title\x07\u202ec/d/e")
    assert result.err.startswith("inspector: model (a b�]0;title��c/d/e) is neither")
    assert result.err.count("\n") == 1
