"""Tables as terminals and programs get them, and how a long command says how far it is."""

import re
import sys
from io import StringIO

import pandas as pd
import pytest
from support.terminal import plain

from inspector import console, progress
from inspector.errors import InputError

WIDE = pd.DataFrame(
    {"layer": [0, 10], "head": [1, 2], **{f"a_long_statistic_{i}": [0.12345, 2e-9]
                                          for i in range(9)}}
)  # fmt: skip


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that makes stdout a terminal of some width, as far as tables can tell."""

    def of(width, **more):
        for name, value in {"FORCE_COLOR": "1", "COLUMNS": str(width), **more}.items():
            monkeypatch.setenv(name, value)

    return of


def test_a_program_gets_every_digit_between_tabs(capsys):
    console.print_frame(WIDE, "A title", alone=True)
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(capsys.readouterr().out), sep="\t"), WIDE)
    console.print_frame(WIDE, "A title")
    assert capsys.readouterr().out.startswith("A title\nlayer\thead\ta_long_statistic_0")


@pytest.mark.parametrize("width", [60, 100, 200])
def test_a_terminal_gets_the_columns_that_fit(terminal, capsys, width):
    terminal(width, NO_COLOR="1")
    console.print_frame(WIDE, "A title", alone=True, whole=False)
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= width
    kept = (width - 1 - len("│ layer │ head ")) // (len("a_long_statistic_0") + 3)
    assert 0 < kept < 9
    for place in range(9):
        assert (f"a_long_statistic_{place}" in out) == (place < kept)
    assert "0.1235" in out
    said = f"{kept + 2} of 11 columns; --columns NAME,NAME or --all shows others."
    assert out.endswith(f"{said}\n")
    console.print_frame(WIDE, "Of a command without these options")
    assert capsys.readouterr().out.endswith(f"{kept + 2} of 11 columns; --json prints all.\n")


def test_a_terminal_gets_all_columns_when_asked(terminal, capsys):
    terminal(60)
    console.print_frame(WIDE, "A title", whole=True)
    out = capsys.readouterr().out
    assert all(name in out for name in WIDE)
    assert "columns;" not in out


def test_prose_is_cut_between_words_in_a_terminal_alone(terminal, capsys, monkeypatch):
    prose = "default: used where no corpus is given, ships with inspector, and is read offline."
    terminal(40)
    console.say(prose)
    assert capsys.readouterr().out == f"{prose}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console.say(prose)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 40
    assert " ".join(line.strip() for line in lines) == prose


def test_no_color_is_heeded(terminal, capsys):
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    terminal(100, NO_COLOR="1")
    console.print_frame(WIDE, "[red]A title")
    out = capsys.readouterr().out
    assert not coloured.search(out)
    assert "[red]A title" in out


def test_columns_and_all_are_options(command, tiny_folder, terminal):
    folder = tiny_folder("bert")
    piped = command("weights", folder, "--columns", "head, layer,qk_symmetry")
    frame = pd.read_csv(StringIO(piped.out), sep="\t")
    assert list(frame.columns) == ["head", "layer", "qk_symmetry"]
    refused = command("weights", folder, "--columns", "head,colour")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("inspector: columns (colour) must be of the frame. Available: ")
    rows = len(pd.read_csv(StringIO(command("composition", folder).out), sep="\t"))
    terminal(300, NO_COLOR="1")
    few = plain(command("composition", folder).out)
    assert f"the 20 largest of {rows} rows" in few
    every = re.sub(r"\x1b\[[0-9;]*m", "", command("composition", folder, "--all").out)
    assert len(re.findall(r"^│ +\d", every, re.MULTILINE)) == rows


def test_a_log_gets_a_line_a_minute_with_the_time_left(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(console, "monotonic", lambda: now[0])
    with console.progress() as show:
        for seconds in range(0, 241, 10):
            now[0] = float(seconds)
            show("Shards", seconds / 480)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "Shards: 12% after 1 min, about 7 min left",
        "Shards: 25% after 2 min, about 6 min left",
        "Shards: 38% after 3 min, about 5 min left",
        "Shards: 50% after 4 min, about 4 min left",
    ]


class TestBarsOfFunctions:
    def told(self, given):
        with progress.shown(given) as show:
            if show is not None:
                show("Reading", 0.25)
                show("Reading", 0.5)
            return show

    def test_true_is_a_bar_with_the_time_left(self, capsys):
        assert self.told(True) is not None
        err = capsys.readouterr().err
        assert re.search(r"Reading: +\d+%\|.*\| 00:0\d<", err)

    def test_a_function_is_told_and_false_is_silent(self, capsys):
        seen = []
        self.told(lambda what, share: seen.append((what, share)))
        assert seen == [("Reading", 0.25), ("Reading", 0.5)]
        assert self.told(False) is None
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("place", ["terminal", "notebook", "pipe", "disabled"])
    def test_without_a_word_there_is_a_bar_where_somebody_looks(self, monkeypatch, place):
        monkeypatch.setenv("TQDM_DISABLE", "1" if place == "disabled" else "0")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: place == "terminal", raising=False)
        monkeypatch.setattr(progress, "in_notebook", lambda: place in ("notebook", "disabled"))
        assert (self.told(None) is None) == (place in ("pipe", "disabled"))

    def test_a_public_function_takes_it(self, tiny_folder, capsys):
        import inspector

        inspector.head_importance(tiny_folder("bert"), "The cat sat.", check=False, progress=True)
        assert "%|" in capsys.readouterr().err
        with pytest.raises(InputError) as caught:
            inspector.head_importance("minilm", "x", progress="yes")
        assert str(caught.value) == (
            "progress ('yes') must be a function of what is being done and the share, or True or "
            "False, or be left out."
        )
