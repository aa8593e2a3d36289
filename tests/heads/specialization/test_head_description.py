"""What a head does in one sentence: from its roles and claims, and from nothing else."""

import pandas as pd
import pytest

from inspector.errors import InputError
from inspector.heads.specialization.head_description import PHRASES, describe_head

ROLES = pd.DataFrame(
    [
        (2, 8, "syntactic:det", 0.2047),
        (2, 8, "syntactic:case", 0.3237),
        (2, 8, "semantic:coref:pronoun", 0.15),
        (0, 1, "positional:-1", 0.934),
        (0, 2, "special-token", 0.6),
        (0, 2, "broad", 0.95),
        (0, 3, "duplicate-token", 0.5),
        (0, 4, "word-class:VERB:left", 0.104),
        (0, 4, "keyword:but", 0.26),
        *((1, 1, f"syntactic:r{i}", 0.1 * i) for i in range(1, 6)),
    ],
    columns=["layer", "head", "role", "effect"],
)
CLAIMS = pd.DataFrame(
    [
        (2, 8, "det", "dependent_to_head", "supported", "yes"),
        (2, 8, "det", "attended_by_head", "supported", "yes"),
        (2, 8, "case", "dependent_to_head", "supported", "no"),
        (2, 8, "nsubj", "dependent_to_head", "supported", "unclear"),
        (2, 8, "cc", "dependent_to_head", "supported", "together"),
        (2, 8, "obj", "dependent_to_head", "not supported", "yes"),
        (0, 2, "obj", "dependent_to_head", "supported", ""),
    ],
    columns=["layer", "head", "relation", "direction", "verdict", "needed"],
)


def test_relations_come_by_lift_and_what_the_model_needs_after_them():
    assert describe_head(2, 8, ROLES, CLAIMS) == (
        "Head 2-8 follows the syntax of case (+32 points over a fixed offset) and det (+20 points "
        "over a fixed offset); follows the meaning of coref:pronoun (+15 points over a fixed "
        "offset); the model needs it for det; the model needs it, or another that follows the "
        "same, for cc; the model does without it for case; whether the model needs it for nsubj is "
        "unclear."
    )


def test_without_ablation_nothing_is_said_of_need():
    for claims in (None, CLAIMS.drop(columns="needed")):
        assert "needs" not in describe_head(2, 8, ROLES, claims)


def test_where_it_looks():
    assert describe_head(0, 1, ROLES) == "Head 0-1 looks mostly at offset -1 (93 %)."
    assert describe_head(0, 2, ROLES, CLAIMS) == (
        "Head 0-2 rests on special tokens (60 % of its attention); looks at nearly everything "
        "alike (its entropy is 95 % of the highest)."
    )
    assert describe_head(0, 3, ROLES) == (
        "Head 0-3 looks at the same token elsewhere (50 % of its attention)."
    )
    assert describe_head(0, 4, ROLES) == (
        "Head 0-4 looks to the left for the next VERB (+10 points over a fixed offset); looks at "
        "the word 'but' whoever asks (+26 points over a fixed offset)."
    )


def test_three_relations_of_a_kind_at_most():
    said = describe_head(1, 1, ROLES)
    assert [f"r{i}" in said for i in range(1, 6)] == [False, False, True, True, True]
    assert said.index("r5") < said.index("r4") < said.index("r3")


def test_a_head_without_a_role():
    assert describe_head(5, 5, ROLES, CLAIMS) == "No role was found for head 5-5."


def test_phrases_must_be_whole():
    with pytest.raises(InputError) as error:
        describe_head(2, 8, ROLES, phrases={"nothing": ""})
    assert str(error.value) == (
        "phrases (1) must hold all that a description is made of; missing: "
        + ", ".join(name for name in PHRASES if name != "nothing")
        + "."
    )
