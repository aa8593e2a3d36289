"""The Data page: runs and their states, texts that are given, and what is refused of them."""

import io
import os
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
import yaml
from support.browser.dashboard_driver import texts as said_on
from support.browser.english import english_in
from support.each import each

from inspector.corpora import default_corpus, write_conllu
from inspector.dashboard import shared_corpora
from inspector.dashboard.runs import choice, texts, under_way
from inspector.dashboard.settings import Settings, Visit, read_arguments, with_arguments
from inspector.errors import InputError
from inspector.runs.background import processes
from inspector.runs.background.job import (
    Job,
    Status,
    folder_of,
    read_job,
    write_job,
    write_status,
)
from inspector.runs.background.shelf import Listed, look_at
from inspector.runs.run import Run
from inspector.words import sentences

THREE = write_conllu(default_corpus().sentences[:3]).encode()


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.conllu", "0" * 1000)
    return stream.getvalue()


@each(
    ("name", "data", "said"),
    [
        ("a.exe", b"MZ", "file (a.exe) must be CoNLL-U or plain text: save it as one."),
        ("a", b"text", "file (a) must be CoNLL-U or plain text"),
        ("a.txt", b"a" * 1_000_001, "(a.txt, 1.0 MB) must have at most 1 MB here: give a part"),
        ("a.txt", b"a cat. " * 9, "file (a.txt, 27 words) must have at most 20 words here"),
        ("a.conllu", zipped(), "corpus (a.conllu) is a zip archive: unpack it"),
        ("a.txt", b"\x1f\x8b\x08" + bytes(90), "corpus (a.txt) is gzip-compressed: unpack it"),
        ("a.txt", b"\x00\x01" * 90, "corpus (a.txt) is not UTF-8 text"),
        ("a.txt", b"caf\xe9 au lait.", "corpus (a.txt) is not UTF-8 at byte 3, line 1"),
        ("a.conllu", b"no table at all\n", "corpus (a.conllu) holds no sentence that can be read"),
        ("a.conllu", b"\n\n", "corpus (a.conllu) holds no sentence"),
        ("a.txt", b"", "corpus (a.txt) holds no sentence: give a file with text."),
        ("../../a.conllu", b"\n", "corpus (../../a.conllu) holds no sentence"),
        (f"{'n' * 300}.txt", b"", f"corpus ({'n' * 80}) holds no sentence"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(name, data, said):
    settings = Settings(most_upload_mb=1, most_words=20)
    with pytest.raises(InputError) as error:
        texts.read_given(data, name, settings)
    assert said in str(error.value)
    assert tempfile.gettempdir() not in str(error.value)
    if "that can be read" not in said and name != "a" * 300:
        assert sentences.said(str(error.value), "errors", "zh").endswith("。")


def test_a_text_is_read_and_known_by_what_it_holds():
    corpus = texts.read_given(THREE, "mine.conllu", Settings())
    assert len(corpus.sentences) == 3
    assert corpus.sha256 == texts.digest(THREE)
    assert texts.suffix_of(THREE.decode()) == ".conllu"
    with pytest.raises(InputError, match="half a character"):
        texts.encoded("a\ud800")


@pytest.fixture(scope="module")
def root(profiled, tmp_path_factory):
    """Return a folder with the run of forty sentences, whole and damaged, and one deeper in it."""
    root = tmp_path_factory.mktemp("runs")
    run = Path(yaml.safe_load(profiled.read_text())["run"])
    for name in ("whole", "broken", "a/deep"):
        shutil.copytree(run, root / name)
    (root / "broken" / "roles.parquet").write_bytes(b"PAR1")
    return root


@pytest.fixture
def config(root, tmp_path):
    """Return a settings file that names the folder."""
    path = tmp_path / "rooted.yaml"
    path.write_text(yaml.safe_dump({"runs": str(root)}))
    return path


def test_runs_are_listed_with_their_states_and_opened_by_the_address(open_page, config):
    app = open_page("data", config=config)
    assert not app.exception
    said = said_on(app)
    assert said.count("**forty** · minilm") == 3
    assert r"roles\.parquet\) cannot be read\, it was changed" in said
    assert app.sidebar.selectbox(key="run").options == [
        "Default profile", "a/deep · forty", "whole · forty",
    ]  # fmt: skip
    app = open_page("specialization", config=config, run="whole")
    assert not app.error
    assert "claims are supported" in said_on(app)
    app = open_page("data", config=config, run="a/deep", lang="zh")
    assert "正在显示" in said_on(app)
    app = open_page("data", config=config, run="../../etc")
    assert any("run" in one.value and "cannot be chosen" in one.value for one in app.warning)


def changed(name, change):
    def apply(run):
        file = run / name
        file.write_bytes(change(file.read_bytes()))

    return apply


def piped(run):
    (run / "manifest.json").unlink()
    os.mkfifo(run / "manifest.json")


@each(
    ("damage", "said"),
    [
        (changed("manifest.json", lambda old: b"{"), "清单（.*）不是 JSON，"),
        (changed("manifest.json", lambda old: b"{}"), "不是 inspector 分析的清单"),
        (
            changed("manifest.json", lambda old: old.replace(b'"schema": 4', b'"schema": 3')),
            "格式版本为 3，而这个 inspector 读取版本 4",
        ),
        (changed("manifest.json", lambda old: old + b"\n"), "清单（.*）写出后被改动"),
        (changed("result.json", lambda old: b"{"), "结果（.*）已损坏（不是 JSON）"),
        (changed("result.json", lambda old: old + b"\n"), "已损坏（校验和不符）"),
        (changed("roles.parquet", lambda old: b"PAR1"), "无法读取（分析完成后被改动）"),
        (lambda run: (run / "roles.parquet").unlink(), "无法读取（文件不存在）"),
        (piped, "无法使用（它是管道，不是普通文件）"),
    ],
)
def test_a_damaged_run_says_so_in_the_page_s_language(root, tmp_path, damage, said):
    run = tmp_path / "run"
    shutil.copytree(root / "whole", run)
    damage(run)
    found = look_at(run, "run")
    assert found.state == "damaged"
    in_chinese = sentences.said(found.sentence, "errors", "zh")
    assert re.search(said, in_chinese)
    assert english_in([in_chinese], []) == []


def test_a_stopped_run_says_how_far_it_came(open_page, tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "r")}))
    folder = write_job(tmp_path / "r", Job("minilm", "mine.conllu"))
    write_status(folder, Status("running", "Shards 1 of 4", 0.25))  # its process was killed
    app = open_page("data", config=config)
    assert "It was stopped at 25 %. What was finished is kept." in said_on(app)
    # Gone on with, it has to begin first: 0 % would say that all is lost.
    begun = Listed("", Path(), "running", "", "", status=Status())
    assert under_way.progress(begun, "en") == "Starting …"


def test_a_run_that_is_damaged_while_it_is_shown_is_told(open_page, root, tmp_path):
    """Else another run's figures would stand there without a word."""
    shutil.copytree(root / "whole", tmp_path / "runs" / "mine")
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "runs")}))
    app = open_page("data", config=config, run="mine")
    assert not app.warning
    (tmp_path / "runs" / "mine" / "roles.parquet").unlink()
    app = app.run()
    (told,) = [one.value for one in app.warning]
    assert "run = mine" in told.replace("\\", "")
    assert "default is shown" in told
    assert not app.run().warning  # it is told once


def test_a_run_that_the_command_names_is_shown_at_first(root):
    given = ["--run", str(root / "whole"), "--model", "minilm", "--corpus", "x.txt", "--runs", "r"]
    given += ["--annotate", "y.tsv"]
    settings = with_arguments(Settings(), read_arguments(given))
    assert settings.annotations == ["y.tsv"]
    assert (settings.opened, settings.corpora) == ([str(root / "whole")], ["x.txt"])
    runs = choice.openable(settings, "minilm")
    assert choice.first(runs, settings) == "whole"
    assert choice.first({}, settings) == choice.DEFAULT
    # Of another model that can be chosen it is no run; of one by another name it may be.
    two = settings.model_copy(update={"models": ["minilm", "other"]})
    assert choice.openable(two, "other") == {}
    other = settings.model_copy(update={"models": ["other"]})
    assert list(choice.openable(other, "other")) == ["whole"]


def test_a_known_corpus_is_profiled_in_a_process(open_page, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(processes, "start", lambda folder, most: started.append((folder, most)))
    file = tmp_path / "three.conllu"
    file.write_bytes(THREE)
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "r"), "corpora": [str(file)]}))
    app = open_page("data", config=config, given="known", corpus="0")
    app.toggle(key="start-ablation").set_value(False)
    app.toggle(key="start-windows").set_value(True)
    app.button(key="begin").click().run()
    assert not app.exception
    ((folder, most),) = started
    job = read_job(folder)
    assert folder == folder_of(tmp_path / "r", job.name)
    assert (job.model, job.corpus, most) == ("minilm", (str(file),), 2)
    assert (job.settings["ablation"], job.settings["long"]) == (False, "windows")
    # It was not really begun: what is stopped can be gone on with, until it is no longer offered.
    assert app.button(key="resume-0").label == "Resume"
    app.button(key="resume-0").click().run()
    assert len(started) == 2
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "r")}))
    app = open_page("data", config=config)
    app.button(key="resume-0").click().run()
    assert "no longer offered" in app.error[0].value
    assert len(started) == 2


def test_a_pasted_text_is_kept_for_its_session_and_shown_to_it_alone(
    open_page, tmp_path, monkeypatch
):
    monkeypatch.setattr(processes, "start", lambda folder, most: None)
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "r")}))
    app = open_page("data", config=config, given="paste")
    assert app.button(key="begin").disabled
    app.text_area(key="start-text").set_value("A secret cat sat here. It slept.").run()
    assert "2 sentences" in said_on(app)
    app.button(key="begin").click().run()
    (folder,) = (tmp_path / "r" / ".jobs").iterdir()
    job = read_job(folder)
    assert (folder / job.text).read_text() == "A secret cat sat here. It slept."
    assert "secret" not in folder.name + job.called
    assert app.session_state["_own_texts"] == {job.text_sha256: str(folder / job.text)}
    other = open_page("data", config=config)
    assert "secret" not in said_on(other)
    assert "_own_texts" not in other.session_state


def test_sentences_of_a_run_come_from_a_text_of_this_session_only(root, tmp_path, monkeypatch):
    from dataclasses import replace

    run = Run.open(root / "whole")
    path = tmp_path / "mine.conllu"
    path.write_bytes(THREE)
    given = replace(run, manifest=replace(run.manifest, corpus_sha256=texts.digest(THREE)))
    visit = Visit(Settings(), "en", "minilm", root / "whole")
    assert shared_corpora.corpus_of(given, visit).name == "default"
    monkeypatch.setattr(shared_corpora, "own_text", {texts.digest(THREE): str(path)}.get)
    assert len(shared_corpora.corpus_of(given, visit).sentences) == 3


def test_no_run_can_be_started_where_the_settings_allow_none(open_page, tmp_path):
    config = tmp_path / "none.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path / "r"), "most_runs": 0}))
    app = open_page("data", config=config)
    assert "allow no runs to be started" in said_on(app)
    assert "begin" not in [button.key for button in app.button]


@each(
    ("arguments", "code", "said"),
    [
        (["nowhere"], 4, "run (nowhere) does not exist: give the folder of a run."),
        (["--model", "nowhere/at/all"], 3, "model (nowhere/at/all) is neither a folder"),
        (["--model", "{tmp}"], 3, "must be a folder of a model, with config.json"),
        (["--corpus", "no.conllu"], 4, "corpus (no.conllu) cannot be read"),
        (["--corpus", "{tmp}"], 2, "is a folder: give its files"),
        (["--annotate", "no.tsv"], 4, "annotation (no.tsv) cannot be read"),
        (["--runs", "no/such/root"], 4, "runs (no/such/root) must be a folder that can be written"),
    ],
)
def test_what_the_command_cannot_use_is_said_before_the_server_starts(
    request, tmp_path, monkeypatch, arguments, code, said
):
    """With the exit code that other commands have for it."""
    monkeypatch.chdir(tmp_path)
    served = "inspector.commands.dashboard._serve"
    monkeypatch.setattr(served, lambda words: sys.exit("it was started"))
    given = [one.format(tmp=tmp_path) for one in arguments]
    done = request.getfixturevalue("command")("dashboard", "--port", 8399, *given)
    assert done.code == code
    assert said in done.err
    assert done.err.count("\n") == 1
