"""`inspector profile`: what it writes, what it says, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pandas as pd
import pytest
from support.each import each
from support.processes.interrupting import start_interruptible

FRAMES = ("behaviour", "relations", "claims", "roles", "power", "kinds", "totals", "skipped")
FIELDS = "{}\t{}\t_\t{}\t_\t_\t{}\t{}\t_\t_"
TREE = "\n".join(
    [
        "# sent_id = {0}-{1}",
        FIELDS.format(1, "The", "DET", 2, "det"),
        FIELDS.format(2, "dog", "NOUN", 3, "nsubj"),
        FIELDS.format(3, "had", "VERB", 0, "root"),
        FIELDS.format(4, "rain", "NOUN", 3, "obj"),
        FIELDS.format(5, ".", "PUNCT", 3, "punct"),
    ]
)


def treebank(path, documents=4, sentences=3):
    parts = []
    for document in range(documents):
        parts.append(f"# newdoc id = d{document}\n" + TREE.format(document, 0))
        parts += [TREE.format(document, number) for number in range(1, sentences)]
    path.write_text("\n\n".join(parts) + "\n\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return treebank(tmp_path_factory.mktemp("corpus") / "trees.conllu")


@pytest.fixture
def profile(command, tiny_folder, corpus):
    """Return a function: output and options → what the command did on the small corpus."""

    def run(output, *options, corpus=corpus):
        given = () if corpus is None else ("--corpus", corpus)
        return command("profile", tiny_folder(), *given, "-o", output, *options)

    return run


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_writes_a_run(profile, tmp_path):
    done = profile(tmp_path / "run")
    assert done.code == 0, done.err
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"manifest.json", *(f"{name}.parquet" for name in FRAMES)} <= written
    assert "12 sentences, 60 words" in done.out
    assert done.out.endswith(f"All frames: {tmp_path / 'run'}\n")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["corpus"].startswith("trees")
    relations = pd.read_parquet(tmp_path / "run" / "relations.parquet")
    assert set(relations["relation"]) == {"det", "nsubj", "obj"}
    assert set(relations["n"]) == {12}


def test_json_is_one_document_and_nothing_else(profile, tmp_path):
    done = profile(tmp_path / "run", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document.keys() == {"output", "manifest", "claims", "roles", "totals"}
    assert document["output"] == str(tmp_path / "run")
    assert len(document["manifest"]) == 64
    assert len(document["claims"]) == 3 * 3
    assert {"what": "sentences", "count": 12} in document["totals"]
    assert "NaN" not in done.out


def test_two_runs_write_the_same_bytes(profile, tmp_path):
    assert profile(tmp_path / "one").code == profile(tmp_path / "two", "--json").code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_run_that_stands_there_is_kept_unless_told_otherwise(profile, tmp_path):
    folder = tmp_path / "run"
    assert profile(folder).code == 0
    before = contents(folder)
    again = profile(folder)
    assert (again.code, again.out) == (4, "")
    assert again.err.endswith(
        f"inspector: run ({folder}) is complete already: choose another folder, "
        "or have it computed anew (force=True, --force on the command line).\n"
    )
    assert profile(folder, "--resume").code == 0
    assert contents(folder) == before
    other = profile(folder, "--resume", "--labels", "full")
    assert other.code == 2
    assert "settings labels: 'universal' ≠ 'full'" in other.err
    assert contents(folder) == before
    both = profile(folder, "--resume", "--force")
    assert both.code == 2
    assert "resume and force are both given" in both.err
    assert profile(folder, "--force", "--labels", "full").code == 0
    assert contents(folder) != before


def test_a_folder_of_other_files_is_left_alone(profile, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    done = profile(tmp_path / "mine", "--force")
    assert done.code == 4
    assert "has files of its own and is not a run" in done.err
    assert contents(tmp_path / "mine") == {"letter.txt": b"dear"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("absent.conllu", None, "cannot be read (No such file or directory): check the name"),
        ("absent", None, "must be a file that exists, or a known name. Available: "),
        ("empty.conllu", "", "no sentence"),
        ("empty.txt", "", "holds no sentence: give a file with text"),
        ("trees.csv", "a,b", "has the suffix '.csv', which cannot be read"),
    ],
)
def test_a_corpus_that_cannot_be_used(profile, tmp_path, name, text, words):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    done = profile(tmp_path / "run", corpus=path)
    assert done.code in (2, 4)
    assert done.out == ""
    assert done.err.count("inspector: ") == 1
    assert str(path) in done.err
    assert words in done.err
    assert not (tmp_path / "run").exists()


def malformed(tmp_path):
    path = treebank(tmp_path / "bad.conllu")
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(i for i, line in enumerate(lines) if line.startswith("4\train"))
    lines[number] = lines[number].replace("\t3\tobj", "\t9\tobj")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path, number + 1


def test_a_malformed_sentence_is_left_out_and_said(profile, tmp_path):
    path, number = malformed(tmp_path)
    done = profile(tmp_path / "run", corpus=path)
    assert done.code == 0, done.err
    assert "left out: 1 sentences skipped as malformed" in done.out
    skipped = pd.read_parquet(tmp_path / "run" / "skipped.parquet")
    assert skipped["line"].tolist() == [number]
    assert set(pd.read_parquet(tmp_path / "run" / "relations.parquet")["n"]) == {11}


def test_strict_stops_at_a_malformed_sentence(profile, tmp_path):
    path, number = malformed(tmp_path)
    done = profile(tmp_path / "run", "--strict", corpus=path)
    assert (done.code, done.out) == (2, "")
    assert str(path) in done.err
    assert f"line {number}" in done.err or f":{number}" in done.err
    assert "9" in done.err
    assert not (tmp_path / "run").exists()


@each(
    ("options", "words"),
    [
        (["--engine", "cloud"], "engine (cloud) must be one of these. Available: local, ray."),
        (
            ["--ablation-sentences", "0"],
            "ablation-sentences (0) must be at least 1: --no-ablation asks for none.",
        ),
        (
            ["--no-ablation", "--ablation-sentences", "9"],
            "ablation-sentences (9) and --no-ablation are both given, and only one can be: ",
        ),
        (["--workers", "-1"], "workers (-1) must be at least 1: 1 computes in this process."),
        (["--workers", "0"], "workers (0) must be at least 1: 1 computes in this process."),
        (["--workers", "many"], "'--workers': Input should be a valid integer"),
        (["--labels", "short"], "'short' is not one of"),
        (["--device", "nowhere"], "nowhere"),
        (["--parse"], "parse is for plain text"),
    ],
)
def test_an_option_that_cannot_be(profile, tmp_path, options, words):
    done = profile(tmp_path / "run", *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "run").exists()


def test_ray_that_is_not_installed(profile, tmp_path, monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("inspector.runs.engines.engine.version", version)
    done = profile(tmp_path / "run", "--engine", "ray")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(
        "inspector: engine (ray) needs ray 2.60 or newer, and none is installed: install "
        "inspector's extra 'ray' (pip install 'attention-inspector[ray]'), or choose another. "
        "Available: local.\n"
    )
    assert not (tmp_path / "run").exists()


def test_plain_text_has_behaviour_alone(profile, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("The dog had rain.\n\nThat old town could not.\n", encoding="utf-8")
    done = profile(tmp_path / "run", corpus=path)
    assert done.code == 0, done.err
    assert "0 of 0 claims supported" in done.out
    assert "Supported claims" not in done.out
    assert len(pd.read_parquet(tmp_path / "run" / "behaviour.parquet")) == 12
    assert pd.read_parquet(tmp_path / "run" / "relations.parquet").empty


def test_a_corpus_of_which_every_sentence_is_too_long_ends_with_2(profile, tmp_path, tiny_folder):
    row = FIELDS.format("{0}", "antidisestablishmentarianism", "NOUN", "{1}", "{2}")
    words = [row.format(i, i - 1, "obj" if i > 1 else "root") for i in range(1, 40)]
    path = tmp_path / "long.conllu"
    path.write_text("\n\n".join(["\n".join(words)] * 3) + "\n\n", encoding="utf-8")
    done = profile(tmp_path / "run", "--no-cause", corpus=path)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(
        f"inspector: corpus (long) has nothing that {tiny_folder()} can read: 3 of 3 sentences "
        "have more tokens than the model takes (96). A profile reads them in windows where long is "
        "'windows'. Give a corpus of shorter sentences, or a model that takes these.\n"
    )
    assert not (tmp_path / "run").exists()
    done = profile(tmp_path / "run", "--no-cause", "--long", "windows", corpus=path)
    assert done.code == 0, done.err
    read = r"is longer than .* takes \(96\): it is read in \d+ windows that overlap by half"
    assert len(re.findall(read, done.err)) == 3
    done = profile(tmp_path / "other", "--long", "cut", corpus=path)
    assert (done.code, done.out) == (2, "")
    assert "'cut'" in done.err
    assert "'skip', 'windows'" in done.err


def test_a_linked_folder_of_shards_is_not_written_through(profile, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "shards").symlink_to(tmp_path / "elsewhere")
    for options in ([], ["--resume"], ["--force"]):
        done = profile(tmp_path / "run", *options)
        assert (done.code, done.out) == (4, "")
        assert done.err.endswith(
            f"inspector: shards ({tmp_path / 'run' / 'shards'}) is a symbolic link, which is never "
            "written through: delete the link, or choose another folder.\n"
        )
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_help_has_an_example(command):
    done = command("profile", "--help")
    assert done.code == 0
    assert "Example: inspector profile --corpus treebank.conllu -o run" in done.out


@pytest.mark.process
def test_interrupted_it_says_how_to_go_on(profile, tiny_folder, tmp_path):
    """A real process, Ctrl-C: what was finished is kept, and gives the undisturbed run's bytes."""
    path = treebank(tmp_path / "many.conllu", documents=150, sentences=4)
    folder = tmp_path / "run"
    process = start_interruptible(
        [
            *(sys.executable, str(Path(sys.executable).with_name("inspector")), "profile"),
            *(str(tiny_folder()), "--corpus", str(path), "-o", str(folder)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 120
        while not list(folder.glob("shards/*.safetensors")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, "")
    assert err.endswith(
        f"inspector: interrupted: what was finished is kept in {folder}; go on with --resume.\n"
    )
    assert not (folder / "claims.parquet").exists()
    refused = profile(folder, corpus=path)
    assert refused.code == 4
    assert "was begun and is not complete: go on with it" in refused.err
    assert profile(folder, "--resume", corpus=path).code == 0
    assert profile(tmp_path / "other", corpus=path).code == 0
    assert contents(folder) == contents(tmp_path / "other")


def test_more_sentences_are_read_without_each_head_where_asked(profile, tmp_path):
    settings = {}
    for number in (2, 4):
        done = profile(tmp_path / str(number), "--ablation-sentences", number)
        assert done.code == 0, done.err
        manifest = json.loads((tmp_path / str(number) / "manifest.json").read_text())
        settings[number] = manifest["settings"]
    asked = {n: (one["ablation_sentences"], one["ablation_windows"]) for n, one in settings.items()}
    assert asked == {2: (2, 1), 4: (4, 1)}
