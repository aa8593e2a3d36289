"""Claims in YAML: a list, or a mapping with `claims` and what all of them share.

Must not know: how a sentence is taken apart, corpora, models.
"""

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from inspector.arguments import is_whole, shown
from inspector.errors import InputError, OutputError
from inspector.runs.check.claim import ANY, Claim
from inspector.runs.check.claim_text import (
    available,
    claim_of_text,
    described,
    from_zero,
    head_named,
    heard,
    relation_named,
)
from inspector.runs.check.vocabulary import Meant, words
from inspector.yaml_file import YamlError, read_lined_yaml

FIELDS: dict[str, tuple[str, ...]] = {
    "model": (),
    "layer": (),
    "head": (),
    "relation": (),
    "target": ("attends_to", "looks_at", "description"),
    "direction": (),
    "counting": ("counting_from", "counts_from", "count_from", "counted_from", "base"),
    "source": ("paper",),
    "claim": ("says", "text"),
    "reported": (),
}
"""Field of a claim → other names that it may have."""
SHARED = ("model", "counting", "source")
"""Fields that the file may give once for all claims."""
MOST_CLAIMS = 2000
_NAMES = {other: name for name, others in FIELDS.items() for other in (name, *others)}
_COUNTINGS = {0: 0, 1: 1, "0": 0, "1": 1, "from 0": 0, "from 1": 1, "zero": 0, "one": 1}
_EVERY_DIRECTION = (None, "", "any", "all")


def read_claims(path: str | PathLike[str]) -> list[Claim]:
    """Return the claims of a file.

    Raises:
        InputError: If it is no list of claims, or one cannot be understood; it names the line.
        OutputError: If the file cannot be read.
    """
    name = Path(path).name
    try:
        data, lines = read_lined_yaml(path)
    except YamlError as error:
        raise InputError(f"claims file ({name}) must be YAML: {error}.") from None
    except OSError as error:
        raise OutputError(f"claims file ({name}) cannot be read: {error.strerror}.") from None
    shared: dict[str, Any] = {}
    above: tuple[Any, ...] = ()
    if isinstance(data, Mapping) and "claims" in data:
        above = ("claims",)
        shared = _fields({key: data[key] for key in data if key != "claims"}, (), lines, name)
        other = [key for key in shared if key not in SHARED]
        if other:
            raise InputError(
                f"{name}: field ({other[0]}) cannot be given for all claims at once. "
                f"Available: {', '.join(SHARED)}."
            )
        if "counting" in shared:
            key = next(key for key in data if _NAMES.get(key) == "counting")
            shared["counting"] = _counting(shared["counting"], f"{name}, line {lines[key,]}")
        data = data["claims"]
    if not isinstance(data, list) or not data:
        raise InputError(
            f"claims file ({name}) must be a list of claims, or have one under 'claims': each a "
            "sentence, or a mapping with head, relation or target."
        )
    if len(data) > MOST_CLAIMS:
        raise InputError(
            f"claims file ({name}) must have at most {MOST_CLAIMS} claims, not {len(data)}: "
            "split it."
        )
    return [_claim(one, (*above, number), lines, name, shared) for number, one in enumerate(data)]


def _claim(
    given: Any,
    place: tuple[Any, ...],
    lines: Mapping[tuple[Any, ...], int],
    name: str,
    shared: Mapping[str, Any],
) -> Claim:
    where = f"{name}, line {lines.get(place, 1)}"
    counting = shared.get("counting") or 0
    if isinstance(given, str):
        made = claim_of_text(given, counting=counting, place=where)
        return _with(made, shared)
    if not isinstance(given, Mapping):
        raise InputError(
            f"{where}: claim ({shown(given)}) must be a sentence, or a mapping. "
            f"Available: {', '.join(FIELDS)}."
        )
    fields = _fields(given, place, lines, name)
    counting = _counting(fields.get("counting", counting), where)
    _check_sentence(fields, counting, where)
    if "claim" in fields and not {"head", "layer", "relation", "target"} & {*fields}:
        made = claim_of_text(str(fields["claim"]), counting=counting, place=where)
        return _with(made, {**shared, **fields})
    layer, head = _head(fields, counting, where)
    meant, target = _what(fields, where)
    return Claim(
        layer=layer,
        head=head,
        relation=meant.relation,
        target=target,
        direction=_direction(fields.get("direction"), where, target) or meant.direction,
        model=_text({**shared, **fields}, "model", where),
        said=_text(fields, "claim", where),
        source=_text({**shared, **fields}, "source", where),
        counting=counting,
        place=where,
    )


def _check_sentence(fields: Mapping[str, Any], counting: int, where: str) -> None:
    """Refuse a field that says another thing than the sentence beside it, as far as that is clear.

    What is quoted of a paper need not be clear: then the fields say what is asked.
    """
    said = heard(_text(fields, "claim", where), counting)

    def compare(name: str, of_sentence: str | int, is_same: bool) -> None:
        if not is_same:
            raise InputError(
                f"{where}: {name} ({shown(fields[name])}) must be what the claim's sentence says "
                f"({of_sentence}): correct one of the two, or leave one out."
            )

    if said.head != ANY:
        first = said.counting
        counts = f", counting from {first}" if first != counting else ""
        if isinstance(fields.get("head"), str):
            is_same = head_named(fields["head"]) == (said.layer + counting, said.head + counting)
            compare("head", f"{said.layer + first}-{said.head + first}{counts}", is_same)
        for name, number in (("layer", said.layer), ("head", said.head)):
            if is_whole(fields.get(name)):
                is_same = int(fields[name]) - counting == number
                compare(name, f"{number + first}{counts}", is_same)
    given = [name for name in ("relation", "target") if _text(fields, name, where)]
    if said.what and len(given) == 1:
        meant, target = _what(fields, where)
        pair = (meant.relation or target, said.what)
        # A sentence need not name the subtype.
        is_part = any(one.startswith(f"{other}:") for one, other in (pair, pair[::-1]))
        compare(given[0], said.what, pair[0] == pair[1] or is_part)
    direction = _direction(fields.get("direction"), where, "")
    if direction and said.direction:
        compare("direction", said.direction, direction == said.direction)
    if said.model and _text(fields, "model", where):
        compare("model", said.model, fields["model"].strip() == said.model)
    if fields.get("counting") is not None:
        compare("counting", said.counting, counting == said.counting)


def _with(made: Claim, fields: Mapping[str, Any]) -> Claim:
    """Return a claim of a sentence with what stands beside it."""
    model = made.model or _text(fields, "model", made.place)
    source = _text(fields, "source", made.place)
    given = _direction(fields.get("direction"), made.place, made.target)
    direction = given or made.direction
    return replace(made, model=model, source=source, direction=direction)


def _fields(
    given: Mapping[Any, Any],
    place: tuple[Any, ...],
    lines: Mapping[tuple[Any, ...], int],
    name: str,
) -> dict[str, Any]:
    found = {}
    for key, value in given.items():
        known = _NAMES.get(key) if isinstance(key, str) else None
        if known is None:
            line = lines.get((*place, key), lines.get(place, 1))
            raise InputError(
                f"{name}, line {line}: field ({shown(key)}) must be one of a claim's. "
                f"Available: {', '.join(FIELDS)}."
            )
        found[known] = value
    return found


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{where}: {name} ({shown(value)}) must be text: put it in quotes.")
    return value.strip()


def _counting(value: Any, where: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | str) or value not in _COUNTINGS:
        raise InputError(
            f"{where}: counting ({shown(value)}) must be the number from which layers and heads "
            "are counted. Available: 0, 1."
        )
    return _COUNTINGS[value]


def _head(fields: Mapping[str, Any], counting: int, where: str) -> tuple[int, int]:
    """Return layer and head counted from 0; ANY for both where the claim is of some head."""
    layer, head = fields.get("layer"), fields.get("head")
    if head == "any" and layer is None:
        return ANY, ANY
    if isinstance(head, str) and layer is None:
        layer, head = head_named(head) or (layer, head)
    given = {"layer": layer, "head": head}
    # Where only the head is given, that is what is wrong with it.
    for name in ("layer", "head") if layer is not None or head is None else ("head", "layer"):
        value = given[name]
        if not is_whole(value):
            raise InputError(
                f"{where}: {name} ({shown(value)}) must be a whole number: give layer and head, "
                "or head: 2-8, or head: any."
            )
    dot = f"{where}: "
    return from_zero("layer", int(layer or 0), counting, dot), from_zero(
        "head", int(head or 0), counting, dot
    )


def _what(fields: Mapping[str, Any], where: str) -> tuple[Meant, str]:
    """Return the relation and what direction its name implies, or the target."""
    relation, target = (_text(fields, name, where) for name in ("relation", "target"))
    if bool(relation) == bool(target):
        both = "not both" if relation else "a claim says what its head does"
        raise InputError(
            f"{where}: relation or target must be given, {both}. Available: {available()}."
        )
    if target:
        return described(target, target, f"{where}: ")
    named = relation_named(relation)
    if named is not None:
        return named, ""
    raise InputError(
        f"{where}: relation ({relation}) must be one of Universal Dependencies or of the corpus. "
        f"Available: {', '.join(words().relations)}."
    )


def _direction(value: Any, where: str, target: str) -> str:
    if value in _EVERY_DIRECTION:
        return ""
    if target:
        raise InputError(
            f"{where}: direction ({shown(value)}) must be left out: a target ({target}) has none."
        )
    ways = words().directions
    if not isinstance(value, str) or value.strip().lower() not in ways:
        raise InputError(
            f"{where}: direction ({shown(value)}) must be one of the three, or be left out. "
            f"Available: {', '.join(dict.fromkeys(ways.values()))}."
        )
    return ways[value.strip().lower()]
