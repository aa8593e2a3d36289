"""What is wrong in ordinary use does not pass, and what is right in any style does."""

import json

import numpy as np
import pytest
import torch
from support.each import each
from support.implementations.false_passes import (
    FALSE_PASSES,
    attention,
    changes_the_mask,
    far_keys,
    stored,
    when,
)
from support.implementations.right_styles import RIGHT_STYLES
from support.tiny.models import save_tiny_model

from inspector.errors import InputError
from inspector.models import load
from inspector.verification import verify_implementation
from inspector.verification.diagnosis import Probe
from inspector.verification.implementation.ordinary import Trying, circumstances
from inspector.verification.padding_places import every_padding


@pytest.fixture(scope="module")
def long_bert(tmp_path_factory):
    """Return a tiny random BERT of one layer that takes 512 tokens."""
    folder = tmp_path_factory.mktemp("long") / "bert"
    sizes = {"max_position_embeddings": 512, "num_hidden_layers": 1}
    return load(str(save_tiny_model(folder, "bert", **sizes)))


# One of each kind; all of them where there is time.
EACH_KIND = (
    "every key after the 64th hidden",
    "tokens of zeros hidden",
    "repeated tokens hidden",
    "wrong in batches of 5 and more",
    "padding inside looked at",
    "scores without gradient",
    "wrong in training, in a function",
    "results kept by identity",
    "the batch's maximum",
    "a factor of heads over the tokens",
)


@pytest.mark.parametrize(
    "name",
    [
        name if name in EACH_KIND else pytest.param(name, marks=pytest.mark.full)
        for name in FALSE_PASSES
    ],
)
def test_what_is_wrong_in_ordinary_use_does_not_pass(long_bert, name):
    report = verify_implementation(FALSE_PASSES[name], long_bert, seed=0, pairs=False)
    assert not report.passed
    assert not report.frame["passed"].all()
    json.dumps(report.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("every key after the 128th hidden", "It is wrong from 129 tokens on."),
        ("padding on the left ignored", "It is wrong where padding stands on the left."),
        ("wrong where gradients are on", "It is wrong where gradients are on."),
        ("probabilities detached", "It is wrong in its gradient alone: "),
        ("memory read in order", "It is wrong where memory is not contiguous: "),
        ("full memory read in order", "It is wrong where memory is not contiguous: "),
        ("no maximum", "It is wrong where scores are large: "),
        ("padding's scores made −100", "It is wrong where scores are large: "),
        (
            "softmax over the batch where square",
            "It is wrong where there are as many rows as tokens.",
        ),
    ],
)
def test_the_report_says_when_it_is_wrong(long_bert, name, words):
    report = verify_implementation(FALSE_PASSES[name], long_bert, seed=0, pairs=False)
    assert words in str(report)
    assert report.diagnosis.verdict == "unknown"


@each(
    ("wrong", "words"),
    [
        (lambda batch, length, kinds: kinds & {"left", "inside"}, "on the left or inside the text"),
        (lambda batch, length, kinds: kinds - {"whole row"}, "where a text is padded"),
        (lambda batch, length, kinds: length > 200, "from 256 tokens on (right up to 65)"),
        (lambda batch, length, kinds: length > 64, "from 65 tokens on."),
        (lambda batch, length, kinds: batch > 5, "in batches of 8 and more (right up to 1)"),
    ],
)
def test_the_circumstances_are_no_wider_than_what_was_seen(wrong, words):
    tried = []
    for length in (7, 64, 65, 256):
        rows = every_padding(length)
        for real in (None, rows, *rows[:, None]):
            batch = 1 if real is None else len(real)
            each_one = Trying(Probe("x", torch.zeros(batch, length, 1), real))
            each_one.failed = ("output",) if wrong(batch, length, each_one.padding) else ()
            tried.append(each_one)
    assert words in circumstances(tried)


@pytest.mark.parametrize(
    "dtype",
    [torch.bfloat16, pytest.param(torch.float16, marks=pytest.mark.full)],
    ids=str,
)
def test_what_is_stored_coarsely_is_tried_in_ordinary_use_too(long_bert, dtype):
    right = verify_implementation(stored(dtype), long_bert, seed=0)
    assert right.passed, str(right)
    assert right.diagnosis.verdict == "stored"
    assert right.scope.longest == 512
    assert right.scope.padding == ("left", "right", "inside", "whole row")
    wrong = verify_implementation(
        stored(dtype, scores=far_keys(64)), long_bert, seed=0, pairs=False
    )
    assert not wrong.passed
    assert "wrong on: 65 tokens; 128 tokens; 129 tokens; " in str(wrong)


def test_storage_excuses_no_other_layer(tiny_bert):
    """The first layer is stored coarsely, the second halves its heads."""
    first = tiny_bert.layer_weights(0).W_Q
    halved = when(lambda h, p: True, heads=lambda c: 0.5 * c)

    def build(w):
        return (stored(torch.bfloat16) if torch.equal(w.W_Q, first) else halved)(w)

    report = verify_implementation(build, tiny_bert, layers=[0, 1], seed=0, pairs=False)
    assert not report.passed
    assert report.first_difference.layer == 1


def test_a_mask_that_is_changed_is_refused(long_bert):
    with pytest.raises(InputError) as caught:
        verify_implementation(changes_the_mask, long_bert, seed=0)
    assert str(caught.value) == (
        "padding_mask (of build changes_the_mask) were changed in layer 0 on the input '8 rows × "
        "17 tokens, padded': they must stay as they are, so work on a copy."
    )


OFTEN_WRITTEN = (
    "sdpa", "numpy, no autograd", "dropout in training, module", "nn.MultiheadAttention, module",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        name if name in OFTEN_WRITTEN else pytest.param(name, marks=pytest.mark.full)
        for name in RIGHT_STYLES
    ],
)
def test_what_is_right_passes_in_any_style(long_bert, name):
    report = verify_implementation(RIGHT_STYLES[name], long_bert, seed=0, pairs=False)
    assert report.passed, str(report)
    assert report.frame["passed"].all()
    asked = "not asked" if "no autograd" in name else True
    assert report.as_dict()["inputs"]["gradients"] == asked
    assert ("gradients: none came back" in str(report)) == (asked is not True)
    assert ("training" in report.scope.modes) == ("module" in name)


@pytest.mark.full
@pytest.mark.parametrize("name", FALSE_PASSES)
def test_none_of_them_passes_on_the_real_model(minilm, name):
    assert not verify_implementation(
        FALSE_PASSES[name], minilm, layers=[2], seed=0, pairs=False
    ).passed


@pytest.mark.full
@pytest.mark.parametrize("name", RIGHT_STYLES)
def test_all_styles_pass_on_the_real_model(minilm, name):
    report = verify_implementation(RIGHT_STYLES[name], minilm, layers=[2], pairs=False)
    assert report.passed, str(report)


def test_the_report_says_up_to_where_it_holds(long_bert):
    report = verify_implementation(lambda w: lambda h, p: attention(w, h, p), long_bert, seed=3)
    document = report.as_dict()
    assert document["inputs"] == {
        "seed": 3,
        "longest": 512,
        "largest_batch": document["inputs"]["largest_batch"],
        "padding": ["left", "right", "inside", "whole row"],
        "gradients": True,
        "longest_gradient": 512,
        "modes": document["inputs"]["modes"],
        "largest_score": 1000.0,
        "queries_of_long_texts": None,
        "row_alone_in_u": None,
        "not_asked": {},
    }
    assert document["inputs"]["modes"][0] == "evaluation"
    assert document["inputs"]["largest_batch"] >= 8
    assert (document["heads"], document["d_head"]) == (4, 8)
    assert document["files"] == long_bert.file_hashes
    inputs = set(report.frame["input"])
    assert {f"{n} tokens" for n in (1, 7, 16, 17, 63, 64, 65, 128, 129)} <= inputs
    assert len([name for name in inputs if name.startswith("drawn")]) >= 6
    assert "gradient" in set(report.frame["stage"])
    assert any(line.startswith("A row alone and the same row in its batch are ") for line in
               report.remarks())  # fmt: skip


def test_sizes_are_drawn_anew_from_a_seed_that_is_printed(long_bert):
    def drawn(seed):
        report = verify_implementation(
            lambda w: lambda h, p: attention(w, h, p).detach(), long_bert, seed=seed
        )
        names = report.frame["input"]
        return report.scope.seed, sorted(names[names.str.startswith("drawn")])

    assert drawn(1) == drawn(1)
    assert drawn(1)[1] != drawn(2)[1]
    assert drawn(None)[0] != drawn(None)[0]


@pytest.mark.parametrize("seed", [-1, 2**31, True])
def test_seeds_that_are_none(long_bert, seed):
    with pytest.raises(InputError, match="must be a whole number from 0 to 2147483647, or be"):
        verify_implementation(lambda w: lambda h, p: attention(w, h, p), long_bert, seed=seed)


def test_the_gradient_is_that_of_a_slow_computation(long_bert):
    """The product with the Jacobian, each column taken by differences in float64."""
    from inspector.verification.diagnosis import Layer, Probe
    from inspector.verification.implementation.use import compare_gradient, cotangent_for

    layer = Layer(long_bert.layer_weights(0))
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(1, 4, 32, generator=generator)
    probe = Probe("four", hidden, torch.tensor([[True, False, True, True]]))
    cotangent = cotangent_for("output", (1, 4, 32), probe, 0)
    assert not cotangent[0, 1].any(), "nobody reads what padding gives"
    w = layer.weights.to(torch.float64)
    step, slow = 1e-6, np.zeros((4, 32))
    for place in np.ndindex(4, 32):
        moved = torch.zeros(1, 4, 32, dtype=torch.float64)
        moved[0][place] = step
        up, down = (attention(w, hidden.double() + sign * moved, probe.padding) for sign in (1, -1))
        slow[place] = float(((up - down) / (2 * step) * cotangent.double()).sum())
    given = torch.from_numpy(slow)[None]
    found, finite = compare_gradient(layer, probe, "output", cotangent, given, torch.float32)
    assert found.passed
    assert finite
    assert found.rms_error < 1e-7
    wrong, _ = compare_gradient(layer, probe, "output", cotangent, 1.001 * given, torch.float32)
    assert not wrong.passed
