"""What inspector brings with it: its own treebank, then the probes."""

import hashlib
import re
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest

import tools.probes.__main__
from inspector.corpora import meaning_probes, syntax_probes
from inspector.corpora.probes import probe_files
from inspector.errors import InputError
from tools.probes.__main__ import main
from tools.probes.meaning_and_logic import generate_beyond
from tools.probes.syntax import generate_probes


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


@pytest.fixture(scope="module")
def written():
    """What the grammar writes today, with full labels, as the files hold it."""
    syntax = generate_probes(labels="full")
    return [*syntax, *generate_beyond(labels="full", beside=syntax)]


def test_the_probes_are_what_the_grammar_writes(written, tmp_path, monkeypatch):
    taken = iter((written[:880], written[880:]))
    for name in ("generate_probes", "generate_beyond"):
        monkeypatch.setattr(tools.probes.__main__, name, lambda *_, **__: next(taken))
    main(["--folder", str(tmp_path)])
    for path in probe_files():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_probe_that_was_read_is_the_one_that_was_written(written):
    """In every field: its lines of CoNLL-U as well, and it is of no file."""
    read = [*syntax_probes(labels="full"), *meaning_probes(labels="full")]
    for one, other in zip(read, written, strict=True):
        for column in fields(one):
            assert getattr(one, column.name) == getattr(other, column.name), one.id


def test_labels_are_universal_unless_asked():
    for probes in (syntax_probes, meaning_probes):
        short, full = probes(), probes(labels="full")
        assert [s.text for s in short] == [s.text for s in full]
        assert not any(":" in r.label for s in short for r in s.relations)
        cut = [[r.label.partition(":")[0] for r in s.relations] for s in full]
        assert cut == [[r.label for r in s.relations] for s in short]
        assert any(":" in r.label for s in full for r in s.relations)


def test_another_seed_writes_other_files(tmp_path, monkeypatch):
    for name, generate in (
        ("generate_probes", generate_probes),
        ("generate_beyond", generate_beyond),
    ):
        few = partial(generate, per_construction=1)
        monkeypatch.setattr(tools.probes.__main__, name, few)
    main(["--folder", str(tmp_path / "new"), "--seed", "3"])
    for path in probe_files():
        text = (tmp_path / "new" / path.name).read_text(encoding="utf-8")
        assert text.count("# sent_id") in (20, 22)
        assert text[:400] != path.read_text(encoding="utf-8")[:400]


def test_labels_that_nobody_knows_are_refused():
    with pytest.raises(InputError, match=re.escape("labels ('half') must be")):
        syntax_probes(labels="half")


def test_probes_of_meaning_and_logic_come_last(default):
    from tools.probes.meaning_and_logic import BEYOND_SYNTAX
    from tools.probes.syntax import CONSTRUCTIONS

    probes = [s for s in default.sentences if s.id.startswith("probe-")]
    order = list(dict.fromkeys(s.id[6:-5] for s in probes))
    assert order == [*CONSTRUCTIONS, *BEYOND_SYNTAX]
    assert {r.kind for s in default.sentences for r in s.relations} == {"syntax"}


def test_it_says_more_than_syntax(default):
    from inspector.corpora import annotate

    found = annotate(default).relation_counts()
    syntax = {key: n for key, n in found.items() if key[0] == "syntax"}
    assert syntax == default.relation_counts()
    assert {kind for kind, _ in found} == {"syntax", "semantic", "logical", "multi-hop"}
    assert min(found["logical", name] for name in ("neg:scope", "condition:cue")) >= 20
