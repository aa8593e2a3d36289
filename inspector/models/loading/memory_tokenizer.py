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
_RENAMED = 0.05
"""Of a vocabulary's tokens, at most, that a user has given names of his own."""
# So many pairs of word and plural have cosines above those of any two words by far more standard
# errors once a model is trained. One that has just begun is not asked: it has learned no plurals.
_FEWEST, _STANDARD_ERRORS = 1000, 3
_ROWS, _SHARED, _NEARER = 1000, 5, 1.3
_WAYS = (
    "give the tokenizer that the model was trained with; if it is this one, save both in a folder "
    "and give that"
)


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
            "give the tokenizer that the model was trained with, or, if it is this one, set "
            "model.config.pad_token_id."
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
    embeddings = network.get_input_embeddings().weight.detach()
    origin, kind = _origin(network), type(tokenizer).__name__
    own = _tokens_of(origin) if origin else {}
    if max(own.values(), default=0) >= len(embeddings):
        own = {}  # of the model whose configuration this one was built from
    other = _another_id(own, has)
    if other is not None and (_are_learned(own, embeddings) or not _are_learned(has, embeddings)):
        raise InputError(
            f"tokenizer ({kind}) must have {other!r} as token {own[other]}, as the model's own, "
            f"beside its weights, has: {_WAYS}."
        )
    if not own and _are_learned(has, embeddings) is False:
        raise InputError(
            f"tokenizer ({kind}) gives words and their plurals tokens whose embeddings are no "
            f"nearer than any two words', as another model's are: {_WAYS}."
        )


def _another_id(own: dict[str, int], has: dict[str, int]) -> str | None:
    """Return a token that one vocabulary has as another number than the other, None if none.

    Of one that has few others for those that it lacks, these are its names: of what stood unused.
    """
    moved = next((token for token, number in own.items() if has.get(token, number) != number), None)
    lacking = [token for token in own if token not in has]
    return lacking[0] if moved is None and len(lacking) > _RENAMED * len(own) else moved


def _tokens_of(folder: Path) -> dict[str, int]:
    """Return token → id as a folder's files have it, special tokens first; none if not read."""
    try:
        whole = folder / "tokenizer.json"
        if not whole.is_file():
            lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
            if not lines[-1]:
                lines.pop()
            if not {"[UNK]", "<unk>"} & {*lines}:  # another format of this name
                return {}
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
    """Return whether most rows have nearer neighbours than draws of random numbers have.

    What all rows share is taken away: a little training moves them together, or a few of them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rows = normalize(embeddings[:: max(1, len(embeddings) // _ROWS)].float().cpu(), dim=1)
        rows = rows - rows.mean(0)
        if min(rows.shape) <= _SHARED or not rows.isfinite().all():
            return False
        shared = torch.pca_lowrank(rows, _SHARED, center=False)[2]
        drawn = torch.randn(len(rows), rows.shape[1] - _SHARED)
        return _nearest(rows - rows @ shared @ shared.T) > _NEARER * _nearest(drawn)


def _nearest(rows: Tensor) -> float:
    """Return the median cosine of a row and the one that is nearest to it."""
    directions = normalize(rows, dim=1)
    cosines = (directions @ directions.T).fill_diagonal_(-1.0)
    return float(cosines.amax(1).median())


def _are_learned(tokens: dict[str, int], embeddings: Tensor) -> bool | None:
    """Return whether a model has learned plurals by these ids; None if nobody can tell."""
    pairs = [
        (number, tokens[f"{word}s"])
        for word, number in tokens.items()
        if len(word) > 2 and word.lstrip("▁").isalpha() and f"{word}s" in tokens
    ]
    # A larger vocabulary's ids have no embedding; that is refused where the model is loaded.
    pairs = sorted(pair for pair in pairs if max(pair) < len(embeddings))
    if len(pairs) < _FEWEST or not _is_trained(embeddings):
        return None
    single, plural = torch.tensor(pairs, device=embeddings.device).T
    one, other = (normalize(embeddings[ids].double(), dim=1) for ids in (single, plural))
    nearer = (one * other).sum(1) - (one * other.roll(1, 0)).sum(1)
    return bool(nearer.mean() >= _STANDARD_ERRORS * nearer.std() / len(pairs) ** 0.5)
