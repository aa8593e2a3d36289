"""The build of our own documentation passes on every model type, or the type is refused by name."""

import pytest
from support.each import each
from support.tiny.decoders import save_tiny_decoder

from inspector.attention import multi_head_attention, padding_mask
from inspector.errors import UnsupportedModelError
from inspector.models import ARCHITECTURES, load
from inspector.models.tiny_models import CONFIGURATIONS
from inspector.verification import verify_implementation

LONGEST = 192
# Settings that say how many tokens a network takes.
_LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len")
ALL = [row.name for row in CONFIGURATIONS if row.model_type in ARCHITECTURES]
# One of each term that a score can have: order, rotation in three ways, bias in four, window,
# norms in four ways, cap, sinks, a query scaled by itself, mathematics of their own.
SOME = (
    "bert", "gpt2", "llama", "gptj", "cohere", "t5", "bloom", "mistral", "modernbert", "qwen3",
    "olmo2", "phi, normed", "hunyuan_v1_dense", "gemma2", "gpt_oss", "opt", "esm, rotary", "mpt",
    "falcon, ALiBi",
)  # fmt: skip
REFUSED = {
    "mobilebert": "it projects queries, keys and values from inputs that differ",
    "deberta": "its scores hold a disentangled bias, made of its own queries and keys",
    "deberta-v2": "its scores hold a disentangled bias, made of its own queries and keys",
    "deberta-v2, shared": "its scores hold a disentangled bias, made of its own queries and keys",
    "ministral3": "it scales its queries by their place in the text",
    "bitnet": "a norm stands between its heads and W_O",
    "afmoe": "a gate stands between its heads and W_O",
    "llama4_text": "its mask hides keys in another order than causal or by a window",
}


def build(weights):
    """Return what README and the docstring of verify_implementation show."""

    def layer(hidden, padding):
        mask = None if padding is None else padding_mask(padding)
        return multi_head_attention(hidden, hidden, weights, mask=mask).output

    return layer


def loaded(folder, name):
    """Return a tiny random model that takes long texts."""
    row = next(row for row in CONFIGURATIONS if row.name == name)
    longer = {key: LONGEST for key in _LENGTHS if row.settings.get(key, LONGEST) < LONGEST}
    return load(save_tiny_decoder(folder / "model", name, **longer))


def assert_right(folder, name, layer):
    model = loaded(folder, name)
    if name in REFUSED:
        with pytest.raises(UnsupportedModelError) as caught:
            verify_implementation(build, model, layers=[layer], pairs=False)
        assert REFUSED[name] in str(caught.value)
        return
    lengths = set()

    def watched(weights):
        right = build(weights)

        def layer(hidden, padding):
            lengths.add(hidden.shape[1])
            return right(hidden, padding)

        return layer

    report = verify_implementation(watched, model, layers=[layer], pairs=False)
    assert report.passed, str(report)
    assert {1, 17, 65} <= lengths


def test_there_is_a_configuration_of_every_type():
    assert {row.model_type for row in CONFIGURATIONS} >= set(ARCHITECTURES)
    assert set(SOME) | set(REFUSED) <= set(ALL)


@each("name", SOME[::4])
def test_it_passes_on_one_of_each_kind(tmp_path, name):
    assert_right(tmp_path, name, layer=1)


@each("name", ["deberta-v2", "afmoe", "llama4_text"])
def test_what_has_no_field_is_refused_by_name(tmp_path, name):
    assert_right(tmp_path, name, layer=0)


@pytest.mark.full
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("name", ALL)
def test_it_passes_on_all(tmp_path, name, layer):
    assert_right(tmp_path, name, layer)
