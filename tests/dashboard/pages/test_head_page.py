"""The Head page: figures of one head, examples that hit and miss, everything escaped."""

import re
from dataclasses import replace
from itertools import product

import pytest
import yaml
from support.browser.dashboard_driver import texts

from inspector.corpora import Sentence, default_corpus, read_conllu, write_conllu
from inspector.corpora.default import sample_files
from inspector.dashboard import shared_corpora, store
from inspector.dashboard.app_pages.head import _BY_WEIGHT, _offset
from inspector.dashboard.examples import _taken
from inspector.heads.specialization.head_examples import head_predictions
from inspector.models import load
from inspector.runs import RunTarget
from inspector.runs.profile.plan import profile_job
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.profiling import profile
from inspector.runs.profile.shard_worker import ProfileSettings
from inspector.runs.run import Run

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def run(profiled):
    return Run.open(yaml.safe_load(profiled.read_text())["run"])


@pytest.fixture(scope="module")
def with_mentions(tmp_path_factory):
    """Return a settings file with a run over two documents of the project's own treebank."""
    folder = tmp_path_factory.mktemp("mentions")
    whole = read_conllu(sample_files())
    few = replace(whole, sentences=whole.sentences[:18], sha256="18" * 32)
    profile_corpus(
        load("minilm"),
        few,
        RunTarget(folder / "run"),
        settings=ProfileSettings(random_init_seeds=(), ablation=False),
    )
    config = folder / "mentions.yaml"
    config.write_text(yaml.safe_dump({"run": str(folder / "run")}))
    return config


def drawn(app):
    return [
        element.proto.body for element in app.get("html") if "line-height: 2" in element.proto.body
    ]


def test_a_heads_behaviour_is_shown_by_weight_and_by_norm(open_page, profiled, run):
    app = open_page("head", config=profiled, layer="3", head="7")
    assert not app.exception
    assert not app.error
    row = run.behaviour.query("layer == 3 and head == 7").iloc[0]
    said = texts(app)
    for name in _BY_WEIGHT:
        assert f"<td>{name}</td>" in said
    assert f"<td>{row['special_mass']:.3f}</td><td>{row['norm_special_mass']:.3f}</td>" in said
    assert f"**{100 * row['previous_mass']:.1f} %** to the token before" in said
    assert f"offset **{_offset(row['offset_mode'])}**" in said


def test_a_head_without_a_role_has_one_sentence_that_says_so(open_page, profiled, run):
    with_roles = set(zip(run.roles["layer"], run.roles["head"], strict=True))
    layer, head = next(one for one in product(range(6), range(12)) if one not in with_roles)
    app = open_page("head", config=profiled, layer=str(layer), head=str(head))
    assert texts(app).count("No role was found") == 1
    layer, head = next(iter(with_roles))
    app = open_page("head", config=profiled, layer=str(layer), head=str(head))
    assert "No role was found" not in texts(app)
    assert f"Head {layer}\\-{head} " in texts(app)


def test_an_offset_has_its_sign_which_zero_has_not():
    assert [_offset(number) for number in (-2, 0, 3)] == ["−2", "0", "+3"]


def test_relations_stand_beside_their_baseline_the_largest_lead_first(open_page, profiled, run):
    app = open_page("head", config=profiled, layer="3", head="1")
    shown = app.dataframe[0].value
    own = run.relations.query("layer == 3 and head == 1")
    lead = (own["accuracy"] - own["baseline_accuracy"]).sort_values(ascending=False)
    assert shown["lead"].tolist() == pytest.approx((100 * lead).tolist(), nan_ok=True)
    assert shown["relation"].iloc[0] == own.loc[lead.index[0], "relation"]


def test_claims_that_name_the_head_are_shown_or_that_none_does(open_page, profiled, run):
    named = set(zip(run.claims["layer"], run.claims["head"], strict=True))
    layer, head = next(iter(named))
    app = open_page("head", config=profiled, layer=str(layer), head=str(head))
    assert (app.dataframe[1].value["head"] == f"{layer}-{head}").all()
    layer, head = next((a, b) for a in range(6) for b in range(12) if (a, b) not in named)
    app = open_page("head", config=profiled, layer=str(layer), head=str(head))
    assert "No claim names this head" in texts(app)


def test_examples_are_the_heads_own_hits_and_misses(open_page, profiled):
    app = open_page(
        "head", config=profiled, layer="2", head="8", pair="amod.dependent_to_head", sample="3"
    )
    assert not app.exception
    said = texts(app)
    hits, pairs = map(int, re.search(r"(\d+) of (\d+) pairs hit", said).groups())
    sentences = shared_corpora.read(*shared_corpora.OWN).sentences
    with_it = [one for one in sentences if any(r.label == "amod" for r in one.relations)]
    n_samples = -(-len(with_it) // 24)
    assert n_samples > 1
    taken = with_it[3 % n_samples :: n_samples]
    found = head_predictions(store.model("minilm", "en"), taken, 2, 8, "amod", "dependent_to_head")
    assert (hits, pairs) == (sum(one.is_hit for one in found), len(found))
    assert 0 < hits < pairs
    sentences_drawn = drawn(app)
    assert 2 <= len(sentences_drawn) <= 8
    marks = [html.count("✗") for html in sentences_drawn]
    assert marks == sorted(marks)
    assert set(marks) == {0, 1}
    assert all(html.count("✓") == html.count("outline") == 1 for html in sentences_drawn)
    assert app.query_params == {
        "layer": "2", "head": "8", "pair": "amod.dependent_to_head", "sample": "3",
    }  # fmt: skip


@pytest.mark.parametrize(("n_texts", "n_samples"), [(0, 1), (3, 1), (5, 2), (12, 3), (13, 4)])
def test_samples_share_no_text_and_show_all(n_texts, n_samples):
    case = read_conllu(sample_files()).sentences[0]
    label = case.relations[0].label
    made = [replace(case, id=str(number)) for number in range(n_texts)]
    samples = [_taken(made, label, sample, 4) for sample in range(n_samples)]
    assert sorted(one.id for taken in samples for one in taken) == sorted(one.id for one in made)
    assert all(len(taken) <= 4 for taken in samples)
    assert _taken(made, label, n_samples, 4) == samples[0]


def test_another_sample_shows_other_sentences(open_page, profiled):
    first = open_page("head", config=profiled, layer="2", head="8", pair="det.dependent_to_head")
    other = open_page(
        "head", config=profiled, layer="2", head="8", pair="det.dependent_to_head", sample="1"
    )
    assert drawn(first) != drawn(other)


def test_a_corpus_without_the_relation_is_a_sentence(open_page, profiled, monkeypatch):
    empty = replace(shared_corpora.read(*shared_corpora.OWN), sentences=[], sha256="0" * 64)
    monkeypatch.setattr(shared_corpora, "corpus_of", lambda *_: empty)
    app = open_page("head", config=profiled)
    assert not app.exception
    assert "The corpus has no text with this relation" in texts(app)


def test_words_of_a_corpus_are_shown_letter_by_letter(open_page, profiled, monkeypatch):
    from inspector.corpora import Relation

    hostile = Sentence(
        HOSTILE, None, (HOSTILE, "![x](http://evil.example/x.png)", "cat"), None,
        (Relation("syntax", "det", 0, 2), Relation("syntax", "det", 1, 2)),
    )  # fmt: skip
    planted = replace(shared_corpora.read(*shared_corpora.OWN), sentences=[hostile])
    monkeypatch.setattr(shared_corpora, "corpus_of", lambda *_: planted)
    app = open_page("head", config=profiled, pair="det.dependent_to_head")
    assert not app.exception
    assert drawn(app)
    assert "<img src=x" not in texts(app)
    assert "![x](" not in "\n".join(caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("direction", "head"), [("dependent_to_head", 3), ("head_to_dependent", 0)]
)
def test_coreference_is_shown_in_windows_with_every_right_word(
    open_page, with_mentions, direction, head
):
    app = open_page(
        "head",
        config=with_mentions,
        layer="1",
        head=str(head),
        pair=f"coref:pronoun.{direction}",
        sample="2",
    )
    assert not app.exception
    assert not app.error
    corpus, model = shared_corpora.read(*shared_corpora.OWN), store.model("minilm", "en")
    _, windows = profile_job(model, corpus, ProfileSettings(), None)
    with_it = [w for w in windows.texts if any(r.label == "coref:pronoun" for r in w.relations)]
    n_samples = -(-len(with_it) // 4)
    taken = with_it[2 % n_samples :: n_samples]
    assert 0 < len(taken) <= 4
    found = head_predictions(model, taken, 1, head, "coref:pronoun", direction)
    hits = sum(one.is_hit for one in found)
    assert 0 < hits < len(found)
    assert f"{hits} of {len(found)} pairs hit in this sample." in texts(app)
    assert f"{len(taken)} for this sample" in texts(app)
    shown = drawn(app)
    firsts = [
        next(one for one in found if one.sentence is window and one.is_hit == hit)
        for hit in (True, False)
        for window in taken
        if any(one.sentence is window and one.is_hit == hit for one in found)
    ]
    assert len(shown) == len(firsts)
    captions = "\n".join(caption.value.replace("\\", "") for caption in app.caption)
    for html, one in zip(shown, firsts, strict=True):
        assert html.count("✓") == len(one.right)
        assert html.count("outline") == 1
        assert html.count("✗") == (not one.is_hit)
        n_words, n_shown = len(one.sentence.words), html.count("display: inline-block")
        assert (n_shown < n_words) == (n_words > 60)
        if n_shown < n_words:
            assert "…" in html
            assert f"{n_shown} of {n_words} words are shown" in captions
    several = any(len(one.right) > 1 for one in firsts)
    assert several == (direction == "dependent_to_head")


def test_a_relation_across_sentences_can_be_chosen_and_one_within_stays_in_its_sentence(
    open_page, with_mentions
):
    run = Run.open(yaml.safe_load(with_mentions.read_text())["run"])
    app = open_page("head", config=with_mentions, pair="det.dependent_to_head")
    offered = app.selectbox(key="pair").options
    labels = {option.split(" – ")[0].split(" · ")[0] for option in offered[1:]}
    assert {"coref:pronoun", "coref:pronoun:mentions", "det"} <= labels
    assert labels <= set(run.relations["relation"])
    assert "Sentences are taken evenly" in texts(app)
    assert "reaches across sentences" not in texts(app)


def test_another_corpus_than_the_runs_is_said(open_page, profiled):
    app = open_page("head", config=profiled)
    assert "not from what the run was made of" in texts(app)


def test_a_run_with_annotation_of_ones_own_shows_its_sentences(open_page, small_model, tmp_path):
    file, table = tmp_path / "six.conllu", tmp_path / "pairs.tsv"
    sentences = default_corpus().sentences[:6]
    file.write_text(write_conllu(sentences), encoding="utf-8")
    rows = [f"{one.id}\t2\t1\tbefore\n" for one in sentences]
    table.write_text("sent_id\tfrom\tto\tlabel\n" + "".join(rows), encoding="utf-8")
    settings = ProfileSettings(labels="full", random_init_seeds=(), ablation=False)
    profile(str(small_model), file, tmp_path / "run", annotations=table, settings=settings)
    config = tmp_path / "own.yaml"
    given = {"run": str(tmp_path / "run"), "models": [str(small_model)], "corpora": [str(file)]}
    pair = {"pair": "user:before.dependent_to_head", "lang": "zh"}
    config.write_text(yaml.safe_dump({**given, "annotations": [str(table)]}))
    app = open_page("head", config=config, **pair)
    assert not app.exception
    assert not app.error
    assert drawn(app)
    assert "而非该分析所用的语料" not in texts(app)
    assert app.selectbox(key="pair").value == pair["pair"]
    claims = open_page("specialization", config=config, verdict="all").dataframe[0].value
    assert "user:before" in set(claims["relation"])
    # Without the table nobody can know the sentences, and it is said.
    config.write_text(yaml.safe_dump(given))
    app = open_page("head", config=config, **pair)
    assert not app.exception
    assert "而非该分析所用的语料" in texts(app)


def test_without_a_run_the_weights_are_shown(open_page):
    app = open_page("head", layer="3", head="7")
    row = store.weights("minilm", "en").query("layer == 3 and head == 7").iloc[0]
    assert f"`qk_symmetry` | {row['qk_symmetry']:.4g} |" in texts(app)
    assert "No profile of this model has been made yet" in texts(app)
