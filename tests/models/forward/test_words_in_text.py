"""The tokenizer reads the text as it stands, and a token belongs to the word that begins it."""

import dataclasses
import functools
import os
from pathlib import Path

import pytest
from support.each import each
from support.slow.words import (
    slow_blocks,
    slow_holders,
    words_of_bytes,
    words_of_marks,
    words_of_wordtoken,
)

from inspector.corpora import read_corpus
from inspector.models import word_batches

DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
N_SENTENCES = 100
TREEBANKS = {
    "English": "ud-english-ewt/en_ewt-ud-dev.conllu",
    "Chinese": "ud-other-languages/zh_gsdsimp-ud-dev-200.conllu",
    "Japanese": "ud-other-languages/ja_gsd-ud-dev-200.conllu",
    "German": "ud-other-languages/de_gsd-ud-dev-200.conllu",
}
PADDING, UNKNOWN = "<pad>", "<unk>"
KINDS = ("byte-level", "byte-level, trimmed", "Unigram", "byte fallback", "WordPiece")


def trained(kind, texts):
    """Return a tokenizer of a kind, trained on texts; the same each time."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    if kind.startswith("byte-level"):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.post_processor = processors.ByteLevel(trim_offsets="trimmed" in kind)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=700, initial_alphabet=alphabet, special_tokens=[PADDING], show_progress=False
        )
    elif kind == "Unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=1500,
            unk_token=UNKNOWN,
            special_tokens=[PADDING, UNKNOWN],
            show_progress=False,
        )
    else:
        tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, byte_fallback=True, fuse_unk=True))
        mark = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        tokenizer.normalizer = normalizers.Sequence(mark)
        trainer = trainers.BpeTrainer(
            vocab_size=600,
            limit_alphabet=60,
            special_tokens=[PADDING, UNKNOWN, *(f"<0x{byte:02X}>" for byte in range(256))],
            show_progress=False,
        )
    tokenizer.train_from_iterator(texts, trainer)
    unknown = {} if kind.startswith("byte-level") else {"unk_token": UNKNOWN}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PADDING, **unknown)


@functools.cache
def bytes_of_letters():
    """Return letter → byte of byte-level tokenizers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


def slow_words(kind, text, tokens, holders):
    """Return the word of each token, by the slow reference of its kind."""
    if kind.startswith("byte-level"):
        return words_of_bytes(text, tokens, holders, bytes_of_letters())
    if kind == "WordPiece":
        return words_of_wordtoken(text, tokens, holders)
    return words_of_marks(text, tokens, holders)


def whole_tokens(tokens):
    """Return tokens with the bytes of one character as that character, and how many they were."""
    found, of_each, held = [], [], b""
    for token in tokens:
        is_byte = token.startswith("<0x")
        held += bytes([int(token[3:5], 16)]) if is_byte else b""
        try:
            found.append(held.decode() if is_byte else token)
        except UnicodeDecodeError:
            continue
        of_each.append(len(held) if is_byte else 1)
        held = b""
    return found, of_each


@functools.cache
def of_treebank(language):
    """Return the first sentences as inspector reads them, and as the slow reference does."""
    path = DATA / TREEBANKS[language]
    if not path.exists():
        pytest.skip(f"needs {TREEBANKS[language]} of INSPECTOR_DATA")
    return read_corpus(path).sentences[:N_SENTENCES], slow_blocks(path, N_SENTENCES)


@each("kind", KINDS)
@each("language", TREEBANKS)
def test_tokens_are_those_of_the_text_and_belong_to_the_word_that_begins_them(
    language, kind, minilm, capsys
):
    sentences, slow = of_treebank(language)
    model = minilm
    if kind != "WordPiece":
        made = trained(kind, [text for text, _ in slow])
        model = dataclasses.replace(minilm, tokenizer=made, max_tokens=100_000)
    tokenizer = model.tokenizer
    made = word_batches(model, [one.surface for one in sentences], 16)
    n_tokens = without = n_words = 0
    rows = [(batch, row) for batch in made.batches for row in range(len(batch.sentences))]
    assert len(rows) == N_SENTENCES
    for batch, row in rows:
        text, lines = slow[batch.sentences[row]]
        own = batch.batch.attention_mask[row].bool() & ~batch.special[row]
        ids = batch.batch.input_ids[row, own].tolist()
        assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
        tokens = tokenizer(text, add_special_tokens=False).tokens()
        words = batch.word_of_token[row, own].tolist()
        assert (batch.word_of_token[row, ~own] == -1).all()
        if kind == "byte fallback":
            tokens, of_each = whole_tokens(tokens)
            starts = [sum(of_each[:place]) for place in range(len(of_each))]
            for start, size in zip(starts, of_each, strict=True):
                assert len(set(words[start : start + size])) == 1
            words = [words[start] for start in starts]
        expected = slow_words(kind, text, tokens, slow_holders(text, lines))
        assert [None if word < 0 else word for word in words] == expected, text
        n_tokens += len(ids)
        n_words += sum("-" not in number for number, _ in lines)
        without += sum("-" not in number for number, _ in lines) - len({*words} - {-1})
    assert (made.vocabulary.words, made.vocabulary.tokens) == (n_words, n_tokens)
    assert made.vocabulary.words_without_token == without
    with capsys.disabled():
        print(f"\n{language}, {kind}: {len(rows)} sentences, {n_tokens} tokens, {n_words} words, ")
        print(f"{without} without a token; {made.vocabulary}", end=" ")
