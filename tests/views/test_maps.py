"""The maps of one text: what is refused, the frame, the summary for notebooks."""

import subprocess
import sys

import numpy as np
import pytest
from support.browser.page_reader import Elements

from inspector.errors import InputError
from inspector.views import AttentionMaps
from inspector.views.maps import FRAME_DTYPES


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_the_frame_has_its_columns_and_dtypes(make_maps):
    frame = make_maps().frame()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FRAME_DTYPES
    assert list(frame.columns) == list(FRAME_DTYPES)
    assert frame.index.equals(type(frame.index)(range(len(frame))))


def test_every_row_is_the_probability_at_its_place(make_maps):
    maps = make_maps(["the", "cat", "the", "mat", "."], n_layers=2, n_heads=3)
    frame = maps.frame()
    assert len(frame) == 2 * 3 * 5 * 5
    for row in frame.itertuples():
        assert row.probability == maps.probabilities[row.layer, row.head, row.query, row.key]
        assert row.query_token == maps.tokens[row.query]
        assert row.key_token == maps.tokens[row.key]
    order = ["layer", "head", "query", "key"]
    assert frame[order].equals(frame[order].sort_values(order, ignore_index=True))


def test_a_frame_of_some_layers_keeps_their_numbers(make_maps):
    maps = make_maps(4, n_layers=5)
    some = maps.frame([4, 1])
    assert some["layer"].unique().tolist() == [1, 4]
    all_rows = maps.frame()
    expected = all_rows[all_rows["layer"].isin([1, 4])].reset_index(drop=True)
    assert some.equals(expected)


@pytest.mark.parametrize(("given", "shown"), [([2], "2"), ([-1, 0], "-1, 0"), ([], "none")])
def test_layers_that_are_not_there(make_maps, given, shown):
    maps = make_maps(n_layers=2)
    for call in (maps.frame, maps.head_view, maps.model_view):
        assert refusal(call, given) == (
            f"layers ({shown}) must name at least one of the model's 2 layers: "
            "give numbers from 0 to 1."
        )


def test_heads_and_first_layers_that_are_not_there(make_maps):
    maps = make_maps(n_layers=3, n_heads=3)
    assert refusal(maps.head_view, heads=[3]) == (
        "heads (3) must name at least one of the model's 3 heads: give numbers from 0 to 2."
    )
    assert refusal(maps.head_view, [0, 1], layer=2) == (
        "layer (2) must be one of the layers shown: 0, 1."
    )


def test_tokens_and_probabilities_must_fit():
    probabilities = np.full((1, 2, 3, 3), 1 / 3, np.float32)
    assert refusal(AttentionMaps, probabilities, ["a", "b"], "t", None, "m", None) == (
        "probabilities have shape (1, 2, 3, 3), "
        "expected (layer, head, query, key) with query = key = 2, one for each token."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_probabilities_must_be_finite(value):
    probabilities = np.full((1, 1, 1, 1), value, np.float32)
    assert refusal(AttentionMaps, probabilities, ["a"], "t", None, "m", None) == (
        "probabilities hold NaN or infinity: verify the model, its weights may be broken."
    )


@pytest.mark.parametrize("start", [0, 3, -1])
def test_the_second_text_starts_within_the_tokens(start):
    probabilities = np.full((1, 1, 3, 3), 1 / 3, np.float32)
    assert refusal(AttentionMaps, probabilities, ["a", "b", "c"], "t", "u", "m", start) == (
        f"sentence_b_start ({start}) must lie between 1 and 2: both texts have at least one token."
    )


def test_the_title_is_one_line_that_a_file_can_hold(make_maps):
    maps = make_maps(text="two\n\tlines \ud83d", text_pair=" and  a second")
    assert maps.title == "tiny: two lines ? | and a second"


def test_a_notebook_shows_a_named_image_and_no_script(make_maps):
    maps = make_maps(4, n_layers=2, n_heads=3, text='<img src=x onerror="alert(1)">')
    elements = Elements(maps._repr_html_())
    assert elements.count == {"figure": 1, "img": 1, "figcaption": 1}
    assert elements.value("img", "alt") == (
        'Attention of every head: 4 tokens, tiny: <img src=x onerror="alert(1)">'
    )
    assert elements.value("img", "src").startswith("data:image/svg+xml;base64,")
    assert not [name for _, name, _ in elements.attributes if name.startswith("on")]


def test_the_room_loads_nothing_heavy_before_it_is_needed():
    heavy = ["torch", "altair", "bertviz", "IPython", "matplotlib", "mpld3", "streamlit"]
    code = f"import sys, inspector.views; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
