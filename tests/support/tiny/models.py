"""Tiny real models of every supported family: random weights, a small tokenizer of the same kind.

3 layers, 4 heads, d_model 32. Weights are drawn so that attention is far from uniform, biases so
that leaving one out is a mistake. Must not know: inspector.
"""

from pathlib import Path
from typing import Any

import torch

FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "albert")
N_LAYERS, N_HEADS, D_MODEL, MAX_TOKENS = 3, 4, 32, 96

# Three lengths, so that a batch of them is padded.
TEXTS = ["The dog had rain.", "That cat, not the old dog, could table the town; rain.", "A."]

# RoBERTa's positions start at 2.
_ROBERTA = {"max_position_embeddings": MAX_TOKENS + 2, "type_vocab_size": 1}
_SETTINGS: dict[str, dict[str, Any]] = {
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": {"embedding_size": 16},
    "albert": {"embedding_size": 16, "attention_probs_dropout_prob": 0.1},
}
_SIZES = {
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": N_HEADS,
    "hidden_size": D_MODEL,
    "intermediate_size": 48,
    "max_position_embeddings": MAX_TOKENS,
}
_DISTILBERT_SIZES = {
    "n_layers": N_LAYERS,
    "n_heads": N_HEADS,
    "dim": D_MODEL,
    "hidden_dim": 48,
    "max_position_embeddings": MAX_TOKENS,
}

_LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
_WORDS = ("the", "cat", "dog", "rain", "old", "town", "table", "had", "could", "not", "that")
_SIGNS = (".", ",", ";", "'", "<", ">", "/", "=", "(", ")", "1")


def save_tiny_model(folder: Path, family: str = "bert", **settings: Any) -> Path:
    """Return the folder, with a model and its tokenizer in it as save_pretrained writes them.

    Args:
        folder: Where; made if it does not exist.
        family: One of FAMILIES.
        settings: Entries of config.json that shall differ.
    """
    from transformers import AutoConfig, AutoModel

    tokenizer = tiny_tokenizer(family)
    sizes = _DISTILBERT_SIZES if family == "distilbert" else _SIZES
    config = AutoConfig.for_model(
        family,
        **{
            **sizes,
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            **_SETTINGS.get(family, {}),
            **settings,
        },
    )
    model = AutoModel.from_config(config)
    draw_weights(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def draw_weights(model: torch.nn.Module, seed: int = 20181011) -> None:
    """Draw every parameter anew: scores of order one and more, no bias zero, no norm one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                drawn = torch.randn(parameter.shape, generator=generator)
                if isinstance(module, torch.nn.LayerNorm):
                    parameter.copy_(0.1 * drawn + (1.0 if name == "weight" else 0.0))
                elif isinstance(module, torch.nn.Embedding):
                    parameter.copy_(drawn)
                elif name == "bias":
                    parameter.copy_(0.2 * drawn)
                else:
                    parameter.copy_(1.5 * parameter.shape[-1] ** -0.5 * drawn)


def tiny_tokenizer(family: str) -> Any:
    """Return a tokenizer of the kind that the family uses, with a vocabulary of about a hundred."""
    import transformers

    if family in ("bert", "distilbert", "electra"):
        special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        within = [f"##{letter}" for letter in _LETTERS]
        return transformers.BertTokenizer(
            vocab=_numbered(*special, *_WORDS, *_LETTERS, *within, *_SIGNS)
        )
    if family == "roberta":
        from tokenizers.pre_tokenizers import ByteLevel

        special = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
        vocabulary = _numbered(*special, *sorted(ByteLevel.alphabet()), "th", "Ġt")
        return transformers.RobertaTokenizer(vocab=vocabulary, merges=[("t", "h"), ("Ġ", "t")])
    starts = [f"▁{token}" for token in (*_WORDS, *_LETTERS)]
    capitals = [letter.upper() for letter in _LETTERS]
    tokens = [
        (token, -float(len(token))) for token in ("▁", *starts, *_LETTERS, *capitals, *_SIGNS)
    ]
    if family == "albert":
        special = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
        kind = transformers.AlbertTokenizer
    else:
        special = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
        kind = {
            "xlm-roberta": transformers.XLMRobertaTokenizer,
            "camembert": transformers.CamembertTokenizer,
        }[family]
    return kind(vocab=[*((token, 0.0) for token in special), *tokens])


def _numbered(*tokens: str) -> dict[str, int]:
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}
