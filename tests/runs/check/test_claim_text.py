"""What people write about heads, and what is understood of it."""

import pytest
from support.each import each

from inspector.errors import InputError
from inspector.runs.check.claim_text import claim_of_text
from inspector.runs.check.vocabulary import words

DOWN, UP, BY = "dependent_to_head", "head_to_dependent", "attended_by_head"
SENTENCES = {
    "minilm 2-8 det": ("minilm", 2, 8, "det", ""),
    "2-8 det": ("", 2, 8, "det", ""),
    "minilm 3-1 obj from the verb": ("minilm", 3, 1, "obj", UP),
    "minilm 3-1 dobj dep->head": ("minilm", 3, 1, "obj", DOWN),
    "minilm 3-1 obj attended_by_head": ("minilm", 3, 1, "obj", BY),
    "minilm 3-1 obj head<-dep": ("minilm", 3, 1, "obj", BY),
    "head 2-8: determiners look at their nouns": ("", 2, 8, "det", DOWN),
    "minilm's head 2-8: articles attend to nouns": ("minilm", 2, 8, "det", DOWN),
    "In bert-base-uncased, verbs attend to their direct objects in head 3-1": (
        *("bert-base-uncased", 3, 1, "obj", UP),
    ),
    "head 8 of layer 2 of minilm follows subjects": ("minilm", 2, 8, "nsubj", ""),
    "L2H8 nouns look at adjectives": ("", 2, 8, "amod", UP),
    "minilm 2-8 articles are attended by their nouns": ("minilm", 2, 8, "det", UP),
    "prepositions attend to their objects in head 2.8": ("", 2, 8, "case", DOWN),
    "a/model 0-1 nsubj:pass": ("a/model", 0, 1, "nsubj:pass", ""),
    "./folder 0-1 coordination:but": ("./folder", 0, 1, "coordination:but", ""),
    "bert-base-uncased 8-10 dobj (counting from 1)": ("bert-base-uncased", 7, 9, "obj", ""),
    "8-11 det, 1-indexed": ("", 7, 10, "det", ""),
    "layer 3 head 10 attends to the next token": ("", 3, 10, "next token", ""),
    "layer 3, head 10 looks at the preceding word": ("", 3, 10, "previous token", ""),
    "minilm 2-8 attends to [SEP]": ("minilm", 2, 8, "separator", ""),
    "minilm 2-8 attends to itself": ("minilm", 2, 8, "same token", ""),
    "minilm 2-8 looks at commas": ("minilm", 2, 8, "punctuation", ""),
}


@each(("text", "meant"), SENTENCES.items(), ids=SENTENCES)
def test_a_sentence_is_understood(text, meant):
    claim = claim_of_text(text)
    assert (claim.model, claim.layer, claim.head, claim.what, claim.direction) == meant
    assert bool(claim.target) == (claim.what in words().target_names)
    assert claim.said == text


REFUSED = {
    "minilm det": "must name a head, as LAYER-HEAD or in words: such as 'minilm 2-8 det'",
    "minilm 2-8": "must say what the head does. Available: acl, advcl, ",
    "minilm 2-8 detx": "must say what the head does. Available: acl, advcl, ",
    "minilm 2-8 det obj": "must say one thing that a head does. Available: acl, ",
    "minilm 2-8 subjects look at the next word": "must say one thing that a head does.",
    "my model foo 2-8 det": "model (my foo) must be one word before the head: ",
    "minilm 0-3 det (1-indexed)": "layer (0) must be at least 1, from which the claim counts: ",
    "minilm 2-8-3 det": "must name a head",
    "2-8 det " + "x" * 500: "claim (508 characters) must have at most 500: ",
}


@each(("text", "words_of_it"), REFUSED.items(), ids=lambda value: value[:20])
def test_what_is_not_understood_is_said_in_a_sentence(text, words_of_it):
    with pytest.raises(InputError) as error:
        claim_of_text(text, place="f.yaml, line 3")
    assert str(error.value).startswith("f.yaml, line 3: ")
    assert words_of_it in str(error.value)


def test_every_word_for_a_relation_leads_to_it():
    known = words()
    for relation, dependents in known.dependents.items():
        for one in dependents:
            found = claim_of_text(f"2-8 follows {one}s")
            assert found.relation in known.dependents, one
            assert one in known.dependents[found.relation]
        assert claim_of_text(f"2-8 {relation}").relation == relation
