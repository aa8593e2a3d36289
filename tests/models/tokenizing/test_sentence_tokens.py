"""Which token is of which word, and what is unknown, on readings written by hand."""

from inspector.models.tokenizing.sentence_tokens import Reading, read_sentences
from inspector.vocabulary import Vocabulary


def test_a_special_token_is_never_an_unknown_one():
    """Some tokenizers end a text with the token that stands for what they lack."""
    reading = Reading([7, 7, 5, 7, 7], [-1, 0, 1, 1, -1], [True, False, False, False, True], 3)
    assert reading.vocabulary(7) == Vocabulary(
        words=3, unknown_words=2, tokens=3, unknown_tokens=2, words_without_token=1
    )
    assert reading.vocabulary(None).unknown_tokens == 0


class Letters:
    """A tokenizer that makes a token of each letter, and of each space."""

    name_or_path = "letters"

    def __call__(self, texts, **options):
        ids = [[ord(letter) for letter in text] for text in texts]
        offsets = [[(place, place + 1) for place in range(len(text))] for text in texts]
        return Encoded({"input_ids": ids, "offset_mapping": offsets})


class Encoded(dict):
    def sequence_ids(self, row):
        return [0] * len(self["input_ids"][row])


def test_words_that_come_as_a_list_are_parted_by_one_space():
    _, [reading] = read_sentences(Letters(), [["A", "cat", "sat"]])
    assert reading.words == [0, -1, 1, 1, 1, -1, 2, 2, 2]
