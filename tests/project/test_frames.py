"""One table says of every column its dtype, unit and meaning; docs and pages are made of it."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from support.each import each

from inspector import frames, words
from inspector.dashboard import widgets
from inspector.frames import Frames, dtypes, meanings
from inspector.frames.reference_page import reference

ROOT = Path(__file__).parents[2]
TABLE = frames.frames()


def test_the_reference_page_is_that_of_the_table():
    """Else: python -m inspector.frames > docs/frames.md."""
    assert (ROOT / "docs" / "frames.md").read_text(encoding="utf-8") == reference()


def test_a_table_in_the_page_has_a_row_for_each_column():
    section = reference().split("## relations\n")[1].split("\n## ")[0]
    assert "| `lift` |" not in section
    assert "| `baseline_offset` | int64 | words | The commonest offset of the relation" in section
    assert "| (`corpus`) | str |  | Which of several corpora. |" in section
    rows = [line for line in section.splitlines() if line.startswith(("| `", "| (`"))]
    assert len(rows) == len(dtypes("relations")) + 1
    assert all(line.replace(r"\|", "").count("|") == 5 for line in rows)


@each("name", TABLE.frames)
def test_every_column_is_said_in_every_language_of_the_dashboard(name):
    frame = TABLE.frames[name]
    languages = set(words.languages())
    assert set(frame.rows) == languages
    for column in (*frame.columns, *frame.optional):
        said = TABLE.column(name, column).meaning
        assert set(said) == languages, column
        assert all(text.endswith((".", "。")) for text in said.values()), column


def test_no_frame_says_a_column_twice_and_no_column_is_of_no_frame():
    used = set()
    for name, frame in TABLE.frames.items():
        every = [*frame.columns, *frame.optional]
        assert len(every) == len(set(every)), name
        assert set(frame.here) <= set(every), name
        used |= set(every)
    assert used == set(TABLE.columns)


@each("name", TABLE.frames)
def test_every_dtype_is_one_of_pandas(name):
    empty = pd.DataFrame({column: [] for column in dtypes(name)}).astype(dtypes(name))
    assert {column: str(dtype) for column, dtype in empty.dtypes.items()} == dtypes(name)


def test_every_statistic_has_a_formula():
    figures = [name for name in dtypes("weights") if name not in ("layer", "head")]
    assert figures
    assert all(TABLE.column("weights", name).formula for name in figures)


def test_a_frame_may_say_otherwise_what_a_column_is():
    assert dtypes("claims")["head"] == "int64"
    assert dtypes("compared_claims")["head"] == "str"
    assert meanings("ablation")["n"] == "Words that are measured."
    assert meanings("claims")["n"].startswith("Pairs of words that are asked; ")


def test_a_language_without_meanings_has_the_english_ones():
    assert meanings("claims", "de") == meanings("claims", "en") != meanings("claims", "zh")


def test_tables_of_the_dashboard_explain_their_columns():
    shown = widgets.explained("claims", "zh", {"lift": "提升", "interval": "区间"})
    assert shown["lift"]["help"] == "准确率减基线准确率。"
    assert shown["lift"]["label"] == "提升"
    assert shown["interval"]["help"] is None


@each(
    ("language", "lift", "interval"),
    [("en", "%.1f points", "−2.0 … 3.0 points"), ("zh", "%.1f 个百分点", "−2.0 … 3.0 个百分点")],
)
def test_differences_of_shares_are_in_points(monkeypatch, language, lift, interval):
    drawn = {}
    monkeypatch.setattr(widgets.st, "dataframe", lambda frame, **how: drawn.update(how, rows=frame))
    row = {"accuracy": 0.5, "lift": 0.25, "ci_low": -0.02, "ci_high": 0.03}
    labels = {name: name for name in ("accuracy", "lift", "interval")}
    widgets.frame_table(pd.DataFrame([row]), "key", "claims", labels, language)
    formats = {name: one.get("type_config") for name, one in drawn["column_config"].items()}
    assert formats["accuracy"]["format"] == "%.1f %%"
    assert formats["lift"]["format"] == lift
    assert drawn["rows"].iloc[0][list(labels)].tolist() == [50.0, 25.0, interval]
    assert drawn["column_config"]["lift"]["help"] == meanings("claims", language)["lift"]


@each(
    ("column", "wrong"),
    [
        ({"dtype": "int", "meaning": {"en": "A."}}, "dtype"),
        ({"dtype": "int64"}, "meaning"),
        ({"dtype": "int64", "meaning": {"en": "A."}, "units": "u"}, "units"),
    ],
)
def test_a_column_that_is_wrong_is_refused(column, wrong):
    with pytest.raises(ValidationError) as error:
        Frames.model_validate({"columns": {"a": column}, "frames": {}})
    assert error.value.errors()[0]["loc"][-1] == wrong
