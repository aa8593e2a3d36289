"""What goes wrong becomes a sentence on the page; data becomes text, never markup."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

import streamlit as st

from inspector import words
from inspector.dashboard import address
from inspector.errors import InputError, InspectorError
from inspector.models.tokenizing.guarded import check_text
from inspector.words import sentences

MAX_CHARACTERS = 5000
"""Of one text field, enough for 512 tokens: checked before the tokenizer sees it."""

_TYPED = "_texts_typed"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(data: object) -> str:
    r"""Return data as Markdown that shows it letter by letter.

    Example:
        >>> plain("![x](http://a)")
        '\\!\\[x\\]\\(http\\:\\/\\/a\\)'
    """
    return _PUNCTUATION.sub(r"\\\1", " ".join(str(data).split()))


def stop(sentence: str) -> NoReturn:
    """Show what is wrong and how to fix it, and end the page there."""
    st.error(plain(sentence), icon=":material/error:")
    address.finish()
    st.stop()


def told(error: InspectorError | str) -> str:
    """Return an error in the page's language; where it has none there, with a line that says so."""
    language = st.session_state.get("lang", words.REFERENCE)
    said = sentences.said(str(error), "errors", language)
    if language == words.REFERENCE or said != str(error):
        return said
    return words.of("shell", language)["only_in_english"].format(sentence=said)


def waiting(text: str) -> AbstractContextManager[None]:
    """Show that something is waited for, and how long already where that is said in English."""
    in_english = st.session_state.get("lang", words.REFERENCE) == words.REFERENCE
    return st.spinner(text, show_time=in_english)  # Streamlit's "seconds" cannot be translated


@contextmanager
def guarded() -> Iterator[None]:
    """Show a trouble that the reader can fix as a sentence, and end the page there."""
    try:
        yield
    except InspectorError as error:
        stop(told(error))


def text_field(
    label: str, key: str, default: str, *, lines: int = 1, optional: bool = False
) -> str:
    """Show a field for a text, and return the text if it can be used.

    The text stays in the session: it goes neither into the URL nor into a cache. A link that its
    reader copied with his texts brings it here, once.

    Args:
        label: Shown above the field.
        key: Name of the field.
        default: What it holds at first.
        lines: More than one gives a field of several lines.
        optional: Whether it may be empty.
    """
    kept, offered = f"_text_{key}", f"_offered_{key}"
    if key not in st.session_state:
        brought = st.query_params.get(key)
        st.session_state[key] = st.session_state.get(kept, default) if brought is None else brought
    # An example that nobody changed follows the page's language and model.
    if st.session_state[key] == st.session_state.get(offered, default):
        st.session_state[key] = default
    st.session_state[offered] = default
    if lines > 1:
        text = st.text_area(label, key=key, height=32 + 26 * lines)
    else:
        text = st.text_input(label, key=key)
    st.session_state[kept] = text
    st.session_state.setdefault(_TYPED, {})[key] = text
    # The browser's own limit would refuse a longer paste without a word.
    if len(text) > MAX_CHARACTERS:
        t = words.of("shell", st.session_state["lang"])
        stop(t["long_text"].format(count=len(text), most=MAX_CHARACTERS))
    with guarded():
        return check_field(text, optional=optional)


def typed() -> dict[str, str]:
    """Return the texts that stand in this page's fields, by the names of these."""
    found: dict[str, str] = st.session_state.pop(_TYPED, {})
    return found


def check_field(text: str, *, optional: bool = False) -> str:
    """Return a text without the space around it, if the tokenizer may see it.

    Raises:
        InputError: If it is empty and must not be, too long, or not valid Unicode.

    Example:
        >>> check_field(" The cat. ")
        'The cat.'
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"text ({len(text)} characters) must have at most {MAX_CHARACTERS} characters here: "
            "shorten it."
        )
    if not (optional and not text.strip()):
        check_text(text)
    return text.strip()
