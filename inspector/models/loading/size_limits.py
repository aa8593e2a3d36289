"""How large a model may be that config.json asks for, before anything is built.

Must not know: torch, transformers; files.
"""

import re
from pathlib import Path
from typing import Any

from inspector.errors import ModelError

# Names that one setting goes by in different model types, and the most that is built.
LIMITS = {
    (
        "num_hidden_layers",
        "n_layers",
        "n_layer",
        "num_layers",
        "encoder_layers",
        "decoder_layers",
        "num_decoder_layers",
    ): 256,
    (
        "num_attention_heads",
        "n_heads",
        "n_head",
        "num_heads",
        "num_key_value_heads",
        "encoder_attention_heads",
        "decoder_attention_heads",
    ): 256,
    ("hidden_size", "dim", "n_embd", "d_model"): 32_768,
    ("head_dim", "d_kv"): 4_096,
    (
        "intermediate_size",
        "hidden_dim",
        "n_inner",
        "d_ff",
        "ffn_dim",
        "encoder_ffn_dim",
        "decoder_ffn_dim",
    ): 262_144,
    ("num_experts", "num_local_experts", "n_routed_experts"): 4_096,
    ("vocab_size",): 2_000_000,
    ("max_position_embeddings", "n_positions"): 1_048_576,
}
# Settings that say by null that they follow from others.
_MAY_BE_NULL = {
    "n_inner",
    "head_dim",
    "num_key_value_heads",
    "num_decoder_layers",
    "n_routed_experts",
}

_MOST_LABELS = 100_000
_MOST = 2**24
# Numbers that nothing is built from: ids, periods, what a training counted.
_OF_NOTHING = re.compile(
    r"theta|base|seed|period|timescale|_ids?$|tokens|param|time|date|step|sample|version|rate|"
    r"length|max_position|flo[ps]",
    re.IGNORECASE,
)


def check_numbers(settings: Any, path: Path, name: str = "config.json") -> None:
    """Refuse whole numbers, wherever they stand, by which something would be made without end.

    Args:
        settings: Of config.json, or a part of them.
        path: Its name, for the message.
        name: What the part is called.

    Raises:
        ModelError: If there is one.
    """
    if isinstance(settings, dict):
        for key, value in settings.items():
            check_numbers(value, path, key)
    elif isinstance(settings, list):
        for value in settings:
            check_numbers(value, path, name)
    elif isinstance(settings, int):
        most = _MOST_LABELS if name == "num_labels" else _MOST
        if settings > most and not _OF_NOTHING.search(name) and not _has_limit(name):
            raise ModelError(f"{name} ({settings!r}) in {path} must be at most {most}.")


def _has_limit(name: str) -> bool:
    return any(name in names for names in LIMITS)


def check_limits(settings: dict[str, Any], path: Path) -> None:
    """Refuse sizes that are no whole numbers, too large to be built, or do not fit each other.

    Args:
        settings: Of config.json.
        path: Its name, for the message.

    Raises:
        ModelError: If there is one.
    """
    for names, most in LIMITS.items():
        for name in names:
            value = settings.get(name, 1)
            if value is None and name in _MAY_BE_NULL:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise ModelError(
                    f"{name} ({value!r}) in {path} must be a whole number from 1 to {most}."
                )
    if settings.get("head_dim") or settings.get("d_kv"):
        return  # heads are as wide as is said, whatever the width of the model
    width, heads = (
        next((settings[name] for name in names if name in settings), None)
        for names in (
            ("hidden_size", "dim", "n_embd", "d_model"),
            ("num_attention_heads", "n_heads", "n_head", "encoder_attention_heads"),
        )
    )
    if width and heads and width % heads:
        raise ModelError(
            f"d_model ({width}) must be divisible by n_heads ({heads}) in {path}: "
            "every head gets d_model / n_heads features."
        )
