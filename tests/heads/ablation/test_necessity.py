"""Whether a claim's heads are needed: planted effects are found, random heads are not."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from support.each import each
from support.planted.necessity import planted_corpus, planted_model

from inspector.corpora import default_corpus
from inspector.heads.ablation import (
    NEEDED_COLUMNS,
    StateChangeSums,
    ablation_over,
    needed_heads,
    with_needed,
)
from inspector.heads.ablation.necessity import SharedRole, _verdicts, random_heads
from inspector.heads.ablation.shared_roles import RANDOM_SETS, random_sets, shared_roles
from inspector.heads.ablation.state_change import UNIT
from inspector.heads.specialization.claims import CLAIMS_COLUMNS
from inspector.heads.specialization.inference import flip_signs
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.needed_frame import needed_frame
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.shard_worker import ProfileWorker

HEADS = [(layer, head) for layer in range(4) for head in range(8)]
OWN = HEADS.index((1, 3))


def sums(extra, n_documents=30, heads=HEADS, noise=0.02, seed=0):
    """Return sums where one head moves the dependents of 'obj' by `extra` more than the rest."""
    rng = np.random.default_rng(seed)
    documents = [f"d{i:02}" for i in range(n_documents)]
    made = StateChangeSums(documents, ["nsubj", "obj"], [(head,) for head in heads])
    made.n[:] = rng.integers(3, 9, size=made.n.shape)
    for table, cosine in ((made.effect, made.cosine), (made.matched, made.matched_cosine)):
        state_change = rng.normal(0.1, noise, size=table.shape)
        if table is made.effect:
            state_change[:, 2, OWN % len(heads)] += extra
        n = made.n[:, :, None]
        table[:] = np.rint(state_change * n / UNIT)
        cosine[:] = np.rint((1 - state_change**2 / 2) * n / UNIT)
    return made


def claims(verdict="supported", direction="dependent_to_head", head=(1, 3)):
    row = dict.fromkeys(CLAIMS_COLUMNS, 0) | {"relation": "obj", "direction": direction}
    row |= {"layer": head[0], "head": head[1], "verdict": verdict}
    return pd.DataFrame([row], columns=list(CLAIMS_COLUMNS)).astype(CLAIMS_COLUMNS)


def followers(*heads):
    """Return the rows of the heads that follow 'obj' from its dependent."""
    rows = [("obj", "dependent_to_head", *one, True) for one in heads]
    return pd.DataFrame(rows, columns=["relation", "direction", "layer", "head", "supported"])


@each(
    ("extra", "noise", "wanted"),
    [(0.05, 0.02, "yes"), (0.0, 0.01, "no"), (-0.05, 0.02, "no"), (0.012, 0.05, "unclear")],
)
def test_the_verdict_follows_the_planted_effect(extra, noise, wanted):
    frame = needed_heads(claims(), sums(extra, noise=noise))
    assert list(frame["needed"]) == [wanted]
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == NEEDED_COLUMNS
    assert list(frame["measure"]) == ["state change"]


def test_only_the_word_that_looks_counts():
    """The effect is planted at the dependents: the heads of the relation do not feel it."""
    for direction in ("head_to_dependent", "attended_by_head"):
        frame = needed_heads(claims(direction=direction), sums(0.05, noise=0.01))
        assert list(frame["word"]) == ["head"]
        assert list(frame["needed"]) == ["no"]


def slow_p(contrasts, signs):
    """Return the one-sided sign-flip p of one number for each document, by plain loops."""
    reached = 0
    for flip in signs:
        flipped = sum(int(sign) * one for sign, one in zip(flip, contrasts, strict=True))
        reached += flipped >= sum(contrasts)
    return (1 + reached) / (1 + len(signs))


def test_figures_equal_plain_loops():
    made = sums(0.02, n_documents=9)
    rows = pd.concat([claims(), claims(direction="head_to_dependent")], ignore_index=True)
    frame = needed_heads(rows, made, seed=4)
    drawn = random_heads(HEADS, OWN, 4)
    signs = flip_signs(9, 4).tolist()
    ps = []
    for row, cell in zip(frame.itertuples(), (2, 3), strict=True):
        n = sum(int(count) for count in made.n[:, cell])

        def whole(table, variant, cell=cell):
            return sum(int(one) for one in table[:, cell, variant])

        def apart(document, variant, cell=cell):
            at = (document, cell, variant)
            return int(made.effect[at]) - int(made.matched[at])

        def angle(document, variant, cell=cell):
            at = (document, cell, variant)
            return int(made.matched_cosine[at]) - int(made.cosine[at])

        own = sum(apart(document, OWN) for document in range(9)) * UNIT / n
        others = [sum(apart(d, one) for d in range(9)) * UNIT / n for one in drawn]
        assert (row.n, row.documents, row.random_heads) == (n, 9, 20)
        assert row.effect == pytest.approx(whole(made.effect, OWN) * UNIT / n, rel=1e-12)
        random_effect = sum(whole(made.effect, one) for one in drawn) * UNIT / n / 20
        assert row.random_effect == pytest.approx(random_effect, rel=1e-12)
        assert row.least == pytest.approx(random_effect / 10, rel=1e-12)
        assert row.difference == pytest.approx(own, rel=1e-10)
        assert row.random_difference == pytest.approx(sum(others) / 20, rel=1e-10)
        assert row.contrast == pytest.approx(own - sum(others) / 20, rel=1e-10)
        assert row.ci_low < row.contrast < row.ci_high
        assert row.rank == 1 + sum(one >= own for one in others)
        for figure, p, mean in ((apart, row.p_value, row.contrast),
                                (angle, row.cosine_p_value, row.cosine_contrast)):  # fmt: skip
            contrasts = [
                20 * figure(document, OWN) - sum(figure(document, one) for one in drawn)
                for document in range(9)
            ]
            assert mean == pytest.approx(sum(contrasts) * UNIT / n / 20, rel=1e-10)
            assert p == slow_p(contrasts, signs)
        assert row.cosine == pytest.approx(whole(made.cosine, OWN) * UNIT / n, rel=1e-12)
        ps.append(max(row.p_value, row.cosine_p_value))
    # Of two questions the better p counts double, or as the worse one.
    q = [min(2 * min(ps), max(ps)) if p == min(ps) else max(ps) for p in ps]
    assert list(frame["q_value"]) == pytest.approx(q, rel=1e-12)


def test_the_test_is_what_all_flips_of_few_documents_say():
    """Of 8 documents there are 256 flips; 10,000 drawn ones come close."""
    made = sums(0.01, n_documents=8)
    row = needed_heads(claims(), made).iloc[0]
    drawn = random_heads(HEADS, OWN, 0)
    apart = (made.effect - made.matched)[:, 2]
    contrasts = (20 * apart[:, OWN] - apart[:, drawn].sum(axis=1)).tolist()
    every = [
        sum(sign * one for sign, one in zip(flip, contrasts, strict=True)) >= sum(contrasts)
        for flip in product((-1, 1), repeat=8)
    ]
    assert row["p_value"] == pytest.approx(sum(every) / 256, abs=0.02)


def test_random_heads_are_others_of_the_nearest_layers():
    drawn = random_heads(HEADS, OWN, 0)
    assert len(set(drawn.tolist())) == 20
    assert OWN not in drawn
    assert {HEADS[place][0] for place in drawn} == {0, 1, 2}
    assert drawn.tolist() == random_heads(HEADS, OWN, 0).tolist()
    assert drawn.tolist() != random_heads(HEADS, OWN, 1).tolist()
    alike = [(1, head) for head in range(8)]
    assert not {HEADS[place] for place in random_heads(HEADS, OWN, 0, but=alike)} & set(alike)


def test_random_sets_are_of_as_many_other_heads_of_the_same_layers():
    heads = ((0, 1), (2, 3), (2, 5))
    drawn = random_sets(heads, 4, 8, seed=0)
    assert len(set(drawn)) == RANDOM_SETS
    for one in drawn:
        assert [layer for layer, _ in one] == [0, 2, 2]
        assert len(set(one)) == 3
        assert not set(one) & set(heads)
    assert drawn == random_sets(heads, 4, 8, seed=0)
    assert drawn != random_sets(heads, 4, 8, seed=1)
    # A layer without others: the next one's stand in; and where there are too few, no set.
    assert random_sets([(0, 0), (0, 1)], 2, 2, seed=0) == [((1, 0), (1, 1))]
    assert random_sets([(0, 0), (0, 1), (1, 1)], 2, 2, seed=0) == []


def test_heads_of_a_claimed_relation_and_direction_share_a_role():
    rows = pd.concat([claims(), claims(direction="head_to_dependent")], ignore_index=True)
    other = followers((3, 3)).assign(direction="head_to_dependent")
    not_claimed = followers((3, 5), (3, 6)).assign(relation="det")
    not_held = followers((3, 7)).assign(supported=False)
    every = pd.concat([followers((2, 1), (1, 3)), other, not_claimed, not_held], ignore_index=True)
    assert shared_roles(rows, every) == {
        ((1, 3), (2, 1)): [("obj", "dependent_to_head")],
        ((1, 3), (3, 3)): [("obj", "head_to_dependent")],
    }
    assert shared_roles(rows, followers((1, 3))) == {}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a function from planted heads to the verdicts on them, found by ablation."""

    def judged(*heads, sentences=100):
        model = planted_model(tmp_path_factory.mktemp("planted"), [head for _, head in heads])
        settings = ProfileSettings(
            ablation_sentences=sentences, random_init_seeds=(), shard_size=200
        )
        job, _ = profile_job(model, planted_corpus(), settings, None)
        worker = ProfileWorker(job, model)
        shards = [worker(one) for one in range(job.n_shards)[-job.readings[-1].n_shards :]]
        rows = claims(head=heads[0])
        frame = needed_frame(model, job, shards, rows, followers(*heads))
        return frame, with_needed(rows, frame)["needed"][0]

    return judged


def test_no_chance_is_in_what_is_planted(tmp_path):
    """It was made with dropout on: in one run of ten the planted head found nothing."""
    made = []
    for seed in range(5):
        torch.manual_seed(seed)
        made.append(planted_model(tmp_path / str(seed), [3]).model.state_dict())
    for other in made[1:]:
        assert all(torch.equal(tensor, made[0][name]) for name, tensor in other.items())


def test_a_planted_head_is_needed(planted):
    frame, found = planted((0, 3))
    assert found == "yes"
    assert frame["heads"].tolist() == ["0-3"]
    assert frame["rank"].tolist() == [1]


@pytest.mark.full
def test_sets_are_read_in_documents_enough_for_an_interval(planted):
    """One sentence in eight of eight would be one document, of which nothing can be said."""
    frame, _ = planted((0, 3), (0, 7), sentences=8)
    assert frame["documents"][1] >= 6
    assert frame["needed"].tolist() == ["no", "yes"], frame.T.to_string()


def test_two_planted_heads_of_which_either_does_are_needed_only_together(planted):
    frame, found = planted((0, 3), (0, 7))
    assert found == "together"
    assert frame["heads"].tolist() == ["0-3", "0-3,0-7"]
    assert frame["needed"].tolist() == ["no", "yes"]
    assert frame[["layer", "head"]].to_numpy().tolist() == [[0, 3], [-1, -1]]
    assert frame["random_heads"].tolist() == [10, RANDOM_SETS]
    # Every document says the same, and far from `least`: no draw, whatever its seed, decides.
    np.testing.assert_allclose(frame["ci_low"], frame["ci_high"], atol=1e-4)
    assert frame["contrast"][0] < 0.5 * frame["least"][0]
    assert frame["contrast"][1] > 10 * frame["least"][1]
    assert frame["p_value"][1] == pytest.approx(0.5 ** frame["documents"][1], abs=0.002)


def test_of_a_few_documents_nothing_is_certain():
    for extra in (0.05, -0.05):
        frame = needed_heads(claims(), sums(extra, n_documents=5, noise=0.001))
        assert list(frame["needed"]) == ["unclear"]


def test_random_heads_are_seldom_said_to_be_needed():
    """Of 4 questions in which a head is like the others, in 1 run of 20 any is answered yes."""
    wrong = 0
    for seed in range(40):
        made = sums(0.0, n_documents=12, seed=seed)
        rows = [claims(head=HEADS[place]) for place in range(0, 24, 6)]
        frame = needed_heads(pd.concat(rows, ignore_index=True), made)
        wrong += (frame["q_value"] < 0.05).any()
    assert wrong <= 5  # of 40 at 0.05: more in one of a hundred


TABLES = ("effect", "matched", "cosine", "matched_cosine")


@pytest.mark.full
def test_heads_of_a_real_model_that_change_from_document_to_document_are_seldom_needed(minilm):
    """Of 15 questions any is answered yes in 1 of 20 draws, at most: heads are exchangeable."""
    corpus = default_corpus()
    some = replace(corpus, sentences=corpus.sentences[:160:2])
    made = ablation_over(minilm, "all", some, loss=False)
    asked = [
        (name, layer) for layer in (0, 2, 4) for name in ("det", "case", "nsubj", "obj", "obl")
    ]
    rows = pd.concat([claims(head=(layer, 3)).assign(relation=name) for name, layer in asked])
    assert np.count_nonzero(made.n[:, 2 * made.names.index("det")]) >= 10
    rng = np.random.default_rng(0)
    wrong = 0
    for draw in range(60):
        orders = [rng.permutation(len(made.variants)) for _ in made.documents]
        shuffled = replace(made)
        shuffled.n[:] = made.n
        for name in TABLES:
            for document, order in enumerate(orders):
                getattr(shuffled, name)[document] = getattr(made, name)[document][:, order]
        wrong += bool((needed_heads(rows, shuffled, seed=draw)["q_value"] < 0.05).any())
    assert wrong <= 8  # of 60 at 0.05: more in less than one of a hundred


def test_a_relation_without_a_measured_word_was_not_asked():
    made = sums(0.05)
    made.n[:, 2] = 0
    rows = pd.concat([claims(), claims(direction="head_to_dependent")], ignore_index=True)
    frame = needed_heads(rows, made)
    assert frame["n"][0] == 0
    assert frame["needed"][0] == "not asked"
    assert frame.loc[0, ["contrast", "q_value"]].isna().all()
    # It is none of the questions that are corrected for.
    assert frame["q_value"][1] == max(frame["p_value"][1], frame["cosine_p_value"][1])
    assert with_needed(rows, frame)["needed"][0] == "not asked"


def test_claims_get_the_column_last():
    every = pd.concat([claims(), claims("underpowered", "head_to_dependent")], ignore_index=True)
    found = with_needed(every, needed_heads(every, sums(0.05)))
    assert list(found.columns) == [*CLAIMS_COLUMNS, "needed"]
    assert list(found["needed"]) == ["yes", "not asked"]
    empty = with_needed(every.iloc[:0], needed_heads(every.iloc[:0], sums(0.05)))
    assert list(empty.columns) == [*CLAIMS_COLUMNS, "needed"]


def test_a_head_that_is_needed_is_needed_whatever_the_set_says():
    made = sums(0.05)
    together = StateChangeSums(made.documents, made.names, [((1, 3), (2, 1)), ((0, 0), (2, 2))])
    for name in ("effect", "matched", "cosine", "matched_cosine"):
        getattr(together, name)[:] = getattr(made, name)[:, :, [OWN, 0]]
    together.n[:] = made.n
    shared = [SharedRole([("obj", "dependent_to_head")], together)]
    frame = needed_heads(claims(), made, shared=shared)
    assert list(frame["needed"]) == ["yes", "yes"]
    assert list(with_needed(claims(), frame)["needed"]) == ["yes"]
    assert (2, 1) not in [HEADS[one] for one in random_heads(HEADS, OWN, 0, but=[(2, 1)])]


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
    for name in ("n", "effect", "matched", "cosine", "matched_cosine"):
        setattr(turned, name, getattr(turned, name)[::-1].copy())
    pd.testing.assert_frame_equal(needed_heads(claims(), made), needed_heads(claims(), turned))


@each(
    ("fields", "verdict"),
    [
        ({}, "yes"),
        ({"ci_low": 0.0}, "unclear"),
        ({"effect": 0.1}, "unclear"),
        ({"contrast": 0.0099}, "unclear"),
        ({"q_value": 0.05}, "unclear"),
        ({"ci_high": 0.0099, "ci_low": 0.0}, "no"),
        ({"ci_high": 0.0101, "ci_low": 0.0}, "unclear"),
        ({"ci_high": 0.01, "ci_low": 0.0}, "unclear"),
        ({"documents": 5}, "unclear"),
        ({"n": 0}, "not asked"),
    ],
)
def test_every_condition_of_a_verdict_counts(fields, verdict):
    least = {"ci_low": 0.001, "ci_high": 0.2, "effect": 0.101, "random_effect": 0.1, "least": 0.01,
             "contrast": 0.0101, "q_value": 0.049, "documents": 6, "n": 20}  # fmt: skip
    assert list(_verdicts(pd.DataFrame([least | fields]))) == [verdict]
