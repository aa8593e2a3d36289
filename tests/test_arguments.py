"""Arguments of a wrong kind end in a sentence that names them, before any work is done."""

import math
from pathlib import Path

import pytest
from support.each import each

import inspector
from inspector.corpora.formats.memory_corpus import TAKEN
from inspector.errors import InputError, OutputError, sentence
from inspector.runs.profile.shard_worker import ProfileSettings
from inspector.runs.run import Run

FLAG = "must be True or False"
PATH = "must be a path: give a string or a pathlib.Path"
CORPUS = f"must be {TAKEN}"
SEED = "must be a whole number from 0 to 2147483647"
WHOLE = "must be whole numbers, such as [0, 3], or be left out"
SECONDS = "must be a number of seconds, or be left out"
BYTES = "must be a number of bytes, or be left out"
CALLED = "must be a function of what is being done and the share, or True or False, or be left out"
FILES = "must be the path of a file, or several"


class Unshowable:
    def __repr__(self):
        raise RuntimeError


def refusal(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


@each(
    ("name", "given", "shown", "must_be"),
    [
        ("corpus", 5, "5", CORPUS),
        ("corpus", b"x", "b'x'", CORPUS),
        ("corpus", math.nan, "nan", CORPUS),
        ("corpus", [None], "None", CORPUS),
        ("corpus", [[5]], "[5]", CORPUS),
        ("corpus", [], "[]", "must be at least one: give a corpus to read"),
        ("corpus", "", "an empty text", "must hold at least one word: give a text"),
        ("output", 5, "5", f"{PATH}, or be left out"),
        ("output", b"x", "b'x'", f"{PATH}, or be left out"),
        ("output", "", "''", f"{PATH}, or be left out"),
        ("output", "a\0", r"'a\x00'", f"{PATH}, or be left out"),
        ("annotations", 5, "5", FILES),
        ("annotations", None, "None", FILES),
        ("annotations", [None], "[None]", FILES),
        ("annotations", b"x", "b'x'", FILES),
        ("ablation", "yes", "'yes'", f"{FLAG}, or be left out"),
        ("ablation", 1, "1", f"{FLAG}, or be left out"),
        ("force", None, "None", FLAG),
        ("resume", 0, "0", FLAG),
        ("settings", {}, "{}", "must be inspector's ProfileSettings, or be left out"),
        ("workers", True, "True", "must be a whole number, at least 1"),
        ("engine", None, "None", "must be the name of an engine, such as local"),
        ("progress", 5, "5", CALLED),
        ("progress", [], "[]", CALLED),
    ],
)  # fmt: skip
def test_profile_refuses_what_an_argument_cannot_be(name, given, shown, must_be):
    assert refusal(inspector.profile, **{name: given}) == f"{name} ({shown}) {must_be}."


@each(
    ("call", "words"),
    [
        (lambda: inspector.ablate("minilm", "2-8", together=1), f"together (1) {FLAG}."),
        (lambda: inspector.ablate("minilm", "2-8", seed=-1), f"seed (-1) {SEED}."),
        (lambda: inspector.ablate("minilm", "2-8", seed=True), f"seed (True) {SEED}."),
        (lambda: inspector.ablate("minilm", "2-8", seed=2**31), f"seed (2147483648) {SEED}."),
        (lambda: inspector.verify("minilm", seed=1.5), f"seed (1.5) {SEED}, or be left out."),
        (lambda: inspector.verify("minilm", progress=""), f"progress ('') {CALLED}."),
        (lambda: inspector.head_importance(check="no"), f"check ('no') {FLAG}."),
        (lambda: inspector.head_importance(seed=None), f"seed (None) {SEED}."),
        (lambda: inspector.robustness(kept=5), f"kept (5) {WHOLE}."),
        (lambda: inspector.robustness(kept=[1.5]), f"kept ([1.5]) {WHOLE}."),
        (
            lambda: inspector.rollout("minilm", "x", residual="half"),
            "residual ('half') must be a number from 0 to 1.",
        ),
        (
            lambda: inspector.attend("minilm", "x", 5),
            "text (int) must be a string: give one text.",
        ),
        (
            lambda: inspector.load(revision=5),
            "revision (5) must be the name of a branch, tag or commit, or be left out.",
        ),
        (
            lambda: inspector.load(dtype=[]),
            "dtype ([]) must be the name of a dtype, such as float32, or be left out.",
        ),
        (
            lambda: inspector.load("minilm", name=3),
            "name (3) must be a name, such as mine, or be left out.",
        ),
        (
            lambda: inspector.load(device=3),
            "device (3) must be the name of a device, such as cpu, or be left out.",
        ),
    ],
)
def test_others_refuse_what_an_argument_cannot_be(call, words):
    assert refusal(call) == words


@each(
    ("name", "given", "words"),
    [
        ("layers", 5, WHOLE),
        ("layers", "01", WHOLE),
        ("layers", [None], WHOLE),
        ("timeout", "1", SECONDS),
        ("timeout", True, SECONDS),
        ("timeout", 10**400, SECONDS),
        ("memory", {}, BYTES),
        ("memory", 10**400, BYTES),
    ],
)
def test_an_implementation_is_not_tried_within_what_is_no_limit(name, given, words):
    found = refusal(inspector.verify_implementation, lambda weights: None, **{name: given})
    assert found.startswith(f"{name} (")
    assert found.endswith(f") {words}.")


class Tokenizer:
    convert_ids_to_tokens = None


@each(
    "call",
    [
        lambda one: inspector.verify("minilm", one),
        lambda one: inspector.verify("minilm", tokenizer=one),
        lambda one: inspector.weight_statistics("minilm", one),
        lambda one: inspector.composition("minilm", one),
        lambda one: inspector.vocabulary_circuits("minilm", one),
        lambda one: inspector.attend("minilm", one, "The cat."),
        lambda one: inspector.attend("minilm", "The cat.", one),
        lambda one: inspector.attend_generation("minilm", one, "The cat."),
        lambda one: inspector.profile("minilm", one),
        lambda one: inspector.profile("minilm", "The cat.", one),
        lambda one: inspector.ablate("minilm", one, "2-8", "The cat."),
        lambda one: inspector.head_importance("minilm", one),
        lambda one: inspector.rollout("minilm", "The cat.", one),
    ],
)
def test_a_tokenizer_is_given_to_load(call):
    assert refusal(call, Tokenizer()) == (
        "tokenizer (Tokenizer) must be given to inspector.load, with its model: write "
        "inspector.load(model, tokenizer), and give what it returns in the place of the model."
    )


@each("given", [None, 5, b"x", [], {}, ""])
def test_what_is_no_run_is_not_compared(given):
    words = f"run ({given!r}) {PATH}."
    assert refusal(inspector.compare, given, given) == words
    assert refusal(Run.open, given) == words


@each(
    ("settings", "words"),
    [
        ({"ablation": "yes"}, f"ablation ('yes') {FLAG}."),
        ({"distances": 1}, f"distances (1) {FLAG}."),
        ({"shard_size": 0}, "shard_size (0) must be a whole number, at least 1."),
        ({"batch_size": "7"}, "batch_size ('7') must be a whole number, at least 1."),
        ({"seed": -1}, "seed (-1) must be a whole number, at least 0."),
        (
            {"ablation_sentences": True},
            "ablation_sentences (True) must be a whole number, at least 0.",
        ),
        ({"labels": "all"}, "labels ('all') must be one of universal, full."),
        (
            {"random_init_seeds": 3},
            "random_init_seeds (3) must be whole numbers, such as (1, 2, 3).",
        ),
    ],
)
def test_settings_are_what_they_must_be(settings, words):
    assert refusal(ProfileSettings, **settings) == words


def test_what_cannot_be_shown_is_named_by_its_type():
    assert refusal(inspector.profile, output=Unshowable()) == (
        f"output (a value of type Unshowable) {PATH}, or be left out."
    )
    assert refusal(inspector.profile, output=10**5000) == (
        f"output (a value of type int) {PATH}, or be left out."
    )


def test_a_path_of_any_kind_is_one(tmp_path):
    with pytest.raises(OutputError, match=r"corpus \(.*/none.txt\) cannot be read"):
        inspector.profile(corpus=Path(tmp_path / "none.txt"))


def test_of_a_sentence_that_is_too_long_what_was_given_is_shortened_first():
    rule, mend = "must be from 1 to 12, so that heads divide the states", "mend config.json."
    for given in ("9" * 600, ", ".join("9" * 200), "/a" * 300):
        found = sentence(f"num_heads ({given}) {rule}: {mend}")
        assert len(found) < 200
        assert found.startswith(f"num_heads ({given[:30]}")
        assert found.endswith(f"{given[-30:]}) {rule}: {mend}")
