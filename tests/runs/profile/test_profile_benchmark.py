"""The benchmark of a profile has a corpus of the length that it is asked for."""

from benchmarks import profile


def test_the_corpus_is_repeated_to_its_length():
    assert len(profile.corpus(12).sentences) == 12
    assert len(profile.corpus(5000).sentences) == 5000
