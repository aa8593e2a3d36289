"""A BERT whose heads do what was planted in their weights: `profile` says so, and nothing else.

Words and positions are embedded as one-hot vectors, so that a head's scores can be written down
as a table: from token to token, from position to position. Must not know: how roles are found.
"""

import random

import pytest
import torch
from support.planted.bert import plant

from inspector.corpora import Corpus, Relation, Sentence
from inspector.models import attention_probabilities, word_batches
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that")
ROLES = {
    "previous": "positional:-1",
    "separator": "special-token",
    "uniform": "broad",
    "same": "duplicate-token",
    "before": None,
}


def sentences():
    """Return sentences in which words come again, never at once; each word depends on the last."""
    draw, made = random.Random(5), []
    for number in range(60):
        words = [draw.choice(WORDS)]
        while len(words) < draw.randint(18, 28):
            words.append(draw.choice([word for word in WORDS if word != words[-1]]))
        relations = tuple(Relation("syntax", "dep", i, i - 1) for i in range(1, len(words)))
        tags = ("NOUN",) * len(words)
        made.append(Sentence(f"s{number}", f"d{number // 3}", tuple(words), tags, relations))
    return made


@pytest.fixture(scope="module", params=[list(ROLES), list(ROLES)[::-1]], ids=["as is", "turned"])
def planted(request, tmp_path_factory):
    return request.param, plant(tmp_path_factory.mktemp("planted") / "bert", request.param)


@pytest.fixture(scope="module")
def run(planted):
    corpus = Corpus("planted", sentences(), [], "0" * 64, "generated")
    return profile_corpus(
        planted[1], corpus, settings=ProfileSettings(batch_size=7, ablation=False)
    )


def test_the_heads_attend_as_planted(planted):
    kinds, model = planted
    words = ["the", "cat", "the", "dog", "had", "rain", "the", "dog"]
    batch = word_batches(model, [words], 1).batches[0].batch
    maps = dict(zip(kinds, attention_probabilities(model, batch)[0, 0], strict=True))
    n = len(words) + 2
    for i in range(1, n - 1):
        repeats = [j for j in range(1, n - 1) if j != i and words[j - 1] == words[i - 1]]
        wanted = torch.zeros(n)
        wanted[repeats or [i]] = 1 / len(repeats or [i])
        torch.testing.assert_close(maps["same"][i], wanted, atol=1e-4, rtol=0)
        assert maps["previous"][i, i - 1] > 0.9999
        assert maps["separator"][i, n - 1] > 0.9999
        torch.testing.assert_close(maps["uniform"][i], torch.full((n,), 1 / n), atol=1e-5, rtol=0)
        assert maps["before"][i, : i + 1].sum() > 0.9999


def test_each_planted_head_has_its_role_and_no_other(planted, run):
    kinds, _ = planted
    found = run.roles[["layer", "head", "role"]].values.tolist()
    assert found == [[0, head, ROLES[kind]] for head, kind in enumerate(kinds) if ROLES[kind]]


def test_the_figures_behind_the_roles(planted, run):
    kinds, _ = planted
    heads = run.behaviour.set_index("head").rename(index=dict(enumerate(kinds)))
    assert heads.at["previous", "offset_mode"] == -1
    assert heads.at["previous", "offset_share"] > 0.95
    assert heads.at["separator", "separator_mass"] > 0.9999
    assert heads.at["separator", "norm_separator_mass"] > 0.9999
    assert heads.at["uniform", "entropy_share"] == pytest.approx(1.0, abs=1e-5)
    assert heads.at["same", "duplicate_mass"] > 0.9999
    for kind, column in [("before", "offset_share"), ("before", "entropy_share")]:
        assert heads.at[kind, column] < 0.9, column


def test_what_a_fixed_offset_does_as_well_is_no_syntax(planted, run):
    """The previous-token head finds every dependent's head here, and so does the baseline."""
    kinds, _ = planted
    claim = run.claims.query("direction == 'dependent_to_head'").iloc[0]
    assert claim["head"] == kinds.index("previous")
    assert claim["accuracy"] == claim["baseline_accuracy"] == 1.0
    assert (claim["verdict"], claim["explained_by"]) == ("explained", "offset")
