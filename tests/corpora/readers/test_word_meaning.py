"""Word meaning from WordNet's files: pairs, and pairs matched to them."""

import re

import pytest
from support.each import each
from support.texts.small_trees import carried, corpus_of, counted, pairs, reasons, tree

from inspector.corpora import annotate_from, read_conllu
from inspector.corpora.readers.word_meaning import read_word_meaning
from inspector.corpora.readers.wordnet import DEBIAN, Synset, WordNet
from inspector.errors import InputError

carried_meaning = carried("meaning")
LICENSE = "  1 This stands before the first line, as in WordNet's own files.  \n"
# name → (part, words, pointers (symbol, target, source and target word))
SYNSETS = {
    "animal": ("noun", ["animal"], []),
    "dog": ("noun", ["dog", "domestic_dog"], [("@", "animal", "0000")]),
    "puppy": ("noun", ["puppy"], [("@", "dog", "0000")]),
    "tail": ("noun", ["tail"], [("#p", "dog", "0000"), ("!", "head", "0101")]),
    "head": ("noun", ["head"], [("!", "tail", "0101")]),
    "buy": ("verb", ["buy", "purchase"], [("!", "sell", "0101")]),
    "sell": ("verb", ["sell"], [("!", "buy", "0101")]),
    "hot": ("adj", ["hot(p)"], [("!", "cold", "0101")]),
    "cold": ("adj", ["cold"], [("!", "hot", "0101")]),
    "fast": ("adv", ["fast"], []),
}
LETTER = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


@pytest.fixture
def wordnet(tmp_path):
    """WordNet's files with a handful of synsets, offsets true to the byte."""
    offsets, size = {}, {}
    for _ in range(2):  # offsets have eight digits, so the second time they are right
        size = dict.fromkeys(LETTER, len(LICENSE))
        lines = dict.fromkeys(LETTER, "")
        for name, (part, words, pointers) in SYNSETS.items():
            offsets[name] = size[part]
            said = " ".join(f"{word} 0" for word in words)
            rest = " ".join(
                f"{symbol} {offsets.get(to, 0):08d} {LETTER[SYNSETS[to][0]]} {which}"
                for symbol, to, which in pointers
            )
            line = f"{offsets[name]:08d} 03 {LETTER[part]} {len(words):02x} {said} "
            line += f"{len(pointers):03d} {rest} | a gloss; with | bars\n"
            lines[part] += line
            size[part] += len(line)
    for part, letter in LETTER.items():
        (tmp_path / f"data.{part}").write_text(LICENSE + lines[part])
        index = LICENSE
        for name, (own, words, _) in SYNSETS.items():
            if own == part:
                for word in words:
                    index += f"{word.split('(')[0]} {letter} 1 1 @ 1 0 {offsets[name]:08d}  \n"
        (tmp_path / f"index.{part}").write_text(index)
    return tmp_path


def test_senses_and_pointers(wordnet):
    reader = WordNet(wordnet)
    senses = reader.senses([("dog", "NOUN"), ("domestic dog", "NOUN"), ("cat", "NOUN")])
    assert senses["dog", "NOUN"] == senses["domestic dog", "NOUN"]
    assert set(senses) == {("dog", "NOUN"), ("domestic dog", "NOUN")}
    meaning = reader.meaning(senses["dog", "NOUN"][0])
    assert meaning.words == ("dog", "domestic_dog")
    (pointer,) = meaning.pointers
    assert (pointer.symbol, reader.meaning(pointer.target).words) == ("@", ("animal",))
    assert reader.broken == 0


def sentence(words: str, tags: str, **misc):
    rows = [
        f"{word} {tag} {0 if place == 0 else 1} {'root' if place == 0 else 'conj'}"
        for place, (word, tag) in enumerate(zip(words.split(), tags.split(), strict=True))
    ]
    return tree("; ".join(rows), **misc)


@each(
    ("words", "tags", "expected"),
    [
        (
            "buy purchase",
            "VERB VERB",
            {("synonym", "buy1", "purchase2"), ("synonym", "purchase2", "buy1")},
        ),
        ("buy sell", "VERB VERB", {("antonym", "buy1", "sell2"), ("antonym", "sell2", "buy1")}),
        ("purchase sell", "VERB VERB", set()),  # the antonym is of the word, not the synset
        ("hot cold", "ADJ ADJ", {("antonym", "hot1", "cold2"), ("antonym", "cold2", "hot1")}),
        ("puppy x animal", "NOUN X NOUN", {("hypernym", "puppy1", "animal3")}),
        ("tail dog", "NOUN NOUN", {("part", "tail1", "dog2")}),
        ("dog dog", "NOUN NOUN", set()),
        ("buy dog", "VERB NOUN", set()),
        ("buy sell", "NOUN VERB", set()),
    ],
)
def test_related_words(wordnet, words, tags, expected):
    found = pairs(lambda corpus: read_word_meaning(corpus, wordnet), sentence(words, tags))
    assert {
        (label[8:], *rest) for label, *rest in found if label.startswith("meaning:")
    } == expected


def test_controls_are_alike_in_distance_tags_and_frequency_and_unrelated(wordnet):
    corpus = corpus_of(
        sentence("buy x sell", "VERB X VERB", id="related"),
        sentence("rare x odd", "VERB X VERB", id="rare"),
        *(sentence("go x run", "VERB X VERB", id=f"common{n}") for n in range(5)),
        sentence("go run", "VERB VERB", id="near"),
        sentence("go x run", "VERB X NOUN", id="noun"),
    )
    found = read_word_meaning(corpus, wordnet)
    controls = [
        (s.id, r.label, r.source, r.target)
        for s in found.sentences
        for r in s.relations
        if r.label.startswith("meaning-control:")
    ]
    assert controls == [
        ("rare", "meaning-control:antonym", 0, 2),
        ("rare", "meaning-control:antonym", 2, 0),
    ]


def test_pairs_without_a_match_are_counted(wordnet):
    found = read_word_meaning(corpus_of(sentence("buy sell", "VERB VERB")), wordnet)
    assert counted(found) == {"meaning:antonym": 2}
    assert reasons(found) == {"a related pair without a pair to match it in the corpus": 2}


def test_a_synset_that_is_not_at_its_place_is_counted(wordnet):
    data = wordnet / "data.verb"
    data.write_text(LICENSE + "x" + data.read_text()[len(LICENSE) :])
    found = read_word_meaning(corpus_of(sentence("buy sell", "VERB VERB")), wordnet)
    assert reasons(found) == {"a synset that is not at its place": 2}
    assert WordNet(wordnet).meaning(Synset("verb", 10**8)).words == ()


def test_an_index_line_that_is_broken_gives_no_sense(wordnet):
    (wordnet / "index.adv").write_text("fast r x 1 @ 1 0 00000068\nfast\nslow r 1 0 1 0 68\n\n")
    with (wordnet / "index.adv").open("a") as file:
        file.write(f"fast r {'9' * 5000} 0 1 0 00000068\n")
    assert WordNet(wordnet).senses([("fast", "ADV"), ("slow", "ADV")]) == {
        ("fast", "ADV"): (),
        ("slow", "ADV"): (),
    }


def test_no_wordnet_says_how_to_get_it(tmp_path, wordnet):
    corpus = corpus_of(sentence("buy sell", "VERB VERB"))
    how = "Install Debian's package wordnet-base, or give the folder of a WordNet of your own "
    how += "(index.noun, data.noun, and so on for verb, adj, adv)."
    (wordnet / "data.verb").unlink()
    missing = tmp_path / "none"
    for folder, file in ((missing, "index.verb"), (wordnet, "data.verb")):
        with pytest.raises(
            InputError,
            match=re.escape(
                f"wordnet ({folder}) must be a folder with WordNet's files: {file} is not there. "
                f"{how}"
            ),
        ):
            read_word_meaning(corpus, folder)
    if not DEBIAN.exists():
        with pytest.raises(InputError, match=re.escape(how)):
            annotate_from(corpus, "wordnet")


def test_a_folder_is_taken_for_wordnet(wordnet):
    corpus = corpus_of(sentence("buy sell", "VERB VERB"))
    found = annotate_from(corpus, wordnet)
    assert found == read_word_meaning(corpus, wordnet)
    assert found.sha256 != corpus.sha256


def test_meaning_in_the_last_column():
    here = sentence(
        "hot cold warm", "ADJ ADJ ADJ", w1="Meaning=antonym:2,synonym:3", w2="Meaning=rhyme:1"
    )
    assert pairs(carried_meaning, here) == {
        ("meaning:antonym", "hot1", "cold2"),
        ("meaning:synonym", "hot1", "warm3"),
    }
    found = carried_meaning(corpus_of(here))
    assert reasons(found) == {"a Meaning value that is not KIND:word": 1}


def test_debians_wordnet_on_gold_sentences(gold_file):
    if not (DEBIAN / "data.noun").is_file():
        pytest.skip(f"no WordNet at {DEBIAN}: apt-get install wordnet-base")
    found = annotate_from(read_conllu(gold_file("ewt")), "wordnet")
    assert counted(found)["meaning:antonym"] == 42
    assert counted(found)["meaning-control:antonym"] == 42
