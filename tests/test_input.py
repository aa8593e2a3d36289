"""`inspector.input`: regular files alone are opened, within bounds, and nothing ever waits."""

import os
import socket
from pathlib import Path

import pytest
from support.each import each

from inspector.corpora import named_corpora, read_corpus
from inspector.dashboard.settings import read_settings
from inspector.errors import InspectorError
from inspector.input import open_regular, read_regular


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


KINDS = {
    "pipe": (os.mkfifo, "it is a pipe, not a regular file"),
    "link to a pipe": (
        lambda path: (os.mkfifo(f"{path}.fifo"), path.symlink_to(f"{path}.fifo")),
        "it is a pipe, not a regular file",
    ),
    "endless device": (
        lambda path: path.symlink_to("/dev/zero"),
        "it is a device, not a regular file",
    ),
    "socket": (a_socket, "it is a socket, not a regular file"),
    "folder": (lambda path: path.mkdir(), "Is a directory"),
    "nothing": (lambda path: None, "No such file or directory"),
    "link to nothing": (
        lambda path: path.symlink_to("nowhere"),
        "No such file or directory",
    ),
}
kinds = each(("make", "reason"), KINDS.values(), ids=KINDS)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the address of a socket must be short
    return tmp_path / "x.txt"


@kinds
@each("read", [open_regular, lambda path: read_regular(path, most=9)])
def test_what_is_no_regular_file_is_not_read(place, monkeypatch, make, reason, read):
    monkeypatch.chdir(place.parent)
    make(place.relative_to(place.parent) if make is a_socket else place)
    with pytest.raises(OSError, match=reason) as caught:
        read(place)
    assert caught.value.filename == str(place)


def test_a_pipe_that_takes_the_files_place_does_not_block(place, monkeypatch):
    place.write_bytes(b"text")
    state = place.stat()
    place.unlink()
    os.mkfifo(place)
    monkeypatch.setattr(Path, "stat", lambda path: state)
    with pytest.raises(OSError, match="it is a pipe"):
        open_regular(place)


@pytest.mark.parametrize("size", [0, 8, 9])
def test_a_file_within_bounds_is_read_whole(place, size):
    place.write_bytes(b"x" * size)
    assert read_regular(place, most=9) == b"x" * size
    link = place.with_name("link")
    link.symlink_to(place)
    assert read_regular(link, most=9) == b"x" * size


def test_a_file_over_bounds_is_not_read(place):
    with place.open("wb") as file:
        file.truncate(1 << 40)  # no such memory; no such disk either
    with pytest.raises(OSError, match="it is larger than 1,000 bytes"):
        read_regular(place, most=1000)


def test_a_file_that_does_not_say_its_size_is_bounded_too():
    """Files of /proc are regular and 0 bytes long, whatever they hold."""
    assert Path("/proc/cpuinfo").stat().st_size == 0
    with pytest.raises(OSError, match="it is larger than 4 bytes"):
        read_regular("/proc/cpuinfo", most=4)


# Those who read by it: each has its own words around the reason.


@each("make", [KINDS["pipe"][0], KINDS["endless device"][0]])
@each(
    ("read", "suffix"),
    [
        (read_corpus, ".conllu"),
        (read_corpus, ".txt"),
        (read_corpus, ".tsv"),
        (named_corpora, ".yaml"),
        (read_settings, ".yaml"),
    ],
)
def test_readers_refuse_pipes_and_devices(place, make, read, suffix):
    path = place.with_suffix(suffix)
    make(path)
    with pytest.raises(InspectorError, match=r"not a regular file"):
        read(path)
