"""Entities dealt out at random among the mentions of a document: nothing is followed but strings.

The real model reads the sample once; every deal is scored on the same maps.
"""

import random
from dataclasses import replace

import numpy as np
import pytest

from inspector.corpora import read_conllu
from inspector.corpora.annotation import document_windows
from inspector.corpora.default import sample_files
from inspector.heads.counts import RelationCounts
from inspector.heads.observers import AcrossScores, annotated_batches, observe
from inspector.heads.specialization.claims import relation_claims
from inspector.models import token_counts, word_batches

SEEDS = range(10)
TRUE = "true"


def dealt(corpus, lengths, seed):
    """Return the windows of a corpus whose entities were dealt out anew."""
    read = document_windows.read_mentions

    def shuffled(sentences, documents):
        mentions, left_out = read(sentences, documents)
        draw = random.Random(seed)
        for document in dict.fromkeys(documents):
            places = [i for i, one in enumerate(mentions) if one.document == document]
            entities = [mentions[i].entity for i in places]
            draw.shuffle(entities)
            for i, entity in zip(places, entities, strict=True):
                mentions[i] = replace(mentions[i], entity=entity)
        return mentions, left_out

    document_windows.read_mentions = read if seed == TRUE else shuffled
    try:
        return document_windows.corpus_windows(corpus, lengths, 500).texts
    finally:
        document_windows.read_mentions = read


@pytest.fixture(scope="module")
def counts(minilm, one_thread):
    """Return what every head has right, each deal's relations under names of its own."""
    corpus = read_conllu(sample_files())
    lengths, _ = token_counts(minilm, [one.surface for one in corpus.sentences])
    texts = {}
    for seed in (TRUE, *SEEDS):
        for text in dealt(corpus, lengths, seed):
            named = tuple(
                replace(one, label=f"{seed} {one.label}", subsets=())
                for one in text.relations
                if "|" not in one.label and "same-string" not in one.label
            )
            kept = texts.setdefault(text.id, replace(text, relations=()))
            texts[text.id] = replace(kept, relations=kept.relations + named)
    texts = list(texts.values())
    documents = [text.document for text in texts]
    names = sorted({one.label for text in texts for one in text.relations})
    observer = AcrossScores(minilm.n_layers, minilm.n_heads, documents, names)
    made = word_batches(minilm, [text.surface for text in texts], 2)
    place = {name: i for i, name in enumerate(names)}
    batches = annotated_batches(made.batches, texts, range(len(texts)), place, across=True)
    observe(minilm, batches, [observer])
    return observer.counts()


def claims_of(counts, seed):
    here = counts.of_relations([n for n in counts.relations if n.startswith(f"{seed} ")])
    nothing = RelationCounts(
        *(here.documents, here.relations, here.offsets),
        *(np.zeros_like(here.correct), here.n, here.offset_counts),
    )
    return relation_claims(here, [nothing] * 3)


def test_no_claim_holds_where_entities_are_dealt_at_random(counts):
    with_any = 0
    for seed in SEEDS:
        frame = claims_of(counts, seed)
        assert (frame["n"] >= 20).any()
        with_any += (frame["verdict"] == "supported").any()
    assert with_any <= 1


def test_control_the_true_entities_have_lifts(counts):
    def largest(seed):
        frame = claims_of(counts, seed)
        return frame[frame["n"] >= 20]["lift"].max()

    assert largest(TRUE) > 0.15
    assert largest(TRUE) > max(largest(seed) for seed in SEEDS)
