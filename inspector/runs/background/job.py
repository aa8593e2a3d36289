"""What a run in the background computes, and how far it is: two small files in a folder of its own.

`ROOT/NAME` is the run; `ROOT/.jobs/NAME` holds job.json, status.json, the text that was given, if
any, the lock of the process that computes, what it logs, and what it makes that is no run.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from inspector.errors import OutputError
from inspector.input import read_regular
from inspector.output import write_atomically
from inspector.progress import Progress

Kind = Literal["profile", "ablation", "atlas"]
IMPORTANCE, CURVE, ATLAS = "importance.parquet", "robustness.parquet", "atlas.zip"
RESULTS: dict[Kind, tuple[str, ...]] = {
    "profile": (), "ablation": (IMPORTANCE, CURVE), "atlas": (ATLAS,),
}  # fmt: skip
"""Kind → the files that a job of it leaves in its own folder."""
JOBS = ".jobs"
_JOB, _STATUS = "job.json", "status.json"
_MOST_BYTES = 100_000
_KEY = 8
_LONGEST = 40
_EVERY_S = 0.3
_LEAST_S = 1.0
_ENOUGH = 0.01
"""Share that must be done before the time that is left can be told."""


def slug(called: str) -> str:
    """Return what a text is called as the beginning of a file's name, whatever it holds.

    Example:
        >>> slug("../My Text!.conllu"), slug("语料.txt")
        ('my-text', 'text')
    """
    return re.sub(r"[^a-z0-9]+", "-", Path(called).stem.lower()).strip("-")[:_LONGEST] or "text"


@dataclass(frozen=True)
class Job:
    """What is to be computed; the same has the same name."""

    model: str
    called: str
    """What its text is called where it is shown."""
    corpus: tuple[str, ...] = ()
    """The files that are read; inspector's own corpus where neither these nor a text is given."""
    text: str = ""
    """Name of the file in the job's folder that holds a text that was given."""
    text_sha256: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of `inspector.ProfileSettings` that are not the standard ones."""
    kind: Kind = "profile"
    key: str = ""
    """The name, where what it is made of cannot be seen here, as files of a model."""
    workers: int = 1

    @property
    def name(self) -> str:
        """Return the name of the run's folder: from the text's, and from all that is computed.

        Example:
            >>> Job("minilm", "My Text.conllu").name[:8]
            'my-text-'
        """
        if self.key:
            return self.key
        whole = json.dumps({**asdict(self), "called": ""}, sort_keys=True)
        return f"{slug(self.called)}-{hashlib.sha256(whole.encode()).hexdigest()[:_KEY]}"


@dataclass(frozen=True)
class Status:
    """How far a job is, as the process that computes it last told."""

    state: str = "running"
    """'running', 'done', 'stopped' or 'failed'; a process that was killed told nothing."""
    stage: str = ""
    """What is being done; empty until the model is loaded."""
    share: float = 0.0
    begun: float = 0.0
    """When the first share was told, in seconds since 1970."""
    begun_share: float = 0.0
    """What a run that is gone on with had then."""
    told: float = 0.0
    """When the share was told."""
    sentence: str = ""
    """Why it failed."""

    def seconds_left(self, now: float) -> float | None:
        """Return how long it will take at the pace so far; None if none can be told.

        Example:
            >>> Status(share=0.75, begun=100.0, begun_share=0.5, told=110.0).seconds_left(112.0)
            8.0
        """
        done = self.share - self.begun_share
        if self.state != "running" or done < _ENOUGH or self.share >= 1:
            return None
        left = (self.told - self.begun) * (1 - self.share) / done
        # Between two parts it only counts down, and never says that all is done.
        return max(left - (now - self.told), _LEAST_S)


def folder_of(root: Path, name: str) -> Path:
    """Return the folder of a job."""
    return root / JOBS / name


def write_job(root: Path, job: Job, text: bytes = b"") -> Path:
    """Return a job's folder, made with all that its process needs; nobody else can read it.

    Raises:
        OutputError: If it cannot be written.
    """
    folder = folder_of(root, job.name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"folder ({folder}) cannot be made ({error.strerror}): check its permissions, or "
            "choose another folder for runs."
        ) from None
    if job.text:
        write_atomically(folder / job.text, text, force=True)
    write_atomically(folder / _JOB, json.dumps(asdict(job)).encode(), force=True)
    return folder


def read_job(folder: Path) -> Job:
    """Return the job of a folder.

    Raises:
        OutputError: If there is none, or it is damaged.
    """
    try:
        given = json.loads(read_regular(folder / _JOB, most=_MOST_BYTES))
        job = Job(**{**given, "corpus": tuple(given["corpus"])})
        is_own = job.name == folder.name and job.text in ("", Path(job.text).name)
        if is_own and job.kind in RESULTS:
            return job
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise OutputError(f"job ({folder}) is damaged: start the run anew.")


def write_status(folder: Path, status: Status) -> None:
    """Write how far a job is.

    Raises:
        OutputError: If it cannot be written.
    """
    write_atomically(folder / _STATUS, json.dumps(asdict(status)).encode(), force=True)


def read_status(folder: Path) -> Status:
    """Return how far a job is; the first status where none can be read."""
    try:
        return Status(**json.loads(read_regular(folder / _STATUS, most=_MOST_BYTES)))
    except (OSError, ValueError, TypeError):
        return Status()


def teller(folder: Path) -> Progress:
    """Return what writes a job's status, a few times a second at most."""
    status, said = Status(), 0.0

    def tell(what: str, share: float) -> None:
        nonlocal status, said
        now = time.time()
        if not status.begun:
            status = Status(begun=now, begun_share=share)
        grown = share > status.share or not status.told
        told = now if grown else status.told
        status = replace(status, stage=what, share=min(share, 1.0), told=told)
        if share >= 1 or now - said >= _EVERY_S:
            said = now
            write_status(folder, status)

    return tell
