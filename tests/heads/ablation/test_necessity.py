"""Whether a claim's head is needed: planted effects are found, random heads are not."""

import numpy as np
import pandas as pd
import pytest
from support.each import each

from inspector.heads.ablation import NEEDED_COLUMNS, StateChangeSums, needed_heads, with_needed
from inspector.heads.ablation.necessity import _verdicts, random_heads
from inspector.heads.ablation.state_change import UNIT
from inspector.heads.specialization.claims import CLAIMS_COLUMNS

HEADS = [(layer, head) for layer in range(4) for head in range(8)]
OWN = HEADS.index((1, 3))


def sums(extra, n_documents=30, heads=HEADS, noise=0.02, seed=0):
    """Return sums where one head moves the dependents of 'obj' by `extra` more than the rest."""
    rng = np.random.default_rng(seed)
    documents = [f"d{i:02}" for i in range(n_documents)]
    made = StateChangeSums(documents, ["nsubj", "obj"], [(head,) for head in heads])
    made.n[:] = rng.integers(3, 9, size=made.n.shape)
    state_change = rng.normal(0.1, noise, size=made.effect.shape)
    state_change[:, 2, OWN % len(heads)] += extra
    made.effect[:] = np.rint(state_change * made.n[:, :, None] / UNIT)
    matched = rng.normal(0.1, noise, size=made.effect.shape)
    made.matched[:] = np.rint(matched * made.n[:, :, None] / UNIT)
    return made


def claims(verdict="supported", direction="dependent_to_head", head=(1, 3)):
    row = dict.fromkeys(CLAIMS_COLUMNS, 0) | {"relation": "obj", "direction": direction}
    row |= {"layer": head[0], "head": head[1], "verdict": verdict}
    return pd.DataFrame([row], columns=list(CLAIMS_COLUMNS)).astype(CLAIMS_COLUMNS)


@pytest.mark.parametrize(
    ("extra", "noise", "wanted"),
    [(0.05, 0.02, "yes"), (0.0, 0.01, "no"), (-0.05, 0.02, "no"), (0.012, 0.05, "unclear")],
)
def test_the_verdict_follows_the_planted_effect(extra, noise, wanted):
    frame = needed_heads(claims(), sums(extra, noise=noise))
    assert list(frame["needed"]) == [wanted]
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == NEEDED_COLUMNS


def test_only_the_word_that_looks_counts():
    """The effect is planted at the dependents: the heads of the relation do not feel it."""
    for direction in ("head_to_dependent", "attended_by_head"):
        frame = needed_heads(claims(direction=direction), sums(0.05, noise=0.01))
        assert list(frame["word"]) == ["head"]
        assert list(frame["needed"]) == ["no"]


def test_figures_equal_plain_loops():
    made = sums(0.03)
    row = needed_heads(claims(), made, seed=4).iloc[0]
    drawn = random_heads(HEADS, OWN, 4)
    n = sum(int(count) for count in made.n[:, 2])

    def total(table, variant):
        return sum(int(one) for one in table[:, 2, variant]) * UNIT / n

    own = total(made.effect, OWN) - total(made.matched, OWN)
    others = [total(made.effect, one) - total(made.matched, one) for one in drawn]
    assert row["n"] == n
    assert row["documents"] == 30
    assert row["random_heads"] == 20
    assert row["effect"] == pytest.approx(total(made.effect, OWN), rel=1e-12)
    assert row["random_effect"] == pytest.approx(
        sum(total(made.effect, one) for one in drawn) / 20, rel=1e-12
    )
    assert row["difference"] == pytest.approx(own, rel=1e-10)
    assert row["random_difference"] == pytest.approx(sum(others) / 20, rel=1e-10)
    assert row["contrast"] == pytest.approx(own - sum(others) / 20, rel=1e-10)
    assert row["p_value"] == (1 + sum(one >= own for one in others)) / 21
    assert row["ci_low"] < row["contrast"] < row["ci_high"]


def test_random_heads_are_others_of_the_nearest_layers():
    drawn = random_heads(HEADS, OWN, 0)
    assert len(set(drawn.tolist())) == 20
    assert OWN not in drawn
    assert {HEADS[place][0] for place in drawn} == {0, 1, 2}
    assert drawn.tolist() == random_heads(HEADS, OWN, 0).tolist()
    assert drawn.tolist() != random_heads(HEADS, OWN, 1).tolist()


def test_with_too_few_heads_nothing_is_needed_for_certain():
    few = HEADS[:12]
    frame = needed_heads(claims(), sums(0.3, heads=few))
    assert list(frame["random_heads"]) == [11]
    assert list(frame["needed"]) == ["unclear"]


def test_of_a_few_documents_nothing_is_certain():
    for extra in (0.05, -0.05):
        frame = needed_heads(claims(), sums(extra, n_documents=5, noise=0.001))
        assert list(frame["needed"]) == ["unclear"]


def test_random_heads_are_seldom_said_to_be_needed():
    """The rank among 20 gives a head that is like the others 1 chance in 21, at most."""
    found = [needed_heads(claims(), sums(0.0, seed=seed))["needed"][0] for seed in range(100)]
    assert found.count("yes") <= 5


def test_a_relation_without_a_measured_word_was_not_asked():
    made = sums(0.05)
    made.n[:, 2] = 0
    frame = needed_heads(claims(), made)
    assert list(frame["n"]) == [0]
    assert list(frame["needed"]) == ["not asked"]
    assert frame["contrast"].isna().all()
    assert list(with_needed(claims(), frame)["needed"]) == ["not asked"]


def test_claims_get_the_column_last():
    every = pd.concat([claims(), claims("underpowered", "head_to_dependent")], ignore_index=True)
    found = with_needed(every, needed_heads(every, sums(0.05)))
    assert list(found.columns) == [*CLAIMS_COLUMNS, "needed"]
    assert list(found["needed"]) == ["yes", "not asked"]
    empty = with_needed(every.iloc[:0], needed_heads(every.iloc[:0], sums(0.05)))
    assert list(empty.columns) == [*CLAIMS_COLUMNS, "needed"]


def test_a_random_head_that_does_as_much_counts():
    """Ties: with one other head as high the rank is 2 of 21, which is not below 0.05."""
    made = sums(0.05)
    drawn = random_heads(HEADS, OWN, 0)
    assert needed_heads(claims(), made)["p_value"][0] == 1 / 21
    for table in (made.effect, made.matched):
        table[:, 2, drawn[7]] = table[:, 2, OWN]
    assert needed_heads(claims(), made)["p_value"][0] == 2 / 21


def test_six_documents_are_enough():
    for extra, wanted in ((0.05, "yes"), (-0.05, "no")):
        frame = needed_heads(claims(), sums(extra, n_documents=6, noise=0.001))
        assert list(frame["needed"]) == [wanted]


def test_exactly_twenty_other_heads_of_the_near_layers_are_all_taken():
    heads = [(0, head) for head in range(21)] + [(1, head) for head in range(21)]
    assert random_heads(heads, 4, 0).tolist() == [place for place in range(21) if place != 4]


def test_other_claimed_heads_have_other_random_ones():
    one, other = random_heads(HEADS, 0, 0).tolist(), random_heads(HEADS, 1, 0).tolist()
    assert set(one) - {1} != set(other) - {0}


def test_documents_are_drawn_in_the_order_of_their_ids():
    made, turned = sums(0.03), sums(0.03)
    turned.documents = turned.documents[::-1]
    for name in ("n", "effect", "matched"):
        setattr(turned, name, getattr(turned, name)[::-1].copy())
    pd.testing.assert_frame_equal(needed_heads(claims(), made), needed_heads(claims(), turned))


@each(
    ("fields", "verdict"),
    [
        ({}, "yes"),
        ({"ci_low": 0.0}, "unclear"),
        ({"difference": 0.0}, "unclear"),
        ({"contrast": 0.0099}, "unclear"),
        ({"p_value": 0.05}, "unclear"),
        ({"ci_high": 0.0099, "ci_low": 0.0}, "no"),
        ({"ci_high": 0.0101, "ci_low": 0.0}, "unclear"),
        ({"ci_high": 0.1 * 0.1, "ci_low": 0.0}, "unclear"),
        ({"documents": 5}, "unclear"),
        ({"n": 0}, "not asked"),
    ],
)
def test_every_condition_of_a_verdict_counts(fields, verdict):
    least = {"ci_low": 0.001, "ci_high": 0.2, "difference": 0.001, "contrast": 0.0101,
             "random_effect": 0.1, "p_value": 0.049, "documents": 6, "n": 20}  # fmt: skip
    assert list(_verdicts(pd.DataFrame([least | fields]))) == [verdict]
