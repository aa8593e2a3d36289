"""The frames that a run has, and the columns of each: what a folder is checked against.

Must not know: how a frame is made.
"""

from collections.abc import Mapping

from inspector.frames import dtypes

KINDS_COLUMNS = dtypes("kinds")
"""Each relation, and whether it is of 'syntax', 'semantic' or 'logical'."""
TOTALS_COLUMNS = dtypes("totals")
VOCABULARY_ROWS = {
    "words": "words read",
    "unknown_words": "words unknown to the vocabulary",
    "tokens": "tokens read",
    "unknown_tokens": "tokens unknown to the vocabulary",
    "words_without_token": "words without a token",
}
"""Field of `Vocabulary` → its row of the totals."""
RANDOM_ROW = "sentences that each random model reads"
UNSURE = "pairs with a word unknown to the vocabulary, more than 20 %: its claims are underpowered"
"""What totals and skipped say, after its name, of a relation about which nothing is claimed."""
SKIPPED_COLUMNS = dtypes("skipped")
_STANDARD = (
    *("behaviour", "relations", "claims", "controls", "offsets", "semantic_controls", "roles"),
    *("power", "kinds", "totals", "skipped"),
)
"""The frames of every run; further ones where they are asked for."""
_ASKED = {
    "ablation": "needed",
    "replicate": "replication",
    "probes": "probe_scores",
    "distances": "distances",
}
"""Setting → the frame that it adds."""


def expected_frames(settings: Mapping[str, object], *, several: bool) -> dict[str, dict[str, str]]:
    """Return the frames of a run, and the columns that each must have.

    Args:
        settings: Those of its manifest.
        several: Whether it is of several corpora, which the last column keeps apart.

    Example:
        >>> list(expected_frames({"ablation": True}, several=True)["claims"])[-2:]
        ['needed', 'corpus']
    """
    asked = (frame for setting, frame in _ASKED.items() if settings.get(setting))
    frames = {name: dtypes(name) for name in (*_STANDARD, *asked)}
    if settings.get("ablation"):
        frames["claims"]["needed"] = "str"
    if several:
        for columns in frames.values():
            columns["corpus"] = "str"
    return frames


EVERY_FRAME = (*_STANDARD, *_ASKED.values())
"""The names of all frames that a run may have."""
