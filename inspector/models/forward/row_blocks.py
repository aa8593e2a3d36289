"""Attention on long texts without maps: the model keeps its fused kernel, observers see rows.

A map of n × n is never held, nor a mask of that size: exact rows are made of queries and keys,
block by block, each of about as many cells. What the kernel gave is compared with what the rows
give, for one query in a hundred: a kernel that drops a mask is found out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from inspector.attention import capped_scores
from inspector.attention.softmax import over_the_keys
from inspector.errors import UnsupportedModelError
from inspector.models.calls.attention_call import AttentionCall
from inspector.models.calls.call_arguments import ScoreTerms, read_arguments
from inspector.models.forward.backend import (
    OURS,
    finite_mask,
    intervention,
    observing,
    our_attention,
)

ROWS = "inspector_rows"
LONG = 1024
"""Tokens of a text, above which it is looked at row by row."""
CELLS = 1 << 22
"""Cells of a block, all heads together: what caches hold."""
_LEAST_ROWS = 8
_STEP = 1024
"""Keys by which blocks grow: were each wider than the last, none would fit where the last was."""
_CHECKED = 100
# Scores are finite, so that 0 times the score of a forbidden key is 0.
_FORBIDDEN = -1e30
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.05, torch.float16: 0.01}


@dataclass(frozen=True)
class RowMask:
    """Where queries may look, as the rule that says so: transformers' function of two places."""

    rule: Callable[..., Tensor] | None
    """None where all may look everywhere."""
    n_keys: int
    device: Any

    def of(self, rows: range) -> Bool[Tensor, "row key"] | None:
        """Return where some queries may look."""
        if self.rule is None:
            return None
        query = torch.arange(rows.start, rows.stop, device=self.device)[:, None]
        key = torch.arange(self.n_keys, device=self.device)[None]
        first = torch.zeros((1, 1), dtype=torch.long, device=self.device)
        return self.rule(first, first, query, key).expand(len(rows), self.n_keys)


class _Given(NamedTuple):
    """All that decides a call's probabilities."""

    query: Float[Tensor, "1 head token d_head"]
    """Scaled: fewer numbers than the scores."""
    key: Float[Tensor, "1 kv_head token d_head"]
    terms: ScoreTerms
    rule: RowMask | None
    causal: bool


@cache
def register() -> None:
    """Make the backend known to transformers, with its mask function."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ROWS, _by_rows)
    AttentionMaskInterface.register(ROWS, _mask)


def backend_of(model: Any) -> str:
    """Return the backend that reads a model's long texts without maps, where it allows that."""
    register()
    return OURS if model.has_own_maths else ROWS


def block_rows(n_heads: int, n_tokens: int) -> int:
    """Return how many rows a block has."""
    return max(_LEAST_ROWS, CELLS // (n_heads * n_tokens))


def _mask(**kwargs: Any) -> Tensor | RowMask | None:
    """Return no mask where a kernel needs none, and a long text's as a rule."""
    n_tokens, n_keys = kwargs.get("q_length", 0), kwargs.get("kv_length", 0)
    padding = kwargs.get("attention_mask")
    is_whole = padding is None or bool(padding.all())
    by_place = is_whole and not kwargs.get("use_vmap")
    if not (by_place and _is_long(kwargs["batch_size"], n_tokens, n_keys)):
        return finite_mask(**kwargs)
    window = kwargs.get("local_size")
    is_plain = window is None or n_keys < window
    if is_plain and kwargs.get("allow_is_causal_skip", True):
        return None  # causal, as modules take it
    everywhere = is_plain and kwargs.get("allow_is_bidirectional_skip", False)
    rule = None if everywhere else kwargs["mask_function"]
    return RowMask(rule, n_keys, kwargs.get("device", "cpu"))


def _is_long(n_batch: int, n_tokens: int, n_keys: int) -> bool:
    return n_batch == 1 and n_tokens == n_keys and n_tokens > LONG


def _by_rows(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | RowMask | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Return the heads' outputs; of long texts the probabilities are shown in blocks of rows."""
    rule = attention_mask if isinstance(attention_mask, RowMask) else None
    plain = None if isinstance(attention_mask, RowMask) else attention_mask
    if rule is None and not _is_long(query.shape[0], query.shape[-2], key.shape[-2]):
        return our_attention(module, query, key, value, plain, scaling, dropout, **kwargs)
    intervening = intervention.get()
    instead = None if intervening is None else intervening.instead(module)
    if instead is not None:
        return instead, None
    terms = read_arguments(module, query, key, plain, kwargs)
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    stated = kwargs.pop("is_causal", None)
    causal = getattr(module, "is_causal", True) if stated is None else stated
    causal = bool(causal) and rule is None and terms.mask is None
    fused = (rule is None or rule.rule is None) and all(term is None for term in terms)
    # In float32 at least: of half types, sums over many keys would be rounded away.
    working = query.dtype if query.dtype == torch.float64 else torch.float32
    given = _Given(
        query.to(working) * factor,
        key.to(working),
        terms,
        rule,
        causal,
    )
    output = None
    if fused:
        output = _fused(module, query, key, value, scaling=factor, is_causal=causal, **kwargs)
    made = output if output is not None else query.new_empty(*_output_shape(query, value))
    observer = observing.get()
    whole = AttentionCall(
        module, query, key, value, None, factor, dropout, None,
        query.new_empty(*query.shape[:2], 0, 0), made.flatten(-2),
        terms.bias, terms.softcap, terms.sinks,
        of_rows=lambda rows: row_probabilities(given, rows)[1],
    )  # fmt: skip
    for rows in _rows(given, every=observer is not None or output is None):
        scores, probabilities = row_probabilities(given, rows)
        if output is None:
            heads = _weighted(probabilities, value.to(working)).to(made.dtype)
            made[:, rows.start : rows.stop] = heads.transpose(1, 2)
        else:
            _check(module, rows, probabilities, value.to(working), output)
        if observer is not None:
            observer(replace(whole, probabilities=probabilities, rows=rows, scores=scores))
    if intervening is not None:
        made = intervening.changed(module, made.transpose(1, 2), value, None).transpose(1, 2)
    return made, None


def _output_shape(query: Tensor, value: Tensor) -> tuple[int, int, int, int]:
    return len(query), query.shape[2], query.shape[1], value.shape[-1]


def _fused(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, **kwargs: Any
) -> Float[Tensor, "1 token head d_value"]:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    output: Tensor = ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, None, **kwargs)[0]
    return output


def _rows(given: _Given, *, every: bool) -> Iterator[range]:
    """Yield rows block by block; or, where nobody looks, only those that are checked."""
    n_heads, n_tokens = given.query.shape[1:3]
    size, step = (block_rows(n_heads, n_tokens),) * 2 if every else (1, _CHECKED)
    for start in range(0, n_tokens, step):
        yield range(start, min(start + size, n_tokens))


def _stepped(n_keys: int, n_tokens: int) -> int:
    return min(n_tokens, -(-n_keys // _STEP) * _STEP)


def row_probabilities(
    given: _Given, rows: range
) -> tuple[Float[Tensor, "1 head row key"], Float[Tensor, "1 head row key"]]:
    """Return the scores and the probabilities of some queries."""
    n_tokens, chosen = given.key.shape[-2], slice(rows.start, rows.stop)
    n_keys = _stepped(rows.stop, n_tokens) if given.causal else n_tokens
    mask = None if given.rule is None else given.rule.of(rows)
    if mask is not None:
        mask = mask[None, None]
        n_keys = _stepped(int(mask.any(-2).nonzero()[:, -1].max()) + 1, n_tokens)
    elif given.terms.mask is not None:
        mask = _of_rows(given.terms.mask, chosen)
    scores = _scores(given.query[:, :, chosen], given.key[:, :, :n_keys])
    if given.terms.softcap is not None:
        scores = capped_scores(scores, given.terms.softcap)
    if given.terms.bias is not None:
        scores = scores + _of_rows(given.terms.bias, chosen)[..., :n_keys]
    empty = None
    if mask is not None:
        scores = scores.masked_fill_(~mask[..., :n_keys], _FORBIDDEN)
        empty = ~mask.any(-1, keepdim=True)
    elif given.causal:  # only the last keys are later than some of the queries
        width = n_keys - rows.start
        later = torch.ones(len(rows), width, dtype=torch.bool, device=scores.device).triu_(1)
        scores[..., rows.start :].masked_fill_(later, _FORBIDDEN)
    sinks = given.terms.sinks
    probabilities = over_the_keys(scores, None if sinks is None else _of_rows(sinks, chosen))
    if empty is not None and bool(empty.any()):
        probabilities = probabilities.masked_fill(empty, 0.0)
    return scores, probabilities


def _of_rows(term: Tensor, chosen: slice) -> Tensor:
    return term if term.shape[-2] == 1 else term[..., chosen, :]


def _scores(query: Tensor, key: Tensor) -> Float[Tensor, "1 head row key"]:
    """Return query · key, keys shared by heads not copied."""
    groups = torch.unflatten(query, 1, (key.shape[1], -1))
    products = torch.matmul(groups.flatten(2, 3), key.mT)
    return torch.unflatten(products, 2, groups.shape[2:4]).flatten(1, 2)


def _weighted(probabilities: Tensor, value: Tensor) -> Float[Tensor, "1 head row d_value"]:
    """Return the values' sums, those shared by heads not copied."""
    groups = torch.unflatten(probabilities, 1, (value.shape[1], -1))
    sums = torch.matmul(groups.flatten(2, 3), value[:, :, : probabilities.shape[-1]])
    return torch.unflatten(sums, 2, groups.shape[2:4]).flatten(1, 2)


def _check(
    module: nn.Module, rows: range, probabilities: Tensor, value: Tensor, output: Tensor
) -> None:
    """Compare the kernel's output with exact rows, one query in a hundred.

    Raises:
        UnsupportedModelError: If they differ by more than rounding.
    """
    first = -rows.start % _CHECKED
    exact = _weighted(probabilities[:, :, first::_CHECKED], value).transpose(1, 2)
    found = output[:, rows.start + first : rows.stop : _CHECKED].to(exact.dtype)
    if not found.numel():
        return
    apart = float((found - exact).abs().max())
    if not apart <= _ROUNDING[output.dtype] * max(1.0, float(value.abs().max())):
        raise UnsupportedModelError(
            f"module ({type(module).__name__}) gets {apart:.2g} more or less from its fused "
            f"kernel than from exact rows, at one of the tokens {rows.start} to {rows.stop - 1}: "
            "the kernel leaves out a mask or a term. Give texts of at most "
            f"{LONG} tokens, which are not read by it."
        )
