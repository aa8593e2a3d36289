"""A planted head that looks at the last same word is found for that, and not for meaning.

Mentions of one entity are the same noun, or a pronoun that also stands for others; the planted
model knows words and places and nothing else.
"""

import random
from dataclasses import replace

import pytest
import torch
from support.planted.bert import N_POSITIONS, plant
from support.tiny.models import tiny_tokenizer

from inspector.corpora import Corpus, tree_sentence
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.shard_worker import ProfileSettings

NOUNS = ("cat", "dog", "rain", "town", "table")
KINDS = ("uniform", "same before", "previous")


@pytest.fixture(autouse=True)
def same_before(monkeypatch):
    """Let `plant` know a head that looks at the last earlier place with the same token."""
    import support.planted.bert as planted_bert

    others = planted_bert.scores

    def scores(kind, tokenizer):
        if kind != "same before":
            return others(kind, tokenizer)
        content = 2 * torch.eye(len(tokenizer))
        apart = torch.arange(N_POSITIONS)[:, None] - torch.arange(N_POSITIONS)
        # place[query, key]: nearer is better, a place before is better than none.
        place = torch.where(apart > 0, 1 - 0.02 * apart, torch.full_like(apart, -1.0, dtype=float))
        return content, place.float()

    monkeypatch.setattr(planted_bert, "scores", scores)


def sentence(name, document, mentions, fill):
    """Return a sentence of mentions (noun or 'that', entity) with words between them."""
    words, cells, tags = [], [], []
    for word, entity in mentions:
        for other in fill():
            words.append(other)
            cells.append("_")
            tags.append("VERB")
        words.append(word)
        cells.append(f"Entity=({entity}-x-new-s-cf1-1-coref)")
        tags.append("PRON" if word == "that" else "NOUN")
    heads = [-1] + [0] * (len(words) - 1)
    labels = ["root"] + ["dep"] * (len(words) - 1)
    return tree_sentence(name, words, heads, labels, upos=tags, misc=cells, document=document)


def corpus():
    """Return documents in which nouns come again as themselves, and as 'that' for one of two."""
    draw = random.Random(8)

    def fill():
        return draw.choices(("had", "could", "not", "old"), k=draw.randint(0, 2))

    sentences = []
    for number in range(80):
        one, other = draw.sample(NOUNS, 2)
        first = [(one, 1), (other, 2)]
        second = [(one, 1), (other, 2), ("that", draw.choice((1, 2)))]
        draw.shuffle(second)
        for part, mentions in enumerate((first, second)):
            name, document = f"s{number}-{part}", f"d{number}"
            sentences.append(sentence(name, document, mentions, fill))
    return Corpus("planted", sentences, [], "0" * 64, "generated")


def test_it_is_found_for_the_same_string_and_not_for_the_rest(tmp_path):
    model = plant(tmp_path / "bert", KINDS)
    assert tiny_tokenizer("bert").tokenize("that") == ["that"]
    run = profile_corpus(
        model, corpus(), settings=ProfileSettings(window_tokens=N_POSITIONS, ablation=False)
    )
    head = KINDS.index("same before")
    claims = run.claims.set_index(["relation", "direction"])
    same = claims.loc["coref-same-string:nominal", "dependent_to_head"]
    assert (same["head"], same["verdict"]) == (head, "supported")
    assert same["accuracy"] == 1.0
    assert same["n"] > 60
    rest = claims.loc["coref:pronoun"]
    assert (rest["n"] > 15).all()
    assert "supported" not in set(rest["verdict"])
    controls = run.semantic_controls
    of_head = controls[(controls["head"] == head) & (controls["relation"].str.contains("same"))]
    assert set(of_head["verdict"]) == {"explained by the same word or a path of one or two edges"}
    assert not run.roles["role"].str.startswith("semantic").any()


def test_control_a_head_is_not_found_where_the_words_are_others(tmp_path):
    """With the nouns of the second sentences exchanged, the same head is wrong everywhere."""
    model = plant(tmp_path / "bert", KINDS)
    turned = []
    for one in corpus().sentences:
        source = one.source.replace("Entity=(1-", "Entity=(x-")
        source = source.replace("Entity=(2-", "Entity=(1-").replace("Entity=(x-", "Entity=(2-")
        turned.append(replace(one, source=source if one.id.endswith("-1") else one.source))
    run = profile_corpus(
        model,
        Corpus("turned", turned, [], "0" * 64, "generated"),
        settings=ProfileSettings(window_tokens=N_POSITIONS, ablation=False),
    )
    frame = run.relations.query("relation == 'coref:nominal' and direction == 'dependent_to_head'")
    assert (frame[frame["head"] == KINDS.index("same before")]["correct"] == 0).all()
