"""A profile of a tiny model and of random ones: the frames, and that they are always the same.

What is compared is the bytes of every file of the run.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from support.each import each
from support.tolerances import BATCHING

from inspector.api import ablate, head_importance, robustness
from inspector.corpora import Corpus, Relation, Sentence, Skipped, read_conllu, read_text
from inspector.corpora.default import sample_files
from inspector.errors import InputError, OutputError
from inspector.heads.counts import DIRECTIONS, concatenate
from inspector.heads.observers import counts_from_state
from inspector.heads.specialization.claims import relation_claims
from inspector.heads.specialization.split import is_for_selection
from inspector.models import load, random_init_model
from inspector.runs import Engine, RunTarget
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings, ProfileWorker
from inspector.runs.run import Run

N_LAYERS, N_HEADS = 3, 4
SETTINGS = ProfileSettings(shard_size=16, batch_size=8, coreference=False, ablation=False)

INTEGERS = ("layer", "head", "queries", "offset_mode", "norm_offset_mode", "n", "correct")
INTEGERS += ("n_matched", "n_apart", "matched_source_n", "matched_target_n", "selectivity_n")
INTEGERS += ("baseline_offset", "offset", "documents", "count", "line", "other_layer", "other_head")
TEXTS = ("relation", "direction", "verdict", "role", "evidence")
TEXTS += ("what", "file", "sentence", "reason", "kind")
TEXTS += ("position_rule", "class_rule", "explained_by", "rung", "rule")
MASSES = [
    "entropy_nats",
    "entropy_share",
    "confidence",
    "first_mass",
    "separator_mass",
    "special_mass",
    "self_mass",
    "previous_mass",
    "next_mass",
    "punctuation_mass",
    "duplicate_mass",
    "distance_tokens",
    "offset_mode",
    "offset_share",
]
# The frames of a run, in this order.
COLUMNS = {
    "behaviour": ["layer", "head", "queries", *MASSES, *(f"norm_{name}" for name in MASSES)],
    "relations": [
        "layer",
        "head",
        "relation",
        "direction",
        "n",
        "correct",
        "accuracy",
        "baseline_offset",
        "baseline_accuracy",
    ],
    "claims": [
        "relation",
        "direction",
        "layer",
        "head",
        "n",
        "accuracy",
        "baseline_offset",
        "baseline_accuracy",
        "lift",
        "ci_low",
        "ci_high",
        "p_value",
        "q_value",
        "selection_accuracy",
        "optimism",
        "random_init_accuracy",
        "verdict",
        "position_rule",
        "position_accuracy",
        "class_rule",
        "class_accuracy",
        "class_lift",
        "class_ci_low",
        "class_ci_high",
        "matched_source_n",
        "matched_source_difference",
        "matched_target_n",
        "matched_target_difference",
        "selectivity",
        "selectivity_n",
        "selectivity_ci_low",
        "selectivity_ci_high",
        "selectivity_q",
        "explained_by",
        "replicates",
    ],
    "controls": [
        "layer",
        "head",
        "relation",
        "direction",
        "rung",
        "rule",
        "n",
        "accuracy",
        "difference",
        "ci_low",
        "ci_high",
        "q_value",
        "verdict",
        "explained_by",
    ],
    "semantic_controls": [
        "relation",
        "direction",
        "layer",
        "head",
        "n",
        "accuracy",
        "lift",
        "nearest_mention",
        "nearest_same_head",
        "n_matched",
        "matched_accuracy",
        "matched_lift",
        "matched_ci_low",
        "matched_ci_high",
        "n_apart",
        "apart_accuracy",
        "apart_baseline_accuracy",
        "apart_lift",
        "apart_ci_low",
        "apart_ci_high",
        "lift_left",
        "verdict",
    ],
    "roles": ["layer", "head", "role", "evidence", "effect", "ci_low", "ci_high"],
    "kinds": ["relation", "kind"],
    "offsets": ["relation", "offset", "n"],
    "power": [
        "relation",
        "direction",
        "layer",
        "head",
        "n",
        "documents",
        "lift",
        "standard_error",
        "documents_needed",
        "documents_needed_for_lift",
        "stability",
    ],
    "totals": ["what", "count"],
    "skipped": ["file", "line", "sentence", "reason"],
}


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return load(str(tiny_folder()))


@pytest.fixture(scope="module")
def corpus():
    """Sixty sentences of the sample, one that is too long, one with a word that has no token."""
    read = read_conllu(sample_files())
    strange = Sentence(
        "strange",
        read.sentences[59].document,
        ("old", "\u200b", "dog"),
        ("ADJ", "X", "NOUN"),
        (Relation("syntax", "amod", 0, 2), Relation("syntax", "dep", 1, 2)),
    )
    long = replace(strange, id="long", words=("dog",) * 95, upos=("NOUN",) * 95)
    skipped = [Skipped("some.conllu", 7, None, "its heads make a circle.")]
    return replace(read, sentences=[*read.sentences[:60], long, strange], skipped=skipped)


@pytest.fixture(scope="module")
def undisturbed(tiny, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    return folder, profile_corpus(tiny, corpus, RunTarget(folder), settings=SETTINGS)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def count(run, what):
    return int(run.totals.set_index("what").at[what, "count"])


def assert_same_frames(one, other):
    assert one.frames.keys() == other.frames.keys()
    for name, frame in one.frames.items():
        pd.testing.assert_frame_equal(frame, other.frames[name], check_exact=True)


def test_frames_have_the_columns_and_dtypes_of_the_design(undisturbed):
    _, run = undisturbed
    assert run.frames.keys() == COLUMNS.keys()
    for name, frame in run.frames.items():
        assert list(frame.columns) == COLUMNS[name], name
        assert isinstance(frame.index, pd.RangeIndex)
        for column, dtype in frame.dtypes.items():
            kind = "int64" if column in INTEGERS else "str" if column in TEXTS else "float64"
            assert str(dtype) == kind, (name, column)


def test_frames_have_a_row_for_each_thing(undisturbed, corpus):
    _, run = undisturbed
    relations = {relation.label for s in corpus.sentences for relation in s.relations}
    assert len(run.behaviour) == N_LAYERS * N_HEADS
    assert len(run.relations) == N_LAYERS * N_HEADS * len(relations) * 3
    assert len(run.claims) == len(run.power) == len(relations) * 3
    assert set(run.relations["relation"]) == set(run.claims["relation"]) == relations
    assert set(run.claims["direction"]) == set(DIRECTIONS)
    assert run.claims["random_init_accuracy"].notna().any(), "the random models were read"
    assert set(run.claims["verdict"]) <= {"supported", "explained", "not supported", "underpowered"}
    assert (
        run.controls.groupby(["layer", "head", "relation", "direction"])["rung"]
        .nunique()
        .eq(7)
        .all()
    )
    assert len(run.controls) >= 7 * len(run.claims)


def test_the_run_says_what_it_is(undisturbed, tiny, corpus):
    _, run = undisturbed
    manifest = run.manifest
    assert (manifest.shard_size, manifest.batch_size, manifest.n_shards) == (16, 8, 4 * 4)
    assert manifest.corpus_sha256 == corpus.sha256
    assert manifest.model_files == tiny.file_hashes
    assert manifest.settings["annotation"] == "gold"
    assert "62 sentences" in run.summary()
    assert repr(run) == f"<Run: {run.summary()}>"


def test_a_second_run_gives_the_same_bytes(tiny, corpus, undisturbed, tmp_path):
    again = profile_corpus(tiny, corpus, RunTarget(tmp_path / "run"), settings=SETTINGS)
    assert contents(tmp_path / "run") == contents(undisturbed[0])
    assert_same_frames(again, undisturbed[1])


# The command is asked the same of all kinds of shards, with two workers, in test_cli_meaning.
@pytest.mark.full
@pytest.mark.process
@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_bytes(tiny, corpus, undisturbed, tmp_path, workers):
    profile_corpus(
        tiny, corpus, RunTarget(tmp_path / "run"), settings=SETTINGS, engine=Engine(workers=workers)
    )
    assert contents(tmp_path / "run") == contents(undisturbed[0])


def test_the_bytes_are_those_of_this_corpus_and_these_settings(tiny, corpus, undisturbed, tmp_path):
    """The control: something else gives other figures, so that equal bytes say something."""
    other = profile_corpus(
        tiny, replace(corpus, sentences=corpus.sentences[:-2]), settings=SETTINGS
    )
    assert not other.behaviour.equals(undisturbed[1].behaviour)
    assert not other.relations["correct"].equals(undisturbed[1].relations["correct"])


@pytest.mark.parametrize("damage", ["truncated", "a bit turned", "gone"])
def test_a_damaged_shard_is_computed_again_and_no_other(
    tiny, corpus, undisturbed, tmp_path, damage
):
    folder, expected = tmp_path / "run", contents(undisturbed[0])
    for name, data in expected.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    victim = folder / "shards" / "000002.safetensors"
    data = victim.read_bytes()
    if damage == "truncated":
        victim.write_bytes(data[: len(data) // 2])
    elif damage == "a bit turned":
        victim.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    else:
        victim.unlink()
    others = {path: path.stat().st_mtime_ns for path in folder.glob("shards/*") if path != victim}
    told = []
    profile_corpus(
        tiny,
        corpus,
        RunTarget(folder, resume=True),
        settings=SETTINGS,
        progress=lambda what, share: told.append((what, share)),
    )
    assert contents(folder) == expected
    assert {path: path.stat().st_mtime_ns for path in others} == others
    assert [what.split(",")[0] for what, _ in told] == [
        "Shards 15 of 16", "Shards 16 of 16", "Claims", "Claims",
    ]  # fmt: skip


@each(
    ("changed", "words"),
    [
        ({"batch_size": 4}, "batch size: 8 ≠ 4"),
        ({"batch_tokens": 64}, "settings batch_tokens: 1300 ≠ 64"),
        ({"shard_size": 32}, "shard size: 16 ≠ 32; n shards: 16 ≠ 8"),
        ({"labels": "full"}, "settings labels: 'universal' ≠ 'full'"),
        (
            {"random_init_seeds": (4, 5, 6)},
            r"settings random_init_seeds: \[1, 2, 3\] ≠ \[4, 5, 6\]",
        ),
        ({"seed": 1}, "settings seed: 0 ≠ 1"),
        ({"distances": True}, "settings distances: False ≠ True"),
    ],
)
def test_other_settings_are_refused(tiny, corpus, undisturbed, changed, words):
    before = contents(undisturbed[0])
    settings = replace(SETTINGS, **changed)
    with pytest.raises(InputError, match=f"was begun with other settings .*{words}") as refused:
        profile_corpus(tiny, corpus, RunTarget(undisturbed[0], resume=True), settings=settings)
    assert str(refused.value).endswith("Give the same ones, or choose another folder.")
    assert contents(undisturbed[0]) == before


def test_another_corpus_or_model_is_refused(tiny, corpus, undisturbed, tiny_folder):
    other = replace(corpus, sha256="0" * 64)
    with pytest.raises(InputError, match=r"corpus sha256: \w+… ≠ 000000000000…"):
        profile_corpus(tiny, other, RunTarget(undisturbed[0], resume=True), settings=SETTINGS)
    electra = load(str(tiny_folder("electra")))
    with pytest.raises(InputError, match="model: "):
        profile_corpus(electra, corpus, RunTarget(undisturbed[0], resume=True), settings=SETTINGS)


def test_a_folder_that_has_a_run_is_not_written_to(tiny, corpus, undisturbed):
    with pytest.raises(OutputError, match="is complete already: choose another folder"):
        profile_corpus(tiny, corpus, RunTarget(undisturbed[0]), settings=SETTINGS)


def test_what_is_opened_is_what_was_returned(undisturbed):
    folder, run = undisturbed
    opened = Run.open(folder)
    assert opened.manifest == run.manifest
    assert_same_frames(opened, run)


def test_totals_count_what_is_left_out(undisturbed, tiny, corpus):
    _, run = undisturbed
    assert count(run, "sentences") == 62
    assert count(run, "words") == sum(len(s.words) for s in corpus.sentences)
    assert count(run, "documents") == len({s.document for s in corpus.sentences})
    assert count(run, "sentences skipped as malformed") == 1
    assert run.frames["skipped"].values.tolist() == [
        ["some.conllu", 7, "", "its heads make a circle."]
    ]
    assert count(run, "relations with a word that has no token") == 1
    tokens = [tiny.tokenizer(list(s.words), is_split_into_words=True) for s in corpus.sentences]
    lengths = [len(encoded["input_ids"]) for encoded in tokens]
    too_long = sum(length > tiny.max_tokens for length in lengths)
    assert count(run, "sentences longer than the model takes") == too_long == 1
    seen = [length - 2 for length in lengths if length <= tiny.max_tokens]
    assert count(run, "queries") == sum(seen) == run.behaviour["queries"].iloc[0]
    scored = sum(
        len(s.relations)
        for s, length in zip(corpus.sentences, lengths, strict=True)
        if length <= tiny.max_tokens
    )
    one = run.relations.query("layer == 0 and head == 0 and direction == 'dependent_to_head'")
    left_out = count(run, "relations with a word that has no token")
    assert one["n"].sum() == scored - left_out


@pytest.mark.parametrize(
    "size", [{"batch_size": 1}, {"batch_size": 5}, {"batch_size": 62, "batch_tokens": 90}], ids=str
)
def test_batch_size_and_order_change_no_count(tiny, corpus, undisturbed, size):
    settings = replace(SETTINGS, shard_size=62, random_init_seeds=(), **size)
    turned = replace(corpus, sentences=corpus.sentences[::-1])
    other = profile_corpus(tiny, turned, settings=settings)
    for name in ("behaviour", "relations"):
        ours, theirs = undisturbed[1].frames[name], other.frames[name]
        for column in ours:
            if column in INTEGERS + TEXTS:
                assert ours[column].equals(theirs[column]), (name, column)
            else:
                np.testing.assert_allclose(ours[column], theirs[column], **BATCHING)
    for what, number in zip(other.totals["what"], other.totals["count"], strict=True):
        assert count(undisturbed[1], what) == number


def test_distances_are_there_where_they_are_asked_for(tiny, corpus, tmp_path):
    settings = replace(SETTINGS, distances=True, random_init_seeds=())
    small = replace(corpus, sentences=corpus.sentences[:8])
    run = profile_corpus(tiny, small, RunTarget(tmp_path / "run"), settings=settings)
    found = run.frames["distances"]
    assert len(found) == N_LAYERS * N_HEADS * (N_LAYERS * N_HEADS - 1) // 2
    assert found["distance_nats"].between(0, np.log(2)).all()
    assert_same_frames(Run.open(tmp_path / "run"), run)


def test_without_random_models_nothing_is_supported(tiny, corpus):
    run = profile_corpus(tiny, corpus, settings=replace(SETTINGS, random_init_seeds=()))
    assert run.manifest.n_shards == 4
    assert run.claims["random_init_accuracy"].isna().all()
    assert "supported" not in set(run.claims["verdict"])


def test_plain_text_gives_behaviour_only(tiny, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The dog had rain. The old cat could not table the dog.\n\nThat town.\n")
    read = read_text([text])
    run = profile_corpus(tiny, read, RunTarget(tmp_path / "run"), settings=SETTINGS)
    assert run.manifest.n_shards == 1, "no random models: there is nothing to compare with theirs"
    assert run.manifest.settings["annotation"] == "none"
    for name in ("relations", "claims", "power"):
        assert len(run.frames[name]) == 0
        assert list(run.frames[name].columns) == COLUMNS[name]
    assert not any(role.startswith("syntactic:") for role in run.roles["role"])
    for column in run.behaviour:
        unknown = column in ("punctuation_mass", "norm_punctuation_mass")
        assert run.behaviour[column].isna().all() == unknown, column
    assert_same_frames(Run.open(tmp_path / "run"), run)
    assert "0 of 0 claims supported" in run.summary()


def test_an_empty_corpus_is_refused(tiny):
    with pytest.raises(InputError, match=r"^corpus \(nothing\) has no sentence: give one that"):
        profile_corpus(tiny, Corpus("nothing", [], [], "0" * 64, "gold"))


LONG, NOTHING, FITTING = (("dog",) * 200, ("\u200b",), ("the", "dog"))


@each(
    ("texts", "why"),
    [
        ([LONG], "1 of 1 sentences have more tokens than the model takes (96)"),
        ([NOTHING] * 2, "2 of 2 sentences have words of which its tokenizer makes no token"),
        (
            [LONG, NOTHING, LONG],
            (
                "2 of 3 sentences have more tokens than the model takes (96) and 1 of 3 sentences "
                "have words of which its tokenizer makes no token"
            ),
        ),
        ([LONG, NOTHING, FITTING], None),
    ],
)
@each("measure", [profile_corpus, ablate, head_importance, robustness])
def test_a_corpus_of_which_nothing_can_be_read_is_refused(tiny, texts, why, measure):
    read = [Sentence(f"s{i}", "d", words, None, ()) for i, words in enumerate(texts)]
    corpus = Corpus("made", read, [], "0" * 64, "gold")
    given = {"settings": SETTINGS} if measure is profile_corpus else {}
    if measure is ablate:
        given["heads"] = [(0, 0)]
    if why is None:
        measure(tiny, corpus=corpus, **given)
        return
    with pytest.raises(InputError) as caught:
        measure(tiny, corpus=corpus, **given)
    better = "shorter sentences" if LONG in texts else "words that it knows"
    windows = "A profile reads them in windows where long is 'windows'. " if LONG in texts else ""
    assert str(caught.value) == (
        f"corpus (made) has nothing that {tiny.name} can read: {why}. "
        f"{windows}Give a corpus of {better}, or a model that takes these."
    )


def test_progress_grows_to_the_end(tiny, corpus):
    shares = []
    settings = replace(SETTINGS, random_init_seeds=())
    profile_corpus(
        tiny, corpus, settings=settings, progress=lambda what, share: shares.append(share)
    )
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    job, _ = profile_job(tiny, corpus, replace(SETTINGS, ablation=True, ablation_sentences=8), None)
    costs = job.costs(36)
    assert len(costs) == job.n_shards
    own, *_, without = job.readings
    words = sum(job.sentences.lengths) + sum(job.windows.lengths)
    assert sum(costs[: own.n_shards]) == words
    read = sum(job.sentences.lengths[place] for place in job.ablation_sentences)
    read += sum(job.windows.lengths[place] for place in job.ablation_windows)
    # Without each of 36 heads texts take four times as long as with all.
    assert sum(costs[-without.n_shards :]) == 4 * read > 0


def own_counts(job, model):
    """Return what a model counts on a job's sentences, the shards one after the other."""
    alone = replace(job, settings=replace(job.settings, random_init_seeds=()))
    worker = ProfileWorker(alone, model)
    results = [worker(place) for place in range(alone.n_shards)]
    return concatenate(
        [
            counts_from_state(one.arrays, one.labels["documents"], list(job.sentences.relations))
            for one in results
        ]
    )


def by_split(documents):
    """Return which documents are of the test split, then of the selection split."""
    selected = np.array([is_for_selection(document) for document in documents])
    return [~selected, selected]


def test_the_random_models_are_those_of_the_seeds_and_none_is_the_model(tiny, corpus, undisturbed):
    settings = replace(SETTINGS, random_init_seeds=(4, 5, 6))
    job, _ = profile_job(tiny, corpus, settings, revision=None)
    own = own_counts(job, tiny)
    random_models = [
        own_counts(job, random_init_model(tiny, seed)) for seed in settings.random_init_seeds
    ]
    for one, other in combinations([own, *random_models], 2):
        assert not np.array_equal(one.correct, other.correct)
    worker = ProfileWorker(job, tiny)
    each = job.readings[0].n_shards
    # Not one after the other: a worker is handed any shard.
    for number in (3, 1, 2):
        for place in range(each):
            found = worker(number * each + place)
            known = own_counts(
                replace(
                    job,
                    sentences=job.sentences.at(
                        range(place * 16, min((place + 1) * 16, job.n_sentences))
                    ),
                ),
                random_init_model(tiny, settings.random_init_seeds[number - 1]),
            )
            both = [known.correct[rows].sum(axis=0) for rows in by_split(known.documents)]
            assert np.array_equal(found.arrays["relations.correct"].sum(axis=0), sum(both))
            assert len(found.labels["documents"]) == sum(map(np.any, by_split(known.documents)))
            for document, correct in zip(
                found.labels["documents"], found.arrays["relations.correct"], strict=True
            ):
                assert np.array_equal(correct, both[is_for_selection(document)])
    expected = relation_claims(own, random_models, settings.seed)
    claims = profile_corpus(tiny, corpus, settings=settings).claims
    assert claims["random_init_accuracy"].notna().any()
    of_offset = [name for name in expected if name in claims and name != "verdict"]
    pd.testing.assert_frame_equal(claims[of_offset], expected[of_offset])
    assert not claims.equals(undisturbed[1].claims)
