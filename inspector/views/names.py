"""What a view's own words are called in the reader's language.

A view is handed a mapping from its English words; what the mapping leaves out stays English.
Must not know: any language, any one view.
"""

from collections.abc import Mapping

Names = Mapping[str, str]
"""English word → what it is called."""


def named(names: Names | None, word: str) -> str:
    """Return what a word is called.

    Example:
        >>> named({"layer": "层"}, "layer"), named(None, "head")
        ('层', 'head')
    """
    return word if names is None else names.get(word, word)
