"""Names of Universal NER, supersenses and idioms of STREUSLE."""

import pytest
from support.texts.gold_data import DATA
from support.texts.small_trees import carried, corpus_of, counted, reasons, tree

from inspector.corpora import annotate_from, read_conllu
from inspector.corpora.readers.entity_names import read_names
from inspector.corpora.readers.supersenses import read_supersenses
from inspector.errors import InputError

carried_names, carried_supersenses = carried("names"), carried("supersenses")
MET = "Ada PROPN 5 nsubj; de PROPN 1 flat; Li PROPN 1 flat; , PUNCT 1 punct; met VERB 0 root; "
MET += "Bo PROPN 5 obj"


def triples(corpus):
    """(label, source, targets) in numbers counted from 1."""
    return [
        (r.label, r.source + 1, tuple(target + 1 for target in r.targets))
        for s in corpus.sentences
        for r in s.relations
        if r.kind != "syntax"
    ]


def iob2(*tags, words=("Ada", "de", "Li", ",", "met", "Bo"), id="s1"):
    rows = [f"{n}\t{w}\t{t}\t-\tx" for n, (w, t) in enumerate(zip(words, tags, strict=True), 1)]
    return "\n".join([f"# sent_id = {id}", "# text = …", *rows, "", ""])


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (
            ("B-PER", "I-PER", "I-PER", "O", "O", "B-PER"),
            [("name:PER", 1, (2, 3)), ("name:PER", 2, (1, 3)), ("name:PER", 3, (2, 1))],
        ),
        (
            ("B-PER", "B-PER", "I-PER", "O", "O", "O"),
            [("name:PER", 2, (3,)), ("name:PER", 3, (2,))],
        ),
        (("O", "O", "O", "O", "B-LOC", "I-LOC"), [("name:LOC", 5, (6,)), ("name:LOC", 6, (5,))]),
        (("O",) * 6, []),
    ],
)
def test_each_word_of_a_name_to_the_others(write, tags, expected):
    corpus = corpus_of(tree(MET))
    assert triples(read_names(corpus, write(iob2(*tags), "n.iob2"))) == expected
    carried = tree(MET, **{f"w{n}": f"Name={tag}" for n, tag in enumerate(tags, 1) if tag != "O"})
    assert triples(carried_names(corpus_of(carried))) == expected


def test_names_that_share_a_word(write):
    """Ada Li and de Li; the shared word goes to either, and what is no name is counted."""
    tags = {"w1": "PER:1", "w2": "PER:2", "w3": "PER:1,PER:2", "w5": "x:9", "w6": "LOC:3"}
    carried = corpus_of(tree(MET, **{word: f"Name={tag}" for word, tag in tags.items()}))
    found = carried_names(carried)
    assert triples(found) == [
        ("name:PER", 1, (3,)),
        ("name:PER", 2, (3,)),
        ("name:PER", 3, (2, 1)),
    ]
    assert reasons(found) == {"a Name value that is not TYPE:number": 1}
    assert carried_names(found) == found


@pytest.mark.parametrize("tag", ["I-PER", "B-", "x", "I-LOC"])
def test_a_broken_tag_ends_the_name_before_it_and_is_counted(write, tag):
    tags = ("B-LOC", "I-LOC", "O", "B-ORG", tag, "O")
    corpus = read_names(corpus_of(tree(MET)), write(iob2(*tags), "n.iob2"))
    assert counted(corpus) == {"name:LOC": 2}
    assert reasons(corpus) == {"a tag that is not O, B-TYPE or I-TYPE after the same type": 1}
    assert corpus.left_out[0].examples == ("n.iob2, line 7",)


def test_blocks_that_do_not_fit_are_counted_and_the_rest_read(write):
    good = iob2("B-PER", "I-PER", "O", "O", "O", "O")
    other = iob2(*"OOOOOO", words=("Ada", "de", "Li", ",", "met", "Di"), id="s2")
    broken = good.replace("s1", "s2").replace("\tB-PER", " B-PER")
    unknown = good.replace("s1", "s7")
    content = other + broken + unknown + "# nothing\n\n" + good + "x" * 1_000_001
    corpus = corpus_of(tree(MET), tree(MET, id="s2"))
    found = read_names(corpus, write(content, "n.iob2"))
    assert counted(found) == {"name:PER": 2}
    assert reasons(found) == {
        "a sentence whose words are not those of the corpus": 1,
        "a line without 5 columns separated by tabs": 1,
        "a sentence id that is not in the corpus": 1,
        "a line that is too long": 1,
    }


def test_a_sentence_of_too_many_lines_is_counted_and_the_next_one_read(write):
    endless = "# sent_id = s2\n" + "".join(f"{n}\tw\tO\t-\tx\n" for n in range(1, 10_003)) + "\n"
    good = iob2("B-PER", "I-PER", "O", "O", "O", "O")
    found = read_names(corpus_of(tree(MET), tree(MET, id="s2")), write(endless + good, "n.iob2"))
    assert counted(found) == {"name:PER": 2}
    assert reasons(found) == {"a sentence of more than 10,000 lines": 1}


def test_what_a_file_says_is_shown_without_control_characters(write):
    content = iob2(*"OOOOOO", id="s\x1b[2J") + iob2(*"OOOOOO")
    (row,) = read_names(corpus_of(tree(MET)), write(content, "n.iob2")).left_out
    assert row.examples == ("s\\x1b[2J",)


def test_names_of_another_corpus_are_refused(write):
    path = write(iob2(*"OOOOOO", id="s7"), "n.iob2")
    with pytest.raises(InputError, match="must name sentences of corpus small: none of its ids"):
        read_names(corpus_of(tree(MET)), path)


def test_counts_on_ewt_names(gold_file):
    """Words of names of two or more words, by plain loops; three sentences have other words."""
    path = DATA / "uner-english-ewt/en_ewt-ud-dev.iob2"
    corpus = read_conllu(gold_file("ewt"))
    if not path.is_file():
        pytest.skip(f"no names at {path}; INSPECTOR_DATA names another folder")
    forms = {s.id: list(s.words) for s in corpus.sentences}
    expected, other_words = {}, 0
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.split("\n")
        ids = [line.split(" = ")[1] for line in lines if line.startswith("# sent_id")]
        rows = [line.split("\t") for line in lines if line and line[0] != "#"]
        if not rows:
            continue
        if forms[ids[0]] != [row[1] for row in rows]:
            other_words += 1
            continue
        lengths = []
        for row in rows:
            if row[2].startswith("B-"):
                lengths.append([row[2][2:], 1])
            elif row[2].startswith("I-"):
                lengths[-1][1] += 1
        for kind, length in lengths:
            if length > 1:
                expected[f"name:{kind}"] = expected.get(f"name:{kind}", 0) + length
    found = annotate_from(corpus, path)
    assert counted(found) == expected
    assert reasons(found) == {"a sentence whose words are not those of the corpus": other_words}
    assert expected["name:PER"] > 300


def lexed(*rows, id="s1"):
    """Rows 'form lemma upos smwe lexcat sense' → a CoNLL-U-Lex block."""
    lines = [f"# sent_id = {id}"]
    for number, row in enumerate(rows, 1):
        form, lemma, upos, group, category, sense = row.split()
        ten = [str(number), form, lemma, upos, *["_"] * 6]
        lines.append("\t".join([*ten, group, category, lemma, sense, *["_"] * 5]))
    return "\n".join([*lines, "", ""])


TOOK = "He PRON 2 nsubj; took VERB 0 root; tea NOUN 2 obj; and CCONJ 5 cc; cake NOUN 3 conj; "
TOOK += "off ADP 2 compound:prt"
LEXED = (
    "He he PRON _ PRON _",
    "took take VERB 1:1 V.VPC.full v.motion",
    "tea tea NOUN _ N n.FOOD",
    "and and CCONJ _ CCONJ _",
    "cake cake NOUN _ N n.FOOD",
    "off off ADP 1:2 _ _",
)


def test_supersenses_and_idioms(write):
    path = write(lexed(*LEXED), "a.conllulex")
    assert triples(read_supersenses(corpus_of(tree(TOOK)), path)) == [
        ("supersense:noun", 3, (5,)),
        ("supersense:noun", 5, (3,)),
        ("idiom:verb", 2, (6,)),
        ("idiom:verb", 6, (2,)),
    ]


def test_one_lemma_twice_is_no_pair_and_a_name_no_idiom(write):
    rows = [LEXED[0], *(row.replace("cake cake", "tea tea") for row in LEXED[1:])]
    rows[1] = rows[1].replace("VERB", "PROPN")
    rows[5] = rows[5].replace("ADP", "PROPN")
    corpus = corpus_of(tree(TOOK.replace("cake", "tea")))
    assert triples(read_supersenses(corpus, write(lexed(*rows), "a.conllulex"))) == []


def test_an_expression_that_cannot_be_read_is_counted(write):
    rows = [row.replace("1:2", "two") for row in LEXED]
    corpus = read_supersenses(corpus_of(tree(TOOK)), write(lexed(*rows), "a.conllulex"))
    assert set(counted(corpus)) == {"supersense:noun"}
    assert reasons(corpus) == {"a strong expression that is not number:word": 1}


def test_counts_on_streusle(gold_file):
    path = DATA / "streusle/streusle.ud_dev.conllulex"
    corpus = read_conllu(gold_file("ewt"))
    if not path.is_file():
        pytest.skip(f"no supersenses at {path}; INSPECTOR_DATA names another folder")
    senses = idioms = 0
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.split("\n") if line and line[0] != "#"]
        rows = [row for row in rows if row[0].isdigit()]
        nouns = [(row[13], row[12].lower()) for row in rows if row[13].startswith("n.")]
        for sense, lemma in nouns:
            senses += any(s == sense and other != lemma for s, other in nouns)
        for row in rows:
            own = [
                r for r in rows if row[10] != "_" and r[10].split(":")[0] == row[10].split(":")[0]
            ]
            names = all(r[3] == "PROPN" for r in own)
            idioms += len(own) > 1 and not names and not own[0][11].startswith("V")
    found = annotate_from(corpus, path)
    assert counted(found)["supersense:noun"] == senses > 200
    assert counted(found)["idiom:other"] == idioms > 300
    assert reasons(found) == {}


def test_supersenses_and_idioms_of_the_last_column():
    here = tree(
        MET,
        w1="Supersense=n.FOOD|Idiom=verb:1",
        w2="Supersense=n.FOOD",
        w3="Supersense=v.motion",
        w4="Supersense=`a|Idiom=noun:1",
        w6="Idiom=verb:1",
    )
    found = carried_supersenses(corpus_of(here))
    assert triples(found) == [
        ("supersense:noun", 1, (2,)),
        ("supersense:noun", 2, (1,)),
        ("idiom:verb", 1, (6,)),
        ("idiom:verb", 6, (1,)),
    ]
    assert reasons(found) == {
        "a Supersense value of no class (n., v., p.)": 1,
        "an Idiom value that is not verb:number or other:number": 1,
    }
    assert carried_supersenses(found) == found
