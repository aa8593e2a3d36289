"""Generated probes agree as English does: a and an, determiners, subjects and verbs."""

from itertools import pairwise

import pytest
from support.texts.made_probes import made_probes

from inspector.corpora import Sentence, tree_sentence
from tools.probes.grammar import lexicon, verbs

IRREGULAR = {"children", "women", "men", "knives", "scarves", "shelves"}
SINGULAR = {
    "this",
    "that",
    "a",
    "an",
    "every",
    "is",
    "was",
    "has",
    "does",
    "he",
    "she",
    "it",
    "someone",
    "somebody",
    "nobody",
    "everybody",
    "something",
}
PLURAL = {"these", "those", "some", "are", "were", "have", "do", "we", "you", "they", "all"}
SINGULAR_S = {"bus", "dress"}
INVARIANT = {"did", "had", "will", "may", "might", "can", "could", "should", "must"}


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return made_probes()


def children(sentence, word, *labels):
    return [
        w
        for w, (head, label) in enumerate(zip(sentence.heads, sentence.deprels, strict=True))
        if head == word and label in labels
    ]


def noun_number(word: str) -> str:
    plural = word in IRREGULAR or (word.endswith("s") and word not in SINGULAR_S)
    return "p" if plural else "s"


def subject_number(sentence, word) -> str:
    """Number of a subject by its form alone; a relative pronoun has that of its noun."""
    form = sentence.words[word].lower()
    if form == "i":
        return "1"
    if form in ("who", "that", "which") and sentence.deprels[sentence.heads[word]] == "acl:relcl":
        return subject_number(sentence, sentence.heads[sentence.heads[word]])
    joined = [
        w for w in children(sentence, word, "conj") if sentence.upos[w] == sentence.upos[word]
    ]
    if joined and any(
        sentence.words[c] == "and" for w in joined for c in children(sentence, w, "cc")
    ):
        return "p"
    if sentence.upos[word] == "PRON":
        return "s" if form in SINGULAR else "p"
    return noun_number(form)


def finite_word(sentence, subject):
    head = sentence.heads[subject]
    helpers = children(sentence, head, "aux", "aux:pass", "cop")
    return min(helpers) if helpers else head


def disagreements(sentence) -> list[str]:
    """Subjects whose verb has the other number, determiners on the wrong noun."""
    found = []
    words = [w.lower() for w in sentence.words]
    thirds = {w.third for table in TABLES for w in table}
    bases = {w.base for table in TABLES for w in table} - {w.past for t in TABLES for w in t}
    for word, label in enumerate(sentence.deprels):
        if label in ("nsubj", "nsubj:pass") and words[word] not in ("what",):
            number, verb = subject_number(sentence, word), words[finite_word(sentence, word)]
            if verb in INVARIANT:
                continue
            if verb in ("is", "was", "has", "does") or verb in thirds:
                right = number == "s" or (verb == "was" and number == "1")
            elif verb == "am":
                right = number == "1"
            elif verb in ("are", "were") or verb in bases or verb in ("have", "do"):
                right = number == "p" or (number == "1" and verb not in ("are", "were"))
            else:
                right = True  # past
            if not right:
                found.append(f"{words[word]} {verb}")
        if label in ("det", "nummod") and sentence.upos[sentence.heads[word]] == "NOUN":
            noun = words[sentence.heads[word]]
            wanted = (
                "s"
                if words[word] in SINGULAR | {"one"}
                else "p"
                if words[word] in PLURAL or label == "nummod"
                else noun_number(noun)
            )
            if noun_number(noun) != wanted:
                found.append(f"{words[word]} {noun}")
    return found


TABLES = [
    verbs.TRANSITIVE,
    verbs.INTRANSITIVE,
    verbs.DITRANSITIVE,
    verbs.SAYING,
    verbs.ASKING,
    verbs.SUBJECT_CONTROL,
    verbs.RAISING,
    verbs.SEEMING,
    tuple(row[2] for row in verbs.PARTICLE),
]


def test_subjects_agree_with_verbs_and_determiners_with_nouns(sentences):
    assert {s.text: disagreements(s) for s in sentences if disagreements(s)} == {}


def test_both_numbers_show_on_verbs(sentences):
    forms = [
        s.words[finite_word(s, w)].lower()
        for s in sentences
        for w, label in enumerate(s.deprels)
        if label.startswith("nsubj")
    ]
    assert min(forms.count(form) for form in ("is", "are", "was", "were", "has", "have")) >= 10


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["The", "dog", "near", "the", "walls", "were", "tired"], ["dog were"]),
        (["The", "dogs", "near", "this", "wall", "has", "tired"], ["dogs has"]),
        (["These", "dog", "near", "the", "wall", "was", "tired"], ["these dog"]),
        (["The", "dog", "near", "the", "walls", "was", "tired"], []),
    ],
)
def test_the_agreement_check_sees_attraction(words, wrong):
    sentence = tree_sentence(
        "s",
        words,
        [1, 6, 4, 4, 1, 6, -1],
        ["det", "nsubj", "case", "det", "nmod", "cop", "root"],
        upos=["DET", "NOUN", "ADP", "DET", "NOUN", "AUX", "ADJ"],
    )
    assert disagreements(sentence) == wrong


def wrong_articles(words) -> list[str]:
    found = []
    for article, word in pairwise(words):
        sound = word.lower()
        vowel = sound[0] in "aeiou" and not sound.startswith(("uni", "eu", "use"))
        vowel = vowel or sound.startswith(("hour", "honest"))
        if article.lower() in ("a", "an") and (article.lower() == "an") != vowel:
            found.append(f"{article} {word}")
    return found


def test_a_and_an(sentences):
    assert [wrong_articles(s.words) for s in sentences if wrong_articles(s.words)] == []
    articles = [w.lower() for s in sentences for w in s.words]
    assert articles.count("an") >= 30
    assert articles.count("a") >= 200
    assert wrong_articles(["a", "old", "uniform", "an", "uniform", "a", "honest", "man"]) == [
        "a old",
        "an uniform",
        "a honest",
    ]


def test_do_and_modals_come_with_the_bare_verb(sentences):
    allowed = (
        {w.base for table in TABLES for w in table}
        | {"be", "have"}
        | {
            row.base
            for name in (
                "ING_CONTROL",
                "OBJECT_CONTROL",
                "INDIRECT_CONTROL",
                "BARE_CONTROL",
                "FINDING",
            )
            for row in getattr(verbs, name)
        }
        | {w.base for _, w in verbs.PARTICLE_ALONE}
        | {
            "surprise",
            "please",
            "worry",
            "amuse",
            "wonder",
            "ask",
            "tell",
            "remind",
            "warn",
            "remember",
        }
    )
    checked = 0
    for s in sentences:
        for w, label in enumerate(s.deprels):
            if label == "aux" and s.words[w].lower() in INVARIANT - {"had"} | {"do", "does"}:
                group = sorted([*children(s, s.heads[w], "aux", "aux:pass", "cop"), s.heads[w]])
                after = s.words[group[group.index(w) + 1]]
                assert after in allowed, s.text
                checked += 1
    assert checked >= 100


def test_nothing_inedible_is_eaten_and_only_persons_read(sentences):
    def forms(*kinds):
        entries = [e for kind in kinds for e in lexicon.NOUNS[kind]]
        singular = {e.partition("/")[0] for e in entries}
        return (
            singular
            | {e.partition("/")[2] for e in entries}
            | {form for e in singular for form in (e + "s", e + "es", e[:-1] + "ies")}
        )

    eaten, readers = [], []
    for s in sentences:
        for w, label in enumerate(s.deprels):
            verb = s.words[s.heads[w]].lower()
            if label == "obj" and verb in ("eat", "eats", "ate", "eaten", "eating"):
                eaten.append(s.words[w].lower())
            if label == "nsubj" and verb in ("read", "reads", "reading"):
                readers.append(s.words[w].lower())
    assert set(eaten) <= forms("food") | {"what", "that", "which"}
    assert set(readers) <= forms("person", "relative") | {
        "i",
        "he",
        "she",
        "we",
        "they",
        "you",
        "who",
        "that",
        "someone",
        "somebody",
    }
    assert len(eaten) >= 5
