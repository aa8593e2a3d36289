"""The last column of CoNLL-U: keys with values, kept apart by bars.

Must not know: what any key means, relations, files.
"""


def misc_value(misc: str, key: str) -> str:
    """Return the value of a key in a word's last column, '' where it is not there.

    Example:
        >>> misc_value("Entity=1)|SpaceAfter=No", "SpaceAfter")
        'No'
        >>> misc_value("_", "SpaceAfter")
        ''
    """
    if key not in misc:
        return ""
    start = f"{key}="
    for part in misc.split("|"):
        if part.startswith(start):
            return part[len(start) :]
    return ""
