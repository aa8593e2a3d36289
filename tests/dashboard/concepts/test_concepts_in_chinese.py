"""Chinese examples on a model that reads Chinese; elsewhere the page says why they are English."""

import pytest
import yaml
from support.browser.dashboard_driver import texts

from inspector import words
from inspector.dashboard import walkthrough
from inspector.dashboard.settings import Settings
from inspector.models import load


@pytest.fixture(scope="module")
def reads_chinese(tmp_path_factory):
    """Return the folder of a tiny random BERT whose vocabulary is that of the Chinese examples."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("chinese")
    letters = sorted({letter for text in words.of("examples", "zh").values() for letter in text})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = BertConfig(vocab_size=len(vocabulary), intermediate_size=16, **settings)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def config(reads_chinese, tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "zh.yaml"
    path.write_text(yaml.safe_dump({"models": ["minilm", str(reads_chinese)], "language": "zh"}))
    return path


def test_in_english_the_examples_are_the_settings_own():
    given = Settings()
    examples = dict(words.of("examples", "en"))
    assert examples == {
        "sentence": given.sentence, "target": given.target, "source": given.source,
        "word": given.word, "context_1": given.contexts[0], "context_2": given.contexts[1],
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["attention", "self-attention", "multi-head", "claims"])
def test_a_model_that_reads_chinese_is_given_chinese(open_page, config, reads_chinese, mode):
    app = open_page("concepts", config=config, mode=mode, model=str(reads_chinese))
    assert not app.exception
    assert not app.warning
    assert not [one for one in app.info if "示例是英文的" in one.value]
    examples = words.of("examples", "zh")
    names = {"attention": ("target", "source"), "claims": ("sentence", "word")}
    for name in names.get(mode, ("sentence",)):
        assert app.text_input(key=name).value == examples[name]
    tokens = load(reads_chinese).encode(list(examples.values())).tokens
    assert not [one for text in tokens for one in text if one == "[UNK]"]


def test_on_a_phone_each_cell_of_the_comparison_names_its_column(open_page):
    app = open_page("concepts", mode="comparison", lang="zh")
    style = "".join(one.proto.body for one in app.get("html"))
    assert 'td:nth-child(4)::before { content: "多头自注意力"; }' in style


def test_a_model_that_does_not_is_given_english_and_the_page_says_why(open_page, config):
    app = open_page("concepts", config=config, mode="self-attention")
    assert app.text_input(key="sentence").value == Settings().sentence
    (told,) = [one.value for one in app.info if "示例是英文的" in one.value]
    known = walkthrough.vocabulary(load("minilm"), *words.of("examples", "zh").values())
    assert f"{known.tokens} 个词元中有 {known.unknown_tokens} 个未知" in told
    assert known.unknown_tokens > 20
    # Of a text of the reader's own the words themselves are named.
    app.text_input(key="sentence").set_value("银行 bank").run()
    assert not app.exception
    assert "不认识的词：" in texts(app)
    assert "bank" not in texts(app).split("不认识的词：")[1].splitlines()[0]


def test_an_example_follows_the_language_and_what_was_typed_does_not(
    open_page, config, reads_chinese
):
    app = open_page("concepts", config=config, mode="self-attention", model=str(reads_chinese))
    app.segmented_control(key="lang").set_value("en").run()
    assert app.text_input(key="sentence").value == Settings().sentence
    app.text_input(key="sentence").set_value("我的猫").run()
    app.segmented_control(key="lang").set_value("zh").run()
    assert app.text_input(key="sentence").value == "我的猫"


def test_an_operators_own_text_is_not_replaced(open_page, tmp_path, reads_chinese):
    path = tmp_path / "own.yaml"
    own = {"models": [str(reads_chinese)], "language": "zh", "sentence": "河边的银行"}
    path.write_text(yaml.safe_dump(own))
    app = open_page("concepts", config=path, mode="self-attention")
    assert app.text_input(key="sentence").value == "河边的银行"
