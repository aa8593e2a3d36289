"""One door for every corpus: what it takes and what it refuses."""

import hashlib

import pytest

GO = "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\t_\n"


@pytest.mark.parametrize("name", ["a.conllu", "a.CONLLU"])
def test_a_treebank_is_known_by_its_suffix(write, name):
    from inspector.corpora import read_corpus

    path = write(GO, name)
    assert read_corpus(path).annotation == "gold"
    assert read_corpus(str(path)).annotation == "gold"
    assert len(read_corpus([path, path]).sentences) == 2


def test_strict_and_labels_are_passed_on(write):
    from inspector.corpora import read_corpus
    from inspector.errors import InputError

    path = write(f"{GO}2\tx\t_\tX\t_\t_\t1\tobj:x\t_\t_\n\n{GO.replace('0', '1')}")
    (sentence,) = read_corpus(path, labels="full").sentences
    assert sentence.relations[0].label == "obj:x"
    with pytest.raises(InputError, match="word 1 is its own HEAD"):
        read_corpus(path, strict=True)


def test_text_and_trees_are_not_mixed(write):
    from inspector.corpora import read_corpus
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        read_corpus([write(GO), write("Go.", "a.txt")])
    assert str(error.value) == (
        "corpus must be of one kind, not '.conllu' and '.txt': plain text has no gold trees. "
        "Give them as two corpora."
    )


def test_trees_are_not_parsed_again(write):
    from inspector.corpora import read_corpus
    from inspector.errors import InputError

    path = write(GO)
    with pytest.raises(InputError) as error:
        read_corpus(path, parse=True)
    assert str(error.value) == (
        f"parse is for plain text: corpus ({path}) has trees already. Leave it out (--parse)."
    )


@pytest.mark.parametrize(
    ("name", "given", "do"),
    [
        ("a.pdf", "has the suffix '.pdf'", "save it as, or rename it to, what it is"),
        ("a", "has no suffix", "save it as, or rename it to, what it is"),
        ("a.conllu.gz", "has the suffix '.gz'", "unpack it first"),
    ],
)
def test_another_suffix_is_refused(write, name, given, do):
    from inspector.corpora import read_corpus
    from inspector.errors import InputError

    path = write(GO, name)
    with pytest.raises(InputError) as error:
        read_corpus(path)
    assert str(error.value) == (
        f"corpus ({path}) {given}, which cannot be read: {do}. "
        "Available: '.conllu', '.conllup', '.cupt', '.txt', '.tsv', '.dev'."
    )


def test_a_name_that_nobody_knows_is_refused():
    from inspector.corpora import read_corpus
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        read_corpus("en_ewt\x1b")
    assert str(error.value) == (
        "corpus (en_ewt\\x1b) must be a file that exists, or a known name. "
        "Available: en_ewt-ud-dev, en_gum-ud-dev."
    )


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    from inspector.corpora import read_corpus
    from inspector.errors import InputError, OutputError

    with pytest.raises(OutputError, match="No such file or directory"):
        read_corpus(tmp_path / "a.txt")
    with pytest.raises(InputError, match="is a folder: give its files"):
        read_corpus(tmp_path)


def test_a_known_name_is_read_from_the_cache(gold_file, tmp_path, monkeypatch):
    from inspector.corpora import read_corpus

    content = gold_file("ewt").read_bytes()
    cached = tmp_path / "corpora" / "en_ewt-ud-dev.conllu"
    cached.parent.mkdir()
    cached.write_bytes(content)
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path))
    corpus = read_corpus("en_ewt-ud-dev", strict=True)
    assert corpus.sha256 == hashlib.sha256(content).hexdigest()
    assert corpus.name == "en_ewt-ud-dev"
