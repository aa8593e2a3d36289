"""The tokenizer that runs is the folder's: compared with what `tokenizers` makes of its file."""

import json
import os
import shutil
import time
from contextlib import suppress
from threading import Event, Thread

import pytest
from support.each import each
from support.tiny.decoders import byte_level_tokenizer, save_tiny_decoder
from tokenizers import Tokenizer

import inspector
from inspector.errors import InputError, ModelError
from inspector.models import load, word_batches
from inspector.models.tokenizing.guarded import muted, tokenized, within

TEXTS = (
    "cattle category",
    "The old cat, not THE dog; Straße İstanbul ÄÖÜ café e\u0301 2023 日本 x\ty\n 👍🏽 \u00a0don't.",
    "rain",
    " A  b",
)


@pytest.fixture(autouse=True)
def _no_backtrace(monkeypatch):
    """Let a panic be quick: to name its frames takes Rust seconds."""
    monkeypatch.setenv("RUST_BACKTRACE", "0")


def edit(path, change):
    content = json.loads(path.read_text()) if path.exists() else {}
    changed = change(content)
    path.write_text(json.dumps(content if changed is None else changed))


def copied(tiny_folder, tmp_path, family="bert"):
    return shutil.copytree(tiny_folder(family), tmp_path / family)


def with_rules(folder, **parts):
    edit(folder / "tokenizer.json", lambda content: content.update(parts))
    return folder


def with_model(folder, **settings):
    edit(folder / "tokenizer.json", lambda content: content["model"].update(settings))
    return folder


def settings(folder, **entries):
    edit(folder / "tokenizer_config.json", lambda content: {**content, **entries})
    return folder


def of_the_file(folder, text):
    whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
    whole.no_truncation()
    whole.no_padding()
    return whole.encode(text, add_special_tokens=False).ids


def assert_the_files(folder):
    """Check text by text; return the model."""
    model = load(folder)
    for text in TEXTS:
        ours = model.encode([text], special=False).input_ids[0].tolist()
        assert ours == of_the_file(folder, text), text
    return model


def transformers_agrees(folder):
    """Return whether transformers' own choice of class would have passed."""
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder)
    return all(
        theirs(text, add_special_tokens=False)["input_ids"] == of_the_file(folder, text)
        for text in TEXTS
    )


SPLIT = {"type": "Split", "pattern": {"Regex": "[aeiou]"}, "behavior": "Isolated", "invert": False}
# What the file says and the class does not.
DIFFERENT = {
    "kept in capitals": lambda folder: with_rules(
        folder,
        normalizer={
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": False,
        },
    ),
    "accents kept": lambda folder: with_rules(folder, normalizer={"type": "Lowercase"}),
    "a rule for digits": lambda folder: with_rules(
        folder,
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [
                {"type": "BertPreTokenizer"}, {"type": "Digits", "individual_digits": True},
            ],
        },
        normalizer={
            "type": "Replace", "pattern": {"String": "2023"}, "content": "1",
        },
    ),
    "split at vowels": lambda folder: with_rules(folder, pre_tokenizer=SPLIT),
    "nothing split": lambda folder: with_rules(folder, pre_tokenizer=None),
    "shorter words unknown": lambda folder: with_model(folder, max_input_chars_per_word=3),
    "another mark within words": lambda folder: with_model(folder, continuing_subword_prefix="%"),
    "an added token": lambda folder: with_rules(
        folder,
        added_tokens=[
            *json.loads((folder / "tokenizer.json").read_text())["added_tokens"],
            {
                "id": 5, "content": "the", "single_word": False, "lstrip": True, "rstrip": True,
                "normalized": True, "special": False,
            },
        ],
    ),
    "a token that only the settings add": lambda folder: settings(
        folder,
        added_tokens_decoder={
            **{
                str(token["id"]): {k: v for k, v in token.items() if k != "id"}
                for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
            },
            "6": {"content": "cat", "special": False, "normalized": True},
        },
    ),
}  # fmt: skip


@each("change", DIFFERENT.values(), ids=DIFFERENT)
def test_where_the_class_differs_the_files_runs(tiny_folder, tmp_path, change):
    folder = change(copied(tiny_folder, tmp_path))
    assert_the_files(folder)
    assert transformers_agrees(folder) == (change is DIFFERENT["an added token"])


@each("family", ["bert", "distilbert", "roberta", "xlm-roberta", "albert"])
def test_control_an_ordinary_folders_is_transformers_own(tiny, tiny_folder, family):
    from transformers import AutoTokenizer

    assert_the_files(tiny_folder(family))
    assert transformers_agrees(tiny_folder(family))
    theirs = AutoTokenizer.from_pretrained(tiny_folder(family))
    ours = tiny(family).tokenizer
    assert type(ours) is type(theirs)
    for text in TEXTS:
        assert ours(text)["input_ids"] == theirs(text)["input_ids"]


def test_special_tokens_stay_around_a_text_that_the_files_rules_cut(tiny_folder, tmp_path):
    folder = DIFFERENT["kept in capitals"](copied(tiny_folder, tmp_path))
    batch = load(folder).encode(["the cat"], ["a dog"])
    assert batch.tokens == [["[CLS]", "the", "cat", "[SEP]", "a", "dog", "[SEP]"]]
    assert batch.token_type_ids[0].tolist() == [0, 0, 0, 0, 1, 1, 1]


@each("name", ["PreTrainedTokenizerFast", "GPT2Tokenizer", "T5Tokenizer", "EsmTokenizer", "Nope"])
def test_a_foreign_class_changes_nothing(tiny_folder, tmp_path, tiny, name):
    """Slow classes too, and those that want other files; second texts keep their kind."""
    folder = settings(copied(tiny_folder, tmp_path), tokenizer_class=name)
    model = assert_the_files(folder)
    own = tiny("bert").encode(["the cat"], ["a dog"])
    batch = model.encode(["the cat"], ["a dog"])
    assert batch.tokens == own.tokens
    assert batch.token_type_ids.tolist() == own.token_type_ids.tolist()


def test_a_file_of_another_name_does_not_take_the_place_of_tokenizer_json(tiny_folder, tmp_path):
    folder = settings(copied(tiny_folder, tmp_path), fast_tokenizer_files=["tokenizer.4.json"])
    assert_the_files(folder)


def test_what_the_file_puts_around_a_text_is_put_there(tiny_folder, tmp_path):
    end = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    folder = with_rules(
        copied(tiny_folder, tmp_path),
        post_processor={
            "type": "TemplateProcessing", "single": [first, end], "pair": [first, end, second],
            "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}},
        },
    )  # fmt: skip
    assert load(folder).encode(["the cat"]).tokens == [["the", "cat", "[SEP]"]]


def test_add_bos_token_is_the_configurations_word(tmp_path):
    """Whatever transformers makes of it, nothing is refused and the text's own tokens are right."""
    from transformers import AutoTokenizer

    folder = save_tiny_decoder(tmp_path / "llama", "llama", max_position_embeddings=128)
    settings(folder, add_bos_token=True, bos_token="<|endoftext|>")  # noqa: S106  # a token
    model = assert_the_files(folder)
    theirs = AutoTokenizer.from_pretrained(folder)("rain")["input_ids"]
    assert model.encode(["rain"]).input_ids[0].tolist() == theirs


def test_no_token_is_drawn_by_chance(tmp_path):
    folder = with_model(save_tiny_decoder(tmp_path / "gpt2", "gpt2"), dropout=0.5)
    drawn = byte_level_tokenizer()
    text = "The keys to the old cabinet are on the kitchen table"
    model = load(folder)
    expected = drawn(text)["input_ids"]
    assert all(model.encode([text]).input_ids[0].tolist() == expected for _ in range(20))


def test_the_files_padding_and_truncation_are_off(tiny_folder, tmp_path):
    folder = with_rules(
        copied(tiny_folder, tmp_path),
        truncation={
            "direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0,
        },
        padding={
            "strategy": {"Fixed": 20}, "direction": "Left", "pad_to_multiple_of": None,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
        },
    )  # fmt: skip
    model = assert_the_files(folder)
    assert model.encode(["the cat had rain"]).input_ids.shape == (1, 6)


@each("names", [["input_ids"], ["foo"], ["attention_mask", "input_ids"]])
def test_the_mask_is_there_whatever_the_file_asks_for(tiny_folder, tmp_path, names):
    folder = settings(copied(tiny_folder, tmp_path), model_input_names=names)
    batch = load(folder).encode(["the cat", "rain"])
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert batch.token_type_ids is None


class TestACasedVocabularyAlone:
    def alone(self, folder, words, **said):
        """Leave nothing but vocab.txt of a tokenizer, as long as before."""
        vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        listed = sorted(vocabulary, key=vocabulary.get)
        listed[-len(words) :] = words
        (folder / "tokenizer.json").unlink()
        (folder / "tokenizer_config.json").unlink()
        (folder / "vocab.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
        if said:
            settings(folder, **said)
        return load(folder)

    @each("family", ["bert", "distilbert", "electra"])
    @each("said", [{}, {"model_max_length": 64}])
    def test_it_keeps_capitals_and_accents(self, tiny_folder, tmp_path, family, said):
        model = self.alone(copied(tiny_folder, tmp_path, family), ["Anna", "Café"], **said)
        assert model.encode(["the Anna Café"], special=False).tokens == [["the", "Anna", "Café"]]

    def test_one_of_small_letters_is_for_small_letters(self, tiny_folder, tmp_path):
        model = self.alone(copied(tiny_folder, tmp_path), ["anna", "cafe"])
        assert model.encode(["The ANNA Café"], special=False).tokens == [["the", "anna", "cafe"]]

    def test_one_of_small_letters_with_accents_keeps_them(self, tiny_folder, tmp_path):
        model = self.alone(copied(tiny_folder, tmp_path), ["anna", "café"])
        assert model.encode(["The ANNA Café"], special=False).tokens == [["the", "anna", "café"]]

    def test_what_the_file_says_stands(self, tiny_folder, tmp_path):
        folder = copied(tiny_folder, tmp_path)
        model = self.alone(folder, ["Anna", "anna"], do_lower_case=True)
        assert model.encode(["The Anna"], special=False).tokens == [["the", "anna"]]

    def test_special_tokens_are_no_capitals(self, tiny_folder, tmp_path):
        model = self.alone(copied(tiny_folder, tmp_path), ["[unused1]", "[NEW]", "<S>"])
        assert model.encode(["The CAT"], special=False).tokens == [["the", "cat"]]


REGEX = {"type": "Split", "behavior": "Isolated", "invert": False}
NORMALIZERS = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}] * 100_000}
DOUBLING = {
    "type": "Sequence",
    "normalizers": [{"type": "Replace", "pattern": {"String": "q"}, "content": "qq"}] * 40,
}


def deep(times):
    made = {"type": "Lowercase"}
    for _ in range(times):
        made = {"type": "Sequence", "normalizers": [made]}
    return made


def charsmap(text):
    return with_normalizer({"type": "Precompiled", "precompiled_charsmap": text})


def with_normalizer(normalizer):
    return lambda folder: with_rules(folder, normalizer=normalizer)


def with_regex(regex):
    return lambda folder: with_rules(folder, pre_tokenizer={**REGEX, "pattern": {"Regex": regex}})


def said(**entries):
    return lambda folder: settings(folder, **entries)


def configured(**entries):
    return lambda folder: edit(folder / "config.json", lambda content: {**content, **entries})


GAVE_UP = (
    "{folder}/tokenizer.json has a rule that fails (Onig: Regex search error: retry-limit-in-match "
    "over): save the tokenizer again."
)
AGAIN = "save the tokenizer again."


def a_length(shown):
    return (
        f"model_max_length ({shown}) in {{folder}}/tokenizer_config.json must be a whole number of "
        "at least 1: write the most tokens that the model takes, or leave it out."
    )


def a_token(name, shown):
    return (
        f"{name} ({shown}) in {{folder}}/tokenizer_config.json must be a token of the vocabulary, "
        "or null: name the one that the model was trained with."
    )


def an_id(shown):
    return (
        f"pad_token_id ({shown}) in {{folder}}/config.json must be the id of a token, from 0 to "
        "78, or null: write the tokenizer's."
    )


def around(tokens, ids, kind=0):
    """Return a post-processor that puts something before a text."""
    name = {"id": tokens, "type_id": kind}
    text = {"Sequence": {"id": "A", "type_id": kind}}
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": name}, text],
        "pair": [text, {"Sequence": {"id": "B", "type_id": kind}}],
        "special_tokens": {tokens: {"id": tokens, "ids": ids, "tokens": [tokens]}},
    }


REFUSED = {
    "repeats in repeats": (with_regex("(a+a+)+b"), GAVE_UP),
    "repeats in repeats of a letter": (with_regex("(ж+ж+)+q"), GAVE_UP),
    "repeats in repeats of words": (with_regex(r"(\w+\s?)+$"), GAVE_UP),
    "repeats in repeats, replaced": (
        with_normalizer({"type": "Replace", "pattern": {"Regex": "(x+x+)+y"}, "content": " "}),
        GAVE_UP,
    ),
    "no regex": (
        with_regex("(["),
        (
            "tokenizer of {folder} cannot be loaded: Oniguruma error: premature end of char-class "
            "at line 1 column "
        ),
    ),
    "no charsmap": (
        charsmap("AAAA"),
        'tokenizer of {folder} cannot be loaded: Precompiled: Error("Cannot parse precompiled_ch',
    ),
    "100,000 steps": (
        with_normalizer(NORMALIZERS),
        (
            "normalizer (more than 5000 entries) in {folder}/tokenizer.json must have at most 5000 "
            f"entries, at most 32 deep: {AGAIN}"
        ),
    ),
    "100 deep": (
        with_normalizer(deep(100)),
        (
            "normalizer (deeper) in {folder}/tokenizer.json must have at most 5000 entries, at "
            f"most 32 deep: {AGAIN}"
        ),
    ),
    "twice as long forty times": (
        with_normalizer(DOUBLING),
        (
            "normalizer in {folder}/tokenizer.json makes a text more than 100 times as long: "
            f"{AGAIN}"
        ),
    ),
    "words of any length": (
        lambda folder: with_model(folder, max_input_chars_per_word=10**9),
        (
            "max_input_chars_per_word (1000000000) in {folder}/tokenizer.json must be a whole "
            "number from 1 to 1000: BERT's is 100."
        ),
    ),
    "added tokens without end": (
        lambda folder: with_rules(folder, added_tokens=[{}] * 100_001),
        (
            "added_tokens (100001 entries) in {folder}/tokenizer.json must be a list of at most "
            f"100000 entries: {AGAIN}"
        ),
    ),
    "added tokens that are no list": (
        lambda folder: with_rules(folder, added_tokens=5),
        (
            "added_tokens (int) in {folder}/tokenizer.json must be a list of at most 100000 "
            f"entries: {AGAIN}"
        ),
    ),
    "an id beyond around the text": (
        lambda folder: with_rules(folder, post_processor=around("Q", [999_999])),
        (
            "post_processor in {folder}/tokenizer.json gives tokens an id of 999999, but the model "
            "has embeddings for 79: it is another model's."
        ),
    ),
    "a kind beyond": (
        lambda folder: with_rules(folder, post_processor=around("[CLS]", [2], kind=7)),
        (
            "post_processor in {folder}/tokenizer.json gives tokens a type_id of 7, but the model "
            "has embeddings for 2: it is another model's."
        ),
    ),
    "a length of letters": (said(model_max_length="abc"), a_length("'abc'")),
    "a negative length": (said(model_max_length=-5), a_length("-5")),
    "no length at all": (said(model_max_length=0), a_length("0")),
    "half a token": (said(model_max_length=2.5), a_length("2.5")),
    "a true length": (said(model_max_length=True), a_length("True")),
    "a list of lengths": (said(model_max_length=[3]), a_length("[3]")),
    "a length that is not a number": (said(model_max_length=float("nan")), a_length("nan")),
    "a length without end": (said(model_max_length=float("inf")), a_length("inf")),
    "padding with a number": (said(pad_token=5), a_token("pad_token", "5")),
    "padding with nothing": (said(pad_token=""), a_token("pad_token", "''")),
    "padding with a token that is no text": (
        said(pad_token={"content": 5, "__type": "AddedToken"}),
        a_token("pad_token", "5"),
    ),
    "nothing for unknown words": (said(unk_token=""), a_token("unk_token", "''")),
    "padding that is no token": (
        said(pad_token="[nope]"),  # noqa: S106
        (
            "tokenizer of {folder} has 1 special token(s) for which the model has no embedding "
            "([nope]): name tokens of its vocabulary in tokenizer_config.json."
        ),
    ),
    "a padding id beyond": (configured(pad_token_id=99_999), an_id("99999")),
    "a padding id far below": (configured(pad_token_id=-5), an_id("-5")),
    "a padding id of many digits": (
        configured(pad_token_id=10**30),
        an_id("a number of many digits"),
    ),
}


@each(("spoil", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_sentence_and_nothing_else(tiny_folder, tmp_path, capfd, spoil, sentence):
    """On the descriptor too, where Rust's panics are printed."""
    folder = copied(tiny_folder, tmp_path)
    spoil(folder)
    capfd.readouterr()
    with pytest.raises(ModelError) as caught:
        inspector.attend(folder, "The cat")
    expected = sentence.replace("{folder}", str(folder))
    assert str(caught.value) == expected or (
        not expected.endswith(".") and str(caught.value).startswith(expected)
    )
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@each("length", [None, 1e30, 10**30, 64, 64.0])
def test_lengths_that_are_none_or_numbers(tiny_folder, tmp_path, length):
    folder = settings(copied(tiny_folder, tmp_path), model_max_length=length)
    assert load(folder).max_tokens == (64 if length in (64, 64.0) else 96)


def test_positions_are_counted_from_the_padding_token(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path, "roberta")
    configured(pad_token_id=4)(folder)
    model = load(folder)
    assert model.max_tokens == 98 - 5
    inspector.attend(model, "t" * (model.max_tokens - 2))


def test_a_word_that_has_no_token_at_all(tiny_folder, tmp_path):
    """A vocabulary without an unknown token fails on some texts alone."""
    folder = with_model(copied(tiny_folder, tmp_path), unk_token="[NOPE]")  # noqa: S106
    model = load(folder)
    assert inspector.attend(model, "The cat").tokens == ["[CLS]", "the", "cat", "[SEP]"]
    for read in (
        lambda: inspector.attend(model, "The 日"),
        lambda: word_batches(model, [("The", "cat"), ("The", "日")], 2),
    ):
        with pytest.raises(ModelError) as caught:
            read()
        assert str(caught.value) == (
            f"tokenizer of {folder} fails on a text (WordPiece error: Missing [UNK] token from the "
            "vocabulary): one of its rules is wrong, or it has no unknown token. Save the "
            "tokenizer again."
        )


def test_a_rule_that_fails_on_one_text_is_a_sentence_alone(tiny_folder, tmp_path, capfd):
    """Rust prints of a panic where it was, before Python hears of it."""
    folder = copied(tiny_folder, tmp_path)
    with_regex("zqk(?:m+m+)+y")(folder)
    model = load(folder)
    with pytest.raises(ModelError, match=r"fails on a text .*retry-limit-in-match over"):
        inspector.attend(model, "zqk" + "m" * 200)
    assert capfd.readouterr().err == ""


def test_what_others_print_while_a_text_is_read_is_passed_on(capfd):
    tokenized(lambda *given, **options: os.write(2, b"of another thread\n"), "a text")
    assert capfd.readouterr().err == "of another thread\n"


@each("content", [b"version https://git-lfs.github.com/spec/v1\n", b"\x01" * 300])
def test_what_is_no_sentencepiece_model(tiny_folder, tmp_path, content):
    """transformers asks for a package of another format."""
    folder = copied(tiny_folder, tmp_path, "albert")
    (folder / "tokenizer.json").unlink()
    (folder / "spiece.model").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"tokenizer of {folder} is no sentencepiece model: the file is cut short, another one, or "
        "a Git LFS pointer. Download it again."
    )


def test_rust_writes_nothing_on_either_stream(tiny_folder, tmp_path, capfd):
    """It says on stdout that it does not know an option: a JSON document would not be one."""
    folder = settings(
        copied(tiny_folder, tmp_path), added_tokens_decoder={"4": {"content": "[MASK]", "odd": 1}}
    )
    capfd.readouterr()
    with suppress(ModelError):
        load(folder)
    assert capfd.readouterr() == ("", "")


def test_overlapping_mutes_leave_the_streams(capfd):
    within_first, within_second, after_first = Event(), Event(), Event()

    def second():
        within_first.wait()
        with muted():
            within_second.set()
            after_first.wait(5)

    thread = Thread(target=second)
    thread.start()
    with muted():
        within_first.set()
        within_second.wait(0.2)
    after_first.set()
    thread.join()
    os.write(1, b"out")
    os.write(2, b"err")
    assert capfd.readouterr() == ("out", "err")


def test_a_second_text_that_the_model_cannot_tell_from_the_first(tmp_path):
    from support.tiny.models import save_tiny_model

    model = load(save_tiny_model(tmp_path / "bert", type_vocab_size=1))
    assert inspector.attend(model, "The cat").tokens[1:3] == ["the", "cat"]
    with pytest.raises(InputError) as caught:
        inspector.attend(model, "The cat", "A dog")
    assert str(caught.value) == (
        f"second text cannot be read by model {model.name}, which tells 1 kind(s) of text apart: "
        "leave it out."
    )


def test_a_rule_that_does_not_end_is_given_up():
    with pytest.raises(ModelError) as caught:
        within(0.05, lambda: time.sleep(5), otherwise="it takes too long.")
    assert str(caught.value) == "it takes too long."
    with pytest.raises(KeyboardInterrupt):
        within(5.0, lambda: (_ for _ in ()).throw(KeyboardInterrupt), otherwise="")
