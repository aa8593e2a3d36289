"""Every head's own support: each column against a slow reference, and against the claims."""

import functools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.planted.counts import changed, null_counts, plant, random_counts, without_pairs
from support.slow.claims import Slow, exact_p

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization import supported_heads as support_module
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.inference import bootstrap_weights
from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS, supported_heads

DRAWS = 50


def random_models_of(counts: RelationCounts, rate: float = 0.05) -> list[RelationCounts]:
    """Return the same corpus as counted by heads that are right at this rate."""
    rng = np.random.default_rng(99)
    pairs = np.broadcast_to(counts.n[:, :, None, None, None], counts.correct.shape)
    return [changed(counts, correct=rng.binomial(pairs, rate).astype(np.int32)) for _ in range(3)]


def assert_equals_slow(counts: RelationCounts, random_models: list[RelationCounts]) -> pd.DataFrame:
    frame = supported_heads(counts, random_models, seed=5)
    slow = Slow(counts)
    weights = bootstrap_weights(len(slow.test), 5, DRAWS).tolist()
    rows = iter(frame.to_dict("records"))
    for layer in range(slow.n_layers):
        for head in range(slow.n_heads):
            for r, relation in enumerate(counts.relations):
                for k, direction in enumerate(DIRECTIONS):
                    expected: dict[str, Any] = slow.lift_row(r, k, (layer, head), weights)
                    p = float(exact_p(expected.pop("apart")))
                    if p >= 0.05:
                        expected |= {"ci_low": math.nan, "ci_high": math.nan}
                    expected |= {
                        "layer": layer,
                        "head": head,
                        "relation": relation,
                        "direction": direction,
                        **slow.random_init(r, k, random_models),
                    }
                    row = next(rows)
                    for name, value in expected.items():
                        if isinstance(value, float):
                            value = pytest.approx(value, rel=1e-12, abs=1e-15, nan_ok=True)
                        assert row[name] == value, name
                    assert row["p_value"] == pytest.approx(p, abs=2e-12)
                    enough = min(row["n"], slow.pairs(slow.selection, r)) >= 20
                    assert row["supported"] == (
                        row["q_value"] < 0.05
                        and row["ci_low"] > 0
                        and row["lift"] >= 0.10
                        and row["accuracy"]
                        > row["random_init_accuracy"] + 2 * row["random_init_error"]
                        and enough
                    )
    assert next(rows, None) is None
    np.testing.assert_allclose(
        frame["q_value"], stats.false_discovery_control(frame["p_value"]), rtol=1e-13
    )
    return frame


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plain loops keep up."""
    fewer = functools.partial(bootstrap_weights, draws=DRAWS)
    monkeypatch.setattr(support_module, "bootstrap_weights", fewer)


@pytest.mark.usefixtures("few_draws")
def test_every_column_equals_plain_loops() -> None:
    counts = plant(random_counts(n_documents=24), "det", DIRECTIONS[0], (1, 2), 0.97)
    frame = assert_equals_slow(counts, random_models_of(counts))
    assert set(frame["supported"]) == {True, False}


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("even", [True, False])
def test_a_relation_absent_from_one_split_supports_no_head(even: bool) -> None:
    counts = without_pairs(random_counts(n_documents=12), "det", even)
    frame = assert_equals_slow(counts, random_models_of(counts))
    rows = frame[frame["relation"] == "det"]
    assert (rows["p_value"] == 1).all()
    assert not rows["supported"].any()


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("n_documents", [0, 1, 2])
def test_very_few_documents_support_no_head(n_documents: int) -> None:
    assert not assert_equals_slow(random_counts(n_documents=n_documents), [])["supported"].any()


def test_no_relation_at_all() -> None:
    frame = supported_heads(random_counts(relations=()))
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == SUPPORT_COLUMNS


def test_columns_types_and_index() -> None:
    frame = supported_heads(random_counts())
    assert list(frame.columns) == [
        "layer", "head", "relation", "direction", "n", "accuracy", "baseline_offset",
        "baseline_accuracy", "lift", "ci_low", "ci_high", "p_value", "q_value",
        "random_init_accuracy", "random_init_n", "random_init_error", "supported",
    ]  # fmt: skip
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == SUPPORT_COLUMNS
    assert isinstance(frame.index, pd.RangeIndex)
    assert len(frame) == 2 * 3 * 3 * 3


def test_a_claims_head_has_the_same_figures_here() -> None:
    counts = plant(null_counts(4), "case", DIRECTIONS[2], (1, 5), 0.7)
    random_models = random_models_of(counts)
    claims = relation_claims(counts, random_models, seed=3)
    key = ["layer", "head", "relation", "direction"]
    both = claims.merge(
        supported_heads(counts, random_models, seed=3), on=key, suffixes=("", "_own")
    )
    assert len(both) == len(claims)
    for name in (
        "n",
        "accuracy",
        "baseline_offset",
        "baseline_accuracy",
        "lift",
        "ci_low",
        "ci_high",
        "random_init_accuracy",
    ):
        asked = both["p_value_own"] < 0.05 if name.startswith("ci_") else slice(None)
        assert len(both[asked]) >= 1
        np.testing.assert_array_equal(both[asked][name], both[asked][f"{name}_own"])
    p = both["p_value_own"]
    margin = 5 * np.sqrt(p * (1 - p) / 10_000) + 2e-4
    assert ((both["p_value"] - p).abs() <= margin).all()


def test_every_head_that_follows_a_relation_is_found_not_only_the_best() -> None:
    counts = null_counts(6)
    for head in ((0, 1), (2, 3), (3, 0)):
        counts = plant(counts, "nsubj", DIRECTIONS[1], head, 0.75)
    frame = supported_heads(counts, random_models_of(counts))
    found = frame[frame["supported"]]
    assert set(zip(found["layer"], found["head"], strict=True)) >= {(0, 1), (2, 3), (3, 0)}
    strays = found[(found["relation"] != "nsubj") | (found["direction"] != DIRECTIONS[1])]
    assert len(strays) <= 0.05 * len(found) + 1


def test_one_head_among_thousands_survives_correction() -> None:
    counts = null_counts(9, n_documents=80, n_layers=12, n_heads=24, rate=0.2)
    counts = plant(counts, "nsubj", DIRECTIONS[1], (7, 17), 0.8)
    frame = supported_heads(counts, random_models_of(counts))
    assert len(frame) == 4320
    found = frame[frame["supported"]]
    assert (7, 17) in set(zip(found["layer"], found["head"], strict=True))
    # p ≥ 1 / 10,001 could not have survived alone:
    assert 1 / 10_001 * len(frame) > 0.05


def test_under_the_null_no_head_is_supported_but_what_q_allows() -> None:
    runs = [supported_heads(c, random_models_of(c)) for c in map(null_counts, range(8))]
    rejected = sum((frame["q_value"] < 0.05).any() for frame in runs)
    assert rejected <= stats.binom.ppf(0.999, 8, 0.05)
    p = pd.concat(runs)["p_value"]
    assert abs((p <= 0.05).mean() - 0.05) < 0.03


def test_without_random_models_no_head_is_supported() -> None:
    counts = plant(null_counts(4), "case", DIRECTIONS[2], (1, 5), 0.9)
    assert not supported_heads(counts)["supported"].any()
    assert supported_heads(counts, random_models_of(counts))["supported"].any()


def test_two_random_models_are_too_few() -> None:
    counts = random_counts()
    with pytest.raises(
        InputError, match=r"^random_init_counts \(2\) must be none or at least 3: the"
    ):
        supported_heads(counts, random_models_of(counts)[:2])


def test_the_order_of_documents_changes_nothing() -> None:
    counts = null_counts(2)
    backwards = counts.of_documents(range(len(counts.documents))[::-1])
    one, other = supported_heads(counts), supported_heads(backwards)
    # A transform's last bits may depend on nothing but the row: hold it exactly.
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert not math.isnan(one["q_value"].sum())
