"""Every kind of relation on gold documents: n and correct equal plain loops over files and maps.

Relations are read again from the cells of the files, attention maps a sentence at a time.
Coreference has a reference of its own, over windows. Must not know: how inspector reads.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import support.slow.kinds as slow_kinds
from support.slow.observers import attention_of

from inspector.corpora import annotate, annotate_from, read_conllu
from inspector.heads.counts import DIRECTIONS
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
EWT, GUM = (
    DATA / "ud-english-ewt/en_ewt-ud-dev.conllu",
    DATA / "ud-english-gum/en_gum-ud-dev.conllu",
)
ROLES = DATA / "up-english-ewt/srl-ewt-v2.16-dev.tsv"
NAMES = DATA / "uner-english-ewt/en_ewt-ud-dev.iob2"
STREUSLE = DATA / "streusle/streusle.ud_dev.conllulex"
SETTINGS = ProfileSettings(random_init_seeds=(), shard_size=64, coreference=False, ablation=False)
# What each kind of annotation must show on these documents, and of each at least how many.
TREE = ("neg:scope", "condition:cue", "coordination:and", "comparison:cue", "quantifier:noun")
BESIDE = {
    "ewt": (
        *("neg:argument", "role:ARG0", "role-dep:ARG1", "role-copula:ARG1", "name:LOC"),
        *("supersense:noun", "supersense:verb", "idiom:verb", "idiom:other", "user:ahead"),
        *("meaning:antonym", "meaning:hypernym", "meaning-control:antonym"),
    ),
    "gum": tuple(
        f"connective:{sense}" for sense in ("contingency", "comparison", "expansion", "temporal")
    ),
}
AT_LEAST = 4
ASKED_FOR = ("than", "if", "unless", "good", "bad", "new", "old", "time", "people", "not", "some")
# Synset → part of speech, words, and (pointer, synset): a WordNet of a few common words.
SYNSETS = {
    "good": ("adj", ["good"], [("!", "bad")]),
    "bad": ("adj", ["bad"], [("!", "good")]),
    "great": ("adj", ["great", "wonderful", "amazing", "excellent"], []),
    "nice": ("adj", ["nice", "pleasant", "friendly"], []),
    "new": ("adj", ["new"], [("!", "old")]),
    "old": ("adj", ["old"], [("!", "new")]),
    "go": ("verb", ["go"], [("!", "come")]),
    "come": ("verb", ["come"], [("!", "go")]),
    "people": ("noun", ["people", "person"], []),
    "staff": ("noun", ["staff", "customer", "friend", "teacher", "guy"], [("@", "people")]),
    "time": ("noun", ["time"], []),
    "day": ("noun", ["day"], [("@", "time"), ("#p", "week")]),
    "week": ("noun", ["week", "month", "year"], [("@", "time")]),
    "food": ("noun", ["food"], []),
    "pizza": ("noun", ["pizza", "sushi", "meal", "meat", "salad", "beer"], [("@", "food")]),
    "place": ("noun", ["place"], []),
    "restaurant": ("noun", ["restaurant"], [("@", "place")]),
    "shop": ("noun", ["shop", "store"], [("@", "place")]),
}
TAGS = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ", "adv": "ADV"}


def related():
    """Return kind → ordered pairs of words that the synsets relate."""

    def words(name):
        part, said, _ = SYNSETS[name]
        return [(word, TAGS[part]) for word in said]

    found = {kind: set() for kind in ("synonym", "antonym", "hypernym", "part")}
    kinds = {"!": "antonym", "@": "hypernym", "#p": "part"}
    for name, (*_, pointers) in SYNSETS.items():
        own = words(name)
        found["synonym"] |= {(one, other) for one in own for other in own if one != other}
        for symbol, to in pointers:
            found[kinds[symbol]] |= {(one, other) for one in own for other in words(to)}
    return found


def write_wordnet(folder):
    """Write the synsets as WordNet's database files; places have eight digits."""
    letters = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
    place = dict.fromkeys(SYNSETS, 0)
    of_words = {"!": "0101", "@": "0000", "#p": "0000"}
    for _ in range(2):
        data = dict.fromkeys(letters, "")
        for name, (part, said, pointers) in SYNSETS.items():
            place[name] = len(data[part])
            rest = "".join(
                f"{symbol} {place[to]:08d} {letters[SYNSETS[to][0]]} {of_words[symbol]} "
                for symbol, to in pointers
            )
            row = " ".join(f"{word} 0" for word in said)
            data[part] += f"{place[name]:08d} 03 {letters[part]} {len(said):02x} {row} "
            data[part] += f"{len(pointers):03d} {rest}| a gloss\n"
    for part, letter in letters.items():
        rows = [
            f"{word} {letter} 1 0 1 0 {place[name]:08d}\n"
            for name, (of, said, _) in SYNSETS.items()
            for word in said
            if of == part
        ]
        (folder / f"data.{part}").write_text(data[part])
        (folder / f"index.{part}").write_text("".join(rows))
    return folder


def own_relations(sentences):
    """Return (sentence, label, source, right words) that a user may have written."""
    for name, words in sentences.items():
        if len(words) > 4:
            yield name, "user:ahead", 1, {3 + len(words) % 2}
            yield name, "user:back", len(words), {2}


def ewt(folder):
    """Return reviews with all that stands beside them, and their relations by plain loops."""
    documents = slow_kinds.raw_documents(EWT)
    covered = {name for name, _ in slow_kinds.blocks(STREUSLE)}

    def worth(name):
        said = [
            row[slow_kinds.LEMMA] for words in documents[name].values() for row in words.values()
        ]
        return sum(said.count(word) for word in ASKED_FOR)

    short = [
        name for name in sorted(documents, key=worth, reverse=True) if len(documents[name]) < 20
    ]
    reviews = [name for name in short if set(documents[name]) <= covered]
    wanted = reviews[:36] + [name for name in short if name not in reviews][:10]
    chosen = [name for name in documents if name in wanted]  # in the order of the file
    sentences = {key: words for name in chosen for key, words in documents[name].items()}
    own = list(own_relations(sentences))
    rows = ["sent_id\tfrom\tto\tlabel"]
    rows += [f"{key}\t{a}\t{b}\t{label[5:]}" for key, label, a, right in own for b in right]
    (folder / "own.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    corpus = part_of(EWT, chosen)
    wordnet = write_wordnet(folder)
    for path in (ROLES, NAMES, STREUSLE, wordnet, folder / "own.tsv"):
        corpus = annotate_from(corpus, path)
    found = [*slow_kinds.roles(ROLES, sentences), *slow_kinds.names(NAMES, sentences), *own]
    found += slow_kinds.supersenses(STREUSLE, sentences)
    return corpus, sentences, [*found, *slow_kinds.meaning(related(), sentences)]


def gum(folder):
    """Return the shortest documents of GUM, and their connectives by plain loops."""
    documents = slow_kinds.raw_documents(GUM)
    size = {name: sum(map(len, own.values())) for name, own in documents.items()}
    wanted = sorted(size, key=size.get)[:10]
    chosen = [name for name in documents if name in wanted]
    sentences = {key: words for name in chosen for key, words in documents[name].items()}
    found = [row for name in chosen for row in slow_kinds.connective(documents[name])]
    return part_of(GUM, chosen), sentences, found


def part_of(path, documents):
    corpus = read_conllu(path)
    kept = [one for one in corpus.sentences if one.document in documents]
    assert len({one.document for one in kept}) >= 10
    return annotate(replace(corpus, sentences=kept))


def slow_counts(model, corpus, relations):
    """Return n[label] and correct[label, direction], by layer and head."""
    n, correct = Counter(), {}
    of_sentence = {}
    for name, label, source, right in relations:
        row = (label, source - 1, frozenset(word - 1 for word in right))
        of_sentence.setdefault(name, {})[row] = None  # once, however often it is said
    for sentence in corpus.sentences:
        maps, word_ids, _, _ = attention_of(model, sentence)
        n_words = len(sentence.words)
        present = {word for word in word_ids if word is not None}
        words = np.zeros((*maps.shape[:2], n_words, n_words))
        for i, one in enumerate(word_ids):
            for j, other in enumerate(word_ids):
                if one is not None and other is not None:
                    words[:, :, one, other] += maps[:, :, i, j] / word_ids.count(one)
        words[:, :, range(n_words), range(n_words)] = -1.0
        looks_at, looked_from = words.argmax(-1), words.argmax(-2)
        for label, source, annotated in of_sentence.get(sentence.id, ()):
            # "im" is one token, and it is of "i", the word that holds its first character.
            right = annotated & present
            if source not in present or not right:
                continue
            n[label] += 1
            hits = {
                "dependent_to_head": sum(looks_at[:, :, source] == word for word in right),
                "head_to_dependent": sum(looks_at[:, :, word] == source for word in right),
                "attended_by_head": sum(looked_from[:, :, source] == word for word in right),
            }
            for direction, hit in hits.items():
                total = correct.setdefault((label, direction), np.zeros(maps.shape[:2], dtype=int))
                total += hit > 0
    return n, correct


def assert_same(frame, n, correct):
    assert set(frame["relation"]) == set(n)
    for (label, direction), rows in frame.groupby(["relation", "direction"]):
        assert set(rows["n"]) == {n[label]}, label
        found = rows.pivot(index="layer", columns="head", values="correct").to_numpy()
        assert np.array_equal(found, correct[label, direction]), (label, direction)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("treebank", ["ewt", pytest.param("gum", marks=pytest.mark.full)])
def test_every_kind_on_gold_documents(minilm, tmp_path, treebank):
    missing = [path for path in (EWT, GUM, ROLES, NAMES, STREUSLE) if not path.is_file()]
    if missing:
        pytest.skip(f"needs {missing[0].name} of INSPECTOR_DATA")
    corpus, sentences, beside = {"ewt": ewt, "gum": gum}[treebank](tmp_path)
    of_trees = [
        (name, *row)
        for name, words in sentences.items()
        for of in slow_kinds.LOGIC
        for row in of(words)
    ]
    n, correct = slow_counts(minilm, corpus, [*of_trees, *beside])
    few = {label: n[label] for label in (*TREE, *BESIDE[treebank]) if n[label] < AT_LEAST}
    assert few == {}
    run = profile_corpus(minilm, corpus, settings=SETTINGS)
    kinds = dict(zip(run.kinds["relation"], run.kinds["kind"], strict=True))
    # Paths of edges have a reference of their own, in tests/corpora/readers/test_paths.py.
    by_edges = run.relations["relation"].map(kinds).isin(["syntax", "multi-hop"])
    frame = run.relations[~by_edges]
    assert_same(frame, n, correct)
    assert frame["correct"].gt(0).sum() > 1000
    assert {direction for _, direction in correct} == set(DIRECTIONS)
    correct["neg:scope", "dependent_to_head"][2, 1] += 1
    with pytest.raises(AssertionError, match="neg:scope"):
        assert_same(frame, n, correct)
