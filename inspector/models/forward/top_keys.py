"""The keys that each query looks at most, at any length; and while a decoder writes.

Rows come block by block, so that no map is held. What was read from a cache is compared with one
pass over the whole text.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from inspector.errors import InputError, UnsupportedModelError
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.forward.backend import running
from inspector.models.forward.row_blocks import backend_of
from inspector.models.forward.within_memory import one_text
from inspector.models.pretrained import Batch, PretrainedModel

_LESS = "half as many tokens take half, and fewer layers, heads or keys less"
_ROUNDING = {"float64": 1e-6, "float32": 1e-4, "bfloat16": 0.1}


@dataclass(frozen=True)
class TopKeys:
    """The keys that queries look at most, the largest weight first."""

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    queries: tuple[int, ...]
    keys: Int[Tensor, "layer head query rank"]
    """-1 where a query sees fewer."""
    probabilities: Float[Tensor, "layer head query rank"]


@dataclass(frozen=True)
class CacheCheck:
    """How far what was read from a cache is from one pass over the whole text."""

    difference: float
    """The largest difference of the weights."""
    of_states: float
    """That of the last hidden states, over their largest number."""
    control: float
    """That of weights or states where a token of the prompt is another one in the pass: what is
    noticed of a cache that holds a wrong one."""


class _Kept:
    """Keeps the top keys of what it is shown, layer by layer."""

    def __init__(
        self, layers: Collection[int], heads: Sequence[int], k: int, n_layers: int
    ) -> None:
        self.layers, self.heads, self.k, self.n_layers = layers, list(heads), k, n_layers
        self.layer = 0
        self.last_only = False
        self.n_read = 0
        """Tokens until now; a cache with a window holds the keys of the last of them alone."""
        self.keys: dict[int, list[Tensor]] = {layer: [] for layer in layers}
        self.weights: dict[int, list[Tensor]] = {layer: [] for layer in layers}

    def __call__(self, call: AttentionCall) -> None:
        layer = self.layer % self.n_layers
        self.layer += call.is_last
        if layer not in self.keys or (self.last_only and not call.is_last):
            return
        rows = call.probabilities[0, self.heads]
        if self.last_only:
            rows = rows[:, -1:]
        best = rows.float().topk(min(self.k, rows.shape[-1]), dim=-1)
        room = (0, self.k - best.values.shape[-1])
        gone = max(self.n_read - rows.shape[-1], 0) if call.rows is None else 0
        keys = (best.indices + gone).masked_fill(best.values <= 0, -1).to(torch.int32)
        self.keys[layer].append(torch.nn.functional.pad(keys, room, value=-1).cpu())
        self.weights[layer].append(torch.nn.functional.pad(best.values, room).cpu())

    def found(self, queries: Sequence[int]) -> TopKeys:
        keys = torch.stack([torch.cat(self.keys[layer], 1) for layer in self.layers])
        weights = torch.stack([torch.cat(self.weights[layer], 1) for layer in self.layers])
        kept = tuple(self.layers), tuple(self.heads), tuple(queries)
        return TopKeys(*kept, keys, weights)


def top_keys(
    model: PretrainedModel, batch: Batch, k: int, layers: Sequence[int], heads: Sequence[int]
) -> TopKeys:
    """Return the k keys that each query of one text looks at most.

    Args:
        model: What reads.
        batch: Of one text.
        k: Keys of each query, fewer where it sees fewer.
        layers: The layers that are kept.
        heads: The heads of each.
    """
    kept, n_tokens = _Kept(layers, heads, k, model.n_layers), batch.input_ids.shape[1]
    with (
        one_text(n_tokens, model.device, _LESS),
        running(model, backend_of(model), kept),
        torch.inference_mode(),
    ):
        model.model(**batch.inputs())
    return kept.found(range(n_tokens))


def written_keys(
    model: PretrainedModel,
    writer: Callable[[Tensor], Tensor],
    batch: Batch,
    n_tokens: int,
    k: int,
    layers: Sequence[int],
    heads: Sequence[int],
) -> tuple[list[int], TopKeys, CacheCheck]:
    """Return the tokens that a decoder writes, what each was written from, and how exact that is.

    Greedy, with a cache: each token's row is that of the token before it, from which it is
    predicted. One pass over all of the text checks rows and hidden states.

    Args:
        model: What writes.
        writer: From a hidden state to the next token's logits.
        batch: The prompt.
        n_tokens: To be written, at most; none after an end of text.
        k: Keys of each row.
        layers: The layers that are kept.
        heads: The heads of each.

    Raises:
        InputError: If prompt and tokens are more than the model takes.
        UnsupportedModelError: If rows or states from the cache are not those of one pass.
    """
    start = batch.input_ids.shape[1]
    if start + n_tokens > model.max_tokens:
        raise InputError(
            f"max_new_tokens ({n_tokens}) and a prompt of {start} tokens must together be at most "
            f"{model.max_tokens} for model {model.name}: ask for fewer, or shorten the prompt."
        )
    kept = _Kept(layers, heads, k, model.n_layers)
    kept.last_only = True
    ids, written, cache = batch.input_ids, list[int](), None
    states: list[Tensor] = []
    network: Any = model.model
    with running(model, backend_of(model), kept), torch.inference_mode():
        while len(written) < n_tokens:
            kept.n_read = start + len(written)
            seen = torch.ones(1, kept.n_read, dtype=torch.long, device=ids.device)
            output = network(
                input_ids=ids, attention_mask=seen, past_key_values=cache, use_cache=True
            )
            cache = output.past_key_values
            states.append(output.last_hidden_state[0, -1].clone())
            token = int(writer(output.last_hidden_state[0, -1:]).argmax())
            written.append(token)
            if token == model.tokenizer.eos_token_id:
                break
            ids = torch.tensor([[token]], device=ids.device)
    rows = range(start - 1, start - 1 + len(written))
    found = kept.found(rows)
    more = torch.tensor([written[:-1]], dtype=torch.long, device=batch.input_ids.device)
    whole = torch.cat([batch.input_ids, more], 1)
    return written, found, _checked(model, whole, found, torch.stack(states))


def _checked(
    model: PretrainedModel,
    ids: Int[Tensor, "1 token"],
    found: TopKeys,
    states: Float[Tensor, "row d_model"],
) -> CacheCheck:
    """Return how far rows and states are from those of one pass over all that was read.

    Raises:
        UnsupportedModelError: If that is more than rounding.
    """
    rounding = _ROUNDING[model.dtype]
    weights, of_states = _apart(model, ids, found, states)
    for what, apart in (("weights", weights), ("hidden states", of_states)):
        if not apart <= rounding:
            raise UnsupportedModelError(
                f"model ({model.name}) looks elsewhere with a cache than without: its {what} "
                f"differ by up to {apart:.2g}. What it writes with a cache cannot be explained by "
                "its maps."
            )
    network: Any = model.model
    other, place = ids.clone(), max(found.queries[0] - 1, 0)  # within every window
    other[0, place] = (other[0, place] + 1) % network.get_input_embeddings().num_embeddings
    return CacheCheck(weights, of_states, max(_apart(model, other, found, states)))


def _apart(
    model: PretrainedModel,
    ids: Int[Tensor, "1 token"],
    found: TopKeys,
    states: Float[Tensor, "row d_model"],
) -> tuple[float, float]:
    """Return by how much rows, and states over their largest, differ from those of one pass."""
    layer, largest = 0, 0.0
    first = found.queries[0]

    def compare(call: AttentionCall) -> None:
        nonlocal layer, largest
        here, layer = layer, layer + call.is_last
        start = max(first - call.first, 0)
        rows = call.probabilities[0, list(found.heads), start:].float()
        if here not in found.layers or not rows.shape[1]:
            return
        place = call.first + start - first
        step = slice(place, place + rows.shape[1])
        keys = found.keys[found.layers.index(here)][:, step].long()
        own = found.probabilities[found.layers.index(here)][:, step]
        again = rows.gather(-1, keys.clamp(min=0).to(rows.device)).cpu()
        largest = max(largest, float((again - own).abs().masked_fill(keys < 0, 0.0).max()))

    seen = torch.ones_like(ids)
    with running(model, backend_of(model), compare), torch.inference_mode():
        whole = model.model(input_ids=ids, attention_mask=seen).last_hidden_state[0, first:]
    apart = (whole.float() - states.float()).abs().max() / whole.float().abs().max()
    return largest, float(apart)
