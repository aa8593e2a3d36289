"""The runs of a folder: those that stand below it, and those that are being computed there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from inspector.errors import OutputError
from inspector.runs.background.job import JOBS, RESULTS, Job, Kind, Status, read_job, read_status
from inspector.runs.background.processes import is_running
from inspector.runs.store.folder_checks import FRAME_SUFFIX, MANIFEST, RESULT, SHARDS
from inspector.runs.store.lock import LOCK, holder
from inspector.runs.store.run_folder import RunFolder

State = Literal["complete", "running", "stopped", "failed", "damaged"]
_DEEPEST = 3
_MOST_RUNS, _MOST_FOLDERS = 500, 5000


@dataclass(frozen=True)
class Listed:
    """A run, and what is known of it without opening its frames."""

    name: str
    """Its place below the folder, or what a run that stands elsewhere is called."""
    folder: Path
    state: State
    model: str
    corpus: str
    sentence: str = ""
    """Why it is damaged, or has failed."""
    status: Status = field(default_factory=Status)
    has_job: bool = False
    """Whether it can be gone on with from here: what it is made of is known."""
    made: float = 0.0
    """When it last changed, in seconds since 1970."""
    corpus_sha256: str = ""
    kind: Kind = "profile"


def runs_below(root: Path) -> list[Listed]:
    """Return the runs below a folder, the newest first; links are not followed."""
    found = {folder.relative_to(root).as_posix(): folder for folder in _run_folders(root)}
    jobs = root / JOBS
    if jobs.is_dir() and not jobs.is_symlink():
        found |= {one.name: root / one.name for one in jobs.iterdir() if (root / one.name) != jobs}
    listed = [look_at(folder, name, jobs / name) for name, folder in found.items()]
    known = [one for one in listed if one.has_job or one.state != "stopped" or one.model]
    return sorted(known, key=lambda one: (-one.made, one.name))


def look_at(folder: Path, name: str, job_folder: Path | None = None) -> Listed:
    """Return what is known of a run.

    Args:
        folder: Of the run; it need not be there yet.
        name: What it is called.
        job_folder: Where its job stands, if it has one.
    """
    job = _job(job_folder)
    recorded = _recorded(folder, _stamps(folder))
    model = recorded.model or (job.model if job else "")
    corpus = recorded.corpus or (job.called if job else "")
    state, sentence, status = recorded.state, recorded.sentence, Status()
    if job is not None and job_folder is not None:
        corpus, status = job.called, read_status(job_folder)
        if job.kind != "profile":
            state = _by_results(job_folder, job.kind)
        if is_running(job_folder):
            state, sentence = "running", ""
        elif state == "stopped" and status.state == "failed":
            state, sentence = "failed", status.sentence
    elif state != "complete" and _is_written_to(folder):
        state, status = "running", _by_shards(folder)
    return Listed(
        name, folder, state, model, corpus, sentence, status, job is not None,
        recorded.made or _made(job_folder), recorded.corpus_sha256,
        "profile" if job is None else job.kind,
    )  # fmt: skip


@dataclass(frozen=True)
class _Recorded:
    state: State
    model: str = ""
    corpus: str = ""
    corpus_sha256: str = ""
    sentence: str = ""
    made: float = 0.0


@lru_cache(maxsize=2 * _MOST_RUNS)
def _recorded(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> _Recorded:
    """Return what a folder's files say, read again when one of them has changed."""
    if not any(name == MANIFEST for name, *_ in stamps):
        return _Recorded("stopped")
    made = max(changed for _, changed, _ in stamps) / 1e9
    try:
        run = RunFolder.open(folder)
        about = (run.manifest.model, run.manifest.corpus, run.manifest.corpus_sha256)
    except OutputError as error:
        return _Recorded("damaged", sentence=str(error), made=made)
    if not any(name == RESULT for name, *_ in stamps):
        return _Recorded("stopped", *about, made=made)
    try:
        run.check_frames()
    except OutputError as error:
        return _Recorded("damaged", *about, str(error), made)
    return _Recorded("complete", *about, made=made)


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time of change and size of what a run's state depends on."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in (MANIFEST, RESULT) or entry.name.endswith(FRAME_SUFFIX):
                    about = entry.stat()
                    found.append((entry.name, about.st_mtime_ns, about.st_size))
    except OSError:
        return ()
    return tuple(sorted(found))


def _run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders below a root that hold a manifest, or damaged remains of a run."""
    waiting, looked_at, given = [(root, 0)], 0, 0
    while waiting and looked_at < _MOST_FOLDERS and given < _MOST_RUNS:
        folder, depth = waiting.pop(0)
        looked_at += 1
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        names = {entry.name for entry in inside}
        if depth and (MANIFEST in names or {SHARDS, RESULT} <= names):
            given += 1
            yield folder
        elif depth < _DEEPEST:
            waiting += [
                (Path(entry.path), depth + 1)
                for entry in inside
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            ]


def _job(folder: Path | None) -> Job | None:
    if folder is None or not folder.is_dir():
        return None
    try:
        return read_job(folder)
    except OutputError:
        return None


def _by_results(folder: Path, kind: Kind) -> State:
    """Return the state of a job whose results are files of its own."""
    return "complete" if all((folder / name).is_file() for name in RESULTS[kind]) else "stopped"


def _is_written_to(folder: Path) -> bool:
    """Return whether a process computes a run that was not started from here."""
    try:
        return (folder / LOCK).exists() and holder(folder) is not None
    except OutputError:
        return False


def _by_shards(folder: Path) -> Status:
    """Return how far a run is whose process tells it elsewhere: by the shards that are there."""
    try:
        total = RunFolder.open(folder).manifest.n_shards
        done = sum(1 for _ in (folder / SHARDS).glob("*.safetensors"))
    except OutputError:
        return Status()
    return Status(stage=f"Shards {done} of {total}", share=min(done / max(total, 1), 1.0))


def _made(folder: Path | None) -> float:
    try:
        return 0.0 if folder is None else folder.stat().st_mtime
    except OSError:
        return 0.0
