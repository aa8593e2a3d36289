"""Files of claims: what may stand in one, and what is said of the line that may not."""

import pytest
from support.each import each

from inspector.errors import InputError, OutputError
from inspector.runs.check.checking import PUBLISHED, given_claims
from inspector.runs.check.claim import ANY
from inspector.runs.check.claims_file import read_claims

FILE = """\
model: minilm
counting: 1
source: somebody
claims:
- {layer: 3, head: 9, relation: det, direction: from the dependent}
- head: 0-2
  counting: 0
  attends_to: the previous word
  model: other
- "head 2-9: determiners look at their nouns"
- {head: any, relation: dobj}
- {claim: layer 4 head 1 follows subjects, paper: someone else}
- {claim: 2-8 det, direction: head->dep, counting: 0}
- {head: L3H10, relation: det}
"""


def write(folder, text):
    path = folder / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_with_what_its_claims_share(tmp_path):
    claims = read_claims(write(tmp_path, FILE))
    found = [(one.model, one.layer, one.head, one.what, one.direction) for one in claims]
    assert found == [
        ("minilm", 2, 8, "det", "dependent_to_head"),
        ("other", 0, 2, "previous token", ""),
        ("minilm", 1, 8, "det", "dependent_to_head"),
        ("minilm", ANY, ANY, "obj", ""),
        ("minilm", 3, 0, "nsubj", ""),
        ("minilm", 2, 8, "det", "head_to_dependent"),
        ("minilm", 2, 9, "det", ""),
    ]
    assert [one.place for one in claims] == [
        f"claims.yaml, line {line}" for line in (5, 6, 10, 11, 12, 13, 14)
    ]
    assert [one.source for one in claims] == ["somebody"] * 4 + ["someone else", *["somebody"] * 2]


DET = "layer: 2, head: 8, relation: det"
REFUSED = {
    "": "claims file (claims.yaml) must be a list of claims, or have one under 'claims': ",
    "claims: []": "claims file (claims.yaml) must be a list of claims",
    "- 3": "claims.yaml, line 1: claim (3) must be a sentence, or a mapping. Available: model,",
    "- minilm 2-8 det\n- {layer: 2, head: 8}": (
        "claims.yaml, line 2: relation or target must be given, a claim says what its head does."
    ),
    "- {layer: 2, head: 8, relation: detx}": (
        "claims.yaml, line 1: relation (detx) must be one of Universal Dependencies or of the "
        "corpus. Available: acl, "
    ),
    "- {layer: 2, head: 8, target: the moon}": (
        "claims.yaml, line 1: claim (the moon) must say what the head does. Available: "
    ),
    f"- {{{DET}}}\n-\n  layer: 2\n  direktion: up": (
        "claims.yaml, line 4: field (direktion) must be one of a claim's. Available: model, layer,"
    ),
    f"- {{{DET}, direction: up}}": (
        "claims.yaml, line 1: direction (up) must be one of the three, or be left out. Available: "
        "dependent_to_head, head_to_dependent, attended_by_head."
    ),
    f"- {{{DET}, counting: 2}}": (
        "claims.yaml, line 1: counting (2) must be the number from which layers and heads are "
        "counted. Available: 0, 1."
    ),
    f"- {{{DET}, counting: [1]}}": "claims.yaml, line 1: counting ([1]) must be",
    "- {layer: 0, head: 8, relation: det, counting: 1}": (
        "claims.yaml, line 1: layer (0) must be at least 1, from which the claim counts: "
    ),
    "- {layer: -1, head: 8, relation: det}": "claims.yaml, line 1: layer (-1) must be at least 0",
    "- {layer: true, head: 8, relation: det}": (
        "claims.yaml, line 1: layer (True) must be a whole number: "
    ),
    "- {layer: 2, head: 2.5, relation: det}": "claims.yaml, line 1: head (2.5) must be a whole",
    "- {head: 2.10, relation: det}": "claims.yaml, line 1: head (2.1) must be a whole number: ",
    "- {layer: 010, head: 8, relation: det}": (
        "claims file (claims.yaml) must be YAML: 010 in it is read as 8: write plain digits, line 1"
    ),
    "- {layer: 1:30, head: 8}": "claims file (claims.yaml) must be YAML: 1:30 in it is read as 90",
    "- {layer: 2, head: 8, target: next token, direction: from the head}": (
        "claims.yaml, line 1: direction (from the head) must be left out: a target (next token) "
    ),
    "- {claim: 2-8 next token, direction: head->dep}": "claims.yaml, line 1: direction (head->dep)",
    f"- {{{DET}, target: next token}}": (
        "claims.yaml, line 1: relation or target must be given, not both. "
    ),
    "- {layer: 2, head: 8, relation: [det]}": (
        "claims.yaml, line 1: relation (['det']) must be text: put it in quotes."
    ),
    f"relation: det\nclaims: [{{{DET}}}]": (
        "claims.yaml: field (relation) cannot be given for all claims at once. "
    ),
    "a: &x 1\nclaims: [*x]": (
        "claims file (claims.yaml) must be YAML: it has aliases (*name): write out what they stand"
    ),
    f"- {{layer: {'9' * 50}}}": (
        "claims file (claims.yaml) must be YAML: a number in it has more than 40 digits."
    ),
    "- " + "[" * 3000: "claims file (claims.yaml) must be YAML: it is nested too deeply.",
    "- !!python/object:os.system {}": "claims file (claims.yaml) must be YAML: ",
    "[" + "a," * 2001 + "]": "claims file (claims.yaml) must have at most 2000 claims, not 2001",
}


DET_28 = "head: 2-8, relation: det"
AT_ODDS = {
    "claim: head 2-8 det, layer: 3": ("layer (3)", "2"),
    "claim: head 2-8 is funny, layer: 2, head: 9, relation: det": ("head (9)", "8"),
    "claim: head 2-8 det, head: L2H9, relation: det": ("head (L2H9)", "2-8"),
    "claim: head 2-8 det, head: any, relation: det": ("head (any)", "2-8"),
    "claim: '8-11 det (from 1)', layer: 8, head: 11, relation: det": (
        "layer (8)", "8, counting from 1"
    ),
    f"claim: objects attend to their verbs, {DET_28}": ("relation (det)", "obj"),
    "claim: head 2-8 det, relation: obj": ("relation (obj)", "det"),
    f"claim: attends to the next token, {DET_28}": ("relation (det)", "next token"),
    "claim: looks at 'but', head: 2-8, target: the word 'and'": (
        "target (the word 'and')", "keyword:but"
    ),
    f"claim: nouns attend to their determiners, {DET_28}, direction: dep->head": (
        "direction (dep->head)", "head_to_dependent"
    ),
    "claim: '2-8 det, from the noun', direction: from the dependent": (
        "direction (from the dependent)", "head_to_dependent"
    ),
    "claim: minilm 2-8 det, model: bert-base-uncased": ("model (bert-base-uncased)", "minilm"),
    "claim: '2-8 det, 1-based', counting: 0": ("counting (0)", "1"),
}  # fmt: skip


@each(("fields", "values"), AT_ODDS.items(), ids=AT_ODDS)
def test_a_field_at_odds_with_its_sentence_is_refused(tmp_path, fields, values):
    with pytest.raises(InputError) as error:
        read_claims(write(tmp_path, f"- 2-8 det\n- {{{fields}}}"))
    assert str(error.value) == (
        f"claims.yaml, line 2: {values[0]} must be what the claim's sentence says ({values[1]}): "
        "correct one of the two, or leave one out."
    )


def test_a_sentence_that_agrees_or_is_no_claim_is_kept_as_it_was_said(tmp_path):
    quotes = {
        "head 2-8 of minilm follows det": "head: 2-8, relation: det, model: minilm",
        "3-9 det, from the determiner": (
            "layer: 3, head: 9, relation: det, counting: 1, direction: dep->head"
        ),
        "3-9 det (1-indexed)": DET_28,
        "layer 3 head 9 follows det": "head: 3-9, relation: det, counting: 1",
        "determiners look at their nouns": DET_28,
        "subjects of passives look at the verb, table 4.2": 'head: 2-8, relation: "nsubj:pass"',
        "see sec. 4.2": DET_28,
        "it was so in 1994-95": DET_28,
        "heads 3-1 and 3-2 do the same": DET_28,
        "the head is odd": "head: any, target: next token",
    }
    rows = "\n".join(f'- {{claim: "{said}", {fields}}}' for said, fields in quotes.items())
    claims = read_claims(write(tmp_path, rows))
    assert [one.said for one in claims] == list(quotes)
    assert {(one.layer, one.head) for one in claims} == {(2, 8), (ANY, ANY)}


@each(("text", "said"), REFUSED.items(), ids=lambda value: value[:30])
def test_what_a_file_may_not_hold_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read_claims(write(tmp_path, text))
    assert str(error.value).startswith(said)


def test_files_that_cannot_be_read(tmp_path):
    for path, why in ((tmp_path / "no.yaml", "No such file"), (tmp_path, "it is")):
        with pytest.raises(OutputError, match="cannot be read") as error:
            read_claims(path)
        assert why in str(error.value) or "Is a directory" in str(error.value)
    big = write(tmp_path, "#" * 1_000_001)
    with pytest.raises(OutputError, match=r"it is larger than 1,000,000 bytes"):
        read_claims(big)


def test_published_claims_name_their_source_and_count_from_zero_inside():
    assert {"clark-2019", "voita-2019", "htut-2019", "kovaleva-2019"} <= {*PUBLISHED}
    for name in PUBLISHED:
        for claim, is_published in given_claims(name):
            assert is_published
            assert claim.source
            assert claim.model
    clark = {(one.layer, one.head, one.what) for one, _ in given_claims("clark-2019")}
    # The authors' code counts from 0: their 8-11 is its 7-10 (Clark et al. 2019, notebook).
    assert {(7, 10, "det"), (7, 9, "obj"), (4, 3, "coref:pronoun")} <= clark
