"""How much the views draw at most, and what they are asked to draw."""

import pytest
from support.browser.page_reader import data_of

from inspector.errors import InputError


def refusal(view, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        view(*arguments, **options)
    return str(caught.value)


def test_too_many_tokens_are_refused(make_maps):
    assert refusal(make_maps(65, n_layers=1, n_heads=1).head_view) == (
        "tokens (65) must be at most 64 for the head view: "
        "give a shorter text, or take the numbers of a long one from frame()."
    )
    assert refusal(make_maps(33, n_layers=1, n_heads=1).model_view) == (
        "tokens (33) must be at most 32 for the model view: "
        "give a shorter text, or take the numbers of a long one from frame()."
    )
    assert make_maps(64, n_layers=1, n_heads=1).head_view().html
    assert make_maps(32, n_layers=1, n_heads=1).model_view().html


def test_too_many_lines_are_refused_and_fewer_layers_mend_it(make_maps):
    maps = make_maps(32, n_layers=12, n_heads=16)
    assert refusal(maps.model_view) == (
        "lines (196,608) must be at most 160,000 for the model view: "
        "give fewer layers or a shorter text."
    )
    assert maps.model_view(range(9)).html
    # The head view draws one layer at a time.
    assert refusal(make_maps(64, n_layers=1, n_heads=40).head_view) == (
        "lines (163,840) must be at most 160,000 for the head view: give a shorter text."
    )


def test_the_views_hold_the_layers_that_were_chosen(make_maps):
    maps = make_maps(5, n_layers=4, n_heads=3)
    head = data_of(maps.head_view([3, 1], layer=3, heads=[2]).html)
    assert (head["include_layers"], head["layer"], head["heads"]) == ([1, 3], 3, [2])
    model = data_of(maps.model_view([0, 2]).html)
    assert (model["include_layers"], model["include_heads"]) == ([0, 2], [0, 1, 2])
    assert model["display_mode"] == "light"
    for page, layers in ((head, [1, 3]), (model, [0, 2])):
        drawn = page["attention"][0]["attn"]
        assert drawn == maps.probabilities[layers].astype("float64").round(3).tolist()


def test_a_pair_of_texts_can_be_looked_at_part_by_part(make_maps):
    maps = make_maps(5, text_pair="other", sentence_b_start=2)
    parts = data_of(maps.head_view().html)["attention"]
    assert [part["name"] for part in parts] == [
        "All",
        "Sentence A -> Sentence A",
        "Sentence B -> Sentence B",
        "Sentence A -> Sentence B",
        "Sentence B -> Sentence A",
    ]
    assert [len(part["left_text"]) for part in parts] == [5, 2, 3, 2, 3]


def test_a_longer_text_is_a_higher_page(make_maps):
    short, long = make_maps(5), make_maps(25)
    assert long.head_view().height - short.head_view().height == 20 * 22.5
    assert long.model_view().height > short.model_view().height


def test_long_tokens_get_room_on_the_left(make_maps):
    assert "padding: 6px 0 0 0px" in make_maps(["short"]).head_view().html
    assert "padding: 6px 0 0 64px" in make_maps(["p" * 20]).head_view().html
    assert "padding: 6px 0 0 320px" in make_maps(["p" * 200]).head_view().html
