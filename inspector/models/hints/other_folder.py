"""A folder that is no model's: what it is by the names of what lies in it, and what to give.

Must not know: torch, transformers; what is in weights.
"""

import re
from itertools import islice
from pathlib import Path
from typing import Any

from inspector.models.hints.folder_listing import (
    CONFIG,
    is_file,
    is_folder,
    json_of,
    names_in,
    text_of,
)
from inspector.models.hints.other_formats import (
    SAVE,
    adapter,
    ctranslate,
    lone_shards,
    other_format,
    pickles,
    variant,
)

_TOKENIZER = re.compile(r"tokenizer.*|vocab\..*|merges\.txt|special_tokens_map\.json|.*\.model")
_KNOWN = r"(Bert|DistilBert|Roberta|Albert|Electra|GPT2|Llama|T5)(?=[A-Z])"
_TEXTS = (".conllu", ".conllup", ".tsv", ".csv", ".jsonl", ".parquet")


def why_no_config(folder: Path) -> str | None:
    """Return why a folder without config.json is no model's, and what to give.

    Args:
        folder: As the user called it.
    """
    names = names_in(folder)
    return (
        adapter(folder)
        or _hub_cache(folder, names)
        or _trainer(folder, names)
        or _pipeline(folder, names)
        or _further_down(folder)
        or _other_config(folder, names)
        or other_format(folder, names)
        or _nearly_nothing(folder, names)
    )


def why_no_weights(folder: Path) -> str | None:
    """Return why a folder with config.json has no weights that can be read, and what to do.

    Args:
        folder: As the user called it.
    """
    names = names_in(folder)
    return (
        variant(folder, names)
        or adapter(folder)
        or lone_shards(folder, names)
        or ctranslate(folder, names)
        or other_format(folder, names)
        or _trainer(folder, names)
        or _further_down(folder)
    )


def why_no_model_type(folder: Path, settings: dict[str, Any]) -> str | None:
    """Return what a config.json without model_type is, and what to do; one clause.

    Args:
        folder: As the user called it.
        settings: What config.json holds.
    """
    if "pooling_mode_mean_tokens" in settings or "pooling_mode" in settings:
        return (
            "It is that of a sentence-transformers pooling layer: give the folder of its "
            "Transformer module, mostly the one above."
        )
    if "_class_name" in settings:
        return f"It is that of a part of diffusers ({settings['_class_name']}), which is no model."
    if ctranslate(folder, names_in(folder)):
        return "It is CTranslate2's: give the checkpoint that it was converted from."
    if "pretrained_cfg" in settings or "architecture" in settings:
        return "It is that of a timm model: give a folder that transformers' save_pretrained wrote."
    named = settings.get("architectures")
    if isinstance(named, list) and named and isinstance(named[0], str):
        found = re.match(
            r"(Bert|DistilBert|Roberta|Albert|Electra|GPT2|Llama|T5)(?=[A-Z])", named[0]
        )
        if found:
            kind = found[1].lower()
            return f'Its architectures say {named[0]}: add "model_type": "{kind}".'
    return None


def _hub_cache(folder: Path, names: list[str]) -> str | None:
    root = folder.parent if folder.name == "snapshots" else folder
    if is_folder(root / "snapshots") and root.name.startswith("models--"):
        kept = [n for n in names_in(root / "snapshots") if is_file(root / "snapshots" / n / CONFIG)]
        main = text_of(root / "refs" / "main").strip()
        if not kept:
            return (
                f"model folder ({folder}) is the hub's cache of a model that was not fetched "
                f"whole: give its id ({_hub_id(root.name)}) with the network switched on."
            )
        chosen = root / "snapshots" / (main if main in kept else kept[-1])
        return _give(folder, chosen, "is the hub's cache of a model")
    cached = [name for name in names if name.startswith("models--")]
    if not cached and is_folder(folder / "hub"):
        cached = [name for name in names_in(folder / "hub") if name.startswith("models--")]
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
    whole = [name for _, name in steps if is_file(folder / name / CONFIG)]
    if whole:
        what = f"holds what training left ({len(steps)} checkpoint(s))"
        return _give(folder, folder / whole[-1], what, ", the last")
    if "zero_to_fp32.py" in names or any(name.startswith("global_step") for name in names):
        return (
            f"model folder ({folder}) holds DeepSpeed's parts of the weights: join them "
            f"(zero_to_fp32.py) into model.safetensors, or {SAVE}."
        )
    if any(name.startswith("pytorch_model_fsdp") for name in names):
        return (
            f"model folder ({folder}) holds FSDP's parts of the weights: join them (accelerate "
            "merge-weights) into model.safetensors."
        )
    return None


def _pipeline(folder: Path, names: list[str]) -> str | None:
    if "model_index.json" not in names:
        return None
    parts = [name for name in _with_config(folder) if "encoder" in name] or _with_config(folder)
    what = "is a diffusers pipeline (model_index.json)"
    if not parts:
        return f"model folder ({folder}) {what}, not a model: give a text model's folder."
    return _give(folder, folder / parts[0], what)


def _further_down(folder: Path) -> str | None:
    modules = json_of(folder / "modules.json")
    listed = modules if isinstance(modules, list) else []
    paths = [each.get("path") for each in listed if isinstance(each, dict)]
    named = [path for path in paths if isinstance(path, str) and path and ".." not in path]
    found = [path for path in named if is_file(folder / path / CONFIG)] if paths else []
    found = [path for path in found if "Pooling" not in path] or _with_config(folder)
    if not found:
        return None
    lacks = "config.json" if not is_file(folder / CONFIG) else "weights"
    more = f" (and in {', '.join(found[1:3])})" if len(found) > 1 else ""
    return (
        f"model folder ({folder}) has no {lacks} of its own, but there is one in "
        f"{folder / found[0]}{more}: give that folder."
    ).replace("weights of its own, but there is one", "weights of its own, but there is a model")


def _with_config(folder: Path) -> list[str]:
    """Return the folders below that hold a config.json, the nearest first; two deep."""
    near = [name for name in islice(names_in(folder), 200) if is_folder(folder / name)]
    far = [f"{one}/{two}" for one in near for two in islice(names_in(folder / one), 200)]
    found = [name for name in near + far if is_file(folder / name / CONFIG)]
    return [name for name in found if "Pooling" not in name]


def _other_config(folder: Path, names: list[str]) -> str | None:
    for name in ("bert_config.json", "xlnet_config.json", "albert_config.json"):
        if name in names:
            kind = name.removesuffix("_config.json")
            return (
                f"model folder ({folder}) has {name}, Google's name for it: rename it to "
                f'{CONFIG} and add "model_type": "{kind}".'
            )
    if "params.json" in names:
        return (
            f"model folder ({folder}) holds the original form of Llama or Mistral (params.json): "
            "give the folder in Hugging Face's form, with config.json and model.safetensors."
        )
    if {"manifest.json", "shards"} <= set(names):
        return (
            f"model folder ({folder}) is a run of inspector, not a model: give the model, or look "
            "at the run with `inspector compare` or the dashboard."
        )
    return None


def _nearly_nothing(folder: Path, names: list[str]) -> str | None:
    shown = [name for name in names if not name.startswith(".")]
    start = f"model folder ({folder})"
    if not shown:
        return f"{start} is empty: give the folder that save_pretrained wrote."
    if "model.safetensors" in shown:
        return f"{start} has weights but no config.json: fetch that too; it says what they are."
    if found := pickles(folder):
        return f"{start} has {found[0]} but no config.json: {SAVE}."
    if all(_TOKENIZER.fullmatch(name) or name.lower().startswith("readme") for name in shown):
        if not any(_TOKENIZER.fullmatch(name) for name in shown):
            return f"{start} holds a README alone: fetch the model's files too."
        return (
            f"{start} holds a tokenizer alone: add the model's config.json and model.safetensors."
        )
    if any(name.lower().endswith(_TEXTS) for name in shown):
        return (
            f"{start} holds texts or tables, no model: a corpus is given with --corpus, file by "
            "file; give the folder that save_pretrained wrote as the model."
        )
    return None


def _give(folder: Path, chosen: Path, what: str, which: str = "") -> str:
    return f"model folder ({folder}) {what}, with no config.json of its own: give {chosen}{which}."
