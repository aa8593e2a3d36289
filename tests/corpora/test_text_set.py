"""Texts that are read alike: what is scored in them, and a part of them."""

from inspector.corpora import Relation, Sentence
from inspector.corpora.text_set import TextSet

PLAIN = Relation("syntax", "obj", 0, 1)
SEVERAL = Relation("semantic", "coref", 2, 0, also=(1,), subsets=("apart",))
BESIDE = Relation("semantic", "coref|matched", 1, 0)
TEXTS = [
    Sentence("a", None, ("x", "y", "z"), None, (PLAIN, SEVERAL, BESIDE)),
    Sentence("b", None, ("x", "y"), None, (PLAIN,)),
    Sentence("c", None, ("x",), None, ()),
]


def test_a_window_has_all_scored_and_a_sentence_what_is_plain():
    sentences = TextSet.of(TEXTS, "pqr")
    windows = TextSet.of(TEXTS, "pqr", is_windows=True)
    assert sentences.scored(TEXTS[0]) == [PLAIN, BESIDE]
    assert windows.scored(TEXTS[0]) == [PLAIN, SEVERAL, BESIDE]
    assert sentences.relations == ("coref|matched", "obj")
    assert windows.relations == ("coref", "coref|apart", "coref|matched", "obj")
    assert (sentences.asked, windows.asked) == (["obj"], ["coref", "obj"])


def test_a_part_has_its_own_texts_and_documents():
    windows = TextSet.of(TEXTS, "pqr", is_windows=True)
    part = windows.at([2, 0])
    assert (part.texts, part.documents) == ((TEXTS[2], TEXTS[0]), ("r", "p"))
    assert (part.relations, part.is_windows, part.lengths) == (windows.relations, True, [1, 3])
    of_coref = windows.with_any_of(["coref", "other"])
    assert (of_coref.texts, of_coref.documents) == ((TEXTS[0],), ("p",))
    assert of_coref.relations == ("coref",)
    assert TextSet.of(TEXTS, "pqr").with_any_of(["coref"]).texts == ()
