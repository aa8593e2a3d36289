"""The language-modelling head of a checkpoint: what its last hidden states say of a token.

`load` takes the bare network; the head is read from the same files when it is asked for, and is
taken only if the network that stands in memory is the files' own and the head, given its states,
says what the whole model says.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor, nn

from inspector.models.loading.memory_model import private_copy
from inspector.models.loading.network import check_finite, read_network
from inspector.models.log_level import quiet
from inspector.models.pretrained import PretrainedModel

Kind = Literal["causal", "masked"]
# Logits that are held at once: 32 MB of float32.
_CELLS = 1 << 23
# Tokens that the head is tried on.
_TRIED = 5
# How far its logits may be from the whole model's, of their norm.
_TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 0.05}


@dataclass(frozen=True, repr=False)
class LanguageHead:
    """What stands behind the last hidden state in a language model."""

    kind: Kind
    """'causal': a token's state speaks of the next one. 'masked': of the token itself."""
    network: nn.Module
    """The language model, its body replaced by what hands on the states that it is given."""
    vocabulary: int
    """Tokens that there are."""
    mask_id: int | None
    """The token that stands for a masked one; of 'masked' alone."""
    unembedding: Float[Tensor, "token d_state"] | None = None
    """W_U, the last matrix; None where it is no plain layer."""

    def logits(self, states: Float[Tensor, "place d_model"]) -> Float[Tensor, "place token"]:
        """Return the language model's logits, by its own forward."""
        logits: Tensor = self.network(inputs_embeds=states[None]).logits[0]
        return logits

    def log_probabilities(
        self, states: Float[Tensor, "place d_model"], tokens: Int[Tensor, " place"]
    ) -> Float64[Tensor, " place"]:
        r"""Return $\log p$ of one token at each place, in nats.

        Example:
            >>> import inspector
            >>> language_head(inspector.load("minilm")) is None
            True
        """
        at_once = max(1, _CELLS // self.vocabulary)
        found = []
        for some, asked in zip(states.split(at_once), tokens.split(at_once), strict=True):
            logits = self.logits(some)
            chosen = logits.gather(1, asked[:, None])[:, 0].double()
            found.append(chosen - logits.logsumexp(1).double())
        return torch.cat(found) if found else states.new_zeros(0, dtype=torch.float64)


def language_head(model: PretrainedModel) -> LanguageHead | None:
    """Return the language-modelling head that a model's files hold, None where they hold none.

    None too where the network is not the one that the files hold (random weights, changed ones),
    where its last hidden states are not all that the head reads, and of an encoder-decoder.

    Raises:
        ModelError: If the files cannot be read any more, or the head is not finite.
    """
    found = _saved_as(model)
    if found is None:
        return None
    kind, loader = found
    mask_id: int | None = getattr(model.tokenizer, "mask_token_id", None)
    if kind == "masked" and mask_id is None:
        return None
    network = _whole(model, loader)
    if network is None:
        return None
    network.eval().to(device=model.device, dtype=model.torch_dtype)
    prefix = network.base_model_prefix
    body = getattr(network, prefix)
    if not _is_the_same(body, model.model):
        return None
    what = f"model folder ({model.folder})" if model.folder else f"model ({model.name})"
    check_finite(what, network)
    with torch.inference_mode():
        tokens = _some_tokens(model)
        whole = network(input_ids=tokens).logits[0]
        states = model.model(input_ids=tokens).last_hidden_state[0]
        last = network.get_output_embeddings()  # found through the body, as long as that is there
        setattr(network, prefix, _Given())
        head = LanguageHead(
            *(kind, network, whole.shape[-1], mask_id if kind == "masked" else None),
            unembedding=getattr(last, "weight", None),
        )
        apart = float((head.logits(states) - whole).norm())
        if not apart <= _TOLERANCE[model.dtype] * float(whole.norm()):
            return None
    return head


def _whole(model: PretrainedModel, loader: Any) -> Any:
    """Return a language model with its head, as files or memory have it, None where it has none."""
    if model.folder is None:
        whole = model.source
        return private_copy(whole) if isinstance(whole, loader) else None
    with quiet():
        network, info = read_network(loader, model.folder, deepcopy(model.model.config))
    # What lies in the body `load` has looked at.
    return None if info["missing_keys"] or info["mismatched_keys"] else network


def _saved_as(model: PretrainedModel) -> tuple[Kind, Any] | None:
    """Return the kind of language model that was saved, and the class that reads it."""
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_MASKED_LM_MAPPING,
        MODEL_FOR_PRETRAINING_MAPPING,
    )

    if model.architecture.kind == "encoder of two":
        return None
    config: Any = model.model.config
    kind: Kind = "causal" if model.architecture.kind == "decoder" else "masked"
    mapping: Any = MODEL_FOR_CAUSAL_LM_MAPPING if kind == "causal" else MODEL_FOR_MASKED_LM_MAPPING
    loader = mapping.get(type(config), None)
    with_head = {
        one.__name__
        for one in (loader, MODEL_FOR_PRETRAINING_MAPPING.get(type(config), None))
        if isinstance(one, type)
    }
    named = set(config.architectures or ()) if model.folder else {type(model.source).__name__}
    if loader is None or not with_head & named:
        return None
    return kind, loader


class _Given(nn.Module):
    """Stands where the body stood: the states are what it is given."""

    @property
    def decoder(self) -> "_Given":
        """Return itself: OPT asks its body's decoder."""
        return self

    def forward(self, *args: Any, inputs_embeds: Tensor, **kwargs: Any) -> "_Output":
        return _Output(inputs_embeds)


class _Output:
    """What a body gives: states, and nothing besides."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, place: int) -> Tensor:
        return (self.last_hidden_state,)[place]

    def __getattr__(self, name: str) -> None:
        return None


def _is_the_same(body: nn.Module, network: nn.Module) -> bool:
    own = dict(network.named_parameters())
    return all(
        name in own and torch.equal(parameter, own[name])
        for name, parameter in body.named_parameters()
    )


def _some_tokens(model: PretrainedModel) -> Int[Tensor, "one token"]:
    special = set(model.tokenizer.all_special_ids)
    ordinary = [one for one in sorted(model.tokenizer.get_vocab().values()) if one not in special]
    return torch.tensor([ordinary[:_TRIED]], device=model.device)
