"""Words that the vocabulary does not know: counted, no duplicates of one another, no claims."""

import json
from dataclasses import asdict

import numpy as np
import pytest

import inspector
from inspector.corpora import Corpus, Sentence, tree_sentence
from inspector.corpora.formats.plain_text import text_surface
from inspector.heads.observers import Behaviour, annotated_batches, observe
from inspector.models import load, word_batches
from inspector.models.tokenizing.sentence_tokens import unknown_id
from inspector.runs import RunTarget
from inspector.runs.profile.profile_corpus import profile_corpus
from inspector.runs.profile.reading import note_documents
from inspector.runs.profile.shard_worker import ProfileSettings
from inspector.runs.run import Run
from inspector.vocabulary import Vocabulary

AMHARIC = ("ሰላም", "ቤት", "ውሃ", "ልጅ", "ፀሐይ")
ENGLISH = ("rain", "town", "dog", "cat", "bone")
SETTINGS = ProfileSettings(random_init_seeds=(), shard_size=16, batch_size=4, ablation=False)


def sentences(share, n=80):
    """Return sentences 'the NOUN had NOUN .', a share of their objects unknown to minilm."""
    made = []
    for place in range(n):
        is_unknown = place % 20 < round(20 * share)
        noun = (AMHARIC if is_unknown else ENGLISH)[place % 5]
        made.append(
            tree_sentence(
                f"s{place}",
                ["the", ENGLISH[(place + 1) % 5], "had", noun, "."],
                [1, 2, -1, 2, 2],
                ["det", "nsubj", "root", "obj", "punct"],
                upos=["DET", "NOUN", "VERB", "NOUN", "PUNCT"],
                document=f"d{place // 4}",
            )
        )
    return made


def corpus(made, name="made"):
    return Corpus(name, made, [], "0" * 64, "gold")


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return load(str(tiny_folder("bert")))


@pytest.mark.parametrize(("share", "is_unsure"), [(0.2, False), (0.25, True)])
def test_a_relation_with_too_many_unknown_words_is_underpowered(tiny, share, is_unsure):
    run = profile_corpus(tiny, corpus(sentences(share)), settings=SETTINGS)
    verdicts = run.claims.groupby("relation")["verdict"].agg(set)
    assert (verdicts["obj"] == {"underpowered"}) == is_unsure
    assert "underpowered" not in verdicts["det"] | verdicts["nsubj"]
    assert run.unsure == (["obj"] if is_unsure else [])
    counted = dict(zip(run.totals["what"], run.totals["count"], strict=True))
    assert counted["words unknown to the vocabulary"] == 80 * share
    said = run.frames["skipped"]["reason"].str.contains("obj: pairs with a word unknown")
    assert said.sum() == is_unsure


def test_too_few_documents_are_said_before_the_pass(tiny, caplog):
    seen = []
    few, enough = corpus(sentences(0, 8)), corpus(sentences(0))
    profile_corpus(
        tiny, few, settings=SETTINGS, progress=lambda *done: seen.append(tuple(caplog.messages))
    )
    assert [one.startswith("corpus (made) has 2 documents, ") for one in seen[0]] == [True]
    note_documents([enough, Corpus("words", [Sentence("s", None, ("a",), None, ())], [], "0", "")])
    assert len(caplog.messages) == 1


def test_unknown_tokens_are_no_duplicates_of_one_another(minilm):
    """[UNK] three times and 'rain' twice: of 6 queries only the two 'rain' occur again."""
    made = [Sentence("s", None, ("ሰላም", "rain", "ቤት", "rain", "ውሃ", "."), None, ())]
    read = word_batches(minilm, [one.surface for one in made], 1)
    batch = read.batches[0]
    assert batch.unknown[0].tolist() == [False, True, False, True, False, True, False, False]
    (annotated,) = annotated_batches([batch], made, [0], {})
    assert annotated.repeats[0].nonzero().tolist() == [[2, 4], [4, 2]]
    observer = Behaviour(minilm.n_layers, minilm.n_heads, minilm.max_tokens)
    observe(minilm, [annotated], [observer])
    maps = inspector.attend(minilm, made[0].surface.text).probabilities
    expected = (maps[:, :, 2, 4] + maps[:, :, 4, 2]) / 2
    found = observer.frame()["duplicate_mass"].to_numpy().reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_run_says_it_everywhere_and_the_same_after_resume(tiny, tmp_path):
    made, folder = corpus(sentences(0.5, 40)), tmp_path / "run"
    run = profile_corpus(tiny, made, RunTarget(folder), settings=SETTINGS)
    assert run.vocabulary == Vocabulary(200, 20, 236, 20, 0)
    said = "unknown to the vocabulary: 20 of 200 words (10.0 %), 20 of 236 tokens (8.5 %)"
    assert said in run.summary()
    result = json.loads((folder / "result.json").read_text())
    assert result["vocabulary"] == asdict(run.vocabulary)
    (folder / "result.json").unlink()
    (folder / "shards" / "000001.safetensors").unlink()
    profile_corpus(tiny, made, RunTarget(folder, resume=True), settings=SETTINGS)
    again = Run.open(folder)
    assert again.totals.equals(run.totals)
    assert (again.vocabulary, again.unsure) == (run.vocabulary, ["obj"])


def test_the_command_says_it_on_stderr_and_names_what_is_not_claimed(
    tmp_path, tiny_folder, command
):
    folder = tiny_folder("bert")
    path = tmp_path / "amharic.conllu"
    rows = "1\tሰላም\t_\tNOUN\t_\t_\t2\tnsubj\t_\t_\n2\tቤት\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n"
    path.write_text(rows * 4, encoding="utf-8")
    done = command("profile", folder, "--corpus", path, "-o", tmp_path / "run", "--no-ablation")
    assert done.code == 0
    before, said = done.err.splitlines()
    assert before == (
        "inspector: corpus (amharic) has 1 document, 0 of the test split, where intervals need 5: "
        "every claim will be underpowered. Give more text, or mark its documents with "
        "'# newdoc id = …'."
    )
    assert said == (
        "inspector: unknown to the vocabulary: 8 of 8 words (100.0 %), 8 of 8 tokens (100.0 %). "
        f"{folder} cannot tell such words apart: claims about nsubj are underpowered."
    )
    assert "left out: 4 nsubj: pairs with a word unknown to the vocabulary" in done.out
    roles = Run.open(tmp_path / "run").roles["role"]
    assert not roles.str.startswith(("duplicate-token", "syntactic")).any()


def test_a_text_says_how_much_is_unknown(minilm, tmp_path, command):
    maps = inspector.attend(minilm, "ሰላም means peace-ቤት", "ውሃ")
    assert maps.vocabulary == Vocabulary(6, 3, 6, 3, 0)
    assert "unknown to the vocabulary: 3 of 6 words (50.0 %)" in repr(maps)
    done = command("attend", "--text", "ሰላም means peace", "-o", tmp_path / "a.html")
    assert done.out.endswith(
        "unknown to the vocabulary: 1 of 3 words (33.3 %), 1 of 3 tokens (33.3 %)\n"
    )


def test_a_word_with_a_part_that_is_unknown_is_unknown(minilm):
    """Chinese: some characters are known; a word of a known and an unknown one is not."""
    read = word_batches(minilm, [("人", "螺", "人螺"), ("rain",)], 2)
    assert read.vocabulary == Vocabulary(4, 2, 5, 2, 0)
    assert text_surface("人螺").spans == ((0, 1), (1, 2))


def test_what_is_unknown_is_what_the_tokenizers_table_says():
    from support.tiny.decoders import byte_level_tokenizer
    from support.tiny.models import tiny_tokenizer

    assert unknown_id(tiny_tokenizer("bert")) == 1
    assert unknown_id(tiny_tokenizer("xlm-roberta")) == 3
    assert unknown_id(byte_level_tokenizer()) is None
    named = byte_level_tokenizer(padding=True)
    named.unk_token = named.eos_token  # as GPT-2's: it is never made of a word
    assert unknown_id(named) is None


def test_a_sentence_of_which_nothing_is_made_is_left_out(minilm):
    read = word_batches(minilm, [("a", "cat"), ("\u200b",), ("\x01", "\x02")], 2)
    assert read.without_tokens == (1, 2)
    assert [batch.sentences for batch in read.batches] == [(0,)]
    assert read.vocabulary == Vocabulary(2, 0, 2, 0, 0)
