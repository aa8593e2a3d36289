"""A folder that is no model's: what it is by the names of what lies in it, and what to give.

Nothing here waits, fails, or reads much.
"""

import json
import re
from itertools import islice
from pathlib import Path
from typing import Any

from inspector.input import read_regular
from inspector.models.hints.rules import hints, said_of

_CONFIG = "config.json"
_MOST_ENTRIES = 20_000
_MOST_BYTES = 1_000_000


def why_no_config(folder: Path) -> str | None:
    """Return why a folder without config.json is no model's, and what to give."""
    names = _shown_in(folder)
    return (
        adapter(folder)
        or _hub_cache(folder, names)
        or _trainer(folder, names)
        or _pipeline(folder, names)
        or _further_down(folder)
        or said_of("other_config", names, folder=folder)
        or said_of("formats", names, folder=folder)
        or said_of("nearly_nothing", names, folder=folder)
    )


def why_no_weights(folder: Path) -> str | None:
    """Return why a folder with config.json has no weights that can be read, and what to do."""
    names = _shown_in(folder)
    return (
        said_of("other_names", names, folder=folder)
        or adapter(folder)
        or said_of("lone_shards", names, folder=folder)
        or said_of("ctranslate", names, folder=folder)
        or said_of("formats", names, folder=folder)
        or _trainer(folder, names)
        or _further_down(folder)
    )


def why_no_model_type(folder: Path, settings: dict[str, Any]) -> str | None:
    """Return what a config.json without model_type is, and what to do; one clause."""
    said = said_of("without_model_type", _shown_in(folder), settings)
    named = settings.get("architectures")
    if said is None and isinstance(named, list) and named and isinstance(named[0], str):
        known = r"(Bert|DistilBert|Roberta|Albert|Electra|GPT2|Llama|T5)(?=[A-Z])"
        if found := re.match(known, named[0]):
            return f'Its architectures say {named[0]}: add "model_type": "{found[1].lower()}".'
    return said


def adapter(folder: Path) -> str | None:
    """Return what is said of a folder that holds a PEFT adapter, alone or beside a model."""
    names = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
    there = [name for name in names if _is_file(folder / name)]
    if not there:
        return None
    found = _json_of(folder / names[0])
    base = found.get("base_model_name_or_path") if isinstance(found, dict) else None
    of = f" of {base}" if isinstance(base, str) and base else ""
    beside = "beside a model" if _is_file(folder / _CONFIG) else "not a model"
    return (
        f"model folder ({folder}) holds a PEFT adapter ({there[0]}){of}, {beside}: merge it "
        "(merge_and_unload, save_pretrained) and give that folder."
    )


def pickles(folder: Path) -> list[str]:
    """Return the names of pickled weights, those that training alone needs left out."""
    names = _names_in(folder)
    return [name for p in hints().pickled for name in names if re.fullmatch(p, name)]


def _hub_cache(folder: Path, names: list[str]) -> str | None:
    root = folder.parent if folder.name == "snapshots" else folder
    snapshots = root / "snapshots"
    if _is_folder(snapshots) and root.name.startswith("models--"):
        kept = [name for name in _names_in(snapshots) if _is_file(snapshots / name / _CONFIG)]
        main = _text_of(root / "refs" / "main").strip()
        if not kept:
            return (
                f"model folder ({folder}) is the hub's cache of a model that was not fetched "
                f"whole: give its id ({_hub_id(root.name)}) with the network switched on."
            )
        chosen = snapshots / (main if main in kept else kept[-1])
        return _give(folder, chosen, "is the hub's cache of a model")
    cached = [name for name in [*names, *_names_in(folder / "hub")] if name.startswith("models--")]
    if not cached:
        return None
    return (
        f"model folder ({folder}) is the hub's cache of {len(cached)} model(s): give the id of "
        f"one, such as {_hub_id(cached[0])}."
    )


def _hub_id(name: str) -> str:
    return name.removeprefix("models--").replace("--", "/", 1)


def _trainer(folder: Path, names: list[str]) -> str | None:
    steps = sorted(
        (int(found[1]), name)
        for name in names
        if (found := re.fullmatch(r"(?:checkpoint|step|epoch)[-_]([0-9]{1,12})", name))
    )
    whole = [name for _, name in steps if _is_file(folder / name / _CONFIG)]
    if whole:
        what = f"holds what training left ({len(steps)} checkpoint(s))"
        return _give(folder, folder / whole[-1], what, ", the last")
    adapters = [name for _, name in steps if _is_file(folder / name / "adapter_config.json")]
    if adapters:
        return (
            f"model folder ({folder}) holds what training a PEFT adapter left: merge "
            f"{folder / adapters[-1]}, the last (merge_and_unload, save_pretrained), and give the "
            "folder that it is saved in."
        )
    return said_of("parts_of_training", names, folder=folder)


def _pipeline(folder: Path, names: list[str]) -> str | None:
    if "model_index.json" not in names:
        return None
    parts = [name for name in _with_config(folder) if "encoder" in name] or _with_config(folder)
    what = "is a diffusers pipeline (model_index.json)"
    if not parts:
        return f"model folder ({folder}) {what}, not a model: give a text model's folder."
    return _give(folder, folder / parts[0], what)


def _further_down(folder: Path) -> str | None:
    modules = _json_of(folder / "modules.json")
    listed = modules if isinstance(modules, list) else []
    paths = [each.get("path") for each in listed if isinstance(each, dict)]
    named = [path for path in paths if isinstance(path, str) and path and ".." not in path]
    found = [path for path in named if _is_file(folder / path / _CONFIG) and "Pooling" not in path]
    found = found or _with_config(folder)
    if not found:
        return None
    lacks, there = ("weights", "a model") if _is_file(folder / _CONFIG) else (_CONFIG, "one")
    more = f" (and in {', '.join(found[1:3])})" if len(found) > 1 else ""
    return (
        f"model folder ({folder}) has no {lacks} of its own, but there is {there} in "
        f"{folder / found[0]}{more}: give that folder."
    )


def _with_config(folder: Path) -> list[str]:
    """Return the folders below that hold a config.json, the nearest first; two deep."""
    near = [name for name in islice(_names_in(folder), 200) if _is_folder(folder / name)]
    far = [f"{one}/{two}" for one in near for two in islice(_names_in(folder / one), 200)]
    found = [name for name in near + far if _is_file(folder / name / _CONFIG)]
    return [name for name in found if "Pooling" not in name]


def _give(folder: Path, chosen: Path, what: str, which: str = "") -> str:
    return f"model folder ({folder}) {what}, with no config.json of its own: give {chosen}{which}."


def _shown_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder and in onnx/ below it, hidden ones left out."""
    names = [name for name in _names_in(folder) if not name.startswith(".")]
    return names + [f"onnx/{name}" for name in _names_in(folder / "onnx")]


def _names_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder, sorted; none where it cannot be looked into."""
    try:
        return sorted(path.name for path in islice(folder.iterdir(), _MOST_ENTRIES))
    except (OSError, ValueError):
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _text_of(path: Path) -> str:
    """Return what a small file holds; nothing where it cannot be read."""
    try:
        return read_regular(path, most=_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _json_of(path: Path) -> Any:
    """Return what a small JSON file holds; None where it cannot be read."""
    try:
        return json.loads(_text_of(path))
    except (ValueError, RecursionError):
        return None
