"""What one head predicts on single sentences, against plain loops over the model's own maps."""

from collections import Counter

import pytest
import torch
from support.each import each
from support.slow.observers import attention_of, slow_relation_counts, word_map

from inspector.corpora import Relation, Sentence, default_corpus
from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.head_examples import head_predictions

# float32 attention summed in another order.
CLOSE = 1e-5
HEADS = [(2, 8), (0, 0), (5, 11)]


@pytest.fixture(scope="module")
def sentences():
    """Return thirty sentences of the default corpus, and one with a word that has no token."""
    odd = Sentence(
        "odd",
        None,
        ("Big", "\u200b", "unflappable", "dogs", "bark"),
        None,
        (
            Relation("syntax", "amod", 0, 3),
            Relation("syntax", "amod", 1, 3),
            Relation("syntax", "amod", 2, 3),
        ),
    )
    return [*default_corpus().sentences[:60:2], odd]


@pytest.fixture(scope="module")
def slow_counts(minilm, sentences):
    """Return pairs by relation, and hits by layer, head, relation and direction."""
    n, correct, _, _ = slow_relation_counts(minilm, sentences, HEADS)
    return n, correct


@each("direction", DIRECTIONS)
@each(("layer", "head"), HEADS)
def test_hits_are_those_of_the_slow_reference(
    minilm, sentences, slow_counts, direction, layer, head
):
    n, correct = slow_counts
    found = Counter()
    hits = Counter()
    for label in ("det", "amod", "obj", "nsubj"):
        for one in head_predictions(minilm, sentences, layer, head, label, direction):
            found[label] += 1
            hits[label] += one.is_hit
        assert found[label] == n[label] > 0
        assert hits[label] == correct[layer, head, label, direction]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_weights_are_what_was_compared(minilm, sentences, direction):
    predictions = head_predictions(minilm, sentences, 2, 8, "amod", direction)
    assert len({one.predicted for one in predictions}) > 1
    for one in predictions:
        maps, word_ids, _, _ = attention_of(minilm, one.sentence)
        words = word_map(maps[2, 8], word_ids, len(one.sentence.words))
        for other, weight in enumerate(one.weights):
            if other == one.asked or other not in words:
                assert weight == -1
            elif direction == "attended_by_head":
                assert weight == pytest.approx(words[other][one.asked], abs=CLOSE)
            else:
                assert weight == pytest.approx(words[one.asked][other], abs=CLOSE)
        assert one.weights[one.predicted] == max(one.weights)


def test_each_direction_asks_the_word_it_says(minilm, sentences):
    for direction in DIRECTIONS:
        for one in head_predictions(minilm, sentences, 1, 1, "obj", direction):
            pair = (one.asked, one.expected)
            if direction == "head_to_dependent":
                assert pair == (one.relation.target, one.relation.source)
            else:
                assert pair == (one.relation.source, one.relation.target)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_of_several_right_words_each_is_a_hit_and_all_are_given(minilm, direction):
    words = ("Ann", "met", "Ann", "and", "she", "left")
    pair = Relation("semantic", "coref:pronoun", 4, 2, also=(0,), among=(0, 2, 4))
    (found,) = head_predictions(
        minilm, [Sentence("s", None, words, None, (pair,))], 1, 3, "coref:pronoun", direction
    )
    asked_from = direction == "head_to_dependent"
    assert found.right == ((4,) if asked_from else (2, 0))
    assert found.right[0] == found.expected
    assert found.is_hit == (found.predicted in found.right)
    # None but mentions are a choice, and the word asked about is none.
    assert [place for place, weight in enumerate(found.weights) if weight >= 0] == sorted(
        {0, 2, 4} - {found.asked}
    )


def test_sentences_come_back_in_their_order_and_other_ones_not_at_all(minilm, sentences):
    found = head_predictions(minilm, sentences, 0, 3, "det", "dependent_to_head")
    places = [sentences.index(one.sentence) for one in found]
    assert places == sorted(places)
    assert {one.relation.label for one in found} == {"det"}
    assert head_predictions(minilm, sentences, 0, 3, "no such", "dependent_to_head") == []
    assert head_predictions(minilm, [], 0, 3, "det", "dependent_to_head") == []


def test_a_word_without_tokens_is_left_out(minilm, sentences):
    found = head_predictions(minilm, sentences[-1:], 0, 0, "amod", "dependent_to_head")
    assert [one.asked for one in found] == [0, 2]
    assert all(one.weights[1] == -1 for one in found)


def test_the_model_is_left_as_it_was(minilm, sentences):
    before = minilm.model.config._attn_implementation
    head_predictions(minilm, sentences[:2], 0, 0, "det", "dependent_to_head")
    assert minilm.model.config._attn_implementation == before
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(
    ("layer", "head", "direction", "sentence"),
    [
        (0, 12, "dependent_to_head", "head (12) must be one of the 12 heads of a layer, 0 to 11."),
        (0, -1, "dependent_to_head", "head (-1) must be one of the 12 heads of a layer, 0 to 11."),
        (
            0,
            0,
            "sideways",
            f"direction (sideways) must be a known one. Available: {', '.join(DIRECTIONS)}.",
        ),
    ],
)
def test_a_head_or_direction_that_is_not_there(minilm, layer, head, direction, sentence):
    with pytest.raises(InputError) as error:
        head_predictions(minilm, [], layer, head, "det", direction)
    assert str(error.value) == sentence
    with pytest.raises(InputError, match="layer"):
        head_predictions(minilm, [], 6, 0, "det", "dependent_to_head")
