"""Sentences as they stand in their text: what a model reads, and whose each character is."""

from support.each import each

from inspector.corpora import Sentence, read_corpus, read_text, tree_sentence
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.annotation.mentions import read_mentions

ROWS = {
    "words": "1\tHello\t_\t_\t_\t_\t0\troot\t_\tSpaceAfter=No\n2\t,\t_\t_\t_\t_\t1\tpunct\t_\t_\n"
    "3\tyou\t_\t_\t_\t_\t1\tvocative\t_\tSpaceAfter=No\n4\t!\t_\t_\t_\t_\t1\tpunct\t_\t_\n",
    "range": "1\tI\t_\t_\t_\t_\t3\tnsubj\t_\t_\n2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n"
    "2\tdo\t_\t_\t_\t_\t3\taux\t_\t_\n3\tn't\t_\t_\t_\t_\t0\troot\t_\t_\n"
    "3.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_\n4\t.\t_\t_\t_\t_\t3\tpunct\t_\t_\n",
    "spaces": "1\t10 000\t_\t_\t_\t_\t0\troot\t_\tSpacesAfter=\\s\\s|SpacesInToken=10\\s000\n"
    "2\tViệt Nam\t_\t_\t_\t_\t1\tflat\t_\tSpacesAfter=\\n\n",
}  # fmt: skip


def read(tmp_path, rows, text=None):
    """Return the only sentence of a file of these rows, and what stands at its words."""
    path = tmp_path / "one.conllu"
    comment = "" if text is None else f"# text = {text}\n"
    path.write_text(f"{comment}{rows}\n", encoding="utf-8")
    surface = read_corpus(path).sentences[0].surface
    return surface, [surface.text[start:end] for start, end in surface.spans]


@each(
    ("rows", "text", "expected", "words"),
    [
        ("words", None, "Hello, you!", ["Hello", ",", "you", "!"]),
        # '# text' says more of spaces than MISC, where the two speak of the same words.
        ("words", "Hello ,  you !", "Hello ,  you !", ["Hello", ",", "you", "!"]),
        ("words", "Good bye!", "Hello, you!", ["Hello", ",", "you", "!"]),
        ("range", None, "I don't.", ["I", "do", "n't", "."]),
        ("range", "I don't.", "I don't.", ["I", "do", "n't", "."]),
        ("spaces", None, "10 000  Việt Nam", ["10 000", "Việt Nam"]),
        ("spaces", "10 000 Việt Nam", "10 000 Việt Nam", ["10 000", "Việt Nam"]),
    ],
)
def test_a_sentence_of_conllu_stands_as_in_its_text(tmp_path, rows, text, expected, words):
    surface, found = read(tmp_path, ROWS[rows], text)
    assert surface.text == expected
    assert found == words


@each(
    ("form", "words", "shares"),
    [
        ("zum", ["zu", "dem"], ["zu", "m"]),
        ("im", ["in", "dem"], ["i", "m"]),
        ("du", ["de", "le"], ["du", ""]),
        ("des", ["de", "les"], ["de", "s"]),
        ("dámelo", ["da", "me", "lo"], ["dá", "me", "lo"]),
        ("vámonos", ["vamos", "nos"], ["vámo", "nos"]),
        ("Don't", ["do", "n't"], ["Do", "n't"]),
        ("בבית", ["ב", "ה", "בית"], ["ב", "", "בית"]),
        ("xyz", ["ab", "cd"], ["xyz", ""]),
    ],
)
def test_the_words_of_a_range_share_its_characters_by_what_they_spell(
    tmp_path, form, words, shares
):
    last = len(words)
    rows = [f"1-{last}\t{form}\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No"]
    rows += [f"{n}\t{w}\t_\t_\t_\t_\t{n - 1}\tdep\t_\t_" for n, w in enumerate(words, 1)]
    rows[1] = rows[1].replace("\tdep", "\troot")
    rows.append(f"{last + 1}\t?\t_\t_\t_\t_\t1\tpunct\t_\t_")
    surface, found = read(tmp_path, "\n".join(rows) + "\n")
    assert surface.text == f"{form}?"
    assert found == [*shares, "?"]


def test_a_range_of_any_length_is_read_at_once(tmp_path):
    form = "ab" * 20_000
    rows = f"1-2\t{form}\t_\t_\t_\t_\t_\t_\t_\t_\n1\t{'ba' * 15_000}\t_\t_\t_\t_\t0\troot\t_\t_\n"
    _, found = read(tmp_path, f"{rows}2\tx\t_\t_\t_\t_\t1\tdep\t_\t_\n")
    assert found == [form, ""]


def test_words_alone_are_joined_by_single_spaces():
    assert Sentence("s", None, ("Go", "!"), None, ()).surface.text == "Go !"
    assert tree_sentence("s", ["Go", "!"], [-1, 0], ["root", "punct"]).surface.text == "Go !"
    assert Sentence("s", None, ("Go", "!"), None, (), "Stay").surface.text == "Go !"


def test_plain_text_keeps_its_spaces(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("It's 早安,\tnow!  Go  on.\n", encoding="utf-8")
    found = [sentence.surface for sentence in read_text(path).sentences]
    assert [one.text for one in found] == ["It's 早安,\tnow!", "Go  on."]
    for sentence, surface in zip(read_text(path).sentences, found, strict=True):
        assert tuple(surface.text[a:b] for a, b in surface.spans) == sentence.words


def test_a_window_is_the_text_of_its_sentences(tmp_path):
    rows = (
        "1\tAnn\t_\tPROPN\t_\t_\t2\tnsubj\t_\tEntity=(1)\n2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
        "2\tdo\t_\tVERB\t_\t_\t0\troot\t_\t_\n3\tn't\t_\tPART\t_\t_\t2\tadvmod\t_\tSpaceAfter=No\n"
        "4\t.\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_\n\n"
        "1\tShe\t_\tPRON\t_\t_\t2\tnsubj\t_\tEntity=(1)\n"
        "2\tsat\t_\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No\n3\t.\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_\n\n"
    )  # fmt: skip
    path = tmp_path / "two.conllu"
    path.write_text(f"# newdoc id = a\n{rows}", encoding="utf-8")
    corpus = read_corpus(path)
    assert len(read_mentions(corpus.sentences, corpus.document_ids())[0]) == 2
    (window,) = corpus_windows(corpus, [5, 3], 20).texts
    assert window.surface.text == "Ann don't . She sat."
    spans = [window.surface.text[a:b] for a, b in window.surface.spans]
    assert spans == ["Ann", "do", "n't", ".", "She", "sat", "."]
