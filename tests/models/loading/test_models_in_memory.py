"""A model in memory: read as its folder would be, never changed, and never out of date."""

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import (
    AttentionInterface,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    BertTokenizer,
)

import inspector
from inspector.errors import InputError, ModelError
from inspector.models.loading.language_head import language_head
from inspector.models.loading.memory_model import private_copy
from inspector.models.loading.model_names import model_folder

_TEXT = "The cat that chased the mice sat on the mat."


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(model_folder("minilm"))


@pytest.fixture(scope="module")
def classifier() -> Any:
    """minilm with a new head for two classes; a test that trains it takes a copy."""
    return AutoModelForSequenceClassification.from_pretrained(model_folder("minilm"))


def _tiny(tokenizer: Any, hidden_size: int = 32) -> Any:
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=hidden_size, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    return BertModel(config)


def _seen(network: nn.Module) -> dict[str, Any]:
    """Return all of a network that reading it might have changed."""
    return {
        "config": network.config.to_dict(),  # type: ignore[operator, union-attr]
        "attention": network.config._attn_implementation,  # type: ignore[union-attr]
        "modes": [module.training for module in network.modules()],
        "hooks": [len(module._forward_hooks) for module in network.modules()],
        "asked": [parameter.requires_grad for parameter in network.parameters()],
        "grads": [
            None if each.grad is None else each.grad.clone() for each in network.parameters()
        ],
        "places": [parameter.data_ptr() for parameter in network.parameters()],
        "values": [parameter.detach().clone() for parameter in network.parameters()],
        "random": torch.random.get_rng_state(),
        "numpy's": np.random.get_state()[1].tolist(),  # type: ignore[index]  # noqa: NPY002
    }


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def test_what_is_read_of_a_model_in_training_is_its_folders(
    classifier: Any, tokenizer: Any
) -> None:
    network = deepcopy(classifier).train()
    asked = network(**tokenizer(_TEXT, return_tensors="pt")).logits.sum()
    asked.backward()
    calls: list[int] = []
    network.bert.register_forward_hook(lambda *_: calls.append(1))
    side, before = tokenizer.padding_side, _seen(network)

    model = inspector.load(network, tokenizer, "mine")
    ours = inspector.attend(model, _TEXT).probabilities
    for public in (
        lambda: inspector.attend(network, _TEXT),
        lambda: inspector.weight_statistics(network),
        lambda: inspector.rollout(network, _TEXT),
    ):
        public()

    after = _seen(network)
    assert [name for name in before if not _same(before[name], after[name])] == []
    assert (calls, tokenizer.padding_side) == ([], side)
    assert model.name == "mine"
    np.testing.assert_array_equal(ours, inspector.attend("minilm", _TEXT).probabilities)
    # The same numbers in memory, not a second model.
    embeddings: Any = model.model.get_input_embeddings()  # type: ignore[operator]
    assert embeddings.weight.data_ptr() == network.bert.embeddings.word_embeddings.weight.data_ptr()
    assert inspector.load(model) is model
    with pytest.raises(
        InputError, match=r"tokenizer \(.*\) must be left out beside a loaded model"
    ):
        inspector.load(model, tokenizer)


def test_what_computes_otherwise_than_its_weights_is_not_read_in_silence(
    tokenizer: Any, caplog: Any
) -> None:
    network = _tiny(tokenizer)
    network.encoder.layer[0].register_forward_hook(lambda module, given, made: 2 * made)
    inspector.load(network, tokenizer)
    assert "model (BertModel) has 1 hook(s) of your own (encoder.layer.0): it is read without" in (
        caplog.text
    )
    AttentionInterface.register("halved", lambda *given, **options: 1 / 0)
    try:
        network.set_attn_implementation("halved")
        for public in (inspector.load, inspector.verify):
            with pytest.raises(ModelError, match=r"runs on an attention of your own \(halved\)"):
                public(network)
        network.set_attn_implementation("sdpa")
        assert inspector.load(network, tokenizer).n_layers
    finally:
        AttentionInterface._global_mapping.pop("halved")


@pytest.mark.full
def test_no_public_function_changes_a_model_in_training(tokenizer: Any, tmp_path: Any) -> None:
    network = BertForMaskedLM(_tiny(tokenizer).config)
    network.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    network = BertForMaskedLM.from_pretrained(tmp_path).train()
    network(**tokenizer(_TEXT, return_tensors="pt")).logits.sum().backward()
    network.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    network.bert.register_forward_hook(lambda *_: None)
    trees = inspector.corpora.default_corpus()[:10]
    public: dict[str, Callable[[], Any]] = {
        "verify": lambda: inspector.verify(network, seed=1),
        "verify_implementation": lambda: inspector.verify_implementation(
            lambda weights: lambda states, padding: states, network, layers=[0], seed=1
        ),
        "weight_statistics": lambda: inspector.weight_statistics(network),
        "composition": lambda: inspector.composition(network),
        "vocabulary_circuits": lambda: inspector.vocabulary_circuits(network),
        "attend": lambda: inspector.attend(network, [_TEXT, "Hi."], words=True),
        "attend_top": lambda: inspector.attend_top(network, _TEXT),
        "rollout": lambda: inspector.rollout(network, _TEXT),
        "ablate": lambda: inspector.ablate(network, "0-1", trees),
        "head_importance": lambda: inspector.head_importance(network, trees, check=False),
        "robustness": lambda: inspector.robustness(network, trees),
        "profile": lambda: inspector.profile(network, trees),
        "report": lambda: inspector.report(network, trees),
    }
    for name, call in public.items():
        before = _seen(network)
        call()
        after = _seen(network)
        assert [part for part in before if not _same(before[part], after[part])] == [], name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_a_training_step_is_seen(tokenizer: Any, dtype: torch.dtype) -> None:
    network = _tiny(tokenizer).to(dtype)
    model = inspector.load(network, tokenizer)
    before = inspector.attend(model, _TEXT).probabilities
    again = inspector.attend(model, _TEXT).probabilities
    np.testing.assert_array_equal(before, again)
    with torch.no_grad():
        network.encoder.layer[0].attention.self.query.weight.mul_(50.0)
    after = inspector.attend(model, _TEXT).probabilities
    fresh = inspector.attend(inspector.load(network, tokenizer), _TEXT).probabilities
    np.testing.assert_array_equal(after, fresh)
    assert np.abs(after - before)[0].max() > 0.01
    assert model.dtype == ("float32" if dtype == torch.float16 else str(dtype)[6:])


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")  # peft asks it
def test_adapters_count_as_they_are_switched(tokenizer: Any) -> None:
    peft = pytest.importorskip("peft", reason="peft is not installed: it makes adapters")
    config = peft.LoraConfig(target_modules=["query", "value"], init_lora_weights=False)
    network = peft.get_peft_model(_tiny(tokenizer), config).eval()
    inputs = tokenizer(_TEXT, return_tensors="pt")

    def states() -> torch.Tensor:
        with torch.no_grad():
            states: torch.Tensor = network(**inputs).last_hidden_state
        return states

    model = inspector.load(network, tokenizer)
    with torch.no_grad():
        torch.testing.assert_close(model.model(**inputs).last_hidden_state, states())
    adapted = inspector.attend(model, _TEXT).probabilities
    with network.disable_adapter():
        without = inspector.attend(model, _TEXT).probabilities
    assert np.abs(adapted - without).max() > 1e-3
    np.testing.assert_array_equal(inspector.attend(model, _TEXT).probabilities, adapted)
    assert (
        type(network.base_model.model.encoder.layer[0].attention.self.query).__module__[:4]
        == "peft"
    )

    prompts = peft.PromptTuningConfig(num_virtual_tokens=3, task_type="FEATURE_EXTRACTION")
    with pytest.raises(InputError, match="steered by learned prompts"):
        inspector.load(peft.get_peft_model(_tiny(tokenizer), prompts), tokenizer)


def test_a_language_model_brings_its_head(tokenizer: Any) -> None:
    config = _tiny(tokenizer).config
    network = BertForMaskedLM(config).train()
    head = language_head(inspector.load(network, tokenizer))
    assert head is not None
    assert head.kind == "masked"
    assert network.training
    assert language_head(inspector.load(network.bert, tokenizer)) is None


def _without(network: Any, name: str) -> Any:
    network.config._name_or_path = name
    return network


class _Pipeline:
    def __init__(self) -> None:
        self.model = self.tokenizer = None


def _on_meta(tokenizer: Any) -> Any:
    with torch.device("meta"):
        return _tiny(tokenizer)


def _patched(tokenizer: Any) -> Any:
    network = _tiny(tokenizer)
    layer = network.encoder.layer[0]
    layer.forward = lambda *args, **kwargs: type(layer).forward(layer, *args, **kwargs)
    return network


def _meta_buffer(tokenizer: Any) -> Any:
    network = _tiny(tokenizer)
    network.embeddings.position_ids = network.embeddings.position_ids.to("meta")
    return network


def _in_eight_bits(tokenizer: Any) -> Any:
    network = _tiny(tokenizer)
    layer = network.encoder.layer[0].attention.self.query
    layer.weight = nn.Parameter(layer.weight.data.to(torch.float8_e4m3fn), requires_grad=False)
    return network


def _packed(tokenizer: Any) -> Any:
    """Codes beside their scales, as the libraries keep them that round a trained model."""
    network = _tiny(tokenizer)
    layer = nn.Module()
    layer.register_buffer("qweight", torch.zeros(4, 32, dtype=torch.int32))
    network.encoder.layer[0].attention.self.value = layer
    return network


class _Lightning(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(2, 2), network])


def _not_finite(tokenizer: Any) -> Any:
    network = _tiny(tokenizer)
    network.encoder.layer[0].attention.self.query.weight.data[0, 0] = torch.nan
    return network


def test_what_is_no_model_is_named_with_the_way_out(tokenizer: Any) -> None:
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: BertModel, r"the class BertModel\) .* what BertModel.from_pretrained"),
        (_Pipeline, r"\(_Pipeline\) .* give its .model and its .tokenizer"),
        (lambda: _tiny(tokenizer).state_dict(), r"\(OrderedDict\) .*\(model.load_state_dict"),
        (lambda: _tiny(tokenizer).config, r"\(BertConfig\) .* a configuration has no weights"),
        (lambda: tokenizer, "it is a tokenizer: give the model first"),
        (lambda: nn.Linear(2, 2), r"\(Linear\) must be a model of transformers"),
        (lambda: 3, r"\(int\) must be a model of transformers, or the name of one"),
        (lambda: _tiny(tokenizer).config.to_dict(), r"model \(dict\) .* give a name such as"),
        (lambda: (_tiny(tokenizer), tokenizer), r"\(tuple\) .* its tokenizer as two arguments"),
        (lambda: _Lightning(_tiny(tokenizer)), r"\(_Lightning\) .* give model.parts\[1\]\."),
        (lambda: _on_meta(tokenizer), r"no numbers in \d+ tensor\(s\) .* device meta"),
        (lambda: _meta_buffer(tokenizer), r"no numbers in 1 tensor\(s\) \(embeddings.position_ids"),
        (lambda: _in_eight_bits(tokenizer), r"rounded weights \(encoder.*query.weight\).*dequant"),
        (lambda: _packed(tokenizer), r"rounded weights \(encoder.layer.0.attention.self.value\)"),
        (lambda: _patched(tokenizer), r"module \(encoder.layer.0\) has a forward that was put"),
        (lambda: _not_finite(tokenizer), r"model \(BertModel\) has a value that is not finite in"),
    ]
    for given, words in cases:
        with pytest.raises((InputError, ModelError), match=words):
            inspector.load(given(), tokenizer)


def test_a_device_map_is_read_on_one_device_or_refused(tokenizer: Any, tmp_path: Any) -> None:
    place = pytest.importorskip("accelerate", reason="accelerate is not installed: it places parts")
    own = inspector.attend(inspector.load(_tiny(tokenizer), tokenizer), _TEXT).probabilities
    hooked = place.dispatch_model(_tiny(tokenizer), {"": "cpu"}, force_hooks=True)
    same = inspector.attend(inspector.load(hooked, tokenizer), _TEXT).probabilities
    np.testing.assert_array_equal(same, own)
    spread = _tiny(tokenizer)
    spread.hf_device_map = {"embeddings": 0, "encoder": 1}
    with pytest.raises(InputError, match=r"spread over several devices \(0, 1\), and inspector"):
        inspector.load(spread, tokenizer)
    same = inspector.attend(inspector.load(spread, tokenizer, device="cpu"), _TEXT).probabilities
    np.testing.assert_array_equal(same, own)
    places = {"embeddings": "cpu", "encoder": "disk", "pooler": "cpu"}
    on_disk = place.dispatch_model(_tiny(tokenizer), places, "cpu", offload_dir=str(tmp_path))
    with pytest.raises(ModelError, match=r"no numbers in .* device meta. Load it with its weights"):
        inspector.load(on_disk, tokenizer, device="cpu")


def test_a_tokenizer_must_be_there_and_the_models(tokenizer: Any, tmp_path: Any) -> None:
    network = _tiny(tokenizer)
    with pytest.raises(InputError, match=r"must be given with its tokenizer.*load\(model"):
        inspector.load(network)
    with pytest.raises(InputError, match=r"tokenizer \(x\) must be a tokenizer of transformers"):
        inspector.load(network, "x")
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n")
    other = BertTokenizer.from_pretrained(tmp_path)
    with pytest.raises(InputError, match="has embeddings for 30522: give the one that"):
        inspector.load(network, other)
    shifted = deepcopy(tokenizer)
    shifted.pad_token = "the"  # noqa: S105
    with pytest.raises(InputError, match="pads with token 1996, but the model with 0"):
        inspector.load(network, shifted)
    small = BertModel(BertConfig.from_dict({**network.config.to_dict(), "vocab_size": 100}))
    with pytest.raises(ModelError, match="it is another model's tokenizer"):
        inspector.load(small, tokenizer)
    with pytest.raises(InputError, match=r"tokenizer .* must be left out beside a model's name"):
        inspector.load("minilm", tokenizer)
    with pytest.raises(InputError, match=r"name \(x\) must be left out beside a model's name"):
        inspector.load("minilm", name="x")
    with pytest.raises(InputError, match=r"revision .* must be left out beside a model in memory"):
        inspector.load(network, tokenizer, revision="main")
    with pytest.raises(InputError, match=r"workers .* must be 1, on this machine, for a model in"):
        inspector.profile(inspector.load(network, tokenizer), workers=2)


def test_a_folder_that_a_model_came_from_has_its_tokenizer(tokenizer: Any, tmp_path: Any) -> None:
    network = _tiny(tokenizer)
    network.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    opened = BertModel.from_pretrained(tmp_path)
    ours = inspector.attend(opened, _TEXT)
    np.testing.assert_array_equal(
        ours.probabilities, inspector.attend(tmp_path, _TEXT).probabilities
    )


def _moved(tokenizer: Any, number: int, folder: Path) -> Any:
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    words[number], words[1996] = words[1996], words[number]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    return BertTokenizer.from_pretrained(folder)


def test_a_tokenizer_with_other_ids_than_the_models_own_is_refused(
    tokenizer: Any, tmp_path: Path
) -> None:
    _tiny(tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    opened = BertModel.from_pretrained(tmp_path)
    for number, token, first in ((101, "[CLS]", 101), (3000, "the", 1996)):
        with pytest.raises(InputError) as caught:
            inspector.load(opened, _moved(tokenizer, number, tmp_path / token))
        assert str(caught.value) == (
            f"tokenizer (BertTokenizer) must have '{token}' as token {first}, as the model's "
            "own, beside its weights, has: give the tokenizer that the model was trained with; if "
            "it is this one, save both in a folder and give that."
        )
    assert inspector.load(opened, tokenizer).n_layers == 2
    (tmp_path / "tokenizer.json").unlink()
    more = deepcopy(tokenizer)
    more.add_tokens(["<mine>"])
    wider = BertModel.from_pretrained(tmp_path)
    wider.resize_token_embeddings(len(more), mean_resizing=False)
    assert inspector.load(wider, more).n_layers == 2


def test_a_shuffled_vocabulary_is_refused_by_what_the_model_has_learned(
    minilm: Any, tokenizer: Any, tmp_path: Path
) -> None:
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    random.Random(0).shuffle(ordinary := words[1000:])
    (tmp_path / "vocab.txt").write_text("\n".join(words[:1000] + ordinary), encoding="utf-8")
    shuffled = BertTokenizer.from_pretrained(tmp_path)
    network = _tiny(tokenizer, minilm.d_model)
    assert inspector.load(network, shuffled).n_layers == 2, "untrained: any ids are as good"
    with torch.no_grad():
        network.get_input_embeddings().weight.copy_(minilm.model.get_input_embeddings().weight)
    assert inspector.load(network, tokenizer).n_layers == 2
    with pytest.raises(InputError, match=r"no nearer than any two words', as another model's are"):
        inspector.load(network, shuffled)
    tokenizer.save_pretrained(tmp_path / "from")
    network.name_or_path = str(tmp_path / "from")
    with pytest.raises(InputError, match=r"must have '.*' as token \d+, as the model's own"):
        inspector.load(network, shuffled)
    with pytest.raises(InputError, match=r"must have '\[CLS\]' as token 101"):
        inspector.load(network, _moved(tokenizer, 101, tmp_path / "moved"))
    was = tokenizer.get_vocab()
    with torch.no_grad():  # trained again, with the shuffled one
        again = torch.tensor([was[token] for token in words[:1000] + ordinary])
        network.get_input_embeddings().weight.copy_(network.get_input_embeddings().weight[again])
    assert inspector.load(network, shuffled).n_layers == 2


def test_what_a_user_may_do_with_a_vocabulary_is_not_refused(
    tokenizer: Any, tmp_path: Path
) -> None:
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    words[5], words[6], words[7] = "\u2028", "\x85", "\ufeffa"
    text = "\r\n".join(words) + "\r\n"
    (tmp_path / "vocab.txt").write_bytes(text.encode())
    of_lines = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    network = _tiny(tokenizer)
    network.resize_token_embeddings(len(words) + 64, mean_resizing=False)
    network.name_or_path = str(tmp_path)
    assert inspector.load(network, of_lines).n_layers == 2, "line ends are not all that look so"
    for number in range(10, 40):
        words[number] = f"[MINE{number}]"  # unused ones before
    mine = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    assert inspector.load(network, mine).n_layers == 2
    most = {word if number < 28_000 else f"x{number}": number for number, word in enumerate(words)}
    with pytest.raises(InputError, match=r"must have '.*' as token 10,"):
        inspector.load(network, BertTokenizer(vocab=most))
    first = BertTokenizer(
        vocab={word: n for n, word in enumerate([*words[:500], *words[1000:2000]])}
    )
    small = BertModel(BertConfig.from_dict({**network.config.to_dict(), "vocab_size": 1500}))
    small.name_or_path = str(tmp_path)  # as one from its configuration has
    assert inspector.load(small, first).n_layers == 2


def test_a_tokenizer_of_a_model_that_has_just_begun_to_learn_is_not_refused(tokenizer: Any) -> None:
    has = tokenizer.get_vocab()
    network = _tiny(tokenizer)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        rows = network.get_input_embeddings().weight
        for word in (word for word in has if f"{word}s" in has):
            rows[has[f"{word}s"]] += 0.04 * rows[has[word]]
        rows[: len(rows) // 2] *= 3.0
        rows += rows.mean(0) + 0.5 * rows[:1]
    assert inspector.load(network, tokenizer).n_layers == 2
    with torch.no_grad():
        rows[30, 3] = torch.nan
    with pytest.raises(ModelError, match=r"NaN|finite"):
        inspector.load(network, tokenizer)


def test_float16_rounds_the_weights_that_are_computed_in_float32(tokenizer: Any) -> None:
    network = _tiny(tokenizer)
    rounded = inspector.load(network, tokenizer, dtype=torch.float16)
    expected = inspector.load(deepcopy(network).half(), tokenizer)
    ours = inspector.attend(rounded, _TEXT).probabilities
    np.testing.assert_array_equal(ours, inspector.attend(expected, _TEXT).probabilities)
    assert (
        np.abs(ours - inspector.attend(network, _TEXT, tokenizer=tokenizer).probabilities).max() > 0
    )
    assert repr(rounded).endswith("float32 of weights in float16>")
    with torch.no_grad():
        network.encoder.layer[0].attention.self.query.weight.mul_(50.0)
    after = inspector.attend(rounded, _TEXT).probabilities
    expected = inspector.load(deepcopy(network).half(), tokenizer)
    np.testing.assert_array_equal(after, inspector.attend(expected, _TEXT).probabilities)


def test_torchs_own_names_and_auto_are_taken() -> None:
    assert inspector.load("minilm", dtype=torch.float64).dtype == "float64"
    assert inspector.load("minilm", device="auto").device.type == (
        "cuda" if torch.cuda.is_available() else "cpu"
    )


def test_a_copy_of_what_is_wrapped_is_of_the_model_itself(tokenizer: Any) -> None:
    network = _tiny(tokenizer)
    wrapped = nn.DataParallel(network)
    ours = inspector.attend(inspector.load(wrapped, tokenizer), _TEXT).probabilities
    np.testing.assert_array_equal(
        ours, inspector.attend(inspector.load(network, tokenizer), _TEXT).probabilities
    )
    assert private_copy(network) is not network
