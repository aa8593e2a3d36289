"""That a worker computes with what the run was begun with: the same files, the same versions."""

from dataclasses import replace

import pytest

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.errors import ModelError
from inspector.models import load
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.shard_worker import ProfileSettings, ProfileWorker
from inspector.runs.profile.versions import identity


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return load(str(tiny_folder()))


@pytest.fixture
def job(tiny):
    read = read_conllu(sample_files()[0])
    return profile_job(
        tiny, replace(read, sentences=read.sentences[:2]), ProfileSettings(ablation=False), None
    )[0]


def test_a_worker_with_the_same_is_made(job, tiny):
    assert ProfileWorker(job).model.file_hashes == tiny.file_hashes
    assert {"torch", "transformers", "numpy", "model.safetensors"} <= job.identity.keys()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("torch", "torch ({}) of a worker must be what the run was begun with (0.4.1)"),
        ("model.safetensors", "model.safetensors ({}) of a worker must be what the run was begun"),
        ("gone.json", "gone.json (none) of a worker must be what the run was begun with (0.4.1)"),
    ],
)
def test_a_worker_with_another_is_not(job, name, words):
    here = job.identity.get(name, "")[:12]
    with pytest.raises(ModelError) as caught:
        ProfileWorker(replace(job, identity={**job.identity, name: "0.4.1"}))
    assert str(caught.value).startswith(words.format(here))
    assert str(caught.value).endswith(
        "(0.4.1): give every machine the same model files and the same packages."
    )


def test_what_is_missing_where_the_run_was_begun_is_seen_too(job):
    rest = {name: value for name, value in job.identity.items() if name != "config.json"}
    assert rest.keys() < job.identity.keys()
    with pytest.raises(ModelError, match=r"^config.json \(\w{12}\) of a worker must be .*\(none\)"):
        ProfileWorker(replace(job, identity=rest))


def test_a_worker_finds_the_model_from_any_folder(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny_folder().parent)
    model = load(tiny_folder().name)
    read = read_conllu(sample_files()[0])
    short = replace(read, sentences=read.sentences[:2])
    job, _ = profile_job(model, short, ProfileSettings(ablation=False), None)
    monkeypatch.chdir(tmp_path)
    assert identity(job.load()) == identity(model)


def test_a_name_stays_a_name(minilm):
    read = read_conllu(sample_files()[0])
    short = replace(read, sentences=read.sentences[:2])
    assert profile_job(minilm, short, ProfileSettings(ablation=False), None)[0].model == "minilm"
