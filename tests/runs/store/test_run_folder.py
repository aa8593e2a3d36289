"""What a run's folder refuses, in full words, what it takes over, and what it gives back."""

import errno
import functools
import os
import subprocess

import numpy as np
import pandas as pd
import pytest
from support.texts.cheap_run import figures, make_worker, manifest, run

from inspector import output
from inspector.errors import InputError, OutputError
from inspector.runs import Engine, RunFolder, RunTarget, WorkerError, compute

MANY = 12


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    run(path, manifest())
    return contents(path)


@pytest.fixture
def finished(tmp_path):
    run(tmp_path / "run", manifest())
    return tmp_path / "run"


@pytest.fixture
def begun(tmp_path):
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as folder:
        compute(folder, range(5), make_worker)
    return tmp_path / "run"


def refusal(error, function, *args, **kwargs):
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def test_what_a_run_leaves(undisturbed):
    shards = [f"shards/{shard_id:06d}.safetensors" for shard_id in range(MANY)]
    frames = ["documents.parquet", "sums.parquet"]
    assert sorted(undisturbed) == sorted(["manifest.json", "result.json", *shards, *frames])
    assert undisturbed["manifest.json"].decode() == manifest().text()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_second_run_gives_the_same_bytes_however_many_work(tmp_path, undisturbed, workers):
    run(tmp_path / "run", manifest(), workers=workers)
    assert contents(tmp_path / "run") == undisturbed


def test_results_come_in_the_order_that_was_asked_for(tmp_path):
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as folder:
        results = compute(folder, [7, 2, 5], make_worker, Engine(workers=2))
        assert folder.valid_shards() == [2, 5, 7]
    for shard_id, result in zip([7, 2, 5], results, strict=True):
        np.testing.assert_array_equal(result.arrays["sums"], figures(shard_id).arrays["sums"])


def test_progress_tells_rate_and_time_left(tmp_path):
    heard = []
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as folder:
        compute(folder, [0, 1], make_worker)
        make = functools.partial(make_worker, pause=0.05)
        compute(folder, range(4), make, progress=lambda what, share: heard.append((what, share)))
    assert [share for _, share in heard] == [0.5, 0.75, 1.0]
    assert heard[0][0] == "Shards 2 of 4"
    assert (
        pd.Series([what for what, _ in heard[1:]])
        .str.fullmatch(r"Shards [34] of 4, \d+\.\d a second, 0 s left")
        .all()
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(59.4, "59 s"), (59.6, "1 min 0 s"), (3700.0, "1 h 1 min")]
)
def test_durations(seconds, text):
    from inspector.runs.engines.engine import _duration

    assert _duration(seconds) == text


# What stands there already


def test_a_run_that_is_not_complete_is_gone_on_with_only_when_asked(begun, undisturbed):
    expected = (
        f"run ({begun}) was begun and is not complete: go on with it (resume=True, --resume on "
        "the command line), choose another folder, or have it computed anew "
        "(force=True, --force on the command line)."
    )
    assert refusal(OutputError, run, begun, manifest()) == expected
    assert refusal(OutputError, RunTarget(begun).check) == expected
    assert RunTarget(begun, resume=True).check() == manifest()
    assert not RunFolder.open(begun).is_complete
    run(begun, manifest(), resume=True)
    assert contents(begun) == undisturbed
    assert RunFolder.open(begun).is_complete


def test_a_complete_run_is_left_alone(finished, undisturbed):
    assert refusal(OutputError, run, finished, manifest()) == (
        f"run ({finished}) is complete already: choose another folder, "
        "or have it computed anew (force=True, --force on the command line)."
    )
    assert contents(finished) == undisturbed


def test_a_complete_run_that_is_resumed_computes_nothing(tmp_path, finished, undisturbed):
    log = tmp_path / "log"
    run(finished, manifest(), resume=True, log=str(log))
    assert not log.exists()
    assert contents(finished) == undisturbed


def test_force_computes_anew_and_deletes_only_what_was_the_runs(finished, undisturbed):
    (finished / "mine.parquet").write_bytes(b"mine")
    (finished / "shards" / "notes.txt").write_bytes(b"mine")
    run(finished, manifest(3), force=True)
    left = contents(finished)
    assert left.pop("mine.parquet") == left.pop("shards/notes.txt") == b"mine"
    assert len([name for name in left if name.startswith("shards/")]) == 3
    assert RunFolder.open(finished).manifest == manifest(3)
    assert left["sums.parquet"] != undisturbed["sums.parquet"]


def test_force_leaves_no_old_frame_where_the_result_that_lists_them_is_damaged(finished):
    (finished / "mine.parquet").write_bytes(b"mine")
    (finished / "result.json").write_text("{")
    with RunFolder.create(
        RunTarget(finished, force=True), manifest(3), frames=("sums", "documents", "none")
    ):
        assert sorted(path.name for path in finished.glob("*.parquet")) == ["mine.parquet"]


def test_other_settings_are_refused_with_the_list(begun):
    before = contents(begun)
    other = manifest(batch_size=16, corpus_sha256="3" * 64)
    assert refusal(InputError, run, begun, other, resume=True) == (
        f"run ({begun}) was begun with other settings (its own ≠ the ones given now): "
        "corpus sha256: 222222222222… ≠ 333333333333…; batch size: 8 ≠ 16. "
        "Give the same ones, or choose another folder."
    )
    assert contents(begun) == before


def test_resume_where_nothing_stands_begins(tmp_path, undisturbed):
    run(tmp_path / "run", manifest(), resume=True)
    assert contents(tmp_path / "run") == undisturbed


def test_resume_and_force_contradict_each_other(tmp_path):
    text = refusal(InputError, run, tmp_path / "run", manifest(), resume=True, force=True)
    assert text == (
        "resume and force are both given, and only one can be: "
        "resume goes on with what is there, force deletes it."
    )


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_no_run_is_left_alone(tmp_path, force):
    (tmp_path / "thesis.txt").write_text("mine")
    assert refusal(OutputError, run, tmp_path, manifest(), force=force) == (
        f"folder ({tmp_path}) has files of its own and is not a run: "
        "choose a new folder for the run."
    )
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_an_empty_folder_is_taken(tmp_path, undisturbed):
    run(tmp_path, manifest())
    assert contents(tmp_path) == undisturbed


def test_a_run_killed_before_its_manifest_was_written_is_begun_again(tmp_path, undisturbed):
    (tmp_path / "shards").mkdir()
    (tmp_path / ".inspector-0123456789abcdef.tmp").write_text("half")
    run(tmp_path, manifest())
    assert contents(tmp_path) == undisturbed


def test_leftovers_are_deleted(begun, undisturbed):
    (begun / "shards" / ".inspector-0123456789abcdef.tmp").write_text("half")
    run(begun, manifest(), resume=True)
    assert contents(begun) == undisturbed


def test_a_file_a_missing_parent_and_a_link_are_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert refusal(OutputError, RunTarget(file).check) == (
        f"run ({file}) is a file: choose another place for the folder."
    )
    assert refusal(OutputError, RunTarget(tmp_path / "no" / "run").check) == (
        f"folder ({tmp_path / 'no'}) does not exist: make it first, or choose another place."
    )
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "is a symbolic link" in refusal(OutputError, RunTarget(tmp_path / "link").check)


def test_a_read_only_folder_is_refused_before_anything_is_computed(begun):
    begun.chmod(0o555)
    try:
        assert refusal(OutputError, RunTarget(begun, resume=True).check) == (
            f"folder ({begun}) is read-only: change its permissions, or choose another place."
        )
    finally:
        begun.chmod(0o755)


def test_opening_what_is_no_run(tmp_path):
    assert refusal(OutputError, RunFolder.open, tmp_path / "no") == (
        f"run ({tmp_path / 'no'}) does not exist: give the folder of a run."
    )
    assert refusal(OutputError, RunFolder.open, tmp_path) == (
        f"run ({tmp_path}) has no manifest.json, so it is not a run: give the folder of one."
    )
    (tmp_path / "manifest.json").write_text("{")
    assert f"manifest ({tmp_path / 'manifest.json'}) is not JSON" in refusal(
        OutputError, RunFolder.open, tmp_path
    )


@pytest.mark.parametrize("text", ["", "[]", '{"run_id": "other", "frames": {}}'])
def test_a_damaged_result_means_not_complete_and_resume_mends_it(finished, undisturbed, text):
    (finished / "result.json").write_text(text)
    assert not RunFolder.open(finished).is_complete
    run(finished, manifest(), resume=True)
    assert contents(finished) == undisturbed


# Shards


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: b"",
        lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
        lambda data: None,
    ],
    ids=["truncated", "zeroed", "emptied", "flipped", "deleted"],
)
def test_a_damaged_shard_and_only_that_one_is_computed_again(
    tmp_path, finished, undisturbed, damage
):
    path = finished / "shards" / "000004.safetensors"
    data = damage(path.read_bytes())
    path.unlink() if data is None else path.write_bytes(data)
    folder = RunFolder.open(finished)
    assert folder.valid_shards() == [number for number in range(MANY) if number != 4]
    assert refusal(OutputError, folder.read_shard, 4).startswith(f"shard (4) of run ({finished}) ")
    log = tmp_path / "log"
    run(finished, manifest(), resume=True, log=str(log))
    assert log.read_text() == "4\n"
    assert contents(finished) == undisturbed


def test_a_shard_under_anothers_name_or_of_another_run_does_not_count(begun, tmp_path):
    shards = begun / "shards"
    (shards / "000009.safetensors").write_bytes((shards / "000001.safetensors").read_bytes())
    with RunFolder.create(RunTarget(tmp_path / "other"), manifest(batch_size=9)) as other:
        compute(other, [8], make_worker)
    stranger = tmp_path / "other" / "shards" / "000008.safetensors"
    (shards / "000008.safetensors").write_bytes(stranger.read_bytes())
    (shards / "5.safetensors").write_bytes(b"")
    folder = RunFolder.open(begun)
    assert folder.valid_shards() == [0, 1, 2, 3, 4]
    assert refusal(OutputError, folder.read_shard, 9) == (
        f"shard (9) of run ({begun}) cannot be used, it is shard 1: "
        "run the command again with --resume, and it is computed anew."
    )
    assert "it belongs to another run (" in refusal(OutputError, folder.read_shard, 8)
    assert refusal(OutputError, folder.read_shard, 7) == (
        f"shard (7) of run ({begun}) has not been computed: run the command again with --resume."
    )


def test_a_number_that_the_run_does_not_have(begun):
    assert refusal(ValueError, RunFolder.open(begun).read_shard, 12) == (
        "shard (12) must be one of 12, from 0."
    )


def test_a_run_that_is_open_for_reading_is_not_written_to(finished):
    with pytest.raises(RuntimeError, match=r"inside `with RunFolder\.create"):
        RunFolder.open(finished).write_shard(0, figures(0))
    with RunFolder.create(RunTarget(finished, resume=True), manifest()) as folder:
        pass
    with pytest.raises(RuntimeError, match=r"inside `with RunFolder\.create"):
        folder.write_shard(0, figures(0))


# Frames


def test_frames_come_back_with_their_dtypes(tmp_path):
    frame = pd.DataFrame(
        {
            "layer": np.array([0, 1, 2], np.int64),
            "head": np.array([3, 4, 5], np.int32),
            "share": [0.1, np.nan, -np.inf],
            "supported": [True, False, True],
            "relation": ["nsubj", "été", "\U0001f600"],
            "verdict": pd.Categorical(["a", "b", "a"], categories=["b", "a"], ordered=True),
            "document": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    empty = frame.drop(columns="verdict").iloc[:0]  # Parquet drops unused categories
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as folder:
        folder.write_frame("claims", frame)
        folder.write_frame("empty", empty)
        pd.testing.assert_frame_equal(folder.read_frame("claims"), frame, check_exact=True)
        folder.finish()
    again = RunFolder.open(tmp_path / "run")
    assert again.frames == ["claims", "empty"]
    pd.testing.assert_frame_equal(again.read_frame("claims"), frame, check_exact=True)
    pd.testing.assert_frame_equal(again.read_frame("empty"), empty, check_exact=True)


def test_a_frame_that_is_not_there(finished):
    assert refusal(InputError, RunFolder.open(finished).read_frame, "claims") == (
        f"frame (claims) is not in the run {finished}: choose one that is. "
        "Available: documents, sums."
    )


def test_a_frame_of_a_run_that_is_not_complete(begun):
    assert refusal(OutputError, RunFolder.open(begun).read_frame, "sums") == (
        f"run ({begun}) is not complete, so it has no frames: run the command again with --resume."
    )


def test_a_frame_that_was_changed_or_deleted(finished):
    path = finished / "sums.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert refusal(OutputError, RunFolder.open(finished).read_frame, "sums") == (
        f"frame ({path}) cannot be read, it was changed since the run was completed: "
        "run the command again with --resume, and it is written anew."
    )
    path.unlink()
    assert f"frame ({path}) cannot be read, No such file" in refusal(
        OutputError, RunFolder.open(finished).read_frame, "sums"
    )


@pytest.mark.parametrize("name", ["../x", "a.b", "", "Claims", "1"])
def test_a_frames_name_is_plain(tmp_path, name):
    with RunFolder.create(RunTarget(tmp_path / "run"), manifest()) as folder:
        text = refusal(ValueError, folder.write_frame, name, pd.DataFrame())
    assert text == f"frame ({name}) must be named in a-z, 0-9 and _, a letter first."


# Workers that fail


@pytest.mark.parametrize(("mishap", "error"), [("die", WorkerError), ("refuse", InputError)])
def test_what_was_finished_before_a_worker_failed_is_kept(tmp_path, undisturbed, mishap, error):
    path, log = tmp_path / "run", tmp_path / "log"
    with pytest.raises(error):
        run(path, manifest(), workers=2, log=str(log), mishaps={11: mishap})
    assert not (path / "lock").exists()
    kept = RunFolder.open(path).valid_shards()
    assert 11 not in kept
    assert len(kept) >= MANY - 2  # at most one other was being computed
    log.unlink()
    run(path, manifest(), resume=True, log=str(log))
    assert sorted(map(int, log.read_text().split())) == sorted(set(range(MANY)) - set(kept))
    assert contents(path) == undisturbed


# The disk is full


def is_of_the_full_disk(error, path):
    text = str(error.value)
    assert text.startswith(f"run ({path}) cannot be written, the disk is full (")
    assert text.endswith(
        " MB free): make room and run the command again with --resume. "
        "The finished shards are kept."
    )
    assert error.value.exit_code == 4
    return True


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_what_was_finished(tmp_path, monkeypatch, undisturbed, code):
    path, sync, syncs = tmp_path / "run", os.fsync, []

    def full(descriptor):
        syncs.append(descriptor)
        if len(syncs) > 13:
            raise OSError(code, os.strerror(code))
        sync(descriptor)

    monkeypatch.setattr(output.os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        run(path, manifest())
    assert is_of_the_full_disk(caught, path)
    monkeypatch.undo()
    left = contents(path)
    assert 2 < len(left) < 8
    assert left.items() <= undisturbed.items()  # whole or not there
    run(path, manifest(), resume=True)
    assert contents(path) == undisturbed


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no tmpfs can be mounted here: {error}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_is_really_full(small_disk, undisturbed, workers):
    path = small_disk / "run"
    with pytest.raises(OutputError) as caught:
        run(path, manifest(), workers=workers)
    assert is_of_the_full_disk(caught, path)
    left = contents(path)
    assert "manifest.json" in left
    assert 2 < len(left) < MANY
    assert left.items() <= undisturbed.items()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    run(path, manifest(), resume=True, workers=workers)
    assert contents(path) == undisturbed
