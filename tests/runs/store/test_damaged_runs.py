"""Run folders that were damaged or made up: each is seen, said in a sentence, or computed anew."""

import dataclasses
import os
import random
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from support.each import each
from support.processes.killing import contents
from support.texts.cheap_run import IDS, computed, figures, make_worker, manifest, run

from inspector.errors import InspectorError, OutputError
from inspector.runs import Engine, RunFolder, RunTarget, ShardResult, compute, run_shards
from inspector.runs.engines.pool import WorkerError
from inspector.runs.store.result import DamageError, decode_result
from inspector.runs.store.shards import encode_shard

MANY = 12


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "run"
    run(path, manifest())
    return path


@pytest.fixture
def folder(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "run")
    return tmp_path / "run"


def refusal(function, *args, **kwargs):
    with pytest.raises(OutputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def told(ask):
    """Return what is given, or the sentence that says why not; anything else is a fault."""
    try:
        return ask(), ""
    except InspectorError as error:
        return None, str(error)


def opened(path):
    """Read all that a run gives, as whoever opens it does."""
    folder = RunFolder.open(path)
    folder.check_complete()
    return {name: folder.read_frame(name) for name in folder.frames}


def resealed(path, **changed):
    """Write a result.json whose checksum fits, with other content."""
    result = decode_result((path / "result.json").read_bytes())
    (path / "result.json").write_bytes(dataclasses.replace(result, **changed).encoded())


# result.json


def test_every_single_byte_of_the_result_counts(folder):
    path = folder / "result.json"
    data = path.read_bytes()
    assert set(opened(folder)) == {"documents", "sums"}
    for place in range(len(data)):
        for other in {data[place] ^ 1 << bit for bit in range(8)} | {32} - {data[place]}:
            with pytest.raises(DamageError):
                decode_result(data[:place] + bytes([other]) + data[place + 1 :])
        with pytest.raises(DamageError):
            decode_result(data[:place])
    for place in range(0, len(data), 37):  # and so whoever opens the folder is told
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert f"result ({path}) of the run is damaged, it" in refusal(opened, folder)
        assert not RunFolder.open(folder).is_complete
    path.write_bytes(data + b" ")
    assert refusal(opened, folder) == (
        f"result ({path}) of the run is damaged, its checksum does not fit: "
        "run the command again with --resume, and it is written anew."
    )
    run(folder, manifest(), resume=True)
    assert path.read_bytes() == data


@each(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"9" * 5000, "it is not JSON"),
        (b"[]", "it is not the list of frames and shards of a run"),
        (b'{"frames": {}, "run_id": "a"}', "it is not the list of frames and shards of a run"),
        (
            b'{"frames": {".x": "a"}, "run_id": "a", "shards": {}, "vocabulary": {}, "sha256": ""}',
            "it is not the list of frames and shards of a run",
        ),
        (
            b'{"frames": {"sums": 3}, "run_id": "a", "shards": {}, "vocabulary": {}, "sha256": ""}',
            "it is not the list of frames and shards of a run",
        ),
        (
            b'{"frames": {}, "run_id": "a", "shards": {}, "vocabulary": {}, "sha256": "a"}',
            "its checksum does not fit",
        ),
    ],
)
def test_what_is_no_result(folder, content, why):
    (folder / "result.json").write_bytes(content)
    assert f"of the run is damaged, {why}: run the command" in refusal(opened, folder)
    (folder / "result.json").write_bytes(content)
    assert "was begun and is not complete" in refusal(RunTarget(folder).check)


def test_the_result_of_another_run(folder):
    resealed(folder, run_id="0" * 64)
    assert "of the run is damaged, it is of another run: run" in refusal(opened, folder)


def test_a_run_without_its_result_is_not_complete(folder):
    (folder / "result.json").unlink()
    assert refusal(opened, folder) == (
        f"run ({folder}) is not complete, so it has no frames: run the command again with --resume."
    )


def test_a_file_instead_of_a_run(folder):
    path = folder / "manifest.json"
    assert refusal(opened, path) == f"run ({path}) is a file: give the folder of a run."


# Frames


def parquet_with(metadata):
    """Return the bytes of a Parquet file whose metadata for pandas are these."""
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table({"sum": [1.0, 2.0]}).replace_schema_metadata({b"pandas": metadata})
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


METADATA = [
    b"",
    b"{",
    b"[]",
    b"3",
    b"null",
    b"{}",
    b"[" * 100_000,
    b'{"index_columns": 3, "columns": [], "column_indexes": []}',
    b'{"index_columns": ["gone"], "columns": [], "column_indexes": []}',
    b'{"index_columns": [{"kind": "range"}], "columns": [], "column_indexes": []}',
    b'{"index_columns": [], "columns": [{"name": "sum"}], "column_indexes": []}',
    b'{"index_columns": [], "columns": [{"name": "sum", "metadata": 5}], "column_indexes": [7]}',
    b'{"columns": [{"field_name": "sum", "numpy_type": "nonsense[ns]", "pandas_type": "x"}]}',
    b"\xff\xfe",
]


@each("metadata", METADATA, ids=range(len(METADATA)))
def test_damaged_metadata_of_pandas_are_no_traceback(folder, metadata):
    import hashlib

    data = parquet_with(metadata)
    (folder / "sums.parquet").write_bytes(data)
    resealed(folder, frames={"sums": hashlib.sha256(data).hexdigest()})
    frame, said = told(lambda: opened(folder)["sums"])
    if said:
        assert said.startswith(f"frame ({folder / 'sums.parquet'}) cannot be read, it")
    else:
        assert frame["sum"].tolist() == [1.0, 2.0]


@each(
    ("data", "why"),
    [
        (b"not parquet", "it is not Parquet"),
        (b"PAR1" + bytes(100) + b"PAR1", "it is not Parquet"),
        (b"", "it is not Parquet"),
        (
            pd.DataFrame({"sum": [1.0]}, index=["a"]).to_parquet(),
            "its rows have names",
        ),
    ],
)
def test_what_is_no_frame_though_its_hash_fits(folder, data, why):
    import hashlib

    (folder / "sums.parquet").write_bytes(data)
    resealed(folder, frames={"sums": hashlib.sha256(data).hexdigest()})
    assert refusal(opened, folder) == (
        f"frame ({folder / 'sums.parquet'}) cannot be read, {why}: "
        "run the command again with --resume, and it is written anew."
    )


# Shards


def with_figures(shard_id, **changed):
    """Return a shard's bytes, sealed anew with other figures."""
    given = figures(shard_id)
    arrays = {**given.arrays, **changed}
    return encode_shard(
        ShardResult(arrays, given.labels), run_id=manifest().run_id, shard_id=shard_id
    )


def test_a_resealed_shard_of_a_complete_run_is_computed_anew(folder, kept, tmp_path):
    path, log = folder / "shards" / "000003.safetensors", tmp_path / "log"
    path.write_bytes(with_figures(3, sums=np.zeros(2)))
    assert RunFolder.open(folder).valid_shards() == [i for i in range(MANY) if i != 3]
    assert refusal(RunFolder.open(folder).read_shard, 3) == (
        f"shard (3) of run ({folder}) cannot be used, it is another one than the run was "
        "completed with: run the command again with --resume, and it is computed anew."
    )
    run(folder, manifest(), resume=True, log=str(log))
    assert computed(log) == [3]
    assert contents(folder) == contents(kept)


def test_swapped_shards_sealed_anew_are_computed_anew(folder, kept, tmp_path):
    for one, other in ((1, 2), (2, 1)):
        data = encode_shard(figures(other), run_id=manifest().run_id, shard_id=one)
        (folder / "shards" / f"{one:06d}.safetensors").write_bytes(data)
    run(folder, manifest(), resume=True, log=str(tmp_path / "log"))
    assert computed(tmp_path / "log") == [1, 2]
    assert contents(folder) == contents(kept)


def test_shards_that_do_not_fit_the_work_are_computed_anew(tmp_path):
    """Of a run that is not complete no list says which shards it had: what they hold must fit."""
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as begun:
        compute(begun, range(4), make_worker)
        log = str(tmp_path / "log")
        results = compute(
            begun,
            range(5),
            lambda: make_worker(log=log),
            fits=lambda shard_id, result: shard_id not in (1, 3),
        )
    assert computed(log) == [1, 3, 4]
    np.testing.assert_array_equal(results[3].arrays["sums"], figures(3).arrays["sums"])


# What is no regular file of the run's own


@each("name", ["shards", "sums.parquet", "manifest.json", "result.json", "lock"])
@each("how", [{"resume": True}, {"force": True}])
def test_a_link_inside_a_run_is_never_written_through(folder, tmp_path, name, how):
    target = tmp_path / "elsewhere"
    if name == "lock":
        target.write_text("mine")
    else:
        (folder / name).rename(target)
    (folder / name).symlink_to(target)
    before = contents(tmp_path / "elsewhere") if target.is_dir() else target.read_bytes()
    expected = (
        f"{name} ({folder / name}) is a symbolic link, which is never written through: "
        "delete the link, or choose another folder."
    )
    if name == "lock":
        expected = f"lock ({folder / name}) does not say which process holds it: delete this file"
    assert refusal(run, folder, manifest(), **how).startswith(expected)
    after = contents(tmp_path / "elsewhere") if target.is_dir() else target.read_bytes()
    assert after == before
    assert (folder / name).is_symlink()


@each("name", ["shards", "claims.parquet"])
def test_a_link_in_a_folder_that_is_no_run_yet(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link, which is never written" in refusal(
        run, tmp_path / "run", manifest()
    )
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_to_a_shard_is_not_written_through(folder, tmp_path):
    path = folder / "shards" / "000003.safetensors"
    (tmp_path / "mine").write_text("mine")
    path.unlink()
    path.symlink_to(tmp_path / "mine")
    assert refusal(run, folder, manifest(), resume=True).startswith(
        f"output ({path}) is a symbolic link, which is never written through"
    )
    assert (tmp_path / "mine").read_text() == "mine"


def test_the_folder_itself_may_be_a_link(tmp_path, kept):
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")
    run(tmp_path / "run", manifest())
    assert contents(tmp_path / "real") == contents(kept)


@each(
    "name",
    ["manifest.json", "result.json", "sums.parquet", "shards/000003.safetensors", "lock"],
)
@each("kind", ["pipe", "folder"])
def test_a_pipe_or_a_folder_instead_of_a_file_ends_in_a_sentence(folder, name, kind):
    path = folder / name
    path.unlink(missing_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.mkdir()
    what = "a pipe" if kind == "pipe" else "Is a directory"
    asked = (
        lambda: opened(folder),
        lambda: RunFolder.open(folder).valid_shards(),
        lambda: run(folder, manifest(), resume=True),
    )
    said = [sentence for _, sentence in map(told, asked) if sentence]
    assert said
    for sentence in said:
        assert what in sentence or "is a folder" in sentence or "not a regular file" in sentence


# Workers


@each(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:1] "
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
    ],
)
@each("workers", [1, 2])
def test_no_memory_left_is_a_sentence(tmp_path, error, workers):
    with pytest.raises(WorkerError) as caught:
        list(run_shards([5], Exhausted(error), Engine(workers=workers)))
    assert str(caught.value) == (
        "shard (5) needs more memory than there is: make room, or use fewer --workers, "
        "and run the command again with --resume; finished shards are kept."
    )


class Exhausted:
    """A worker that has no memory left."""

    def __init__(self, error):
        self.error = error

    def __call__(self):
        return self.work

    def work(self, shard_id):
        raise self.error


@each("workers", [10**9, 3])
def test_never_more_workers_than_shards_or_than_twice_the_cores(monkeypatch, workers):
    asked = []
    monkeypatch.setattr(
        "inspector.runs.engines.engine.in_processes",
        lambda ids, make, n: asked.append(n) or iter(()),
    )
    list(run_shards(IDS, make_worker, Engine(workers=workers)))
    list(run_shards(IDS[:2], make_worker, Engine(workers=workers)))
    list(run_shards(range(10_000), make_worker, Engine(workers=workers)))
    most = max(4, 2 * os.cpu_count())
    assert asked == [min(workers, len(IDS), most), 2, min(workers, most)]


# Anything at all


def damage(path, draw):
    """Do to a file what disks, editors and people do."""
    data = bytearray(path.read_bytes())
    kind = draw.choice(["flip", "cut", "insert", "zero", "delete", "double", "random"])
    if kind == "delete":
        path.unlink()
        return
    place = draw.randrange(len(data)) if data else 0
    if kind == "flip" and data:
        data[place] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del data[place:]
    elif kind == "insert":
        data[place:place] = draw.randbytes(draw.randrange(1, 40))
    elif kind == "zero":
        data[place : place + 16] = bytes(len(data[place : place + 16]))
    elif kind == "double":
        data += bytes(data)
    else:
        data = bytearray(draw.randbytes(len(data)))
    path.write_bytes(data)


def damaged_and_mended(kept, place, rounds, seed):
    """Damage a run, open it, resume it; return how often each ended how, and what was false.

    True are a sentence or the same frames, then the same bytes: or a sentence where the manifest
    no longer says which run this is.
    """
    draw, whole = random.Random(seed), contents(kept)
    frames, ends, false = opened(kept), Counter(), []
    for number in range(rounds):
        folder = place / str(number)
        shutil.copytree(kept, folder)
        victims = draw.sample(sorted(whole), draw.choice([1, 1, 2, 3]))
        for victim in victims:
            damage(folder / victim, draw)
        found, refused = told(lambda folder=folder: opened(folder))
        ends["refused" if refused else "opened"] += 1
        if not refused and not same(found, frames):
            false.append(("opened with other frames", number, victims))
        _, refused = told(lambda folder=folder: run(folder, manifest(), resume=True))
        ends["not resumed" if refused else "mended"] += 1
        if refused and "manifest.json" not in victims:
            false.append((refused, number, victims))
        if not refused and contents(folder) != whole:
            false.append(("mended to other bytes", number, victims))
        shutil.rmtree(folder)
    return ends, false


def same(found, frames):
    return found.keys() == frames.keys() and all(
        found[name].equals(frames[name]) for name in frames
    )


def test_whatever_is_damaged_is_seen(kept, tmp_path):
    ends, false = damaged_and_mended(kept, tmp_path, 25, seed=1)
    assert false == []
    assert ends["refused"] >= 6  # what only shards lack, frames do not show
    assert ends["mended"] >= 16


@pytest.mark.full
def test_whatever_is_damaged_is_seen_at_length(kept, tmp_path):
    ends, false = damaged_and_mended(kept, tmp_path, 1500, seed=random.randrange(10**9))
    assert false == []
    assert ends["refused"] > 400
    assert ends["mended"] > 900
