"""Trees whose heads were shuffled: what follows no relation is not said to follow one.

The real model reads part of the sample once; its predictions are then held against shuffled trees.
"""

import numpy as np
import pytest
from slow_observers import attention_of
from test_profile_reference import predictions

from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.claims import relation_claims
from inspector.heads.counts import RelationCounts
from inspector.heads.support import supported_heads

SEEDS = 20


@pytest.fixture(scope="module")
def predicted(minilm):
    """Return (sentence, place of each word, what it looks at, what looks at it) for every third."""
    found = []
    for sentence in read_conllu(sample_files()).sentences[::3]:
        maps, word_ids, _, _ = attention_of(minilm, sentence)
        words, to, back = predictions(maps, word_ids)
        found.append((sentence, {word: i for i, word in enumerate(words)}, to, back))
    return found


def pairs(sentence, draw):
    """Return (label, dependent, head); the sentence's heads are shuffled if `draw` is given."""
    heads = [relation.target for relation in sentence.relations]
    if draw is not None:
        heads = draw.permutation(heads).tolist()
    for relation, head in zip(sentence.relations, heads, strict=True):
        if head != relation.source:
            yield relation.label, relation.source, head


def counted(predicted, draw=None):
    documents = tuple(dict.fromkeys(sentence.document for sentence, *_ in predicted))
    names = tuple(sorted({r.label for sentence, *_ in predicted for r in sentence.relations}))
    drawn = [(entry, *pair) for entry in predicted for pair in pairs(entry[0], draw)]
    offsets = tuple(sorted({head - dependent for _, _, dependent, head in drawn}))
    correct = np.zeros((len(documents), len(names), 3, 6, 12), dtype=np.int32)
    n = np.zeros(correct.shape[:2], dtype=np.int32)
    at_offset = np.zeros((*n.shape, len(offsets)), dtype=np.int32)
    for (sentence, place, to, back), label, dependent, head in drawn:
        here = documents.index(sentence.document), names.index(label)
        n[here] += 1
        at_offset[(*here, offsets.index(head - dependent))] += 1
        correct[(*here, 0)] += to[..., place[dependent]] == head
        correct[(*here, 1)] += to[..., place[head]] == dependent
        correct[(*here, 2)] += back[..., place[dependent]] == head
    return RelationCounts(documents, names, offsets, correct, n, at_offset)


def twins(counts):
    """Return twins that find nothing, the weakest control there is."""
    nothing = RelationCounts(
        counts.documents,
        counts.relations,
        counts.offsets,
        np.zeros_like(counts.correct),
        counts.n,
        counts.offset_counts,
    )
    return [nothing] * 3


def test_no_claim_holds_on_shuffled_trees(predicted):
    claims = with_any = 0
    for seed in range(SEEDS):
        counts = counted(predicted, np.random.default_rng(seed))
        frame = relation_claims(counts, twins(counts), seed)
        claims += len(frame)
        with_any += (frame["verdict"] == "supported").any()
        assert (frame["n"] >= 20).any()
    assert claims > 1000
    assert with_any <= 0.05 * SEEDS


def test_no_head_is_supported_on_shuffled_trees(predicted):
    counts = counted(predicted, np.random.default_rng(99))
    assert supported_heads(counts, twins(counts))["supported"].mean() < 0.001


def test_the_same_trees_unshuffled_have_lifts(predicted):
    """The control: the same predictions on the true trees beat the baseline by far."""
    true = relation_claims(counted(predicted), twins(counted(predicted)))
    shuffled = counted(predicted, np.random.default_rng(0))
    other = relation_claims(shuffled, twins(shuffled))
    big = true[true["n"] >= 20]
    assert big["lift"].max() > 0.2
    assert big["lift"].max() > other[other["n"] >= 20]["lift"].max() + 0.1
