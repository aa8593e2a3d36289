"""The dashboard run in this process (AppTest), and served by a process of its own."""

import os
import shutil
import sys

import pytest
import yaml
from filelock import FileLock
from support.browser.dashboard_driver import ROOT, start
from support.browser.serving import end, free_port, serve, wait_until_healthy
from support.planted.decoder import planted


@pytest.fixture
def open_page(monkeypatch, tmp_path):
    """Return a function: page → the dashboard after one run on it; no run was kept before.

    Nor has the package one: its own is looked at by tests/dashboard/test_default_run.py.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("inspector.dashboard.store.SHIPPED", tmp_path / "none")

    def open_one(page="overview", config=ROOT / "configs" / "minilm.yaml", **query):
        monkeypatch.setattr(sys, "argv", ["app.py", "--config", str(config)])
        return start(page, **query).run()

    return open_one


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """Return the folder of a random BERT of 2 layers × 4 heads with minilm's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    from inspector.models.loading.model_names import model_folder

    folder = tmp_path_factory.mktemp("small")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(model_folder("minilm") / name, folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        config = BertConfig(vocab_size=30522, intermediate_size=64, **settings)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def profiled(tmp_path_factory):
    """Return a settings file with a run over 40 sentences of the default corpus, random models too.

    It is what `inspector profile` leaves, but for its length. Read-only: where tests run in several
    processes, the first to ask makes it for all.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "profiled"
    config = folder / "profiled.yaml"
    with FileLock(folder.with_suffix(".lock")):
        folder.mkdir(exist_ok=True)
        if not config.exists():
            profile_forty(folder / "run")
            config.write_text(yaml.safe_dump({"run": str(folder / "run")}))
    return config


def profile_forty(folder):
    """Profile every fifth of 200 sentences."""
    from dataclasses import replace

    from inspector.corpora import default_corpus
    from inspector.models import load
    from inspector.runs import RunTarget
    from inspector.runs.profile.profile_corpus import profile_corpus
    from inspector.runs.profile.shard_worker import ProfileSettings

    whole = default_corpus()
    sentences = whole.sentences[60:260:5]
    few = replace(whole, name="forty", sentences=sentences, sha256="40" * 32)
    profile_corpus(load("minilm"), few, RunTarget(folder), settings=ProfileSettings(ablation=False))


@pytest.fixture(scope="session")
def only_verifiable(tmp_path_factory):
    """Return the folder of a tiny random deberta-v2, which `inspector.load` does not take."""
    from inspector.models.tiny_models import configuration

    folder = tmp_path_factory.mktemp("deberta")
    configuration("deberta-v2").build().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def decoder(tmp_path_factory):
    """Return the folders of a planted decoder and of its run on two probes."""
    import inspector

    root = tmp_path_factory.mktemp("decoder")
    model, run = planted(root / "model"), root / "run"
    corpus = inspector.probes(str(model), ["induction", "previous-token"], documents=26)
    inspector.profile(str(model), corpus, run, ablation=False)
    return model, run


@pytest.fixture(scope="session")
def server(tmp_path_factory, profiled, only_verifiable, small_model, decoder):
    """Return the address of the dashboard, served as `make run` serves it, hub out of reach.

    It has a run to show, and the same again, a second model that can only be verified, a third,
    small one, and a decoder with its run, `decoder`.
    """
    settings = yaml.safe_load(profiled.read_text())
    models = ["minilm", str(only_verifiable), str(small_model), str(decoder[0])]
    config = tmp_path_factory.mktemp("served") / "served.yaml"
    runs = tmp_path_factory.mktemp("served-runs")
    shutil.copytree(decoder[1], runs / "decoder")
    shutil.copytree(settings["run"], runs / "again")
    config.write_text(yaml.safe_dump({**settings, "models": models, "runs": str(runs)}))
    log = tmp_path_factory.mktemp("server") / "log.txt"
    port = free_port()
    process = serve(port, log, "--config", str(config))
    try:
        yield wait_until_healthy(process, port, log)
    finally:
        end(process)
    # A trouble that no page foresaw, or a warning, is found here whoever caused it.
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def reader(browser, server):
    """Give a reader before a screen; no test of the module left an error behind."""
    from support.browser.browser_reader import Reader

    context = browser.new_context(
        viewport={"width": 1440, "height": 1100},
        permissions=["clipboard-read", "clipboard-write"],
    )
    reader = Reader(context.new_page(), server)
    yield reader
    reader.check_clean()
    context.close()
