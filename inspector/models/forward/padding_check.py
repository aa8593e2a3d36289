"""Nothing of a text depends on what it is padded with, or on what stands beside it in a batch.

Padding stands on the right, where no position moves. What families do besides is fixed or refused
here, and each model is proved at load: a text alone against the same text in a padded batch.
"""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inspector.errors import ModelError, UnsupportedModelError
from inspector.models.forward.capture import last_hidden_state
from inspector.models.pretrained import Batch, PretrainedModel

_LENGTHS = (9, 4)
# Rounding in float32 stays below 1e-4, also through a hundred layers.
_TOLERANCE = 1e-3
# Two experts that are all but equally good may change places by rounding; a leak shows each time.
_TRIES = 3


def check_padding_id(config: Any, folder: Path) -> None:
    """Refuse a padding token, of the model or of a part of it, that has no embedding.

    Raises:
        ModelError: If there is one.
    """
    parts = [config, *(getattr(config, name, None) for name in config.sub_configs)]
    for part in parts:
        n_tokens = getattr(part, "vocab_size", None)
        for name in ("pad_token_id", "pad_index"):
            value = getattr(part, name, None)
            # Older Llama files say -1 for none.
            if isinstance(value, int) and n_tokens and not -1 <= value < n_tokens:
                given = value if value.bit_length() < 64 else "a number of many digits"
                raise ModelError(
                    f"{name} ({given}) in {folder / 'config.json'} must be the id of a token, from "
                    f"0 to {n_tokens - 1}, or null: write the tokenizer's."
                )


def check_routing(config: Any, folder: Path) -> None:
    """Refuse experts that take only some of a batch's tokens, or whom chance chooses.

    Raises:
        UnsupportedModelError: If there are such.
    """
    if config.model_type != "nllb-moe":
        return
    for name, value, right in (
        ("moe_eval_capacity_token_fraction", config.moe_eval_capacity_token_fraction, 1.0),
        ("second_expert_policy", config.second_expert_policy, "all"),
    ):
        if value != right:
            raise UnsupportedModelError(
                f"{name} ({value}) in {folder / 'config.json'} must be {right}: else what becomes "
                "of a text depends on the other texts of its batch, or on chance."
            )


def keep_padding_out(network: nn.Module) -> None:
    """Keep a network from reading padding that stands beside a text's last token.

    MobileBERT joins each token's embedding with its neighbours': padding's is made zero, which is
    what the end of a text without padding is joined with.
    """
    config: Any = network.config
    if config.model_type == "mobilebert" and config.trigram_input:
        network.register_forward_pre_hook(_blank_padding, with_kwargs=True)


def _blank_padding(
    network: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    ids, attended = kwargs.get("input_ids"), kwargs.get("attention_mask")
    if ids is None or attended is None:
        return None
    embed: Any = network.get_input_embeddings()  # type: ignore[operator]
    embedded = embed(ids)
    blanked = embedded * attended[..., None].to(embedded.dtype)
    return args, {**kwargs, "input_ids": None, "inputs_embeds": blanked}


def prove_independence(model: PretrainedModel) -> None:
    """Run two short rows of ids together, the shorter one padded, and each alone.

    Raises:
        UnsupportedModelError: If a row's last hidden states are not the same.
    """
    least = math.inf
    for attempt in range(_TRIES):
        least = min(least, _difference(model, attempt))
        if least <= _TOLERANCE:
            return
    raise UnsupportedModelError(
        f"model ({model.name}) gives a text other hidden states in a padded batch than alone "
        f"(by {least:.2g} of their size): what is measured on it would depend on padding, so its "
        f"model_type ({model.architecture.model_type}) cannot be inspected with these settings."
    )


def _difference(model: PretrainedModel, attempt: int) -> float:
    """Return how far a token's state moves, as a share of its size, at most."""
    rows = _rows(model, attempt)
    together = torch.full((len(rows), len(rows[0])), model.tokenizer.pad_token_id)
    attended = torch.zeros_like(together)
    for place, row in enumerate(rows):
        together[place, : len(row)] = row
        attended[place, : len(row)] = 1
    states = last_hidden_state(model, _batch(model, together, attended), "eager")
    worst = 0.0
    for place, row in enumerate(rows):
        alone = last_hidden_state(model, _batch(model, row[None], torch.ones(1, len(row))), "eager")
        moved = torch.linalg.vector_norm(states[place, : len(row)] - alone[0], dim=-1)
        size = torch.linalg.vector_norm(alone[0], dim=-1).clamp_min(1e-6)
        worst = max(worst, float((moved / size).max()))
    return worst


def _rows(model: PretrainedModel, attempt: int) -> list[Tensor]:
    embeddings: Any = model.model.get_input_embeddings()  # type: ignore[operator]
    n_ids: int = embeddings.num_embeddings
    generator = torch.Generator().manual_seed(attempt)
    lengths = [min(length, model.max_tokens) for length in _LENGTHS]
    return [torch.randint(n_ids // 3, n_ids, (length,), generator=generator) for length in lengths]


def _batch(model: PretrainedModel, ids: Tensor, attended: Tensor) -> Batch:
    return Batch(ids.to(model.device), attended.long().to(model.device))
