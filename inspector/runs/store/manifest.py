"""What a run's results depend on, written once and compared before a run is resumed.

Model, corpus, settings, versions, shard and batch size; no date, no machine, no number of
workers, so that the same run has the same identity everywhere.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

from inspector.errors import OutputError

SCHEMA = 4
_SHOWN = 60
_HASH_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run's results depend on. All of it is plain data that JSON can hold.

    `model_files` maps file names to their SHA-256, `versions` packages to their versions;
    `settings` are whatever else changes a figure.
    """

    model: str
    model_files: dict[str, str]
    corpus: str
    corpus_sha256: str
    settings: dict[str, Any]
    versions: dict[str, str]
    shard_size: int
    batch_size: int
    n_shards: int
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        """Keep the settings as JSON gives them back, so that what is read equals what is written.

        Raises:
            ValueError: If a number in the settings is not finite.
            TypeError: If the settings hold something that is no plain data.
        """
        object.__setattr__(self, "settings", json.loads(_canonical(self.settings)))

    @property
    def run_id(self) -> str:
        """The run's identity: the SHA-256 of everything in the manifest."""
        return hashlib.sha256(_canonical(asdict(self)).encode()).hexdigest()

    def text(self) -> str:
        """Return manifest.json, in which the run id stands beside what it was computed from."""
        document = {"run_id": self.run_id, **asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_manifest(data: bytes, name: str) -> Manifest:
    """Return the manifest that `Manifest.text` wrote.

    Args:
        data: The bytes of manifest.json.
        name: What to call the file in a message.

    Raises:
        OutputError: If the bytes are not JSON, not a manifest of this schema, or were changed.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise OutputError(
            f"manifest ({name}) is not JSON, so the run cannot be used: "
            "choose another folder, or delete this one."
        ) from error
    if not isinstance(document, dict) or "schema" not in document or "run_id" not in document:
        raise OutputError(
            f"manifest ({name}) is not one of an inspector run: choose another folder."
        )
    if document["schema"] != SCHEMA:
        raise OutputError(
            f"manifest ({name}) has schema {document['schema']!r:.20}, and this inspector reads "
            f"schema {SCHEMA}: use the inspector that wrote it, or choose another folder."
        )
    run_id = document.pop("run_id")
    if document.keys() != {field.name for field in fields(Manifest)} or not _has_types(document):
        raise OutputError(
            f"manifest ({name}) is not one of an inspector run: choose another folder."
        )
    with suppress(ValueError):  # of a number that is not finite, which is never written
        manifest = Manifest(**document)
        # Its bytes follow from its content, so that a blank too many is seen as well.
        if manifest.run_id == run_id and manifest.text().encode() == data:
            return manifest
    raise OutputError(
        f"manifest ({name}) was changed since it was written, its run id no longer fits: "
        "restore it, or choose another folder."
    )


def differences(recorded: Manifest, asked: Manifest) -> list[str]:
    """Return a line for each thing that differs, such as `batch size: 16 ≠ 32`.

    Args:
        recorded: What the run was started with.
        asked: What it is asked to go on with.

    Example:
        >>> one = Manifest(model="minilm", model_files={}, corpus="probes", corpus_sha256="0",
        ...                settings={}, versions={}, shard_size=64, batch_size=16, n_shards=2)
        >>> from dataclasses import replace
        >>> differences(one, replace(one, batch_size=32, settings={"labels": "full"}))
        ["settings labels: not set ≠ 'full'", 'batch size: 16 ≠ 32']
    """
    lines = []
    for field in fields(Manifest):
        old = dict(_flat(field.name.replace("_", " "), getattr(recorded, field.name)))
        new = dict(_flat(field.name.replace("_", " "), getattr(asked, field.name)))
        lines += [
            f"{name}: {_shown(old, name)} ≠ {_shown(new, name)}"
            for name in [*old, *(name for name in new if name not in old)]
            if name not in old or name not in new or _canonical(old[name]) != _canonical(new[name])
        ]
    return lines


def _canonical(data: Any) -> str:
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def _has_types(document: dict[str, Any]) -> bool:
    """Whether every value is of its field's kind; `run_id` says whether it is the right one."""
    kinds: dict[str, type] = dict.fromkeys(("model", "corpus", "corpus_sha256"), str)
    kinds |= dict.fromkeys(("model_files", "settings", "versions"), dict)
    kinds |= dict.fromkeys(("shard_size", "batch_size", "n_shards", "schema"), int)
    return all(isinstance(document[name], kind) for name, kind in kinds.items())


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dictionaries under names that say the way to them."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flat(f"{name} {key}", value[key])
    elif value != {}:
        yield name, value


def _shown(values: dict[str, Any], name: str) -> str:
    if name not in values:
        return "not set"
    value = values[name]
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return f"{value[:_HASH_SHOWN]}…"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
