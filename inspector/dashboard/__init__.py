"""The Streamlit dashboard: widgets, guards and layout.

Every number on a page is returned by a function of the library.
Must not know: how a number is computed.
"""

from inspector.dashboard.shell import main

__all__ = ["main"]
