"""Random models read a sample: once through the corpus together, by chance alone."""

from inspector.runs.random_sample import sample_of


def test_together_the_models_read_a_corpus_once():
    parts = [sample_of(number, 3, n_texts=2001, least=128, most=1024) for number in range(3)]
    assert sorted(place for part in parts for place in part) == list(range(2001))
    assert all(list(part) == sorted(part) for part in parts)
    # By chance: no part is a run, or every third sentence of it.
    assert all(150 < sum(place < 667 for place in part) < 300 for part in parts)
    assert all(150 < sum(place % 3 == 0 for place in part) < 300 for part in parts)


def test_few_texts_are_all_read_and_many_are_not():
    assert sample_of(1, 3, n_texts=100, least=128, most=1024) == tuple(range(100))
    assert len(sample_of(2, 3, n_texts=300, least=128, most=1024)) == 128
    assert len(sample_of(2, 3, n_texts=300, least=128, most=50)) == 50
    assert len(sample_of(0, 5, n_texts=100_000, least=128, most=1024)) == 1024
    assert sample_of(0, 3, n_texts=0, least=8, most=64) == ()
