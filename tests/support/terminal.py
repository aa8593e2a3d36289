"""What a terminal was shown, without what is for eyes alone."""

import re


def plain(text):
    """Return the text of a help page: no colours, no frames, single spaces."""
    without = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", without).split())
