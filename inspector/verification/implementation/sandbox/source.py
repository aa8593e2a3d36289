"""A user's file: FILE.py:NAME → the function of that name. Loading it runs it."""

import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from inspector.errors import InputError
from inspector.text import in_a_line
from inspector.verification.implementation.sandbox.trial import UserCode

_MOST_NAMES = 300


def split_source(source: str) -> tuple[Path, str]:
    """Return file and name of FILE.py:NAME.

    Raises:
        InputError: If it is not of that form, or the file is not there.

    Example:
        >>> split_source("my.py")
        Traceback (most recent call last):
        inspector.errors.InputError: implementation (my.py) must be FILE.py:NAME: a Python file and
        the name of the function in it, such as my.py:build.
    """
    file, colon, name = source.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier():
        raise InputError(
            f"implementation ({source}) must be FILE.py:NAME: a Python file and the name of the "
            "function in it, such as my.py:build."
        )
    path = Path(file)
    if not path.is_file():
        what = "is no regular file" if path.exists() else "does not exist"
        what = "is a folder" if path.is_dir() else what
        raise InputError(f"implementation ({file}) {what}: give the file that defines {name}.")
    return path, name


def load_build(source: str) -> Any:
    """Return what FILE.py:NAME names, after running the file.

    Raises:
        InputError: If the file cannot be read or run, or lacks the name.
    """
    path, name = split_source(source)
    try:
        compile(path.read_bytes(), str(path), "exec")
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(
            f"implementation ({path}) is not Python ({reason}{line}): fix it first."
        ) from error
    except OSError as error:
        raise InputError(
            f"implementation ({path}) cannot be read ({error.strerror}): check its permissions."
        ) from error
    module = ModuleType(f"inspector_user_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    # So that the file finds those beside it: last, for a torch.py there is not meant for ours.
    sys.path.append(str(path.parent.resolve()))
    with UserCode(f"implementation ({path})", "when it was loaded"):
        SourceFileLoader(module.__name__, str(path)).exec_module(module)
    if not hasattr(module, name):
        public = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        available = in_a_line(", ".join(public), _MOST_NAMES) or "none"
        raise InputError(
            f"implementation ({path}) has no {name}: give the name of a function in it. "
            f"Available: {available}."
        )
    return getattr(module, name)
