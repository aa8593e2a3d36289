"""The last column of CoNLL-U: keys with values, kept apart by bars."""

from collections.abc import Iterator, Sequence


def misc_value(misc: str, key: str) -> str:
    """Return the value of a key in a word's last column, '' where it is not there.

    Example:
        >>> misc_value("Entity=1)|SpaceAfter=No", "SpaceAfter")
        'No'
        >>> misc_value("Gloss=a | SpaceAfter=No ", "SpaceAfter")
        'No'
        >>> misc_value("_", "SpaceAfter")
        ''
    """
    if key not in misc:
        return ""
    start = f"{key}="
    for part in misc.split("|"):
        if part.strip().startswith(start):
            return part.strip()[len(start) :]
    return ""


def misc_values(misc: Sequence[str], key: str) -> Iterator[tuple[int, str]]:
    """Yield (word, value) of the words that have a key in their last column.

    Example:
        >>> list(misc_values(["_", "Args=ARG0:1"], "Args"))
        [(1, 'ARG0:1')]
    """
    for word, cell in enumerate(misc):
        if value := misc_value(cell, key):
            yield word, value
