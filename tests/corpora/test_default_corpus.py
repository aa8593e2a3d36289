"""What inspector brings with it: its own treebank, then the probes."""

import hashlib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def default():
    from inspector.corpora import default_corpus

    return default_corpus()


def test_every_sentence_has_an_id_of_its_own_and_a_document(default):
    assert len({s.id for s in default.sentences}) == len(default.sentences)
    assert all(s.document for s in default.sentences)


def test_it_is_the_sample_and_the_probes(default):
    import inspector
    from inspector.corpora import read_conllu, write_conllu

    files = sorted((Path(inspector.__file__).parent / "corpora" / "sample").glob("*.conllu"))
    sample = read_conllu(files, strict=True)
    n_sample = len(sample.sentences)
    assert n_sample >= 80
    assert default.sentences[:n_sample] == sample.sentences
    probes = default.sentences[n_sample:]
    assert len(probes) >= 14
    assert not {s.document for s in probes} & {s.document for s in sample.sentences}
    assert not default.skipped
    assert default.annotation == "gold and generated"
    own = b"".join(path.read_bytes() for path in files)
    assert default.sha256 == hashlib.sha256(own + write_conllu(probes).encode()).hexdigest()


def test_probes_of_meaning_and_logic_come_last(default):
    from inspector.corpora.probes import CONSTRUCTIONS
    from inspector.corpora.probes_beyond import BEYOND_SYNTAX

    probes = [s for s in default.sentences if s.id.startswith("probe-")]
    order = list(dict.fromkeys(s.id[6:-5] for s in probes))
    assert order == [*CONSTRUCTIONS, *BEYOND_SYNTAX]
    assert {r.kind for s in default.sentences for r in s.relations} == {"syntax"}


def test_it_says_more_than_syntax(default):
    from inspector.corpora import annotate

    found = annotate(default).relation_counts()
    syntax = {key: n for key, n in found.items() if key[0] == "syntax"}
    assert syntax == default.relation_counts()
    assert {kind for kind, _ in found} == {"syntax", "semantic", "logical"}
    assert min(found["logical", name] for name in ("neg:scope", "condition:cue")) >= 20
