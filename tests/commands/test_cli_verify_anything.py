"""`inspector verify FOLDER` for folders of any architecture, with and without a tokenizer."""

import json

import pytest
import torch

import inspector
from inspector.errors import InputError
from inspector.models.tiny_models import configuration


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    def save(name):
        folder = tmp_path_factory.mktemp("verify")
        configuration(name).build().save_pretrained(folder)
        return folder

    return save


@pytest.mark.parametrize("name", ["gpt2", "t5", "vit", "mixtral"])
def test_a_folder_of_a_routed_family_is_verified(command, saved, name):
    done = command("verify", saved(name), "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["passed"] is True
    assert report["route"] == "backend"
    assert report["reason"] is None
    coverage = report["coverage"]
    assert coverage["reached"] == coverage["total"] > 0
    assert coverage["not_reached"] == []
    assert {row["stage"] for row in report["layers"]} == {
        *inspector.verification.STAGES,
        "gradient",
    }
    assert report["not_from_weights"] == {}
    assert all(control["caught"] for control in report["controls"])


def test_a_family_that_is_not_supported_exits_1_with_its_reason(command, saved):
    folder = saved("yoso")
    done = command("verify", folder, "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert report["passed"] is False
    assert report["route"] == "none"
    assert report["reason"] == (
        "YosoSelfAttention computes attention by mathematics of its own (weights are how likely "
        "hashes of query and key agree, not a softmax), in which inspector's function has no part."
    )
    assert report["coverage"]["reached"] == 0
    shown = command("verify", folder)
    assert shown.code == 1
    assert "mathematics of its own" in " ".join((shown.out + shown.err).split())
    assert "Deliberate mistakes" not in shown.out
    assert "Largest" not in shown.out


def test_a_folder_without_a_tokenizer_is_verified_on_random_ids(tiny_folder, command, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_folder("bert"), tmp_path / "bert")
    for file in folder.glob("*token*"):
        file.unlink()
    (folder / "vocab.txt").unlink(missing_ok=True)
    done = command("verify", folder, "--json")
    assert done.code == 0, done.err
    assert len(json.loads(done.out)["layers"]) == 3 * 7


def test_a_network_in_memory_is_verified():
    report = inspector.verify(configuration("gemma2").build())
    assert report.passed
    assert report.model == "Gemma2Model"
    assert repr(report).startswith("<VerificationReport: Gemma2Model (float32) verified: 14 of 14 ")


def test_half_precision_by_name(saved):
    report = inspector.verify(saved("gpt2"), dtype="bfloat16")
    assert report.passed, str(report)
    assert report.dtype == "bfloat16"


@pytest.mark.parametrize("dtype", ["float16", torch.float16], ids=str)
def test_weights_in_float16_are_verified_in_float32(saved, dtype):
    assert inspector.verify(saved("gpt2"), dtype=dtype).dtype == "float32"


@pytest.mark.parametrize("told", [{"dtype": "bfloat16"}, {"device": "cpu"}, {"revision": "main"}])
def test_a_network_in_memory_is_verified_as_it_is(told):
    ((name, given),) = told.items()
    with pytest.raises(InputError) as caught:
        inspector.verify(configuration("gpt2").build(), **told)
    assert str(caught.value) == (
        f"{name} ({given}) must be left out beside a model in memory, which is verified as it is: "
        "give its name, or what inspector.load returns."
    )


def test_a_loaded_model_is_verified_in_its_own_dtype(tiny_folder):
    with pytest.raises(
        InputError, match=r"dtype \(float64\) must be that of the model \(float16\)"
    ):
        inspector.verify(inspector.load(str(tiny_folder("bert")), dtype="float16"), dtype="float64")
