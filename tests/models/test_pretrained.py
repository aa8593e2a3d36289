"""What a loaded model may be asked: texts turned into inputs, layers and heads by number."""

import re

import pytest
import torch
from support.each import each
from support.tiny.models import TEXTS

from inspector.errors import InputError
from inspector.models import check_text


class TestEncode:
    def test_a_batch_is_padded_and_says_its_tokens(self, bert):
        batch = bert.encode(["The cat.", "the xy"])
        assert batch.tokens == [
            ["[CLS]", "the", "cat", ".", "[SEP]"],
            ["[CLS]", "the", "x", "##y", "[SEP]"],
        ]
        longer = bert.encode(TEXTS)
        assert longer.attention_mask.sum(-1).tolist() == [len(row) for row in longer.tokens]
        assert set(longer.inputs()) == {"input_ids", "attention_mask", "token_type_ids"}

    def test_a_pair_says_where_its_second_text_starts(self, bert):
        batch = bert.encode(["The cat.", "rain"], ["A dog.", "town"])
        assert batch.pair_starts == [5, 3]
        short = batch.cut(4)
        assert (short.pair_starts, short.input_ids.shape) == ([None, 3], (2, 4))
        assert short.tokens == [tokens[:4] for tokens in batch.tokens]
        assert batch.tokens[0][5:] == ["a", "dog", ".", "[SEP]"]
        assert batch.token_type_ids[1].tolist()[:5] == [0, 0, 0, 1, 1]
        assert bert.encode(["The cat."]).pair_starts == [None]

    def test_without_special_tokens(self, bert):
        assert bert.encode(["The cat."], special=False).tokens == [["the", "cat", "."]]

    def test_a_family_without_token_types_is_given_none(self, tiny):
        from inspector.models import last_hidden_state

        model = tiny("distilbert")
        assert last_hidden_state(model, model.encode(TEXTS), "eager").shape[0] == 3

    def test_the_longest_text_fits_and_one_token_more_does_not(self, bert):
        from inspector.models import last_hidden_state

        batch = bert.encode(["the " * 94])
        assert last_hidden_state(bert, batch, "eager").shape[1] == 96
        with pytest.raises(InputError) as caught:
            bert.encode(["the " * 95])
        assert str(caught.value) == (
            "text (97 tokens) must have at most 96 tokens, special ones included, for model "
            f"{bert.name}: shorten it."
        )
        assert len(bert.encode(["the " * 95], truncate=True).tokens[0]) == 96

    @each("family", ["roberta", "xlm-roberta", "camembert"])
    def test_the_longest_text_fits_where_positions_start_at_two(self, tiny, family):
        from inspector.models import last_hidden_state

        model = tiny(family)
        batch = model.encode(["the " * 95], truncate=True)
        assert last_hidden_state(model, batch, "eager").shape[1] == 96

    def test_no_text(self, bert):
        with pytest.raises(InputError) as caught:
            bert.encode([])
        assert str(caught.value) == "texts ([]) must hold at least one text."

    @each("text", ["\u200b\u200d", "\ue000", "\u00ad", "\x00"])
    def test_a_text_without_a_token(self, bert, text):
        with pytest.raises(InputError) as caught:
            bert.encode(["The cat.", text])
        assert str(caught.value) == (
            f"text ({text!r}) has no token that this tokenizer knows: "
            "give a text with at least one word."
        )


@each("text", ["", " ", "\n\t", "\u3000"])
def test_an_empty_text_is_refused(text):
    with pytest.raises(InputError) as caught:
        check_text(text)
    assert str(caught.value) == f"text ({text!r}) must not be empty: give at least one word."


def test_a_lone_surrogate_is_refused_by_its_place():
    with pytest.raises(InputError) as caught:
        check_text("ab\ud800c")
    assert str(caught.value) == (
        "text is not valid Unicode: the character at position 2 is half of a pair. "
        "Save the text as UTF-8."
    )


def test_a_text_too_long_to_tokenize_is_refused_before():
    check_text("a" * 1_000_000)
    with pytest.raises(InputError) as caught:
        check_text("a" * 1_000_001)
    assert str(caught.value) == (
        "text (1000001 characters) must have at most 1000000 characters: shorten it."
    )


@each("number", [-1, 3])
def test_a_layer_that_is_not_there(bert, number):
    sentence = f"layer ({number}) must be one that the model has: layers count from 0 to 2."
    for ask in (
        bert.check_layer,
        bert.layer_weights,
        lambda layer: bert.linear(layer, "query"),
    ):
        with pytest.raises(InputError, match=re.escape(sentence)):
            ask(number)


@each("number", [-1, 4])
def test_a_head_that_is_not_there(bert, number):
    with pytest.raises(InputError) as caught:
        bert.check_head(number)
    assert str(caught.value) == (
        f"head ({number}) must be one that the model has: heads count from 0 to 3."
    )


def test_layers_and_heads_that_are_there(bert):
    assert [bert.check_layer(n) for n in range(3)] == [0, 1, 2]
    assert [bert.check_head(n) for n in range(4)] == [0, 1, 2, 3]
    assert bert.device == torch.device("cpu")
    assert bert.torch_dtype == torch.float32
