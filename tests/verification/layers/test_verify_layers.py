"""The whole verification on the real model, and that it can fail in every way it should."""

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch
from support.each import each
from torch import nn

import inspector.verification.layers.layer_controls as controls_module
import inspector.verification.layers.stages as stages_module
import inspector.verification.layers.verify_layers as verify_module
from inspector.models import load
from inspector.verification import (
    MUTATIONS,
    STAGES,
    VERIFICATION_COLUMNS,
    WHOLE_MODEL_COLUMNS,
    standard_cases,
    verify,
)
from inspector.verification.conditions import ASKED
from inspector.verification.controls import plan_of
from inspector.verification.layers.cases import Case, padded_case
from inspector.verification.padding_places import kinds_of
from inspector.verification.report import worst_rows

LENGTHS = (1, 7, 16, 17, 63, 64, 65, 128, 129)
CASES = [
    "one sentence", "padded batch", "single token", "longest text", "padded everywhere",
    *(f"row {n} of it alone" for n in (1, 2, 3)), "the same size, padded otherwise",
    *(f"{n} tokens" for n in LENGTHS), *(f"drawn {n}" for n in range(1, 7)),
    "padded everywhere, views of wider memory",
    "scores up to 120", "scores up to 1000", "training without dropout", "training, same seed",
    "padded everywhere, once more", "512 tokens, padded",
]  # fmt: skip
ALL_STAGES = (*STAGES, "gradient")
WITH_GRADIENT = (
    "padded everywhere", "129 tokens", "training without dropout",
)  # fmt: skip


@pytest.fixture(scope="module")
def before(minilm):
    """Return what a verification must leave as it is, as it was before the first."""
    return left_of(minilm)


def left_of(model):
    """Return numbers, hooks, modes and random state, to be compared."""
    return {
        "numbers": {name: value.clone() for name, value in model.model.state_dict().items()},
        "hooks": [len(module._forward_hooks) for module in model.model.modules()],
        "training": any(module.training for module in model.model.modules()),
        "attention": model.model.config._attn_implementation,
        "random": torch.get_rng_state(),
    }


@pytest.fixture(scope="module")
def verified(minilm, before):
    """Return the report, and what it left behind."""
    return verify(minilm, seed=0), left_of(minilm)


@pytest.fixture(scope="module")
def report(verified):
    return verified[0]


@pytest.fixture(scope="module")
def left(verified):
    return verified[1]


@pytest.fixture
def quick(minilm):
    return [padded_case(minilm)]


def test_minilm_is_verified(report):
    assert report.passed, str(report)
    assert report.failures() == []
    assert report.coverage == {"reached": 6, "total": 6, "not_reached": []}
    assert len(report.frame) == 6 * len(ALL_STAGES)
    assert report.frame["passed"].all()
    assert list(zip(report.frame["layer"], report.frame["stage"], strict=True)) == [
        (layer, stage) for layer in range(6) for stage in ALL_STAGES
    ]
    assert report.frame["module"][8] == "encoder.layer.1.attention.self"


def test_every_case_of_every_stage_is_reported(report):
    assert len(report.cases) == 6 * (len(STAGES) * len(CASES) + len(WITH_GRADIENT))
    gradients = report.cases[report.cases["stage"] == "gradient"]
    assert tuple(dict.fromkeys(gradients["case"])) == WITH_GRADIENT
    assert list(dict.fromkeys(report.cases["case"])) == CASES
    assert report.cases["passed"].all()
    left_out = report.cases.groupby("case")["rows_left_out"].max()
    assert left_out["padded everywhere"] == 17, "the row that is padding throughout"
    everywhere = [name for name, n in left_out.items() if n]
    padded = ("padded every", "the same", "scores", "training")
    assert everywhere == sorted(name for name in CASES if name.startswith(padded))


def test_frames_have_their_columns_and_dtypes(report):
    for frame, columns in (
        (report.frame, VERIFICATION_COLUMNS),
        (report.cases, VERIFICATION_COLUMNS),
        (report.whole_model, WHOLE_MODEL_COLUMNS),
    ):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns
        assert list(frame.columns) == list(columns)
        assert isinstance(frame.index, pd.RangeIndex)


def test_the_cases_are_what_they_are_called(minilm):
    cases = {case.name: case for case in standard_cases(minilm)}
    assert list(cases) == CASES
    assert cases["one sentence"].batch.input_ids.shape[0] == 1
    padding = cases["padded batch"].batch.attention_mask
    assert padding.shape[0] > 1
    assert (padding == 0).any()
    assert cases["single token"].batch.input_ids.shape == (1, 1)
    assert cases["longest text"].batch.input_ids.shape == (1, 512)
    assert cases["longest text"].batch.attention_mask.all()
    assert cases["training, same seed"].manner.dropout_seed is not None
    everywhere = cases["padded everywhere"].batch.attention_mask.bool()
    assert kinds_of(everywhere) == {"left", "right", "inside", "whole row"}
    assert len(everywhere) == 8
    for n in LENGTHS:
        assert cases[f"{n} tokens"].batch.input_ids.shape == (1, n)


def test_sizes_are_drawn_from_the_seed_and_numbers_with_them(minilm):
    def drawn(seed):
        cases = [case for case in standard_cases(minilm, seed) if case.name.startswith("drawn")]
        return [
            (case.batch.input_ids.tolist(), case.batch.attention_mask.tolist()) for case in cases
        ]

    assert drawn(0) == drawn(0)
    assert [len(ids) for ids, _ in drawn(0)] != [len(ids) for ids, _ in drawn(1)]


def test_the_report_says_up_to_where_it_holds_and_of_which_files(report, minilm):
    document = report.as_dict()
    assert (document["heads"], document["d_head"]) == (12, 32)
    assert document["files"] == minilm.file_hashes
    assert document["inputs"] == {
        "seed": 0,
        "longest": 512,
        "largest_batch": 8,
        "padding": ["left", "right", "inside", "whole row"],
        "gradients": True,
        "longest_gradient": 129,
        "modes": ["evaluation", "training", "training with dropout"],
        "largest_score": 1000.0,
        "queries_of_long_texts": None,
        "row_alone_in_u": report.scope.alone_in_u,
        "not_asked": {},
    }
    assert 0.0 <= report.scope.alone_in_u < 32.0
    assert "\n".join(str(report).splitlines()[-2:]) == (
        "12 heads × 32. Holds for up to 512 tokens, batches of up to 8, padding on the left, on "
        "the right, inside and of a whole row; modes: evaluation, training, training with dropout; "
        "gradients: compared up to 129 tokens; scores up to 1000. Seed 0.\n"
        "A row alone and the same row in its batch are at most "
        f"{report.scope.alone_in_u:.1f} u apart."
    )


def test_a_gradient_that_is_wrong_fails_the_verification(minilm, monkeypatch):
    """The output is right, and what flows back through the probabilities is lost."""
    right = stages_module.our_stages

    def detached(call, weights, dtype, *plan):
        made = right(call, weights, dtype, *plan)
        if dtype == torch.float32 and call.hidden_states.requires_grad:
            context = made.probabilities.detach() @ made.value
            output = torch.nn.functional.linear(
                context.transpose(1, 2).flatten(-2), weights.W_O, weights.b_O
            )
            return made._replace(output=output)
        return made

    monkeypatch.setattr(stages_module, "our_stages", detached)
    monkeypatch.setattr(verify_module, "run_controls", lambda _: ([], None))
    case = replace(padded_case(minilm), manner=ASKED, whole_model=False)
    report = verify(minilm, cases=[case])
    failed = report.frame[~report.frame["passed"]]
    assert set(failed["stage"]) == {"gradient"}
    assert len(failed) == 6


def test_the_librarys_own_two_paths_are_measured_beside_ours(report):
    seen = report.cases[report.cases["stage"].isin(["context", "output"])]
    evaluated = seen[seen["case"] != "training, same seed"]
    assert evaluated["noise_max_abs_error"].notna().all()
    assert (evaluated[evaluated["case"] == "longest text"]["noise_max_abs_error"] > 0).all()
    unseen = report.cases[~report.cases["stage"].isin(["context", "output"])]
    assert unseen["noise_max_abs_error"].isna().all()


def test_the_whole_model_agrees_with_eager_and_sdpa(report):
    compared = report.whole_model
    assert set(compared["comparison"]) == {"ours - eager", "ours - sdpa", "sdpa - eager"}
    assert set(compared["case"]) == set(CASES[:4]), "sdpa draws its dropout otherwise"
    assert compared["passed"].all()
    assert (compared["error_in_u"] < 32 * 6).all()
    assert (compared["max_abs_error"] < 1e-5).all()


def test_every_control_is_caught_in_float32(report):
    assert [control["mutation"] for control in report.controls] == [m.name for m in MUTATIONS]
    assert all(control["caught"] is True for control in report.controls)
    stages = {control["mutation"]: control["stage"] for control in report.controls}
    assert stages["scale off by 0.01 %"] == "probabilities"
    assert stages["key bias dropped"] == "key", "no later stage can show it"
    assert stages["W_O transposed"] == "output"
    assert report.controls_note is None


@pytest.mark.full  # every family, tiny, is verified in float64 in `make test`
def test_float64_is_verified_with_every_control_caught():
    # Random tokens of this seed have scores of 89 in layer 0, whose rounding is 89 times as large.
    report = verify(load("minilm", dtype="float64"), seed=715610346)
    assert report.passed, str(report)
    assert all(control["caught"] is True for control in report.controls)
    in_u = report.frame["max_abs_error"] / (2.0**-53 * report.frame["scale"])
    assert 32 < in_u.max() < 64


@pytest.mark.full
def test_bfloat16_is_verified_and_says_what_it_cannot_see():
    report = verify(load("minilm", dtype="bfloat16"))
    assert report.passed, str(report)
    below = {c["mutation"]: c["reason"] for c in report.controls if c["caught"] is None}
    assert set(below) == {"scale off by 0.01 %", "key bias dropped"}
    assert set(below.values()) == {
        "Even computed exactly, it moves no stage by more than bfloat16 rounding explains."
    }
    assert sum(control["caught"] is True for control in report.controls) == 13


@pytest.mark.full  # minilm's own widths are verified in `make test`
@pytest.mark.parametrize("n_layers", [3, 12])
def test_a_random_bert_of_full_width_is_verified(random_bert_folder, n_layers):
    report = verify(load(str(random_bert_folder)))
    assert report.passed, str(report)
    assert len(report.frame) == n_layers * len(ALL_STAGES)
    assert report.coverage == {"reached": n_layers, "total": n_layers, "not_reached": []}
    assert all(control["caught"] is True for control in report.controls)
    assert report.controls_note == (
        "All query, key, value, output biases of this model are zero, so that leaving one out "
        "changes nothing: the controls ran on a copy in which they are drawn at random."
    )


@each("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_wrong_implementation_does_not_pass(minilm, quick, mutation, monkeypatch):
    """What is claimed of the controls, tried on the whole verification."""
    right = stages_module.our_stages

    def ours(call, weights, dtype):
        plan = (plan_of(mutation),) if dtype == torch.float32 else ()
        return right(call, weights, dtype, *plan)

    monkeypatch.setattr(verify_module, "our_stages", ours)
    monkeypatch.setattr(verify_module, "compare_whole_model", lambda *_: [])
    monkeypatch.setattr(verify_module, "run_controls", lambda _: ([], None))
    report = verify(minilm, cases=quick)
    assert not report.passed
    assert "of 36 layer stages differ, the most in layer" in report.failures()[0]


def test_controls_that_go_unnoticed_fail_the_verification(minilm, quick, monkeypatch):
    monkeypatch.setattr(controls_module, "judge_stages", lambda *_: {})
    report = verify(minilm, cases=quick)
    assert not report.passed
    assert report.failures() == [
        "Deliberate mistakes went unnoticed: " + ", ".join(m.name for m in MUTATIONS) + ".",
        "No deliberate mistake was caught.",
    ]
    assert report.controls[0]["reason"] == "The rule accepted every stage of every layer."


def test_an_attention_module_that_is_not_reached_fails_the_verification(minilm, quick):
    class ForgottenAttention(nn.Module):
        pass

    network = minilm.model
    network.forgotten = ForgottenAttention()
    try:
        report = verify(minilm, cases=quick)
    finally:
        del network.forgotten
    assert not report.passed
    assert report.coverage == {"reached": 6, "total": 7, "not_reached": ["forgotten"]}
    assert report.failures() == [
        "Reached 6 of 7 attention modules; not reached: forgotten.",
    ]


def test_a_whole_model_that_differs_fails_the_verification(minilm, quick, monkeypatch):
    real = verify_module.compare_whole_model

    def worse(model, cases):
        rows = real(model, cases)
        rows[0]["passed"] = False
        return rows

    monkeypatch.setattr(verify_module, "compare_whole_model", worse)
    report = verify(minilm, cases=quick)
    assert not report.passed
    assert report.failures() == [
        "The whole model with our attention differs: ours - eager on padded batch."
    ]


def test_rows_without_a_key_are_counted(minilm):
    batch = minilm.encode(["Rain fell on the roof.", "Snow fell on the roof."])
    attended = batch.attention_mask.clone()
    attended[1] = 0
    report = verify(minilm, cases=[Case("half", replace(batch, attention_mask=attended))])
    assert report.passed, str(report)
    assert (report.frame["rows_left_out"] == batch.input_ids.shape[1]).all()


def test_the_worst_case_of_a_stage_is_the_one_shown(minilm):
    rows = [
        {"layer": 0, "stage": "key", "passed": True, "error_in_u": 3.0, "case": "a"},
        {"layer": 0, "stage": "key", "passed": False, "error_in_u": 1.0, "case": "b"},
        {"layer": 0, "stage": "query", "passed": True, "error_in_u": 1.0, "case": "a"},
        {"layer": 0, "stage": "query", "passed": True, "error_in_u": 2.0, "case": "b"},
        {"layer": 1, "stage": "key", "passed": False, "error_in_u": 9.0, "case": "a"},
        {"layer": 1, "stage": "key", "passed": False, "error_in_u": math.nan, "case": "b"},
    ]
    filled = [{**dict.fromkeys(VERIFICATION_COLUMNS, 0), "module": "m", **row} for row in rows]
    worst = worst_rows(filled)
    assert list(zip(worst["stage"], worst["case"], strict=True)) == [
        ("key", "b"),
        ("query", "b"),
        ("key", "b"),
    ]


def test_nothing_remains_changed(before, left):
    assert left["numbers"].keys() == before["numbers"].keys()
    for name, old in before["numbers"].items():
        assert torch.equal(left["numbers"][name], old), name
    assert left["hooks"] == before["hooks"]
    assert not left["training"]
    assert left["attention"] == "eager"
    assert torch.equal(left["random"], before["random"])


def test_the_report_is_json_and_html(report):
    document = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert document["passed"] is True
    assert set(document["layers"][0]) == set(VERIFICATION_COLUMNS)
    assert len(document["layers"]) == 42
    assert document["controls"][0] == {
        "mutation": "scale omitted",
        "caught": True,
        "layer": 0,
        "stage": "probabilities",
        "reason": None,
    }
    html = replace(report, model="<script>alert(1)</script>")._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "http" not in html
    assert html.count("<tr>") == 1 + 6 + 1 + 15
    assert "minilm (float32) verified: 42 of 42 layer stages within rounding" in str(report)


def test_progress_goes_from_nothing_to_all(minilm, quick):
    said = []
    verify(minilm, cases=quick, progress=lambda what, share: said.append((what, share)))
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert said[0][0] == "Layers: padded batch"


def test_a_model_that_takes_few_tokens_is_given_short_cases(minilm):
    short = replace(minilm, max_tokens=7)
    cases = standard_cases(short)
    names = [name.replace("512", "7") for name in CASES]
    assert [case.name for case in cases] == [
        name for name in names if not name.endswith("tokens") or name in ("1 tokens", "7 tokens")
    ]
    assert max(case.batch.input_ids.shape[1] for case in cases) == 7
    assert (cases[1].batch.attention_mask == 0).any(), "still padded"
