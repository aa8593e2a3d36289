"""What a view's own words are called in the reader's language.

A view is handed a mapping from its English words; what the mapping leaves out stays English.
"""

from collections.abc import Mapping

Names = Mapping[str, str]
"""English word, or a sentence's short name → what it is called."""


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
