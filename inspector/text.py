"""Text of strangers (a file's, a model's, a user's program) made harmless to show."""

import re

_LEFT_OUT = " … "
_BREAKS = re.compile(r"[\t\n\r\f\v]\s*")
# What terminals take as an order: ESC [ … letter; ESC ] … BEL or ESC \; ESC and one sign.
_ORDERS = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[ -/]*[0-~])")


def printable(text: str) -> str:
    r"""Return the text with a replacement sign for what steers a terminal or cannot be encoded.

    Example:
        >>> printable("red\x1b[31m")
        'red�[31m'
    """
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def without_orders(text: str) -> str:
    r"""Return the text without what a terminal would take as an order: colours, titles, moves.

    Example:
        >>> without_orders("\x1b[1;31mred\x1b[0m \x1b]0;title\x07")
        'red '
    """
    return _ORDERS.sub("", text)


def in_a_line(text: str, most: int, *, end: int | None = None) -> str:
    r"""Return the text for one line: harmless, steering nothing, its middle left out if long.

    Args:
        text: From anybody.
        most: The most characters that are kept.
        end: How many of them are the last of the text; half if not given.

    Example:
        >>> in_a_line("no\n  such \x07 head", 300)
        'no such � head'
        >>> in_a_line("abcdefghij", 7)
        'ab … ij'
    """
    if len(text) > 4 * most:  # what is thrown away is not looked at
        text = text[: 2 * most] + text[-2 * most :]
    line = printable(_BREAKS.sub(" ", without_orders(text)).strip())
    if len(line) <= most:
        return line
    last = (most - len(_LEFT_OUT)) // 2 if end is None else end
    return line[: most - len(_LEFT_OUT) - last] + _LEFT_OUT + line[-last:]
