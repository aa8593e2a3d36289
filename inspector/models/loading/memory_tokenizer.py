"""The tokenizer of a network in memory: the one beside its weights, or one that is proved its own.

Ids that are another model's give numbers that look like any: so each token is compared with the
model's own list, and where there is none, with what the model has learned of it.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from inspector.arguments import shown
from inspector.errors import InputError
from inspector.models.loading.model_files import check_tokenizer_files, has_tokenizer

# Embeddings beyond the tokenizer's: rows are rounded up to multiples of 64, 128, 1,024.
_ROOM, _SPARE_ROWS = 1.05, 1024
# Of so many pairs of word and plural a trained model has cosines hundreds of standard errors above
# those of any two words; of another's ids it has none.
_PAIRS, _FEWEST, _STANDARD_ERRORS = 500, 100, 5
_ROWS = 2000


def own_tokenizer(tokenizer: object, network: Any, *, padded: bool) -> Any:
    """Return a tokenizer of the caller's own, of which nothing is changed; it is copied.

    Args:
        tokenizer: What the user gave.
        network: The model that it is to belong to.
        padded: Whether the model knows a token for padding, as encoders do.

    Raises:
        InputError: If it is none, a slow one, or one of another model.
    """
    from transformers import PreTrainedTokenizerBase

    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise InputError(
            f"tokenizer ({shown(tokenizer)}) must be a tokenizer of transformers: give what "
            "AutoTokenizer.from_pretrained(...) returns."
        )
    if not tokenizer.is_fast:
        raise InputError(
            f"tokenizer ({type(tokenizer).__name__}) must be a fast one, which says which token "
            "belongs to which word: load it with AutoTokenizer."
        )
    copied: Any = deepcopy(tokenizer)
    copied.backend_tokenizer.no_truncation()
    copied.backend_tokenizer.no_padding()
    rows = network.get_input_embeddings().num_embeddings
    if rows > len(copied) * _ROOM + _SPARE_ROWS:
        raise InputError(
            f"tokenizer ({type(copied).__name__}, {len(copied)} tokens) must be the model's, which "
            f"has embeddings for {rows}: give the one that the model was trained with."
        )
    pad, own = copied.pad_token_id, getattr(network.config, "pad_token_id", None)
    if padded and isinstance(pad, int) and isinstance(own, int) and pad != own:
        raise InputError(
            f"tokenizer ({type(copied).__name__}) pads with token {pad}, but the model with {own}: "
            "give the tokenizer that the model was trained with."
        )
    _check_tokens(copied, network)
    return copied


def tokenizer_folder(network: Any, name: str) -> Path:
    """Return the folder that a network was loaded from, where it holds a tokenizer.

    Raises:
        InputError: If there is none on this machine.
    """
    folder = _origin(network)
    if folder is None:
        raise InputError(
            f"model ({name}) must be given with its tokenizer, which is not beside its weights: "
            "inspector.load(model, tokenizer)."
        )
    check_tokenizer_files(folder)
    return folder


def _origin(network: Any) -> Path | None:
    """Return the folder that a network was loaded from; None if there is no tokenizer in it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    origin = str(getattr(network, "name_or_path", "") or "")
    folder = Path(origin)
    if origin and not folder.is_dir():
        try:
            folder = Path(snapshot_download(origin, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError, OSError):
            return None
    return folder if origin and has_tokenizer(folder) else None


def _check_tokens(tokenizer: Any, network: Any) -> None:
    """Refuse a tokenizer whose ids are others than those that the model was trained with."""
    has: dict[str, int] = tokenizer.get_vocab()
    origin = _origin(network)
    trained_with = _tokens_of(origin) if origin else {}
    for token, number in trained_with.items():
        if has.get(token) != number:
            raise InputError(
                f"tokenizer ({type(tokenizer).__name__}) must have {token!r} as token {number}, "
                "as the model's own, beside its weights, has: give the tokenizer that the model "
                "was trained with."
            )
    embeddings = network.get_input_embeddings().weight.detach()
    if not trained_with and _is_trained(embeddings):
        _check_plurals(type(tokenizer).__name__, has, embeddings)


def _tokens_of(folder: Path) -> dict[str, int]:
    """Return token → id as a folder's files have it, special tokens first; none if not read."""
    try:
        whole = folder / "tokenizer.json"
        if not whole.is_file():
            lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
            return {line: number for number, line in enumerate(lines)}
        content = json.loads(whole.read_text(encoding="utf-8"))
        special = {str(one["content"]): int(one["id"]) for one in content["added_tokens"]}
        listed = content["model"]["vocab"]
        if isinstance(listed, list):
            listed = {token: number for number, (token, _) in enumerate(listed)}
        return special | {token: number for token, number in listed.items() if token not in special}
    except (OSError, ValueError, KeyError, TypeError):  # none there; `load` of the folder says why
        return {}


def _is_trained(embeddings: Tensor) -> bool:
    """Return whether most rows are longer or shorter than a draw of random numbers makes them."""
    rows = embeddings[:: max(1, len(embeddings) // _ROWS)].float()
    lengths = rows.norm(dim=1) / rows.norm(dim=1).median()
    by_chance = 4 / (2 * rows.shape[1]) ** 0.5
    return bool(((lengths - 1).abs() > by_chance).double().mean() > 0.2)


def _check_plurals(kind: str, tokens: dict[str, int], embeddings: Tensor) -> None:
    words = (w for w in tokens if len(w) > 2 and w.isalpha() and f"{w}s" in tokens)
    ids = ((tokens[w], tokens[f"{w}s"]) for w in words)
    # A larger vocabulary's ids have no embedding; that is refused where the model is loaded.
    pairs = [pair for pair in ids if max(pair) < len(embeddings)][:_PAIRS]
    if len(pairs) < _FEWEST:
        return
    single, plural = torch.tensor(pairs, device=embeddings.device).T
    one, other = (normalize(embeddings[ids].double(), dim=1) for ids in (single, plural))
    nearer = (one * other).sum(1) - (one * other.roll(1, 0)).sum(1)
    if nearer.mean() < _STANDARD_ERRORS * nearer.std() / len(pairs) ** 0.5:
        raise InputError(
            f"tokenizer ({kind}) gives words and their plurals tokens whose embeddings are no "
            "nearer than any two words': it is another model's. Give the tokenizer that the model "
            "was trained with; if it is this one, save both in a folder and give that."
        )
