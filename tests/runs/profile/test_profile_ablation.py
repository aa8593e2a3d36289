"""A profile that ablates heads: claims say what is needed, and the bytes are always the same."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.each import each

import inspector
from inspector.corpora import Corpus, Relation, Sentence
from inspector.corpora.text_set import TextSet
from inspector.errors import InputError
from inspector.heads.ablation import needed_heads
from inspector.heads.specialization.split import is_for_selection
from inspector.models import load
from inspector.runs import Engine, RunFolder, RunTarget
from inspector.runs.profile import needed_frame
from inspector.runs.profile.ablation_worker import sample
from inspector.runs.profile.job import ProfileSettings, profile_settings
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_check import shard_fits
from inspector.runs.run import Run
from inspector.runs.store.shards import encode_shard

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that")
SETTINGS = ProfileSettings(
    shard_size=64, batch_size=16, ablation=True, seed=5, ablation_sentences=40
)


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
    folder = tmp_path_factory.mktemp("ablation") / "run"
    profile_corpus(model, corpus, RunTarget(folder), settings=SETTINGS)
    return folder


def test_claims_have_needed_last_and_the_rest_as_without(kept, model, corpus):
    run = Run.open(kept)
    assert list(run.claims.columns)[-1] == "needed"
    plain = profile_corpus(model, corpus, settings=replace(SETTINGS, ablation=False))
    pd.testing.assert_frame_equal(run.claims.drop(columns="needed"), plain.claims)
    assert "needed" not in plain.frames
    asked = run.claims["verdict"] == "supported"
    assert set(run.claims.loc[asked, "needed"]) <= {"yes", "no", "unclear", "together"}
    assert set(run.claims.loc[~asked, "needed"]) <= {"not asked"}
    needed = run.frames["needed"]
    assert len(needed[needed["layer"] >= 0]) == asked.sum()
    assert (needed.loc[needed["layer"] < 0, "heads"].str.count(",") > 0).all()


@pytest.mark.full
@pytest.mark.process
def test_two_workers_give_the_same_bytes(kept, corpus, model, tmp_path):
    profile_corpus(
        model, corpus, RunTarget(tmp_path / "two"), settings=SETTINGS, engine=Engine(workers=2)
    )
    assert contents(tmp_path / "two") == contents(kept)


def test_a_damaged_shard_is_computed_again_to_the_same_bytes(kept, corpus, model, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(kept, folder)
    last = sorted((folder / "shards").iterdir())[-1]
    last.write_bytes(b"damaged")
    profile_corpus(model, corpus, RunTarget(folder, resume=True), settings=SETTINGS)
    assert contents(folder) == contents(kept)


def test_the_sample_is_of_the_test_split_alone(corpus):
    documents = corpus.document_ids()
    read = TextSet.of(corpus.sentences, documents)
    every = sample(read, 1000)
    assert {documents[place] for place in every} == {
        document for document in documents if not is_for_selection(document)
    }
    some = sample(read, 7)
    assert len(some) == len(set(some)) == 7
    assert list(some) == sorted(some)
    assert set(some) < set(every)
    assert some[0] <= every[len(every) // 7]
    assert some[-1] > every[len(every) * 5 // 7]
    bare = [Sentence("s", "e", ("cat",), None, ())]
    assert sample(TextSet.of(bare, ["e"]), 7) == ()


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

    some = sample(TextSet.of(made, documents), 24)
    assert len(asked(some, rare)) >= 12
    assert len(asked(some, common)) >= 12
    assert len(some) == len(set(some)) == 24
    assert not any(is_for_selection(documents[place]) for place in some)
    # Fewer pairs than a claim needs, and what is scored in windows alone, are not looked for.
    assert len(asked(some, lone)) < 6
    even = sorted(place for place in range(1600) if not is_for_selection(documents[place]))
    evenly = [even[number * len(even) // 24] for number in range(24)]
    assert len(asked(evenly, rare)) < 6  # control: spread over all, it would be missed
    assert sample(TextSet.of(made[:], documents), 24) == some
    split = [documents[place] for place in some]
    assert split[0] < split[-1]


def test_a_relation_of_just_twenty_pairs_is_looked_for():
    """As many as a claim needs, in documents that the sample would otherwise pass by."""
    rare, common = Relation("syntax", "vocative", 0, 1), Relation("syntax", "obj", 1, 0)
    documents = [f"d{number // 4}" for number in range(1600)]
    split = [place for place, one in enumerate(documents) if not is_for_selection(one)]
    for n_pairs, looked_for in ((19, False), (20, True)):
        holding = set(split[1 : 1 + 4 * n_pairs : 4])
        made = [
            Sentence(f"s{place}", one, ("a", "b"), None, (common, *([rare] * (place in holding))))
            for place, one in enumerate(documents)
        ]
        found = holding & set(sample(TextSet.of(made, documents), 24))
        assert (len(found) >= 12) == looked_for


def test_the_seed_of_the_settings_draws_the_random_heads(kept, model, corpus, monkeypatch):
    seeds = []

    def needed(claims, sums, seed, **given):
        seeds.append(seed)
        return needed_heads(claims, sums, seed, **given)

    monkeypatch.setattr(needed_frame, "needed_heads", needed)
    profile_corpus(model, corpus, RunTarget(kept, resume=True), settings=SETTINGS)
    assert seeds == [SETTINGS.seed] != [0]


def test_text_without_relations_has_nothing_to_ask(model):
    bare = Corpus("text", [Sentence("s", "e", ("the", "cat"), None, ())], [], "0" * 64, "none")
    run = profile_corpus(model, bare, settings=SETTINGS)
    assert run.frames["needed"].empty
    assert list(run.claims.columns)[-1] == "needed"


def test_the_standard_settings_ablate_heads_and_a_setting_stands_in_one_place(model, corpus):
    assert profile_settings() == ProfileSettings()
    assert ProfileSettings().ablation
    assert not profile_settings(ablation=False).ablation
    assert profile_settings(SETTINGS, ablation=None) is SETTINGS
    for ablation in (True, False):
        with pytest.raises(InputError) as caught:
            inspector.profile(model, corpus, ablation=ablation, settings=SETTINGS)
        assert str(caught.value) == (
            f"ablation ({ablation}) and settings are both given, and a setting stands in one "
            f"place: put it into the settings, ProfileSettings(ablation={ablation}, ...)."
        )


def without(name):
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


def changed(name, change):
    return lambda arrays: {**arrays, name: change(arrays[name])} if name in arrays else None


def minus_one(array):
    other = array.copy()
    other.flat[0] = -1
    return other


def same(arrays, others):
    return arrays.keys() == others.keys() and all(
        np.array_equal(arrays[name], others[name]) and arrays[name].dtype == others[name].dtype
        for name in arrays
    )


TAMPERED = {
    "no counts": without("relations.n"),
    "no offsets": without("relations.offsets"),
    "no sums": without("behaviour.sums"),
    "no effects": without("ablation.effect"),
    "another type": changed("relations.correct", lambda array: array.astype(np.int64)),
    "another shape": changed("behaviour.offsets", lambda array: array[:, :, 1:]),
    "one document more": changed("ablation.n", lambda array: np.concatenate([array, array[:1]])),
    "an offset less": changed("relations.offsets", lambda array: array[1:]),
    "no number": changed("norm_behaviour.sums", lambda array: array * np.nan),
    "less than none": changed("relations.n", minus_one),
    "more right than asked": changed("relations.correct", lambda array: array + 1000),
    "more pairs than offsets": changed("relations.n", lambda array: array + 1000),
}


@each("tampered", TAMPERED.values(), ids=TAMPERED)
def test_a_shard_that_no_worker_gives_does_not_fit(kept, model, corpus, tampered):
    fits = shard_fits(model, [profile_job(model, corpus, SETTINGS, None)[0]])
    folder, refused = RunFolder.open(kept), 0
    for shard_id in folder.valid_shards():
        shard = folder.read_shard(shard_id)
        assert fits(shard_id, shard)
        arrays = tampered(shard.arrays)
        if arrays is not None and not same(arrays, shard.arrays):
            assert not fits(shard_id, replace(shard, arrays=arrays))
            refused += 1
        others = {"documents": shard.labels["documents"][1:]}
        assert not fits(shard_id, replace(shard, labels=others))
    assert refused


def test_resealed_shards_of_a_run_that_is_not_complete_are_computed_anew(
    kept, model, corpus, tmp_path
):
    folder = tmp_path / "run"
    shutil.copytree(kept, folder)
    (folder / "result.json").unlink()
    begun = RunFolder.open(folder)
    for shard_id in (0, begun.manifest.n_shards - 1):
        shard = begun.read_shard(shard_id)
        arrays = {name: array for name, array in shard.arrays.items() if "sums" not in name}
        arrays = {name: array for name, array in arrays.items() if name != "ablation.matched"}
        data = encode_shard(
            replace(shard, arrays=arrays), run_id=begun.manifest.run_id, shard_id=shard_id
        )
        (folder / "shards" / f"{shard_id:06d}.safetensors").write_bytes(data)
    profile_corpus(model, corpus, RunTarget(folder, resume=True), settings=SETTINGS)
    assert contents(folder) == contents(kept)
