"""`inspector compare`: two runs as a user has them, and what is no run."""

import hashlib
import json
import os
import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from support.each import each

from inspector.corpora import default_corpus
from inspector.heads.specialization.profile_comparison import HEADS_COLUMNS
from inspector.models import load
from inspector.runs import RunTarget
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.store.manifest import SCHEMA
from inspector.runs.store.result import decode_result


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Return the folders of two runs of a tiny model, over other sentences."""
    folder, whole = tmp_path_factory.mktemp("runs"), default_corpus()
    model = load(tiny_folder("bert"))
    settings = ProfileSettings(random_init_seeds=(), coreference=False, ablation=False)
    for name, start in (("one", 0), ("two", 30)):
        part = replace(whole, name=name, sentences=whole.sentences[start : start + 30])
        profile_corpus(model, part, RunTarget(folder / name), settings=settings)
    return folder / "one", folder / "two"


def test_a_run_agrees_with_itself(command, runs):
    done = command("compare", runs[0], runs[0])
    assert (done.code, done.err) == (0, "")
    assert "0 of them with other roles" in done.out
    document = json.loads(command("compare", runs[0], runs[0], "--json").out)
    # Nothing is supported, so nothing agrees; on its own text each claim has the lift of itself.
    assert "0 of 0 claims that either supports agree." in done.out
    assert not any(claim["agree"] for claim in document["claims"])
    for claim in document["claims"]:
        assert claim["replicated_lift"] == claim["other_replicated_lift"] is not None
    assert all(head["entropy_nats_difference"] == 0 for head in document["heads"])


def test_two_runs_differ_and_the_heads_are_written(command, runs, tmp_path):
    output = tmp_path / "heads.parquet"
    done = command("compare", *runs, "-o", output)
    assert (done.code, done.err) == (0, "")
    frame = pd.read_parquet(output)
    assert list(frame.columns) == list(HEADS_COLUMNS)
    assert (frame["entropy_nats_difference"] != 0).any()
    assert f"{len(frame)} rows written to {output}" in done.out
    again = command("compare", *runs, "-o", output)
    assert again.code == 4
    assert "--force" in again.err


def test_what_is_no_run_is_refused(command, runs, tmp_path):
    done = command("compare", runs[0], tmp_path / "none")
    assert done.code == 4
    assert done.err == (
        f"inspector: run ({tmp_path / 'none'}) does not exist: give the folder of a run.\n"
    )


def resealed(folder, change):
    """Change a run's list of frames, and seal it again, as whoever meant to would."""
    result = decode_result((folder / "result.json").read_bytes())
    frames = {name: digest for name, digest in change(dict(result.frames)).items() if digest}
    (folder / "result.json").write_bytes(replace(result, frames=frames).encoded())


def rewritten(name, change):
    """Return what replaces a frame by another, and lists it as if it were the run's."""

    def damage(folder):
        path = folder / f"{name}.parquet"
        change(pd.read_parquet(path)).to_parquet(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        resealed(folder, lambda frames: {**frames, name: digest})

    return damage


def flipped(name, place):
    def damage(folder):
        data = bytearray((folder / name).read_bytes())
        data[place] ^= 1
        (folder / name).write_bytes(data)

    return damage


def piped(folder):
    (folder / "behaviour.parquet").unlink()
    os.mkfifo(folder / "behaviour.parquet")


def of_schema_1(folder):
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**document, "schema": 1}))


FRAME = "frame ({run}/%s.parquet) "
CHANGED = (
    ": the run was changed, or another version of inspector wrote it. Run the command again with "
    "--resume, or profile anew."
)
DAMAGED = {
    "not finished": (
        lambda folder: (folder / "result.json").unlink(),
        "run ({run}) is not complete, so it has no frames: run the command again with --resume.",
    ),
    "a byte of its result": (
        flipped("result.json", 100),
        "result ({run}/result.json) of the run is damaged, it",
    ),
    "a byte of its manifest": (
        flipped("manifest.json", -3),
        "manifest ({run}/manifest.json) ",
    ),
    "another version's": (
        of_schema_1,
        (
            "manifest ({run}/manifest.json) has schema 1, and this inspector reads schema "
            f"{SCHEMA}: use the"
        ),
    ),
    "no manifest": (
        lambda folder: (folder / "manifest.json").unlink(),
        "run ({run}) has no manifest.json, so it is not a run: give the folder of one.",
    ),
    "a frame is gone": (
        lambda folder: (folder / "claims.parquet").unlink(),
        FRAME % "claims" + "cannot be read, No such file or directory: ",
    ),
    "a byte of a frame": (
        flipped("behaviour.parquet", 500),
        FRAME % "behaviour" + "cannot be read, it was changed since the run was completed: ",
    ),
    "a pipe": (piped, FRAME % "behaviour" + "cannot be read, it is a pipe, not a regular file: "),
    "a frame is not listed": (
        lambda folder: resealed(folder, lambda frames: {**frames, "roles": ""}),
        FRAME % "roles" + "cannot be used, it is not there" + CHANGED,
    ),
    "a column is missing": (
        rewritten("claims", lambda frame: frame.drop(columns="lift")),
        FRAME % "claims" + "cannot be used, it lacks the column 'lift'" + CHANGED,
    ),
    "a column too many": (
        rewritten("roles", lambda frame: frame.assign(x=1)),
        FRAME % "roles" + "cannot be used, it has a column 'x' that no such frame has" + CHANGED,
    ),
    "a column of words": (
        rewritten("behaviour", lambda frame: frame.assign(entropy_nats="much")),
        FRAME % "behaviour"
        + "cannot be used, its column 'entropy_nats' holds str, not float64"
        + CHANGED,
    ),
    "columns in another order": (
        rewritten("totals", lambda frame: frame[frame.columns[::-1]]),
        FRAME % "totals" + "cannot be used, its columns stand in another order" + CHANGED,
    ),
    "named rows": (
        rewritten("roles", lambda frame: frame.set_index("layer")),
        FRAME % "roles" + "cannot be read, its rows have names: ",
    ),
}


@each(("damage", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_run_that_is_not_whole_is_refused_in_a_sentence(command, runs, tmp_path, damage, words):
    folder = tmp_path / "run"
    shutil.copytree(runs[0], folder)
    damage(folder)
    for pair in ((folder, runs[1]), (runs[1], folder)):
        done = command("compare", *pair)
        assert (done.code, done.out) == (4, "")
        assert done.err.startswith(f"inspector: {words.format(run=folder)}")
        assert done.err.count("\n") == 1


def test_a_file_is_no_run(command, runs):
    path = runs[0] / "claims.parquet"
    done = command("compare", runs[0], path)
    assert (done.code, done.err) == (
        4,
        f"inspector: run ({path}) is a file: give the folder of a run.\n",
    )


def with_roles(folder, target, rows):
    """Return a copy of a run whose heads have other roles: (layer, head, role)."""
    shutil.copytree(folder, target)
    before = pd.read_parquet(target / "roles.parquet")
    roles = pd.DataFrame(rows, columns=["layer", "head", "role"]).assign(
        evidence="x", effect=0.5, ci_low=0.4, ci_high=0.6
    )
    roles = roles[list(before)].astype(before.dtypes.to_dict())
    roles.to_parquet(target / "roles.parquet")
    digest = hashlib.sha256((target / "roles.parquet").read_bytes()).hexdigest()
    resealed(target, lambda frames: {**frames, "roles": digest})
    return target


def test_a_gate_fails_where_a_head_has_lost_a_role(command, runs, tmp_path):
    import inspector

    before = with_roles(
        runs[0], tmp_path / "before", [(0, 1, "broad"), (1, 0, "syntactic:obj"), (1, 0, "broad")]
    )
    after = with_roles(runs[0], tmp_path / "after", [(0, 1, "broad"), (1, 1, "syntactic:obj")])
    done = command("compare", before, after, "--fail-on", "lost-role")
    assert done.code == 1
    assert done.err == "inspector: 2 roles lost: 1-0 syntactic:obj, 1-0 broad.\n"
    short = command("compare", before, after)
    assert short.code == 0
    assert "\n1\t0\tbroad, syntactic:obj\t" in short.out
    chosen = command("compare", before, after, "--columns", "head,roles_lost")
    assert "Heads whose roles differ\nhead\troles_lost\n0\t2\n1\t0\n" in chosen.out
    whole = command("compare", before, after, "--all")
    assert "\t".join(HEADS_COLUMNS) in whole.out
    assert len(re.findall(r"(?m)^\d\t\d\t", whole.out)) == 12, "every head"
    more = [(0, 1, "broad"), (1, 1, "syntactic:obj"), (1, 1, "broad")]
    gained = with_roles(runs[0], tmp_path / "gained", more)
    for pair in ((before, before), (after, gained)):
        same = command("compare", *pair, "--fail-on", "lost-role")
        assert (same.code, same.err) == (0, "")
    written = command("compare", before, after, "--fail-on", "lost-role", "--json")
    document = json.loads(written.out)
    assert written.code == 1
    assert [row["role"] for row in document["lost_roles"]] == ["syntactic:obj", "broad"]
    lost = inspector.lost_roles(before, after)
    expected = inspector.open_run(before).roles.iloc[1:].reset_index(drop=True)
    pd.testing.assert_frame_equal(lost, expected)
    assert inspector.lost_roles(after, after).empty


def test_another_gate_is_refused(command, runs):
    done = command("compare", *runs, "--fail-on", "anything")
    assert done.code == 2
    assert done.err == (
        "inspector: fail-on (anything) must be one of these. Available: lost-role.\n"
    )
