"""A profile that silences heads: claims say what is needed, and the bytes are always the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import inspector
from inspector.corpora import Corpus, Relation, Sentence
from inspector.errors import InputError
from inspector.heads.halves import is_for_selection
from inspector.models import load
from inspector.runs.cause_work import sample
from inspector.runs.profiling import Run, profile_corpus
from inspector.runs.shard_work import ProfileSettings

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that")
SETTINGS = ProfileSettings(shard_size=64, batch_size=16, cause=True, cause_sentences=40)


def sentence(number):
    rng = np.random.default_rng(number)
    words = tuple(str(word) for word in rng.choice(WORDS, size=rng.integers(5, 9)))
    relations = [Relation("syntax", "obj", i, i - 1) for i in range(1, len(words)) if i % 2]
    # A relation whose prediction is chosen from some words: it is scored in windows.
    relations.append(Relation("logical", "neg:scope", 3, 0, also=(1,)))
    tags = tuple("NOUN" if word in WORDS[1:7] else "DET" for word in words)
    return Sentence(f"s{number}", f"d{number // 2}", words, tags, tuple(relations))


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """The model is tiny."""


@pytest.fixture(scope="module")
def model(tiny_folder):
    return load(str(tiny_folder("bert")))


@pytest.fixture(scope="module")
def corpus():
    return Corpus("made", [sentence(i) for i in range(80)], [], "0" * 64, "generated")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def kept(model, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cause") / "run"
    profile_corpus(model, corpus, folder, settings=SETTINGS)
    return folder


def test_claims_have_needed_last_and_the_rest_as_without(kept, model, corpus):
    run = Run.open(kept)
    assert list(run.claims.columns)[-1] == "needed"
    plain = profile_corpus(model, corpus, settings=replace(SETTINGS, cause=False))
    pd.testing.assert_frame_equal(run.claims.drop(columns="needed"), plain.claims)
    assert "needed" not in plain.frames
    asked = run.claims["verdict"] == "supported"
    assert set(run.claims.loc[asked, "needed"]) <= {"yes", "no", "unclear"}
    assert set(run.claims.loc[~asked, "needed"]) <= {"not asked"}
    assert len(run.frames["needed"]) == asked.sum()


def test_two_workers_and_a_damaged_shard_give_the_same_bytes(kept, corpus, model, tmp_path):
    two = tmp_path / "two"
    profile_corpus(model, corpus, two, settings=SETTINGS, workers=2)
    assert contents(two) == contents(kept)
    shards = sorted((two / "shards").iterdir())
    shards[-1].write_bytes(b"damaged")
    profile_corpus(model, corpus, two, settings=SETTINGS, resume=True)
    assert contents(two) == contents(kept)


def test_the_sample_is_of_the_report_half_alone(corpus):
    documents = corpus.document_ids()
    every = sample(corpus.sentences, documents, 1000)
    assert {documents[place] for place in every} == {
        document for document in documents if not is_for_selection(document)
    }
    some = sample(corpus.sentences, documents, 7)
    assert len(some) == len(set(some)) == 7
    assert list(some) == sorted(some)
    assert set(some) < set(every)
    assert some[0] <= every[len(every) // 7]
    assert some[-1] > every[len(every) * 5 // 7]
    bare = [Sentence("s", "e", ("cat",), None, ())]
    assert sample(bare, ["e"], 7) == ()


def test_rare_relations_are_asked_in_as_many_documents_as_there_must_be():
    """Chosen by labels alone: one relation stands in every sentence, another in one of sixteen."""
    common, rare = Relation("syntax", "obj", 1, 0), Relation("syntax", "vocative", 0, 1)
    lone, subset = Relation("syntax", "list", 0, 1), Relation("syntax", "obj|far", 0, 1)
    across = Relation("logical", "neg:scope", 1, 0, also=(1,))
    made = []
    for number in range(1600):
        relations = [common, subset, *([rare] if number % 16 == 0 else [])]
        relations += [lone, across] if number % 160 == 0 else []
        made.append(Sentence(f"s{number}", f"d{number // 8}", ("a", "b"), None, tuple(relations)))
    documents = [one.document for one in made]

    def asked(places, relation):
        return {documents[place] for place in places if relation in made[place].relations}

    some = sample(made, documents, 24)
    assert len(asked(some, rare)) >= 12
    assert len(asked(some, common)) >= 12
    assert len(some) == len(set(some)) == 24
    assert not any(is_for_selection(documents[place]) for place in some)
    # Fewer pairs than a claim needs, and what is scored in windows alone, are not looked for.
    assert len(asked(some, lone)) < 6
    even = sorted(place for place in range(1600) if not is_for_selection(documents[place]))
    evenly = [even[number * len(even) // 24] for number in range(24)]
    assert len(asked(evenly, rare)) < 6  # control: spread over all, it would be missed
    assert sample(made[:], documents, 24) == some
    halves = [documents[place] for place in some]
    assert halves[0] < halves[-1]


def test_text_without_relations_has_nothing_to_ask(model):
    bare = Corpus("text", [Sentence("s", "e", ("the", "cat"), None, ())], [], "0" * 64, "none")
    run = profile_corpus(model, bare, settings=SETTINGS)
    assert run.frames["needed"].empty
    assert list(run.claims.columns)[-1] == "needed"


def test_the_standard_settings_silence_heads_and_a_setting_stands_in_one_place(model, corpus):
    few = replace(corpus, sentences=corpus.sentences[:12])
    assert "needed" in inspector.profile(model, few).claims
    some = replace(SETTINGS, cause_sentences=4, twin_seeds=())
    assert "needed" in inspector.profile(model, few, settings=some).claims
    assert "needed" in inspector.profile(model, few, settings=ProfileSettings(seed=1)).claims
    assert "needed" not in inspector.profile(model, few, cause=False).claims
    for cause in (True, False):
        with pytest.raises(InputError) as caught:
            inspector.profile(model, few, cause=cause, settings=some)
        assert str(caught.value) == (
            f"cause ({cause}) and settings are both given, and a setting stands in one place: "
            f"put it into the settings, ProfileSettings(cause={cause}, ...)."
        )
