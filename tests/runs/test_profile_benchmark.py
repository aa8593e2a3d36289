"""The benchmark of a profile compares like with like: its script finds the observers' counts."""

from dataclasses import replace

import numpy as np

from benchmarks import profile


def test_the_script_finds_what_the_observers_find():
    read = profile.corpus(12)
    names = profile._names(read)
    made = profile.batches(read, 5)
    n, correct = profile.script(made, names)
    (scores,) = profile._observers(read, ("relations",))
    from inspector.heads.observers import observe

    observe(profile.minilm(), [replace(batch) for batch in made], [scores])
    assert np.array_equal(scores.n.sum(0), n)
    assert np.array_equal(scores.correct.sum(0), correct)
    assert n.sum() > 50


def test_the_corpus_is_repeated_to_its_length():
    assert len(profile.corpus(12).sentences) == 12
    assert len(profile.corpus(5000).sentences) == 5000
