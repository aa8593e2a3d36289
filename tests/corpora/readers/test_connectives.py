"""Connectives and the heads of their arguments, from document word numbers."""

from support.each import each
from support.texts.small_trees import (
    carried,
    corpus_of,
    counted,
    pairs,
    raw_sentences,
    reasons,
    tree,
)

from inspector.corpora import read_conllu

connectives = carried("connectives")
GO = "Go VERB 0 root; home NOUN 1 obl"
BECAUSE = (
    "She PRON 2 nsubj; left VERB 0 root; , PUNCT 2 punct; as ADV 8 mark; soon ADV 4 fixed; "
    "as SCONJ 4 fixed; he PRON 8 nsubj; sang VERB 2 advcl"
)


def document(value: str, document: str | None = "d"):
    """Two sentences; the value stands in the second, whose words are 3 to 10 of the document."""
    return (
        tree(GO, id="a", document=document),
        tree(BECAUSE, id="b", document=document, w4=f"PDTB={value}"),
    )


GOOD = "Explicit:Temporal.Asynchronous.Succession:as soon as:6-8:3-4:9-10"


def test_a_connective_of_several_words_goes_from_its_head_to_the_heads_of_its_arguments():
    assert pairs(connectives, *document(GOOD)) == {
        ("connective:temporal", "as4", "left2"),
        ("connective-own:temporal", "as4", "sang8"),
    }


def test_word_numbers_begin_anew_with_each_document():
    more = [
        *document(GOOD, "d"),
        *document(GOOD.replace("Temporal", "Contingency"), "e"),
    ]
    assert {label for label, *_ in pairs(connectives, *more)} == {
        "connective:temporal",
        "connective-own:temporal",
        "connective:contingency",
        "connective-own:contingency",
    }


def test_an_argument_in_another_sentence_is_counted_the_other_kept():
    corpus = connectives(corpus_of(*document(GOOD.replace(":3-4:", ":1-4:"))))
    assert counted(corpus) == {"connective-own:temporal": 1}
    assert reasons(corpus) == {"an argument in another sentence": 1}
    assert corpus.left_out[0].examples == ("b",)


@each(
    ("value", "reason"),
    [
        ("Explicit:Temporal:as soon as:6-8:3-4", "a PDTB value that is not type:sense:connective"),
        ("Explicit:Mood:as soon as:6-8:3-4:9-10", "a PDTB value that is not type:sense:connective"),
        (GOOD.replace("6-8", "8-6"), "a PDTB value that is not type:sense:connective"),
        (GOOD.replace("6-8", "0-8"), "a PDTB value that is not type:sense:connective"),
        (GOOD.replace("6-8", "six"), "a PDTB value that is not type:sense:connective"),
        (GOOD.replace("9-10", "9-9999999"), "a PDTB value that is not type:sense:connective"),
        (GOOD.replace("9-10", ",".join(["9-9999"] * 11)), "a PDTB value that is not type:sense"),
        (GOOD.replace("9-10", "9-99999999999"), "a PDTB value that is not type:sense:connective"),
        (
            GOOD.replace("6-8", "5-7"),
            "a connective that does not stand at its words of the document",
        ),
        (
            GOOD.replace("9-10", "9-11"),
            "a connective that does not stand at its words of the document",
        ),
        (
            GOOD.replace("9-10", "9-9999"),
            "a connective that does not stand at its words of the document",
        ),
    ],
)
def test_what_cannot_be_read_is_counted(value, reason):
    corpus = connectives(corpus_of(*document(value)))
    assert counted(corpus) == {}
    ((found, count),) = reasons(corpus).items()
    assert found.startswith(reason)
    assert count == 1


def test_one_bad_value_of_several_does_not_spoil_the_next():
    corpus = connectives(corpus_of(*document(f"Explicit:x;Implicit:Temporal:as:_:1:2;{GOOD}")))
    assert len(counted(corpus)) == 2
    assert sum(reasons(corpus).values()) == 1


def test_without_documents_there_are_no_word_numbers():
    corpus = corpus_of(*document(GOOD, None))
    assert connectives(corpus) == corpus


def numbers(spans: str) -> list[int]:
    found = []
    for span in spans.split(","):
        start, end = (span.split("-") * 2)[:2]
        found += range(int(start), int(end) + 1)
    return found


def test_counts_on_gum(gold_file):
    """By plain loops: where all words of the connective and of an argument share a sentence."""
    path = gold_file("gum")
    expected = {}
    left_out = {}
    home, words, values = {}, {}, []
    document, count = "", 0
    for number, (comments, rows) in enumerate(raw_sentences(path)):
        for comment in comments:
            if comment.startswith("# newdoc id"):
                document, count = comment, 0
        for row in rows:
            count += 1
            home[document, count] = number
            words[document, count] = row[1].lower()
            for key in row[9].split("|"):
                if key.startswith("PDTB="):
                    values += [(document, one) for one in key[5:].split(";")]
    for document, value in values:
        if not value.startswith("Explicit:"):
            continue
        _, sense, connective, *spans = value.split(":")
        own, first, second = [[home[document, n] for n in numbers(span)] for span in spans]
        said = [words[document, n] for n in numbers(spans[0])]
        assert " ".join(said) == connective.lower()
        for name, argument in (("connective", first), ("connective-own", second)):
            key = f"{name}:{sense.split('.')[0].lower()}"
            table = expected if set(own) == set(argument) and len(set(own)) == 1 else left_out
            table[key] = table.get(key, 0) + 1
    found = connectives(read_conllu(path))
    # Two senses of one connective that fall into one of the four classes are one relation.
    assert sum(expected.values()) - sum(counted(found).values()) <= 5
    for label, n in counted(found).items():
        assert 100 <= n <= expected[label] <= n + 3
    assert reasons(found) == {"an argument in another sentence": sum(left_out.values())}
