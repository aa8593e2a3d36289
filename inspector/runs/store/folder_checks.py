"""Where a run may be: what stands in a folder already, and what the system says, in sentences."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from inspector.errors import InputError, OutputError
from inspector.input import read_regular
from inspector.output import check_output
from inspector.runs.store.lock import LOCK, check_unlocked
from inspector.runs.store.manifest import Manifest, read_manifest
from inspector.runs.store.result import DamageError, Result, decode_result

MANIFEST, RESULT, SHARDS = "manifest.json", "result.json", "shards"
FRAME_SUFFIX = ".parquet"
_OWN = (MANIFEST, RESULT, SHARDS, LOCK)
MOST_BYTES = 1 << 32
"""More than a file of a run ever has; a larger one is not read."""
TEMPORARY = ".inspector-*.tmp"  # as inspector.output names what it has not finished
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class RunTarget:
    """The folder that a run shall be written to, and what becomes of a run that stands there.

    Raises:
        InputError: If both `resume` and `force` are given.
    """

    path: str | os.PathLike[str]
    """It need not exist."""
    resume: bool = False
    """Whether to go on with a run that stands there."""
    force: bool = False
    """Whether to compute anew what it has; its files are deleted."""

    def __post_init__(self) -> None:
        """Refuse to keep a run and to delete it."""
        if self.resume and self.force:
            raise InputError(
                "resume and force are both given, and only one can be: "
                "resume goes on with what is there, force deletes it."
            )

    @property
    def folder(self) -> Path:
        """Return the path of the folder."""
        return Path(self.path)

    def check(self) -> Manifest | None:
        """Return the manifest that stands in the folder, once a run may be written there.

        For before the expensive work, when what the new run depends on is not known yet.

        Raises:
            OutputError: If the place is taken or cannot be written to.
        """
        with in_words(self.folder):
            if self.folder.is_dir():
                check_unlocked(self.folder)
            return standing_run(self)


def standing_run(target: RunTarget) -> Manifest | None:
    """Return what `RunTarget.check` returns, without looking at the lock.

    Raises:
        OutputError: If the place is taken or cannot be written to.
    """
    folder = target.folder
    if not folder.is_dir():
        if folder.is_file():
            raise OutputError(f"run ({folder}) is a file: choose another place for the folder.")
        check_output(folder, suffixes=[folder.suffix.lower()], force=False)
        return None
    _check_no_links(folder)
    check_output(folder / MANIFEST, suffixes=[".json"], force=True)
    recorded = recorded_manifest(folder)
    if recorded is None:
        ours = {LOCK, SHARDS, *(leftover.name for leftover in folder.glob(TEMPORARY))}
        if any(entry.name not in ours for entry in folder.iterdir()):
            raise OutputError(
                f"folder ({folder}) has files of its own and is not a run: "
                "choose a new folder for the run."
            )
    elif not (target.resume or target.force):
        anew = "have it computed anew (force=True, --force on the command line)"
        if _is_complete(folder, recorded.run_id):
            raise OutputError(
                f"run ({folder}) is complete already: choose another folder, or {anew}."
            )
        raise OutputError(
            f"run ({folder}) was begun and is not complete: go on with it (resume=True, --resume "
            f"on the command line), choose another folder, or {anew}."
        )
    return recorded


def recorded_manifest(folder: Path) -> Manifest | None:
    """Return the folder's manifest; None if it has none."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    return read_manifest(read_regular(path, most=MOST_BYTES), str(path))


def read_result(folder: Path, run_id: str) -> Result | None:
    """Return what result.json says of a run; None where there is no such file.

    Raises:
        DamageError: If it is damaged, or of another run; the run can be resumed.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    result = decode_result(read_regular(path, most=MOST_BYTES))
    if result.run_id != run_id:
        raise DamageError("it is of another run")
    return result


def _is_complete(folder: Path, run_id: str) -> bool:
    with suppress(DamageError):
        return read_result(folder, run_id) is not None
    return False


def _check_no_links(folder: Path) -> None:
    """Refuse a run whose own entries are links: what is written there would land elsewhere."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and (path.name in _OWN or path.suffix == FRAME_SUFFIX):
            raise OutputError(
                f"{path.name} ({path}) is a symbolic link, which is never written through: "
                "delete the link, or choose another folder."
            )


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turn what the system says while a run's files are used into a sentence."""
    try:
        yield
    except OSError as error:
        cause = error.__cause__ if isinstance(error, OutputError) else error
        if isinstance(cause, OSError) and cause.errno in _FULL:
            room = shutil.disk_usage(folder if folder.is_dir() else folder.parent).free / 1e6
            raise OutputError(
                f"run ({folder}) cannot be written, the disk is full ({room:.1f} MB free): make "
                "room and run the command again with --resume. The finished shards are kept."
            ) from error
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"run ({folder}) cannot be used ({error.strerror or error}): "
            "check its permissions, or choose another folder."
        ) from error
