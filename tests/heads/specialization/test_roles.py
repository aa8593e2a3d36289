"""Roles: who earns one, by which figures, in which words."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from support.each import each
from support.planted.counts import changed, null_counts, plant

from inspector.errors import InputError
from inspector.heads.counts import DIRECTIONS, RelationCounts
from inspector.heads.observers import BEHAVIOUR_COLUMNS
from inspector.heads.specialization import roles as roles_module
from inspector.heads.specialization.claims import CLAIMS_COLUMNS, relation_claims
from inspector.heads.specialization.roles import ROLES_COLUMNS, RoleRule, head_roles, role_rules
from inspector.heads.specialization.semantic_controls import SEMANTIC_CONTROLS_COLUMNS
from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS, supported_heads


def behaviour_of(*heads: dict[str, Any]) -> pd.DataFrame:
    """Return a behaviour frame of one layer: heads that do nothing but what is given."""
    rows = [
        dict.fromkeys(BEHAVIOUR_COLUMNS, 0.1)
        | {"layer": 0, "head": number, "queries": 99, "offset_mode": -1, "norm_offset_mode": -1}
        | head
        for number, head in enumerate(heads)
    ]
    return pd.DataFrame(rows, columns=list(BEHAVIOUR_COLUMNS)).astype(BEHAVIOUR_COLUMNS)


def no_rows(columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in columns}).astype(columns)


def roles_of(*heads: dict[str, Any]) -> pd.DataFrame:
    return head_roles(behaviour_of(*heads), no_rows(CLAIMS_COLUMNS), no_rows(SUPPORT_COLUMNS))


def claim(**fields: Any) -> dict[str, Any]:
    """Return a row of a supported claim."""
    return {
        "relation": "det", "direction": "dependent_to_head", "layer": 2, "head": 8, "n": 512,
        "accuracy": 0.8212, "baseline_offset": 1, "baseline_accuracy": 0.55, "lift": 0.2712,
        "ci_low": 0.22, "ci_high": 0.31, "p_value": 1e-4, "q_value": 2e-4,
        "selection_accuracy": 0.83, "optimism": 0.0088, "random_init_accuracy": 0.301,
        "random_init_n": 512, "random_init_error": 0.0, "verdict": "supported",
    } | fields  # fmt: skip


def own(**fields: Any) -> dict[str, Any]:
    """Return a row of a head's own support."""
    row = claim(q_value=0.012, supported=True) | fields
    return {name: row[name] for name in SUPPORT_COLUMNS}


def syntactic(claims: list[dict[str, Any]], supported: list[dict[str, Any]]) -> pd.DataFrame:
    return head_roles(
        behaviour_of(),
        pd.DataFrame(claims, columns=list(CLAIMS_COLUMNS)).astype(CLAIMS_COLUMNS),
        pd.DataFrame(supported, columns=list(SUPPORT_COLUMNS)).astype(SUPPORT_COLUMNS),
    )


@pytest.mark.parametrize(("queries", "found"), [(19, []), (20, ["positional:-1"])])
def test_of_few_tokens_behaviour_earns_nothing(queries: int, found: list[str]) -> None:
    assert roles_of({"offset_share": 1.0, "queries": queries})["role"].tolist() == found


def test_columns_types_and_index() -> None:
    for frame in (roles_of(), roles_of({}), roles_of({"entropy_share": 0.95}), syntactic([], [])):
        assert list(frame.columns) == [
            "layer", "head", "role", "evidence", "effect", "ci_low", "ci_high",
        ]  # fmt: skip
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == ROLES_COLUMNS
        assert isinstance(frame.index, pd.RangeIndex)


def test_a_head_that_does_nothing_in_particular_has_no_role() -> None:
    assert roles_of({}, {}).empty


@each(
    ("head", "role", "effect"),
    [
        ({"offset_share": 0.90, "offset_mode": -1}, "positional:-1", 0.90),
        ({"offset_share": 0.97, "offset_mode": 1}, "positional:1", 0.97),
        ({"offset_share": 0.97, "offset_mode": 0}, "positional:0", 0.97),
        ({"special_mass": 0.5, "norm_special_mass": 0.5}, "special-token", 0.5),
        ({"entropy_share": 0.9}, "broad", 0.9),
        ({"duplicate_mass": 0.5}, "duplicate-token", 0.5),
    ],
)
def test_a_threshold_is_reached_by_reaching_it(
    head: dict[str, float], role: str, effect: float
) -> None:
    frame = roles_of({}, head)
    assert frame[["layer", "head", "role", "effect"]].to_dict("records") == [
        {"layer": 0, "head": 1, "role": role, "effect": effect}
    ]
    assert frame[["ci_low", "ci_high"]].isna().all(axis=None)


@each(
    "head",
    [
        {"offset_share": 0.8999},
        {"special_mass": 0.9, "norm_special_mass": 0.49},
        {"special_mass": 0.49, "norm_special_mass": 0.9},
        {"entropy_share": 0.8999},
        {"duplicate_mass": 0.4999},
        {"duplicate_mass": math.nan, "entropy_share": math.nan, "offset_share": math.nan},
    ],
)
def test_nothing_is_earned_below_a_threshold(head: dict[str, float]) -> None:
    assert roles_of(head).empty


def test_a_head_may_have_several_roles_in_a_fixed_order() -> None:
    everything = {
        "offset_share": 0.95,
        "special_mass": 0.6,
        "norm_special_mass": 0.7,
        "entropy_share": 0.92,
        "duplicate_mass": 0.8,
    }
    behaviour = behaviour_of(everything, {}, everything).iloc[::-1]
    claims = pd.DataFrame([claim(layer=0, head=2), claim(layer=0, head=0, relation="amod")])
    supported = pd.DataFrame([own(layer=0, head=2, relation="case")])
    frame = head_roles(behaviour, claims.astype(CLAIMS_COLUMNS), supported)
    four = ["positional:-1", "special-token", "broad", "duplicate-token"]
    assert frame["role"].tolist() == [
        *four, "syntactic:amod", *four, "syntactic:case", "syntactic:det",
    ]  # fmt: skip
    assert frame["head"].tolist() == [0] * 5 + [2] * 6


def test_the_words_of_each_role() -> None:
    def words(**head: float) -> str:
        return str(roles_of(head)["evidence"][0])

    looks = "of its strongest looks go to"
    assert words(offset_share=0.931) == (
        f"93.1 % {looks} the previous token, special tokens set aside."
    )
    assert words(offset_share=1, offset_mode=1) == (
        f"100.0 % {looks} the next token, special tokens set aside."
    )
    assert words(offset_share=0.95, offset_mode=0) == (
        f"95.0 % {looks} the token itself, special tokens set aside."
    )
    assert words(offset_share=0.95, offset_mode=-3) == (
        f"95.0 % {looks} the token 3 before, special tokens set aside."
    )
    assert words(offset_share=0.95, offset_mode=2) == (
        f"95.0 % {looks} the token 2 after, special tokens set aside."
    )
    assert words(special_mass=0.712, norm_special_mass=0.63) == (
        "Special tokens get 71.2 % of its attention, and 63.0 % of it by the norm of what is moved."
    )
    assert words(entropy_share=0.953) == (
        "The entropy of its attention is 95.3 % of the highest possible: it looks at nearly "
        "everything alike."
    )
    assert words(duplicate_mass=0.62) == (
        "Where a token occurs again in the text, 62.0 % of its attention goes to the other "
        "occurrences."
    )


@pytest.mark.parametrize(
    ("direction", "start"),
    [
        ("dependent_to_head", "From the dependent of det it looks most at its head"),
        ("head_to_dependent", "From the head of det it looks most at that dependent"),
        ("attended_by_head", "Of all words the head of det looks most at that dependent"),
    ],
)
def test_the_words_of_a_syntactic_role(direction: str, start: str) -> None:
    rest = (
        f" in 82.1 % of 512 pairs ({direction}); the fixed offset +1 gets 55.0 %. The lift is "
        "27.1 points, 95 % interval 22.0 to 31.0, q = {}; with random weights the best head "
        "reaches 30.1 %."
    )
    by_claim = syntactic([claim(direction=direction)], []).iloc[0]
    assert by_claim["evidence"] == start + rest.format("0.0002 over all claims")
    by_itself = syntactic([], [own(direction=direction)]).iloc[0]
    assert by_itself["evidence"] == start + rest.format("0.012 over all heads")
    assert (by_claim["effect"], by_claim["ci_low"], by_claim["ci_high"]) == (0.2712, 0.22, 0.31)


def test_what_is_not_supported_earns_nothing() -> None:
    assert syntactic(
        [claim(verdict="not supported"), claim(verdict="underpowered", relation="obj")],
        [own(supported=False)],
    ).empty


def test_one_row_for_a_head_and_relation_that_holds_in_several_directions() -> None:
    frame = syntactic(
        [claim(lift=0.2), claim(lift=0.3, direction="attended_by_head")],
        [own(lift=0.2), own(lift=0.25, direction="head_to_dependent")],
    )
    assert len(frame) == 1
    row = frame.iloc[0]
    assert row["effect"] == 0.3
    assert "(attended_by_head)" in row["evidence"]
    assert row["evidence"].endswith(
        " It follows it as head_to_dependent and dependent_to_head too."
    )


def test_of_equal_lifts_the_first_direction_is_shown() -> None:
    frame = syntactic(
        [claim(direction=DIRECTIONS[2]), claim(direction=DIRECTIONS[0])],
        [own(direction=DIRECTIONS[1])],
    )
    assert f"({DIRECTIONS[0]})" in frame["evidence"][0]


def test_the_claims_correction_is_named_where_both_hold() -> None:
    frame = syntactic([claim()], [own()])
    assert "over all claims" in frame["evidence"][0]
    assert len(frame) == 1


def random_models_of(counts: RelationCounts) -> list[RelationCounts]:
    nothing = changed(counts, correct=np.zeros_like(counts.correct))
    return [nothing] * 3


def test_planted_heads_get_their_roles_from_counts_and_no_other_does() -> None:
    counts = plant(null_counts(12, n_documents=80), "obj", DIRECTIONS[1], (3, 4), 0.75)
    counts = plant(counts, "obj", DIRECTIONS[1], (1, 0), 0.65)
    claims = relation_claims(counts, random_models_of(counts))
    supported = supported_heads(counts, random_models_of(counts))
    frame = head_roles(behaviour_of(), claims, supported)
    assert frame[["layer", "head", "role"]].to_dict("split")["data"] == [
        [1, 0, "syntactic:obj"],
        [3, 4, "syntactic:obj"],
    ]
    row = claims[claims["verdict"] == "supported"].iloc[0]
    assert frame["effect"][1] == row["lift"]
    assert (frame["ci_low"][1], frame["ci_high"][1]) == (row["ci_low"], row["ci_high"])


def test_the_rules_are_those_of_the_issue_and_name_their_sources() -> None:
    rules = role_rules()
    assert {role: dict(rule.at_least) for role, rule in rules.items()} == {
        "positional": {"offset_share": 0.9},
        "special-token": {"special_mass": 0.5, "norm_special_mass": 0.5},
        "no-op": {"special_mass": 0.5},
        "no-op/first": {"first_mass": 0.5},
        "broad": {"entropy_share": 0.9},
        "duplicate-token": {"duplicate_mass": 0.5},
    }
    assert {role: dict(rule.at_most) for role, rule in rules.items() if rule.at_most} == {
        "no-op": {"norm_special_mass": 0.1},
        "no-op/first": {"norm_first_mass": 0.1},
    }
    for rule in rules.values():
        assert set(rule.at_least) <= set(BEHAVIOUR_COLUMNS)
        assert "arXiv:" in rule.source


def test_the_rules_come_from_the_file() -> None:
    path = roles_module.files("inspector.heads.specialization").joinpath("roles.yaml")
    stored = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {role: rule["at_least"] for role, rule in stored.items()} == {
        role: rule.at_least for role, rule in role_rules().items()
    }


def test_rules_of_ones_own() -> None:
    strict = {"broad": RoleRule({"entropy_share": 0.99}, source="mine")}
    behaviour = behaviour_of({"entropy_share": 0.95, "offset_share": 1.0}, {"entropy_share": 0.99})
    frame = head_roles(behaviour, no_rows(CLAIMS_COLUMNS), no_rows(SUPPORT_COLUMNS), strict)
    assert frame[["head", "role"]].to_dict("split")["data"] == [[1, "broad"]]
    assert head_roles(behaviour, no_rows(CLAIMS_COLUMNS), no_rows(SUPPORT_COLUMNS), {}).empty


def test_a_rule_for_no_role_is_refused() -> None:
    with pytest.raises(InputError) as error:
        head_roles(
            behaviour_of(),
            no_rows(CLAIMS_COLUMNS),
            no_rows(SUPPORT_COLUMNS),
            {"lazy": RoleRule({"entropy_share": 0.5}, source="mine")},
        )
    assert str(error.value) == (
        "rules (lazy) must be for roles that behaviour can earn. "
        "Available: positional, special-token, no-op, no-op/first, broad, duplicate-token."
    )


def test_a_frame_without_its_columns_is_refused() -> None:
    behaviour, claims, own_support = (
        behaviour_of({}), no_rows(CLAIMS_COLUMNS), no_rows(SUPPORT_COLUMNS),
    )  # fmt: skip

    def refusal(*frames: pd.DataFrame) -> str:
        with pytest.raises(InputError) as error:
            head_roles(*frames)
        return str(error.value)

    poorer = behaviour.drop(columns=["special_mass", "offset_mode"])
    assert refusal(poorer, claims, own_support) == (
        f"behaviour ({len(BEHAVIOUR_COLUMNS) - 2} columns) must have the columns of its frame; "
        "missing: offset_mode, special_mass."
    )
    assert refusal(behaviour, claims.drop(columns="verdict"), own_support) == (
        "claims (16 columns) must have the columns of its frame; missing: verdict."
    )
    assert refusal(behaviour, claims, claims) == (
        "supported (17 columns) must have the columns of its frame; missing: random_init_n, "
        "random_init_error, supported."
    )


KEY = ("relation", "direction", "layer", "head")


def test_what_is_explained_or_found_among_mentions_alone_earns_no_role() -> None:
    """What survives its controls does: but to choose among mentions is to be told half of it."""
    names = ("coref:pronoun", "coref:pronoun:mentions", "coref:proper")
    rows = [claim(relation=name) for name in names]
    kept = dict.fromkeys(SEMANTIC_CONTROLS_COLUMNS, 0.5) | {"verdict": "survives"}
    controls = pd.DataFrame([kept | {name: row[name] for name in KEY} for row in rows])
    controls.loc[2, "verdict"] = "explained by the nearest mention"
    roles = head_roles(
        behaviour_of(),
        pd.DataFrame(rows, columns=list(CLAIMS_COLUMNS)).astype(CLAIMS_COLUMNS),
        no_rows(SUPPORT_COLUMNS),
        kinds=dict.fromkeys(names, "semantic"),
        controls=controls,
    )
    assert list(roles["role"]) == ["semantic:coref:pronoun"]


def test_weight_without_norm_is_a_no_op_of_encoders_and_decoders() -> None:
    on_separator = {"special_mass": 0.9, "norm_special_mass": 0.0}
    on_first = {"first_mass": 0.8, "norm_first_mass": 0.05}
    both = on_separator | {"norm_special_mass": 0.6}
    # Of both kinds of token more weight is on the special ones, but by norm only the first is idle.
    first_of_both = {"special_mass": 0.75, "norm_special_mass": 0.16} | on_first
    first_of_both |= {"first_mass": 0.7}
    little = {"special_mass": 0.4, "norm_special_mass": 0.0}
    frame = roles_of(on_separator, on_first, both, little, first_of_both)
    assert list(zip(frame["head"], frame["role"], strict=True)) == [
        (0, "no-op"), (1, "no-op"), (2, "special-token"), (4, "no-op"),
    ]  # fmt: skip
    assert frame["evidence"][3].startswith("The first token gets 70.0 % of its attention, but 5.0")
    assert frame["evidence"][0] == (
        "Special tokens get 90.0 % of its attention, but 0.0 % of it by the norm of what is moved: "
        "looking there moves hardly anything."
    )
    assert frame["evidence"][1].startswith("The first token gets 80.0 % of its attention, but 5.0")
    assert frame["effect"].tolist() == [0.9, 0.8, 0.9, 0.7]
