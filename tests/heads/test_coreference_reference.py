"""Coreference of the real model: n, right answers and offsets equal plain loops over its maps."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.slow.coreference import slow_scores, slow_windows

from inspector.corpora import read_conllu
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.default import sample_files
from inspector.heads.counts import DIRECTIONS
from inspector.heads.observers import AcrossScores, annotated_batches, observe
from inspector.heads.specialization.head_examples import head_predictions
from inspector.models import token_counts, word_batches

_DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
GUM = _DATA / "ud-english-gum"
KINDS = {"pronoun", "proper", "nominal"}
EVERY = {
    f"coref{same}:{kind}{ending}"
    for same in ("", "-same-string")
    for kind in KINDS
    for ending in ("", ":mentions")
}


def scores(model, corpus, limit, batch_size=2):
    """Return what the observer counted over the windows of a corpus."""
    lengths, n_special = token_counts(model, [s.surface for s in corpus.sentences])
    windows = corpus_windows(corpus, lengths, limit - n_special).texts
    documents = list(dict.fromkeys(window.document for window in windows))
    names = sorted({name for w in windows for r in w.relations for name in r.counted_as})
    made = word_batches(model, [window.surface for window in windows], batch_size, batch_cost=10**6)
    assert made.too_long == ()
    observer = AcrossScores(model.n_layers, model.n_heads, documents, names)
    places = [documents.index(window.document) for window in windows]
    known = {name: place for place, name in enumerate(names)}
    batches = annotated_batches(made.batches, windows, places, known, across=True)
    observe(model, batches, [observer])
    return observer


def assert_same(observer, reference):
    n, correct, offsets = reference
    frame = observer.frame()
    frame = frame[~frame["relation"].str.contains("|", regex=False)]
    assert set(frame["relation"]) == set(n)
    for (label, direction), rows in frame.groupby(["relation", "direction"]):
        assert set(rows["n"]) == {n[label]}, label
        found = rows.pivot(index="layer", columns="head", values="correct").to_numpy()
        assert np.array_equal(found, correct[label, direction].numpy()), (label, direction)
    counts = observer.counts().total()
    table = {
        (label, offset): counts.offset_counts[0, i, j]
        for i, label in enumerate(counts.relations)
        for j, offset in enumerate(counts.offsets)
        if "|" not in label and counts.offset_counts[0, i, j]
    }
    assert table == dict(offsets)


@pytest.fixture(scope="module")
def sample():
    return read_conllu(sample_files(), strict=True)


def triples(corpus):
    mentions, left_out = read_mentions(corpus.sentences, corpus.document_ids())
    assert left_out == []
    return [(one.sentence, one.entity, one.head) for one in mentions]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("limit", [pytest.param(512, marks=pytest.mark.full), 60])
def test_on_the_sample(minilm, sample, limit):
    kept = set(dict.fromkeys(sample.document_ids())) if limit == 512 else {"sample_bio_varga"}
    corpus = replace(sample, sentences=[s for s in sample.sentences if s.document in kept])
    reference = slow_scores(minilm, corpus.sentences, corpus.document_ids(), triples(corpus), limit)
    observer = scores(minilm, corpus, limit)
    assert_same(observer, reference)
    if limit == 512:
        assert set(reference[0]) == EVERY
        reference[1]["coref:pronoun", "head_to_dependent"][4, 5] += 1
        with pytest.raises(AssertionError):
            assert_same(observer, reference)


def test_windows_equal_the_slow_ones(minilm, sample):
    for limit in (512, 60, 30):
        slow = slow_windows(minilm, sample.sentences, sample.document_ids(), limit)
        lengths, n_special = token_counts(minilm, [s.surface for s in sample.sentences])
        ours = corpus_windows(sample, lengths, limit - n_special)
        of_first = {sample.sentences[window[0]].id: window for window in slow}
        for text in ours.texts:
            words = [w for i in of_first[text.id] for w in sample.sentences[i].words]
            assert list(text.words) == words


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("label", ["coref:pronoun", "coref:pronoun:mentions"])
def test_examples_show_the_hits_that_are_counted(minilm, sample, label):
    some = sample.sentences[:40]
    corpus = replace(sample, sentences=some)
    counts = scores(minilm, corpus, 512).counts().total()
    lengths, n_special = token_counts(minilm, [one.surface for one in some])
    texts = corpus_windows(corpus, lengths, 512 - n_special).texts
    place = counts.relations.index(label)
    for direction in ("dependent_to_head", "attended_by_head"):
        found = head_predictions(minilm, texts, 1, 3, label, direction)
        assert len(found) == counts.n[0, place] > 10
        hits = sum(one.is_hit for one in found)
        assert hits == counts.correct[0, place, DIRECTIONS.index(direction), 1, 3]
        assert 0 < hits < len(found)
        assert all(one.predicted in (one.relation.among or range(999)) for one in found)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.skipif(not GUM.exists(), reason="needs ud-english-gum of INSPECTOR_DATA")
@pytest.mark.full
def test_on_documents_of_gum(minilm):
    corpus = read_conllu(GUM / "en_gum-ud-dev.conllu")
    sizes = {}
    for sentence in corpus.sentences:
        sizes[sentence.document] = sizes.get(sentence.document, 0) + len(sentence.words)
    chosen = sorted(sizes, key=sizes.get)[:4]
    sentences = [s for s in corpus.sentences if s.document in chosen]
    place = {sentence.id: i for i, sentence in enumerate(sentences)}
    with (GUM / "mentions-dev.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    mentions = [
        (place[row["sent_id"]], row["entity"], int(row["head"]) - 1)
        for row in rows
        if row["doc"] in chosen
    ]
    documents = [sentence.document for sentence in sentences]
    reference = slow_scores(minilm, sentences, documents, mentions, 512)
    assert set(reference[0]) == EVERY
    assert_same(scores(minilm, replace(corpus, sentences=sentences), 512), reference)
