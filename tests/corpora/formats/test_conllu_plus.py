"""CoNLL-U Plus: columns by their names, in any order, with others, without some, or refused."""

import pytest
from support.each import each

from inspector.corpora import read_corpus
from inspector.corpora.formats.conllu_files import read_conllu, write_conllu
from inspector.errors import InputError

TEN = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"
WORDS = [
    {"ID": "1", "FORM": "Dogs", "LEMMA": "dog", "UPOS": "NOUN", "HEAD": "2", "DEPREL": "nsubj"},
    {"ID": "2", "FORM": "bark", "LEMMA": "bark", "UPOS": "VERB", "HEAD": "0", "DEPREL": "root"},
]
WORDS[1] |= {"MISC": "SpaceAfter=No", "PARSEME:MWE": "1:VID", "NER": "*"}


def table(columns, words=WORDS):
    return "".join("\t".join(word.get(name, "_") for name in columns) + "\n" for word in words)


def plus(columns, separator=" "):
    names = separator.join(columns)
    return f"# global.columns = {names}\n# sent_id = s\n# text = Dogs bark\n{table(columns)}\n"


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "plain.conllu"
    path.write_text(plus(TEN.split()).split("\n", 1)[1])
    return read_corpus(path).sentences[0]


ORDERS = {
    "as CoNLL-U": TEN.split(),
    "one more": [*TEN.split(), "PARSEME:MWE"],
    "the first ones others": ["NER", "PARSEME:MWE", *TEN.split()],
    "backwards": TEN.split()[::-1],
    "without XPOS, FEATS and DEPS": ["ID", "FORM", "LEMMA", "UPOS", "HEAD", "DEPREL", "MISC"],
    "without ID": ["FORM", "LEMMA", "UPOS", "HEAD", "DEPREL", "MISC"],
    "in small letters": TEN.lower().split(),
}


@each("suffix", [".conllu", ".conllup", ".cupt", ".CUPT"])
@each("columns", ORDERS.values(), ids=ORDERS)
def test_columns_are_read_by_their_names(tmp_path, plain, columns, suffix):
    path = tmp_path / f"bank{suffix}"
    path.write_text(plus(columns).replace(table(columns), table([one.upper() for one in columns])))
    (sentence,) = read_corpus(path, strict=True).sentences
    assert sentence == plain
    for name in ("lemma", "upos", "head", "deprel", "misc"):
        assert sentence.column(name) == plain.column(name), name
    written = tmp_path / "again.conllu"
    written.write_text(write_conllu([sentence]))
    assert read_corpus(written).sentences == [plain]


def test_names_may_be_separated_by_tabs_and_stand_alone(tmp_path, plain):
    path = tmp_path / "bank.cupt"
    path.write_text("#global.columns=" + plus([*TEN.split(), "NER"], "\t").partition("= ")[2])
    assert read_conllu(path).sentences == [plain]
    lines = path.read_text().split("\n", 1)
    path.write_text("\n\n".join(lines))  # an empty line after the names
    assert read_conllu(path).sentences == [plain]


def test_files_one_after_the_other_each_have_their_columns(tmp_path, plain):
    path = tmp_path / "both.conllup"
    path.write_text(plus([*TEN.split(), "NER"]) + plus(["HEAD", "DEPREL", "UPOS", "FORM"]))
    first, second = read_conllu(path, strict=True).sentences
    assert first == plain
    assert second.relations == plain.relations
    other = tmp_path / "other.conllu"
    other.write_text(table(TEN.split()) + "\n")
    read = read_conllu([path, other], strict=True)  # what one file names is not the next one's
    assert read.sentences[2].relations == plain.relations


def test_a_line_with_another_number_of_columns_is_malformed(tmp_path, plain):
    path = tmp_path / "bank.conllup"
    good = plus([*TEN.split(), "NER"])
    path.write_text(good.replace("\t*\n", "\n", 1) + good)
    corpus = read_conllu(path)
    assert corpus.sentences == [plain]
    (skipped,) = corpus.skipped
    assert (skipped.line, skipped.sentence) == (5, "s")
    assert skipped.reason == (
        "10 columns separated by tabs, expected 11, as # global.columns names"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            plus(["FORM"]),
            (
                "must have the columns FORM, HEAD and DEPREL, which words and trees need, and its "
                "# global.columns lacks HEAD, DEPREL: add them, or give the text alone (.txt)."
            ),
        ),
        (plus([]), "lacks FORM, HEAD, DEPREL: add them"),
        (
            plus([*TEN.split(), "NER", "NER"]),
            "names the column NER twice in its # global.columns: name each once.",
        ),
    ],
)
def test_columns_that_cannot_be(tmp_path, content, words):
    path = tmp_path / "bank.conllup"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_corpus(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"corpus ({path}, line 1) ")


@pytest.mark.parametrize("suffix", [".conllup", ".cupt"])
def test_a_file_that_must_name_its_columns_and_does_not(tmp_path, suffix):
    path = tmp_path / f"bank{suffix}"
    path.write_text("# sent_id = s\n" + table(TEN.split()) + "\n")
    with pytest.raises(InputError) as caught:
        read_corpus(path)
    assert str(caught.value) == (
        f"corpus ({path}) must name its columns in its first line, as CoNLL-U Plus does "
        f"(# global.columns = {TEN}): add that line, or, if it has these ten columns, name the "
        "file .conllu."
    )
