"""What may be given as a text, and a tokenizer run on it that ends, in a sentence if it fails.

The tokenizers library is written in Rust: a regular expression that gives up there is a panic,
which is no `Exception` and prints on the terminal by itself.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryFile
from threading import RLock, Thread
from typing import Any

from inspector.errors import InputError, ModelError

_MAX_CHARACTERS = 1_000_000


def check_text(text: object) -> None:
    """Refuse what no tokenizer can take.

    Raises:
        InputError: If the text is none (bytes, a list, a number), is empty, too long to tokenize,
            or not valid Unicode.

    Example:
        >>> check_text(b"rain")
        Traceback (most recent call last):
        inspector.errors.InputError: text (bytes) must be a string: decode it first.
    """
    if not isinstance(text, str):
        given = type(text).__name__
        mend = "decode it first" if isinstance(text, bytes | bytearray) else "give one text"
        raise InputError(f"text ({given}) must be a string: {mend}.")
    if not text.strip():
        raise InputError(f"text ({text[:40]!r}) must not be empty: give at least one word.")
    if len(text) > _MAX_CHARACTERS:
        raise InputError(
            f"text ({len(text)} characters) must have at most {_MAX_CHARACTERS} characters: "
            "shorten it."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"text is not valid Unicode: the character at position {error.start} is half of a "
            "pair. Save the text as UTF-8."
        ) from None


# Two that began before either ended would put back what the other took away.
_SILENT = RLock()


def tokenized(tokenizer: Any, *given: Any, **options: Any) -> Any:
    """Return what a fast tokenizer of transformers makes of texts; ModelError if it fails."""
    with (
        refusing(
            lambda said: (
                f"tokenizer of {tokenizer.name_or_path} fails on a text ({said}): one of its rules "
                "is wrong, or it has no unknown token. Save the tokenizer again."
            )
        ),
        muted(2, passed_on=True),
    ):
        return tokenizer(*given, verbose=False, **options)


@contextmanager
def refusing(sentence: Callable[[str], str]) -> Iterator[None]:
    """Make a ModelError of whatever fails inside a `with` block: a sentence of what is said of it.

    Of all exceptions, on purpose: tokenizers raises bare ones, and its panics are not even those.
    """
    try:
        yield
    except ModelError:
        raise
    except BaseException as error:
        if not is_failure(error):
            raise
        raise ModelError(sentence(one_line(error))) from None


def is_failure(error: BaseException) -> bool:
    """Return whether an exception says that a tokenizer failed, not that something else ended it.

    Example:
        >>> is_failure(ValueError("no rule")), is_failure(KeyboardInterrupt())
        (True, False)
    """
    if isinstance(error, MemoryError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def one_line(error: BaseException) -> str:
    """Return what an exception says, on one line."""
    text = " ".join(str(error).split())
    # A KeyError's text is the key alone, which says nothing without the kind.
    return f"{type(error).__name__} {text}" if isinstance(error, LookupError) else text


def within(seconds: float, work: Callable[[], None], *, otherwise: str) -> None:
    """Do work in a thread that is given up when it takes too long; ModelError if it does.

    Args:
        seconds: How long it may take.
        work: What lets other threads run meanwhile, as tokenizers do. What it raises is raised.
        otherwise: The sentence for work that takes longer.
    """
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # handed on to the thread that waits
            raised.append(error)

    thread = Thread(target=do, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise ModelError(otherwise)
    if raised:
        raise raised[0]


@contextmanager
def muted(*descriptors: int, passed_on: bool = False) -> Iterator[None]:
    """Keep off the terminal what is written to descriptors: Rust's words, not Python's.

    While it lasts no thread's messages there are seen, and other loads wait.

    Args:
        descriptors: 1, 2 or both; one that is closed is left alone.
        passed_on: Whether it is written to stderr afterwards, if nothing failed.
    """
    with _SILENT, TemporaryFile() as said:
        with ExitStack() as stack:
            for descriptor in descriptors:
                with suppress(OSError):  # it is closed
                    stack.callback(_put_back, os.dup(descriptor), descriptor)
                    os.dup2(said.fileno(), descriptor)
            yield
        if passed_on:
            said.seek(0)
            with suppress(OSError):  # nobody reads it
                os.write(2, said.read())


def _put_back(kept: int, descriptor: int) -> None:
    os.dup2(kept, descriptor)
    os.close(kept)
