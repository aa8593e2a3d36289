"""The rungs where plain text seldom leads: ends of sentences, words unread or untagged, masks.

A few words each, and what is found written down by hand; then every interval by plain loops.
"""

import dataclasses

import numpy as np
import pytest
import support.slow.ladder as slow
from support.each import each

from benchmarks import truths
from benchmarks.nulls import random_words
from inspector.corpora import Relation, Sentence, read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.inference import bootstrap_weights
from inspector.heads.specialization.ladder.ladder import head_rungs
from inspector.heads.specialization.ladder.matched import (
    other_sources,
    other_targets,
    source_differences,
    target_differences,
)
from inspector.heads.specialization.ladder.rules import (
    SIDES,
    ClassRule,
    ClassWords,
    Family,
    best_position,
    best_rule,
    class_words,
    position_words,
)
from inspector.heads.specialization.ladder.selectivity import least_favourable, selectivities
from inspector.heads.specialization.ladder.words import NOTHING, word_table

DOWN, UP, BY = DIRECTIONS
LETTERS = {"N": "NOUN", "V": "VERB", "A": "ADJ", "D": "DET"}


def table_of(*tagged, pairs=(), looks=None, tested=(), unread=(), untagged=()):
    """Return the table of sentences of one document each, d0, d1, …

    Args:
        tagged: A letter a word.
        pairs: (sentence, source, target) of relation r.
        looks: What one head looks at, for each word; without it, at any word of its sentence.
        tested: Numbers of the test documents.
        unread: Words without tokens.
        untagged: Sentences without parts of speech.
    """
    sentences = []
    for number, letters in enumerate(tagged):
        own = tuple(Relation("syntax", "r", a, b) for of, a, b in pairs if of == number)
        tags = None if number in untagged else tuple(LETTERS[one] for one in letters)
        words = tuple(f"w{place}" for place in range(len(letters)))
        sentences.append(Sentence(f"s{number}", None, words, tags, own, None))
    if looks is None:
        lengths = np.array([len(one) for one in tagged])
        start = np.repeat(np.cumsum(lengths) - lengths, lengths)
        place = np.arange(len(start)) - start
        looks = start + (place + 1) % np.repeat(lengths, lengths)
    predicted = np.array(looks)[None, None].repeat(2, axis=0)
    predicted[..., list(unread)] = NOTHING
    documents = [f"d{number}" for number in range(len(tagged))]
    return word_table(sentences, documents, predicted, tested=[f"d{one}" for one in tested])


def nouns(table):
    inside = np.isin(table.tag, [place for place, tag in enumerate(table.tags) if tag == "NOUN"])
    return dict(zip(SIDES, class_words(inside, table).tolist(), strict=True))


def test_a_rule_ends_where_its_sentence_does():
    found = nouns(table_of("VNN", "NNV", "V"))
    assert found == {
        "left": [-1, -1, 1, -1, 3, 4, -1],
        "right": [1, 2, -1, 4, -1, -1, -1],
        "either": [1, 2, 1, 4, 3, 4, -1],
        "left-run": [-1, -1, 1, -1, 3, 3, -1],
        "right-run": [2, 2, -1, 4, -1, -1, -1],
    }


def test_of_two_as_near_the_former_is_the_nearest():
    assert nouns(table_of("NVN"))["either"][1] == 0
    assert nouns(table_of("NVVN"))["either"] == [3, 0, 3, 0]


def test_a_word_without_tokens_is_of_no_class():
    table = table_of("VNNV", unread=[1])
    words = ClassWords(table).of_class(("NOUN",))
    assert words[SIDES.index("right")].tolist() == [2, 2, -1, -1]


def test_a_word_without_a_tag_is_of_no_class():
    tagged = table_of("NV", "NN")
    first, second = tagged.sentences
    table = dataclasses.replace(tagged, sentences=(dataclasses.replace(first, upos=None), second))
    words = ClassWords(table).of_class(("NOUN",))
    assert words[SIDES.index("right")].tolist() == [-1, -1, 3, -1]


def test_a_position_is_of_the_words_own_sentence_and_never_the_word_itself():
    table = table_of("VNN", "NV")
    assert position_words(1, 0, table).tolist() == [-1, 0, 0, -1, 3]
    assert position_words(3, 0, table).tolist() == [2, 2, -1, -1, -1]
    assert position_words(-1, 0, table).tolist() == [2, 2, -1, 4, -1]
    assert position_words(-3, 0, table).tolist() == [-1, 0, 0, -1, -1]
    assert position_words(0, 0, table).tolist() == [-1] * 5


def test_the_commonest_position_is_of_the_selection_split_and_of_equals_the_nearest_to_an_end():
    def commonest(*pairs, tested=()):
        table = table_of("VNVNV", "VNVNV", "VNVNVN", pairs=pairs, tested=tested)
        return best_position(table.pairs("r", DOWN), table)

    assert commonest((0, 0, 3)) == -2, "the fourth is the last but one"
    assert commonest((0, 0, 2)) == 3, "of the third and the last but two the start"
    assert commonest((0, 0, 1), (1, 0, 4), (2, 0, 5)) == -1
    assert commonest((0, 0, 1), (1, 0, 4), (2, 0, 5), tested=(1, 2)) == 2
    assert commonest((0, 0, 1), tested=(0,)) == 0


def test_rules_are_chosen_on_the_selection_split():
    pairs = [*((0, place, 3) for place in (0, 2)), *((1, place, 0) for place in (1, 2, 3))]
    table = table_of("VAAN", "VAAN", pairs=pairs, tested=(1,))
    classes, found = ClassWords(table), table.pairs("r", DOWN)
    family = classes.family(found)
    rules = dict(zip(SIDES, family.rules, strict=True))
    assert rules["right"].tags == ("NOUN",)
    assert best_rule(family, found) == SIDES.index("right")
    assert ("NOUN",) in classes.candidates(found)
    every = table_of("VAAN", "VAAN", pairs=pairs, tested=(0, 1))
    assert ClassWords(every).candidates(every.pairs("r", DOWN)) == []
    assert ClassWords(every).family(every.pairs("r", DOWN)).rules == ()


def test_without_a_pair_to_choose_on_no_rule_is_asked():
    table = table_of("VAAN", "VAAN", pairs=[(0, 0, 3), (1, 2, 0)], tested=(0, 1))
    rows = head_rungs(table, ["r"], np.ones((1, 3, 1), dtype=bool), 1)
    for name in ("position", "class"):
        assert rows[f"{name}_rule"].tolist() == [""] * 3
        assert rows[f"{name}_accuracy"].isna().all()
    assert rows["selectivity_n"].tolist() == [0] * 3
    assert rows["selectivity_q"].isna().all()


def test_the_commonest_tags_of_what_is_right_are_tried_together():
    pairs = [(0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 0, 3), (2, 0, 1)]
    table = table_of("VNAD", "VNAD", "VDDD", pairs=pairs, tested=(2,))
    tried = ClassWords(table).candidates(table.pairs("r", DOWN))
    assert ("DET",) in tried
    assert ("DET", "NOUN") in tried or ("ADJ", "DET") in tried
    assert ("ADJ", "DET", "NOUN") in tried
    assert ("ADJ", "DET", "NUM") in tried, "a union of which two tags occur"
    assert ("AUX", "VERB") not in tried, "a union of which one occurs is that one"


CAUSAL = (0, 0, 0, 1)
"""What each of four words of a decoder looks at; a first one that has no choice, at itself."""


def test_a_mask_leaves_only_what_comes_before():
    table = table_of("NVNV", looks=CAUSAL, pairs=[(0, 1, 0), (0, 3, 2), (0, 1, 2)])
    assert table.is_causal
    down, by = (table.pairs("r", direction) for direction in (DOWN, BY))
    assert list(zip(down.asked, down.expected, strict=True)) == [(1, 0), (3, 2)]
    assert list(zip(by.asked, by.expected, strict=True)) == [(1, 2)]
    found = ClassWords(table).found_by(("NOUN",), down)
    assert dict(zip(SIDES, found.tolist(), strict=True)) == {
        "left": [0, 2],
        "right": [-1, -1],
        "either": [0, 2],
        "left-run": [0, 2],
        "right-run": [-1, -1],
    }
    assert position_words(1, 0, table).tolist() == [-1, 0, 0, 0]
    assert position_words(-1, 0, table).tolist() == [-1, -1, -1, -1]
    assert position_words(-1, 1, table).tolist() == [3, 3, 3, -1], "who looks stands after"


def matches_of(matches):
    return [
        matches.word[matches.exists[:, place], place].tolist()
        for place in range(matches.word.shape[1])
    ]


def test_matches_lie_on_the_same_side_within_two_words_of_the_same_class():
    table = table_of("NNNVNNNN", pairs=[(0, 4, 3), (0, 7, 3)], tested=(0,))
    pairs = table.pairs("r", DOWN)
    # The second is related to the verb itself, beyond it they lie on the other side.
    assert matches_of(other_sources(pairs, table)) == [[5, 6], [5, 6]]
    others = table_of("NNNVNNNN", pairs=[(0, 3, 5), (0, 3, 0)], tested=(0,))
    assert sorted(matches_of(other_targets(others.pairs("r", DOWN), others))) == [[1, 2], [4, 6, 7]]


def test_matches_end_where_the_sentence_does():
    table = table_of("VVN", "NN", "NVV", pairs=[(1, 0, 1)], tested=(1,))
    pairs = table.pairs("r", DOWN)
    assert matches_of(other_sources(pairs, table)) == [[]]
    assert matches_of(other_targets(pairs, table)) == [[]]
    table = table_of("NNN", "NNV", "NNN", pairs=[(1, 0, 2), (1, 2, 0)], tested=(1,))
    assert matches_of(other_sources(table.pairs("r", DOWN), table)) == [[4], []]


def test_words_without_tokens_or_tags_match_nothing():
    table = table_of("NVNNN", pairs=[(0, 2, 1)], tested=(0,), unread=[3])
    assert matches_of(other_sources(table.pairs("r", DOWN), table)) == [[4]]
    table = table_of("NVNNN", "NV", pairs=[(0, 2, 1)], tested=(0,), untagged=[0])
    pairs = table.pairs("r", DOWN)
    assert matches_of(other_sources(pairs, table)) == [[]]
    assert matches_of(other_sources(pairs, table, any_class=True)) == [[3, 4]]


def test_a_pair_that_may_be_right_in_two_ways_is_matched_with_none():
    table = table_of("NNNVNNN", tested=(0,))
    two = Relation("semantic", "c", 5, 3, also=(1,))
    one = Relation("semantic", "c", 4, 3)
    words = table.sentences[0].words
    window = Sentence("s0", None, words, table.sentences[0].upos, (two, one), None)
    windowed = word_table([window], ["d0"], table.predicted, n_windows=1, tested=["d0"])
    for direction in (DOWN, UP):
        pairs = windowed.pairs("c", direction)
        assert pairs.is_single.tolist() == [False, True]
        for find in (other_sources, other_targets):
            assert not matches_of(find(pairs, windowed))[0]
        assert any(matches_of(find(pairs, windowed))[1] for find in (other_sources, other_targets))


def test_a_difference_is_a_hit_less_the_share_of_its_matches():
    #             0  1  2  3  4  5
    table = table_of("VNNNNV", pairs=[(0, 1, 0), (0, 4, 5)], looks=[1, 0, 0, 5, 0, 4], tested=(0,))
    pairs = table.pairs("r", DOWN)
    matches = other_sources(pairs, table)
    assert matches_of(matches) == [[2, 3], [2, 3]]
    found = source_differences(pairs, matches, table.predicted[0])
    assert found.tolist() == [[12 - 6, 0 - 6]], "of 2 and 3 one looks at each verb"
    turned = table.pairs("r", UP)
    matches = other_targets(turned, table)
    assert matches_of(matches) == [[2, 3], [2, 3]]
    found = target_differences(turned, matches, table.predicted[0])
    assert found.tolist() == [[12, 12]]
    looks = np.where(np.arange(6) == 5, 3, table.predicted[0])
    assert target_differences(turned, matches, looks).tolist() == [[12, -6]]
    none = table_of("VN", pairs=[(0, 1, 0)], tested=(0,))
    alone = none.pairs("r", DOWN)
    found = source_differences(alone, other_sources(alone, none), none.predicted[0])
    assert found.tolist() == [[0]], "without a match nothing is compared"


def test_a_head_that_predicts_nothing_is_not_where_a_rule_finds_nothing():
    table = table_of("VNV", "VNV", pairs=[(0, 1, 0), (1, 1, 2)], tested=(0, 1))
    pairs = table.pairs("r", DOWN)
    rules = (ClassRule(("NOUN",), "left"), ClassRule(("VERB",), "left"))
    words = np.array([[NOTHING, NOTHING], [0, 3]])
    looks = np.full((3, 6), NOTHING)
    looks[1, [1, 4]] = 0, 5  # right
    looks[2, [1, 4]] = 0, 3  # where the second rule is
    found = selectivities(pairs, Family(rules, words), looks, 2)
    # The second is right in the first pair, and there nothing is compared.
    assert found.rule.tolist() == [0, 0, 1]
    assert found.parts.tolist() == [[0, 0], [1, 1], [0, -1]]
    assert found.wholes.tolist() == [[1, 1], [1, 1], [0, 1]]


def test_as_often_at_the_rules_word_as_at_the_annotated_one_is_no_evidence():
    """Of two documents +1 and -1: of their four signs three reach the sum, and p is 1 none the
    less."""
    pairs = [(0, 1, 0), (1, 1, 2), (2, 1, 2)]
    looks = [1, 0, 1, 4, 5, 4, 7, 6, 7]
    table = table_of("VNV", "VNV", "VNV", pairs=pairs, looks=looks, tested=(1, 2))
    row = head_rungs(table, ["r"], np.ones((1, 3, 1), dtype=bool), 1).iloc[0]
    assert row["selectivity_rule"] == "VERB:left"
    assert (row["selectivity"], row["selectivity_n"]) == (0, 2)
    assert (row["selectivity_p"], row["selectivity_q"]) == (1, 1)


def test_the_least_favourable_member_is_that_of_the_smallest_score():
    """By its definition: selectivity over its standard error, by loops over documents."""
    draw = np.random.default_rng(2)
    for _ in range(200):
        wholes = draw.integers(0, 9, (4, 6))
        parts = draw.integers(-1, 9, (3, 4, 6)) % (wholes + 1) - draw.integers(0, 2, (3, 4, 6))
        for head, found in enumerate(least_favourable(parts, wholes)):
            scores = [score(parts[head, rule], wholes[rule]) for rule in range(4)]
            assert scores[found] == pytest.approx(min(scores))
    always = np.array([[3, 3], [0, 0], [5, 5]])
    assert least_favourable(np.array([[[-3, -2], [0, 0], [5, 5]]]), always).tolist() == [1]


def score(parts, wholes):
    n = sum(wholes)
    if not n:
        return -np.inf
    ratio = sum(parts) / n
    squares = sum((a - ratio * b) ** 2 for a, b in zip(parts, wholes, strict=True))
    return ratio / max(squares**0.5 / n, 1e-9)


RELATIONS = ["case", "det", "nsubj"]


@pytest.fixture(scope="module")
def climbed():
    """Return a table of 120 documents of a sentence each, and its rungs with some intervals."""
    sentences = read_conllu(sample_files()).sentences[:120]
    predicted = random_words(np.array([len(one.words) for one in sentences]), 3, 0)
    trees = truths.tree_words(sentences, predicted[0, 0].copy())
    for head in (1, 2):
        kept = np.random.default_rng(head).random(predicted.shape[2]) < 0.3 * head
        predicted[:, head] = np.where(kept, trees, predicted[:, head])
    table = word_table(sentences, [f"d{place}" for place in range(120)], predicted)
    asked = np.arange(27).reshape(3, 3, 3) % 4 != 0  # in each direction of other heads
    return table, asked, head_rungs(table, RELATIONS, asked, 3, seed=1)


def compared(table, row):
    """Return (document, difference) of each pair of which a rung is asked, by rung."""
    sentences, starts = table.sentences, np.cumsum(table.lengths) - table.lengths
    side = int(row["direction"] == BY)
    found = {name: [] for name in ("position", "class", "selectivity", *MATCHED)}

    def looked(number, word):
        return int(table.predicted[side, row["head"], starts[number] + word] - starts[number])

    for number, asked, right in slow.pairs(sentences, row["relation"], row["direction"]):
        if not slow.is_test(table.documents[number]):
            continue
        document, sentence = table.documents[number], sentences[number]
        hit = int(looked(number, asked) == right)
        at = slow.position_word(len(sentence.words), row["position_rule"], asked)
        found["position"].append((document, hit - (at == right)))
        at = slow.rule_word(sentence.upos, row["class_rule"], asked)
        found["class"].append((document, hit - (at == right)))
        at = slow.rule_word(sentence.upos, row["selectivity_rule"], asked)
        if at != right:
            found["selectivity"].append((document, hit - (at == looked(number, asked))))
        for name in MATCHED:
            of_source = name == "matched_source"
            others = slow.matched(sentence, *((asked, right) if of_source else (right, asked)))
            there = [
                looked(number, one) == right if of_source else looked(number, asked) == one
                for one in others
            ]
            if others:
                found[name].append((document, hit - sum(there) / len(there)))
    return found


MATCHED = ("matched_source", "matched_target")


@each("rung", ["position", "class", "selectivity", *MATCHED])
def test_every_interval_is_what_loops_over_resampled_documents_give(climbed, rung):
    table, asked, frame = climbed
    weights = bootstrap_weights(len(table.test_documents), 1)
    n_intervals = 0
    for row in frame.to_dict("records"):
        place = (RELATIONS.index(row["relation"]), DIRECTIONS.index(row["direction"]))
        low, high = (row[f"{rung}_ci_{end}"] for end in ("low", "high"))
        of_pairs = compared(table, row)[rung]
        parts = [sum(v for d, v in of_pairs if d == one) for one in table.test_documents]
        wholes = [sum(d == one for d, _ in of_pairs) for one in table.test_documents]
        if not asked[*place, row["head"]] or np.count_nonzero(wholes) < 5:
            assert np.isnan([low, high]).all()
            continue
        below = weights @ np.array(wholes)
        drawn = (weights @ np.array(parts))[below > 0] / below[below > 0]
        assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=1e-6)
        n_intervals += low < high
    assert n_intervals > 3


def test_p_of_selectivity_is_one_where_it_is_not_above_zero_and_q_is_over_all_that_have_one(
    climbed,
):
    _, _, frame = climbed
    for row in frame.to_dict("records"):
        assert np.isnan(row["selectivity_p"]) == (row["selectivity_n"] == 0)
        assert (row["selectivity_p"] == 1.0) == (row["selectivity"] <= 0)
    known = frame["selectivity_p"].dropna().sort_values()
    expected, least = {}, 1.0
    for rank in range(len(known), 0, -1):
        least = min(least, known.iloc[rank - 1] * len(known) / rank)
        expected[known.index[rank - 1]] = least
    found = frame["selectivity_q"].dropna().to_dict()
    assert found == pytest.approx(expected)
