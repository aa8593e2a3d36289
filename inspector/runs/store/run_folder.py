"""A run's folder: manifest.json, shards/000123.safetensors, the frames, and last result.json.

Every file is whole or not there. A shard counts only if its checksum, run and number fit, and,
once the run is complete, the seal that result.json lists; a frame only if result.json, which is
written last, lists it with its SHA-256.
"""

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from inspector.errors import InputError, OutputError
from inspector.input import read_regular
from inspector.output import write_atomically
from inspector.records import FRAME_WRITERS
from inspector.runs.store.folder_checks import (
    FRAME_SUFFIX,
    MANIFEST,
    MOST_BYTES,
    RESULT,
    SHARDS,
    TEMPORARY,
    RunTarget,
    in_words,
    read_result,
    recorded_manifest,
    standing_run,
)
from inspector.runs.store.lock import locked
from inspector.runs.store.manifest import Manifest, differences
from inspector.runs.store.result import FRAME_NAME, DamageError, Result, read_parquet
from inspector.runs.store.shards import ShardError, ShardResult, decode_shard, encode_shard, seal_of

if TYPE_CHECKING:
    import pandas as pd

Read = TypeVar("Read")
_NUMBER = re.compile(r"[0-9]{6}|[1-9][0-9]{6,17}")  # as f"{shard_id:06d}" writes it


class RunFolder:
    """One run on the disk. `open` gives one to read, `create` one to write to as well."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Take the folder as it stands; users call `open` or `create`."""
        self.path = path
        self.manifest = manifest
        self._result: Result | None = None
        self._damage = ""
        try:
            self._result = read_result(path, manifest.run_id)
        except DamageError as error:
            self._damage = str(error)
        self._frames = dict(self._result.frames) if self._result else {}
        self._seals = dict(self._result.shards) if self._result else {}
        self._writable = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return a run to read, complete or not.

        Args:
            path: The run's folder.

        Raises:
            OutputError: If there is no run, or its manifest cannot be used.
        """
        folder = Path(path)
        with in_words(folder):
            if not folder.is_dir():
                what = "is a file" if folder.exists() else "does not exist"
                raise OutputError(f"run ({folder}) {what}: give the folder of a run.")
            manifest = recorded_manifest(folder)
            if manifest is None:
                raise OutputError(
                    f"run ({folder}) has no {MANIFEST}, so it is not a run: give the folder of one."
                )
            return cls(folder, manifest)

    @classmethod
    @contextmanager
    def create(
        cls,
        target: RunTarget,
        manifest: Manifest,
        *,
        frames: Collection[str] = (),
    ) -> Iterator["RunFolder"]:
        """Give a run to write to, alone, until the block ends.

        Args:
            target: The run's folder, made where its parent exists; a run is gone on with where it
                was started with the very same manifest.
            manifest: What the run's results depend on.
            frames: Which a run may have: deleted with them where its result.json, which would say
                which it has, is damaged.

        Raises:
            InputError: If the run that stands there was started with other settings.
            OutputError: If the place is taken or cannot be written to, or another process
                is writing there.
        """
        folder = target.folder
        target.check()
        with ExitStack() as until_the_end:
            with in_words(folder):
                folder.mkdir(exist_ok=True)
                until_the_end.enter_context(locked(folder))
                # Again: another process may have been here since.
                recorded = standing_run(target)
                _delete_leftovers(folder)
                if recorded is not None and target.force:
                    _clear(cls(folder, recorded), frames)
                elif recorded is not None:
                    _check_same(folder, recorded, manifest)
                (folder / SHARDS).mkdir(exist_ok=True)
                if recorded is None or target.force:
                    write_atomically(
                        folder / MANIFEST, manifest.text().encode(), force=target.force
                    )
                run = cls(folder, manifest)
            run._writable = True
            try:
                yield run
            finally:
                run._writable = False

    @property
    def is_complete(self) -> bool:
        """Whether `finish` has been called: the frames are there."""
        return self._result is not None

    def check_complete(self) -> None:
        """Pass if the run is complete.

        Raises:
            OutputError: If it is not, or its result.json is damaged.
        """
        again = "run the command again with --resume"
        if self._damage:
            raise OutputError(
                f"result ({self.path / RESULT}) of the run is damaged, {self._damage}: {again}, "
                "and it is written anew."
            )
        if not self.is_complete:
            raise OutputError(f"run ({self.path}) is not complete, so it has no frames: {again}.")

    @property
    def frames(self) -> list[str]:
        """The names of the frames that `read_frame` can give."""
        return sorted(self._frames)

    def valid_shards(self, fits: Callable[[int, ShardResult], bool] | None = None) -> list[int]:
        """Return the ids of the shards that are there and whole, in order; others don't count.

        Args:
            fits: Which of them count; all where not given.
        """
        valid = []
        with in_words(self.path):
            for shard_id, path in self._shard_files():
                with suppress(FileNotFoundError, ShardError):
                    result = self._decode(shard_id, read_regular(path, most=MOST_BYTES))
                    if fits is None or fits(shard_id, result):
                        valid.append(shard_id)
        return valid

    def read_shard(self, shard_id: int) -> ShardResult:
        """Return what a shard gave.

        Raises:
            OutputError: If it is not there, or not whole.
        """
        with in_words(self.path):
            try:
                data = read_regular(self._shard_path(shard_id), most=MOST_BYTES)
                return self._decode(shard_id, data)
            except FileNotFoundError as error:
                raise OutputError(
                    f"shard ({shard_id}) of run ({self.path}) has not been computed: "
                    "run the command again with --resume."
                ) from error
            except ShardError as error:
                raise OutputError(
                    f"shard ({shard_id}) of run ({self.path}) cannot be used, {error}: "
                    "run the command again with --resume, and it is computed anew."
                ) from error

    def write_shard(self, shard_id: int, result: ShardResult) -> None:
        """Write what a shard gave; afterwards all of it is on the disk, or nothing has changed.

        Raises:
            OutputError: If it cannot be written.
        """
        data = encode_shard(result, run_id=self.manifest.run_id, shard_id=shard_id)
        self._write(self._shard_path(shard_id), data)
        self._seals[self._shard_path(shard_id).stem] = seal_of(data)

    def write_frame(self, name: str, frame: "pd.DataFrame") -> None:
        """Write a frame as Parquet, under its name. It counts once `finish` has been called.

        Raises:
            OutputError: If it cannot be written.
            ValueError: If the name is not one of lower-case letters, digits and underscores.
        """
        if not FRAME_NAME.fullmatch(name):
            raise ValueError(f"frame ({name}) must be named in a-z, 0-9 and _, a letter first.")
        data = FRAME_WRITERS[FRAME_SUFFIX](frame)
        self._write(self.path / f"{name}{FRAME_SUFFIX}", data)
        self._frames[name] = hashlib.sha256(data).hexdigest()

    def finish(self, vocabulary: Mapping[str, int] | None = None) -> None:
        """Declare the run complete: result.json lists its frames, its shards, and what is unknown.

        Raises:
            OutputError: If it cannot be written.
        """
        result = Result(
            self.manifest.run_id, dict(self._frames), dict(self._seals), dict(vocabulary or {})
        )
        self._write(self.path / RESULT, result.encoded())
        self._result, self._damage = result, ""

    def read_frame(self, name: str) -> "pd.DataFrame":
        """Return a frame of the run.

        Raises:
            InputError: If the run is complete and has no such frame.
            OutputError: If the run is not complete, or the frame's file is missing or was changed.
        """
        if name not in self._frames:
            self.check_complete()
            raise InputError(
                f"frame ({name:.80}) is not in the run {self.path}: choose one that is. "
                f"Available: {', '.join(self.frames)}."
            )
        return self._read(name, read_parquet)

    def check_frames(self) -> None:
        """Pass if the run is complete, and every frame's file as it was when it was completed.

        Raises:
            OutputError: If not.
        """
        self.check_complete()
        for name in self.frames:
            self._read(name, len)

    def _read(self, name: str, read: Callable[[bytes], Read]) -> Read:
        path = self.path / f"{name}{FRAME_SUFFIX}"
        try:
            data = read_regular(path, most=MOST_BYTES)
            if hashlib.sha256(data).hexdigest() == self._frames[name]:
                return read(data)
            reason = "it was changed since the run was completed"
        except (OSError, DamageError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"frame ({path}) cannot be read, {reason}: "
            "run the command again with --resume, and it is written anew."
        )

    def _shard_path(self, shard_id: int) -> Path:
        if not 0 <= shard_id < self.manifest.n_shards:
            raise ValueError(f"shard ({shard_id}) must be one of {self.manifest.n_shards}, from 0.")
        return self.path / SHARDS / f"{shard_id:06d}.safetensors"

    def _shard_files(self) -> list[tuple[int, Path]]:
        """Return what lies in shards/ under the name of a shard of this run, in order."""
        n_shards = self.manifest.n_shards
        numbers = [path.stem for path in (self.path / SHARDS).glob("*.safetensors")]
        ids = sorted(int(number) for number in numbers if _NUMBER.fullmatch(number))
        return [(shard_id, self._shard_path(shard_id)) for shard_id in ids if shard_id < n_shards]

    def _decode(self, shard_id: int, data: bytes) -> ShardResult:
        result = decode_shard(data, run_id=self.manifest.run_id, shard_id=shard_id)
        name = self._shard_path(shard_id).stem
        if self._seals.setdefault(name, seal_of(data)) != seal_of(data):
            raise ShardError("it is another one than the run was completed with")
        return result

    def _write(self, path: Path, data: bytes) -> None:
        if not self._writable:
            raise RuntimeError("a run is written to inside `with RunFolder.create(...)` only.")
        with in_words(self.path):
            write_atomically(path, data, force=True)


def _check_same(folder: Path, recorded: Manifest, manifest: Manifest) -> None:
    if lines := differences(recorded, manifest):
        raise InputError(
            f"run ({folder}) was begun with other settings (its own ≠ the ones given now): "
            f"{'; '.join(lines)}. Give the same ones, or choose another folder."
        )


def _delete_leftovers(folder: Path) -> None:
    """Delete what a process that was killed had not finished writing."""
    for place in (folder, folder / SHARDS):
        for leftover in place.glob(TEMPORARY):
            leftover.unlink()


def _clear(run: RunFolder, may_have: Collection[str]) -> None:
    """Delete what a run has written, and nothing else; the manifest stays until it is replaced."""
    (run.path / RESULT).unlink(missing_ok=True)
    for name in may_have if run._damage else run.frames:
        (run.path / f"{name}{FRAME_SUFFIX}").unlink(missing_ok=True)
    for _, path in run._shard_files():
        path.unlink(missing_ok=True)
