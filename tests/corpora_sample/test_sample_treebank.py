"""inspector's own treebank, checked by plain code that shares nothing with inspector's reader."""

import importlib.resources
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from support.each import each
from support.slow.treebank_checker import Tree, entity_problems, names, problems

SAMPLE = Path(str(importlib.resources.files("inspector.corpora") / "sample"))
FILES = sorted(SAMPLE.glob("*.conllu"))
FREQUENT = sorted(
    names(
        "det nsubj obj case amod advmod obl nmod conj cc mark aux acl advcl xcomp compound nummod "
        "cop iobj ccomp"
    )
)
DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[3] / "shared" / "data"))


def trees(text: str) -> list[Tree]:
    """Return a document's sentences with their mentions."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith("#")]
        rows = [line.split("\t") for line in lines]
        said = re.search(r"^# text = (.*)$", block, re.MULTILINE)
        named = re.search(r"^# sent_id = (.*)$", block, re.MULTILINE)
        assert said
        assert named
        tree = Tree(named[1], said[1], [row for row in rows if "-" not in row[0]])
        assert not list(entity_problems(tree))
        found.append(tree)
    return found


@pytest.fixture(scope="module")
def documents() -> dict[str, list[Tree]]:
    """Return document → its sentences."""
    return {path.stem: trees(path.read_text(encoding="utf-8")) for path in FILES}


@pytest.fixture(scope="module")
def offsets(documents: dict[str, list[Tree]]) -> dict[str, Counter[int]]:
    """Return label without subtype → offset of the head → pairs."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for sentences in documents.values():
        for tree in sentences:
            for word, row in enumerate(tree.rows, start=1):
                label = row[7].split(":")[0]
                if label not in ("root", "punct"):
                    counts[label][tree.heads[word] - word] += 1
    return counts


@each("path", FILES, ids=lambda path: path.stem)
def test_a_document_is_sound(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert problems(text) == []
    assert text.startswith(f"# newdoc id = {path.stem}\n")


def test_there_are_enough_documents_sentences_and_genres(documents: dict[str, list[Tree]]) -> None:
    assert len(documents) >= 14
    assert sum(map(len, documents.values())) >= 90
    genres = [
        re.findall(r"^# meta::genre = (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in FILES
    ]
    assert all(len(genre) == 1 for genre in genres)
    assert len({genre[0] for genre in genres}) == len(FILES)
    lengths = [len(tree.rows) for sentences in documents.values() for tree in sentences]
    assert min(lengths) >= 4
    assert max(lengths) <= 30


def test_no_sentence_stands_twice(documents: dict[str, list[Tree]]) -> None:
    texts = Counter(tree.text for sentences in documents.values() for tree in sentences)
    assert texts.most_common(1)[0][1] == 1


@each("label", FREQUENT)
def test_a_relation_has_twenty_pairs(label: str, offsets: dict[str, Counter[int]]) -> None:
    assert offsets[label].total() >= 20


def test_possessives_and_passives_are_not_rare(documents: dict[str, list[Tree]]) -> None:
    rows = [row for sentences in documents.values() for tree in sentences for row in tree.rows]
    full = Counter(row[7] for row in rows)
    for label in ("nmod:poss", "acl:relcl", "nsubj:pass", "aux:pass"):
        assert full[label] >= 20
    for label in ("compound:prt", "appos", "parataxis", "vocative", "expl", "obl:agent"):
        assert full[label] >= 3


def test_most_relations_are_not_a_matter_of_distance(offsets: dict[str, Counter[int]]) -> None:
    shares = {label: max(offsets[label].values()) / offsets[label].total() for label in FREQUENT}
    assert sum(share < 0.6 for share in shares.values()) >= 14
    assert shares["det"] < 0.65
    assert shares["nsubj"] < 0.5
    assert shares["obj"] < 0.45


def test_chains_are_there_to_be_followed(documents: dict[str, list[Tree]]) -> None:
    anaphors = pronouns = proper = nominal = in_sentence = across = 0
    for sentences in documents.values():
        last: dict[int, int] = {}
        for place, tree in enumerate(sentences):
            for mention in tree.mentions:
                if mention.group in last:
                    heads = mention.fields[5].split(",")
                    upos = tree.rows[mention.start + int(heads[0]) - 2][3]
                    anaphors += 1
                    pronouns += upos == "PRON"
                    proper += upos == "PROPN"
                    nominal += upos == "NOUN"
                    in_sentence += last[mention.group] == place
                    across += last[mention.group] < place
                last[mention.group] = place
    assert anaphors >= 60
    assert pronouns >= 60
    assert nominal >= 40
    assert proper >= 15
    assert in_sentence >= 60
    assert across >= 60


def test_every_document_has_a_chain_of_three(documents: dict[str, list[Tree]]) -> None:
    for name, sentences in documents.items():
        groups = Counter(mention.group for tree in sentences for mention in tree.mentions)
        assert groups.most_common(1)[0][1] >= 3, name


def test_mentions_are_the_words_they_should_be(documents: dict[str, list[Tree]]) -> None:
    tree = documents["sample_news_ferry"][1]
    words = [row[1] for row in tree.rows]
    spans = [
        (mention.group, " ".join(words[mention.start - 1 : mention.end]))
        for mention in tree.mentions
    ]
    assert spans == [
        (4, "Its captain"),
        (1, "Its"),
        (4, "Lena Morse"),
        (5, "reporters"),
        (6, "the thick morning fog"),
        (7, "a long line of sharp rocks"),
        (8, "sharp rocks"),
    ]


def antecedents_in_sentence(documents: dict[str, list[Tree]]) -> int:
    """Return how many mentions have an earlier one in their sentence."""
    return sum(
        mention.group in [earlier.group for earlier in tree.mentions[:place]]
        for sentences in documents.values()
        for tree in sentences
        for place, mention in enumerate(tree.mentions)
    )


def test_the_readme_says_what_is_there(
    documents: dict[str, list[Tree]], offsets: dict[str, Counter[int]]
) -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    sentences = [tree for document in documents.values() for tree in document]
    words = sum(len(tree.rows) for tree in sentences)
    chains = [
        Counter(mention.group for tree in document for mention in tree.mentions)
        for document in documents.values()
    ]
    sizes = [size for chain in chains for size in chain.values()]
    assert f"{len(sentences)} sentences in {len(documents)} short documents" in readme
    assert f"{words:,} words" in readme
    assert f"{sum(sizes)} mentions of {len(sizes)} entities" in readme
    assert f"{sum(size > 1 for size in sizes)} of them named more than once" in readme
    assert f"{sum(size - 1 for size in sizes)} mentions have an earlier mention" in readme
    assert f"{sum(size > 2 for size in sizes)} at least three times" in readme
    assert f"{antecedents_in_sentence(documents)} of these in the same sentence" in readme
    for label, counts in offsets.items():
        row = re.search(rf"^\| {label} \| (\d+) \| (\d+) \| ([+-]\d+) \| (\d+) % \|$", readme, 8)
        total = counts.total()
        assert (row is None) == (total < 17), label
        if row:
            assert int(row[1]) == total
            assert counts[int(row[3])] == max(counts.values())
            assert int(row[4]) == round(100 * max(counts.values()) / total)


def test_inspector_reads_all_of_it_in_strict_mode(documents: dict[str, list[Tree]]) -> None:
    from inspector.corpora import read_conllu

    corpus = read_conllu(FILES, labels="full", strict=True)
    assert corpus.skipped == []
    assert corpus.annotation == "gold"
    expected = [(name, tree) for name, sentences in documents.items() for tree in sentences]
    assert len(corpus.sentences) == len(expected)
    for sentence, (name, tree) in zip(corpus.sentences, expected, strict=True):
        assert (sentence.id, sentence.document, sentence.text) == (tree.id, name, tree.text)
        assert list(sentence.words) == [row[1] for row in tree.rows]
        assert {(r.source, r.target, r.label) for r in sentence.relations} == {
            (word - 1, tree.heads[word] - 1, row[7])
            for word, row in enumerate(tree.rows, start=1)
            if row[7] not in ("root", "punct")
        }


def test_no_sentence_is_taken_from_a_gold_treebank(documents: dict[str, list[Tree]]) -> None:
    files = [*DATA.glob("ud-english-*/*.conllu")]
    if not files:
        pytest.skip(f"no gold treebanks at {DATA}; INSPECTOR_DATA names another folder")
    ours = {tree.text.lower() for document in documents.values() for tree in document}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not ours & {line.lower() for line in re.findall(r"^# text = (.*)$", text, 8)}


CORRUPTIONS = {
    "a head beyond the end": (r"^(2\t.*?)\t\d+\t(\w+\t_\t)", r"\1\t99\t\2", "is no word"),
    "a second root": (r"^(1\t.*?)\t\d+\t[\w:]+(\t_\t)", r"\1\t0\troot\2", "2 roots"),
    "an unknown relation": (r"\tnsubj\t", "\tsubject\t", "not in the inventory"),
    "an unknown part of speech": (r"\tNOUN\tNN\t", "\tSUBST\tNN\t", "not in the inventory"),
    "a verb as determiner": (r"\tDET\tDT\t", "\tVERB\tVB\t", "VERB cannot be det"),
    "a noun as case": (r"\tADP\tIN\t", "\tNOUN\tNN\t", "NOUN cannot be case"),
    "an object as copula's subject": (r"\tnsubj:pass\t", "\tnsubj\t", "passive has an active"),
    "another text": (r"^# text = A", "# text = The", "the words spell"),
    "a lost space": (r"\t_$", "\tSpaceAfter=No", "the words spell"),
    "a lost mention's end": (r"(Entity=[^\t\n|]*?)\d+\)", r"\1", "cannot be read|closes|stay open"),
    "an end too much": (r"Entity=\(", "Entity=7)(", "closes what is not open"),
    "a head outside minspan": (r"-cf(\d+\*?)-[\d,]+-", r"-cf\1-9-", "leaves out the head"),
    "a made-up link": (r"-coref", "-same", "outside the inventory"),
    "a chain of one": (r"-sgl\)", "-coref)", "sgl goes with one mention"),
    "an old thing called new": (r"giv:act", "new", "must be giv:act"),
    "a skipped id": (r"^3\t", "4\t", "ids are not"),
    "a missing column": (r"^(2\t.*)\t[^\t]+$", r"\1", "not ten filled columns"),
    "unsorted features": (r"Definite=Def\|PronType=Art", "PronType=Art|Definite=Def", "sorted"),
    "another document's sentence": (r"sent_id = sample_news", "sent_id = news", "sent_id"),
}


@each("name", CORRUPTIONS)
def test_the_checker_refuses(name: str) -> None:
    pattern, instead, finding = CORRUPTIONS[name]
    text = (SAMPLE / "sample_news_ferry.conllu").read_text(encoding="utf-8")
    broken, n_changed = re.subn(pattern, instead, text, count=1, flags=re.MULTILINE)
    assert n_changed == 1
    assert broken != text
    assert any(re.search(finding, problem) for problem in problems(broken)), problems(broken)


def test_the_checker_refuses_a_cycle_and_crossing_arcs() -> None:
    text = (SAMPLE / "sample_news_ferry.conllu").read_text(encoding="utf-8")
    cells = [line.split("\t") for line in text.split("\n")]
    first = next(place for place, row in enumerate(cells) if row[0] == "1")

    def hang(word: int, head: int) -> str:
        changed = [list(row) for row in cells]
        changed[first + word - 1][6] = str(head)
        return "\n".join("\t".join(row) for row in changed)

    # A(1) small(2) ferry(3) ran(4) aground(5) near(6)
    assert any("cycle" in problem for problem in problems(hang(3, 1)))
    assert any("arcs cross" in problem for problem in problems(hang(2, 5)))
