"""Options that no command takes, and values that an option does not: one sentence each."""

import inspect

import pytest
import torch
from support.each import each
from support.terminal import assert_refused

from inspector.cli import app
from inspector.commands.options import Dtype
from inspector.models.pretrained import LOADED_IN

BAD_INPUT = 2
OPTIONS = {
    command.callback.__name__: set(inspect.signature(command.callback).parameters)
    for command in app.registered_commands
    if command.callback.__name__ != "dashboard"  # which asks in its pages
}


@each(
    ("arguments", "sentence"),
    [
        (
            ["verify", "--device", "cuda"],
            "device (cuda) is not there on this machine: choose one that is, such as cpu.",
        ),
        (
            ["verify", "--dtype", "int4"],
            (
                "dtype (int4) must be one that a model is loaded in. "
                "Available: float32, float64, bfloat16, float16."
            ),
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--view", "neuron"],
            "view (neuron) must be one of these. Available: head, model.",
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--layers", "1,b"],
            "layers (1,b) must be numbers separated by commas, such as 0,3.",
        ),
        (
            ["attend", "--text", "a", "-o", "a.html", "--layers", ""],
            "layers () must be numbers separated by commas, such as 0,3.",
        ),
        (["verify", "--frob"], "No such option: --frob. See inspector verify --help."),
        (
            ["verify", "minilm", "other"],
            "Got unexpected extra argument(s) (other). See inspector verify --help.",
        ),
        (
            ["attend", "-o", "a.html"],
            "Missing option '--text'. See inspector attend --help.",
        ),
        (["frobnicate"], "No such command 'frobnicate'. See inspector --help."),
        (
            ["verify", "--layers", "0"],
            (
                "layers (0) must be given with --implementation, whose it is: "
                "add --implementation FILE.py:NAME, or leave it out."
            ),
        ),
    ],
)
def test_options_that_cannot_be(command, monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(command(*arguments), BAD_INPUT, sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "commands", "options"),
    [
        (
            "model",
            {"verify", "weights", "attend", "profile", "ablate", "check", "importance",
             "robustness", "composition", "rollout"},
            {"dtype", "device", "revision"},
        ),
        (
            "corpus",
            {"profile", "ablate", "check", "importance", "robustness"},
            {"roles", "annotate", "labels", "seed", "batch_tokens"},
        ),
        (
            "columns",
            {"weights", "ablate", "check", "compare", "importance", "robustness", "composition",
             "rollout"},
            {"everything", "output"},
        ),
    ],
)  # fmt: skip
def test_every_command_that_takes_one_takes_all_that_goes_with_it(what, commands, options):
    assert {name for name, known in OPTIONS.items() if what in known} == commands
    assert {name: options - OPTIONS[name] for name in commands} == {
        name: set() for name in commands
    }


def test_the_help_names_every_dtype_that_is_taken():
    assert Dtype.__metadata__[0].help == " or ".join(
        (", ".join(LOADED_IN[:-1]), f"{LOADED_IN[-1]}.")
    )
