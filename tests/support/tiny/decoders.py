"""Folders of tiny decoders and the like, with a byte-level tokenizer trained on a few words.

As most decoders' tokenizers are: no padding token, no special tokens around a text, and a word's
beginning told by the space before it.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

_TEXT = [
    "The keys to the old cabinet are on the kitchen table, and nobody saw them there.",
    "A dog had the bone that the cat could not table; rain fell on the town.",
    "She saw the ferry that was late, and the captain of it was asleep.",
]


_END = "<|endoftext|>"


@cache
def byte_level_tokenizer(*, padding: bool = False) -> Any:
    """Return a byte-level tokenizer of about three hundred tokens.

    Args:
        padding: Whether it has a padding token: the end of the text.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_END)
    if padding:
        made.pad_token = _END
    return made


def save_tiny_decoder(folder: Path, name: str, **settings: Any) -> Path:
    """Return the folder, with the network of a configuration and a tokenizer saved in it.

    Args:
        folder: Where; made if it does not exist.
        name: Of a configuration of `inspector.models.tiny_models`.
        settings: Entries of config.json that shall differ.
    """
    from inspector.models.tiny_models import configuration

    row = configuration(name)
    tokenizer = byte_level_tokenizer(padding=row.kind != "decoder")
    changed = {**row.settings, "vocab_size": len(tokenizer), **settings}
    replace(row, settings=changed).build().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
