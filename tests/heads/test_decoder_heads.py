"""Weight statistics and profiles of decoders, against dense numpy and plain loops.

Fused matrices, Conv1D, shared key/value heads, no special tokens, and a first token that can look
at nothing but itself.
"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.slow.dense_weights import dense_row, relative_distance
from support.slow.observers import attention_of, slow_behaviour, slow_relation_counts
from support.tiny.decoders import save_tiny_decoder

from inspector.corpora import Corpus, Relation, Sentence, tree_sentence
from inspector.heads import weight_statistics
from inspector.models import load
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

D_HEAD, N_HEADS = 8, 4
DECODERS = ("gpt2", "llama", "gpt_neox", "qwen3")


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    root, models = tmp_path_factory.mktemp("decoders"), {}

    def loaded(name):
        if name not in models:
            models[name] = load(save_tiny_decoder(root / name, name))
        return models[name]

    return loaded


def stored(model, name, layer, head):
    """Return one head's matrices and biases, cut by hand from the network's own tensors."""
    tensors = {key: value.numpy() for key, value in model.model.state_dict().items()}
    own = slice(D_HEAD * head, D_HEAD * (head + 1))
    if name == "gpt2":  # (in, out); all queries, all keys, all values
        fused, bias = (tensors[f"h.{layer}.attn.c_attn.{part}"] for part in ("weight", "bias"))
        parts = [slice(32 * i + D_HEAD * head, 32 * i + D_HEAD * (head + 1)) for i in range(3)]
        matrices = [fused[:, part].T for part in parts]
        output = tensors[f"h.{layer}.attn.c_proj.weight"].T[:, own]
        return (*matrices, output, tuple(bias[part] for part in parts))
    if name == "gpt_neox":  # query, key, value of each head in turn
        place = f"layers.{layer}.attention"
        start = 3 * D_HEAD * head
        parts = [slice(start + D_HEAD * i, start + D_HEAD * (i + 1)) for i in range(3)]
        fused = tensors[f"{place}.query_key_value.weight"]
        bias = tensors[f"{place}.query_key_value.bias"]
        output = tensors[f"{place}.dense.weight"][:, own]
        return (*(fused[part] for part in parts), output, tuple(bias[part] for part in parts))
    # Two key/value heads for four query heads.
    place, group = f"layers.{layer}.self_attn", head // 2
    shared = slice(D_HEAD * group, D_HEAD * (group + 1))
    return (
        tensors[f"{place}.q_proj.weight"][own],
        tensors[f"{place}.k_proj.weight"][shared],
        tensors[f"{place}.v_proj.weight"][shared],
        tensors[f"{place}.o_proj.weight"][:, own],
        (None, None, None),
    )


@pytest.mark.parametrize("name", DECODERS)
def test_weight_statistics_equal_dense_numpy(decoder, name):
    model = decoder(name)
    frame = weight_statistics(model)
    places = [(layer, head) for layer in range(2) for head in range(N_HEADS)]
    expected = pd.DataFrame([dense_row(*stored(model, name, *place)) for place in places])
    assert list(zip(frame["layer"], frame["head"], strict=True)) == places
    if expected["q_bias_norm"].eq(0.0).all():  # no biases: 0 of 0 has no relative distance
        biases = ["q_bias_norm", "k_bias_norm", "v_bias_norm"]
        assert frame[biases].eq(0.0).all(axis=None)
        expected = expected.drop(columns=biases)
    distance = relative_distance(frame, expected)
    assert distance.notna().all()
    assert distance.max() < 1e-10, distance.sort_values().to_string()
    swapped = pd.DataFrame(
        [dense_row(*stored(model, name, layer, 3 - head)) for layer, head in places]
    )
    assert relative_distance(frame, swapped).max() > 1e-3


# Ten sentences; one of a single word that is a single token.
SENTENCES = tuple(
    Sentence(
        id=words,
        document=None,
        words=tuple(words.split()),
        relations=tuple(
            Relation("syntax", label, source, target) for source, target, label in relations
        ),
        upos=tuple("PUNCT" if word in ".," else "NOUN" for word in words.split()),
    )
    for words, relations in (
        ("The dog had the bone .", [(0, 1, "det"), (1, 2, "nsubj"), (3, 4, "det"), (4, 2, "obj")]),
        ("A cat saw the old dog .", [(0, 1, "det"), (1, 2, "nsubj"), (5, 2, "obj")]),
        ("rain fell", [(0, 1, "nsubj")]),
        ("A", []),
        ("the captain was asleep , the ferry late", [(0, 1, "det"), (1, 3, "nsubj")]),
        ("nobody saw them there", [(0, 1, "nsubj"), (2, 1, "obj")]),
        ("The keys are on the table .", [(0, 1, "det"), (4, 5, "det")]),
        ("She saw the ferry .", [(0, 1, "nsubj"), (2, 3, "det"), (3, 1, "obj")]),
        ("the dog , the dog , the dog", [(0, 1, "det"), (3, 4, "det"), (6, 7, "det")]),
        ("the town had rain .", [(0, 1, "det"), (1, 2, "nsubj"), (3, 2, "obj")]),
    )
)


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_a_profile_of_ten_sentences_equals_plain_loops(decoder, name):
    model = decoder(name)
    corpus = Corpus("ten", list(SENTENCES), [], "0" * 64, "gold")
    settings = ProfileSettings(
        random_init_seeds=(1, 2, 3), shard_size=4, batch_size=3, ablation=False
    )
    run = profile_corpus(model, corpus, settings=settings)

    n, correct, _, _ = slow_relation_counts(model, SENTENCES, causal=True)
    checked = 0
    for row in run.relations.itertuples():
        assert row.n == n[row.relation, row.direction]
        assert row.correct == correct[row.layer, row.head, row.relation, row.direction]
        checked += 1
    assert checked == 2 * N_HEADS * len(n)
    # A determiner stands before its noun, so that only the noun can look at it.
    assert n["det", "dependent_to_head"] == 0 < n["det", "head_to_dependent"]
    for frame in (run.relations, run.claims):
        back = frame["direction"] == "dependent_to_head"
        assert (frame[back]["baseline_offset"] <= 0).all(), "a rule that the mask forbids"
        assert (frame[~back]["baseline_offset"] >= 0).all()
        assert frame[frame["n"] == 0]["accuracy"].isna().all()
    pairs = run.claims.groupby("relation")["n"].max()
    of_ladder = run.controls[run.controls["rung"] == "position"].groupby("relation")["n"].max()
    assert of_ladder[pairs > 0].equals(pairs[pairs > 0])

    # A text of one token has one key: its entropy is 0 of a possible 0.
    longer = [sentence for sentence in SENTENCES if len(sentence.words) > 1]
    slow = slow_behaviour(model, longer, lambda sentence: attention_of(model, sentence)[:3])
    lengths = [len(attention_of(model, sentence)[2]) for sentence in SENTENCES]
    one = lengths[3]
    assert one == 1
    queries = sum(lengths)
    for row in run.behaviour.to_dict("records"):
        of_longer = slow[row["layer"], row["head"]]
        assert row["queries"] == queries
        for column in ("entropy_nats", "entropy_share", "previous_mass", "next_mass",
                       "distance_tokens", "punctuation_mass"):  # fmt: skip
            # 0 for the single token; all others are means over the queries of longer sentences.
            expected = of_longer[column] * (queries - one) / queries
            assert math.isclose(row[column], expected, rel_tol=1e-4, abs_tol=1e-6), column
        for column in ("first_mass", "self_mass", "confidence"):  # 1 for the single token
            expected = (of_longer[column] * (queries - one) + 1) / queries
            assert math.isclose(row[column], expected, rel_tol=1e-4, abs_tol=1e-6), column
        assert row["next_mass"] == 0.0
        assert row["special_mass"] == row["separator_mass"] == 0.0
    assert np.isfinite(run.behaviour.select_dtypes("number").to_numpy()).all()


def test_what_a_sliding_window_keeps_apart_is_not_asked(decoder):
    model = decoder("mistral")
    assert model.window == 4
    kinds = ["sliding_attention", "full_attention"]
    config = SimpleNamespace(sliding_window=4, layer_types=kinds)
    other = replace(model, model=SimpleNamespace(config=config))
    assert other.window is None, "some layer sees all"
    # Of the second word's seven dependents one comes before it, three within the window.
    tree = tree_sentence("s", list("abcdefgh"), [1, -1, *[1] * 6], ["dep", "root", *["dep"] * 6])
    trees = [replace(tree, id=f"s{n}", document=f"d{n}") for n in range(4)]
    settings = ProfileSettings(random_init_seeds=(), ablation=False, coreference=False)
    run = profile_corpus(model, Corpus("trees", trees, [], "0" * 64, "none"), settings=settings)
    n = run.relations.query("layer == 0 and head == 0").set_index("direction")["n"]
    assert dict(n) == {
        "dependent_to_head": 12, "head_to_dependent": 4, "attended_by_head": 4,
    }  # fmt: skip
    assert run.frames["offsets"]["offset"].abs().max() < 4
    why = "relations: further apart than the model's window of 4 tokens: not asked"
    assert f"{why} (12)" in set(run.frames["skipped"]["reason"])
    assert run.totals.set_index("what")["count"][why] == 12
