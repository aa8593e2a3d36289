"""What a head may be called, and why: each role with the figures that earned it.

Thresholds and their sources stand in roles.yaml; the roles of relations follow from claims,
support and, for meaning and logic, their controls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from inspector.corpora.annotation.matched_pairs import OF_TREES, WITHOUT_CONTROLS
from inspector.corpora.battery.text import KINDS as OF_BATTERY
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.head_names import Head
from inspector.heads.counts import DIRECTIONS
from inspector.heads.specialization.claims import CLAIMS_COLUMNS
from inspector.heads.specialization.decoder_roles import DECODER_ROLES, decoder_roles, figures
from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS

ROLES_COLUMNS = dtypes("roles")
"""Columns of the roles frame, in order: column → dtype."""
MIN_QUERIES = 20
"""Tokens that look, of fewer of which behaviour earns no role."""


@dataclass(frozen=True)
class RoleRule:
    """What a head's behaviour must show to earn a role."""

    at_least: Mapping[str, float]
    """Column of the behaviour frame → the least it must be; the first one is the effect."""
    source: str
    """Where the thresholds come from."""
    at_most: Mapping[str, float] = field(default_factory=dict)
    """Column → the most it may be."""


@cache
def role_rules() -> dict[str, RoleRule]:
    """Return the rules that inspector ships with: role → what earns it.

    Example:
        >>> dict(role_rules()["special-token"].at_least)
        {'special_mass': 0.5, 'norm_special_mass': 0.5}
    """
    text = (
        files("inspector.heads.specialization").joinpath("roles.yaml").read_text(encoding="utf-8")
    )
    return {role: RoleRule(**rule) for role, rule in yaml.safe_load(text).items()}


def head_roles(
    behaviour: pd.DataFrame,
    claims: pd.DataFrame,
    supported: pd.DataFrame,
    rules: Mapping[str, RoleRule] | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
    controls: pd.DataFrame | None = None,
    simple: pd.DataFrame | None = None,
    scores: pd.DataFrame | None = None,
    suppression: Mapping[Head, float] | None = None,
) -> pd.DataFrame:
    """Return a row for each role of each head; a head may have several roles, or none.

    Columns:

    - layer, head: counted from 0.
    - role: 'positional:OFFSET' (key − query, in tokens), 'special-token', 'broad',
      'duplicate-token', 'position:K', 'word-class:UPOS:SIDE', 'keyword:WORD', 'syntactic:REL' (also
      for paths, as 'syntactic:obl+case'), 'semantic:REL', 'logical:REL' or, of connectives,
      'discourse-cue:REL'; 'no-op'; and of the decoder battery those of `decoder_roles`.
    - evidence: a sentence with the figures.
    - effect: the figure that earned the role: a share or mass from 0 to 1, or the lift over the
      baseline. ci_low, ci_high: the lift's 95 % interval; NaN for the others.

    What behaviour earns takes `MIN_QUERIES` tokens that look: of three words any head that looks at
    itself would be positional.

    A head is 'syntactic:REL' if a claim on it is supported, or its own lift is after correction
    over all heads. Of several directions the one with the largest lift is shown; the sentence
    names the others. A head is 'semantic:REL' or 'logical:REL' only for what survives its controls
    too, and never for a prediction among mention heads alone.

    Args:
        behaviour: The behaviour frame.
        claims: The frame of `relation_claims`.
        supported: The frame of `supported_heads`.
        rules: What earns the other roles; None takes those of `role_rules`.
        kinds: Relation → 'syntax', 'semantic' or 'logical'; syntax where it is not named.
        controls: The frame of `semantic_controls`; needed where a relation is not of syntax.
        simple: Rows of heads that a simpler rule explains ('position:K', 'word-class:UPOS:SIDE',
            'keyword:WORD'), as the ladder gives them.
        scores: The frame `probe_scores` of a decoder battery.
        suppression: Head → `suppression_share` of its circuits in the vocabulary.

    Raises:
        InputError: If a frame lacks a column, or a rule is for a role that does not exist.
    """
    rules = role_rules() if rules is None else rules
    unknown = [role for role in rules if role.partition("/")[0] not in _SENTENCES]
    if unknown:
        raise InputError(
            f"rules ({', '.join(unknown)}) must be for roles that behaviour can earn. "
            f"Available: {', '.join(_SENTENCES)}."
        )
    named = [name for rule in rules.values() for name in (*rule.at_least, *rule.at_most)]
    _check_columns("behaviour", behaviour, [*_IN_SENTENCES, *named])
    _check_columns("claims", claims, CLAIMS_COLUMNS)
    _check_columns("supported", supported, SUPPORT_COLUMNS)
    rows = _that_survive(_following_rows(claims, supported), kinds or {}, controls)
    is_probe = rows["kind"].isin(OF_BATTERY)
    earned = decoder_roles(rows[is_probe], behaviour, scores, suppression or {})
    earned += _earned_by_behaviour(behaviour, rules) + _earned_by_relations(rows[~is_probe])
    if simple is not None:
        earned += _of_simple_rules(simple, earned)
    families = [*_SENTENCES, *DECODER_ROLES, *_SIMPLE, *_ROLES.values(), "discourse-cue"]
    order = {role: place for place, role in enumerate(families)}
    earned.sort(
        key=lambda row: (row["layer"], row["head"], order[row["role"].split(":")[0]], row["role"])
    )
    frame = pd.DataFrame(earned, columns=list(ROLES_COLUMNS)).astype(ROLES_COLUMNS)
    return frame.drop_duplicates(["layer", "head", "role"], ignore_index=True)


def _of_simple_rules(
    simple: pd.DataFrame, earned: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the roles of heads that a simpler rule explains.

    A head that looks at nearly everything alike, or at special tokens, is not said to look at one
    position: of words that get the same attention the first is what it predicts.
    """
    nowhere = {(row["layer"], row["head"]) for row in earned if row["role"] in _NO_WORD}
    rows = [
        dict(zip(ROLES_COLUMNS, row, strict=True))
        for row in simple[list(ROLES_COLUMNS)].itertuples(index=False, name=None)
    ]
    return [
        row
        for row in rows
        if not row["role"].startswith("position:") or (row["layer"], row["head"]) not in nowhere
    ]


def _earned_by_behaviour(
    behaviour: pd.DataFrame, rules: Mapping[str, RoleRule]
) -> list[dict[str, Any]]:
    earned = []
    for name, rule in rules.items():
        bounds = [behaviour[column] >= least for column, least in rule.at_least.items()]
        bounds += [behaviour[column] <= most for column, most in rule.at_most.items()]
        bounds.append(behaviour["queries"] >= MIN_QUERIES)
        enough, role = np.all(bounds, axis=0), name.partition("/")[0]
        for row in behaviour[enough].to_dict("records"):
            offset = f":{row['offset_mode']}" if role == "positional" else ""
            earned.append(
                {
                    "layer": row["layer"],
                    "head": row["head"],
                    "role": f"{role}{offset}",
                    "evidence": _SENTENCES.get(name, _SENTENCES[role])(row),
                    "effect": row[next(iter(rule.at_least))],
                    "ci_low": np.nan,
                    "ci_high": np.nan,
                }
            )
    return earned


def _following_rows(claims: pd.DataFrame, supported: pd.DataFrame) -> pd.DataFrame:
    """Return every head, relation and direction that is supported, as claim or by itself."""
    named = claims[claims["verdict"] == "supported"].assign(corrected="over all claims")
    own = supported[supported["supported"]].assign(corrected="over all heads")
    rows = pd.concat([named, own], ignore_index=True).drop_duplicates(_KEY)
    rows["rank"] = rows["direction"].map(DIRECTIONS.index)
    return rows.sort_values("rank").sort_values("lift", ascending=False, kind="stable")


def _that_survive(
    rows: pd.DataFrame, kinds: Mapping[str, str], controls: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the rows of syntax, and those of meaning that no control explains away."""
    rows = rows.assign(kind=[kinds.get(name, "syntax") for name in rows["relation"]])
    if controls is None:
        return rows[rows["kind"].isin(WITHOUT_CONTROLS)]
    kept = controls[controls["verdict"] == "survives"]
    kept = kept[~kept["relation"].str.endswith(_RESTRICTED)]
    figures = kept[[*_KEY, "apart_lift", "matched_accuracy"]]
    rows = rows.merge(figures, on=_KEY, how="left")
    return rows[rows["kind"].isin(WITHOUT_CONTROLS) | rows["apart_lift"].notna()]


def _earned_by_relations(rows: pd.DataFrame) -> list[dict[str, Any]]:
    earned = []
    for (layer, head, relation), group in rows.groupby(["layer", "head", "relation"], sort=False):
        best, *others = group.to_dict("records")
        evidence = _following(best, [other["direction"] for other in others])
        if best["kind"] not in OF_TREES:
            evidence += _surviving(best)
        earned.append(
            {
                "layer": layer,
                "head": head,
                "role": f"{_family(str(relation), best['kind'])}:{relation}",
                "evidence": evidence,
                "effect": best["lift"],
                "ci_low": best["ci_low"],
                "ci_high": best["ci_high"],
            }
        )
    return earned


def _family(relation: str, kind: str) -> str:
    """Return what stands before the colon of a relation's role."""
    return "discourse-cue" if relation.startswith(_CUES) else _ROLES[kind]


def _positional(row: Mapping[Any, Any]) -> str:
    offset = int(row["offset_mode"])
    near = {-1: "the previous token", 0: "the token itself", 1: "the next token"}
    far = f"the token {abs(offset)} {'before' if offset < 0 else 'after'}"
    return (
        f"{_percent(row['offset_share'])} of its strongest looks go to {near.get(offset, far)}, "
        "special tokens set aside."
    )


def _special(row: Mapping[Any, Any]) -> str:
    return (
        f"Special tokens get {_percent(row['special_mass'])} of its attention, and "
        f"{_percent(row['norm_special_mass'])} of it by the norm of what is moved."
    )


def _no_op(row: Mapping[Any, Any]) -> str:
    return f"Special tokens get {_by_weight_not_norm(row, 'special')}"


def _no_op_at_first(row: Mapping[Any, Any]) -> str:
    return f"The first token gets {_by_weight_not_norm(row, 'first')}"


def _by_weight_not_norm(row: Mapping[Any, Any], place: str) -> str:
    return (
        f"{_percent(row[f'{place}_mass'])} of its attention, but "
        f"{_percent(row[f'norm_{place}_mass'])} of it by the norm of what is moved: looking there "
        "moves hardly anything."
    )


def _broad(row: Mapping[Any, Any]) -> str:
    return (
        f"The entropy of its attention is {_percent(row['entropy_share'])} of the highest "
        "possible: it looks at nearly everything alike."
    )


def _duplicate(row: Mapping[Any, Any]) -> str:
    return (
        f"Where a token occurs again in the text, {_percent(row['duplicate_mass'])} of its "
        "attention goes to the other occurrences."
    )


_SENTENCES: dict[str, Callable[[Mapping[Any, Any]], str]] = {
    "positional": _positional,
    "special-token": _special,
    "no-op": _no_op,
    "no-op/first": _no_op_at_first,
    "broad": _broad,
    "duplicate-token": _duplicate,
}

_IN_SENTENCES = (
    "layer", "head", "queries", "offset_mode", "offset_share", "special_mass", "norm_special_mass",
    "entropy_share", "duplicate_mass", "first_mass", "norm_first_mass",
)  # fmt: skip
"""Columns of the behaviour frame that the sentences and `MIN_QUERIES` speak of."""

_NO_WORD = ("broad", "special-token", "no-op", "sink")
"""Roles of heads that look at no word more than at others."""
_SIMPLE = ("position", "word-class", "keyword")
"""Families of the roles of heads that a simpler rule explains."""
_ROLES = {
    "syntax": "syntactic",
    "multi-hop": "syntactic",
    "semantic": "semantic",
    "logical": "logical",
}
"""Kind of a relation → what a head is called that follows it."""
_CUES = ("connective", "condition:cue")
"""How relations begin of words that join clauses: cues of discourse, no logic of their own."""
_KEY = ["layer", "head", "relation", "direction"]
_RESTRICTED = ":mentions"
_FOLLOWS = {
    "dependent_to_head": "From the dependent of {relation} it looks most at its head",
    "head_to_dependent": "From the head of {relation} it looks most at that dependent",
    "attended_by_head": "Of all words the head of {relation} looks most at that dependent",
}

_LEADS = {
    "dependent_to_head": "From where {relation} begins it looks most at where it leads",
    "head_to_dependent": "From where {relation} leads it looks most at where it begins",
    "attended_by_head": "Of all words, one to which {relation} leads looks most at where it begins",
}


def _surviving(row: Mapping[Any, Any]) -> str:
    """Return what is left of a relation of meaning when simpler explanations are ruled out."""
    return (
        " Without pairs of the same word or a path of one or two edges the lift is "
        f"{_points(row['apart_lift'])} points; of pairs matched in distance and part of speech it "
        f"finds {_percent(row['matched_accuracy'])}."
    )


def _following(row: Mapping[Any, Any], others: Sequence[str]) -> str:
    """Return why a head is said to follow a relation, and in which other directions it does."""
    also = f" It follows it as {' and '.join(others)} too." if others else ""
    follows = _FOLLOWS if row["kind"] == "syntax" else _LEADS
    return f"{follows[row['direction']].format(relation=row['relation'])} in {figures(row)}{also}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _check_columns(
    name: str, frame: pd.DataFrame, columns: Sequence[str] | Mapping[str, str]
) -> None:
    missing = [column for column in dict.fromkeys(columns) if column not in frame.columns]
    if missing:
        raise InputError(
            f"{name} ({len(frame.columns)} columns) must have the columns of its frame; "
            f"missing: {', '.join(missing)}."
        )
