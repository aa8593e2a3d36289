"""The claims frame: every column against a slow reference, its verdicts, and its honesty."""

import functools
import hashlib
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.each import each
from support.planted.counts import changed, null_counts, plant, random_counts, without_pairs
from support.slow.claims import Slow, verdict

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.specialization import claims as claims_module
from inspector.heads.specialization.claims import CLAIMS_COLUMNS, relation_claims
from inspector.heads.specialization.inference import (
    bootstrap_weights,
    flip_signs,
    sign_flip_p_values,
)
from inspector.heads.specialization.lift import differences, is_supported, is_underpowered
from inspector.heads.specialization.split import RANDOM_INIT_COLUMNS, Split, is_for_selection
from inspector.heads.specialization.supported_heads import supported_heads

ALL_COLUMNS = CLAIMS_COLUMNS | RANDOM_INIT_COLUMNS

DRAWS = 400  # p ≥ 1 / 401: enough for a q below 0.05 over 15 rows
COLUMNS = [
    "relation", "direction", "layer", "head", "n", "accuracy", "baseline_offset",
    "baseline_accuracy", "lift", "ci_low", "ci_high", "p_value", "q_value",
    "selection_accuracy", "optimism", "random_init_accuracy", "verdict", "random_init_n",
    "random_init_error",
]  # fmt: skip


def random_models_of(
    counts: RelationCounts, number: int = 3, rate: float = 0.2
) -> list[RelationCounts]:
    """Return the same corpus as counted by heads that are right at this rate."""
    rng = np.random.default_rng(99)
    pairs = np.broadcast_to(counts.n[:, :, None, None, None], counts.correct.shape)
    return [
        changed(counts, correct=rng.binomial(pairs, rate).astype(np.int32)) for _ in range(number)
    ]


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plain loops keep up."""
    fewer = functools.partial(bootstrap_weights, draws=DRAWS)
    monkeypatch.setattr(claims_module, "bootstrap_weights", fewer)
    monkeypatch.setattr(claims_module, "flip_signs", functools.partial(flip_signs, flips=DRAWS))


def assert_row(row: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        if isinstance(value, float):
            assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-15, nan_ok=True), name
        else:
            assert row[name] == value, name


def assert_equals_slow(counts: RelationCounts, random_models: list[RelationCounts]) -> pd.DataFrame:
    """Hold a frame made with few draws against plain loops over the same draws."""
    frame = relation_claims(counts, random_models, seed=5)
    slow = Slow(counts)
    weights = bootstrap_weights(len(slow.test), 5, DRAWS).tolist()
    signs = flip_signs(len(slow.test), 5, DRAWS).tolist()
    rows = iter(frame.to_dict("records"))
    for r, relation in enumerate(counts.relations):
        for k, direction in enumerate(DIRECTIONS):
            row = next(rows)
            assert (row["relation"], row["direction"]) == (relation, direction)
            assert_row(row, slow.claim(r, k, weights, signs, random_models))
            assert row["verdict"] == verdict(row, slow.pairs(slow.selection, r))
    assert next(rows, None) is None
    np.testing.assert_allclose(
        frame["q_value"], stats.false_discovery_control(frame["p_value"]), rtol=1e-13
    )
    return frame


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("seed", range(4))
def test_every_column_equals_plain_loops(seed: int) -> None:
    counts = random_counts(n_documents=16, seed=seed)
    assert_equals_slow(counts, random_models_of(counts) if seed % 2 else [])


@pytest.mark.usefixtures("few_draws")
def test_planted_heads_and_real_ids_equal_plain_loops() -> None:
    counts = plant(null_counts(3), "det", "head_to_dependent", (2, 5), 0.8)
    named = changed(
        counts, documents=tuple(f"weblog-juancole.com_é_{i}" for i in range(len(counts.documents)))
    )
    frame = assert_equals_slow(named, random_models_of(named, 4))
    assert set(frame["verdict"]) == {"supported", "not supported", "underpowered"}


@pytest.mark.parametrize(("n_documents", "verdict"), [(4, "underpowered"), (5, "not supported")])
def test_fewer_than_five_documents_of_the_test_split_leave_a_claim_open(
    n_documents: int, verdict: str
) -> None:
    planted = plant(null_counts(1), "det", DIRECTIONS[0], (1, 1), 0.99)
    counts = without_pairs(planted, "det", even=False, but=n_documents)
    row = relation_claims(counts, random_models_of(counts)).query("relation == 'det'").iloc[0]
    assert row["n"] >= 20
    assert row["lift"] > 0.5
    assert row[["ci_low", "ci_high"]].isna().all() == (n_documents < 5)
    assert row["verdict"] == verdict  # of five, p is 1/32 at best


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("n_documents", [4, 5])
def test_few_documents_equal_plain_loops(n_documents: int) -> None:
    counts = without_pairs(null_counts(1), "det", even=False, but=n_documents)
    assert_equals_slow(counts, random_models_of(counts))


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("even", [True, False])
def test_a_relation_absent_from_one_split(even: bool) -> None:
    counts = without_pairs(plant(null_counts(1), "det", DIRECTIONS[0], (1, 1), 0.9), "det", even)
    frame = assert_equals_slow(counts, random_models_of(counts))
    rows = frame[frame["relation"] == "det"]
    assert (rows["verdict"] == "underpowered").all()
    assert (rows["p_value"] == 1).all()
    assert (
        rows[["lift", "ci_low", "ci_high", "baseline_accuracy", "optimism"]].isna().all(axis=None)
    )
    if even:
        assert (rows["layer"] == 0).all()
        assert (rows["head"] == 0).all()
        assert (rows["baseline_offset"] == 0).all()
        assert rows["accuracy"].notna().all()
    else:
        assert (rows["n"] == 0).all()
        assert rows["selection_accuracy"].notna().all()


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("n_documents", [0, 1, 2, 3])
def test_very_few_documents(n_documents: int) -> None:
    frame = assert_equals_slow(random_counts(n_documents=n_documents, pairs=9), [])
    assert (frame["verdict"] == "underpowered").all()


def test_no_relation_at_all() -> None:
    frame = relation_claims(random_counts(relations=()))
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == ALL_COLUMNS


def test_columns_types_and_index() -> None:
    frame = relation_claims(random_counts())
    assert list(frame.columns) == COLUMNS
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == ALL_COLUMNS
    assert isinstance(frame.index, pd.RangeIndex)
    assert len(frame) == 3 * 3


def test_documents_are_split_by_the_parity_of_their_hash() -> None:
    names = [f"GUM_academic_{i}" for i in range(200)] + ["", "é", "文"]
    for name in names:
        whole = int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest(), "big")
        assert is_for_selection(name) == (whole % 2 == 0)
    assert 70 < sum(map(is_for_selection, names)) < 130


def test_splits_share_no_document_and_lose_none() -> None:
    counts = random_counts(n_documents=30)
    split = Split.of(counts)
    selection, test = set(split.selection.documents), set(split.test.documents)
    assert not selection & test
    assert selection | test == set(counts.documents)


def test_ties_go_to_the_lowest_layer_then_head() -> None:
    counts = random_counts(n_layers=3, n_heads=4)
    equal = np.zeros_like(counts.correct)
    equal[:, :, :, 1, 2:] = counts.n[:, :, None, None]
    equal[:, :, :, 2, :] = counts.n[:, :, None, None]
    frame = relation_claims(changed(counts, correct=equal))
    assert set(zip(frame["layer"], frame["head"], strict=True)) == {(1, 2)}


def test_a_planted_head_is_recovered_and_supported() -> None:
    counts = plant(null_counts(7), "obj", "attended_by_head", (3, 4), 0.7)
    frame = relation_claims(counts, random_models_of(counts))
    found = frame[frame["verdict"] == "supported"].to_dict("records")
    assert [(row["relation"], row["direction"], row["layer"], row["head"]) for row in found] == [
        ("obj", "attended_by_head", 3, 4)
    ]
    assert found[0]["accuracy"] == pytest.approx(0.7, abs=0.06)
    assert found[0]["baseline_offset"] == 1
    assert found[0]["ci_low"] > 0.1


@pytest.mark.parametrize(("share", "verdict"), [(0.2, "supported"), (0.201, "underpowered")])
def test_a_relation_with_many_unknown_words_is_underpowered(share: float, verdict: str) -> None:
    counts = plant(null_counts(7), "obj", "attended_by_head", (3, 4), 0.7)
    known = relation_claims(counts, random_models_of(counts))
    frame = relation_claims(counts, random_models_of(counts), unknown={"obj": share, "det": 0.1})
    row = frame.query("relation == 'obj' and direction == 'attended_by_head'").iloc[0]
    assert row["verdict"] == verdict
    others = frame["relation"] != "obj"
    assert frame[others].equals(known[others])
    assert frame.drop(columns="verdict").equals(known.drop(columns="verdict"))
    strong = plant(null_counts(7), "obj", "attended_by_head", (3, 4), 0.97)
    own = supported_heads(strong, random_models_of(counts), unknown={"obj": share})
    assert own.loc[own["relation"] == "obj", "supported"].any() == (verdict == "supported")


def test_a_random_model_as_good_as_the_model_takes_the_claim_back() -> None:
    counts = plant(null_counts(7), "obj", "attended_by_head", (3, 4), 0.7)
    weak = random_models_of(counts, 2)
    strong = [*weak, plant(weak[0], "obj", "attended_by_head", (0, 1), 0.95)]
    frame = relation_claims(counts, strong)
    row = frame.query("relation == 'obj' and direction == 'attended_by_head'").iloc[0]
    assert row["random_init_accuracy"] == pytest.approx(0.95, abs=0.05)
    assert row["verdict"] == "not supported"
    same = relation_claims(counts, [*weak, counts])
    row = same.query("relation == 'obj' and direction == 'attended_by_head'").iloc[0]
    assert row["random_init_accuracy"] == row["accuracy"]
    assert row["verdict"] == "not supported"


def test_the_error_of_a_sample_is_what_samples_are_off_by() -> None:
    """300 relations with 90 pairs each, of which a random model reads 30, drawn without return."""
    rng = np.random.default_rng(0)
    names = tuple(f"r{number:03}" for number in range(300))
    right = rng.integers(0, 91, size=300)

    def counted(n: np.ndarray, correct: np.ndarray) -> RelationCounts:
        pairs = np.stack([n, n]).astype(np.int32)  # a document of either split
        hits = np.repeat(np.stack([correct, correct])[:, :, None], 3, axis=2)[..., None, None]
        return RelationCounts(
            ("a", "e"), names, (1,), hits.astype(np.int32), pairs, pairs[..., None]
        )

    all_pairs, some = np.full(300, 90), np.full(300, 30)
    sampled = rng.hypergeometric(right, 90 - right, 30)
    nothing = counted(some, np.zeros(300))
    model = counted(all_pairs, np.zeros(300))
    frame = relation_claims(model, [nothing, counted(some, sampled), nothing])
    frame = frame[frame["direction"] == DIRECTIONS[0]]
    assert (frame["random_init_n"] == 30).all()
    off = (frame["random_init_accuracy"] - right / 90).abs() / frame["random_init_error"]
    assert 0.93 <= (off <= 1.96).mean() <= 0.99
    assert np.sqrt((off**2).mean()) == pytest.approx(0.95, abs=0.1)
    whole = relation_claims(model, [model, model, model])
    assert (whole["random_init_error"] == 0).all()


def test_random_models_that_read_a_sample_equal_the_slow_way() -> None:
    counts = random_counts()
    sample = [thinned(one, seed) for seed, one in enumerate(random_models_of(counts))]
    frame = relation_claims(counts, sample)
    slow = Slow(counts)
    assert (frame["random_init_n"] < frame["n"]).any()
    for row in frame.to_dict("records"):
        r, k = counts.relations.index(row["relation"]), DIRECTIONS.index(row["direction"])
        expected = slow.random_init(r, k, sample)
        assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def thinned(counts: RelationCounts, seed: int) -> RelationCounts:
    """Return what a sample of about half of the pairs would count, one document left out."""
    rng = np.random.default_rng(seed)
    offsets = rng.binomial(counts.offset_counts, 0.5).astype(np.int32)[1:]
    n = offsets.sum(axis=-1, dtype=np.int32)
    rate = counts.correct[1:] / np.maximum(counts.n[1:], 1)[:, :, None, None, None]
    correct = rng.binomial(n[:, :, None, None, None], rate).astype(np.int32)
    return changed(
        counts, documents=counts.documents[1:], correct=correct, n=n, offset_counts=offsets
    )


def test_without_random_models_nothing_is_supported() -> None:
    counts = plant(null_counts(7), "obj", "attended_by_head", (3, 4), 0.7)
    frame = relation_claims(counts)
    assert frame["random_init_accuracy"].isna().all()
    assert "supported" not in set(frame["verdict"])


GOOD = {
    "n": 20, "n_selection": 20, "accuracy": 0.5, "random_init_accuracy": 0.4,
    "random_init_error": 0.0,
    "lift": 0.10, "ci_low": 0.01, "ci_high": 0.2, "q_value": 0.049,
}  # fmt: skip


@each(
    ("fields", "supported", "underpowered"),
    [
        ({}, True, False),
        ({"q_value": 0.05}, False, False),
        ({"ci_low": 0.0}, False, True),
        ({"ci_low": 0.0, "ci_high": 0.09}, False, False),
        ({"ci_low": -0.1, "ci_high": 0.10}, False, True),
        ({"lift": 0.099}, False, False),
        ({"random_init_accuracy": 0.5}, False, False),
        ({"random_init_error": 0.05}, False, False),
        ({"random_init_error": 0.049}, True, False),
        ({"random_init_accuracy": math.nan}, False, False),
        ({"n": 19}, False, True),
        ({"n_selection": 19}, False, True),
        ({"lift": math.nan, "ci_low": math.nan, "ci_high": math.nan}, False, True),
    ],
)
def test_every_condition_of_a_verdict_counts(
    fields: dict[str, float], supported: bool, underpowered: bool
) -> None:
    frame = pd.DataFrame([GOOD | fields])
    assert is_supported(frame).tolist() == [supported]
    assert is_underpowered(frame).tolist() == [underpowered]


def counts_with_pairs(in_selection: int, in_report: int) -> RelationCounts:
    """Return one pair a document, always found by every head, its offset new in the test split."""
    names = [f"document-{number}" for number in range(200)]
    even = [name for name in names if is_for_selection(name)][:in_selection]
    odd = [name for name in names if not is_for_selection(name)][:in_report]
    offset_counts = [[[1, 0]]] * in_selection + [[[0, 1]]] * in_report
    n = np.ones((in_selection + in_report, 1), dtype=np.int32)
    return RelationCounts(
        documents=(*even, *odd),
        relations=("det",),
        offsets=(1, 2),
        correct=np.ones((len(n), 1, 3, 2, 2), dtype=np.int32),
        n=n,
        offset_counts=np.array(offset_counts, dtype=np.int32),
    )


@pytest.mark.parametrize(
    ("in_selection", "in_report", "expected"),
    [(20, 20, "supported"), (19, 40, "underpowered"), (40, 19, "underpowered")],
)
def test_twenty_pairs_in_each_split_are_needed(
    in_selection: int, in_report: int, expected: str
) -> None:
    counts = counts_with_pairs(in_selection, in_report)
    frame = relation_claims(counts, random_models_of(counts))
    assert set(frame["verdict"]) == {expected}
    assert (frame["lift"] == 1).all()


def test_a_lift_of_exactly_a_tenth_is_enough() -> None:
    """6 / 10 − 5 / 10 is below 0.1 in floating point; lift is not computed so."""
    counts = counts_with_pairs(30, 100)
    test = np.array([not is_for_selection(name) for name in counts.documents])
    at_one, right = np.zeros(130, dtype=int), np.ones(130, dtype=int)
    at_one[np.flatnonzero(test)[:50]] = 1
    right[np.flatnonzero(test)[60:]] = 0
    at_one[~test] = 1
    offset_counts = np.stack([at_one, 1 - at_one], axis=-1)[:, None]
    correct = np.broadcast_to(right[:, None, None, None, None], counts.correct.shape)
    edge = changed(
        counts,
        correct=correct.astype(np.int32),
        offset_counts=offset_counts.astype(np.int32),
    )
    frame = relation_claims(edge, random_models_of(edge, rate=0.05))
    assert (frame["lift"] == 0.1).all()
    assert 0.6 - 0.5 < 0.1
    assert set(frame["verdict"]) == {"supported"}


def test_shuffled_heads_support_nothing() -> None:
    supported = rows = rejected_runs = 0
    for seed in range(20):
        counts = null_counts(seed)
        frame = relation_claims(counts, random_models_of(counts, rate=0.05), seed=seed)
        supported += (frame["verdict"] == "supported").sum()
        rejected_runs += (frame["q_value"] < 0.05).any()
        rows += len(frame)
    # Every rejection is false: q < 0.05 allows one in at most 5 % of the runs.
    assert rejected_runs <= stats.binom.ppf(0.99, 20, 0.05)
    assert supported <= 0.05 * rows


def test_under_the_null_the_p_values_of_claims_are_uniform() -> None:
    p = pd.concat([relation_claims(null_counts(seed))["p_value"] for seed in range(30)])
    for level in (0.05, 0.2, 0.5):
        # Three directions share a baseline: 150 independent relations.
        margin = 3 * math.sqrt(level * (1 - level) / 150)
        assert abs((p <= level).mean() - level) < margin


def test_the_winner_on_one_split_is_worse_on_the_other() -> None:
    optimism = pd.concat([relation_claims(null_counts(seed))["optimism"] for seed in range(10)])
    assert optimism.mean() > 0.03
    assert (optimism > 0).mean() > 0.8


def test_choosing_and_judging_on_the_same_documents_would_support_chance() -> None:
    """The control of the two above: this is what the splits are for."""
    naive = honest = 0
    for seed in range(8):
        counts = null_counts(seed, n_documents=80, n_layers=6, n_heads=12)
        honest += (relation_claims(counts)["p_value"] < 0.05).sum()
        test = Split.of(counts).test
        on_itself = Split(selection=test, test=test)
        signs = flip_signs(len(test.documents), 0)
        p = [
            sign_flip_p_values(
                differences(on_itself, place, on_itself.chosen_correct[place][None]), signs
            )
            for place in np.ndindex(len(counts.relations), len(DIRECTIONS))
        ]
        naive += (np.concatenate(p) < 0.05).sum()
    assert honest < 0.1 * 8 * 15
    assert naive > 0.25 * 8 * 15


def test_optimism_goes_away_with_a_single_head() -> None:
    optimism = pd.concat(
        [relation_claims(null_counts(s, n_layers=1, n_heads=1))["optimism"] for s in range(10)]
    )
    assert abs(optimism.mean()) < 4 * optimism.std() / math.sqrt(len(optimism))


def test_rows_do_not_depend_on_which_others_there_are() -> None:
    counts = plant(null_counts(2), "det", DIRECTIONS[1], (0, 3), 0.6)
    alone = changed(
        counts,
        relations=("det",),
        correct=counts.correct[:, 2:3],
        n=counts.n[:, 2:3],
        offset_counts=counts.offset_counts[:, 2:3],
    )
    whole = relation_claims(counts)
    rows = whole[whole["relation"] == "det"].reset_index(drop=True)
    kept = [name for name in COLUMNS if name not in ("q_value", "verdict")]
    pd.testing.assert_frame_equal(rows[kept], relation_claims(alone)[kept], check_exact=True)


def test_the_order_of_documents_changes_nothing() -> None:
    counts = null_counts(2)
    backwards = counts.of_documents(range(len(counts.documents))[::-1])
    pd.testing.assert_frame_equal(
        relation_claims(counts), relation_claims(backwards), check_exact=True
    )


def test_a_seed_moves_the_draws_and_nothing_else() -> None:
    counts = null_counts(2)
    one, same, other = (relation_claims(counts, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    drawn = ["ci_low", "ci_high", "p_value", "q_value"]
    assert (one[drawn] != other[drawn]).any().all()
    np.testing.assert_allclose(one[drawn[:3]], other[drawn[:3]], atol=0.03)
    fixed = [name for name in COLUMNS if name not in (*drawn, "verdict")]
    pd.testing.assert_frame_equal(one[fixed], other[fixed], check_exact=True)


def refusal(counts: RelationCounts, random_models: list[RelationCounts]) -> str:
    with pytest.raises(InputError) as error:
        relation_claims(counts, random_models)
    return str(error.value)


def test_one_or_two_random_models_are_too_few() -> None:
    counts = random_counts()
    assert refusal(counts, random_models_of(counts, 2)) == (
        "random_init_counts (2) must be none or at least 3: the best of fewer says little of what "
        "random weights can do."
    )


def test_random_models_must_have_read_the_same_corpus() -> None:
    counts = random_counts(n_documents=20)
    random_models = random_models_of(counts)
    renamed = changed(random_models[1], documents=tuple(f"other-{i}" for i in range(20)))
    assert refusal(counts, [random_models[0], renamed, random_models[2]]) == (
        "random_init_counts[1] has other documents than the model: count the same corpus with both."
    )
    relabelled = changed(random_models[2], relations=("case", "det", "nsubj"))
    assert refusal(counts, [*random_models[:2], relabelled]) == (
        "random_init_counts[2] has other relations than the model: count the same corpus with both."
    )
    again = random_counts(n_documents=20, seed=1)
    sentence = refusal(counts, [again, *random_models[:2]])
    assert sentence.startswith("random_init_counts[0] (")
    assert " pairs) has other pairs than the model (" in sentence
    assert sentence.endswith("): count the same corpus with both.")
