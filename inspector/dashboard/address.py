"""The reader's choices in the address bar, so that a link shows what its sender saw.

A choice is read from the URL when the session first meets it; what is not an option is ignored,
and told. From then on the session decides and the URL follows, until the reader goes back or
forward, or follows a link that names choices: there the URL decides. A default leaves no trace in
it. Values stand as codes, whatever the page's language. (Streamlit's own binding writes translated
labels.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from inspector import words

Option = TypeVar("Option", str, int)

_CHOSEN = "_address_chosen"
_SHOWN = "_address_shown"
_PLACE = "_address_place"
_PLACES = "_address_places"
_PLACES_BEFORE = "_address_places_before"
_SAID = "_address_said"
_IGNORED = "_address_ignored"
_WRITTEN = "_address_written"
_PAGE = "_address_page"
_SUGGESTED = "_address_suggested"
_MOST_LISTED = 8


@dataclass(frozen=True)
class Ignored:
    """What the URL asked for, and cannot be chosen."""

    key: str
    given: str
    taken: str
    """What is shown in its place."""
    available: str
    """What can be chosen, the first few of many."""


def ignored() -> list[Ignored]:
    """Return what was ignored in this run."""
    found: list[Ignored] = st.session_state.get(_IGNORED, [])
    return found


def begin() -> None:
    """Start a run, in what all pages share: nothing is shown yet."""
    st.session_state[_SHOWN] = {}
    st.session_state[_PLACES] = {}
    st.session_state[_IGNORED] = []
    turn_to("")
    _obey()


def _obey() -> None:
    """Forget the choices of which the URL decides anew."""
    chosen: dict[str, str] = st.session_state.setdefault(_CHOSEN, {})
    run = get_script_run_ctx()
    page = "" if run is None else run.page_script_hash
    before = st.session_state.get(_PAGE, page)
    st.session_state[_PAGE] = page
    if run is not None and run.is_history_navigation:
        chosen.clear()
    elif page != before and st.query_params.to_dict() != st.session_state.get(_WRITTEN):
        # A link between pages names some choices; the sidebar's links name none.
        for key in st.query_params:
            chosen.pop(key, None)


def turn_to(page: str) -> None:
    """Say on which page the choices that follow stand: each page has widgets of its own."""
    st.session_state[_PLACE] = page


def choose(
    key: str,
    options: Sequence[Option],
    default: Option,
    *,
    is_lost: Callable[[str], bool] = lambda code: False,
) -> Option:
    """Return the reader's choice, ready in the session for the widget of that key.

    Args:
        key: Name of the widget and of the URL's parameter.
        options: What may be chosen.
        default: The choice where nothing else is said; one of the options.
        is_lost: Whether the reader is told of a choice of his that is an option no longer.
    """
    chosen: dict[str, str] = st.session_state.setdefault(_CHOSEN, {})
    by_code = {str(option): option for option in options}
    is_ignored = False
    if key not in chosen:
        given = st.query_params.get(key)
        value = default if given is None else by_code.get(given, default)
        is_ignored = given is not None and given not in by_code
    elif st.session_state.get(key) in options:
        value = st.session_state[key]
    else:
        given = chosen[key]
        value = by_code.get(given, default)
        is_ignored = given not in by_code and is_lost(given)
    if is_ignored:
        ignored().append(Ignored(key, str(given), str(default), _listed(list(by_code))))
    # Handing a widget the value it has would undo a second click that is under way.
    place = st.session_state[_PLACE]
    if st.session_state.get(_PLACES_BEFORE, {}).get(key) != place or (
        st.session_state.get(key) != value
    ):
        st.session_state[key] = value
    st.session_state[_PLACES][key] = place
    chosen[key] = str(value)
    # Where another was suggested the address names a default too: opened anew it would be that one.
    if value != default or key in st.session_state.get(_SUGGESTED, ()):
        st.session_state[_SHOWN][key] = str(value)
    else:
        st.session_state[_SHOWN].pop(key, None)
    return value


def _listed(codes: list[str]) -> str:
    """Return what can be chosen: numbers as a range, of many names the first few."""
    if codes == [str(number) for number in range(len(codes))]:
        return f"{codes[0]} … {codes[-1]}"
    return ", ".join([*codes[:_MOST_LISTED], *(["…"] if len(codes) > _MOST_LISTED else [])])


def set_choice(key: str, value: str | int) -> None:
    """Make a choice for the reader, as a click on a chart does."""
    st.session_state[key] = value
    st.session_state.setdefault(_CHOSEN, {})[key] = str(value)


def suggest(choices: dict[str, int]) -> None:
    """Make choices that stand at 0 others, once a session, unless the URL names one of them."""
    chosen: dict[str, str] = st.session_state.setdefault(_CHOSEN, {})
    free = all(chosen.get(key, "0") == "0" and key not in st.query_params for key in choices)
    if not st.session_state.get(_SUGGESTED):
        st.session_state[_SUGGESTED] = tuple(choices)
        if free:
            for key, value in choices.items():
                set_choice(key, value)


def of_all_pages() -> dict[str, str]:
    """Return what a link must name for its reader to see the same model, run and language."""
    shown: dict[str, str] = st.session_state[_SHOWN]
    return {key: value for key, value in shown.items() if key in ("model", "run", "lang")}


def finish() -> None:
    """Let the URL say what was shown in this run, and nothing else."""
    st.session_state[_PLACES_BEFORE] = st.session_state[_PLACES]
    shown: dict[str, str] = st.session_state[_SHOWN]
    st.session_state[_WRITTEN] = dict(shown)
    if st.query_params.to_dict() != shown:
        st.query_params.from_dict(shown)


def select(
    label: str,
    key: str,
    options: Sequence[Option],
    default: Option,
    *,
    named: Callable[[Any], str] = str,
    help: str | None = None,
) -> Option:
    """Show a select box and return the choice."""
    chosen = choose(key, options, default)
    # A box keeps the words that it has until it is handed its value again: of another text, say.
    said: dict[str, tuple[Any, str]] = st.session_state.setdefault(_SAID, {})
    before, said[key] = said.get(key), (chosen, named(chosen))
    if before is not None and before[0] == chosen and before != said[key]:
        st.session_state[key] = chosen
    said_empty = words.of("shell", st.session_state.get("lang", words.REFERENCE))["choose"]
    value: Option = st.selectbox(
        label, options, key=key, format_func=named, help=help, placeholder=said_empty
    )
    return value


def switch(
    label: str,
    key: str,
    options: Sequence[str],
    default: str,
    *,
    named: Callable[[Any], str] = str,
    hidden: bool = False,
) -> str:
    """Show all options side by side and return the one that is chosen."""
    choose(key, options, default)
    value = st.segmented_control(
        label,
        options,
        key=key,
        format_func=named,
        required=True,
        label_visibility="collapsed" if hidden else "visible",
    )
    return value or default


def number(label: str, key: str, count: int, default: int = 0, *, on: Any = st) -> int:
    """Show a number field for 0 … count − 1 and return the number."""
    choose(key, range(count), min(default, count - 1))
    value: int = on.number_input(label, min_value=0, max_value=count - 1, step=1, key=key)
    return value
