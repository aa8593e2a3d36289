"""What can go wrong, one class per kind of trouble; each carries the sentence that users read.

The command line turns a class into its exit code, the dashboard into a message on the page.
"""

import re

from inspector.text import in_a_line

MOST_CHARACTERS = 500
"""Of a sentence: what users gave stands in it, and may be of any length."""

_KEPT_AT_THE_END = 200  # where it says how to fix it
_MOST_OF_WHAT_IS_GIVEN = 100
# A number of hundreds of digits, a path, or what stands in brackets.
_GIVEN = re.compile(r"\S{101,}|\([^()]{101,}\)")
_NO_MEMORY = re.compile(
    r"out of memory|not enough memory|(?:can't|cannot|unable to) allocate|bad_alloc|MemoryError|"
    r"failed to map segment|_ALLOC_FAILED|can't start new thread",
    re.IGNORECASE,
)


def sentence(text: str) -> str:
    r"""Return a text fit to be shown: on one line, no longer than it may be, steering nothing.

    Of what is too long, what was given is shortened first; then the middle is left out, so that
    both what is wrong and how to fix it stay.

    Example:
        >>> sentence("red\x1b[31m,\n  as it came")
        'red�[31m, as it came'
        >>> len(sentence("a " * 1_000_000))
        500
    """
    if len(text) > MOST_CHARACTERS:
        text = _GIVEN.sub(lambda found: in_a_line(found[0], _MOST_OF_WHAT_IS_GIVEN), text)
    # A name with an order in it is shown with its mark: without, it would be another name.
    marked = text.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    return in_a_line(marked, MOST_CHARACTERS, end=_KEPT_AT_THE_END)


def extra(name: str) -> str:
    """Return how what an extra brings is installed.

    Example:
        >>> extra("ray")
        "install inspector's extra 'ray' (pip install 'attention-inspector[ray]')"
    """
    return f"install inspector's extra {name!r} (pip install 'attention-inspector[{name}]')"


def no_memory(error: BaseException) -> bool:
    """Return whether an error says that no memory was left, whichever library raised it.

    Example:
        >>> no_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
        True
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, Exception) and _NO_MEMORY.search(str(error)[:2000]) is not None


class InspectorError(Exception):
    """A trouble that the user can fix; its text says how."""

    exit_code = 2

    def __init__(self, text: str = "") -> None:
        """Take the sentence, as it will be shown."""
        super().__init__(sentence(text))


class InputError(InspectorError, ValueError):
    """A text, a name or a setting that cannot be used."""


class ModelError(InspectorError):
    """A model that cannot be loaded or must not be trusted."""

    exit_code = 3


class UnsupportedModelError(ModelError):
    """A model whose architecture inspector does not know."""


class DeviceMemoryError(InspectorError):
    """A device without memory for what is asked, in smaller batches either."""

    exit_code = 3


class OutputError(InspectorError, OSError):
    """A file that cannot be read or written."""

    exit_code = 4


class Interrupted(InspectorError):
    """Work that was stopped on purpose, and can be gone on with."""

    exit_code = 130
