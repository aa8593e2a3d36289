"""What a terminal was shown, without what is for eyes alone."""

import re


def plain(text):
    """Return the text of a help page: no colours, no frames, single spaces."""
    without = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", without).split())


def assert_refused(result, code, sentence):
    """Check that exactly this sentence was said, on stderr, with this exit code."""
    assert result.err == f"inspector: {sentence}\n"
    assert result.out == ""
    assert result.code == code
