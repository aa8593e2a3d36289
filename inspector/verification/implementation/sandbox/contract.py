"""What `build` gets and what must come back; whatever comes back becomes torch tensors, checked.

`build(weights)` gets one layer's `LayerWeights` and returns a function of
(hidden_states[batch, token, d_model], padding_mask[batch, token] or None): the mask is True for
a real token, and None where every token is one. The function returns the output
[batch, token, d_model], or a mapping with any of the stages of `STAGE_AXES`; as torch tensors,
numpy arrays, or anything with `__array__` or DLPack.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from inspector.attention import LayerWeights
from inspector.errors import InputError
from inspector.verification.diagnosis import STAGES

STAGE_AXES = {
    "query": "(batch, head, query, d_head)",
    "key": "(batch, kv_head, key, d_head)",
    "value": "(batch, kv_head, key, d_head)",
    "scores": "(batch, head, query, key)",
    "probabilities": "(batch, head, query, key)",
    "context": "(batch, query, heads·d_head)",
    "output": "(batch, token, d_model)",
}
"""Stage → its axes. Query and key after rotation where there is one; scores scaled, with the
relative bias; keys and values of the groups, or repeated for every query head."""


def stage_shapes(weights: LayerWeights, hidden: Tensor) -> dict[str, list[tuple[int, ...]]]:
    """Return stage → the shapes that it may have."""
    batch, tokens, d_model = hidden.shape
    n, groups, width = weights.n_heads, weights.n_kv_heads, weights.d_head
    d_value = weights.W_V.shape[0] // groups
    wide = weights.W_O.shape[1]
    return {
        "query": [(batch, n, tokens, width)],
        "key": [(batch, groups, tokens, width), (batch, n, tokens, width)],
        "value": [(batch, groups, tokens, d_value), (batch, n, tokens, d_value)],
        "scores": [(batch, n, tokens, tokens)],
        "probabilities": [(batch, n, tokens, tokens)],
        "context": [(batch, tokens, wide)],
        "output": [(batch, tokens, d_model)],
    }


def as_stages(
    returned: Any, weights: LayerWeights, hidden: Tensor, where: str
) -> dict[str, Tensor]:
    """Return what an implementation returned as stage → tensor, a copy on the CPU.

    Raises:
        InputError: If something else came: a generator, nothing, an unknown stage, another shape
            or dtype, or NaN in a stage that has no mask.
    """
    stages = dict(returned) if isinstance(returned, Mapping) else {"output": returned}
    unknown = sorted(map(str, stages.keys() - set(STAGES)))
    if unknown:
        raise InputError(
            f"stage ({', '.join(unknown)}) must be one that is known, {where}. "
            f"Available: {', '.join(STAGES)}."
        )
    if not stages:
        raise InputError(f"mapping ({{}}) must hold at least one stage, such as output, {where}.")
    shapes = stage_shapes(weights, hidden)
    checked = {}
    for stage in STAGES:
        if stage in stages:
            tensor = _tensor(stages[stage], stage, shapes[stage], where)
            _check_dtype(tensor, stage, hidden.dtype, where)
            if stage in ("query", "key", "value"):
                check_finite(tensor, stage, where)
            checked[stage] = tensor
    return checked


def check_finite(values: Tensor, stage: str, where: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        InputError: If there is any.
    """
    wrong = int((~values.isfinite()).sum())
    if wrong:
        what = "NaN" if bool(values.isnan().any()) else "infinity"
        raise InputError(
            f"{stage} ({what}, {wrong} of {values.numel()} values) must hold finite numbers, "
            f"{where}: a softmax of nothing but −∞, a division by 0 or an overflow gives such "
            "values."
        )


def _tensor(value: Any, stage: str, shapes: list[tuple[int, ...]], where: str) -> Tensor:
    """Return anything that holds an array as a tensor of its own, not copied before it fits."""
    if isinstance(value, Tensor):
        _check_shape(value.shape, stage, shapes, where)
        tensor = value.detach()
        if tensor.is_meta:
            raise InputError(
                f"{stage} (on the device meta) must hold numbers, {where}: compute it on a device "
                "that does."
            )
        return (tensor.to_dense() if tensor.layout != torch.strided else tensor).cpu().clone()
    if value is None:
        raise InputError(
            f"{stage} (None) must be an array, {where}: does the function lack a return?"
        )
    if inspect.isgenerator(value) or inspect.iscoroutine(value) or inspect.isasyncgen(value):
        kind = "a generator" if inspect.isgenerator(value) else "a coroutine"
        if inspect.iscoroutine(value):
            value.close()  # or Python warns that it was never awaited
        raise InputError(
            f"{stage} ({kind}) must be an array, {where}: return it, without yield or async."
        )
    if isinstance(value, tuple | list):
        raise InputError(
            f"{stage} (a {type(value).__name__} of {len(value)}) must be one array, or a mapping "
            f"such as {{'output': …, 'probabilities': …}}, {where}."
        )
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        _check_shape(array.shape, stage, shapes, where)
        return _from_numpy(array, stage, where)
    if hasattr(value, "__dlpack__"):
        tensor = from_dlpack(value)
        _check_shape(tensor.shape, stage, shapes, where)
        return tensor.cpu().clone()
    raise InputError(
        f"{stage} ({type(value).__name__}) must be a torch tensor, a numpy array, or have "
        f"__array__ or DLPack, {where}."
    )


def _from_numpy(array: Any, stage: str, where: str) -> Tensor:
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiubc":
        raise InputError(f"{stage} (dtype {array.dtype}) must be floating-point numbers, {where}.")
    native = array.astype(array.dtype.newbyteorder("="), copy=True)
    return torch.from_numpy(np.ascontiguousarray(native))


def _check_dtype(tensor: Tensor, stage: str, asked: torch.dtype, where: str) -> None:
    fine = tensor.dtype.is_floating_point and (
        torch.finfo(tensor.dtype).eps <= torch.finfo(asked).eps
    )
    if not fine:
        raise InputError(
            f"{stage} ({_name(tensor.dtype)}) must be {_name(asked)}, as the hidden states are, "
            f"or wider, {where}: half precision may be used inside, but not returned."
        )


def _check_shape(
    shape: Sequence[int], stage: str, shapes: list[tuple[int, ...]], where: str
) -> None:
    if tuple(shape) not in shapes:
        raise InputError(
            f"{stage} (shape {tuple(shape)}) must have the shape "
            f"{STAGE_AXES[stage]} = {shapes[0]}, {where}."
        )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
