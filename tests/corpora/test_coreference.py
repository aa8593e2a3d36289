"""Coreference, windows and controls on texts small enough to know the answer."""

from dataclasses import replace

import pytest

from inspector.corpora import Corpus, Relation, Sentence, read_conllu, tree_sentence
from inspector.corpora.annotation.document_windows import corpus_windows, cut_windows
from inspector.corpora.annotation.matched_pairs import with_controls
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.coreference import MentionHead, coreference_relations
from inspector.corpora.default import sample_files

WORDS = ["Ann", "met", "Bo", ";", "she", "liked", "him", ".", "Ann", "asked", "the", "boy"]
TAGS = [
    "PROPN",
    "VERB",
    "PROPN",
    "PUNCT",
    "PRON",
    "VERB",
    "PRON",
    "PUNCT",
    "PROPN",
    "VERB",
    "DET",
    "NOUN",
]
MENTIONS = [("ann", 0), ("bo", 2), ("ann", 4), ("bo", 6), ("ann", 8), ("bo", 11)]


def relations(mentions=MENTIONS, words=WORDS, tags=TAGS):
    return coreference_relations([MentionHead(*one) for one in mentions], words, tags)


def test_labels_targets_and_rules():
    found = {
        (one.label, one.source): (one.target, one.also, one.subsets)
        for one in relations()
        if not one.among
    }
    assert found == {
        ("coref:pronoun", 4): (0, (), ()),
        ("coref:pronoun", 6): (2, (), ()),
        ("coref-same-string:proper", 8): (4, (0,), ("nearest-same-head",)),
        ("coref:nominal", 11): (6, (2,), ()),
    }


def test_both_readings_of_each_pair():
    plain = [one for one in relations() if not one.among]
    restricted = [one for one in relations() if one.among]
    assert [f"{one.label}:mentions" for one in plain] == [one.label for one in restricted]
    for one, other in zip(plain, restricted, strict=True):
        assert one == replace(other, label=one.label, among=())
        assert other.among == (0, 2, 4, 6, 8, 11)


def test_the_nearest_mention_is_any_before_with_another_head():
    mentions = [("a", 0), ("b", 2), ("b", 4), ("c", 6), ("c", 6), ("c", 8)]
    found = {one.source: one for one in relations(mentions) if not one.among}
    assert found[4].subsets == ("nearest-mention",)
    assert found[8].subsets == ("nearest-mention",)
    assert found[8].also == ()
    assert 6 not in found, "a word is not its own antecedent"


def test_upper_and_lower_case_are_the_same_string():
    found = relations([("x", 0), ("x", 1)], ["The", "the"], ["DET", "DET"])
    assert {one.label.split(":")[0] for one in found} == {"coref-same-string"}


def test_without_tags_all_mentions_are_nominal():
    found = coreference_relations([MentionHead("a", 0), MentionHead("a", 1)], ["It", "so"], None)
    assert found[0].label == "coref:nominal"


def test_windows_hold_whole_sentences_of_one_document():
    lengths, documents = [5, 5, 5, 5, 20, 1, 1], ["a", "a", "a", "b", "b", "b", "c"]
    assert cut_windows(lengths, documents, 10) == [(0, 1), (2,), (3,), (4,), (5,), (6,)]
    assert cut_windows(lengths, documents, 26) == [(0, 1, 2), (3, 4, 5), (6,)]
    assert cut_windows([], [], 10) == []


def sample():
    return read_conllu(sample_files(), strict=True)


@pytest.mark.parametrize("limit", [15, 80, 10_000])
def test_windows_of_the_sample_lose_only_what_lies_in_earlier_windows(limit):
    corpus = sample()
    windows = corpus_windows(corpus, [len(s.words) for s in corpus.sentences], limit)
    kept = sum(not r.among and "|" not in r.label for w in windows.texts for r in w.relations)
    mentions, _ = read_mentions(corpus.sentences, corpus.document_ids())
    anaphoric = 0
    for number, one in enumerate(mentions):
        anaphoric += any(
            (other.document, other.entity) == (one.document, one.entity)
            and (other.sentence, other.head) != (one.sentence, one.head)
            for other in mentions[:number]
        )
    assert (windows.n_mentions, windows.documents_without) == (len(mentions), 0)
    assert kept + windows.n_before == anaphoric
    assert (windows.n_before == 0) == (limit == 10_000)


def test_windows_too_short_for_two_mentions_hold_nothing():
    corpus = sample()
    one_each = [replace(s, document=s.id) for s in corpus.sentences]
    lone = [s for s in one_each if s.source.count("Entity=(") == 1 and s.source.count("(") < 2]
    assert lone
    windows = corpus_windows(replace(corpus, sentences=lone), [1] * len(lone), 1)
    assert windows.texts == ()


def test_a_document_without_mentions_is_counted():
    corpus = sample()
    bare = tree_sentence("bare", ["Go"], [-1], ["root"], document="bare")
    both = replace(corpus, sentences=[*corpus.sentences, bare])
    windows = corpus_windows(both, [9] * len(both.sentences), 90)
    assert windows.documents_without == 1
    alone = corpus_windows(replace(corpus, sentences=[bare]), [9], 90)
    assert (alone.texts, alone.documents_without) == ((), 0)


def test_a_sentence_with_several_right_words_is_a_window_of_its_own():
    plain = Relation("semantic", "x", 0, 1)
    several = Relation("semantic", "y", 0, 1, also=(2,))
    sentence = Sentence("s", None, ("a", "b", "c"), None, (plain, several))
    windows = corpus_windows(Corpus("c", [sentence], [], "", "gold"), [3], 9)
    assert [r.label for w in windows.texts for r in w.relations if "|" not in r.label] == ["y"]
    assert windows.texts[0].document == "block-00000"


def slow_apart(relation, words, heads):
    for word in relation.targets:
        if words[word].lower() == words[relation.source].lower():
            return False
        joined = {(place, head) for place, head in enumerate(heads) if head >= 0}
        joined |= {(head, place) for place, head in joined}
        near = {there for here, there in joined if here == relation.source}
        near |= {there for here, there in joined if here in near}
        if word in near:
            return False
    return True


def test_what_is_apart_and_what_is_matched_in_the_windows_of_the_sample():
    corpus = sample()
    windows = corpus_windows(corpus, [len(s.words) for s in corpus.sentences], 10_000)
    of_document = {}
    for sentence in corpus.sentences:
        heads = of_document.setdefault(sentence.document, [])
        start = len(heads)
        heads += [start + head if head >= 0 else -1 for head in sentence.heads]
    matched = asked = 0
    for text in windows.texts:
        right = {}
        for one in text.relations:
            if "|" not in one.label:
                right.setdefault(one.source, set()).update(one.targets)
        previous = None
        for one in text.relations:
            if "|" not in one.label:
                asked += 1
                is_apart = slow_apart(one, text.words, of_document[text.document])
                assert ("apart" in one.subsets) == is_apart
                previous = one
                continue
            matched += 1
            assert one.label == f"{previous.label}|matched"
            assert one.among == previous.among
            assert one.source != previous.source
            assert text.upos[one.source] == text.upos[previous.source]
            assert len(set(one.targets)) == len(previous.targets)
            for word, theirs in zip(one.targets, previous.targets, strict=True):
                assert text.upos[word] == text.upos[theirs]
                assert (word > one.source) == (theirs > previous.source)
                assert word not in right.get(one.source, ())
                assert one.source not in right.get(word, ())
    assert matched > 0.9 * asked > 100


def test_the_matched_pair_is_at_the_nearest_distance():
    words = ["n0", "v", "n2", "v", "n4", "n5", "v", "n7"]
    tags = ["NOUN" if word[0] == "n" else "VERB" for word in words]
    relation = Relation("logical", "neg:scope", 1, 4)
    sentence = Sentence("s", "d", tuple(words), tuple(tags), (relation,))
    for number in range(8):
        found = with_controls(replace(sentence, id=f"s{number}"), ()).relations[1]
        assert (found.source, found.target) in {(3, 5), (6, 7)}
    assert with_controls(sentence, ()).relations[1] == with_controls(sentence, ()).relations[1]


def test_syntax_has_no_controls():
    tree = tree_sentence("s", ["Dogs", "bark"], [1, -1], ["nsubj", "root"])
    assert with_controls(tree, tree.heads) is tree


def test_the_nearest_mention_stands_before_the_source():
    """A mention that encloses another opens before it, and its own head may come after it."""
    text, tags = ["Ann", "'s", "her", "friend"], ["PROPN", "PART", "PRON", "NOUN"]
    mentions = [("ann", 0), ("friend", 3), ("ann", 2)]
    (found,) = (one for one in relations(mentions, text, tags) if not one.among)
    assert (found.source, found.target, found.subsets) == (2, 0, ("nearest-mention",))


def test_the_nearest_mention_is_never_the_source_itself():
    """Two mentions of one head word: 'the dog' inside 'the dog that barked'."""
    text, tags = ["Ann", "dog"], ["PROPN", "NOUN"]
    mentions = [("x", 0), ("y", 1), ("x", 1)]
    (found,) = (one for one in relations(mentions, text, tags) if not one.among)
    assert (found.source, found.target, found.subsets) == (1, 0, ("nearest-mention",))
