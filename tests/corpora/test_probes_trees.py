"""Generated probes are valid trees in plausible order, whole constructions, the same every time."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from support.texts.made_probes import OnlyRandom, made_probes

from inspector.corpora import Sentence, read_conllu, write_conllu
from inspector.errors import InputError
from tools.probes import syntax
from tools.probes.grammar.tree import Node
from tools.probes.syntax import CONSTRUCTIONS, Construction, generate_probes

UPOS = {
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "VERB",
}
# Labels of UD English 2.16 that the grammar writes.
LABELS = {
    "root",
    "punct",
    "nsubj",
    "nsubj:pass",
    "obj",
    "iobj",
    "obl",
    "obl:agent",
    "obl:unmarked",
    "nmod",
    "nmod:poss",
    "amod",
    "advmod",
    "det",
    "det:predet",
    "nummod",
    "case",
    "mark",
    "aux",
    "aux:pass",
    "cop",
    "cc",
    "conj",
    "compound",
    "compound:prt",
    "acl",
    "acl:relcl",
    "advcl",
    "ccomp",
    "xcomp",
    "parataxis",
    "expl",
    "fixed",
}


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return list(made_probes())


def faults(sentence: Sentence) -> list[str]:
    """What is wrong with a tree: an independent check by plain loops over columns."""
    heads, labels, n = sentence.heads, sentence.deprels, len(sentence.words)
    found = []
    roots = [word for word in range(n) if heads[word] == -1]
    if len(roots) != 1 or labels[roots[0]] != "root":
        found.append("root")
    for word in range(n):
        seen, here = set(), word
        while here != -1 and here not in seen:
            seen.add(here)
            here = heads[here]
        if here != -1:
            found.append(f"cycle at {word}")
        if labels[word] not in LABELS or sentence.upos[word] not in UPOS:
            found.append(f"label {labels[word]} {sentence.upos[word]}")
        if (labels[word] == "punct") != (sentence.upos[word] == "PUNCT"):
            found.append(f"punct {word}")
        if heads[word] >= 0 and labels[heads[word]] in ("punct", "det", "cc", "mark", "aux"):
            found.append(f"function word {heads[word]} has a dependent")
    arcs = [(min(d, h), max(d, h)) for d, h in enumerate(heads) if h >= 0]
    crossing = any(a < c < b < d for a, b in arcs for c, d in arcs)
    if crossing:
        found.append("not projective")
    expected = {
        "det": "DET",
        "amod": "ADJ",
        "aux": "AUX",
        "cop": "AUX",
        "case": None,
        "cc": "CCONJ",
        "nummod": "NUM",
        "advmod": None,
        "aux:pass": "AUX",
        "compound": "NOUN",
    }
    for word, label in enumerate(labels):
        if expected.get(label) not in (None, sentence.upos[word]):
            found.append(f"{label} is {sentence.upos[word]}")
    return found


def test_every_tree_is_single_rooted_acyclic_projective_and_universal(sentences):
    assert {s.id: faults(s) for s in sentences if faults(s)} == {}


def test_a_bent_tree_is_seen(sentences):
    sentence = next(s for s in sentences if len(s.words) > 8)
    last = len(sentence.words) - 1
    for head, label in ((last, sentence.deprels[0]), (-1, "root")):
        copy = replace(
            sentence,
            heads=(head, *sentence.heads[1:]),
            deprels=(label, *sentence.deprels[1:]),
        )
        assert faults(copy)


def test_ids_documents_and_constructions(sentences):
    ids = [s.id for s in sentences]
    assert len(set(ids)) == len(ids) == 40 * len(CONSTRUCTIONS)
    assert len(CONSTRUCTIONS) >= 14
    assert len({s.document for s in sentences}) >= 40
    for name in CONSTRUCTIONS:
        own = [s for s in sentences if re.fullmatch(rf"probe-{name}-\d{{4}}", s.id)]
        assert [s.id for s in own] == [f"probe-{name}-{i:04d}" for i in range(1, 41)]
        assert {s.document for s in own} == {f"probe-{name}-{i:02d}" for i in range(1, 5)}
        assert all(f"# construction = {name}" in s.comments for s in own)


def test_every_sentence_holds_the_relation_it_is_for(sentences):
    by_construction = Counter(
        s.id.rpartition("-")[0].removeprefix("probe-")
        for s in sentences
        if CONSTRUCTIONS[s.id.rpartition("-")[0].removeprefix("probe-")].relation in s.deprels
    )
    assert by_construction == dict.fromkeys(CONSTRUCTIONS, 40)


def looks_as_good(sentence: Sentence, label: str) -> bool:
    """Some pair's head or dependent has a double of its part of speech at most as far away."""
    for dependent, (head, own) in enumerate(zip(sentence.heads, sentence.deprels, strict=True)):
        if own != label:
            continue
        reach = abs(head - dependent)
        others = [w for w in range(len(sentence.words)) if w not in (head, dependent)]
        if any(
            (sentence.upos[w] == sentence.upos[head] and abs(w - dependent) <= reach)
            or (sentence.upos[w] == sentence.upos[dependent] and abs(w - head) <= reach)
            for w in others
        ):
            return True
    return False


def test_a_third_of_each_construction_distracts(sentences):
    for name, construction in CONSTRUCTIONS.items():
        own = [s for s in sentences if s.id.startswith(f"probe-{name}-0")]
        marked = [s for s in own if "# distractor = yes" in s.comments]
        assert len(marked) == 14
        assert all(looks_as_good(s, construction.relation) for s in marked)


def test_no_sentence_twice_and_none_too_long(sentences):
    assert len({s.text for s in sentences}) == len(sentences)
    assert all(4 <= len(s.words) + 1 <= 27 for s in sentences)


def test_text_is_the_words_with_their_spaces(sentences):
    for sentence in sentences:
        spelled = "".join(
            word + ("" if misc == "SpaceAfter=No" else " ")
            for word, misc in zip(sentence.words, sentence.misc, strict=True)
        )
        assert spelled.strip() == sentence.text
        assert re.fullmatch(r"[A-Z][A-Za-z',]*( [A-Za-z',]+)*[.?!]", sentence.text), sentence.text


def test_export_reads_back_strictly(sentences, tmp_path):
    path = tmp_path / "probes.conllu"
    path.write_text(write_conllu(sentences), encoding="utf-8")
    corpus = read_conllu(path, labels="full", strict=True)
    assert corpus.sentences == sentences
    assert corpus.annotation == "generated"
    assert corpus.skipped == []


def test_labels_are_universal_unless_asked():
    short = generate_probes(per_construction=3)
    full = generate_probes(per_construction=3, labels="full")
    assert [s.text for s in short] == [s.text for s in full]
    assert not any(":" in r.label for s in short for r in s.relations)
    assert {"nsubj:pass", "aux:pass", "obl:agent", "compound:prt", "nmod:poss", "acl:relcl"} <= {
        r.label for s in full for r in s.relations
    }
    assert {r.kind for s in full for r in s.relations} == {"syntax"}


@pytest.mark.process
def test_the_same_in_every_process():
    code = (
        "import hashlib; from inspector.corpora import write_conllu; "
        "from tools.probes import syntax; "
        "print(hashlib.sha256(write_conllu(syntax.generate_probes(7, 3)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
        ).stdout.strip()
        for seed in ("0", "1")
    }
    here = hashlib.sha256(write_conllu(generate_probes(7, 3)).encode()).hexdigest()
    assert digests == {here}


def test_only_random_numbers_that_python_keeps_stable_are_used(monkeypatch):
    before = generate_probes(3, 2)

    monkeypatch.setattr(syntax, "Random", OnlyRandom)
    assert generate_probes(3, 2) == before


def test_another_seed_writes_other_sentences():
    one, other = ({s.text for s in generate_probes(seed, 4)} for seed in (1, 2))
    assert len(one & other) < 0.1 * len(one)


def test_longer_runs_begin_like_shorter_ones():
    short, long = ({s.id: s for s in generate_probes(5, n)} for n in (2, 3))
    assert all(long[id] == sentence for id, sentence in short.items())


@pytest.mark.parametrize("count", [0, -3])
def test_no_sentences_are_an_error(count):
    with pytest.raises(
        InputError,
        match=re.escape(
            f"per_construction ({count}) must be at least 1: it is the number of sentences of each "
            "construction."
        ),
    ):
        generate_probes(per_construction=count)


def test_a_grammar_that_runs_dry_says_so(monkeypatch):
    def bark(grammar):
        dog = Node("dog", "NOUN", "nsubj", left=[Node("a", "DET", "det")])
        return Node("barked", "VERB", left=[dog]), "."

    monkeypatch.setattr(syntax, "CONSTRUCTIONS", {"bark": Construction("nsubj", bark)})
    with pytest.raises(
        InputError,
        match=re.escape(
            "per_construction is too large: the grammar found no new sentence for nsubj in 400 "
            "attempts. Ask for fewer."
        ),
    ):
        generate_probes(per_construction=5)
