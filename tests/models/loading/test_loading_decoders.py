"""Decoders, and encoders of encoder-decoders, loaded with their tokenizer."""

import json
import shutil

import pytest
import torch
from support.each import each
from support.tiny.decoders import byte_level_tokenizer, save_tiny_decoder

import inspector
from inspector.errors import ModelError, UnsupportedModelError
from inspector.models import attention_probabilities, load, random_init_model
from inspector.verification import STAGES
from inspector.verification.layers.verify_layers import TAKES_NO_VIEWS

TEXTS = ["The dog had rain.", "That cat, not the old dog, saw the town; rain.", "A"]
# (heads, key/value heads, d_head), what becomes of queries and keys, and whether it looks ahead.
LOADED = {
    "gpt2": ((4, 4, 8), "plain", "causal"),
    "gpt_bigcode": ((4, 1, 8), "plain", "causal"),
    "opt": ((4, 4, 8), "scaled", "causal"),
    "gpt_neox": ((4, 4, 8), "rotated", "causal"),
    "llama": ((4, 2, 8), "rotated", "causal"),
    "gemma": ((4, 1, 16), "rotated", "causal"),
    "gemma2": ((4, 2, 8), "rotated", "causal"),
    "qwen3": ((4, 2, 8), "rotated", "causal"),
    "phi3": ((4, 2, 8), "rotated", "causal"),
    "mixtral": ((4, 2, 8), "rotated", "causal"),
    "modernbert": ((4, 4, 8), "rotated", "both ways"),
    "t5": ((4, 4, 8), "biased", "both ways"),
    "bart": ((4, 4, 8), "plain", "both ways"),
}


@each("name", LOADED)
def test_a_model_says_what_it_was_seen_to_do(decoder, name):
    sizes, between, direction = LOADED[name]
    model = decoder(name)
    assert (model.n_heads, model.n_kv_heads, model.d_head) == sizes
    assert (model.n_layers, model.d_model) == (2, 32)
    assert model.before_rotation == (between == "rotated")
    assert model.is_plain == (between == "plain")
    assert {site.causal for site in model.sites} == {direction == "causal"}
    assert [model.layer_weights(layer).causal for layer in range(2)] == [direction == "causal"] * 2
    assert not any(module.training for module in model.model.modules())
    assert model.unused_tensors == ()


@each("name", LOADED)
def test_attention_is_the_models_own(decoder, name):
    """Ours inside the model against transformers' `output_attentions`, on a padded batch."""
    model = decoder(name)
    batch = model.encode(TEXTS)
    ours = attention_probabilities(model, batch)
    with torch.no_grad():
        theirs = torch.stack(model.model(**batch.inputs(), output_attentions=True).attentions)
    keys = batch.attention_mask.bool()
    assert (ours.sum(-1)[:, keys[:, None, :].expand(-1, model.n_heads, -1)] - 1).abs().max() < 1e-6
    for row in range(len(TEXTS)):
        n = int(keys[row].sum())
        assert (ours - theirs)[:, row, :, :n, :n].abs().max() < 1e-5
        if LOADED[name][2] == "causal":
            assert not ours[:, row, :, :n, :n].triu(1).any()
        else:
            assert n < 3 or ours[:, row, :, :n, :n].triu(1).any()


@each("name", ["gpt2", "llama", "opt", "t5", "modernbert"])
def test_padding_changes_nothing(decoder, name):
    """Left padding would move every token of models that count columns."""
    model = decoder(name)
    together = model.encode(TEXTS)
    maps = attention_probabilities(model, together)
    for row, text in enumerate(TEXTS):
        alone = attention_probabilities(model, model.encode([text]))[:, 0]
        n = alone.shape[-1]
        assert together.attention_mask[row].tolist()[:n] == [1] * n
        assert (maps[:, row, :, :n, :n] - alone).abs().max() < 1e-5


def test_attend_and_weights_take_a_decoders_folder(decoder_folder):
    maps = inspector.attend(decoder_folder("llama"), "The cat sat on it.")
    assert maps.probabilities.shape[:2] == (2, 4)
    assert "".join(maps.tokens).replace("Ġ", " ") == "The cat sat on it."
    frame = inspector.weight_statistics(decoder_folder("llama"))
    assert len(frame) == 8
    assert frame.attrs == {"before_rotation": True}
    assert inspector.weight_statistics(decoder_folder("gpt2")).attrs == {}


def test_a_decoder_without_a_padding_token_is_padded_with_its_end_of_text(decoder):
    tokenizer = decoder("gpt2").tokenizer
    assert byte_level_tokenizer().pad_token is None
    assert tokenizer.pad_token_id == tokenizer.eos_token_id is not None
    assert tokenizer.padding_side == "right"


def test_an_encoder_without_a_padding_token_is_refused(tmp_path):
    folder = save_tiny_decoder(tmp_path / "bert", "bert")
    byte_level_tokenizer().save_pretrained(folder)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert str(caught.value).endswith(
        "has no padding token: texts of different lengths cannot be put in one batch. "
        "Set pad_token in tokenizer_config.json."
    )


def test_a_text_is_as_long_as_positions_or_memory_let_it_be(decoder):
    assert decoder("gpt2").max_tokens == 64
    assert decoder("t5").max_tokens == 131_072  # it knows distances, not places
    assert decoder("mpt").max_tokens == 64  # its table of distances ends there


def test_random_models_are_of_the_same_kind(decoder):
    for name in ("gpt2", "t5"):
        model = decoder(name)
        random_model = random_init_model(model, seed=3)
        maps = attention_probabilities(random_model, random_model.encode(TEXTS[:1]))
        own = attention_probabilities(model, model.encode(TEXTS[:1]))
        assert maps.shape == own.shape
        assert not torch.allclose(maps, own)
        assert torch.equal(
            maps,
            attention_probabilities(
                random_init_model(model, seed=3), random_model.encode(TEXTS[:1])
            ),
        )


def test_an_encoders_checkpoint_alone_is_enough(decoder_folder, tmp_path):
    """T5EncoderModel saves no decoder."""
    from transformers import T5EncoderModel

    T5EncoderModel.from_pretrained(decoder_folder("t5")).save_pretrained(tmp_path / "encoder")
    byte_level_tokenizer(padding=True).save_pretrained(tmp_path / "encoder")
    model = load(tmp_path / "encoder")
    batch = model.encode(TEXTS[:1])
    whole = load(decoder_folder("t5"))
    assert torch.equal(attention_probabilities(model, batch), attention_probabilities(whole, batch))


def test_a_language_models_head_is_left_over(decoder_folder, tmp_path):
    from transformers import GPT2LMHeadModel

    network = GPT2LMHeadModel.from_pretrained(decoder_folder("gpt2"))
    network.config.tie_word_embeddings = False
    network.save_pretrained(tmp_path / "lm")
    byte_level_tokenizer().save_pretrained(tmp_path / "lm")
    assert len(load(tmp_path / "lm").sites) == 2


@each("name", ["xlnet", "longformer"])
def test_attention_that_is_no_map_of_tokens_is_refused(tmp_path, name):
    with pytest.raises(UnsupportedModelError, match=rf"model_type \({name}\) has no row"):
        load(save_tiny_decoder(tmp_path / "model", name))


def test_layers_with_different_heads_are_refused(decoder_folder, tmp_path, monkeypatch):
    from inspector.models.weight_checks import network_check

    own = network_check._proved_site
    monkeypatch.setattr(
        network_check,
        "_proved_site",
        lambda model, call, entry: (
            own(model, call, entry) if call.layer == 0 else _wider(own(model, call, entry))
        ),
    )
    with pytest.raises(UnsupportedModelError) as caught:
        load(decoder_folder("gpt2"))
    assert str(caught.value) == (
        f"model ({decoder_folder('gpt2')}) has layers whose heads differ in number or width: only "
        "one kind of layer can be inspected at a time."
    )


def _wider(site):
    from dataclasses import replace

    return replace(site, sizes=site.sizes._replace(d_head=16))


@each(
    ("name", "value", "sentence"),
    [
        ("n_embd", 0, "n_embd (0) in {path} must be a whole number from 1 to 32768."),
        ("n_layer", 1000, "n_layer (1000) in {path} must be a whole number from 1 to 256."),
        (
            "n_head",
            5,
            (
                "d_model (32) must be divisible by n_heads (5) in {path}: every head gets "
                "d_model / n_heads features."
            ),
        ),
        (
            "activation_function",
            "evil",
            "activation (evil) in {path} must be one that transformers has, such as gelu.",
        ),
    ],
)
def test_a_decoders_settings_are_checked(decoder_folder, tmp_path, name, value, sentence):
    folder = shutil.copytree(decoder_folder("gpt2"), tmp_path / "gpt2")
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert str(caught.value) == sentence.format(path=path)


class TestVerifyAFolder:
    @each("name", ["gpt2", "gpt_bigcode"])
    def test_plain_decoders_are_verified_from_their_weights(self, decoder_folder, name):
        report = inspector.verify(decoder_folder(name))
        assert report.passed, str(report)
        # query, key, value, probabilities, context, output, gradient
        assert len(report.frame) == 2 * 7
        assert all(control["caught"] is True for control in report.controls)
        # Its Conv1D views what it is given; where a layer takes any memory, it is asked.
        assert (TAKES_NO_VIEWS in report.scope.not_asked.values()) == (name == "gpt2")

    def test_others_call_by_call(self, decoder_folder):
        report = inspector.verify(decoder_folder("llama"))
        assert report.passed, str(report)
        assert report.route == "backend"
        assert set(report.frame["stage"]) == {*STAGES, "gradient"}

    def test_an_encoder_decoder_is_verified_whole(self, decoder_folder):
        """`load` takes its encoder; what passes must not be half a model."""
        report = inspector.verify(decoder_folder("bart"))
        assert report.passed, str(report)
        assert report.coverage["reached"] == report.coverage["total"] == 6


@each("name", ["gpt2", "gpt_bigcode", "llama", "gpt_neox"])
def test_a_head_put_out_of_action_is_its_columns_of_w_o_set_to_zero(decoder_folder, name):
    """Fused matrices and Conv1D too: `partial_forward` gives what a changed checkpoint gives."""
    from inspector.models.forward.partial_forward import partial_forward

    model = load(decoder_folder(name))
    batch = model.encode(TEXTS[:2])
    kept = batch.attention_mask.bool()
    for layer in range(2):
        with partial_forward(model) as partial:
            clean = partial.clean(batch)
            nothing = torch.zeros_like(clean.layers[layer].heads[:, :, 1])
            ablated = partial.states(clean, layer, [1], nothing[None])[0]
        w_o = model.layer_weights(layer).W_O  # the network's own memory
        before = w_o.clone()
        with torch.no_grad():
            w_o[:, 8:16] = 0.0
            expected = model.model(**batch.inputs()).last_hidden_state
            w_o.copy_(before)
        assert (ablated - expected)[kept].abs().max() < 1e-4
        assert (ablated - clean.state)[kept].abs().max() > 1e-2


def test_a_model_that_hands_on_more_than_hidden_states_is_not_run_again(decoder):
    """T5's layers hand on their position bias too."""
    from inspector.models.forward.partial_forward import partial_forward

    model = decoder("t5")
    with partial_forward(model) as partial, pytest.raises(UnsupportedModelError) as caught:
        partial.clean(model.encode(TEXTS[:1]))
    assert str(caught.value) == (
        f"model ({model.name}) hands more than hidden states from layer to layer: it cannot "
        "run in part."
    )


def test_tables_that_older_versions_stored_are_no_trouble(decoder_folder, tmp_path):
    """GPT-2's checkpoints on the hub hold each layer's causal mask, Llama's old ones its angles."""
    from safetensors.torch import load_file, save_file

    for name, old in (
        ("gpt2", {"h.0.attn.bias": (1, 1, 64, 64), "h.0.attn.masked_bias": ()}),
        ("llama", {"layers.0.self_attn.rotary_emb.inv_freq": (4,)}),
    ):
        folder = shutil.copytree(decoder_folder(name), tmp_path / name)
        tensors = load_file(folder / "model.safetensors")
        tensors |= {key: torch.ones(shape) for key, shape in old.items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        assert len(load(folder).sites) == 2
    extra = {**load_file(decoder_folder("gpt2") / "model.safetensors")}
    extra["h.2.attn.c_attn.weight"] = torch.ones(32, 96)
    folder = shutil.copytree(decoder_folder("gpt2"), tmp_path / "longer")
    save_file(extra, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="a shorter model would be loaded"):
        load(folder)
