"""What stands in memory is read as a file of it would be, wherever a corpus is taken."""

import io
from types import SimpleNamespace

import conllu
import numpy as np
import pandas as pd
import pytest
from support.each import each

import inspector
from inspector.corpora import memory_corpus, read_conllu, read_text
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.default import sample_files
from inspector.errors import InputError

TEXTS = ["The cat sat. It slept.", "Dogs bark at night."]
WORDS = [["The", "cat", "sat"], ["It", "slept"]]


def words(corpus):
    return [sentence.words for sentence in corpus]


def test_texts_are_read_as_the_lines_of_a_file(write):
    corpus = memory_corpus(TEXTS)
    of_file = read_text(write("\n\n".join(TEXTS), "texts.txt"))
    assert words(corpus) == words(of_file)
    assert [one.text for one in corpus] == [one.text for one in of_file]
    assert corpus.document_ids() == ["texts-00001", "texts-00001", "texts-00002"]
    assert (corpus.name, corpus.annotation) == ("texts", "none")
    assert {one.file for one in corpus} == {""}
    assert len(set(memory_corpus(["Go."] * 45).document_ids())) == 3
    assert words(memory_corpus("今天天气很好。"))[0][:2] == ("今", "天")
    assert memory_corpus(TEXTS).sha256 == corpus.sha256 != memory_corpus(TEXTS[:1]).sha256


def test_tables_lists_and_series_say_the_same(write):
    frame = pd.DataFrame({"text": TEXTS, "document": ["a", "b"], "other": [1, 2]})
    dataset = SimpleNamespace(column_names=list(frame), to_pandas=lambda: frame)
    for given in (frame, dataset):
        corpus = memory_corpus(given)
        assert words(corpus) == words(memory_corpus(TEXTS))
        assert corpus.document_ids() == ["a", "a", "b"]
    assert words(memory_corpus(frame["text"])) == words(memory_corpus(TEXTS))
    of_words = pd.DataFrame({"words": WORDS, "document": ["a", "b"]})
    assert words(memory_corpus(of_words)) == [tuple(one) for one in WORDS]
    assert words(memory_corpus(WORDS)) == words(memory_corpus(tuple(map(tuple, WORDS))))


def test_an_empty_row_moves_no_document():
    frame = pd.DataFrame({"text": ["Go. Stop.", " ", "Wait."], "document": ["a", "b", "c"]})
    assert memory_corpus(frame).document_ids() == ["a", "a", "c"]


def test_token_lists_of_conllu_are_read_as_their_file():
    path = sample_files()[0]
    lists = conllu.parse(path.read_text(encoding="utf-8"))
    corpus, of_file = memory_corpus(lists), read_conllu(path)
    assert [one.relations for one in corpus] == [one.relations for one in of_file]
    assert corpus.document_ids() == of_file.document_ids()
    assert corpus.annotation == of_file.annotation
    assert words(memory_corpus(lists[0])) == words(of_file)[:1]
    written = memory_corpus(path.read_text(encoding="utf-8"))
    assert [one.relations for one in written] == [one.relations for one in of_file]


class Token(SimpleNamespace):
    """What we use of a spaCy token."""

    is_space = False

    @property
    def text_with_ws(self):
        return f"{self.text} "


class Doc(list):
    """What we use of a spaCy Doc: one sentence of two words."""

    lang_ = "en"

    def __init__(self, *, parsed):
        dogs, bark = (
            Token(text="Dogs", i=0, dep_="nsubj", pos_="NOUN"),
            Token(text="bark", i=1, dep_="ROOT", pos_="VERB"),
        )
        dogs.head = bark.head = bark
        super().__init__([dogs, bark])
        self.parsed, self.sents = parsed, [self]

    def has_annotation(self, name):
        return self.parsed


def test_docs_of_spacy_keep_their_trees_and_are_silver():
    parsed = memory_corpus([Doc(parsed=True), Doc(parsed=True)])
    assert [(r.label, r.source, r.target) for r in parsed[0].relations] == [("nsubj", 0, 1)]
    assert (parsed.annotation, parsed.document_ids()) == (
        "silver:spacy (en)",
        ["doc-00001", "doc-00002"],
    )
    plain = memory_corpus(Doc(parsed=False))
    assert (plain.annotation, plain[0].relations, words(plain)) == ("none", (), [("Dogs", "bark")])


def test_public_functions_take_them(write):
    run = inspector.profile("minilm", TEXTS, ablation=False)
    file = inspector.profile("minilm", write("\n\n".join(TEXTS), "t.txt"), ablation=False)
    pd.testing.assert_frame_equal(run.behaviour, file.behaviour)
    assert (run.manifest.corpus, len(run.claims)) == ("texts", 0)


def test_names_stay_names_and_texts_texts(write):
    path = str(write("Go. Stop.\n", "two words.txt"))
    for given in (path, [path], [path, path]):
        assert {one.name for one in read_annotated(given)} == {"two words"}
    assert [one.name for one in read_annotated("The cat sat.")] == ["texts"]
    for given, sentence in {
        "absent": r"corpus \(absent\) must be a file that exists, or a known name",
        "no such.conllu": "no such.conllu",
        (path, "The cat sat."): "must be files, or what stands in memory, not both",
    }.items():
        with pytest.raises((InputError, OSError), match=sentence):
            read_annotated(given if isinstance(given, str) else list(given))


@each(
    ("given", "sentence"),
    [
        (
            pd.DataFrame({"a": [1], "b": [2]}),
            r"corpus \(DataFrame with columns a, b\) has no column text or words",
        ),
        (pd.DataFrame({"text": ["Go.", 3]}), r"text \(3\) in row 1 of corpus must be a text"),
        (pd.DataFrame({"words": ["Go."]}), r"words \(Go\.\) in row 0 of corpus must be a list of"),
        (pd.DataFrame({"text": []}), "no rows"),
        ([], r"corpus \(\[\]\) must be at least one: give a corpus"),
        (" ", r"corpus \(an empty text\) must hold at least one word"),
        (["Go.", 3], r"corpus \(3\) must be a file, a known name, a text"),
        (b"Go.", r"corpus \(b'Go.'\) must be a file"),
        ({"text": "Go."}, r"corpus \({'text': 'Go.'}\) must be a file"),
        (3, r"corpus \(3\) must be a file"),
        (["a\ud800b c"], "must be valid Unicode"),
        ([["Go"], []], r"words \(\[\]\) of sentence 1 must be at least one"),
        ([["Go", " "]], "none of them empty"),
        ([{"text": "Go."}], r"corpus \({'text': 'Go.'}\) must be a file, a known name, a text"),
        ([pd.DataFrame({"text": ["Go."]})], r"corpus \(.*Go.*\) must be a file, a known name"),
        (np.array("Go."), r"corpus \(array\('Go.'.*\) must be a file, a known name"),
        (["Go.", ["It", "slept"]], r"must hold one kind of things, not Go. and \['It', 'slept'\]"),
        (io.StringIO("Go."), r"corpus \(an open file, .*\) must be closed: give its name"),
        (pd.DataFrame([["Go.", "It."]], columns=["text", "text"]), "2 columns text. must have one"),
        (
            pd.DataFrame({"text": ["Go.", "It."], "document": ["a", None]}),
            r"document \(nan\) in row 1 of corpus must be a name",
        ),
    ],
)
def test_what_is_no_corpus_is_named_with_what_is_taken(given, sentence):
    with pytest.raises(InputError, match=sentence):
        memory_corpus(given)


def test_a_part_of_a_corpus_is_one():
    corpus = memory_corpus(["Go.", "Stop.", "Wait."] * 20)
    part = corpus[10:50]
    assert (len(corpus), len(part), part[0].words, list(part)) == (
        60, 40, corpus[10].words, part.sentences,
    )  # fmt: skip
    assert part.document_ids() == corpus.document_ids()[10:50]
    assert part.sha256 != corpus.sha256
    # Without names of documents blocks of 20 are counted from the first sentence of the whole.
    unnamed = memory_corpus([["Go"]] * 60)
    assert unnamed[10:50].document_ids() == unnamed.document_ids()[10:50]
    drawn = corpus.sample(7, seed=3)
    assert [one.id for one in drawn] == [one.id for one in corpus.sample(7, seed=3)]
    order = [one.id for one in corpus]
    places = [order.index(one.id) for one in drawn]
    assert places == sorted(places)
    assert [one.id for one in drawn] != [one.id for one in corpus.sample(7, seed=4)]
    assert repr(drawn).startswith("<Corpus texts: 7 sentences, ")
    with pytest.raises(InputError, match=r"seed \(-1\) must be a whole number"):
        corpus.sample(7, seed=-1)
    with pytest.raises(InputError, match=r"sentence \('a'\) must be a number, or a part such as"):
        corpus["a"]
    with pytest.raises(IndexError, match=r"sentence \(60\) must be one of the corpus's 60"):
        corpus[60]
    for n in (0, 61, "two"):
        with pytest.raises(InputError, match=r"n \(.*\) must be a number of sentences that the"):
            corpus.sample(n)


def test_the_constructors_give_what_a_corpus_argument_gives():
    path = sample_files()[0]
    written = path.read_text(encoding="utf-8")
    frame = pd.DataFrame({"text": TEXTS})
    made = {
        "text": (inspector.Corpus.from_text(TEXTS[0]), TEXTS[0]),
        "texts": (inspector.Corpus.from_texts(TEXTS), TEXTS),
        "series": (inspector.Corpus.from_texts(frame["text"]), TEXTS),
        "words": (inspector.Corpus.from_words(iter(WORDS)), WORDS),
        "sentence": (inspector.Corpus.from_words(WORDS[0]), WORDS[:1]),
        "frame": (inspector.Corpus.from_frame(frame), frame),
        "lists": (inspector.Corpus.from_conllu(conllu.parse(written)), conllu.parse(written)),
        "file": (inspector.Corpus.from_conllu(path), path),
        "content": (inspector.Corpus.from_conllu(written), conllu.parse(written)),
    }
    for name, (corpus, given) in made.items():
        (expected,) = read_annotated(given)
        assert list(corpus) == list(expected), name
        assert corpus.annotation == expected.annotation, name
    assert {one.kind for sentence in made["content"][0] for one in sentence.relations} > {"syntax"}


@each(
    ("form", "given", "sentence"),
    [
        ("text", TEXTS, "must be one text."),
        ("texts", "One text.", "must be texts, in a list or a Series."),
        ("words", pd.DataFrame({"a": ["b"]}), "must be a list of words, or several such lists."),
        ("texts", [], "must be texts, in a list or a Series."),
        ("words", "The cat", "must be a list of words, or several such lists."),
        ("frame", TEXTS, "must be a DataFrame with a column text or words."),
        ("conllu", TEXTS, "must be a file, CoNLL-U, or TokenLists."),
        ("spacy", TEXTS[0], "must be a Doc, or several."),
    ],
)
def test_a_constructor_refuses_another_form(form, given, sentence):
    with pytest.raises(InputError) as caught:
        getattr(inspector.Corpus, f"from_{form}")(given)
    shown = "a 0  b" if isinstance(given, pd.DataFrame) else repr(given)
    assert str(caught.value) == f"{form} ({shown}) {sentence}"
