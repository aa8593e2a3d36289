"""The Verification page of any model: those that no other page can read, and what they may hold."""

import html
import shutil
from dataclasses import replace

import pytest
import torch
import yaml
from support.browser.dashboard_driver import PAGES, texts, turn_to

from inspector import words
from inspector.dashboard import store
from inspector.errors import ModelError
from inspector.models import load
from inspector.models.any_model.any_model import AnyModel
from inspector.models.tiny_models import configuration
from inspector.verification.calls.verify_calls import verify_any

PROFILING = ("weights", "specialization", "head", "ablation", "attention", "concepts")
NAMES = ("deberta-v2", "bloom", "vit", "t5", "yoso")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a function: configuration → the folder of such a network, saved once."""
    made = {}

    def save(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("any") / name
            configuration(name).build().save_pretrained(made[name])
        return made[name]

    return save


@pytest.fixture
def opened(open_page, tmp_path):
    """Return a function: page, models → the dashboard on that page with these models to choose."""

    def open_one(page, *models, **query):
        config = tmp_path / "any.yaml"
        config.write_text(yaml.safe_dump({"models": [str(model) for model in models]}))
        return open_page(page, config=config, **query)

    return open_one


def said_by(app):
    """Return the page's text as a reader sees it."""
    return html.unescape(texts(app).replace("\\", ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_is_only_verifiable_has_its_report(opened, saved, name):
    app = opened("verification", saved(name))
    assert not app.exception
    report = verify_any(AnyModel.of(configuration(name).build()))
    said = said_by(app)
    assert words.of("verification", "en")[f"route_{report.route}"] in said
    projected = words.of("verification", "en")["projections"] in said
    assert projected == ("query" in set(report.frame["stage"]))
    if report.passed:
        total = report.coverage["total"]
        assert f"All {total} attention modules agree" in app.success[0].value
        assert not app.error
    else:
        assert "did not pass" in app.error[0].value
        assert report.reason in said
    assert all(f"<td>{module}</td>" in said for module in report.frame["module"])
    assert all(module in said for module in report.coverage["not_reached"])
    assert all(control["mutation"] in said for control in report.controls)
    assert len(app.get("vega_lite_chart")) == (len(report.frame) > 0)
    headings = {heading.value for heading in app.header}
    assert "Coverage" in headings
    assert not {"The whole model", "How far the library differs from itself"} & headings


def test_modules_whose_weights_are_not_known_are_named_with_the_reason(opened, saved, monkeypatch):
    report = store._report(str(saved("deberta-v2")))
    first, *others = dict.fromkeys(report.frame["module"])
    told = replace(report, not_from_weights={first: "no <b>weights</b>"})
    monkeypatch.setattr(store, "_report", lambda name: told)
    app = opened("verification", saved("deberta-v2"))
    assert others
    assert f"<td>{first}</td><td>no &lt;b&gt;weights&lt;/b&gt;</td>" in texts(app)
    assert "Of 1 of them query, key, value and output are not judged" in said_by(app)
    # Control: where all weights are known nothing is said of it.
    known = replace(report, not_from_weights={})
    monkeypatch.setattr(store, "_report", lambda name: known)
    assert "are not judged" not in said_by(opened("verification", saved("deberta-v2")))


@pytest.fixture
def unverified(saved, monkeypatch):
    """Return the folder of a model of which no attention call was reached, and its report."""
    report = store._report(str(saved("deberta-v2")))
    modules = sorted(set(report.frame["module"]))
    nothing = replace(
        report,
        frame=report.frame[:0],
        cases=report.cases[:0],
        controls=[],
        coverage={"reached": 0, "total": len(modules), "not_reached": modules},
        route="none",
        reason="Odd<b>Attention computes by mathematics of its own.",
        not_run=("padded: TypeError <b>no</b>",),
    )
    monkeypatch.setattr(store, "_report", lambda name: nothing)
    return saved("deberta-v2"), nothing


def test_a_model_that_is_not_verified_has_its_reason_and_what_was_not_reached(opened, unverified):
    folder, report = unverified
    app = opened("verification", folder)
    assert not app.exception
    assert "did not pass" in app.error[0].value
    said = said_by(app)
    assert words.of("verification", "en")["route_none"] in said
    assert report.reason in said
    assert f"Not reached ({report.coverage['total']}):" in said
    assert all(module in said for module in report.coverage["not_reached"])
    assert "could not be run" in app.warning[0].value
    assert "padded: TypeError <b>no</b>" in said
    assert "<b>" not in texts(app)
    assert not app.get("vega_lite_chart")
    assert {heading.value for heading in app.header} == {"Coverage"}
    app = opened("overview", folder)
    assert "Not verified" in said_by(app)
    assert report.reason in said_by(app)


@pytest.mark.parametrize("page", PROFILING)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_other_pages_say_that_it_cannot_be_profiled(opened, saved, page, language):
    with pytest.raises(ModelError) as refused:
        load(saved("vit"))
    reason, _, available = str(refused.value).partition(" Available: ")
    app = opened(page, saved("vit"), lang=language)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    (info,) = app.info
    said = info.value.replace("\\", "")
    assert said == f"{words.of('shell', language)['only_verifiable']} {reason}"
    assert available in said_by(app)
    (link,) = app.get("page_link")
    assert link.proto.page == "verification"


def test_a_folder_without_tokenizer_is_not_refused_for_its_verification(
    opened, small_model, tmp_path
):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(small_model / name, bare)
    app = opened("weights", bare)
    assert "has no tokenizer" in said_by(app)
    turn_to(app, "verification")
    app.run()
    assert not app.exception
    assert "All 2 attention modules agree" in app.success[0].value


def test_the_overview_shows_the_verdict_and_the_files(opened, saved):
    app = opened("overview", saved("deberta-v2"))
    assert not app.exception
    said = said_by(app)
    assert "DebertaV2Model" in said
    assert "Verified" in said
    hashes = store._verifiable(str(saved("deberta-v2"))).file_hashes
    assert hashes
    assert all(digest in said for digest in hashes.values())
    app = opened("overview", saved("yoso"))
    assert "Not verified" in said_by(app)
    assert "mathematics of its own" in said_by(app)


@pytest.mark.full
def test_of_an_encoder_decoder_all_of_it_is_verified(saved, small_model, monkeypatch):
    """The pages read its encoder; that its decoder is right must not be left out."""
    folder = saved("t5")
    loaded = store._model(str(small_model))
    taken = type("Taken", (), {"architecture": type("Row", (), {"kind": "encoder of two"})})
    monkeypatch.setattr(store, "_model", lambda name: taken)
    report = store._report.__wrapped__(str(folder))
    assert any(module.startswith("decoder.") for module in report.frame["module"])
    assert loaded.architecture.kind != "encoder of two"


def test_a_models_name_is_shown_letter_by_letter(opened, saved, tmp_path):
    hostile = tmp_path / "<img src=x onerror=alert(1)> ![x](http:) **b**"
    shutil.copytree(saved("deberta-v2"), hostile)
    for page in PAGES:
        app = opened(page, hostile)
        assert not app.exception
        shown = texts(app)
        for lines in app.code:  # where letters are letters
            shown = shown.replace(lines.value, "")
        assert "<img src=x" not in shown
        assert "![x](" not in shown
    assert "![x](" in said_by(opened("verification", hostile))


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("page", ["overview", "verification", "weights"])
def test_no_pickle_is_ever_loaded(opened, saved, tmp_path, page):
    folder, trace = tmp_path / "pickled", tmp_path / "exploded"
    shutil.copytree(saved("deberta-v2"), folder)
    (folder / "model.safetensors").unlink()
    torch.save({"weight": Bomb(trace)}, folder / "pytorch_model.bin")
    app = opened(page, folder)
    assert not app.exception
    assert "has pickled weights only" in said_by(app)
    assert not trace.exists()
    # Control: the pickle does what it is meant to.
    torch.load(folder / "pytorch_model.bin", weights_only=False)["weight"].close()
    assert trace.exists()


def test_two_models_do_not_mix(opened, saved):
    app = opened("verification", saved("vit"), saved("bloom"))
    assert "layers.0.attention" in said_by(app)
    app.sidebar.selectbox(key="model").set_value(str(saved("bloom"))).run()
    assert not app.exception
    assert "h.0.self_attention" in said_by(app)
    assert "layers.0.attention" not in said_by(app)
