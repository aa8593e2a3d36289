"""What Windows lacks is not asked for: modules import without it, and what needs it says so."""

import ast
import os
import sys
from pathlib import Path

import pytest

from inspector.errors import InputError
from inspector.input import read_regular

PACKAGE = Path(__file__).parents[2] / "inspector"
POSIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios"}
POSIX_NAMES = ("O_CLOEXEC", "O_NONBLOCK", "O_NOFOLLOW", "setsid", "fork", "killpg")
# Runs in a process of its own, which is never started where there is no os.setsid.
ELSEWHERE = {"verification/implementation/sandbox/supervisor.py"}


def needs_posix(source):
    """Return the POSIX-only modules that a source imports when it is imported, and names of os."""
    tree = ast.parse(source)
    for node in tree.body:
        modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        yield from POSIX_MODULES.intersection(modules)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in POSIX_NAMES:
            yield node.attr


def test_no_module_needs_what_windows_lacks():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if needs := sorted(set(needs_posix(path.read_text(encoding="utf-8")))):
            found[path.relative_to(PACKAGE).as_posix()] = needs
    guarded = {"verification/implementation/sandbox/starting.py": ["setsid"]}
    assert {name: needs for name, needs in found.items() if name not in ELSEWHERE} == guarded
    supervisor = (PACKAGE / next(iter(ELSEWHERE))).read_text(encoding="utf-8")
    assert not POSIX_MODULES.intersection(needs_posix(supervisor))


def test_control_a_module_of_posix_is_seen():
    assert list(needs_posix("import resource\nimport os\nos.O_CLOEXEC\n")) == [
        "resource", "O_CLOEXEC"]  # fmt: skip
    assert not list(needs_posix("def f():\n    import resource\n"))


def test_a_file_is_read_where_os_has_fewer_flags(monkeypatch, tmp_path):
    for flag in ("O_CLOEXEC", "O_NONBLOCK"):
        monkeypatch.delattr(os, flag)
    (tmp_path / "a.txt").write_bytes(b"a\r\n\x1a")
    assert read_regular(tmp_path / "a.txt", most=10) == b"a\r\n\x1a"


def test_an_implementation_in_a_file_is_refused_with_a_sentence(monkeypatch):
    from inspector.verification.implementation.sandbox.starting import run_file

    monkeypatch.delattr(os, "setsid", raising=sys.platform != "win32")
    with pytest.raises(InputError) as caught:
        run_file("mine.py:build", None)
    assert str(caught.value) == (
        "implementation (mine.py:build) runs in a process of its own, which Windows cannot watch: "
        "give the function itself, or use Linux, macOS or WSL."
    )
