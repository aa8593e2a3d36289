"""A corpus searched, against plain loops over the model's own maps and over the annotation."""

import math
from dataclasses import replace
from inspect import unwrap

import pytest
import torch
from support.each import each
from support.slow.observers import attention_of, word_map

import inspector
from inspector.corpora import Relation, Sentence, default_corpus
from inspector.errors import InputError
from inspector.heads.search import WordPattern

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def corpus():
    """Return a dozen sentences of the default corpus, one of them with a word of no token."""
    odd = Sentence("odd", None, ("Big", "\u200b", "dogs"), ("ADJ", "X", "NOUN"),
                   (Relation("syntax", "amod", 0, 2),))  # fmt: skip
    whole = default_corpus()
    return replace(whole, sentences=[*whole.sentences[:48:4], odd], sha256="12" * 32)


def found_by(search):
    return [(one.sentence.id, one.word, one.other) for one in search.matches]


def test_words_and_pairs_are_those_of_a_loop_over_the_annotation(corpus):
    verbs = inspector.search(corpus, "tag:verb", limit=999)
    lemmas = inspector.search(corpus, "lemma:BE tag:AUX", limit=999)
    objects = inspector.search(corpus, "tag:NOUN", to="tag:VERB", relation="obj", limit=999)
    cases = inspector.search(corpus, to="tag:NUM", relation="case", limit=999)
    slow = {"verbs": [], "lemmas": [], "objects": [], "cases": []}
    for one in corpus.sentences:
        for at in range(len(one.words)):
            if one.upos[at] == "VERB":
                slow["verbs"].append((one.id, at, -1))
            if one.lemmas and one.lemmas[at] == "be" and one.upos[at] == "AUX":
                slow["lemmas"].append((one.id, at, -1))
        slow["objects"] += sorted(
            (one.id, pair.source, pair.target)
            for pair in one.relations
            if (pair.label, one.upos[pair.source], one.upos[pair.target]) == ("obj", "NOUN", "VERB")
        )
        slow["cases"] += sorted(
            (one.id, pair.source, pair.target)
            for pair in one.relations
            if (pair.label, one.upos[pair.target]) == ("case", "NUM")
        )
    assert found_by(verbs) == slow["verbs"] != []
    assert found_by(lemmas) == slow["lemmas"] != []
    assert found_by(objects) == slow["objects"] != []
    assert found_by(cases) == slow["cases"] != []
    assert verbs.total == len(slow["verbs"])
    assert all(math.isnan(one.score) for one in verbs.matches)
    few = inspector.search(corpus, "tag:VERB", limit=2)
    assert found_by(few) == slow["verbs"][:2]
    assert (few.total, len(few.frame)) == (verbs.total, 2)
    assert few.frame["word"].tolist() == [one.sentence.words[one.word] for one in few.matches]


@each("relation", ["", "obj"])
def test_where_a_head_gives_more_is_where_a_loop_over_its_map_finds_it(minilm, corpus, relation):
    asked = {"words": "tag:NOUN", "to": "tag:VERB", "relation": relation, "more_than": 0.02}
    found = inspector.search(corpus, **asked, model=minilm, head="3-1", limit=999)
    slow = {}
    for one in corpus.sentences:
        maps, word_ids, *_ = attention_of(minilm, one)
        weights = word_map(maps[3][1], word_ids, len(one.words))
        joined = {(p.source, p.target) for p in one.relations if p.label == relation}
        joined |= {(b, a) for a, b in joined}
        for a, row in weights.items():
            for b, weight in row.items():
                tags = (one.upos[a], one.upos[b])
                is_asked = a != b and (not relation or (a, b) in joined)
                if is_asked and tags == ("NOUN", "VERB") and weight > 0.02:
                    slow[one.id, a, b] = weight
    assert set(found_by(found)) == set(slow)
    assert len(slow) >= 3
    scores = [one.score for one in found.matches]
    assert scores == sorted(scores, reverse=True)
    for match in found.matches:
        place = (match.sentence.id, match.word, match.other)
        assert match.score == pytest.approx(slow[place], abs=1e-5)


def test_where_ablation_changes_most_is_where_the_model_run_without_the_head_moves_most(
    minilm, corpus
):
    some = replace(corpus, sentences=corpus.sentences[:3])
    found = inspector.search(
        some, model=minilm, head="3-1", by="ablation", more_than=0.0, limit=5
    )  # fmt: skip
    slow = {}
    output = minilm.model.encoder.layer[3].attention.output.dense
    for one in some.sentences:
        batch = minilm.encode([one.surface.text])
        encoded = minilm.tokenizer(one.surface.text, return_offsets_mapping=True)
        with torch.inference_mode():
            before = minilm.model(**batch.inputs()).last_hidden_state[0].double()

            def without(module, given):
                hidden = given[0].clone()
                hidden[..., 32:64] = 0
                return (hidden,)

            hook = output.register_forward_pre_hook(without)
            after = minilm.model(**batch.inputs()).last_hidden_state[0].double()
            hook.remove()
        moved = (after - before).norm(dim=-1) / before.norm(dim=-1)
        for word, (start, end) in enumerate(one.surface.spans):
            own = [at for at, (a, b) in enumerate(encoded["offset_mapping"])
                   if start <= a < end and a < b]  # fmt: skip
            slow[one.id, word] = float(moved[own].mean())
    best = sorted(slow, key=slow.get, reverse=True)[:5]
    assert [(one.sentence.id, one.word) for one in found.matches] == best
    assert [one.score for one in found.matches] == pytest.approx(
        [slow[at] for at in best], rel=1e-3
    )
    assert all(one.other not in (one.word, -1) for one in found.matches)


def test_the_model_reads_no_more_sentences_than_it_may(minilm, corpus, monkeypatch):
    read = []
    ours = type(minilm.model).forward
    monkeypatch.setattr(
        type(minilm.model), "forward",
        lambda self, *a, **k: read.append(len(k["input_ids"])) or ours(self, *a, **k),
    )  # fmt: skip
    found = inspector.search(corpus, "tag:NOUN", model=minilm, head="3-1", sentences=4)
    assert found.read <= 4 < found.candidates
    assert sum(read) == found.read


def test_what_is_nowhere_is_an_empty_frame_and_words_are_escaped(corpus):
    found = inspector.search(corpus, HOSTILE.split()[0])
    assert (found.total, found.read, len(found.frame)) == (0, 0, 0)
    planted = Sentence("<i>", None, (HOSTILE, "cat"), None, (), f"{HOSTILE} cat")
    found = inspector.search(replace(corpus, sentences=[planted]), "cat")
    assert len(found) == 1
    assert "<img" not in found._repr_html_()
    assert "&lt;img" in found._repr_html_()


@each(
    ("asked", "said"),
    [
        ({"words": "tag:NOUN tag:VERB"},
         ("words (tag:NOUN tag:VERB) must say one tag of a word: take one away. Available: a form, "
         "lemma:be, tag:VERB, or several of these.")),
        ({"words": "a" * 300},
         "words (300 characters) must have at most 200: name a word, a lemma or a tag."),
        ({"words": "tag:VERBS"}, "tag (VERBS) must be one that the corpus has. Available: ADJ, "),
        ({"relation": "object"}, "relation (object) must be one that the corpus has. Available: "),
        ({"words": "a", "to": "b"},
         "to (b) needs what joins the two words: give a relation such as obj, or a head."),
        ({"by": "magic"}, "by (magic) must be one of: attention, ablation."),
        ({"more_than": -1.0},
         "more_than (-1.0) must be a number from 0: of attention a share, such as 0.1."),
        ({"limit": 0}, "limit (0) must be a whole number from 1: give how many."),
        ({"head": "3-1,2-8"}, "head (2 heads) must be one, such as '3-1'."),
        ({"sentences": 0}, "sentences (0) must be a whole number from 1: give how many."),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_for_is_a_sentence(corpus, asked, said):
    with pytest.raises(InputError) as error:
        inspector.search(corpus, **asked)
    assert str(error.value).startswith(said)


def test_lemmas_are_refused_where_the_corpus_has_none_and_a_colon_may_stand_in_a_word():
    with pytest.raises(InputError) as error:
        inspector.search("The cat sat.", "lemma:sit")
    assert str(error.value) == (
        "lemma (of a corpus without lemmas) cannot be searched for: search for the word's form."
    )
    with pytest.raises(InputError, match=r"words \(3\) must be words that are looked for, behind "):
        unwrap(WordPattern.of.__func__)(WordPattern, "words", 3)
    with pytest.raises(InputError, match=r"corpus \(2 corpora\) must be one"):
        inspector.search([inspector.Corpus.from_text(one) for one in ("Go.", "Stop.")], "a")
    assert WordPattern.of("words", "http://a") == WordPattern(word="http://a")
    assert WordPattern.of("words", "lemma:") == WordPattern(word="lemma:")
