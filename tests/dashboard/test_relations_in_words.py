"""Every relation has a name, a sentence and an example, in every language."""

import pytest
import yaml

from inspector.dashboard import relations, words
from inspector.runs.profile.profile_corpus import Run
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


def test_entries_say_the_same_in_every_language():
    for name, texts in read_own_yaml(relations._FILE).items():
        assert set(texts) == set(words.languages()), name
        assert all(len(said) == 3 and all(said) for said in texts.values()), name
        chinese = "".join(texts["zh"][:2])
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), name


def test_object_finds_obj_and_a_word_of_ones_own_stays_what_it_is():
    assert "object" in relations.label("obj", "en")
    assert relations.label("obj", "zh") == "obj – 直接宾语 (eat an egg)"
    assert (
        relations.label("acl:relcl", "en")
        == "acl:relcl – clause of a noun (relcl) (the house built in May)"
    )
    assert relations.label("coordination:and", "en").startswith("coordination:and – and and the ")
    assert relations.gloss("obl+case", "zh").name == "动词的旁语 → 介词或格标记"
    assert relations.gloss("coref:pronoun:mentions", "en").name.endswith(", among mentions")
    assert relations.label("my own", "en") == "my own"
    assert relations.gloss("my own", "en").says == "A relation of the corpus's own."
