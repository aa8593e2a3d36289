"""The command line on decoders: what it says of their weights, and that pages and profiles work."""

import json

import pandas as pd
import pytest
from support.decoders import drawn_words, save_decoder, small_decoder, word_tokenizer
from support.tiny.decoders import save_tiny_decoder

pytestmark = pytest.mark.usefixtures("one_thread")

NOTE = "W_Q and W_K are taken before the model rotates or norms queries and keys."


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    root = tmp_path_factory.mktemp("decoders")
    return lambda name: (
        root / name if (root / name).exists() else save_tiny_decoder(root / name, name)
    )


def test_weights_before_rotation_are_said_to_be(command, folder_of, tmp_path):
    output = tmp_path / "weights.parquet"
    result = command("weights", folder_of("llama"), "-o", output)
    assert (result.code, result.err) == (0, f"{NOTE}\n")
    assert result.out == f"8 rows written to {output}\n"
    assert len(pd.read_parquet(output)) == 8
    assert NOTE in command("weights", folder_of("llama")).err
    assert NOTE not in command("weights", folder_of("gpt2")).err
    document = json.loads(command("weights", folder_of("llama"), "--json").out)
    assert len(document["weights"]) == 8


def test_attend_writes_a_page(command, folder_of, tmp_path):
    output = tmp_path / "page.html"
    result = command("attend", folder_of("gpt2"), "--text", "The cat sat.", "-o", output)
    assert (result.code, result.err) == (0, "")
    assert "</html>" in output.read_text(encoding="utf-8")


def test_a_tokenizer_that_splits_the_words_is_said_to(command, folder_of, tmp_path):
    folder = folder_of("gpt2")
    result = command("profile", folder, "--probes", "decoder", "-o", tmp_path / "run")
    assert (result.code, result.err.splitlines()[-1]) == (
        2,
        (
            f"inspector: probes (decoder) cannot be asked of model {folder}, not asked: the "
            "tokenizer makes one token of 15 words, and 20 are needed: give a corpus."
        ),
    )
    result = command("weights", folder, "--vocabulary")
    assert result.code == 2
    assert "must have its language-modelling head" in result.err


def test_what_is_not_asked_is_said_without_a_place(command, tmp_path):
    tokenizer = word_tokenizer(drawn_words(60))
    network = small_decoder("llama", len(tokenizer))
    folder = save_decoder(tmp_path / "untrained", network, tokenizer)
    result = command(
        "profile", folder, "--probes", "decoder", "--no-ablation", "-o", tmp_path / "r"
    )
    assert result.code == 0
    why = "probe successor: not asked: of no order"
    assert f"  why and where: skipped.parquet; the first: {why}" in result.out
