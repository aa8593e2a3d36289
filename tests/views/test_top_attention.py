"""The keys that each token looks at most, and where heads look while a decoder writes."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from support.each import each
from support.terminal import assert_refused
from support.tiny.language_models import save_language_model

import inspector
from inspector.errors import InputError, UnsupportedModelError
from inspector.models.forward import row_blocks

PROMPT = "The keys to the old cabinet are"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_language_model(tmp_path_factory.mktemp("writer") / "llama", "llama", "causal")


@pytest.fixture(scope="module")
def writer(folder):
    return inspector.load(folder)


def maps_of(model, ids):
    """Return the library's own maps [layer, head, query, key], without a cache."""
    model.model.set_attn_implementation("eager")
    with torch.inference_mode():
        out = model.model(input_ids=torch.tensor([ids]), output_attentions=True, use_cache=False)
    return torch.stack(out.attentions)[:, 0].double().numpy()


@pytest.mark.parametrize("long", [10**9, 5])
def test_top_keys_are_those_of_the_sorted_map(writer, monkeypatch, long):
    monkeypatch.setattr(row_blocks, "LONG", long)
    monkeypatch.setattr(row_blocks, "CELLS", 1)
    frame = inspector.attend_top(writer, PROMPT, top=3, layers=[1], heads=[0, 2])
    batch = writer.encode([PROMPT])
    maps = maps_of(writer, batch.input_ids[0].tolist())
    assert sorted(set(frame["head"])) == [0, 2]
    for (head, query), rows in frame.groupby(["head", "query"]):
        expected = np.sort(maps[1, head, query])[::-1][: min(3, query + 1)]
        assert rows["probability"].tolist() == pytest.approx(expected, abs=1e-6)
        assert maps[1, head, query, rows["key"]] == pytest.approx(expected, abs=1e-6)
        assert [batch.tokens[0][key] for key in rows["key"]] == rows["key_token"].tolist()
    assert len(frame.groupby(["head", "query"])) == 2 * len(batch.tokens[0])


@pytest.fixture(scope="module")
def generation(writer):
    return inspector.attend_generation(writer, PROMPT, 6, top=4)


def test_a_cached_decoder_writes_what_generate_writes(folder, writer, generation):
    from transformers import AutoModelForCausalLM

    ids = writer.encode([PROMPT]).input_ids
    network = AutoModelForCausalLM.from_pretrained(folder)
    whole = network.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False
    )
    assert generation.tokens == writer.tokenizer.convert_ids_to_tokens(whole[0].tolist())
    assert generation.n_prompt == ids.shape[1]
    assert generation.text == writer.tokenizer.decode(whole[0, ids.shape[1] :].tolist())


def test_rows_from_the_cache_are_those_of_one_pass_over_all(writer, generation):
    ids = writer.tokenizer.convert_tokens_to_ids(generation.tokens)
    maps, frame = maps_of(writer, ids), generation.frame
    queries = range(generation.n_prompt - 1, len(ids) - 1)
    assert sorted(set(frame["query"])) == list(queries), "a row for each token that was written"
    for (layer, head, query), rows in frame.groupby(["layer", "head", "query"]):
        expected = np.sort(maps[layer, head, query, : query + 1])[::-1][:4]
        assert rows["probability"].tolist() == pytest.approx(expected, abs=1e-5)
        assert maps[layer, head, query, rows["key"]] == pytest.approx(expected, abs=1e-5)
        assert set(rows["written"]) == {generation.tokens[query + 1]}
    assert generation.difference < 1e-5
    assert generation.check.of_states < 1e-5
    assert generation.check.control > 1e-2


@each("name", ["mistral", "gemma2"])
def test_keys_of_a_cache_with_a_window_are_named_by_their_place_in_the_text(name, tmp_path):
    model = inspector.load(save_language_model(tmp_path / name, name, "causal"))
    found = inspector.attend_generation(model, PROMPT, 6, top=3)
    ids = model.tokenizer.convert_tokens_to_ids(found.tokens)
    assert len(ids) > 1.5 * model.model.config.sliding_window
    maps = maps_of(model, ids)
    layer, head, query, key = (found.frame[n] for n in ("layer", "head", "query", "key"))
    assert maps[layer, head, query, key] == pytest.approx(found.frame["probability"], abs=1e-5)
    assert found.check.control > 1e-2


def test_a_cache_that_changes_where_heads_look_is_found_out(writer, monkeypatch):
    forward = writer.model.forward

    def forgetful(*args, past_key_values=None, **kwargs):
        if past_key_values is not None:  # as if each new token stood at the beginning
            kwargs["position_ids"] = torch.zeros_like(kwargs["input_ids"])
        return forward(*args, past_key_values=past_key_values, **kwargs)

    monkeypatch.setattr(writer.model, "forward", forgetful)
    with pytest.raises(UnsupportedModelError, match="looks elsewhere with a cache than without"):
        inspector.attend_generation(writer, PROMPT, 4)

    def spoilt(*args, past_key_values=None, **kwargs):
        if past_key_values is not None:  # of the last layer: no weight shows it, the states do
            past_key_values.layers[-1].values.mul_(1.01)
        return forward(*args, past_key_values=past_key_values, **kwargs)

    monkeypatch.setattr(writer.model, "forward", spoilt)
    with pytest.raises(UnsupportedModelError, match="its hidden states differ by up to 0"):
        inspector.attend_generation(writer, PROMPT, 4)


def test_what_cannot_write_is_refused(writer):
    with pytest.raises(InputError) as caught:
        inspector.attend_generation("minilm", "A cat.")
    assert str(caught.value) == (
        "model (minilm) cannot write: give a decoder that was saved with its language-modelling "
        "head (save_pretrained of an AutoModelForCausalLM)."
    )
    for name, given in (("max_new_tokens", 0), ("top", 0)):
        with pytest.raises(InputError, match=rf"{name} \(0\) must be a whole number, at least 1"):
            inspector.attend_generation(writer, "A cat.", **{name: given})
    with pytest.raises(InputError, match=r"max_new_tokens \(60\) and a prompt of \d+ tokens must"):
        inspector.attend_generation(writer, PROMPT, 60)


def test_the_command_writes_what_a_decoder_looked_at(command, folder, tmp_path, generation):
    target = tmp_path / "looked.csv"
    how = ["--text", PROMPT, "--generate", "6", "--top", "4", "-o", target, "--json"]
    done = command("attend", folder, *how)
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["written"], said["cache"]) == (generation.text, vars(generation.check))
    found = pd.read_csv(target, keep_default_na=False)
    assert found["key"].tolist() == generation.frame["key"].tolist()
    refused = command("attend", folder, "--text", "a", "--top", "2", "-o", tmp_path / "a.html")
    assert refused.code == 2
    assert "a.html" in refused.err
    pairs = ["--text", "a", "--pair", "b", "--top", "2", "-o", tmp_path / "a.csv"]
    sentence = "pair and words (--top) must be left out: tokens of one text it is."
    assert_refused(command("attend", folder, *pairs), 2, sentence)
    none = ["--text", "a", "--top", "0", "-o", tmp_path / "none.csv"]
    sentence = "top (0) must be a whole number, at least 1."
    assert_refused(command("attend", folder, *none), 2, sentence)
