"""Probes of meaning and logic: valid trees, annotation that reads back, no fixed offset."""

import re
from collections import Counter
from functools import cache

import pytest
from support.each import each
from support.texts.made_probes import OnlyRandom, made_probes
from support.texts.small_trees import corpus_of

from inspector.corpora import (
    Corpus,
    annotate,
    meaning_probes,
    read_conllu,
    write_conllu,
)
from inspector.corpora.annotation.mentions import read_mentions
from inspector.corpora.coreference import MentionHead, coreference_relations
from inspector.errors import InputError
from tools.probes import meaning_and_logic
from tools.probes.meaning_and_logic import BEYOND_SYNTAX, generate_beyond
from tools.probes.syntax import SEED

COUNT = 15
LIMIT = 0.45
FEW = 15
# How the names of relations begin that constructions are there to show.
SHOWN = (*(start for one in BEYOND_SYNTAX.values() for start in one.relations), "connective-own:")
# Labels of UD English 2.16 that the grammar writes.
LABELS = frozenset(
    (
        *("root", "punct", "nsubj", "nsubj:pass", "obj", "iobj", "obl", "obl:agent", "det"),
        *("obl:unmarked", "nmod", "nmod:poss", "amod", "advmod", "det:predet", "nummod", "case"),
        *("mark", "aux", "aux:pass", "cop", "cc", "cc:preconj", "conj", "compound", "flat"),
        *("compound:prt", "acl", "acl:relcl", "advcl", "ccomp", "xcomp", "parataxis", "expl"),
    )
)
TAGS = {
    "det": {"DET"},
    "case": {"ADP", "PART", "VERB"},
    "mark": {"SCONJ", "PART"},
    "cc": {"CCONJ"},
    "cc:preconj": {"CCONJ"},
    "aux": {"AUX"},
    "cop": {"AUX"},
    "amod": {"ADJ"},
    "flat": {"PROPN"},
    "advmod": {"ADV", "PART"},
    "nsubj": {"NOUN", "PROPN", "PRON", "DET"},
}
LEAVES = {"punct", "mark", "cc", "cc:preconj", "aux", "aux:pass", "cop", "det"}


@cache
def made(seed=SEED, count=COUNT):
    """The shipped ones, which test_default_corpus.py proves to be the grammar's, or others."""
    if (seed, count) == (SEED, COUNT):
        return tuple(meaning_probes(labels="full"))
    return tuple(generate_beyond(seed, count, labels="full", beside=made_probes()))


@cache
def relations(seed=SEED, count=COUNT):
    """Sentence → its relations of meaning and logic, coreference within it included."""
    sentences = made(seed, count)
    corpus = annotate(Corpus("probes", list(sentences), [], "", "generated"))
    mentions, faults = read_mentions(sentences, [s.document for s in sentences])
    assert faults == []
    found = {}
    for place, sentence in enumerate(corpus.sentences):
        heads = [MentionHead(m.entity, m.head) for m in mentions if m.sentence == place]
        found[sentence.id] = [r for r in sentence.relations if r.kind != "syntax"]
        found[sentence.id] += coreference_relations(heads, sentence.words, sentence.upos)
    return found


def of(name):
    return [s for s in made() if s.id.startswith(f"probe-{name}-0")]


def faults(sentence) -> list[str]:
    """What is wrong with a tree: an independent check by plain loops over columns."""
    heads, labels, tags = sentence.heads, sentence.deprels, sentence.upos
    found = [] if heads.count(-1) == labels.count("root") == 1 else ["root"]
    for word, label in enumerate(labels):
        seen, here = set(), word
        while here != -1 and here not in seen:
            seen.add(here)
            here = heads[here]
        found += [f"cycle at {word}"] * (here != -1)
        found += [f"label {label}"] * (label not in LABELS)
        found += [f"{label} is {tags[word]}"] * (tags[word] not in TAGS.get(label, {tags[word]}))
        found += [f"punct {word}"] * ((label == "punct") != (tags[word] == "PUNCT"))
        found += [f"{heads[word]} is a leaf"] * (heads[word] >= 0 and labels[heads[word]] in LEAVES)
    arcs = [(min(d, h), max(d, h)) for d, h in enumerate(heads) if h >= 0]
    return found + ["crossing"] * any(a < c < b < d for a, b in arcs for c, d in arcs)


def test_every_tree_is_valid():
    assert {s.id: faults(s) for s in made() if faults(s)} == {}


def test_a_bent_tree_is_seen():
    from support.texts.small_trees import tree

    assert faults(tree("The DET 2 amod; dogs NOUN 3 nsubj; bark VERB 0 root")) == ["amod is DET"]
    assert faults(tree("a X 3 nmod; b X 4 nmod; c X 4 obj; d X 0 root")) == ["crossing"]


def test_ids_documents_and_length():
    names = Counter(s.id.removeprefix("probe-").rpartition("-")[0] for s in made())
    assert names == dict.fromkeys(BEYOND_SYNTAX, COUNT)
    assert len(made()) <= 300
    assert len({s.text for s in made()}) == len(made())
    assert all(len(s.words) <= 30 for s in made())
    documents = Counter(s.document for s in made())
    for n in range(1, COUNT + 1):
        assert documents.pop(f"probe-beyond-{n:02d}") == len(BEYOND_SYNTAX) - 3
        assert documents.pop(f"probe-coreference-{n:02d}") == 3
    assert not documents
    for sentence in made():
        assert ("Entity=" in "".join(sentence.misc)) == ("coreference" in sentence.document)
    assert all(int(s.document[-2:]) == int(s.id[-4:]) for s in made())
    for sentence in made():
        assert re.fullmatch(r"[A-Z][A-Za-z',;]*( [A-Za-z',;]+)*\.", sentence.text), sentence.text


def test_every_kind_of_annotation_has_a_construction():
    """Of those that constructions are there for; a reader that is added later needs none."""
    shown = {r.label for rows in relations().values() for r in rows}
    for begin in SHOWN:
        assert any(label.startswith(begin) for label in shown), begin
    assert {start.partition(":")[0] for start in SHOWN} == {
        "neg", "condition", "coordination", "comparison", "quantifier", "connective",
        "connective-own", "role", "role-dep", "name", "meaning", "supersense", "idiom", "coref",
    }  # fmt: skip
    senses = {"contingency", "comparison", "expansion", "temporal"}
    assert {f"connective:{sense}" for sense in senses} <= shown
    meanings = {"synonym", "antonym", "hypernym", "part"}
    assert {f"meaning:{kind}" for kind in meanings} <= shown
    assert {f"coref:{kind}" for kind in ("pronoun", "proper", "nominal")} <= shown
    assert {"supersense:noun", "idiom:verb", "name:PER", "name:LOC"} <= shown


@each("name", BEYOND_SYNTAX)
def test_every_sentence_shows_what_it_is_for(name):
    wanted = BEYOND_SYNTAX[name].relations
    for sentence in of(name):
        assert any(r.label.startswith(wanted) for r in relations()[sentence.id]), sentence.text


@each("name", BEYOND_SYNTAX)
def test_sentences_distract(name):
    marked = [s for s in of(name) if "# distractor = yes" in s.comments]
    assert len(marked) >= (1 if name == "negation" else COUNT // 3)
    wanted = BEYOND_SYNTAX[name].relations
    for sentence in marked:
        pairs = [r for r in relations()[sentence.id] if r.label.startswith(wanted)]
        assert any(
            sentence.upos[word] == sentence.upos[r.target]
            and abs(word - r.source) <= abs(r.target - r.source)
            for r in pairs
            for word in range(len(sentence.words))
            if word not in (r.source, r.target)
        )


# --- annotation ------------------------------------------------------------------------------


def test_export_reads_back_with_its_annotation(tmp_path):
    path = tmp_path / "probes.conllu"
    path.write_text(write_conllu(made()), encoding="utf-8")
    corpus = read_conllu(path, labels="full", strict=True)
    assert corpus.sentences == list(made())
    assert [s.misc for s in corpus.sentences] == [s.misc for s in made()]
    again = annotate(corpus)
    ours = annotate(Corpus("probes", list(made()), [], "", "generated"))
    assert again.sentences == ours.sentences
    assert again.left_out == ours.left_out
    assert sum(len(s.relations) for s in ours.sentences) > 500 + sum(
        len(s.relations) for s in made()
    )


@pytest.mark.parametrize("sense", ["contingency", "comparison", "expansion", "temporal"])
def test_a_connective_goes_to_the_verbs_or_states_of_both_clauses(sense):
    for sentence in of(f"connective-{sense}"):
        found = {
            r.label: r
            for r in relations()[sentence.id]
            if r.label.startswith("connective") and r.label.endswith(sense)
        }
        assert set(found) == {f"connective:{sense}", f"connective-own:{sense}"}
        one, own = found[f"connective:{sense}"], found[f"connective-own:{sense}"]
        assert one.source == own.source
        assert sentence.upos[one.source] in ("SCONJ", "CCONJ", "ADV")
        assert sentence.heads[own.source] == own.target
        assert {sentence.upos[one.target], sentence.upos[own.target]} <= {"VERB", "ADJ"}
        assert sentence.deprels[one.target] == "root"


def test_who_does_what_is_not_who_is_the_subject():
    agents = patients = 0
    for sentence in of("roles"):
        passive = {
            h for h, d in zip(sentence.heads, sentence.deprels, strict=True) if d == "aux:pass"
        }
        for relation in relations()[sentence.id]:
            label = sentence.deprels[relation.source]
            if relation.target in passive and relation.label == "role-dep:ARG0":
                assert label == "obl:agent"
                agents += 1
            elif relation.target in passive and relation.label == "role-dep:ARG1":
                assert label == "nsubj:pass"
                patients += 1
            elif relation.label == "role-dep:ARG0":
                assert label == "nsubj"
    assert agents >= 4
    assert agents == patients
    labels = Counter(r.label for s in of("roles") for r in relations()[s.id])
    assert labels["role:ARG0"] >= 8
    assert labels["role:ARG1"] >= 3


def test_mentions_agree_and_antecedents_come_before():
    kinds = Counter()
    for name in ("pronoun", "same-noun", "across-a-clause"):
        for sentence in of(name):
            for r in relations()[sentence.id]:
                if not r.label.startswith("coref") or r.label.endswith(":mentions"):
                    continue
                kinds[r.label] += 1
                one, other = sentence.words[r.source].lower(), sentence.words[r.target].lower()
                assert r.target < r.source
                assert (one == "it") <= (sentence.upos[r.target] == "NOUN")
                assert ("same-string" in r.label) == (one == other)
                if other in ("girl", "woman", "anna", "maria", "laura"):
                    assert one not in ("he", "his")
    assert {"coref:pronoun", "coref:nominal", "coref-same-string:nominal", "coref:proper"} <= set(
        kinds
    )
    assert kinds["coref:pronoun"] >= 20


def test_names_and_word_meaning():
    for sentence in of("names"):
        spans = Counter(r.label for r in relations()[sentence.id])
        assert spans["name:PER"] >= 5, "one of a family at least"
        assert spans["name:LOC"] >= 2
        for r in relations()[sentence.id]:
            if r.label.startswith("name:"):
                assert {sentence.upos[word] for word in (r.source, *r.targets)} == {"PROPN"}
    for name, label in (("opposites", "meaning:antonym"), ("likenesses", "meaning:synonym")):
        for sentence in of(name):
            pairs = {(r.source, r.target) for r in relations()[sentence.id] if r.label == label}
            assert len(pairs) == 2
            assert {(b, a) for a, b in pairs} == pairs
            assert all(sentence.upos[word] == "ADJ" for pair in pairs for word in pair)


def test_a_kind_and_its_kinds_a_part_and_its_whole():
    for name, label in (("kinds", "meaning:hypernym"), ("parts", "meaning:part")):
        pairs = [
            (s.words[r.source], s.words[r.target], r.source < r.target)
            for s in of(name)
            for r in relations()[s.id]
            if r.label == label
        ]
        assert len(pairs) == COUNT
        assert not {one for one, *_ in pairs} & {other for _, other, _ in pairs}
        assert {first for *_, first in pairs} == {True, False}


def test_words_of_a_class_and_of_an_idiom():
    for sentence in of("classes"):
        senses = dict(enumerate(cell.partition("Supersense=")[2] for cell in sentence.misc))
        found = [r for r in relations()[sentence.id] if r.label == "supersense:noun"]
        assert len(found) in (2, 4)
        for r in found:
            assert senses[r.source] == senses[r.target] != ""
            assert sentence.words[r.source].lower() != sentence.words[r.target].lower()
    apart = Counter()
    for sentence in of("idioms"):
        one, other = (r for r in relations()[sentence.id] if r.label == "idiom:verb")
        assert (one.source, one.target) == (other.target, other.source)
        assert {sentence.upos[one.source], sentence.upos[one.target]} == {"VERB", "NOUN"}
        apart[abs(one.source - one.target)] += 1
    assert len(apart) >= 4


# --- offsets ---------------------------------------------------------------------------------


def shares(found, but="") -> dict[str, tuple[int, float]]:
    """Relation → pairs, share that the best fixed offset finds; any right word counts."""
    offsets = {}
    for own in found.values():
        for r in (r for r in own if r.kind != but):
            offsets.setdefault(r.label, []).append({t - r.source for t in r.targets})
    return {
        label: (len(rows), max(Counter(o for row in rows for o in row).values()) / len(rows))
        for label, rows in offsets.items()
    }


@pytest.mark.parametrize(
    ("seed", "count"),
    [(SEED, COUNT), *(pytest.param(seed, COUNT, marks=pytest.mark.full) for seed in (1, 2))],
)
def test_no_offset_finds_a_relation(seed, count):
    # What follows from two edges of syntax is no construction of the probes, nor is what a reader
    # that was added later finds in them.
    found = shares(relations(seed, count), but="multi-hop")
    found = {label: row for label, row in found.items() if label.startswith(SHOWN)}
    assert {k: row for k, row in found.items() if row[0] >= FEW and row[1] >= LIMIT} == {}
    frequent = {label for label, row in found.items() if row[0] >= FEW}
    assert {"name:PER", "name:LOC", "neg:scope", "condition:cue", "meaning:antonym"} <= frequent
    assert len(frequent) >= 24


def test_names_that_never_share_a_word_are_caught():
    """Side by side, the next word is right for all words of a name but the last."""
    found = {}
    for sentence in of("names"):
        tags = list(sentence.misc)
        alone = [r for r in relations()[sentence.id] if r.label == "name:PER" and not r.also]
        found[sentence.id] = [r for r in alone if abs(r.target - r.source) == 1]
        assert any("," in tag.partition("Name=")[2] for tag in tags), sentence.text
    assert shares(found)["name:PER"][1] > LIMIT


def test_syntax_stays_unpredictable_in_the_default_corpus():
    offsets = {}
    for sentence in (*made_probes(), *made()):
        for word, (head, label) in enumerate(zip(sentence.heads, sentence.deprels, strict=True)):
            if head >= 0 and label != "punct":
                for name in {label, label.partition(":")[0]}:
                    offsets.setdefault(name, Counter())[head - word] += 1
    assert {
        label: counts.most_common(1)
        for label, counts in offsets.items()
        if counts.total() >= 20 and max(counts.values()) / counts.total() >= LIMIT
    } == {}


def test_one_sentence_over_and_over_is_caught():
    sentence = of("condition")[0]
    found = shares(dict.fromkeys(range(FEW), relations()[sentence.id]))
    assert found["condition:cue"] == (FEW, 1.0)


def test_logic_is_not_read_from_probes_of_syntax():
    assert annotate(corpus_of(*made_probes()[:200])).sentences == list(made_probes()[:200])


# --- seeds -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_and_another_does_not():
    one, other = (generate_beyond(seed, 1) for seed in (7, 8))
    assert write_conllu(one) == write_conllu(generate_beyond(7, 1))
    assert len({s.text for s in one} & {s.text for s in other}) <= 2
    longer = {s.id: s for s in generate_beyond(7, 2)}
    assert all(longer[s.id] == s for s in one)


def test_only_random_numbers_that_python_keeps_stable_are_used(monkeypatch):
    before = generate_beyond(3, 1)

    monkeypatch.setattr(meaning_and_logic, "Random", OnlyRandom)
    assert generate_beyond(3, 1) == before


@pytest.mark.parametrize("count", [0, -3])
def test_no_sentences_are_an_error(count):
    with pytest.raises(
        InputError,
        match=re.escape(
            f"per_construction ({count}) must be at least 1: it is the number of sentences of each "
            "construction."
        ),
    ):
        generate_beyond(per_construction=count)


def test_a_grammar_that_runs_dry_says_so(monkeypatch):
    from tools.probes.grammar.tree import Node

    def bark(grammar, marks, way):
        dog = Node("dog", "NOUN", "nsubj", left=[Node("no", "DET", "det")])
        return Node("barked", "VERB", left=[dog]), "."

    construction = meaning_and_logic.Beyond(("neg:",), ("only",), bark)
    monkeypatch.setattr(meaning_and_logic, "BEYOND_SYNTAX", {"bark": construction})
    with pytest.raises(
        InputError,
        match=re.escape(
            "per_construction is too large: the grammar found no new sentence for bark in 400 "
            "attempts. Ask for fewer."
        ),
    ):
        generate_beyond(per_construction=2)
