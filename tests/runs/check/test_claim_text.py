"""What people write about heads, and what is understood of it."""

import pytest
from support.each import each

from inspector.errors import InputError
from inspector.runs.check.claim_text import claim_of_text
from inspector.runs.check.vocabulary import token_target, words

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
    "minilm 2-8 looks at commas": ("minilm", 2, 8, "keyword:,", ""),
    "minilm 2-8 looks at punctuation": ("minilm", 2, 8, "punctuation", ""),
    "minilm (2, 8) det": ("minilm", 2, 8, "det", ""),
    "minilm 2/8 det": ("minilm", 2, 8, "det", ""),
    "minilm layer=2 head=8 det": ("minilm", 2, 8, "det", ""),
    "head 2-8 follows det in bert-base-uncased": ("bert-base-uncased", 2, 8, "det", ""),
    "head 2-8 follows det of minilm.": ("minilm", 2, 8, "det", ""),
    "minilm 2-8 role:ARG0": ("minilm", 2, 8, "role:ARG0", ""),
    "2-8 det, from the determiner": ("", 2, 8, "det", DOWN),
    "2-8 det, from Clark (2019)": ("", 2, 8, "det", ""),
    "2-8 det, from the noun": ("", 2, 8, "det", UP),
    "2-8 obj, from the noun": ("", 2, 8, "obj", DOWN),
    "head 3-1 attends to the object of the verb": ("", 3, 1, "obj", UP),
    "head 3-1 finds the verb of an object": ("", 3, 1, "obj", DOWN),
    "head 3-1: objects of verbs": ("", 3, 1, "obj", ""),
    "head 0-2 is a previous-token head": ("", 0, 2, "previous token", ""),
    "head 0-2 attends to the token two positions back": ("", 0, 2, "offset:-2", ""),
    "head 0-2 attends to the second word to the right": ("", 0, 2, "offset:+2", ""),
    "head 0-2 attends one word back": ("", 0, 2, "previous token", ""),
    "head 0-2 attends to the token after the next": ("", 0, 2, "offset:+2", ""),
    "head 0-2 has an offset of +2": ("", 0, 2, "offset:+2", ""),
    "head 0-2 offset -1": ("", 0, 2, "previous token", ""),
    "head 0-2 offset:1": ("", 0, 2, "next token", ""),
    "head 0-2 has an offset of 2": ("", 0, 2, "offset:+2", ""),
    'head 3-0 attends to "but"': ("", 3, 0, "keyword:but", ""),
    "head 3-0 is a keyword head for 'but'": ("", 3, 0, "keyword:but", ""),
    "head 3-0 attends to the word not": ("", 3, 0, "keyword:not", ""),
    "layer 4 head 11 (starting from 1) det": ("", 3, 10, "det", ""),
    "layer 4 head 11 det (layers and heads are numbered from one)": ("", 3, 10, "det", ""),
    "4-11 det, 0-based": ("", 4, 11, "det", ""),
    "layer no. 3, head #10 det": ("", 3, 10, "det", ""),
    "layer three, head ten: det": ("", 3, 10, "det", ""),
    "[layer:3, head:10] det": ("", 3, 10, "det", ""),
    "head 10, layer 3: det": ("", 3, 10, "det", ""),
    "layer 3's head 10 attends to its left neighbour": ("", 3, 10, "previous token", ""),
    "H10L3 det": ("", 3, 10, "det", ""),
    "3\u201310 det": ("", 3, 10, "det", ""),
    "a3.10 looks at position i+1": ("", 3, 10, "next token", ""),
    "3-1 [CLS] and [SEP]": ("", 3, 1, "special tokens", ""),
    "3-1 auxiliaries attend to main verbs": ("", 3, 1, "aux", DOWN),
    "3-1: passive subjects attend to their verb": ("", 3, 1, "nsubj:pass", DOWN),
    "3-1: possessive pronouns attend to nouns": ("", 3, 1, "nmod:poss", DOWN),
}


@each(("text", "meant"), SENTENCES.items(), ids=SENTENCES)
def test_a_sentence_is_understood(text, meant):
    claim = claim_of_text(text)
    assert (claim.model, claim.layer, claim.head, claim.what, claim.direction) == meant
    is_word = claim.what.startswith("keyword:")
    assert bool(claim.target) == (is_word or token_target(claim.what) is not None)
    assert claim.said == text


REFUSED = {
    "minilm det": "must name a head, as LAYER-HEAD or in words: such as 'minilm 2-8 det'",
    "minilm 2-8": "must say what the head does. Available: acl, ",
    "head 2-8 does not follow det": "must say what the head does, without 'not'",
    "head 2-8 never attends to the next token": "must say what the head does, without 'never'",
    "head 2-8 attends to everything but [SEP]": "what the head does, without 'everything but'",
    "head 2-8 rarely attends to [SEP]": "must say what the head does, without 'rarely'",
    "heads 2-8 and 3-1 of minilm follow obj": "must name one head: give a claim for each",
    "head 2-8 attends to the main word of the sentence": "must say what the head does.",
    "minilm 2-8 detx": "must say what the head does. Available: acl, ",
    "minilm 2-8 det obj": "must say one thing that a head does. Available: acl, ",
    "minilm 2-8 subjects look at the next word": "must say one thing that a head does.",
    "my model foo 2-8 det": "model (my foo) must be one word before the head: ",
    "layers 2-3 attend to the next token": "must name one head: give a claim for each",
    "layer 2 heads 8 and 9 follow det": "must name one head: give a claim for each",
    "2-8 attends to the next or previous token": "must say one thing that a head does.",
    "2-8 looks at the word after the verb": "must say one thing that a head does.",
    "2-8 verbs look at [CLS]": "must say one thing that a head does.",
    "2-8 from the noun to the previous token": "must say one thing that a head does.",
    "2-8 verbs look at the word 'but'": "must say one thing that a head does.",
    "2-8 pronouns attend to verbs": "must say what the head does.",
    "2-8 noun modifiers, such as determiners, attend to nouns": "must say what the head does.",
    "2-8 det, counting from 2": "counting (counting from 2) must be from 0 or from 1: say",
    "2-8 det (from 0), 1-based": "counting (from 0 and from 1) must be from 0 or from 1: say",
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
