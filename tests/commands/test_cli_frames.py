"""The commands that compute one frame, and the one on corpora, as their user runs them."""

import json

import pandas as pd
import pytest

import inspector

TREE = """# sent_id = 1
# text = Dogs chase cats
1\tDogs\tdog\tNOUN\t_\t_\t2\tnsubj\t_\t_
2\tchase\tchase\tVERB\t_\t_\t0\troot\t_\t_
3\tcats\tcat\tNOUN\t_\t_\t2\tobj\t_\t_
"""


@pytest.mark.parametrize(
    ("name", "options", "function"),
    [
        ("importance", ("--corpus",), lambda m, c: inspector.head_importance(m, c, check=False)),
        ("robustness", ("--corpus",), inspector.robustness),
        ("composition", (), lambda m, c: inspector.composition(m)),
        ("rollout", ("--text", "Dogs chase cats"), lambda m, c: inspector.rollout(m, c)),
    ],
)
def test_a_frame_is_the_functions(command, tiny_folder, tmp_path, name, options, function):
    model, tree, output = tiny_folder("bert"), tmp_path / "tree.conllu", tmp_path / "frame.csv"
    tree.write_text(TREE, encoding="utf-8")
    given = (*options, tree) if options == ("--corpus",) else options
    corpus = "Dogs chase cats" if name == "rollout" else tree
    expected = function(str(model), corpus)

    result = command(name, model, *given, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert (document["model"], document["output"]) == (str(model), None)
    found = pd.DataFrame(document[name])
    assert list(found.columns) == list(expected.columns)
    numbers = [one for one in expected.select_dtypes("float") if expected[one].notna().all()]
    assert numbers
    for one in numbers:
        assert found[one].tolist() == pytest.approx(expected[one].tolist()), one

    assert command(name, model, *given, "-o", output).code == 0
    assert len(pd.read_csv(output)) == len(expected)
    again = command(name, model, *given, "-o", output)
    assert again.code == 4
    assert "exists" in again.err
    table = command(name, model, *given).out
    assert expected.columns[0] in table


def test_wrong_input_is_one_sentence(command, tiny_folder, tmp_path):
    for given, code, words in (
        (("importance", "absent"), 3, "model (absent)"),
        (("robustness", tiny_folder("bert"), "--corpus", "no such file"), 2, "no such file"),
        (("rollout", tiny_folder("bert"), "--text", "Go", "--residual", "2"), 2, "residual"),
        (("composition", tiny_folder("bert"), "-o", tmp_path / "x.doc"), 2, "x.doc"),
        (("ablate", "--heads", "0-0", "--corpus", "no such file"), 2, "must be a file that exists"),
        (("corpora", "delete"), 2, "action (delete) must be one of these. Available: list, fetch."),
        (("corpora", "fetch"), 2, "name must be given, to be fetched. Available: en_ewt-ud-dev"),
        (("corpora", "fetch", "nope"), 2, "corpus (nope) must be a file or a known name"),
        (("corpora", "list", "x"), 2, "name (x) must be left out: list shows all of them."),
    ):
        result = command(*given)
        assert (result.code, result.out) == (code, ""), given
        assert words in result.err
        assert len(result.err.strip().splitlines()) == 1


def test_corpora_are_listed(command):
    assert "en_ewt-ud-dev: UD English EWT" in command("corpora").out
    known = json.loads(command("corpora", "--json").out)["corpora"]
    assert {"name", "title", "url", "sha256", "bytes", "licence"} == set(known[0])


def test_the_version_and_the_short_help(command):
    assert command("--version").out == f"inspector {inspector.__version__}\n"
    assert "Usage:" in command("-h").out
    assert "Example:" in command("rollout", "-h").out


def test_the_shared_options_do_what_they_say(command, tiny_folder, tmp_path):
    model, tree = str(tiny_folder("bert")), tmp_path / "tree.conllu"
    tree.write_text(TREE.replace("nsubj", "nsubj:pass"), encoding="utf-8")
    done = command("rollout", model, "--text", "Dogs bark", "--dtype", "float64", "--json")
    exact = inspector.rollout(inspector.load(model, dtype="float64"), "Dogs bark")
    found = pd.DataFrame(json.loads(done.out)["rollout"])
    assert found["rollout"].tolist() == exact["rollout"].tolist()
    for labels, name in (("universal", "nsubj"), ("full", "nsubj:pass")):
        done = command("ablate", model, "--heads", "0-0", "--corpus", tree, "--labels", labels,
                       "--json")  # fmt: skip
        found = {row["relation"] for row in json.loads(done.out)["ablation"]}
        assert found - {"(all)"} == {name, "obj"}
