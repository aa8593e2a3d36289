"""Sentences made from trees: what is written as CoNLL-U comes back the same."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.each import each


def one_line(text):
    """Say whether a text can stand in a cell."""
    return bool(text.strip()) and "  " not in text


characters = st.characters(codec="utf-8", exclude_characters="\t\n\r")
cells = st.text(characters, min_size=1, max_size=8).filter(one_line)
labels = st.sampled_from(["nsubj", "nsubj:pass", "obj", "punct", "punct:x", "acl:relcl", "été"])


@st.composite
def trees(draw):
    """Draw words, heads and labels of a tree: each word hangs on one that came before it."""
    n_words = draw(st.integers(1, 9))
    order = draw(st.permutations(range(n_words)))
    heads, deprels = [-1] * n_words, ["root"] * n_words
    for place, word in enumerate(order[1:], 1):
        heads[word] = order[draw(st.integers(0, place - 1))]
        deprels[word] = draw(labels)
    texts = st.lists(cells, min_size=n_words, max_size=n_words)
    return draw(texts), heads, deprels, draw(texts)


def outer(text):
    """Return what a comment keeps of a text."""
    return text.strip()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(trees(), st.sampled_from(["d", "e"]), cells.map(outer)), min_size=1),
    st.sampled_from(["universal", "full"]),
)
def test_sentences_come_back_from_a_file_as_they_were_made(tmp_path_factory, made, kept):
    from inspector.corpora import read_conllu, tree_sentence, write_conllu

    sentences = [
        tree_sentence(
            f"s{index}",
            words,
            heads,
            deprels,
            upos=["X"] * len(words),
            document=document,
            text=text,
            misc=misc,
            labels=kept,
        )
        for index, ((words, heads, deprels, misc), document, text) in enumerate(made)
    ]
    path = tmp_path_factory.mktemp("round") / "trip.conllu"
    written = write_conllu(sentences)
    path.write_bytes(written.encode())
    corpus = read_conllu(path, labels=kept, strict=True)
    assert corpus.sentences == sentences
    assert write_conllu(corpus.sentences) == written
    for sentence, ((words, heads, deprels, misc), *_) in zip(corpus.sentences, made, strict=True):
        assert sentence.words == tuple(words)
        assert sentence.heads == tuple(heads)
        assert sentence.deprels == tuple(deprels)
        assert sentence.misc == tuple(misc)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_a_sentence(tmp_path_factory, content):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    path = tmp_path_factory.mktemp("any") / "bytes.conllu"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_conllu(path)
    assert all(unicodedata.category(c) != "Cc" for c in str(error.value))


LINE = "1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n"
pieces = st.sampled_from([*"0123-._#=\t\t\t\t\t\t \n\n", LINE, "\n\n", "1-2", "2.1", "é"])


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=60).map("".join))
def test_nearly_a_treebank_is_read_in_whole_trees_or_refused(tmp_path_factory, content):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    path = tmp_path_factory.mktemp("nearly") / "bank.conllu"
    path.write_bytes(content.encode())
    try:
        corpus = read_conllu(path)
    except InputError:
        return
    for sentence in corpus.sentences:
        assert sorted(sentence.heads)[0] == -1
        assert sentence.heads.count(-1) == 1
        assert len(sentence.heads) == len(sentence.words)


EACH = "have a head, a label and what else is given for each word, and at least one word:"
WRITABLE = (
    "be writable as CoNLL-U: no tabs or line ends in its words, none and no outer spaces in its "
    "id and text."
)


@each(
    ("change", "rule"),
    [
        (
            {"deprels": ["nsubj", "obj"]},
            "be a tree of words: word 2 has HEAD 0 and DEPREL 'obj': root goes with HEAD 0 only.",
        ),
        (
            {"heads": [1, 0], "deprels": ["nsubj", "obj"]},
            "be a tree of words: no word has HEAD 0: a tree needs a root.",
        ),
        (
            {"words": ["a\tb", "c"]},
            (
                "be a tree of words: 11 columns separated by tabs, expected 10: name them "
                "(# global.columns = …), or keep the first ten (cut -f1-10)."
            ),
        ),
        ({"text": "x\ny"}, "be a tree of words: 1 column separated by tabs, expected 10."),
        ({"words": ["a"]}, f"{EACH} it has 1 words, 2 heads, 2 labels."),
        (
            {"words": [], "heads": [], "deprels": []},
            f"{EACH} it has 0 words, 0 heads, 0 labels.",
        ),
        ({"text": " x"}, WRITABLE),
        ({"words": ["a\r", "c"]}, WRITABLE),
    ],
)
def test_what_cannot_be_written_is_refused(change, rule):
    from inspector.corpora import tree_sentence
    from inspector.errors import InputError

    given = {"words": ["Dogs", "bark"], "heads": [1, -1], "deprels": ["nsubj", "root"]} | change
    with pytest.raises(InputError) as error:
        tree_sentence("s", **given)
    assert str(error.value) == f"sentence (s) must {rule}"


def test_a_document_is_marked_where_it_begins_and_ends():
    from inspector.corpora import tree_sentence, write_conllu

    def sentence(name, document):
        return tree_sentence(name, ["Go"], [-1], ["root"], document=document)

    written = write_conllu([sentence("a", "d"), sentence("b", "d"), sentence("c", None)])
    marks = [line for line in written.splitlines() if "newdoc" in line or "sent_id" in line]
    assert marks == [
        "# newdoc id = d",
        "# sent_id = a",
        "# sent_id = b",
        "# newdoc",
        "# sent_id = c",
    ]
