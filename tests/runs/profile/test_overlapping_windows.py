"""Texts that are longer than a model takes, in windows: each word and relation once."""

import logging
import math
import random
from itertools import pairwise

import pytest
from support.each import each
from support.slow.observers import attention_of, slow_behaviour

from inspector.corpora import Corpus, Relation, Sentence
from inspector.corpora.annotation.overlapping_windows import overlapping_places
from inspector.models import load
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

SETTINGS = ProfileSettings(ablation=False, long="windows", random_init_seeds=())
PIECES = ("the", "dog", ",", "unflappable", "cabinet", "had", "rain", ".")


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return load(tiny_folder())


@pytest.fixture(scope="module")
def corpus():
    """Return a short text and a long one, of which far relations are in no window."""
    dice = random.Random(0)
    words = tuple(dice.choice(PIECES) for _ in range(100))
    pairs = [(i, i + dice.choice((-1, 1)) * dice.randrange(1, 8)) for i in range(100)]
    kept = [(a, b) for a, b in pairs if 0 <= b < 100]
    relations = tuple(Relation("semantic", "near", a, b) for a, b in [*kept, (0, 99)])
    tags = tuple("PUNCT" if word in ",." else "NOUN" for word in words)
    long = Sentence("long", "d", words, tags, relations)
    short = Sentence("short", "d", words[:4], tags[:4], ())
    return Corpus("made", [short, long], [], "0" * 64, "gold")


@each("seed", range(20))
def test_windows_cover_all_words_and_overlap(seed):
    dice = random.Random(seed)
    lengths = [dice.choice((1, 1, 2, 5, 0, 40)) for _ in range(dice.randrange(1, 60))]
    limit = dice.randrange(4, 30)
    windows = overlapping_places(lengths, limit)
    assert [windows[0].start, windows[-1].stop] == [0, len(lengths)]
    for one in windows:
        assert len(one) == 1 or sum(lengths[one.start : one.stop]) <= limit
    for one, other in pairwise(windows):
        assert one.start < other.start <= one.stop < other.stop
        if max(lengths[one.start : one.stop + 1]) <= 2 and limit >= 8:
            shared = sum(lengths[other.start : one.stop])
            assert limit / 2 - 4 <= shared <= limit / 2 + 2


def test_each_word_is_described_and_each_relation_asked_once(tiny, corpus, caplog):
    with caplog.at_level(logging.WARNING, logger="inspector"):
        job, _ = profile_job(tiny, corpus, SETTINGS, None)
    short, *windows = job.sentences.texts
    long = corpus.sentences[1]
    assert short.words == corpus.sentences[0].words
    n_tokens = len(tiny.tokenizer(" ".join(long.words))["input_ids"])
    (said,) = caplog.messages
    assert said == (
        f"text (long, {n_tokens} tokens) is longer than {tiny.name} takes (96): it is read in "
        f"{len(windows)} windows that overlap by half, each word described in one of them; "
        "relations that no window holds: 1"
    )
    described, asked = [], []
    for one in windows:
        first, last = map(int, one.id.removeprefix("long:").split("-"))
        assert one.words == long.words[first - 1 : last] == tuple(one.surface.text.split())
        assert len(tiny.tokenizer(one.surface.text)["input_ids"]) <= 96
        start, stop = one.described
        described += range(first - 1 + start, first - 1 + stop)
        near = [pair for pair in one.relations if pair.label == "near"]
        asked += [(pair.source + first - 1, pair.target + first - 1) for pair in near]
        edges = (start if first > 1 else 24, len(one.words) - stop if last < 100 else 24)
        assert min(edges) > 3, "of what is described much stands before and after"
    assert described == list(range(100))
    assert sorted(asked) == sorted((one.source, one.target) for one in long.relations[:-1])


def test_behaviour_is_that_of_plain_loops_over_the_windows(tiny, corpus):
    run = profile_corpus(tiny, corpus, settings=SETTINGS)
    job, _ = profile_job(tiny, corpus, SETTINGS, None)
    texts = list(job.sentences.texts)
    slow = slow_behaviour(tiny, texts, lambda text: attention_of(tiny, text)[:3])
    alone = [tiny.tokenizer(" ".join(one.words))["input_ids"] for one in corpus.sentences]
    totals = run.totals.set_index("what")["count"]
    assert totals["queries"] == sum(len(ids) - 2 for ids in alone)
    assert totals["sentences"] == 2
    assert totals["sentences longer than the model takes"] == 0
    for row in run.behaviour.itertuples():
        for column, expected in slow[row.layer, row.head].items():
            assert math.isclose(getattr(row, column), expected, abs_tol=1e-5), column
    n = run.relations.groupby("relation")["n"].max()
    assert n["near"] == len(corpus.sentences[1].relations) - 1


def test_what_is_left_out_is_said(tiny, corpus, caplog):
    with caplog.at_level(logging.WARNING, logger="inspector"):
        profile_job(tiny, corpus, ProfileSettings(), None)
    (said,) = caplog.messages
    assert said.startswith(
        f"1 of 2 sentences have more tokens than {tiny.name} takes (96) and are left out, the "
        "first of them long ("
    )
    assert said.endswith(" tokens): a profile reads them in windows if long is 'windows'.")
