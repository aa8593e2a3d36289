"""What may be given as a text.

Must not know: tokenizers, models.
"""

from inspector.errors import InputError

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
