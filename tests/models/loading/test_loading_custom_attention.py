"""Families with mathematics of their own, and with a gate, a norm or sinks, loaded by `load`."""

import math

import pytest
import torch
from support.each import each
from support.tiny.decoders import save_tiny_decoder

import inspector
from inspector.errors import InputError, ModelError, UnsupportedModelError
from inspector.models import attention_probabilities, load
from inspector.models.forward.head_ablation import ablated, gated

TEXTS = ["The dog had rain.", "That cat, not the old dog, saw the town; rain.", "A"]
# Configuration → the score term of its own mathematics, None where transformers computes; whether
# queries and keys are turned.
LOADED = {
    "mobilebert": (None, False),
    "layoutlm": (None, False),
    "roc_bert": (None, False),
    "xmod": (None, False),
    "markuplm": (None, False),
    "clip_text_model": (None, False),
    "ctrl": (None, False),
    "dbrx": (None, True),
    "gpt_oss": (None, True),
    "granite_swa": (None, True),
    "llama4_text": (None, True),
    "bitnet": (None, True),
    "afmoe": (None, True),
    "mpnet": ("relative bias", False),
    "luke": ("plain", False),
    "rembert": ("plain", False),
    "megatron-bert": ("plain", False),
    "big_bird": ("plain", False),
    "roformer": ("rotary", True),
    "deberta": ("disentangled", False),
    "deberta-v2": ("disentangled", False),
    "deberta-v2, shared": ("disentangled", False),
    "squeezebert": ("plain", False),
    "xlm": ("plain", False),
    "flaubert": ("plain", False),
    "openai-gpt": ("plain", False),
    "gpt_neo": ("unscaled", False),
    "gptj": ("rotary", True),
    "gpt_neox_japanese": ("rotary", True),
    "codegen": ("rotary", True),
    "bloom": ("ALiBi", False),
    "falcon": ("rotary", True),
    "falcon, grouped": ("rotary", True),
    "falcon, ALiBi": ("ALiBi", False),
    "mpt": ("ALiBi", False),
    "xglm": ("plain", False),
    "mvp": ("plain", False),
}
# Those whose networks return probabilities that are not those of a softmax over keys alone.
NO_MAPS = {"granite_swa"}


@each("name", LOADED)
def test_a_model_says_how_it_computes(decoder, name):
    term, turned = LOADED[name]
    model = decoder(name)
    assert {site.own_term for site in model.sites} == {term}
    assert model.has_own_maths == (term is not None)
    assert model.before_rotation == turned
    assert not (model.has_own_maths and model.is_plain)
    frame = inspector.weight_statistics(model)
    assert len(frame) == 8
    assert frame.attrs.get("before_rotation", False) == turned


@each("name", sorted(LOADED.keys() - NO_MAPS))
def test_maps_are_those_that_the_model_returns(decoder, name):
    model = decoder(name)
    batch = model.encode(TEXTS)
    maps = attention_probabilities(model, batch)
    with torch.no_grad():
        theirs = model.model(**batch.inputs(), output_attentions=True).attentions
    assert maps.shape[:3] == (2, len(TEXTS), 4)
    if name == "squeezebert":  # returns its scores
        theirs = [scores.softmax(-1) for scores in theirs]
    for layer, given in enumerate(theirs):
        for row in range(len(TEXTS)):
            n = int(batch.attention_mask[row].sum())
            assert (maps[layer, row] - given[row])[:, :n, :n].abs().max() < 1e-5


# BitNet norms what its heads give before W_O: there an ablated head changes the others' share.
@each("name", sorted(LOADED.keys() - {"bitnet"}))
def test_a_ablated_head_is_its_columns_of_w_o_set_to_zero(decoder, name):
    model = decoder(name)
    batch = model.encode(TEXTS[:2])
    kept = batch.attention_mask.bool()
    with torch.no_grad():
        clean = model.model(**batch.inputs()).last_hidden_state
        with ablated(model, [(1, 2)]):
            ours = model.model(**batch.inputs()).last_hidden_state
        w_o = model.layer_weights(1).W_O
        before, width = w_o.clone(), w_o.shape[1] // 4
        w_o[:, 2 * width : 3 * width] = 0.0
        if name == "squeezebert":  # its matrix is a copy where it has groups; this one has none
            assert w_o.data_ptr() == model.linear(1, "output").weight.data_ptr()
        theirs = model.model(**batch.inputs()).last_hidden_state
        w_o.copy_(before)
    assert (ours - theirs)[kept].abs().max() < 1e-5 * theirs[kept].abs().max()
    assert (ours - clean)[kept].abs().max() > 1e-3 * clean[kept].abs().max()


def test_bloom_by_plain_loops_from_its_weights(decoder):
    """Softmax of q·k/√d + slope·j over the keys so far, in float64."""
    model = decoder("bloom")
    batch = model.encode(["The cat sat"])
    maps = attention_probabilities(model, batch)[0, 0]
    weights = model.layer_weights(0)
    seen = {}
    hook = model.linear(0, "query").register_forward_pre_hook(
        lambda module, args: seen.update(hidden=args[0])
    )
    with torch.no_grad():
        model.model(**batch.inputs())
    hook.remove()
    hidden = seen["hidden"][0].double()
    n = len(hidden)
    for head in range(4):
        rows = slice(8 * head, 8 * head + 8)
        slope = 2.0 ** (-8.0 * (head + 1) / 4)
        for i in range(n):
            query = weights.W_Q[rows].double() @ hidden[i] + weights.b_Q[rows].double()
            scores = []
            for j in range(i + 1):
                key = weights.W_K[rows].double() @ hidden[j] + weights.b_K[rows].double()
                scores.append(float(query @ key) / math.sqrt(8) + slope * j)
            top = max(scores)
            shares = [math.exp(score - top) for score in scores]
            for j in range(n):
                expected = shares[j] / sum(shares) if j <= i else 0.0
                assert maps[head, i, j].item() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("name", ["bloom", "mpnet", "gptj", "deberta-v2", "squeezebert"])
def test_a_profile_is_made(decoder, name, tmp_path):
    corpus = tmp_path / "two.txt"
    corpus.write_text("The cat sat on the table.\nA dog had the bone that nobody saw.\n")
    run = inspector.profile(decoder(name), corpus, ablation=name == "bloom")
    assert len(run.behaviour) == 8
    assert run.behaviour["entropy_nats"].between(0.0, math.log(32)).all()


def test_gates_work_on_own_mathematics_too(decoder):
    model = decoder("mpnet")
    batch = model.encode(TEXTS[:1])
    gates = torch.ones(2, 1, 4)
    with torch.no_grad():
        clean = model.model(**batch.inputs()).last_hidden_state
        with gated(model, gates):
            same = model.model(**batch.inputs()).last_hidden_state
        gates[0, 0, 3] = 0.0
        with gated(model, gates):
            less = model.model(**batch.inputs()).last_hidden_state
        with ablated(model, [(0, 3)]):
            silent = model.model(**batch.inputs()).last_hidden_state
        again = model.model(**batch.inputs()).last_hidden_state
    assert torch.allclose(same, clean, atol=1e-5)
    assert torch.allclose(less, silent, atol=1e-5)
    assert not torch.allclose(less, clean, atol=1e-3)
    assert torch.equal(again, clean)  # no hook remains


def test_the_mean_of_values_needs_a_mask_that_own_mathematics_hides(decoder):
    model = decoder("bloom")
    with (
        pytest.raises(InputError) as caught,
        ablated(model, [(0, 0)], "uniform"),
    ):
        pass
    assert str(caught.value) == (
        f"how (uniform) needs the values and masks of model {model.name}, which computes "
        "attention by mathematics of its own. Available: zero, mean."
    )


def test_attention_in_blocks_drawn_by_chance_is_refused(tmp_path):
    folder = save_tiny_decoder(
        tmp_path / "bird", "big_bird", attention_type="block_sparse", block_size=4
    )
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"{folder / 'config.json'} has attention_type block_sparse, by which tokens attend to "
        "blocks that chance draws: set it to original_full, which transformers itself takes for "
        "shorter texts."
    )


def test_a_model_that_cannot_run_on_tokens_alone_is_refused(tmp_path):
    folder = save_tiny_decoder(tmp_path / "xmod", "xmod", default_language=None)
    with pytest.raises(UnsupportedModelError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"model ({folder}) cannot be run on a few tokens alone (ValueError: Input language "
        "unknown. Please call `XmodPreTrainedModel.set_default_language()`): it cannot be "
        "inspected as a reader of texts."
    )


def test_matrices_of_two_widths_have_no_symmetry(decoder):
    """MobileBERT's values come from wider states than its queries: M_OV is not square."""
    model = decoder("mobilebert")
    weights = model.layer_weights(0)
    assert weights.W_V.shape[1] == 32
    assert weights.W_O.shape[0] == 16
    frame = inspector.weight_statistics(model)
    columns = ["ov_symmetry", "ov_eigenvalue_positivity"]
    assert frame[columns].isna().all(axis=None)
    assert frame.drop(columns=columns).notna().all(axis=None)
    product = weights.W_O[:, :4].double() @ weights.W_V[:4].double()
    largest = torch.linalg.matrix_norm(product, ord=2).item()
    assert frame["ov_spectral_norm"][0] == pytest.approx(largest, rel=1e-10)
