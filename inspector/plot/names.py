"""What a view's own words are called in the reader's language.

A view is handed a mapping from its English words; what the mapping leaves out stays English.
"""

from collections.abc import Mapping
from typing import Any

Names = Mapping[str, str]
"""English word, or a sentence's short name → what it is called."""
_RUNGS = {
    "random-init": "random weights",
    "offset": "fixed offset {rule}",
    "position": "word {rule} of the sentence",
    "word-class": "nearest of a word class",
    "word-class:left": "nearest {tags} to the left",
    "word-class:right": "nearest {tags} to the right",
    "word-class:either": "nearest {tags}",
    "word-class:left-run": "first of the {tags} on the left",
    "word-class:right-run": "last of the {tags} on the right",
    "selectivity": "where such a rule errs",
    "matched-source": "same class, other word asks",
    "keyword": "the word {rule}, whoever asks",
    "matched-target": "same class, other target",
}


def named(names: Names | None, word: str, english: str | None = None) -> str:
    """Return what a word is called, or a sentence that has a short name.

    Example:
        >>> named({"layer": "层"}, "layer"), named(None, "head")
        ('层', 'head')
        >>> named({"layer": "层"}, "legend", "Layers go down.")
        'Layers go down.'
    """
    english = word if english is None else english
    return english if names is None else names.get(word, english)


def rung_label(row: Mapping[Any, Any], names: Names | None = None) -> str:
    """Return a rung of the ladder in words, with the rule that it stands for.

    Args:
        row: Of the controls frame.
        names: What the words are called; a template takes its {rule} and {tags}.

    Example:
        >>> rung_label({"rung": "word-class", "rule": "AUX+VERB:left"})
        'nearest AUX/VERB to the left'
        >>> rung_label({"rung": "position", "rule": ""})
        'word n of the sentence'
    """
    rung, rule = row["rung"], str(row["rule"])
    tags, _, side = rule.rpartition(":")
    if rung == "word-class" and tags:
        rung = f"word-class:{side}"
    elif rung == "matched-source" and rule:
        rung = "keyword"
    said = named(names, f"rung:{rung}", _RUNGS[rung])
    return said.format(rule=rule.replace("-", "−") or "n", tags=tags.replace("+", "/"))
