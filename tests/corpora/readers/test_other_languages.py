"""Closed classes of other languages come from features and tags, never from English words."""

import pytest
from support.each import each

from inspector.corpora import annotate, read_conllu

GERMAN = """\
Die der DET Definite=Def|PronType=Art 2 det
Katze Katze NOUN _ 3 nsubj
schläft schlafen VERB _ 0 root
nicht nicht PART Polarity=Neg 3 advmod
und und CCONJ _ 8 cc
kein kein DET PronType=Neg 7 det
Hund Hund NOUN _ 8 nsubj
bellt bellen VERB _ 3 conj
weil weil SCONJ _ 12 mark
alle all DET PronType=Tot 11 det
Vögel Vogel NOUN _ 12 nsubj
singen singen VERB _ 3 advcl
no no DET _ 14 det
Name Name NOUN _ 12 obj
either either ADV _ 14 cc
"""
JAPANESE = """\
猫 猫 NOUN _ 3 nsubj
は は ADP _ 1 case
眠ら 眠る VERB _ 0 root
ない ない AUX Polarity=Neg 3 aux
"""
CHINESE = """\
猫 猫 NOUN _ 5 nsubj
和 和 CCONJ _ 3 cc
狗 狗 NOUN _ 1 conj
不 不 ADV Polarity=Neg 5 advmod
睡 睡 VERB _ 0 root
没有 有 VERB Polarity=Neg 5 conj
"""
WANTED = {
    GERMAN: {
        ("neg:scope", "nicht", "schläft"),
        ("neg:scope", "kein", "Hund"),
        ("neg:predicate", "kein", "bellt"),
        ("coordination:und", "und", "schläft"),
        ("coordination:conjuncts", "bellt", "schläft"),
        ("quantifier:noun", "alle", "Vögel"),
        ("quantifier:scope", "alle", "singen"),
    },
    JAPANESE: {("neg:scope", "ない", "眠ら")},
    CHINESE: {
        ("neg:scope", "不", "睡"),
        ("coordination:和", "和", "猫"),
        ("coordination:conjuncts", "狗", "猫"),
        ("coordination:conjuncts", "没有", "睡"),
    },
}


@pytest.fixture
def read(tmp_path):
    """Return a function from rows of a sentence to the annotated corpus that repeats it."""

    def of(rows, times=60):
        lines = []
        for number, row in enumerate(rows.splitlines(), start=1):
            form, lemma, tag, feats, head, label = row.split()
            cells = (number, form, lemma, tag, "_", feats, head, label, "_", "_")
            lines.append("\t".join(map(str, cells)))
        text = "".join(f"# sent_id = s{n}\n" + "\n".join(lines) + "\n\n" for n in range(times))
        (tmp_path / "a.conllu").write_text(text, encoding="utf-8")
        return annotate(read_conllu(tmp_path / "a.conllu"))

    return of


def found(corpus, place=0):
    sentence = corpus.sentences[place]
    return {
        (one.label, sentence.words[one.source], sentence.words[one.target])
        for one in sentence.relations
        if one.kind == "logical"
    }


@each("rows", WANTED, ids=("German", "Japanese", "Chinese"))
def test_what_the_annotation_says_is_read_and_no_english_word(read, rows):
    corpus = read(rows)
    for place in (0, -1):
        assert found(corpus, place) == WANTED[rows]
    said = {(one.annotation, one.reason): one.count for one in corpus.left_out}
    for name, words in (("conditions", "if, unless"), ("comparison", "than, as")):
        assert said[name, f"sentences not in English: English words tell ({words})"] == 60
    if rows is GERMAN:
        assert said["coordination", "a conjunction that is not tagged CCONJ"] == 60


def test_control_in_english_the_lists_speak(read):
    rows = GERMAN.replace("Die der", "The the").replace("Katze Katze", "the the")
    corpus = read(rows)
    assert ("neg:scope", "no", "Name") in found(corpus)
    assert not any("English" in one.reason for one in corpus.left_out)
    assert not any(label == "coordination:und" for label, *_ in found(corpus))


def test_control_of_a_short_text_no_language_is_known(read):
    assert ("neg:scope", "no", "Name") in found(read(GERMAN, times=13))
    assert ("neg:scope", "no", "Name") not in found(read(GERMAN, times=14))  # 210 words
