"""`inspector check` and `profile --replicate`, as a user gives them: one tiny model, small text."""

import json

import pandas as pd
import pytest
from support.each import each
from support.tiny.decoders import save_tiny_decoder

import inspector
from inspector.console import print_run
from inspector.corpora import read_conllu
from inspector.corpora.default import sample_files
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.heads.specialization.named_heads import named_heads

pytestmark = pytest.mark.usefixtures("one_thread")
NOT_HOLDING, BAD_INPUT, BAD_MODEL, BAD_FILE = 1, 2, 3, 4


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return the paths of two corpora of ten documents, one of two, one without obj."""
    folder = tmp_path_factory.mktemp("texts")
    files = [path.read_text(encoding="utf-8") for path in sample_files()]
    without = "\n".join(
        line.replace("\tobj\t", "\tobl\t") for line in "".join(files[10:]).split("\n")
    )
    parts = {
        "one": "".join(files[:10]),
        "other": "".join(files[10:]),
        "few": "".join(files[:2]),
        "without": without,
    }
    for name, text in parts.items():
        (folder / f"{name}.conllu").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.conllu" for name in parts}


def test_three_directions_of_one_claim_as_json(command, tiny_folder, texts, tmp_path):
    out = tmp_path / "rows.parquet"
    done = command(
        *("check", f"{tiny_folder('bert')} 1-0 det", "--corpus", texts["one"]),
        *("--json", "-o", out, "--replicate", texts["other"]),
    )
    assert (done.code, done.err) == (NOT_HOLDING, "")
    document = json.loads(done.out)
    assert list(document) == ["claims"]
    assert [row["direction"] for row in document["claims"]] == [
        *("dependent_to_head", "head_to_dependent", "attended_by_head"),
    ]
    for row in document["claims"]:
        assert (row["layer"], row["head"], row["relation"]) == (1, 0, "det")
        assert row["verdict"] != "supported"  # of random weights nothing is
        assert {one["kept"] for one in row["replication"]} == {"not asked"}
    frame = pd.read_parquet(out)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == dtypes("checks")
    assert frame["verdict"].tolist() == [row["verdict"] for row in document["claims"]]


def test_a_page_says_each_rung_and_what_holds(command, tiny_folder, texts):
    folder = tiny_folder("bert")
    done = command(
        *("check", f"{folder} 1-0 nsubj from the verb", f"{folder} 0-1 attends to the next token"),
        *("--corpus", texts["one"]),
    )
    assert (done.code, done.err) == (NOT_HOLDING, "")
    for words in (
        f"1. head 1-0 of {folder} follows nsubj: does not hold.",
        "head_to_dependent: ",
        "fixed offset ",
        "random weights ",
        "where rule and annotation differ ",
        "20 other splits: holds in ",
        "looks at: next token: does not hold.",
        "0 of 2 claims hold.",
    ):
        assert words in done.out


def test_a_relation_that_the_text_lacks_is_not_asked(command, tiny_folder, texts):
    claim = f"{tiny_folder('bert')} 1-0 obj"
    done = command("check", claim, "--corpus", texts["without"], "--json")
    (row,) = json.loads(done.out)["claims"]
    assert (done.code, row["verdict"]) == (NOT_HOLDING, "not asked")
    assert row["reason"] == "without has no pair of obj"


LATER = {
    "attends to the next token": "next token",
    "attends to the token after the next": "offset:+2",
    "attends to the nearest verb to the right": "word-class:VERB:right",
    "attends to the last word of the sentence": "position:last",
}
SEEN = ("attends to the previous token", "attends to the nearest verb", "attends to the word 'the'")
PAST_WINDOW = ("attends to offset:-4", "attends to offset:-3")


def test_what_a_mask_hides_is_not_asked(command, tiny_folder, texts, tmp_path):
    """Of a decoder nothing that comes later, with a window nothing beyond it; of BERT all of it."""
    folders = {name: save_tiny_decoder(tmp_path / name, name) for name in ("gpt2", "mistral")}
    folders["bert"] = tiny_folder("bert")
    found = {}
    for name, folder in folders.items():
        said = (*LATER, *SEEN, *PAST_WINDOW)
        claims = [f"{folder} 0-1 {one}" for one in said]
        done = command("check", *claims, "--corpus", texts["one"], "--json")
        assert (done.code, done.err) == (NOT_HOLDING, "")
        rows = json.loads(done.out)["claims"]
        found[name] = {one for one, row in zip(said, rows, strict=True) if row["reason"]}
        for one, row in zip(said, rows, strict=True):
            assert (row["verdict"] == "not asked") == (one in found[name])
            if one in LATER and row["reason"]:
                reason = f"the mask of {folder} lets no head look there: {LATER[one]}"
                assert (row["reason"], row["n"]) == (reason, 0)
    assert found == {"gpt2": {*LATER}, "mistral": {*LATER, PAST_WINDOW[0]}, "bert": set()}


def test_a_direction_that_a_mask_hides_is_not_asked_nor_corrected_for(
    command, tiny_folder, texts, tmp_path, monkeypatch
):
    questions = []

    def asked_of(named, *rest):
        questions.append([one.directions for one in named])
        return named_heads(named, *rest)

    monkeypatch.setattr("inspector.runs.check.check_claims.named_heads", asked_of)
    folder = save_tiny_decoder(tmp_path / "gpt2", "gpt2")
    pairs = [
        one
        for sentence in read_conllu(texts["one"]).sentences
        for one in sentence.relations
        if one.label == "cc"
    ]
    assert pairs
    assert all(one.source < one.target for one in pairs), "a conjunction comes before its conjunct"
    only = f"{folder} 0-1 cc dep->head"
    done = command("check", f"{folder} 0-1 cc", only, "--corpus", texts["one"], "--json")
    assert done.code == NOT_HOLDING
    rows = json.loads(done.out)["claims"]
    hidden = [row for row in rows if row["verdict"] == "not asked"]
    assert [(row["claim"], row["direction"]) for row in hidden] == [
        (1, "dependent_to_head"), (2, "dependent_to_head"),
    ]  # fmt: skip
    for row in hidden:
        assert row["reason"] == (
            f"the mask of {folder} hides the right word of every pair: cc, dependent_to_head"
        )
    asked = [row for row in rows if row not in hidden]
    assert {row["direction"] for row in asked} == {"head_to_dependent", "attended_by_head"}
    assert questions == [[("head_to_dependent", "attended_by_head")]], "corrected for two"
    page = command("check", only, "--corpus", texts["one"]).out
    assert "dependent_to_head: not asked\n" in page
    assert "not asked: the mask of " in page
    bert = command("check", f"{tiny_folder('bert')} 0-1 cc", "--corpus", texts["one"], "--json")
    assert "not asked" not in {row["verdict"] for row in json.loads(bert.out)["claims"]}


def test_further_annotation_labels_and_dtype(command, tiny_folder, texts, tmp_path, monkeypatch):
    class Asked(InputError):
        """Stands for the pass over the corpus, which others test."""

    def ask(claims, model, corpus, others, *, settings, progress):
        labels = {one.label for sentence in corpus for one in sentence.relations}
        raise Asked(f"{model.dtype} {settings.batch_tokens} {settings.seed} {sorted(labels)}.")

    monkeypatch.setattr("inspector.runs.check.checking.check_claims", ask)
    own, short = tmp_path / "own.tsv", tmp_path / "short.conllu"
    documents = texts["one"].read_text(encoding="utf-8").split("# newdoc")[1:7]
    parts = ["# newdoc" + "\n\n".join(one.split("\n\n")[:3]) for one in documents]
    short.write_text("\n\n".join(parts) + "\n\n", encoding="utf-8")
    pairs = [f"{one.id}\t2\t1\tbefore" for one in read_conllu(short) if len(one.words) > 2]
    own.write_text("\n".join(["sent_id\tfrom\tto\tlabel", *pairs]) + "\n", encoding="utf-8")
    claim = ("check", f"{tiny_folder('bert')} 1-0 user:before", "--corpus", short)
    done = command(*claim)
    assert "float32 1300 0 [" in done.err
    assert not {"user:before", "acl:relcl"} & set(done.err.split("'"))
    options = ("--annotate", own, "--labels", "full", "--dtype", "float64", "--seed", 2)
    done = command(*claim, *options, "--batch-tokens", 200)
    assert "float64 200 2 [" in done.err
    assert {"user:before", "acl:relcl"} < set(done.err.split("'"))


def test_published_claims_say_that_they_need_a_hub(command, texts, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = command("check", "clark-2019", "--corpus", texts["one"], "--json")
    rows = json.loads(done.out)["claims"]
    assert (done.code, done.err, len(rows)) == (NOT_HOLDING, "", 19)
    for row in rows:
        assert row["verdict"] == "not asked"
        assert row["reason"].startswith(
            "bert-base-uncased is not here, and needs a hub or a folder (--model): "
        )
        assert "Clark et al. (2019)" in row["source"]


def test_published_claims_are_asked_of_another_model(command, tiny_folder, texts):
    arguments = ("--model", tiny_folder("bert"), "--corpus", texts["one"])
    done = command("check", "htut-2019", *arguments)
    assert (done.code, done.err) == (NOT_HOLDING, "")
    assert "0 of 4 claims hold." in done.out
    done = command("check", "clark-2019", *arguments)
    assert (done.code, done.out) == (BAD_INPUT, "")
    assert done.err.startswith("inspector: clark-2019.yaml, line ")
    assert "Available: layers 1 to 3, heads 1 to 4." in done.err


REFUSED = {
    "a head that is not there": (
        ["{model} 9-0 det"], BAD_INPUT, "layer (9) must be one of ", "Available: layers 0 to 2, "
    ),
    "a relation that nobody knows": (
        ["{model} 0-0 foo:bar"], BAD_INPUT, "relation (foo:bar) must be one that one has", "acl, "
    ),
    "a model that is not there": (
        ["no-such-folder/x 0-0 det"], BAD_MODEL, "", "no-such-folder/x"
    ),
    "no claim": (["det"], BAD_INPUT, "claim (det) must name a head", "published ones: clark-2019"),
    "one claim without its quotes": (
        ["minilm", "2-8"], BAD_INPUT, "claim (minilm 2-8) must say what the head does.", "det",
    ),
    "no file": (["nothing.yaml"], BAD_FILE, "claims file (nothing.yaml) cannot be read: ", "file"),
    "few documents": (
        ["{model} 0-0 det", "--corpus", "{few}"],
        BAD_INPUT, "corpus (few) has 2 documents and must have at least 5: ", "# newdoc id",
    ),
    "few documents elsewhere": (
        ["{model} 0-0 det", "--replicate", "{few}"],
        BAD_INPUT, "replicate (few) has 2 documents and must have at least 5: ", "# newdoc id",
    ),
}  # fmt: skip


@each(("arguments", "code", "start", "also"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_one_sentence(
    command, tiny_folder, texts, tmp_path, monkeypatch, arguments, code, start, also
):
    monkeypatch.chdir(tmp_path)
    named = {"model": tiny_folder("bert"), "few": texts["few"]}
    given = [one.format(**named) for one in arguments]
    if "--corpus" not in given:
        given += ["--corpus", str(texts["one"])]
    done = command("check", *given)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"inspector: {start}")
    assert also in done.err
    assert done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_line_of_a_claims_file_is_named(command, tiny_folder, texts, tmp_path):
    path = tmp_path / "mine.yaml"
    rows = "- 0-0 det\n- {layer: 0, head: 77, relation: det}\n"
    path.write_text(f"model: {tiny_folder('bert')}\nclaims:\n{rows}", encoding="utf-8")
    done = command("check", path, "--corpus", texts["one"])
    assert (done.code, done.out) == (BAD_INPUT, "")
    assert done.err.startswith("inspector: mine.yaml, line 4: head (77) must be one of ")


def test_a_run_is_replicated_by_the_command_and_by_the_function(
    command, tiny_folder, texts, tmp_path, capsys
):
    few = ("--corpus", texts["one"], "--no-ablation", "-o")
    done = command(
        "profile", tiny_folder("bert"), *few, tmp_path / "no", "--replicate", texts["few"]
    )
    assert (done.code, done.out) == (BAD_INPUT, "")
    assert not (tmp_path / "no").exists()
    done = command(
        *("profile", tiny_folder("bert"), *few, tmp_path / "run"),
        *("--replicate", texts["other"], "--replicate", texts["without"]),
    )
    assert (done.code, done.err) == (0, "")
    assert "On other: 0 supported claims kept, 0 not, 0 unclear." in done.out
    run = inspector.open_run(tmp_path / "run")
    frame = run.frames["replication"]
    assert len(frame) == 2 * len(run.claims)
    assert frame["other_corpus"].unique().tolist() == ["other", "without"]
    assert run.claims["replicates"].isna().all()
    assert run.power["stability"].between(0, 1).all()
    again = inspector.replicate(run, [texts["other"], texts["without"]])
    pd.testing.assert_frame_equal(again, frame)
    with pytest.raises(inspector.errors.InputError, match=r"model \(minilm\) has other files"):
        inspector.replicate(tmp_path / "run", texts["other"], model="minilm")
    run.frames["claims"]["verdict"] = "supported"
    print_run(run, tmp_path)
    n = len(run.claims)
    said = f"On without: 0 supported claims kept, 0 not, 0 unclear, {n} not asked (the claim is "
    assert said in capsys.readouterr().out
