"""Folders of tiny language models: random weights, a tokenizer, saved with their head.

Must not know: inspector's reading of them.
"""

import copy
from pathlib import Path
from typing import Any


def save_language_model(folder: Path, name: str, kind: str, **settings: Any) -> Path:
    """Return the folder, with a language model and a tokenizer in it as save_pretrained writes.

    Args:
        folder: Where; made if it does not exist.
        name: Of a configuration of `inspector.models.tiny_models`.
        kind: 'causal' or 'masked'.
        settings: Entries of config.json that shall differ.
    """
    import transformers

    from inspector.models.tiny_models import configuration
    from inspector.models.tiny_models.tiny_configuration import draw_weights
    from support.tiny.decoders import byte_level_tokenizer
    from support.tiny.models import tiny_tokenizer

    if name in ("bert", "roberta", "distilbert", "electra", "albert"):
        tokenizer = tiny_tokenizer(name)
    else:
        tokenizer = copy.deepcopy(byte_level_tokenizer(padding=kind == "masked"))
        if kind == "masked":
            tokenizer.add_special_tokens({"mask_token": "~"})
    row = configuration(name)
    config = transformers.AutoConfig.for_model(
        row.model_type,
        **{
            **copy.deepcopy(dict(row.settings)),
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            **settings,
        },
    )
    made = {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
    }
    network = made[kind].from_config(config)
    draw_weights(network, 7)
    network.tie_weights()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
