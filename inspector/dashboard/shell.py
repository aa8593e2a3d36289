"""The frame around the pages: settings, language, navigation, choice of the model."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from inspector import words
from inspector.dashboard import address, guards, widgets
from inspector.dashboard.guards import guarded, plain, stop, told
from inspector.dashboard.parts import exports
from inspector.dashboard.runs import choice
from inspector.dashboard.runs.texts import called
from inspector.dashboard.settings import (
    Settings,
    Visit,
    read_arguments,
    read_settings,
    with_arguments,
)
from inspector.dashboard.store import VerifiableOnly
from inspector.errors import InspectorError
from inspector.runs.background.shelf import Listed

# Drawn here, because the browser would fetch an emoji or a named icon from another host.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#0072b2" '
    'stroke-width="3"><path d="M2 16C9 5 23 5 30 16 23 27 9 27 2 16Z"/>'
    '<circle cx="16" cy="16" r="5" fill="#e69f00" stroke="none"/></svg>'
)

_MOST_TOLD = 60
"""Characters of a wish that are repeated."""


@dataclass(frozen=True)
class _Entry:
    """One page: its name in the URL and among the modules, its icon."""

    name: str
    icon: str

    def show(self, visit: Visit) -> None:
        """Show the page; its module is imported now: the first page is not to wait for torch."""
        import_module(f"inspector.dashboard.app_pages.{self.name}").show(visit)


_PAGES = (
    _Entry("overview", ":material/fact_check:"),
    _Entry("verification", ":material/verified:"),
    _Entry("implementation", ":material/code:"),
    _Entry("weights", ":material/grid_on:"),
    _Entry("specialization", ":material/category:"),
    _Entry("head", ":material/center_focus_strong:"),
    _Entry("ablation", ":material/electrical_services:"),
    _Entry("attention", ":material/visibility:"),
    _Entry("search", ":material/search:"),
    _Entry("compare", ":material/compare_arrows:"),
    _Entry("data", ":material/database:"),
    _Entry("concepts", ":material/school:"),
)


def main(default_config: Path | None = None) -> None:
    """Show the page that the reader is on.

    Args:
        default_config: The settings where `--config` names no other file; each setting's own
            default if there is none.
    """
    address.begin()
    settings, languages = _opened(default_config)
    # Before the navigation, which would have the tab show the page's own icon, of another host.
    st.set_page_config(page_icon=_ICON, layout="wide")
    language = address.choose("lang", list(languages), settings.language)
    t = words.of("shell", language)
    name = address.choose("model", settings.models, settings.models[0])
    runs = choice.openable(settings, name)
    first = choice.first(runs, settings)
    run = address.choose(
        "run", [choice.DEFAULT, *runs], first, is_lost=lambda code: choice.is_lost(code, settings)
    )
    visit = Visit(settings, language, name, runs[run].folder if run in runs else None)
    # The first page stands at the root and, unlisted, under its own name as well.
    front = _page(_PAGES[0], visit, t, default=True)
    named = _page(_PAGES[0], visit, t, visibility="hidden")
    others = {entry.name: _page(entry, visit, t) for entry in _PAGES[1:]}
    visit.links.update(others)
    page = st.navigation([front, *others.values(), named])
    st.set_page_config(page_title=f"{page.title} · {settings.title}")
    widgets.style()
    with st.sidebar:
        address.select(
            t["model"], "model", settings.models, settings.models[0], help=t["model_help"]
        )
        if runs:
            address.select(
                t["run"], "run", [choice.DEFAULT, *runs], first, help=t["run_help"],
                named=lambda code: _called(code, runs, language),
            )  # fmt: skip
        address.switch(
            t["language"], "lang", list(languages), settings.language, named=languages.__getitem__
        )
        st.caption(t["promise"])
        widgets.document(language)
    address.turn_to(page.url_path)
    notice = st.empty()
    try:
        with guarded():
            page.run()
    except VerifiableOnly as only:
        widgets.only_verifiable(str(only), t)
        st.page_link(others["verification"], label=t["to_verification"])
    finally:
        _tell_ignored(notice, t)
        with st.sidebar:
            exports.link(language, guards.typed())
    address.finish()


def _called(code: str, runs: Mapping[str, Listed], language: str) -> str:
    """Return what a run is called where it is chosen."""
    if code not in runs:
        return words.of("shell", language)["default_run"]
    return f"{code} · {called(runs[code].corpus, language)}"


def _tell_ignored(notice: DeltaGenerator, t: words.Words) -> None:
    """Say which wishes of the URL could not be met, above the page."""
    told = [
        t["ignored"].format(
            key=plain(one.key),
            given=plain(one.given[:_MOST_TOLD]),
            taken=plain(one.taken),
            available=plain(one.available),
        )
        for one in address.ignored()
    ]
    if told:
        notice.warning("\n\n".join(told), icon=":material/link_off:")


def _page(
    entry: _Entry,
    visit: Visit,
    t: words.Words,
    *,
    default: bool = False,
    visibility: Literal["visible", "hidden"] = "visible",
) -> StreamlitPage:
    return st.Page(
        partial(entry.show, visit),
        title=t[entry.name],
        icon=entry.icon,
        url_path="home" if default else entry.name,
        default=default,
        visibility=visibility,
    )


def _opened(default_config: Path | None) -> tuple[Settings, dict[str, str]]:
    """Return the settings and the languages, or stop with the reason why they cannot be used."""
    try:
        languages = words.languages()
        given = read_arguments(sys.argv[1:])
        path = given.config or default_config
        settings = Settings() if path is None else read_settings(path)
        return with_arguments(settings, given), languages
    except InspectorError as error:
        stop(told(error))
