"""Mentions: GUM's equal a list made by another reader; broken brackets cost only themselves.

The slow reference reads a cell letter by letter.
"""

import csv

import pytest

from inspector.corpora import read_conllu, tree_sentence
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.default import sample_files


def mentions_of(*sentences):
    """Return (mentions, left out) of sentences of one document, each a list of Entity cells."""
    trees = [
        tree_sentence(
            f"s{number}",
            [f"w{i}" for i in range(len(cells))],
            [i - 1 for i in range(len(cells))],
            ["root"] + ["dep"] * (len(cells) - 1),
            misc=[f"Entity={cell}|SpaceAfter=No" if cell else "_" for cell in cells],
            comments=["global.Entity = GRP-etype-minspan"],
        )
        for number, cells in enumerate(sentences)
    ]
    return read_mentions(trees, ["d"] * len(trees))


def spans(mentions):
    return [(one.entity, one.start, one.end) for one in mentions]


def slow_spans(cells):
    """Return (entity, start, end) by reading each bracket letter by letter."""
    found, waiting = [], []
    for word, cell in enumerate(cells):
        letters = ""
        for letter in cell:
            if letter == "(":
                if letters:
                    waiting.append((word, letters))
                letters = ""
                opened = True
            elif letter == ")":
                if opened and "-" in letters:
                    found.append((letters.split("-")[0], word, word))
                else:
                    at = max(i for i, (_, w) in enumerate(waiting) if w.split("-")[0] == letters)
                    found.append((letters, waiting.pop(at)[0], word))
                letters, opened = "", False
            else:
                letters += letter
        if letters:
            waiting.append((word, letters))
    return sorted(found)


@pytest.fixture(scope="module")
def gum(gold_file):
    return read_conllu(gold_file("gum"))


def test_mentions_of_gum_equal_the_list(gum, gold_file):
    with (gold_file("gum").parent / "mentions-dev.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    mentions, left_out = read_mentions(gum.sentences, gum.document_ids())
    assert left_out == []
    assert len(mentions) == len(rows) == 7897
    for one, row in zip(mentions, rows, strict=True):
        sentence = gum.sentences[one.sentence]
        assert (one.document, sentence.id, one.entity) == (
            row["doc"],
            row["sent_id"],
            row["entity"],
        )
        found = (one.start + 1, one.end + 1, one.head + 1)
        assert found == (int(row["start"]), int(row["end"]), int(row["head"])), row
        assert ",".join(str(word + 1) for word in one.min_words) == row["min_ids"]
        assert (one.etype, one.infstat, one.link) == (row["etype"], row["infstat"], row["link"])
        assert one.identity == row["identity"]
        assert " ".join(sentence.words[one.start : one.end + 1]) == row["text"]


def test_mentions_of_the_sample_equal_the_slow_reading():
    corpus = read_conllu(sample_files(), strict=True)
    mentions, left_out = read_mentions(corpus.sentences, corpus.document_ids())
    assert left_out == []
    for place, sentence in enumerate(corpus.sentences):
        cells = [
            next((p.removeprefix("Entity=") for p in misc.split("|") if p[:7] == "Entity="), "")
            for misc in sentence.misc
        ]
        found = sorted(spans(one for one in mentions if one.sentence == place))
        assert found == slow_spans(cells), sentence.id
    assert len(mentions) > 700


def test_nested_mentions_longest_first_and_one_entity_inside_itself():
    mentions, left_out = mentions_of(["(1-person-2(2-place-1(1-x-1)", "", "2)1)"])
    assert left_out == []
    assert spans(mentions) == [("1", 0, 2), ("2", 0, 2), ("1", 0, 0)]
    assert [one.min_words for one in mentions] == [(1,), (0,), (0,)]


def test_the_head_is_the_first_word_whose_head_is_outside():
    tree = tree_sentence(
        "s",
        ["years", "of", "exposure", "passed"],
        [3, 2, 3, -1],
        ["nsubj", "case", "obl", "root"],
        misc=["Entity=(1-time-new-_-cf1-3-sgl", "_", "Entity=1)", "_"],
    )
    mentions, _ = read_mentions([tree], ["d"])
    assert (mentions[0].head, mentions[0].min_words) == (0, (2,))


def test_without_a_declaration_the_fields_are_those_of_gum_and_hyphens_stay_in_titles():
    cell = "(12-place-giv:inact-ssnnn-cf2*-1-coref-Al-Andalus)"
    tree = tree_sentence("s", ["It"], [-1], ["root"], misc=[f"Entity={cell}"])
    mention = read_mentions([tree], ["d"])[0][0]
    assert (mention.entity, mention.etype, mention.infstat) == ("12", "place", "giv:inact")
    assert (mention.link, mention.identity) == ("coref", "Al-Andalus")


@pytest.mark.parametrize(
    ("cells", "kept", "reason"),
    [
        (
            ["(1-x-1", "1)", "1)", "(2-x-1)"],
            [("1", 0, 1), ("2", 3, 3)],
            "entity 1 is closed at word 3 and is not open: it was closed twice, or never opened",
        ),
        (
            ["(2-x-1)", "(1-x-1", ""],
            [("2", 0, 0)],
            "a mention of entity 1 opens at word 2 and is not closed where the sentence ends",
        ),
        (
            ["(1-x-1", "(2-x-1", "1)", "2)"],
            [("2", 1, 3)],
            (
                "the mention of entity 1 at words 1-3 crosses that of entity 2: brackets must be "
                "nested"
            ),
        ),
        (
            ["(2-x-1)((", "(3-x-1)"],
            [("2", 0, 0), ("3", 1, 1)],
            "Entity ((() at word 1 is no bracket",
        ),
        (["(2-x-1)3", "(3-x-1)"], [("2", 0, 0), ("3", 1, 1)], "Entity (3) at word 1 is no bracket"),
    ],
)
def test_a_broken_bracket_is_left_out_with_a_reason_and_the_rest_is_read(cells, kept, reason):
    mentions, left_out = mentions_of(cells)
    assert spans(mentions) == kept
    assert [one.reason for one in left_out] == [reason]
    assert left_out[0].sentence == "s0"


def test_a_span_over_a_sentence_end_is_named_on_both_sides():
    mentions, left_out = mentions_of(["(1-x-1", "(2-x-1)"], ["1)"])
    assert spans(mentions) == [("2", 1, 1)]
    assert [one.sentence for one in left_out] == ["s0", "s1"]


def test_fields_without_an_entity_are_refused():
    tree = tree_sentence(
        "s", ["It"], [-1], ["root"], misc=["Entity=(1)"], comments=["global.Entity = etype-link"]
    )
    mentions, left_out = read_mentions([tree], ["d"])
    assert mentions == []
    assert left_out[0].reason == "# global.Entity (etype-link) has no field GRP"


def test_what_is_left_out_names_file_and_line(write):
    lines = ["# sent_id = a", "1-2\tIt's\t_\t_\t_\t_\t_\t_\t_\t_"]
    lines += ["1\tIt\t_\t_\t_\t_\t0\troot\t_\t_", "2\t's\t_\t_\t_\t_\t1\tcop\t_\t_"]
    lines += ["3\tred\t_\t_\t_\t_\t1\tdep\t_\tEntity=9)", "", ""]
    path = write("\n".join(lines))
    corpus = read_conllu(path)
    _, left_out = read_mentions(corpus.sentences, corpus.document_ids())
    assert (left_out[0].file, left_out[0].line, left_out[0].sentence) == (str(path), 5, "a")


def test_a_minspan_of_thousands_of_digits_is_none():
    mentions, left_out = mentions_of([f"(1-person-{'9' * 5000},1)"])
    assert (mentions[0].min_words, left_out) == ((0,), [])
