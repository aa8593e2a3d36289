"""Time and memory of a profile, told before it starts."""

import random
import re
import time

import pytest
from support.tiny.decoders import save_tiny_decoder

from inspector.corpora import Corpus, Relation, Sentence
from inspector.errors import InputError
from inspector.models import load
from inspector.models.forward import row_blocks
from inspector.runs.profile import cost_estimate
from inspector.runs.profile.cost_estimate import note_cost, run_cost
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.shard_worker import ProfileSettings, ProfileWorker

WORDS = ("The", "keys", "to", "the", "old", "cabinet", "are", "on", "a", "table", ",", "and", ".")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cost") / "llama"
    return load(save_tiny_decoder(folder, "llama", max_position_embeddings=900))


def sentence(n_words, related=True):
    dice = random.Random(n_words)
    words = tuple(dice.choice(WORDS) for _ in range(n_words))
    relations = (Relation("syntax", "any", 1, 0),) if related else ()
    return Sentence("s", f"d{n_words}", words, None, relations)


def job_of(model, sentences, **settings):
    corpus = Corpus("made", list(sentences), [], "0" * 64, "gold")
    return profile_job(model, corpus, ProfileSettings(**settings), None)[0]


@pytest.fixture
def clock(monkeypatch):
    """Let each reading take as long as is said of its kind, in seconds a word."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def ticking(**rates):
        def compute(worker, place):
            kind = "own" if place.is_own else "random"
            kind = "without" if place.reading.is_ablation else kind
            now[0] += rates[kind] * sum(place.read.lengths)

        def make(worker, seed):
            now[0] += rates["making"]

        monkeypatch.setattr(ProfileWorker, "compute", compute)
        monkeypatch.setattr(ProfileWorker, "random_init_model", make)

    return ticking


def test_time_is_that_of_every_reading(model, clock):
    """As many words as each reads, at the rate of its sample, and a quarter for what follows."""
    texts = [sentence(n) for n in range(3, 120)]
    job = job_of(model, texts, ablation_sentences=20)
    clock(own=0.25, random=0.125, without=2.0, making=3.0)
    lengths = job.sentences.lengths
    own, *random_models, without = [
        sum(lengths[place] for place in reading.texts[0]) for reading in job.readings
    ]
    assert own == sum(range(3, 120))
    assert len(random_models) == 3
    assert without > 0
    expected = 0.25 * own + 3 * 3.0 + 0.125 * sum(random_models) + 2.0 * without
    assert run_cost(model, [job]).seconds == pytest.approx(1.25 * expected)
    assert run_cost(model, [job], workers=2).seconds == pytest.approx(1.25 * expected / 2)
    plain = job_of(model, [sentence(n, related=False) for n in range(3, 120)], ablation=False)
    assert run_cost(model, [plain]).seconds == pytest.approx(0.25 * own)


def test_it_is_said_of_long_runs_and_of_long_texts(model, monkeypatch, caplog):
    monkeypatch.setattr(row_blocks, "LONG", 100)
    short, long = sentence(30), sentence(400)
    note_cost(model, [job_of(model, [short], ablation=False)])
    assert not caplog.records, "a short run is not spoken of"
    both = job_of(model, [short, long], ablation=False)
    note_cost(model, [both])
    (said,) = caplog.messages
    assert re.fullmatch(
        r"the run \(1 long text, of up to \d{3} tokens\) takes about \d+ s, and \d+ MB of memory "
        "in all",
        said,
    )
    caplog.clear()
    monkeypatch.setattr(cost_estimate, "_WORTH", 1.0)
    note_cost(model, [job_of(model, [short], ablation=False)])
    (said,) = caplog.messages
    assert said.startswith("the run takes about ")
    monkeypatch.setattr(cost_estimate, "resident_bytes", lambda: 0)
    assert str(run_cost(model, [both])).endswith(" MB of memory beside the model")
    monkeypatch.setattr(cost_estimate, "free_bytes", lambda: 10_000)
    with pytest.raises(InputError) as caught:
        note_cost(model, [both])
    assert re.fullmatch(
        r"text \(\d{3} tokens\) needs about 0.\d GB of memory beside the model, and 0.0 GB are "
        "free: give shorter texts, or more memory.",
        str(caught.value),
    )
    with pytest.raises(InputError) as caught:
        note_cost(model, [job_of(model, [short], ablation=False)])
    assert str(caught.value) == (
        f"run ({model.name}) needs about 0.2 GB of memory beside the model, and 0.0 GB are free: "
        "give less text, or more memory."
    )
