"""Stored tensors that are not a model's weights as its type names them: why, and what to do."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from inspector.models.hints.rules import hints

_PART = r"\bparametrizations\.|\bweight_[gv]$"
_MOST = 0.5  # of the tensors that lack, at least so many must be explained


def is_number(dtype: str) -> bool:
    """Return whether a dtype, as safetensors call it, holds weights as they are."""
    return dtype in hints().tensors.floating


def why_codes(stored: Mapping[str, str]) -> str | None:
    """Return why stored tensors are codes of a quantised model, not weights.

    Args:
        stored: Tensor → dtype, as safetensors call it.

    Example:
        >>> why_codes({"h.0.weight": "F16", "h.0.bias": "F32"})
    """
    told = hints().tensors
    coded = [
        name
        for name, dtype in stored.items()
        if dtype not in told.floating
        and (
            dtype.startswith("F")
            or (re.search(told.weight, name) and not re.search(told.mask, name))
        )
    ]
    scales = [name for name in stored if re.search(told.scale, name)]
    scales += [n.removesuffix("weight") + "scales" for n in coded]
    scales = [name for name in scales if name in stored]
    if scales:
        beside = f" beside {_dtype(stored[coded[0]])} weights ({coded[0]})" if coded else ""
        return (
            f"stores {scales[0]}{beside}: it is a quantised checkpoint whose config.json lacks "
            "quantization_config. Use the checkpoint that was quantised."
        )
    return codes(coded, stored) if coded else None


def codes(names: Collection[str], stored: Mapping[str, str]) -> str:
    """Return what is said of weights that are stored as codes, without a scale."""
    first = next(iter(names))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (
        f"stores {_dtype(stored[first])} in {first}{more}, which are no weights but codes of a "
        "quantised model (their scale is not there). Use the checkpoint that was quantised."
    )


def why_names_differ(
    missing: Collection[str], unexpected: Collection[str], expected: Collection[str], base: str
) -> str | None:
    """Return why a network's tensors are not there by their names.

    Args:
        missing: Tensors of the network that are not stored.
        unexpected: Tensors that are stored and have no place.
        expected: All tensors of the network.
        base: The prefix that the model type may have, without its dot.
    """
    unmerged = sorted(name for name in unexpected if re.search(hints().tensors.adapter, name))
    if unmerged:
        return (
            f"stores {len(unmerged)} tensor(s) of an adapter that is not merged ({unmerged[0]}): "
            "the model would run without it. Merge it (merge_and_unload, save_pretrained) and give "
            "that folder."
        )
    if not missing:
        return None
    in_parts = sorted(
        name
        for name in unexpected
        if re.search(_PART, name) or f"{name.removesuffix('_orig')}_mask" in unexpected
    )
    if in_parts:
        return (
            f"stores weights in parts ({in_parts[0]} and {len(in_parts) - 1} more), as weight norm "
            "and pruning keep them: put them together (remove_parametrizations, remove_weight_norm "
            "or prune.remove of torch.nn.utils), save the model and give that folder."
        )
    wanted, stem = set(missing), f"{base}." if base else ""
    places = (
        ("under a prefix", lambda name: _before(name, wanted), "in front of"),
        ("with a part", lambda name: _within(name, wanted, expected, stem), "within"),
        ("with an ending", lambda name: _after(name, wanted, stem), "at the end of"),
    )
    for what, find, where in places:
        part = _commonest(find, unexpected, len(wanted))
        if part is not None:
            taken = part.removesuffix(stem) if what == "under a prefix" and stem else part
            return (
                f"stores its tensors {what} ({part}) that this model type does not have: take "
                f"{taken or part!r} {where} their names away (load_file and save_file of "
                "safetensors.torch) and give that folder."
            )
    if len(wanted) > _MOST * len(expected) and len(unexpected) > _MOST * len(wanted):
        one, other = min(unexpected), min(wanted)
        return (
            f"stores tensors by the names of another architecture ({one} and {len(unexpected) - 1} "
            f"more; this one has {other} …): check model_type in config.json."
        )
    return None


def _dtype(name: str) -> str:
    return hints().tensors.dtypes.get(name, name.lower())


def _commonest(
    find: Callable[[str], str | None], names: Collection[str], wanted: int
) -> str | None:
    found = Counter(part for name in names if (part := find(name)))
    part, count = found.most_common(1)[0] if found else (None, 0)
    return part if count >= _MOST * wanted else None


def _before(name: str, wanted: Collection[str]) -> str | None:
    for dot in re.finditer(r"\.", name):
        if name[dot.end() :] in wanted:
            return name[: dot.end()]
    return None


def _within(name: str, wanted: Collection[str], expected: Collection[str], stem: str) -> str | None:
    known = {part for each in expected for part in each.split(".")}
    parts = name.removeprefix(stem).split(".")
    if ".".join(part for part in parts if part in known) not in wanted:
        return None
    return next((part for part in parts if part not in known), None)


def _after(name: str, wanted: Collection[str], stem: str) -> str | None:
    found = re.search(hints().tensors.ending, name)
    if found is None or name.removeprefix(stem).removesuffix(found[0]) not in wanted:
        return None
    return found[0]
