"""The whole model's rule: what it allows, and that a wrong attention inside is noticed."""

from support.each import each

import inspector.models.forward.backend as backend
from inspector.attention import scaled_dot_product_scores
from inspector.verification.judge import Judgement
from inspector.verification.layers.cases import padded_case
from inspector.verification.layers.whole_model import _passes, compare_whole_model

U = 2.0**-24


def found(**figures):
    """Return a judgement with all distances zero but the ones given, in u (scale 1)."""
    names = (
        "max_abs_error",
        "rms_error",
        "reference_rms_error",
        "max_error",
        "reference_max_error",
    )
    values = {name: figures.get(name, 0.0) * U for name in names}
    return Judgement(**values, scale=1.0, error_in_u=0.0, passed=False)


@each(
    ("ours", "noise", "passed"),
    [
        (found(max_abs_error=191.0), found(), True),  # 32 u × 6 layers
        (found(max_abs_error=193.0), found(), False),
        (found(max_abs_error=399.0), found(max_abs_error=100.0), True),
        (found(max_abs_error=401.0), found(max_abs_error=100.0), False),
        (found(rms_error=15.3), found(rms_error=10.0), True),  # sdpa is the worse path
        (found(rms_error=15.3), found(reference_rms_error=10.0), True),  # eager is
        (found(rms_error=15.5), found(rms_error=10.0), False),
        (found(max_error=33.9), found(max_error=10.0), True),
        (found(max_error=34.1), found(max_error=10.0), False),
        (found(max_abs_error=float("inf")), found(max_abs_error=float("inf")), False),
        (found(rms_error=float("nan")), found(), False),
    ],
)
def test_each_bound_decides(minilm, ours, noise, passed):
    assert minilm.n_layers == 6
    assert _passes(minilm, ours, noise) is passed


def test_a_wrong_attention_inside_the_model_is_noticed(minilm, monkeypatch):
    rows = compare_whole_model(minilm, [padded_case(minilm)])
    assert [row["passed"] for row in rows] == [True, True, True]

    def wrong_scores(query, key, scaling):
        return scaled_dot_product_scores(query, key, 1.001 * scaling)

    monkeypatch.setattr(backend, "scaled_dot_product_scores", wrong_scores)
    rows = compare_whole_model(minilm, [padded_case(minilm)])
    # The truth runs through the same wrong attention: the distance to theirs tells.
    assert [row["passed"] for row in rows] == [False, False, True]
