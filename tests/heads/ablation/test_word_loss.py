"""Loss at the words equals plain loops over whole language models that lack a head's columns."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from support.slow.ablation import grouped
from support.tiny.language_models import save_language_model

from inspector.corpora import Corpus, Relation, Sentence
from inspector.heads.ablation import (
    ABLATION_COLUMNS,
    ROBUSTNESS_COLUMNS,
    ablation_frame,
    ablation_over,
    importance_over,
    robustness_over,
)
from inspector.heads.ablation.fixed_point import UNIT
from inspector.heads.ablation.pruning_curve import ablated_sets
from inspector.heads.ablation.word_loss import MASKED_EVERY
from inspector.models import load, word_batches
from inspector.runs.profile.job import ProfileSettings
from inspector.runs.profile.needed_frame import needed_frame
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.shard_check import shard_fits
from inspector.runs.profile.shard_worker import ProfileWorker
from inspector.runs.store.shards import ShardResult

WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "Zab")
CLASSES = ("DET", *["NOUN"] * 3, "ADJ", "NOUN", "NOUN", "VERB", "AUX", "PART", "PROPN")
TAGS = dict(zip(WORDS, CLASSES, strict=True))
KINDS = {"gpt2": "causal", "llama": "causal", "bert": "masked"}
HEADS = [(0, 1), (1, 3)]
LOSS = [name for name in ABLATION_COLUMNS if name.startswith(("loss", "matched_loss"))]
N_HEADS, D_HEAD = 4, 8


def sentence(number):
    rng = np.random.default_rng(number)
    words = tuple(str(word) for word in rng.choice(WORDS, size=3 + (5 * number) % 11))
    relations = []
    for source in range(len(words)):
        for label in ("nsubj", "det"):
            target = int(rng.integers(0, len(words)))
            if target != source and rng.random() < 0.35:
                relations.append(Relation("syntax", label, source, target))
    tags = tuple(TAGS[word] for word in words)
    return Sentence(f"s{number}", f"d{number % 6}", words, tags, tuple(relations))


@pytest.fixture(scope="module")
def corpus():
    return Corpus("made", [sentence(i) for i in range(12)], [], "0" * 64, "generated")


@pytest.fixture(scope="module", autouse=True)
def _fast(one_thread):
    """The models are tiny."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("losses")
    return {name: save_language_model(root / name, name, kind) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def models(folders):
    return {name: load(folder, dtype="float64") for name, folder in folders.items()}


def whole_model(folder, name, heads=()):
    """Return transformers' own language model, with the columns of W_O of some heads at zero."""
    auto = {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
    }
    network = auto[KINDS[name]].from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager"
    )
    with torch.no_grad():
        for layer, head in heads:
            columns = slice(head * D_HEAD, (head + 1) * D_HEAD)
            if name == "gpt2":
                network.transformer.h[layer].attn.c_proj.weight[columns] = 0.0
            elif name == "llama":
                network.model.layers[layer].self_attn.o_proj.weight[:, columns] = 0.0
            else:
                network.bert.encoder.layer[layer].attention.output.dense.weight[:, columns] = 0.0
    return network.eval()


def log_probability(network, ids, place, token):
    with torch.no_grad():
        logits = network(input_ids=torch.tensor([ids])).logits[0, place].tolist()
    most = max(logits)
    return logits[token] - most - math.log(sum(math.exp(one - most) for one in logits))


def losses(network, model, sentence, kind, every=MASKED_EVERY):
    """Return each word's loss, None where it has none: a decoder is given what stands before."""
    batch = word_batches(model, [sentence.surface], 1).batches[0]
    ids, words = batch.batch.input_ids[0].tolist(), batch.word_of_token[0].tolist()
    found = []
    for word in range(len(sentence.words)):
        places = [place for place, of in enumerate(words) if of == word]
        if kind == "causal":
            terms = [
                -log_probability(network, ids[:place], place - 1, ids[place])
                for place in places
                if place > 0
            ]
        else:
            masked = [
                model.tokenizer.mask_token_id if of >= 0 and of % every == word % every else one
                for one, of in zip(ids, words, strict=True)
            ]
            terms = [-log_probability(network, masked, place, ids[place]) for place in places]
        found.append(sum(terms) / len(terms) if terms else None)
    return found


def slow_losses(folder, name, model, corpus, heads, **changed):
    """Return (relation, word) → n, increase, matched increase, loss, matched loss."""
    networks = [whole_model(folder, name), whole_model(folder, name, heads)]
    figures = []
    for one in corpus.sentences:
        before, after = (losses(it, model, one, KINDS[name], **changed) for it in networks)
        figures.append(
            [
                None if old is None else (new - old, old)
                for old, new in zip(before, after, strict=True)
            ]
        )
    return grouped(corpus.sentences, figures)


def assert_losses_equal(frame, slow):
    found = {(row.relation, row.word): row for row in frame.itertuples()}
    assert {key for key, row in found.items() if row.loss_n} == set(slow)
    for key, (n, increase, matched, loss, _) in slow.items():
        row = found[key]
        assert row.loss_n == n
        # Sums are rounded to 2⁻²⁴ once for each document and part of a batch.
        assert row.loss == pytest.approx(loss, abs=20 * UNIT)
        assert row.loss_increase == pytest.approx(increase, abs=20 * UNIT)
        assert row.matched_loss_increase == pytest.approx(matched, abs=20 * UNIT, nan_ok=True)
        if key[0] != "(all)":
            apart = increase - matched
            assert row.loss_difference == pytest.approx(apart, abs=20 * UNIT)
            assert row.loss_ci_low <= row.loss_difference <= row.loss_ci_high
            assert 0.0 < row.loss_p_value <= 1.0


@pytest.mark.parametrize("name", KINDS)
def test_losses_equal_loops_over_whole_language_models(models, folders, corpus, name):
    frame = ablation_frame(ablation_over(models[name], HEADS, corpus), "zero")
    assert {column: str(kind) for column, kind in frame.dtypes.items()} == ABLATION_COLUMNS
    for head in HEADS:
        own = frame[frame["heads"] == f"{head[0]}-{head[1]}"]
        assert_losses_equal(own, slow_losses(folders[name], name, models[name], corpus, [head]))
        assert own["loss_increase"].abs().max() > 0.01


def every_few(sentences, size):
    """Return as many of the sentences that have relations, evenly spread; or all."""
    holding = [one for one in sentences if one.relations]
    size = min(size, len(holding))
    return [holding[number * len(holding) // size] for number in range(size)]


@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_whether_a_head_is_needed_is_asked_of_the_loss(models, folders, name):
    """As a profile asks it: every claim's figures are those of plain loops, of loss alone."""
    corpus = Corpus("made", [sentence(i) for i in range(30)], [], "0" * 64, "generated")
    model, settings = models[name], ProfileSettings(random_init_seeds=(), ablation_sentences=12)
    job, _ = profile_job(model, corpus, settings, None)
    assert job.has_loss
    worker = ProfileWorker(job, model)
    place = job.n_shards - 1
    shards = [worker(place)]
    assert shard_fits(model, [job])(place, shards[0])
    missing = {name: array for name, array in shards[0].arrays.items() if name != "loss.n"}
    assert not shard_fits(model, [job])(place, ShardResult(missing, shards[0].labels))
    rows = [
        {"relation": relation, "direction": "dependent_to_head", "layer": 0, "head": 1}
        for relation in ("det", "nsubj")
    ]
    claims = pd.DataFrame(rows).assign(verdict="supported")
    followers = claims.assign(supported=True)
    both = pd.concat([followers, followers.assign(layer=1, head=3)], ignore_index=True)
    frame = needed_frame(model, job, shards, claims, both)
    assert set(frame["measure"]) == {"loss"}
    assert frame["cosine_contrast"].isna().all()
    read = replace(corpus, sentences=[corpus.sentences[it] for it in job.ablation_sentences])
    assert len(read.sentences) == (12 if name == "gpt2" else 3)  # a masked one reads each 7 times
    for heads in ([(0, 1)], HEADS):
        own = frame[frame["heads"] == ",".join(f"{layer}-{head}" for layer, head in heads)]
        if len(heads) > 1:  # an eighth of the sentences, or twelve, of those with a relation
            size = max(-(-len(read.sentences) // 8), 12)
            read = replace(read, sentences=every_few(read.sentences, size))
        slow = slow_losses(folders[name], name, model, read, heads)
        for row in own.itertuples():
            n, increase, matched, *_ = slow.get((row.relation, "dependent"), (0, 0, 0))
            assert row.n == n
            if n:
                assert row.effect == pytest.approx(increase, abs=20 * UNIT)
                assert row.matched_effect == pytest.approx(matched, abs=20 * UNIT)
    assert (frame["n"] > 0).any()


def test_a_set_of_heads_equals_them_too(models, folders, corpus):
    frame = ablation_frame(ablation_over(models["gpt2"], HEADS, corpus, together=True), "zero")
    assert_losses_equal(frame, slow_losses(folders["gpt2"], "gpt2", models["gpt2"], corpus, HEADS))


@pytest.mark.parametrize(("name", "changed"), [("llama", {}), ("bert", {"every": 3})])
def test_control_another_head_or_another_mask_does_not_equal(
    models, folders, corpus, name, changed
):
    frame = ablation_frame(ablation_over(models[name], [(0, 1)], corpus), "zero")
    heads = [(0, 1)] if changed else [(0, 2)]
    slow = slow_losses(folders[name], name, models[name], corpus, heads, **changed)
    with pytest.raises(AssertionError):
        assert_losses_equal(frame, slow)


def test_the_first_word_of_a_decoders_text_has_no_loss(models):
    one = Sentence("s", "d", ("cat", "rain", "town"), None, (Relation("syntax", "x", 0, 1),))
    corpus = Corpus("one", [one], [], "0" * 64, "none")
    for name, known in (("gpt2", False), ("bert", True)):
        tokens = word_batches(models[name], [one.surface], 1).batches[0].word_of_token[0].tolist()
        sums = ablation_over(models[name], [(0, 1)], corpus)
        of_first = tokens.count(0) > 1 or known  # its first token has none, further ones have
        assert sums.n[0].tolist() == [1, 1, 3]
        assert sums.losses.n[0].tolist() == [int(of_first), 1, 2 + of_first]


def test_what_is_not_asked_for_is_not_there(models, corpus):
    with_loss = ablation_frame(ablation_over(models["gpt2"], HEADS, corpus), "zero")
    without = ablation_frame(ablation_over(models["gpt2"], HEADS, corpus, loss=False), "zero")
    rest = [name for name in ABLATION_COLUMNS if name not in LOSS]
    assert with_loss[rest].equals(without[rest])
    assert without["loss_n"].eq(0).all()
    assert without[LOSS[1:]].isna().all(axis=None)


def test_a_model_without_a_head_says_so(tiny_folder, corpus):
    model = load(str(tiny_folder("bert")))
    sums = ablation_over(model, [(0, 1)], corpus)
    assert sums.losses is None
    frame = ablation_frame(sums, "zero")
    assert frame["loss_n"].eq(0).all()
    assert frame[LOSS[1:]].isna().all(axis=None)
    curve = robustness_over(model, corpus, kept=[2], seeds=[0])
    assert curve["loss_n"].eq(0).all()
    assert curve.filter(like="loss").drop(columns="loss_n").isna().all(axis=None)


def test_the_curve_holds_the_loss(models, folders, corpus):
    model = models["llama"]
    frame = robustness_over(model, corpus, kept=[3], seeds=[0])
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == ROBUSTNESS_COLUMNS
    sets = ablated_sets(importance_over(model, corpus, check=False), [3], [0])
    rows = frame.set_index(["kept", "order", "seed"])
    plain = [replace_relations(one) for one in corpus.sentences]
    bare = Corpus("bare", plain, [], "0" * 64, "none")
    for key, heads in sets.items():
        slow = slow_losses(folders["llama"], "llama", model, bare, heads)["(all)", "(any)"]
        row = rows.loc[key]
        assert row["loss_n"] == slow[0]
        assert row["loss_increase"] == pytest.approx(slow[1], abs=20 * UNIT)
        assert row["loss"] == pytest.approx(slow[1] + slow[3], abs=20 * UNIT)
        assert row["loss_ci_low"] <= row["loss_increase"] <= row["loss_ci_high"]
    whole = frame[frame["kept"] == N_HEADS]
    assert whole["loss"].to_numpy() == pytest.approx(slow[3], abs=20 * UNIT)
    assert (whole[["loss_increase", "loss_ci_low", "loss_ci_high"]] == 0.0).all(axis=None)


def replace_relations(one):
    return Sentence(one.id, one.document, one.words, one.upos, ())
