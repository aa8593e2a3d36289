"""The command line on models that work: what goes to stdout, to files, and how it exits."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from support.each import each
from support.processes.interrupting import start_interruptible
from support.terminal import plain

from inspector.cli import app
from inspector.heads import WEIGHTS_COLUMNS

pytestmark = pytest.mark.usefixtures("one_thread")

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def the_document(text):
    """Return the one JSON document that the text is, and nothing else."""
    document, end = json.JSONDecoder().raw_decode(text)
    assert text[end:] == "\n"
    return document


class TestVerify:
    def test_json_is_one_document(self, command, tiny_folder):
        result = command("verify", tiny_folder("bert"), "--json")
        assert (result.code, result.err) == (0, "")
        report = the_document(result.out)
        assert report["model"] == str(tiny_folder("bert"))
        assert (report["dtype"], report["passed"]) == ("float32", True)
        assert report["coverage"] == {"reached": 3, "total": 3, "not_reached": []}
        assert len(report["layers"]) == 3 * 7
        assert set(report["layers"][0]) >= {
            "layer",
            "module",
            "stage",
            "max_abs_error",
            "rms_error",
            "reference_rms_error",
            "rms_ratio",
            "passed",
        }
        assert len(report["controls"]) == 15
        assert all(control["caught"] is True for control in report["controls"])

    def test_below_rounding_is_null_with_a_reason(self, command, tiny_folder):
        result = command("verify", tiny_folder("bert"), "--dtype", "bfloat16", "--json")
        report = the_document(result.out)
        assert (result.code, report["dtype"]) == (0, "bfloat16")
        missed = [control for control in report["controls"] if control["caught"] is not True]
        assert [control["caught"] for control in missed] == [None]
        assert missed[0]["mutation"] == "scale off by 0.01 %"
        assert missed[0]["reason"]

    def test_what_people_read(self, command, tiny_folder):
        result = command("verify", tiny_folder("albert"), "--dtype", "float64")
        assert (result.code, result.err) == (0, "")
        folder = tiny_folder("albert")
        assert result.out.startswith(f"{folder} (float64) verified: 21 of 21 layer stages")
        assert "scale off by 0.01 %: caught, layer 0" in result.out

    def test_a_model_that_is_not_as_it_should_be_exits_with_one(
        self, command, tiny_folder, monkeypatch
    ):
        """Our function with a mistake in it, so that the proof does not hold."""
        from inspector.verification.controls import plan_of
        from inspector.verification.diagnosis import REFERENCE, known
        from inspector.verification.layers import stages

        right, wrong = stages.our_stages, plan_of(known("scale omitted"))

        def mistaken(call, weights, dtype, plan=REFERENCE):
            return right(call, weights, dtype, wrong if plan is REFERENCE else plan)

        for name, module in list(sys.modules.items()):
            if name.startswith("inspector.verification.") and hasattr(module, "our_stages"):
                monkeypatch.setattr(module, "our_stages", mistaken)
        # Truth has the mistake too: what is seen is how far it is from the real layer.
        result = command("verify", tiny_folder("bert"), "--json")
        assert (result.code, result.err) == (1, "")
        report = the_document(result.out)
        assert report["passed"] is False
        assert report["failures"][0].startswith("12 of 21 layer stages differ, the most in layer ")


class TestWeights:
    @pytest.mark.parametrize(
        ("suffix", "read"),
        [(".csv", pd.read_csv), (".parquet", pd.read_parquet), (".json", pd.read_json)],
    )
    def test_a_file(self, command, tiny_folder, tmp_path, suffix, read):
        output = tmp_path / f"weights{suffix}"
        result = command("weights", tiny_folder("bert"), "-o", output)
        assert (result.code, result.err) == (0, "")
        assert result.out == f"12 rows written to {output}\n"
        frame = read(output)
        assert list(frame.columns) == list(WEIGHTS_COLUMNS)
        assert list(zip(frame["layer"], frame["head"], strict=True)) == [
            (layer, head) for layer in range(3) for head in range(4)
        ]
        assert [path.name for path in tmp_path.iterdir()] == [output.name]

    def test_json_and_a_file(self, command, tiny_folder, tmp_path):
        output = tmp_path / "w.csv"
        result = command("weights", tiny_folder("bert"), "-o", output, "--json")
        document = the_document(result.out)
        assert set(document) == {"model", "output", "weights"}
        assert document["output"] == str(output)
        assert list(document["weights"][0]) == list(WEIGHTS_COLUMNS)
        frame = pd.read_csv(output)
        assert document["weights"][7]["qk_symmetry"] == frame["qk_symmetry"][7]

    def test_without_a_file_a_table(self, command, tiny_folder):
        result = command("weights", tiny_folder("bert"))
        assert (result.code, result.err) == (0, "")
        frame = pd.read_csv(StringIO(result.out), sep="\t")
        assert list(frame.columns) == list(WEIGHTS_COLUMNS)
        assert len(frame) == 12

    def test_a_name_with_markup_is_shown_as_it_is(
        self, command, tiny_folder, tmp_path, monkeypatch
    ):
        for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "400"}.items():
            monkeypatch.setenv(name, value)
        folder = shutil.copytree(tiny_folder("bert"), tmp_path / "[red]model[bold]")
        result = command("weights", folder)
        assert result.code == 0
        assert "[red]model[bold]" in result.out.replace("\n", "")


class TestAttend:
    @pytest.mark.parametrize("view", ["head", "model"])
    def test_a_page(self, command, tiny_folder, tmp_path, view):
        output = tmp_path / "maps.html"
        result = command(
            "attend", tiny_folder("bert"), "--text", "The cat.", "-o", output, "--view", view
        )
        assert (result.code, result.err) == (0, "")
        assert result.out == (
            f"{view} view of 5 tokens written to {output}\n"
            "unknown to the vocabulary: 0 of 3 words, 0 of 3 tokens\n"
        )
        assert output.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    def test_json_with_a_pair_and_some_layers(self, command, tiny_folder, tmp_path):
        output = tmp_path / "maps.html"
        result = command(
            *("attend", tiny_folder("bert"), "--text", "The cat.", "--pair", "A dog"),
            *("--layers", "0,2", "-o", output, "--json"),
        )
        assert the_document(result.out) == {
            "model": str(tiny_folder("bert")),
            "output": str(output),
            "view": "head",
            "tokens": ["[CLS]", "the", "cat", ".", "[SEP]", "a", "dog", "[SEP]"],
            "vocabulary": {
                "words": 5,
                "unknown_words": 0,
                "tokens": 5,
                "unknown_tokens": 0,
                "words_without_token": 0,
            },
        }


class TestHelp:
    @each("name", COMMANDS)
    def test_every_command_has_an_example(self, command, name):
        result = command(name, "--help")
        assert (result.code, result.err) == (0, "")
        page = plain(result.out)
        assert f"Usage: inspector {name}" in page
        assert f"Example: inspector {name} " in page
        assert "--json" in page

    def test_the_commands_are_all_there(self, command):
        assert {"verify", "weights", "attend"} <= set(COMMANDS)
        page = plain(command("--help").out)
        assert all(name in page for name in COMMANDS)

    def test_without_a_command_help_is_shown(self, command):
        result = command()
        assert (result.code, result.err) == (2, "")
        assert "Usage: inspector [OPTIONS] COMMAND [ARGS]..." in plain(result.out)


class TestDebug:
    def test_shows_the_traceback_and_keeps_sentence_and_code(self, command):
        quiet = command("weights", "/no-such-model")
        result = command("weights", "/no-such-model", "--debug")
        assert result.code == quiet.code == 3
        assert result.err.startswith("Traceback (most recent call last):")
        assert result.err.endswith(quiet.err)
        assert "Traceback" not in quiet.err

    def test_does_not_outlast_its_command(self, command):
        command("weights", "/no-such-model", "--debug")
        assert "Traceback" not in command("frobnicate").err


# In a process of its own

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def process(*arguments, **options):
    """Start the installed command; `arguments` may hold bytes, as a shell passes them."""
    executable = Path(sys.executable).with_name("inspector")
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        **options.pop("environment", {}),
    }
    return start_interruptible(
        [executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )


def finished(started):
    out, err = started.communicate(timeout=120)
    return started.returncode, (out or b"").decode(), err.decode()


@pytest.mark.process
class TestProcess:
    """What of it is full, test_streams.py asks of the streams without torch's seconds."""

    def test_results_on_stdout_and_nothing_else(self, tiny_folder):
        code, out, err = finished(process("verify", tiny_folder("bert"), "--json"))
        assert (code, err) == (0, "")
        assert the_document(out)["passed"] is True

    def test_a_mistake_is_one_sentence(self):
        assert finished(process("verify", "/no-such-model")) == (
            3,
            "",
            (
                "inspector: model (/no-such-model) is neither a folder that exists nor a hub id: "
                "check the path. Available without a network: minilm.\n"
            ),
        )

    @pytest.mark.parametrize(
        "half",
        [
            pytest.param(b"cat\xed\xa0\x80", id="surrogate", marks=pytest.mark.full),
            pytest.param(b"cat\xff", id="Latin-1"),
        ],
    )
    def test_a_text_that_is_not_utf_8(self, tmp_path, half):
        output = tmp_path / "maps.html"
        code, out, err = finished(process("attend", "--text", half, "-o", output))
        assert err == (
            "inspector: text is not valid Unicode: the character at position 3 is half of a pair. "
            "Save the text as UTF-8.\n"
        )
        assert (code, out, output.exists()) == (2, "", False)

    @pytest.mark.full
    def test_a_terminal_without_unicode(self, tiny_folder, tmp_path):
        output = tmp_path / "é.html"
        started = process(
            *("attend", tiny_folder("bert"), "--text", "cat", "-o", output),
            environment={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        )
        code, out, err = finished(started)
        assert (code, err) == (0, "")
        assert out.startswith(f"head view of 3 tokens written to {tmp_path}/\\xe9.html\n")
        assert output.exists()

    @pytest.mark.parametrize(
        "arguments", [["--help"], pytest.param(["weights", "--json"], marks=pytest.mark.full)]
    )
    def test_a_reader_who_has_enough(self, arguments):
        read, write = os.pipe()
        os.close(read)
        started = process(*arguments, stdout=write)
        os.close(write)
        assert finished(started) == (0, "", "")

    @pytest.mark.full
    def test_the_verdict_stays_the_exit_code_when_nobody_reads(self, tiny_folder, tmp_path):
        """A group that never runs: such an albert does not pass."""
        from support.tiny.models import save_tiny_model

        folder = save_tiny_model(tmp_path / "albert", "albert", num_hidden_groups=4)
        read, write = os.pipe()
        os.close(read)
        started = process("verify", folder, stdout=write)
        os.close(write)
        assert finished(started) == (1, "", "")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
    @pytest.mark.parametrize(
        "arguments", [["--help"], pytest.param(["weights", "--json"], marks=pytest.mark.full)]
    )
    def test_a_full_disk_behind_stdout(self, arguments):
        with Path("/dev/full").open("wb") as full:
            started = process(*arguments, stdout=full)
        assert finished(started) == (
            4,
            "",
            "inspector: standard output cannot be used: No space left on device.\n",
        )

    @ON_LINUX
    def test_ctrl_c_leaves_nothing(self, tmp_path):
        """The real model, so that it is in the middle of its work when it is interrupted."""
        started = process("verify", "minilm", cwd=tmp_path, start_new_session=True)
        wait_until_busy(started.pid)
        started.send_signal(signal.SIGINT)
        assert finished(started) == (130, "", "inspector: interrupted: nothing was written.\n")
        assert list(tmp_path.iterdir()) == []


def wait_until_busy(pid, seconds=1.0, patience=90.0):
    """Wait until a process has loaded torch, and so much longer."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        mapped = Path(f"/proc/{pid}/maps")
        if "libtorch" in mapped.read_text():
            time.sleep(seconds)
            return
        time.sleep(0.05)
    raise AssertionError("the command never got to work")


@ON_LINUX
@pytest.mark.process
@pytest.mark.parametrize("option", [pytest.param("attend", marks=pytest.mark.full), "weights"])
def test_ctrl_c_while_a_file_is_to_be_written(tmp_path, tiny_folder, option):
    """Interrupted before the model is even there: the place stays free."""
    arguments = {"attend": ["--text", "cat", "-o", "a.html"], "weights": ["-o", "a.csv"]}[option]
    started = process(option, *arguments, cwd=tmp_path, start_new_session=True)
    wait_until_busy(started.pid, seconds=0.0)
    started.send_signal(signal.SIGINT)
    code, out, err = finished(started)
    assert (code, out, err) == (130, "", "inspector: interrupted: nothing was written.\n")
    assert list(tmp_path.iterdir()) == []
