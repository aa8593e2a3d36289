"""A user's implementation against a model: right ones pass, wrong ones are told what is wrong."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import torch
from support.each import each
from support.implementations.user_code import (
    RIGHT,
    WRONG,
    Capsule,
    Wrapped,
    in_file,
    plain,
    returning,
)
from support.terminal import plain as shown_text

from inspector.errors import InputError
from inspector.verification.implementation.sandbox.source import split_source


def all_stages(weights):
    """Return every stage, in numpy and float64."""
    w = {name: np.asarray(getattr(weights, name), np.float64) for name in (
        "W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O"
    )}  # fmt: skip

    def layer(hidden, padding):
        x = hidden.numpy().astype(np.float64)
        batch, tokens, _ = x.shape

        def heads(letter):
            flat = x @ w[f"W_{letter}"].T + w[f"b_{letter}"]
            return flat.reshape(batch, tokens, weights.n_heads, -1).swapaxes(1, 2)

        q, k, v = map(heads, "QKV")
        scores = q @ k.swapaxes(-1, -2) * weights.scaling
        if padding is not None:
            scores = np.where(padding.numpy()[:, None, None], scores, -np.inf)
        exponents = np.exp(scores - scores.max(-1, keepdims=True))
        probabilities = exponents / exponents.sum(-1, keepdims=True)
        context = (probabilities @ v).swapaxes(1, 2).reshape(batch, tokens, -1)
        return {
            "query": q, "key": k, "value": v, "scores": scores, "probabilities": probabilities,
            "context": context, "output": context @ w["W_O"].T + w["b_O"],
        }  # fmt: skip

    return layer


class Module(torch.nn.Module):
    """What most people write."""

    def __init__(self, weights):
        super().__init__()
        self.layer = plain(weights)

    def forward(self, hidden_states, padding_mask=None):
        return self.layer(hidden_states, padding_mask)


@each(
    "build",
    [plain, all_stages, Module, returning(Wrapped), returning(Capsule),
     returning(lambda output: output.numpy()), returning(lambda output: output.double()),
     returning(lambda output: output.requires_grad_()),
     returning(lambda output: output.numpy()[:, ::-1][:, ::-1])],
)  # fmt: skip
def test_right_ones_pass_whatever_they_return(check, build):
    report = check(build)
    assert report.passed, str(report)
    assert report.diagnosis is None
    assert report.first_difference is None


def test_the_report_of_a_right_one(check, tiny_bert):
    from inspector.verification import IMPLEMENTATION_COLUMNS
    from inspector.verification.implementation import STAGE_AXES

    report = check(all_stages, layers=None)
    assert {name: str(dtype) for name, dtype in report.frame.dtypes.items()} == (
        IMPLEMENTATION_COLUMNS
    )
    seen = report.frame.groupby("layer").size()
    assert (seen > 7 * 6).all()
    assert set(report.frame["stage"]) == {*STAGE_AXES, "gradient"} - {"gradient"}, "it is numpy"
    assert report.unseen == (), "the key stage shows the key's bias"
    assert report.summary().startswith(
        f"all_stages and {tiny_bert.name} (float32) are the same: 3 layers × "
    )
    assert "inputs, query, key, value, scores, probabilities, context, output within" in str(report)
    alone = check(plain)
    assert alone.unseen == ("key bias omitted",)
    assert str(alone).splitlines()[-1] == (
        "Not to be seen in what was returned: key bias omitted. Return more stages to have them "
        "checked."
    )


def test_the_figures_are_those_of_a_slow_computation(check, minilm):
    """The error that is reported, computed once more from its definition."""
    from inspector.models import watch
    from inspector.verification import standard_cases, unit_roundoff

    report = check(returning(lambda output: output + 0.5), layers=[1])
    frame = report.frame.query("input == 'one sentence'")
    assert np.allclose(frame["max_abs_error"], 0.5, atol=1e-5)
    assert np.allclose(frame["rms_error"], 0.5, atol=1e-5)
    in_u = 0.5 / (unit_roundoff(torch.float32) * frame["scale"])
    assert np.allclose(frame["error_in_u"], in_u, rtol=1e-4)
    assert standard_cases(minilm)[0].name == "one sentence"
    assert watch is not None


def test_the_report_of_a_wrong_one(check):
    report = check(lambda weights: plain(weights, scale=1.0), layers=None)
    assert not report.passed
    assert report.diagnosis.mistakes == ("scale omitted",)
    difference = report.first_difference
    assert (difference.layer, difference.stage, difference.input) == (0, "output", "one sentence")
    assert (difference.heads, difference.rows) == (None, "all rows")
    document = json.loads(json.dumps(report.as_dict()))
    assert document["diagnosis"]["mistakes"] == ["scale omitted"]
    assert document["diagnosis"]["equation"] == "S = Q Kᵀ · scaling"
    assert document["first_difference"]["stage"] == "output"
    html = report._repr_html_()
    assert "scale omitted" in html
    assert "<script" not in html
    assert repr(report).startswith("<ImplementationReport: <lambda> and ")
    assert isinstance(report.frame, pd.DataFrame)


def wrong_head(weights):
    """Return all stages, one head's probabilities wrong in padded texts."""
    right = all_stages(weights)

    def layer(hidden, padding):
        stages = right(hidden, padding)
        if padding is not None:
            padded = ~padding.numpy().all(-1)
            stages["probabilities"][padded, 2] *= 1.01
        return stages

    return layer


def test_which_stage_head_and_rows_differ_first(check):
    difference = check(wrong_head).first_difference
    assert difference.stage == "probabilities"
    assert difference.heads == (2,)
    assert difference.input == "padded batch"
    assert difference.rows == "the rows of padded texts"
    assert str(difference).startswith(
        "first in layer 1, probabilities, on the input 'padded batch': head 2, the rows of padded "
        "texts, "
    )


@each(
    ("change", "rows"),
    [
        (lambda out: torch.cat([out[:, :1] + 1, out[:, 1:]], 1), "the first row of each text"),
        (lambda out: torch.cat([out[:, :1], out[:, 1:] + 1], 1), "all rows but each text's first"),
        (lambda out: torch.cat([out[:, :-1], out[:, -1:] + 1], 1), "the last row of each text"),
    ],
)
def test_rows_in_words(check, change, rows):
    assert check(returning(change)).first_difference.rows == rows


def test_what_padding_gets_is_noted_and_no_mistake(check):
    def build(weights):
        def layer(hidden, padding):
            output = plain(weights)(hidden, padding)
            return output if padding is None else output * padding[..., None]

        return layer

    report = check(build)
    assert report.passed
    assert report.notes[0] == (
        "What it gives to padding differs from the model's, which nobody reads."
    )


def test_a_mask_of_infinity_the_wrong_way_round_is_named_though_it_gives_nan(check):
    def build(weights):
        def layer(hidden, padding):
            return plain(weights)(hidden, None if padding is None else ~padding)

        return layer

    report = check(build)
    assert not report.passed
    assert report.diagnosis.mistakes == ("mask inverted",)


def test_layers_that_are_wrong_in_different_ways_are_told(check):
    built = []

    def build(weights):
        built.append(weights)
        return plain(weights, scale=(None, 1.0, 3.0)[len(built) - 1])

    report = check(build, layers=None)
    assert report.first_difference.layer == 1
    assert report.diagnosis.mistakes == ("scale omitted",)
    others, apart = report.notes
    assert others == "Layer 2 differs in another way: give --layers (layers=) to see how."
    assert apart.startswith("A row alone and the same row in its batch are at most ")


def dropping(where, probability):
    drop = torch.nn.functional.dropout

    def build(weights):
        def layer(hidden, padding):
            stages = all_stages(weights)(hidden, padding)
            if where == "output":
                return drop(torch.from_numpy(stages["output"]), probability)
            kept = drop(torch.from_numpy(stages["probabilities"]), probability).numpy()
            context = (kept @ stages["value"]).swapaxes(1, 2).reshape(*hidden.shape[:2], -1)
            return context @ weights.W_O.numpy().T + weights.b_O.numpy()

        return layer

    return build


@each("where", ["probabilities", "output"])
@each("probability", [0.1, 0.5])
def test_dropout_left_on_is_named_with_its_place_and_probability(check, where, probability):
    torch.manual_seed(11)
    report = check(dropping(where, probability))
    assert not report.passed
    assert report.diagnosis.mistakes == ("dropout left on",)
    (detail,) = [d for d in report.diagnosis.explanation.details if d]
    assert detail.startswith(f"on the {where}, with a probability of about ")
    assert float(detail.rpartition(" ")[2]) == pytest.approx(probability, rel=0.3)


def test_other_randomness_is_unknown(check):
    torch.manual_seed(11)
    report = check(returning(lambda output: output + 0.1 * torch.randn_like(output)))
    assert (report.diagnosis.verdict, report.diagnosis.mistakes) == ("unknown", ())
    assert report.diagnosis.likely_cause.startswith("Two calls on the same input differ, and not")


class TestCommand:
    def test_a_right_file_exits_with_zero(self, command, tiny_folder, tmp_path):
        file = in_file(tmp_path, RIGHT)
        done = command("verify", tiny_folder("bert"), "--implementation", f"{file}:build", "--json")
        document = json.loads(done.out)
        assert (done.code, document["passed"], document["diagnosis"]) == (0, True, None)
        assert document["implementation"] == f"{file}:build"
        assert {row["layer"] for row in document["layers"]} == {0, 1, 2}

    def test_a_planted_mistake_exits_with_one_and_is_named(self, command, tiny_folder, tmp_path):
        file = in_file(tmp_path, WRONG)
        where = ("verify", tiny_folder("bert"), "--implementation", f"{file}:wrong")
        done = command(*where, "--layers", "1", "--json")
        document = json.loads(done.out)
        assert (done.code, document["passed"]) == (1, False)
        assert document["diagnosis"]["verdict"] == "named"
        assert document["diagnosis"]["mistakes"] == ["scale omitted"]
        assert {row["layer"] for row in document["layers"]} == {1}
        read = command(*where, "--layers", "1")
        assert read.code == 1
        assert "Diagnosis: scale omitted. Multiply Q Kᵀ by weights.scaling" in read.out

    @each(
        ("arguments", "sentence"),
        [
            (("--implementation", "nowhere.py:build"),
             "implementation (nowhere.py) does not exist: give the file that defines build."),
            (("--implementation", "my.py:build", "--timeout", "0"),
             "timeout (0) must be more than 0 seconds."),
            (("--implementation", "my.py:build", "--layers", "one"),
             "layers (one) must be numbers separated by commas, such as 0,3."),
        ],
    )  # fmt: skip
    def test_bad_usage_exits_with_two(self, command, arguments, sentence):
        done = command("verify", "minilm", *arguments)
        assert (done.code, done.out, done.err) == (2, "", f"inspector: {sentence}\n")

    def test_what_never_ends_exits_with_two(self, command, tiny_folder, tmp_path):
        file = in_file(tmp_path, "def build(weights):\n    while True: pass\n")
        done = command(
            "verify", tiny_folder("bert"), "--implementation", f"{file}:build", "--timeout", "0.5"
        )
        assert (done.code, done.out) == (2, "")
        assert (
            "did not end within 0.5 s: build, with the weights of layer 0 was stopped" in done.err
        )

    def test_help_says_that_the_file_is_run(self, command):
        shown = shown_text(command("verify", "--help").out)
        assert "Loading the file runs it, in a process of its own." in shown
        assert "--implementation" in shown


def test_a_pipe_is_not_read_as_an_implementation(tmp_path):
    os.mkfifo(tmp_path / "my.py")
    with pytest.raises(InputError, match=r"my\.py\) is no regular file: give the file that def"):
        split_source(f"{tmp_path}/my.py:build")
