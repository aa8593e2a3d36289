"""YAML of strangers: plain data, or a reason in a few words; never a traceback, never a hang."""

import time
from pathlib import Path

import pytest
import yaml
from support.each import each

import inspector
from inspector.corpora import named_corpora
from inspector.dashboard.settings import read_settings
from inspector.errors import InputError
from inspector.yaml_file import YamlError, read_own_yaml, read_yaml

SHIPPED = sorted(Path(inspector.__file__).parent.rglob("*.yaml"))
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
BAD = {
    "a bomb of aliases": (LAUGHS, "it has aliases (*name): write out what they stand for"),
    "an alias of itself": ("a: &a [*a]", "it has aliases (*name): write out what they stand for"),
    "thousands of digits": (f"a: {'9' * 5000}", "a number in it has more than 40 digits"),
    "a million bits": (f"a: 0x{'f' * 300_000}", "a number in it has more than 40 digits"),
    "base sixty": (f"a: 1{':59' * 200_000}", "a number in it has more than 40 digits"),
    "a float of digits": (f"a: 1.{'0' * 5000}", "a number in it has more than 40 digits"),
    "a day that is none": ("a: 2026-02-31", "it has a number or a date that cannot be"),
    "no number, so tagged": ("a: !!int x", "it has a number or a date that cannot be"),
    "nests": ("[" * 5_000, "it is nested too deeply"),
    "nests of maps": ("{a: " * 5_000, "it is nested too deeply"),
    "an object": (
        "!!python/object/apply:os.getcwd []",
        "could not determine a constructor for the tag",
    ),
    "a list as a key": ("? [a]\n: b", "while constructing a mapping"),
    "a key twice": ("a: 1\nb: {c: 1,\n  c: 2}", "it has the key 'c' twice, line 3"),
    "a tab": (
        "a: {\n\tb: 1}",
        "while scanning for the next token: found character '\\t' that cannot start any token, ",
    ),
    "two documents": ("a: 1\n---\nb: 2", "expected a single document in the stream"),
    "not UTF-8": (b"\xff\xfe", "it is not UTF-8 text"),
    "a control character": ("a: \x07", "unacceptable character #x0007: special characters are not"),
}


@each(("content", "words"), BAD.values(), ids=BAD)
def test_what_is_no_plain_yaml_is_said_at_once(tmp_path, content, words):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    started = time.process_time()
    with pytest.raises(YamlError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(words)
    for read in (read_settings, named_corpora):  # whoever reads YAML says it in a sentence
        with pytest.raises(InputError) as caught:
            read(path)
        assert words in str(caught.value)
        assert len(str(caught.value)) < 500
    assert time.process_time() - started < 15


@each(
    ("text", "data"),
    [
        ("", None),
        ("a: [1, 0x1f, -2.5, .inf, yes, 2026-11-28T00:00:00Z]", None),
        ("a: &b 1", {"a": 1}),
    ],
)
def test_plain_data_are_what_yaml_says(tmp_path, text, data):
    import yaml

    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert read_yaml(path) == yaml.safe_load(text)
    if data is not None:
        assert read_yaml(path) == data


@each("entry", ["a: 5", "a: {1: x, b: y}", "a: {bytes: .nan}", "a: {? 2026-01-01 : 1}", "1.5: {}"])
def test_a_registry_of_anything_is_refused_in_a_sentence(tmp_path, entry):
    path = tmp_path / "registry.yaml"
    path.write_text(entry)
    with pytest.raises(InputError, match=r"in the registry must have a plain name and title"):
        named_corpora(path)


class NoDuplicates(yaml.SafeLoader):
    """YAML lets a later key replace an earlier one without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
        return super().construct_mapping(node, deep)


def no_duplicates(text):
    loader = NoDuplicates(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


@each("path", SHIPPED, ids=lambda path: path.stem)
def test_no_table_of_inspector_says_a_thing_twice(path):
    assert no_duplicates(path.read_text(encoding="utf-8")) == read_own_yaml(path)


def test_control_a_key_that_stands_twice_is_seen():
    with pytest.raises(AssertionError):
        no_duplicates("a: 1\nb: {c: 1, c: 2}")


def test_a_table_of_inspector_that_is_no_yaml_is_said(tmp_path):
    (tmp_path / "a.yaml").write_text("a: [")
    with pytest.raises(YamlError, match="while parsing a flow node"):
        read_own_yaml(tmp_path / "a.yaml")
