"""What a head does, in one sentence made of the evidence and of nothing else.

Roles say what it follows and where it looks, claims whether the model needs it for that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from inspector.errors import InputError

PHRASES: dict[str, str] = {
    "nothing": "No role was found for head {head}.",
    "head": "Head {head} {what}.",
    "syntactic": "follows the syntax of {relations}",
    "semantic": "follows the meaning of {relations}",
    "logical": "follows the logic of {relations}",
    "discourse-cue": "follows the discourse cue {relations}",
    "relation": "{relation} ({points} points over a fixed offset)",
    "positional": "looks mostly at offset {offset} ({share})",
    "position": "looks at position {offset} of the sentence ({points} points over a fixed offset)",
    "word-class": "looks to the {side} for the next {tag} ({points} points over a fixed offset)",
    "keyword": "looks at the word '{offset}' whoever asks ({points} points over a fixed offset)",
    "special-token": "rests on special tokens ({share} of its attention)",
    "broad": "looks at nearly everything alike (its entropy is {share} of the highest)",
    "duplicate-token": "looks at the same token elsewhere ({share} of its attention)",
    "previous-token": "looks at the token before ({points} points over chance)",
    "induction": "looks at what followed the same token before "
    "({points} points over a fixed offset)",
    "successor": "looks at the member before in an order ({points} points over a fixed offset)",
    "name-mover": "looks at the name that is not repeated ({points} points over a fixed offset)",
    "copy-suppression": "writes against what it finds ({points} points over a fixed offset)",
    "retrieval": "finds what a needle says ({points} points over a fixed offset)",
    "sink": "rests on the first token ({share} of its attention)",
    "no-op": "rests where hardly anything is moved ({share} of its attention)",
    "yes": "the model needs it for {relations}",
    "together": "the model needs it, or another that follows the same, for {relations}",
    "no": "the model does without it for {relations}",
    "unclear": "whether the model needs it for {relations} is unclear",
    "left": "left",
    "right": "right",
    "and": " and ",
    "comma": ", ",
    "semicolon": "; ",
}
"""The phrases of a description, in English; whoever wants another language gives its own."""

_FOLLOWS = ("syntactic", "semantic", "logical", "discourse-cue")
_MOST_NAMED = 3


def describe_head(
    layer: int,
    head: int,
    roles: pd.DataFrame,
    claims: pd.DataFrame | None = None,
    phrases: Mapping[str, str] = PHRASES,
) -> str:
    """Return one sentence on what a head does and whether the model needs it.

    Relations stand in the order of their lifts, three of a kind at most; whether the model needs
    the head is said of the relations whose supported claim names it.

    Args:
        layer: Counted from 0.
        head: Counted from 0.
        roles: The roles frame.
        claims: The claims frame; its column `needed` is read where it has one.
        phrases: Of another language; the keys of `PHRASES`.

    Raises:
        InputError: If a phrase is missing.

    Example:
        >>> none = pd.DataFrame({"layer": [], "head": [], "role": [], "effect": []})
        >>> describe_head(2, 8, none)
        'No role was found for head 2-8.'
    """
    missing = [key for key in PHRASES if key not in phrases]
    if missing:
        raise InputError(
            f"phrases ({len(phrases)}) must hold all that a description is made of; "
            f"missing: {', '.join(missing)}."
        )
    name = f"{layer}-{head}"
    own = roles[(roles["layer"] == layer) & (roles["head"] == head)]
    if own.empty:
        return phrases["nothing"].format(head=name)
    said = [*_followed(own, phrases), *_looks(own, phrases), *_needed(layer, head, claims, phrases)]
    return phrases["head"].format(head=name, what=phrases["semicolon"].join(said))


def _followed(own: pd.DataFrame, phrases: Mapping[str, str]) -> list[str]:
    said = []
    for family in _FOLLOWS:
        rows = own[own["role"].str.partition(":")[0] == family]
        rows = rows.sort_values("effect", ascending=False, kind="stable")
        named = [
            phrases["relation"].format(
                relation=row["role"].partition(":")[2], points=f"{100 * row['effect']:+.0f}"
            )
            for row in rows.to_dict("records")
        ]
        if named:
            said.append(phrases[family].format(relations=_listed(named[:_MOST_NAMED], phrases)))
    return said


def _looks(own: pd.DataFrame, phrases: Mapping[str, str]) -> list[str]:
    said = []
    for row in own.to_dict("records"):
        family, _, offset = row["role"].partition(":")
        if family not in _FOLLOWS:
            tag, _, side = offset.partition(":")
            said.append(
                phrases[family].format(
                    offset=f"{int(offset):+d}" if family == "positional" else offset,
                    tag=tag,
                    side=phrases[side] if family == "word-class" else "",
                    share=f"{100 * row['effect']:.0f} %",
                    points=f"{100 * row['effect']:+.0f}",
                )
            )
    return said


def _needed(
    layer: int, head: int, claims: pd.DataFrame | None, phrases: Mapping[str, str]
) -> list[str]:
    if claims is None or "needed" not in claims:
        return []
    named = claims[
        (claims["layer"] == layer) & (claims["head"] == head) & (claims["verdict"] == "supported")
    ]
    found: dict[Any, list[str]] = {answer: [] for answer in ("yes", "together", "no", "unclear")}
    for row in named.to_dict("records"):
        if row["needed"] in found and row["relation"] not in found[row["needed"]]:
            found[row["needed"]].append(row["relation"])
    return [
        phrases[answer].format(relations=_listed(relations, phrases))
        for answer, relations in found.items()
        if relations
    ]


def _listed(names: Sequence[str], phrases: Mapping[str, str]) -> str:
    if len(names) == 1:
        return names[0]
    return phrases["comma"].join(names[:-1]) + phrases["and"] + names[-1]
