"""The ablate command: its frame, its JSON, and a sentence for each mistake."""

import json

import pandas as pd
import pytest
from support.each import each
from support.tiny.language_models import save_language_model

import inspector
from inspector.errors import InputError
from inspector.head_names import head_list
from inspector.heads.ablation import ABLATION_COLUMNS

CONLLU = """\
# newdoc id = {document}
# sent_id = {document}-1
1	The	the	DET	_	_	2	det	_	_
2	cat	cat	NOUN	_	_	3	nsubj	_	_
3	had	have	VERB	_	_	0	root	_	_
4	that	that	DET	_	_	6	det	_	_
5	old	old	ADJ	_	_	6	amod	_	_
6	table	table	NOUN	_	_	3	obj	_	_
7	not	not	PART	_	_	6	advmod	_	_
8	could	could	AUX	_	_	3	aux	_	_

"""


@pytest.fixture
def treebank(tmp_path):
    path = tmp_path / "small.conllu"
    path.write_text("".join(CONLLU.format(document=name) for name in "abcdef"))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_the_frame_is_written(command, tiny_folder, treebank, tmp_path, suffix):
    target = tmp_path / f"ablation{suffix}"
    folder = tiny_folder("bert")
    done = command("ablate", folder, "--heads", "2-1,0-3", "--corpus", treebank, "-o", target)
    assert (done.code, done.err) == (0, "")
    assert f"rows written to {target}" in done.out
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".json": pd.read_json}
    frame = readers[suffix](target)
    assert list(frame.columns) == list(ABLATION_COLUMNS)
    assert sorted(set(frame["heads"])) == ["0-3", "2-1"]
    assert {"nsubj", "det", "obj"} <= set(frame["relation"])


def test_json_is_one_document(command, tiny_folder, treebank):
    options = ("--heads", "2-1, 0-3", "--together", "--how", "uniform", "--corpus", treebank)
    done = command("ablate", tiny_folder("bert"), *options, "--json")
    document = json.loads(done.out)
    assert list(document) == ["model", "output", "ablation"]
    assert {row["heads"] for row in document["ablation"]} == {"0-3,2-1"}
    assert {row["how"] for row in document["ablation"]} == {"uniform"}


def test_it_says_whether_there_is_a_loss(command, tiny_folder, treebank, tmp_path):
    without = command("ablate", tiny_folder("bert"), "--heads", "0-0", "--corpus", treebank)
    assert without.out.endswith(
        f"No loss: {tiny_folder('bert')} was not saved with a language-modelling head.\n"
    )
    assert "loss_difference" not in without.out
    folder = save_language_model(tmp_path / "gpt2", "gpt2", "causal")
    done = command("ablate", folder, "--heads", "0-0", "--corpus", treebank)
    assert done.code == 0
    assert "loss_difference" in done.out
    assert "No loss" not in done.out


def test_all_stands_for_every_head(command, tiny_folder, treebank):
    done = command("ablate", tiny_folder("bert"), "--heads", "all", "--corpus", treebank, "--json")
    heads = {row["heads"] for row in json.loads(done.out)["ablation"]}
    assert heads == {f"{layer}-{head}" for layer in range(3) for head in range(4)}


RANGE = "must be one that the model has: layers count from 0 to 2, heads from 0 to 3."


@each(
    ("heads", "words"),
    [
        ("9-40", f"head (9-40) {RANGE}"),
        ("2", "heads (2) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
        ("2-1,", "heads (2-1,) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
        ("", "heads () must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
        ("2-x", "heads (2-x) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
        ("-1-2", "heads (-1-2) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."),
    ],
)
def test_heads_that_cannot_be_are_refused(command, tiny_folder, treebank, heads, words):
    done = command("ablate", tiny_folder("bert"), f"--heads={heads}", "--corpus", treebank)
    assert (done.code, done.out, done.err) == (2, "", f"inspector: {words}\n")


@pytest.mark.parametrize(
    "heads", ["2-1,0-3", ["2-1", "0-3"], [(2, 1), "0-3"], ((2, 1), (0, 3)), [[2, 1], [0, 3]]]
)
def test_heads_as_users_write_them_in_a_notebook(tiny_folder, treebank, heads):
    frame = inspector.ablate(str(tiny_folder("bert")), heads, treebank)
    assert sorted(set(frame["heads"])) == ["0-3", "2-1"]


@pytest.mark.parametrize("heads", ["2-1", (2, 1), [2, 1], ["2-1"]])
def test_one_head_is_one_head(heads):
    assert head_list(heads) == [(2, 1)]


def test_all_heads_in_a_notebook(tiny_folder, treebank):
    frame = inspector.ablate(str(tiny_folder("bert")), "all", treebank, together=True)
    assert set(frame["heads"].str.count(",")) == {11}


@each(
    ("heads", "shown"),
    [
        (8, "8"),
        (None, "None"),
        (b"2-8", "b'2-8'"),
        ([8], "8"),
        (["2-8", 3], "3"),
        ([(2, 8, 1)], "(2, 8, 1)"),
        ([(2.5, 8)], "(2.5, 8)"),
        ("2-8;3-1", "2-8;3-1"),
        ("9" * 5000, "9" * 80 + "…"),
        ("2-" + "9" * 7, "2-9999999"),
        ("²-8", "²-8"),
    ],
)
def test_what_is_no_head_in_a_notebook(heads, shown):
    with pytest.raises(InputError) as caught:
        head_list(heads)
    assert str(caught.value) == (
        f"heads ({shown}) must be LAYER-HEAD, separated by commas, such as 2-8,3-1; or all."
    )


def test_a_way_that_is_not_there_is_refused(command, tiny_folder, treebank):
    done = command("ablate", tiny_folder("bert"), "--heads", "0-0", "--how", "loudly")
    assert (done.code, done.err) == (
        2,
        "inspector: how (loudly) must be one of these. Available: zero, mean, uniform.\n",
    )


def test_a_file_that_exists_is_kept(command, tiny_folder, treebank, tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("mine")
    done = command("ablate", tiny_folder("bert"), "--heads", "0-0", "-o", target)
    assert done.code == 4
    assert "already exists" in done.err
    assert target.read_text() == "mine"
