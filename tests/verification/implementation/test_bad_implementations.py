"""Implementations that are none: for each the whole sentence."""

import asyncio
import time

import pytest
import torch
from support.each import each
from support.implementations.user_code import RIGHT, in_file, plain, returning

ONE = "in layer 1 on the input 'one sentence'"


def build_nothing(weights):
    plain(weights)


def build_a_generator(weights):
    yield plain(weights)


def build_raises(weights):
    raise ZeroDivisionError("a head\nof no width")


def calls_raise(weights):
    def layer(hidden, padding):
        return hidden @ torch.ones(3, 3)

    return layer


def leaves(weights):
    raise SystemExit(3)


def generates(weights):
    def layer(hidden, padding):
        yield plain(weights)(hidden, padding)

    return layer


def awaits(weights):
    async def layer(hidden, padding):
        return plain(weights)(hidden, padding)

    return layer


def changes_weights_when_built(weights):
    weights.W_Q.mul_(weights.scaling)
    return plain(weights)


def changes_weights_when_called(weights):
    def layer(hidden, padding):
        weights.b_O.zero_()
        return plain(weights)(hidden, padding)

    return layer


def changes_hidden_states(weights):
    def layer(hidden, padding):
        return plain(weights)(hidden.add_(1.0), padding)

    return layer


def nothing_but_nan(weights):
    return lambda hidden, padding: plain(weights)(hidden, padding) * float("nan")


def stage(name, value):
    return returning(lambda output: {name: value(output)})


SENTENCES = [
    (
        build_nothing,
        (
            "what build (build_nothing) returned (None) must be a function: it gets "
            "(hidden_states, padding_mask) and returns the output."
        ),
    ),
    (
        build_a_generator,
        (
            "what build (build_a_generator) returned (generator) must be a function: it gets "
            "(hidden_states, padding_mask) and returns the output."
        ),
    ),
    (
        build_raises,
        (
            "build (build_raises) raised ZeroDivisionError (a head of no width) in "
            "test_bad_implementations.py, line {line}, with the weights of layer 1: it must end "
            "without an error."
        ),
    ),
    (
        leaves,
        (
            "build (leaves) raised SystemExit (3) in test_bad_implementations.py, line {line}, "
            "with the weights of layer 1: it must end without an error."
        ),
    ),
    (
        calls_raise,
        (
            "the function that build (calls_raise) returned raised RuntimeError (mat1 and mat2 "
            "shapes cannot be multiplied ({rows}x32 and 3x3)) in test_bad_implementations.py, "
            f"line {{line}}, {ONE}: it must end without an error."
        ),
    ),
    (
        generates,
        f"output (a generator) must be an array, {ONE}: return it, without yield or async.",
    ),
    (
        returning(lambda output: output.to("meta")),
        f"output (on the device meta) must hold numbers, {ONE}: compute it on a device that does.",
    ),
    (awaits, f"output (a coroutine) must be an array, {ONE}: return it, without yield or async."),
    (
        returning(lambda output: None),
        f"output (None) must be an array, {ONE}: does the function lack a return?",
    ),
    (
        returning(lambda output: (output, output)),
        (
            "output (a tuple of 2) must be one array, or a mapping such as "
            f"{{{{'output': …, 'probabilities': …}}}}, {ONE}."
        ),
    ),
    (
        returning(lambda output: "attention"),
        f"output (str) must be a torch tensor, a numpy array, or have __array__ or DLPack, {ONE}.",
    ),
    (
        returning(lambda output: output.transpose(1, 2)),
        (
            "output (shape (1, 32, {rows})) must have the shape (batch, token, d_model) = "
            f"(1, {{rows}}, 32), {ONE}."
        ),
    ),
    (
        stage("query", lambda output: output),
        (
            "query (shape (1, {rows}, 32)) must have the shape (batch, head, query, d_head) = "
            f"(1, 4, {{rows}}, 8), {ONE}."
        ),
    ),
    (
        returning(lambda output: output.half()),
        (
            f"output (float16) must be float32, as the hidden states are, or wider, {ONE}: half "
            "precision may be used inside, but not returned."
        ),
    ),
    (
        returning(lambda output: output.to(torch.int64)),
        (
            f"output (int64) must be float32, as the hidden states are, or wider, {ONE}: half "
            "precision may be used inside, but not returned."
        ),
    ),
    (
        returning(lambda output: output.numpy().astype(object)),
        f"output (dtype object) must be floating-point numbers, {ONE}.",
    ),
    (
        stage("attention", lambda output: output),
        (
            f"stage (attention) must be one that is known, {ONE}. Available: query, key, value, "
            "scores, probabilities, context, output."
        ),
    ),
    (
        returning(lambda output: {}),
        f"mapping ({{{{}}}}) must hold at least one stage, such as output, {ONE}.",
    ),
    (
        nothing_but_nan,
        (
            "output (NaN, {values} of {values} values) must hold finite numbers, "
            f"{ONE}: a softmax of nothing but −∞, a division by 0 or an overflow gives such values."
        ),
    ),
    (
        stage("key", lambda output: output.view(1, -1, 4, 8).transpose(1, 2) / 0.0),
        (
            "key (infinity, {values} of {values} values) must hold finite numbers, "
            f"{ONE}: a softmax of nothing but −∞, a division by 0 or an overflow gives such values."
        ),
    ),
    (
        changes_weights_when_built,
        (
            "weights.W_Q (layer 1) was changed by build (changes_weights_when_built): the weights "
            "must stay as they are, so work on a copy."
        ),
    ),
    (
        changes_weights_when_called,
        (
            "weights.b_O (layer 1) was changed by its function (changes_weights_when_called): the "
            "weights must stay as they are, so work on a copy."
        ),
    ),
    (
        changes_hidden_states,
        (
            f"hidden_states (of build changes_hidden_states) were changed {ONE}: they must stay as "
            "they are, so work on a copy."
        ),
    ),
]


@each(("build", "sentence"), SENTENCES, ids=lambda value: getattr(value, "__name__", "")[:30])
def test_the_sentence_says_stage_what_came_and_what_was_expected(
    refused, tiny_bert, build, sentence
):
    from inspector.verification import standard_cases

    rows = standard_cases(tiny_bert)[0].batch.input_ids.shape[1]
    found = refused(build)
    line = found.partition(", line ")[2].partition(",")[0]
    assert found == sentence.format(rows=rows, values=32 * rows, line=line)
    if line:
        assert int(line) == build.__code__.co_firstlineno + (2 if build is calls_raise else 1)


LAYER = "it is called as layer(hidden_states, padding_mask)"
BUILD = "it is called as build(weights), with the weights of one layer."
OF = "the function that build (build) returned"


class ThreeOfThem(torch.nn.Module):
    def forward(self, query, key, value, need_weights: bool = False) -> torch.Tensor:
        return query


def one_text_at_a_time(weights):
    return lambda hidden, padding: plain(weights)(hidden, padding[:, :]) + padding.sum() * 0


@each(
    ("build", "sentence"),
    [
        (lambda w: lambda query, key, value: query, f"{OF} takes (query, key, value): {LAYER}."),
        (lambda w: lambda x: x, f"{OF} takes (x): {LAYER}."),
        (
            lambda w: ThreeOfThem(),
            f"{OF} takes (query, key, value, need_weights: bool = False): {LAYER}.",
        ),
        (
            one_text_at_a_time,
            (
                f"{OF} must take None for padding_mask, and raised TypeError: {LAYER}, and "
                "padding_mask is None where every token is real."
            ),
        ),
        (lambda weights, layer: None, f"build (build) takes (weights, layer): {BUILD}"),
        (lambda: None, f"build (build) takes (): {BUILD}"),
    ],
)
def test_what_takes_something_else_is_told_how_it_is_called(refused, build, sentence):
    build.__name__ = "build"
    assert refused(build) == sentence


def test_control_what_does_not_tell_what_it_takes_is_called(check):
    class Untold:
        __signature__ = "no signature"

        def __init__(self, weights):
            self._layer = plain(weights)

        def __call__(self, *given):
            return self._layer(*given)

    assert check(lambda weights: Untold(weights)).passed
    assert check(lambda *weights, **more: plain(*weights)).passed


def test_what_never_ends_is_ended(refused):
    def build(weights):
        time.sleep(60.0)

    start = time.monotonic()
    assert refused(build, timeout=0.5) == (
        "implementation (build) did not end within 0.5 s: build, with the weights of layer 1 was "
        "stopped. Give it longer with --timeout (timeout=), or less to do."
    )
    assert time.monotonic() - start < 20.0


def test_what_ends_its_process_is_told(refused, tmp_path):
    file = in_file(tmp_path, "import os\ndef build(weights):\n    os._exit(7)\n")
    assert refused(f"{file}:build", timeout=60.0) == (
        f"implementation ({file}:build) ended its process (exit code 7) during build, with the "
        "weights of layer 1: it must return to its caller."
    )


def test_a_process_that_is_killed_is_told_by_its_signal(refused):
    def build(weights):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGTERM)

    assert "ended its process (SIGTERM) during build" in refused(build, timeout=60.0)


def test_in_another_process_the_same_right_answer(check, tmp_path):
    assert check(plain, timeout=60.0).passed
    file = in_file(tmp_path, RIGHT)
    report = check(f"{file}:build")
    assert report.passed
    assert report.implementation == f"{file}:build"
    assert not list(tmp_path.glob("__pycache__"))


FILES = [
    ("", "my", ("implementation ({file}) has no my: give the name of a function in it. "
     "Available: none.")),
    ("def one(w): ...\n_x = 1\n", "two", ("implementation ({file}) has no two: give the name of a "
     "function in it. Available: one.")),
    ("def build(weights)\n    pass\n", "build",
     "implementation ({file}) is not Python (expected ':' in line 1): fix it first."),
    ("import nowhere_to_be_found\n", "build",
     ("implementation ({file}) raised ModuleNotFoundError (No module named "
     "'nowhere_to_be_found') in my.py, line 1, when it was loaded: it must end without an error.")),
    ("build = 3\n", "build", ("build ({file}:build, of type int) must be a function: it gets the "
     "weights of a layer and returns what computes it.")),
]  # fmt: skip


@each(("text", "name", "sentence"), FILES)
def test_files_that_cannot_be_used(tmp_path, text, name, sentence):
    from inspector.errors import InputError
    from inspector.verification.implementation.sandbox.source import load_build
    from inspector.verification.implementation.sandbox.trial import Trial

    file = in_file(tmp_path, text)
    with pytest.raises(InputError) as caught:
        Trial(load_build(f"{file}:{name}"), f"{file}:{name}")
    assert str(caught.value) == sentence.format(file=file)


@each(
    ("source", "sentence"),
    [
        ("my.py", ("implementation (my.py) must be FILE.py:NAME: a Python file and the name of the "
         "function in it, such as my.py:build.")),
        ("my:build", ("implementation (my:build) must be FILE.py:NAME: a Python file and the name "
         "of the function in it, such as my.py:build.")),
        ("nowhere.py:build", ("implementation (nowhere.py) does not exist: give the file that "
         "defines build.")),
    ],
)  # fmt: skip
def test_names_of_files_that_are_none(refused, source, sentence):
    assert refused(source) == sentence


def test_no_layer_and_layers_that_are_not_there(refused, tiny_bert):
    assert refused(plain, layers=[]) == (
        "layers ([]) must name at least one layer, or be left out for all."
    )
    assert refused(plain, layers=[7]) == (
        "layer (7) must be one that the model has: layers count from 0 to 2."
    )


def test_a_dtype_that_is_not_the_models(refused):
    assert refused(plain, dtype="float64") == (
        "dtype (float64) must be that of the model (float32): load it in float64, or give its name."
    )


def test_an_interrupt_is_not_a_mistake(check):
    def build(weights):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(build)
    with pytest.raises(asyncio.CancelledError):
        check(lambda weights: (_ for _ in ()).throw(asyncio.CancelledError))
