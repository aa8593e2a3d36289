"""Every relation has a name, a sentence and an example, in every language."""

import pytest
import yaml

from inspector import words
from inspector.corpora.annotation.registry import BESIDE, CARRIED
from inspector.dashboard import relations
from inspector.dashboard.parts import claim_ladder
from inspector.plot.colors import FAMILIES, VERDICTS
from inspector.runs.run import Run
from inspector.yaml_file import read_own_yaml

OF_TREES = (
    "acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse "
    "dislocated expl fixed flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis "
    "punct reparandum root vocative xcomp"
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_relation_of_a_run_has_an_entry(profiled, language):
    run = Run.open(yaml.safe_load(profiled.read_text())["run"])
    names = {*run.relations["relation"], "coref:proper:mentions", *OF_TREES.split()}
    assert {"obj", "nsubj"} < names
    names |= {"neg:scope", "meaning:antonym", "role:ARG0", "coordination:or", "obl+nmod+case"}
    own = words.of("relations", language)["own"]
    for name in names:
        found = relations.gloss(name, language)
        assert found.says != own, name
        assert found.name not in ("", name) or name in ("root",), name
        assert "{" not in f"{found}".replace("Gloss(", ""), name
        assert relations.label(name, language).startswith(name)


def test_every_relation_that_a_reader_of_annotation_gives_has_an_entry():
    own = words.of("relations", "en")["own"]
    begins = {start for one in (*CARRIED.values(), *BESIDE.values()) for start in one.relations}
    # The user's own are called as the user does; controls are no relation that is claimed.
    asked = begins - {"user:", "meaning-control:"}
    assert len(asked) > 10
    known = tuple(relations.every("en"))

    def has_words(start):
        one_of_it = any(name.startswith(start) for name in known)
        return one_of_it or relations.gloss(f"{start}x", "en").says != own

    assert [start for start in asked if not has_words(start)] == []
    assert not has_words("no-such:")


def test_entries_say_the_same_in_every_language():
    entries = read_own_yaml(relations._FILE)
    assert set(entries) == {"relations", "roles", "verdicts"}
    for name, texts in (item for kind in entries.values() for item in kind.items()):
        assert set(texts) == set(words.languages()), name
        assert all(len(said) == 3 and all(said) for said in texts.values()), name
        chinese = "".join(texts["zh"][:2])
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), name


def test_object_finds_obj_and_a_word_of_ones_own_stays_what_it_is():
    assert "object" in relations.label("obj", "en")
    assert relations.label("obj", "zh") == "obj – 直接宾语（吃鸡蛋）"
    assert (
        relations.label("acl:relcl", "en")
        == "acl:relcl – clause of a noun (relcl) (the house built in May)"
    )
    assert relations.label("coordination:and", "en").startswith("coordination:and – and and the ")
    assert relations.gloss("obl+case", "zh").name == "动词的旁语 → 介词或格标记"
    assert relations.gloss("coref:pronoun:mentions", "en").name.endswith(", among mentions")
    assert relations.label("my own", "en") == "my own"
    assert relations.gloss("my own", "en").says == "A relation of the corpus's own."


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_role_and_verdict_has_a_name_a_sentence_and_an_example(language):
    own = words.of("relations", language)["own"]
    roles = ["syntactic:obj", "semantic:coref:pronoun", "word-class:NOUN:left", "positional:-1",
             "position:last", "keyword:but", *FAMILIES]  # fmt: skip
    for name in roles:
        found = relations.role(name, language)
        assert found.says != own, name
        assert found.example != "–", name
        assert "{" not in f"{found.name}{found.says}{found.example}", name
    chinese = [relations.role(name, "zh").says for name in roles]
    chinese += [relations.verdict(name, "zh").says for name in VERDICTS]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in one) for one in chinese)
    assert relations.gloss("obj", language).name in relations.role("syntactic:obj", language).name
    assert all(name in relations.every(language) for name in (*VERDICTS, *FAMILIES, "obj"))
    assert relations.role("no such", language).name == "no such"
    tooltip = relations.verdicts(language)
    assert all(relations.verdict(name, language).says in tooltip for name in VERDICTS)


@pytest.mark.parametrize(("difference", "is_said"), [(0.3, True), (-0.1, False)])
def test_a_head_that_is_ahead_of_what_explains_it_is_said_to_be(difference, is_said):
    """A lead that chance may have made rules nothing out: without a word it would contradict."""
    judged = {"n": 83, "explained_by": "word-class", "verdict": "explained", "ci_low": 0.1}
    rows = [
        {**judged, "rung": "offset", "rule": "-6", "accuracy": 0.1, "difference": 0.4},
        {
            **judged, "rung": "word-class", "rule": "NOUN:left", "accuracy": 0.5 - difference,
            "difference": difference,
        },
    ]  # fmt: skip
    for language, ahead in (("en", "ahead of it, but not by enough"), ("zh", "虽领先于它")):
        said = claim_ladder.in_words(rows, "1-3", language)
        assert (ahead in said) is is_said
    assert "So the head is explained by: nearest NOUN to the left." in claim_ladder.in_words(
        rows, "1-3", "en"
    )
