"""What `inspector.output` refuses, in full words, and that a write is whole or not at all."""

import errno
import os
import re
from pathlib import Path

import pytest
from support.each import each

from inspector.errors import InputError, OutputError
from inspector.output import check_output, write_atomically


def check(path: str | Path, *, force: bool = False) -> Path:
    return check_output(path, suffixes=[".csv", ".html"], force=force)


def refusal(error: type[Exception], path: str | Path, *, force: bool = False) -> str:
    with pytest.raises(error) as caught:
        check(path, force=force)
    return str(caught.value)


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_free_place_is_allowed_and_left_alone(tmp_path: Path) -> None:
    assert check(str(tmp_path / "a.HTML")) == tmp_path / "a.HTML"
    assert entries(tmp_path) == []


def test_an_unknown_suffix_is_named_beside_the_available_ones() -> None:
    assert refusal(InputError, "w.pdf") == (
        "output (w.pdf) has the suffix '.pdf', which cannot be written: "
        "end the name in an available one. Available: '.csv', '.html'."
    )
    assert refusal(InputError, "w") == (
        "output (w) has no suffix, which cannot be written: "
        "end the name in an available one. Available: '.csv', '.html'."
    )


@each(("name", "shown"), [("a\0.html", r"a\x00.html"), ("a\ud800.html", r"a\ud800.html")])
def test_a_name_that_no_file_can_have(name: str, shown: str) -> None:
    assert refusal(InputError, name) == (
        f"output ({shown}) holds a character that no file name may hold: choose another name."
    )


def test_a_missing_folder(tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    assert refusal(OutputError, folder / "a.html") == (
        f"folder ({folder}) does not exist: make it first, or choose another place."
    )


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert refusal(OutputError, file / "a.html") == (
        f"folder ({file}) is a file: choose another place."
    )


def test_a_read_only_folder_is_refused_for_root_too(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    assert refusal(OutputError, folder / "a.html") == (
        f"folder ({folder}) is read-only: change its permissions, or choose another place."
    )
    folder.chmod(0o755)
    assert check(folder / "a.html") == folder / "a.html"


def test_a_folder_that_the_user_may_not_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert refusal(OutputError, tmp_path / "a.html") == (
        f"folder ({tmp_path}) is read-only: change its permissions, or choose another place."
    )


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.html"
    folder.mkdir()
    expected = f"output ({folder}) is a folder: give the name of a file."
    assert refusal(OutputError, folder) == expected
    assert refusal(OutputError, folder, force=True) == expected


@each("force", [False, True])
@each("dangling", [False, True])
def test_a_symbolic_link_is_never_written_through(
    tmp_path: Path, force: bool, dangling: bool
) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link.html"
    if not dangling:
        victim.write_text("mine")
    link.symlink_to(victim)
    expected = (
        f"output ({link}) is a symbolic link, which is never written through: "
        "give the name of the file itself, or another name."
    )
    assert refusal(OutputError, link, force=force) == expected
    with pytest.raises(OutputError, match=re.escape(expected)):
        write_atomically(link, b"new", force=force)
    assert victim.exists() is not dangling
    assert dangling or victim.read_text() == "mine"


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.html"
    os.mkfifo(pipe)
    assert refusal(OutputError, pipe, force=True) == (
        f"output ({pipe}) is not a regular file: choose another name."
    )


def test_a_file_that_exists_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("old")
    expected = (
        f"output ({path}) already exists: choose another name, "
        "or allow replacing it (force=True, --force on the command line)."
    )
    assert refusal(OutputError, path) == expected
    with pytest.raises(OutputError, match=re.escape(expected)):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    write_atomically(check(path, force=True), b"new", force=True)
    assert path.read_text() == "new"
    assert entries(tmp_path) == ["a.html"]


def test_a_read_only_file_is_not_replaced_even_with_force(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("old")
    path.chmod(0o444)
    assert refusal(OutputError, path, force=True) == (
        f"output ({path}) is read-only: change its permissions, or choose another name."
    )


def test_a_name_too_long_for_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 300 + ".html")
    expected = (
        f"output ({path}) could not be written (File name too long): "
        "choose another place. Nothing was changed."
    )
    assert refusal(OutputError, path) == expected
    with pytest.raises(OutputError, match=re.escape(expected)):
        write_atomically(path, b"new")


@each("force", [False, True])
def test_a_write_gives_the_bytes_and_the_usual_permissions(tmp_path: Path, force: bool) -> None:
    path, usual = tmp_path / "a.html", tmp_path / "usual"
    usual.touch()
    write_atomically(check(path, force=force), b"data", force=force)
    assert path.read_bytes() == b"data"
    assert path.stat().st_mode == usual.stat().st_mode
    assert path.stat().st_nlink == 1
    assert entries(tmp_path) == ["a.html", "usual"]


def test_replacing_keeps_a_private_file_private(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.touch(mode=0o600)
    write_atomically(path, b"secret", force=True)
    assert path.stat().st_mode & 0o777 == 0o600


@each("force", [False, True])
def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    path = tmp_path / "a.html"
    if force:
        path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        write_atomically(path, b"new", force=force)
    assert str(caught.value) == (
        f"output ({path}) could not be written (No space left on device): "
        "choose another place. Nothing was changed."
    )
    assert entries(tmp_path) == (["a.html"] if force else [])
    assert not force or path.read_text() == "old"


def test_an_interrupted_write_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.html", b"new")
    assert entries(tmp_path) == []


def test_a_file_that_came_to_be_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.html"
    sync = os.fsync

    def rival(descriptor: int) -> None:
        sync(descriptor)
        path.write_text("rival")

    monkeypatch.setattr(os, "fsync", rival)
    with pytest.raises(OutputError, match="already exists"):
        write_atomically(path, b"new")
    assert path.read_text() == "rival"
    assert entries(tmp_path) == ["a.html"]


@each("rival", [False, True])
def test_a_file_system_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rival: bool
) -> None:
    path = tmp_path / "a.html"

    def unsupported(*arguments: object, **options: object) -> None:
        if rival:
            path.write_text("rival")
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", unsupported)
    if rival:
        with pytest.raises(OutputError, match="already exists"):
            write_atomically(path, b"new")
    else:
        write_atomically(path, b"new")
    assert path.read_text() == ("rival" if rival else "new")
    assert entries(tmp_path) == ["a.html"]


def test_no_empty_file_is_left_where_renaming_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", unsupported)
    monkeypatch.setattr(os, "replace", unsupported)
    with pytest.raises(OutputError, match=r"could not be written \(Operation not permitted\)"):
        write_atomically(tmp_path / "a.html", b"new")
    assert entries(tmp_path) == []


def test_a_folder_that_cannot_be_synced_does_not_lose_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, calls = os.fsync, []

    def only_files(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    write_atomically(tmp_path / "a.html", b"new")
    assert len(calls) == 2
    assert (tmp_path / "a.html").read_bytes() == b"new"
