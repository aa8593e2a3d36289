"""`inspector compare`: two runs as a user has them, and what is no run."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from inspector.corpora import default_corpus
from inspector.heads.comparison import HEADS_COLUMNS
from inspector.models import load
from inspector.runs.profiling import profile_corpus
from inspector.runs.shard_work import ProfileSettings


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Return the folders of two runs of a tiny model, over other sentences."""
    folder, whole = tmp_path_factory.mktemp("runs"), default_corpus()
    model = load(tiny_folder("bert"))
    settings = ProfileSettings(twin_seeds=(), coreference=False, cause=False)
    for name, start in (("one", 0), ("two", 30)):
        part = replace(whole, name=name, sentences=whole.sentences[start : start + 30])
        profile_corpus(model, part, folder / name, settings=settings)
    return folder / "one", folder / "two"


def test_a_run_agrees_with_itself(command, runs):
    done = command("compare", runs[0], runs[0])
    assert (done.code, done.err) == (0, "")
    assert "0 of them with other roles" in done.out
    document = json.loads(command("compare", runs[0], runs[0], "--json").out)
    assert all(claim["agree"] for claim in document["claims"])
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
