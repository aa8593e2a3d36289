"""A device that runs out of memory: smaller batches once, then a sentence that says what fits."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.each import each

import inspector
from inspector import ProfileSettings
from inspector.corpora import Corpus
from inspector.errors import DeviceMemoryError
from inspector.models import load
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.shard_worker import ProfileWorker

SETTINGS = ProfileSettings(random_init_seeds=(), ablation=False, coreference=False)
TEXTS = [" ".join(["a"] * (4 + n // 4)) + "." for n in range(40)]
FEW = TEXTS[::3]


@pytest.fixture(scope="module")
def model(tiny_folder):
    return load(str(tiny_folder("bert")))


@pytest.fixture
def shard(model, monkeypatch):
    """Return a function: texts, most tokens of a batch → the shard's arrays."""

    def one(texts, most):
        limit(model, monkeypatch, most)
        job, _ = profile_job(model, Corpus.from_texts(texts), SETTINGS, None)
        return ProfileWorker(job, model)(0).arrays

    return one


def limit(model, monkeypatch, most):
    """Let a device run out of memory where more tokens than these are read at once."""
    monkeypatch.undo()
    forward = model.model.embeddings.forward

    def limited(*args, **inputs):
        ids = inputs["input_ids"] if "input_ids" in inputs else args[0]
        if ids.numel() > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*args, **inputs)

    monkeypatch.setattr(model.model.embeddings, "forward", limited)


def by_mean(model):
    return inspector.ablate(model, ["0-1", "2-3"], FEW, how="mean", progress=False)


def important(model):
    found = inspector.head_importance(model, FEW, check=False, progress=False)
    return found[["layer", "head", "texts", "norm_gradient"]]  # the rest is drawn batch by batch


def robust(model):
    found = inspector.robustness(model, FEW, kept=[1], progress=False)
    return found[found["order"] == "random"]  # by importance it may be other heads


def test_smaller_batches_give_the_same_within_rounding(shard, caplog):
    whole = shard(TEXTS, 10**9)
    assert not caplog.messages
    small = shard(TEXTS, 100)
    (said,) = caplog.messages
    assert said == (
        "device (cpu) has no memory for a batch of 20 texts × 11 tokens: trying again in batches "
        "of at most 55 tokens."
    )
    assert small.keys() == whole.keys()
    for name in whole:
        np.testing.assert_allclose(small[name], whole[name], rtol=1e-4, err_msg=name)


@each(
    ("texts", "most", "said"),
    [
        (TEXTS, 50, "5 texts × 11 tokens; 5 × 10 fit: ask for --batch-tokens 50"),
        (TEXTS, 3, "5 texts × 8 tokens; nothing smaller was tried: make room"),
        (
            [*["a b."] * 3, "a " * 40],
            30,
            "a text of 42 tokens; texts of up to 5 fit: leave longer ones out",
        ),
    ],
    ids=["several", "nothing", "one text"],
)
def test_what_does_not_fit_is_told_with_what_does(shard, texts, most, said):
    with pytest.raises(DeviceMemoryError) as caught:
        shard(texts, most)
    assert str(caught.value) == (
        f"device (cpu) has no memory for {said}, or choose another device, and run the command "
        "again with --resume; finished shards are kept."
    )


@each("ask", [by_mean, important, robust])
def test_what_reads_a_corpus_goes_by_the_same_rule(ask, model, monkeypatch, caplog):
    whole = ask(model)
    limit(model, monkeypatch, 100)
    small = ask(model)
    assert {message[:34] for message in caplog.messages} == {"device (cpu) has no memory for a b"}
    pd.testing.assert_frame_equal(small, whole, rtol=1e-3, atol=1e-5)
    if ask is robust:  # two passes, each of which finds that out
        return
    limit(model, monkeypatch, 30)
    with pytest.raises(DeviceMemoryError, match=r"for 3 texts × 14 tokens; 3 × 10 fit: ask for"):
        ask(model)


def test_a_text_by_itself_is_told_what_takes_less(model, monkeypatch):
    limit(model, monkeypatch, 5)
    for ask, less in ((inspector.attend, "maps take a quarter"), (inspector.attend_top, "half")):
        with pytest.raises(DeviceMemoryError, match=rf"a text of 6 tokens: .*{less}.*another dev"):
            ask(model, "a b a b")


def test_another_error_is_not_tried_again(shard, model, monkeypatch):
    calls = []

    def broken(most):
        calls.append(most)
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(model.model, "forward", lambda **inputs: broken(inputs))
    job, _ = profile_job(model, Corpus.from_texts(TEXTS), SETTINGS, None)
    with pytest.raises(RuntimeError, match="size mismatch"):
        ProfileWorker(job, model)(0)
    assert len(calls) == 1
