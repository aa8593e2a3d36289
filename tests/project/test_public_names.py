"""What stands at the top of the package, and what `profile` takes by keyword."""

import subprocess
import sys

import pytest
from support.each import each
from support.tiny.models import save_tiny_model

import inspector
from inspector.dashboard.store import SHIPPED
from inspector.errors import InputError

TYPES = (
    "Run", "ProfileSettings", "Corpus", "PretrainedModel", "VerificationReport",
    "ImplementationReport", "AttentionMaps", "Attention", "SelfAttention", "MultiHeadAttention",
    "LayerWeights",
)  # fmt: skip
ROOMS = ("attention", "corpora", "models", "verification", "heads", "runs", "views")


def test_types_and_rooms_are_reached_without_an_import_of_their_own():
    code = "import sys, inspector; assert 'torch' not in sys.modules; " + "; ".join(
        ["assert len(inspector.Corpus.from_text('The cat sat. It slept.')) == 2"]
        + [f"assert inspector.{name}.__name__ == '{name}'" for name in TYPES]
        + [f"assert inspector.{room}.__name__ == 'inspector.{room}'" for room in ROOMS]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_a_run_is_opened_and_read_without_torch():
    """Who reads figures in a notebook does not wait for it."""
    code = (
        f"import sys, inspector; run = inspector.open_run({str(SHIPPED)!r}); "
        "assert len(run.roles) and run.summary() and run.passport(2, 8).html('zh'); "
        "assert run.plot.roles() is not None; assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


@each(
    ("name", "value"),
    [
        ("labels", "full"), ("distances", True), ("ablation", False), ("ablation_sentences", 9),
        ("seed", 1), ("batch_size", 4), ("batch_tokens", 64),
    ],
)  # fmt: skip
def test_a_keyword_beside_settings_is_refused_before_anything_is_loaded(name, value):
    with pytest.raises(InputError) as caught:
        inspector.profile(
            "no-model", "no-corpus", settings=inspector.ProfileSettings(), **{name: value}
        )
    assert str(caught.value) == (
        f"{name} ({value}) and settings are both given, and a setting stands in one place: "
        f"put it into the settings, ProfileSettings({name}={value!r}, ...)."
    )


def test_the_former_name_of_a_keyword_is_the_keyword():
    with pytest.raises(InputError) as twice:
        inspector.profile("no-model", "no-corpus", ablation=False, cause=False)
    assert str(twice.value) == (
        "cause (False) is the former name of ablation (False), which is given too: leave it out."
    )
    with pytest.raises(InputError, match=r"ablation \(False\) and settings are both given"):
        inspector.profile(
            "no-model", "no-corpus", settings=inspector.ProfileSettings(), cause=False
        )


def test_a_run_is_not_gone_on_with_and_deleted_even_where_none_is_kept():
    with pytest.raises(InputError, match="resume and force are both given, and only one can be"):
        inspector.profile("minilm", "A cat sat.", resume=True, force=True)


@each("seeds", [(1,), (1, 2), (1, 1, 1)])
def test_too_few_random_models_are_refused_before_the_pass(seeds):
    with pytest.raises(InputError) as caught:
        inspector.ProfileSettings(random_init_seeds=seeds)
    assert str(caught.value) == (
        f"random_init_seeds ({seeds}) must be none or at least 3 different ones: the best of "
        "fewer models says little of what random weights can do."
    )


def test_keywords_are_settings(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The cat sat.\nA dog ran.\n")
    folder = save_tiny_model(tmp_path / "model")
    given = {"labels": "full", "distances": True, "ablation_sentences": 17, "seed": 3}
    run = inspector.profile(
        str(folder), text, tmp_path / "run", **given, batch_size=4, device="cpu"
    )
    settings = run.manifest.settings
    assert {name: settings[name] for name in given} == given
    assert (settings["ablation_windows"], run.manifest.batch_size) == (2, 4)
    assert "distances" in inspector.open_run(tmp_path / "run").frames


def test_a_loaded_model_stays_where_it_is(tmp_path):
    model = inspector.load(str(save_tiny_model(tmp_path / "model")))
    for given, sentence in (
        (
            {"revision": "main"},
            "revision (main) must be left out beside a loaded model: load it with its revision, ",
        ),
        ({"device": "nowhere"}, "device (nowhere) is not there on this machine: "),
        ({"device": "meta"}, "device (meta) is not there on this machine: "),
    ):
        with pytest.raises(InputError) as caught:
            inspector.profile(model, inspector.Corpus("x", [], [], "0" * 64, "gold"), **given)
        assert str(caught.value).startswith(sentence)
