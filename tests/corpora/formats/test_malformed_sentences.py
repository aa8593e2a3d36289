"""Each way to be malformed: the sentence is skipped, with file, line and reason, and no other."""

import tracemalloc

import pytest
from support.each import each

GO = "1\tGo\t_\tVERB\t_\t_\t0\troot\t_\t_"


def row(word, form="a", head=0, deprel=None):
    """Return a word line; the label fits the head."""
    label = deprel or ("root" if head == 0 else "dep")
    return f"{word}\t{form}\t_\tX\t_\t_\t{head}\t{label}\t_\t_"


MALFORMED = {
    "cycle": (
        [row(1), row(2, head=3), row(3, head=4), row(4, head=2)],
        1,
        "the heads of words 2, 3, 4 form a cycle",
    ),
    "long cycle": (
        [row(1), *(row(i, head=i + 1) for i in range(2, 12)), row(12, head=2)],
        1,
        "the heads of words 2, 3, 4, 5, 6, 7, 8, 9, … form a cycle",
    ),
    "words that hang on a cycle": (
        [row(1), row(2, head=3), row(3, head=4), row(4, head=3)],
        2,
        "the heads of words 3, 4 form a cycle",
    ),
    "two roots": ([row(1), row(2)], 1, "words 1 and 2 both have HEAD 0: a tree has one root"),
    "no root": (
        [row(1, head=2), row(2, head=1)],
        0,
        "no word has HEAD 0: a tree needs a root",
    ),
    "head out of range": (
        [row(1), row(2, head=3)],
        1,
        "word 2 has HEAD 3, outside the sentence of 2 words",
    ),
    "negative head": (
        [row(1), row(2, head=-1)],
        1,
        "word 2 has HEAD -1, outside the sentence of 2 words",
    ),
    "own head": ([row(1), row(2, head=2)], 1, "word 2 is its own HEAD"),
    "no head": (
        [row(1, head="_", deprel="dep")],
        0,
        "word 1 has HEAD '_': every word of a tree needs a head",
    ),
    "head no number": (
        [row(1, head="x", deprel="dep")],
        0,
        "HEAD is 'x', expected the number of a word, or 0",
    ),
    "head with a sign and control characters": (
        [row(1, head="+1\x1b", deprel="dep")],
        0,
        "HEAD is '+1\\x1b', expected the number of a word, or 0",
    ),
    "head of 5000 digits": (
        [row(1, head="9" * 5000, deprel="dep")],
        0,
        "a number is too long",
    ),
    "no label": (
        [row(1), row(2, head=1, deprel="_")],
        1,
        "word 2 has no DEPREL: every word of a tree needs a label",
    ),
    "root elsewhere": (
        [row(1), row(2, head=1, deprel="root")],
        1,
        "word 2 has HEAD 1 and DEPREL 'root': root goes with HEAD 0 only",
    ),
    "root by another name": (
        [row(1, deprel="dep")],
        0,
        "word 1 has HEAD 0 and DEPREL 'dep': root goes with HEAD 0 only",
    ),
    "nine columns": (
        [row(1).removesuffix("\t_")],
        0,
        ("9 columns separated by tabs, expected 10: write _ in those that it lacks, or name what "
        "it has (# global.columns = …)"),
    ),
    "eleven columns": (
        [row(1) + "\t_"],
        0,
        ("11 columns separated by tabs, expected 10: name them (# global.columns = …), or keep "
        "the first ten (cut -f1-10)"),
    ),
    "without its text": (
        [row(1, form="_"), row(2, form="_", head=1)],
        0,
        ("every FORM is '_': the treebank comes without its text, which its README says how to "
        "put back"),
    ),
    "spaces for tabs": (
        [row(1).replace("\t", " ")],
        0,
        "1 column separated by tabs, expected 10; it has spaces where tabs belong",
    ),
    "many spaces for tabs": (
        [row(1).replace("\t", "    ")],
        0,
        "1 column separated by tabs, expected 10; it has spaces where tabs belong",
    ),
    "prose": (["This is no treebank."], 0, "1 column separated by tabs, expected 10"),
    "two spaces": (
        [row(1, form="a  b")],
        0,
        "FORM has two spaces in a row, which CoNLL-U forbids",
    ),
    "duplicate id": (
        [row(1), row(1, head=1)],
        1,
        "word id 1 stands where 2 must: ids count 1, 2, 3, …",
    ),
    "descending id": (
        [row(1), row(2, head=1), row(1, head=1)],
        2,
        "word id 1 stands where 3 must: ids count 1, 2, 3, …",
    ),
    "gap": ([row(1), row(3, head=1)], 1, "word id 3 stands where 2 must: ids count 1, 2, 3, …"),
    "starts at 0": ([row(0)], 0, "word id 0 stands where 1 must: ids count 1, 2, 3, …"),
    "huge id": (
        [row(2147483647)],
        0,
        "word id 2147483647 stands where 1 must: ids count 1, 2, 3, …",
    ),
    "no id": ([row("_")], 0, "ID is '_', expected a number, a range or an empty node"),
    "empty id": ([row("")], 0, "ID is '_', expected a number, a range or an empty node"),
    "id no number": (
        [row("one")],
        0,
        "ID is 'one', expected a number, a range or an empty node",
    ),
    "empty form": ([row(1, form="")], 0, "word 1 has an empty FORM"),
    "blank form": ([row(1, form="\u00a0")], 0, "word 1 has an empty FORM"),
    "range without its words": (
        [row(1), row("2-4"), row(2, head=1)],
        1,
        "multiword range 2-4 lacks its words: the last word is 2",
    ),
    "range at the end": (
        [row(1), row("2-3")],
        1,
        "multiword range 2-3 lacks its words: the last word is 1",
    ),
    "range of one word": (
        [row("1-1"), row(1)],
        0,
        ("multiword range 1-1 must stand before its first word, hold at least two words and "
        "overlap with no other range"),
    ),
    "range out of place": (
        [row(1), row("73-74")],
        1,
        ("multiword range 73-74 must stand before its first word, hold at least two words and "
        "overlap with no other range"),
    ),
    "range backwards": (
        [row("2-1"), row(1)],
        0,
        "ID is '2-1', expected a number, a range or an empty node",
    ),
    "ranges that overlap": (
        [row("1-2"), row(1), row("2-3"), row(2, head=1), row(3, head=1)],
        2,
        ("multiword range 2-3 must stand before its first word, hold at least two words and "
        "overlap with no other range"),
    ),
    "endless range": (
        [row("1-2147483647"), row(1)],
        0,
        "multiword range 1-2147483647 lacks its words: the last word is 1",
    ),
    "empty node out of place": (
        [row(1), row("2.1"), row(2, head=1)],
        1,
        "empty node 2.1 must stand after word 2, its parts counted from 1",
    ),
    "empty node twice": (
        [row(1), row("1.1"), row("1.1")],
        2,
        "empty node 1.1 must stand after word 1, its parts counted from 1",
    ),
    "empty nodes only": ([row("0.1")], 0, "there is no word"),
}  # fmt: skip


@each("case", MALFORMED)
def test_a_malformed_sentence_is_skipped_and_no_other(write, case):
    from inspector.corpora import Skipped, read_conllu

    lines, at, reason = MALFORMED[case]
    bad = "\n".join(lines)
    path = write(f"{GO}\n\n# sent_id = bad\n{bad}\n\n# sent_id = good\n{GO}\n")
    corpus = read_conllu(path)
    assert [s.id for s in corpus.sentences] == ["bank.conllu:1", "good"]
    assert corpus.skipped == [Skipped(str(path), 4 + at, "bad", reason)]


@each("case", MALFORMED)
def test_strict_stops_at_it(write, case):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    lines, at, reason = MALFORMED[case]
    path = write(f"{GO}\n\n# sent_id = bad\n" + "\n".join(lines))
    with pytest.raises(InputError) as error:
        read_conllu(path, strict=True)
    assert str(error.value) == (
        f"sentence (bad) in {path}, line {4 + at}, is malformed: {reason}. "
        "Fix it, or read without strict (--strict) to skip it."
    )


def test_strict_names_a_sentence_without_an_id_by_its_line(write):
    from inspector.corpora import read_conllu
    from inspector.errors import InputError

    with pytest.raises(InputError, match=r"^line 1 of .*bank\.conllu is malformed: "):
        read_conllu(write(row(1, head=1)), strict=True)


def test_a_name_without_words_is_reported(write):
    from inspector.corpora import read_conllu

    corpus = read_conllu(write(f"{GO}\n\n# text = x\n# sent_id = bare\n\n{GO}"))
    (skipped,) = corpus.skipped
    assert (skipped.sentence, skipped.line, skipped.reason) == ("bare", 3, "there is no word")


def test_a_line_without_end_is_passed_over_in_little_memory(tmp_path):
    from inspector.corpora import read_conllu

    path = tmp_path / "long.conllu"
    with path.open("wb") as stream:
        stream.write(b"# sent_id = long\n" + b"1\t")
        for _ in range(64):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\n2\ta\n\n" + GO.encode())
    tracemalloc.start()
    corpus = read_conllu(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(corpus.sentences) == 1
    (skipped,) = corpus.skipped
    assert (skipped.line, skipped.sentence) == (2, "long")
    assert skipped.reason == "the line is longer than 1,000,000 bytes"
    assert peak < 10_000_000


def test_a_sentence_without_end_is_passed_over(write):
    from inspector.corpora import read_conllu

    corpus = read_conllu(write(f"{GO}\n" * 10_001 + f"\n{GO}\n"))
    assert len(corpus.sentences) == 1
    (skipped,) = corpus.skipped
    assert (skipped.line, skipped.reason) == (10_001, "the sentence has more than 10,000 lines")


def test_a_chain_of_thousands_of_words_is_checked_at_once(write):
    from inspector.corpora import read_conllu

    chain = [row(1), *(row(word, head=word - 1) for word in range(2, 9_000))]
    (sentence,) = read_conllu(write("\n".join(chain)), strict=True).sentences
    assert len(sentence.relations) == 8_998
