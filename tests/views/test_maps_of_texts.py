"""`attend` on what a user holds: lists, words, some layers and heads."""

import numpy as np
import pytest
from support.each import each

import inspector
from inspector.errors import InputError

TEXTS = ["The cat sat on the mat.", "Unaffable cats don't purr.", "Dogs bark at noon , too ."]


@pytest.fixture(scope="module")
def alone(minilm):
    return [inspector.attend(minilm, text) for text in TEXTS]


def slow_words(maps, groups):
    """Return word-to-word attention by loops: the mean of the sums."""
    n_layers, n_heads = maps.probabilities.shape[:2]
    found = np.zeros((n_layers, n_heads, len(groups), len(groups)))
    for layer in range(n_layers):
        for head in range(n_heads):
            for i, queries in enumerate(groups):
                for j, keys in enumerate(groups):
                    sums = [
                        sum(float(maps.probabilities[layer, head, q, k]) for k in keys)
                        for q in queries
                    ]
                    found[layer, head, i, j] = sum(sums) / len(sums)
    return found


def test_a_text_in_a_list_gets_what_it_gets_alone(minilm, alone):
    together = inspector.attend(minilm, TEXTS)
    assert isinstance(together, list)
    for one, other in zip(together, alone, strict=True):
        assert (one.tokens, one.text, one.unit) == (other.tokens, other.text, "tokens")
        assert one.vocabulary == other.vocabulary
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-6)


def test_tokens_are_merged_as_a_plain_loop_merges_them(minilm, alone):
    merged = inspector.attend(minilm, TEXTS[1], words=True)
    assert alone[1].tokens[:4] == ["[CLS]", "una", "##ffa", "##ble"]
    assert merged.tokens == ["[CLS]", "Unaffable", "cats", "don", "'", "t", "purr", ".", "[SEP]"]
    groups = []
    for place, token in enumerate(alone[1].tokens):
        if token.startswith("##"):
            groups[-1].append(place)
        else:
            groups.append([place])
    assert [len(group) for group in groups].count(1) < len(groups) - 1
    expected = slow_words(alone[1], groups)
    np.testing.assert_allclose(merged.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(merged.probabilities.sum(-1), 1, atol=1e-5)
    assert repr(merged).startswith("<AttentionMaps")
    assert " 9 words" in repr(merged)


def test_words_that_are_given_are_the_words(minilm):
    words = ["Unaffable", "cats", "don't", "purr"]
    (maps,) = inspector.attend(minilm, [words], words=True)
    assert maps.tokens == ["[CLS]", *words, "[SEP]"]
    corpus = inspector.corpora.memory_corpus([words])
    for given in (corpus, (words,), np.array([words])):
        (again,) = inspector.attend(minilm, given, words=True)
        assert np.array_equal(again.probabilities, maps.probabilities)
    one = inspector.attend(minilm, corpus[0], words=True)
    assert np.array_equal(one.probabilities, maps.probabilities)


def test_tables_and_trees_are_read_row_by_row_and_sentence_by_sentence(minilm):
    import conllu
    import pandas as pd

    expected = ["The cat sat.", "A dog. It ran."]
    frame = pd.DataFrame({"id": [1, 2], "text": expected})
    for given in (frame, frame["text"], np.array(expected, dtype=object), iter(expected)):
        assert [maps.text for maps in inspector.attend(minilm, given)] == expected
    rows = ["# text = Go!", "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No",
            "2\t!\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_", "", ""]  # fmt: skip
    written = "\n".join(rows)
    (maps,) = inspector.attend(minilm, conllu.parse(written), words=True)
    assert (maps.text, maps.tokens) == ("Go!", ["[CLS]", "Go", "!", "[SEP]"])
    with pytest.raises(InputError) as caught:
        inspector.attend(minilm, frame[["id"]])
    assert str(caught.value) == (
        "corpus (DataFrame with columns id) has no column text or words: rename the one that "
        "holds them."
    )


def test_pairs_in_a_list_keep_their_second_texts_apart(minilm):
    firsts, seconds = ["Who sat?", "Where?"], ["An unaffable cat.", "Here"]
    for words in (False, True):
        together = inspector.attend(minilm, firsts, seconds, words=words)
        for maps, first, second in zip(together, firsts, seconds, strict=True):
            own = inspector.attend(minilm, first, second, words=words)
            assert (maps.tokens, maps.text_pair) == (own.tokens, second)
            assert maps.sentence_b_start == own.sentence_b_start
            assert maps.tokens[maps.sentence_b_start - 1] == "[SEP]"
            np.testing.assert_allclose(maps.probabilities, own.probabilities, atol=2e-6)
    assert together[0].tokens == [
        "[CLS]", "Who", "sat", "?", "[SEP]", "An", "unaffable", "cat", ".", "[SEP]",
    ]  # fmt: skip


def test_some_layers_and_heads_keep_their_numbers(minilm, alone):
    whole = alone[0]
    some = inspector.attend(minilm, TEXTS[0], layers=[4, 2], heads=[8, 11])
    assert (some.layers, some.heads, some.probabilities.shape[:2]) == ((2, 4), (8, 11), (2, 2))
    for layer in (2, 4):
        for head in (8, 11):
            expected = whole.probabilities[layer, head]
            for place in ((layer, head), f"{layer}-{head}"):
                assert np.array_equal(some[place], expected)
                assert np.array_equal(whole[place], expected)
    assert np.array_equal(some[4], whole.probabilities[4][[8, 11]])
    rows = whole.frame()
    kept = rows[rows["layer"].isin([2, 4]) & rows["head"].isin([8, 11])].reset_index(drop=True)
    assert some.frame().equals(kept)
    assert some.frame([4])["layer"].unique().tolist() == [4]


def test_views_of_some_heads_draw_them_under_their_numbers(minilm, alone):
    from support.browser.page_reader import data_of

    some = inspector.attend(minilm, TEXTS[0], layers=[2], heads=[8])
    head = data_of(some.head_view().html)
    assert (head["include_layers"], head["heads"]) == ([2], [8])
    expected = alone[0].probabilities[2, 8].astype("float64").round(3).tolist()
    assert head["attention"][0]["attn"][0][8] == expected
    model = data_of(some.model_view().html)
    assert (model["include_layers"], model["include_heads"]) == ([2], [8])


@each(
    ("arguments", "sentence"),
    [
        (([],), "text ([]) must hold at least one text."),
        (([b"x"],), "text (bytes) must be a string: decode it first."),
        ((["x", None],), "text (NoneType) must be a string: give one text."),
        (([["a", ""]],), ("text (list) must be a string: give one text, or its words, none of them "
                         "empty.")),
        ((["x", " "],), "text (' ') must not be empty: give at least one word."),
        (({"text": "x"},), ("text (dict) must be a string: give one text, or its words, none of "
                           "them empty.")),
        ((["x", "y"], ["z"]), ("text_pair (['z']) must be a second text for each: 2 texts, 1 "
                              "second.")),
        (("x", ["z"]), "text_pair (['z']) must be a second text for each: 1 text, 1 second."),
    ],
)  # fmt: skip
def test_what_is_no_text_is_named(minilm, arguments, sentence):
    with pytest.raises(InputError) as caught:
        inspector.attend(minilm, *arguments)
    assert str(caught.value) == sentence


@each(
    ("options", "sentence"),
    [
        ({"layers": [6]}, ("layers (6) must name at least one of the model's 6 layers: give "
                           "numbers from 0 to 5.")),
        ({"heads": [12, 3]}, ("heads (3, 12) must name at least one of the model's 12 heads: give "
                              "numbers from 0 to 11.")),
        ({"heads": "2-8"}, "heads ('2-8') must be whole numbers, such as [0, 3], or be left out."),
        ({"words": "yes"}, "words ('yes') must be True or False."),
    ],
)  # fmt: skip
def test_layers_and_heads_that_are_not_there_are_named(minilm, options, sentence):
    with pytest.raises(InputError) as caught:
        inspector.attend(minilm, "x", **options)
    assert str(caught.value) == sentence


@each(
    ("place", "sentence"),
    [
        ((9, 1), "head ((9, 1)) must be one that these maps have: layers 0, 1; heads 0, 1, 2."),
        ("1-3", "head (1-3) must be one that these maps have: layers 0, 1; heads 0, 1, 2."),
        (2, "layers (2) must name at least one of the model's 2 layers: give numbers from 0 to 1."),
        (1.5, "heads (1.5) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
    ],
)
def test_a_map_that_is_not_there_is_named(make_maps, place, sentence):
    with pytest.raises(InputError) as caught:
        make_maps()[place]
    assert str(caught.value) == sentence
