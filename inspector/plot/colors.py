"""The colours of charts and tables, such that the colour-blind tell them apart, and their marks.

Must not know: Altair, for which a page with its first table does not wait.
"""

# Okabe & Ito's colours that show on white and on black alike.
CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
MARK = "#ff4b33"
"""The frame around a cell that is chosen, or that failed."""
REFERENCE = "#8a8a8a"
"""Lines to compare with."""

VERDICTS = ("supported", "explained", "not supported", "underpowered")
"""In the order of the legend."""
NEEDED_MARKS = {"yes": "✓", "together": "+", "no": "✗", "unclear": "?"}
"""Verdict of an ablation → its mark; of several a head has the first."""
NEEDED_COLORS = dict(
    zip(NEEDED_MARKS, ("#00704f", CATEGORIES[0], "#b34a00", "#6b6b6b"), strict=True)
)
SIGNED = ("_symmetry", "_positivity")
"""What the statistics from −1 to 1 end in; they are coloured around 0."""
FAMILIES = (
    "syntactic",
    "positional",
    "special-token",
    "broad",
    "duplicate-token",
    "semantic",
    "logical",
    "position",
    "word-class",
    "keyword",
    "discourse-cue",
    "previous-token",
    "induction",
    "successor",
    "name-mover",
    "copy-suppression",
    "retrieval",
    "sink",
    "no-op",
)
"""What stands before the colon of a role, in the order of a cell's stripes."""
FAMILY_COLORS = dict(
    zip(
        FAMILIES,
        (
            *(*CATEGORIES, "#f0e442", "#7f4f24", "#6a5acd", "#b3b300", "#800000"),
            *(
                "#004d71",
                "#b15928",
                "#00c49a",
                "#ff99dd",
                "#7b1e3a",
                "#4cc9ff",
                "#7a7a7a",
                "#b8b8b8",
            ),
        ),
        strict=True,
    )
)
"""Okabe & Ito's with their yellow; then ours."""


def family_of(role: str) -> str:
    """Return what stands before the colon of a role.

    Example:
        >>> family_of("syntactic:obj")
        'syntactic'
    """
    return role.partition(":")[0]
