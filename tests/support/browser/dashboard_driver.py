"""How the tests reach the dashboard's pages and read what stands there."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

ROOT = Path(__file__).parents[3]
PAGES = (
    "overview", "verification", "implementation", "weights", "specialization", "head", "ablation",
    "attention", "search", "compare", "data", "concepts",
)  # fmt: skip

_KINDS = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info",
          "success", "code", "latex", "metric")  # fmt: skip


def start(page="overview", **query):
    """Return the dashboard before its first run, turned to a page."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params.update(query)
    turn_to(app, page)
    return app


def turn_to(app, page):
    """Turn to a page, as a click in the sidebar does: AppTest's own way knows files only."""
    app._page_hash = calc_hash("" if page == "overview" else page)


def texts(app):
    """Return everything that a run put on the page as text or markup, in one string."""
    found = [getattr(element, "value", "") for kind in _KINDS for element in app.get(kind)]
    found += [element.proto.body for element in app.get("html")]
    return "\n".join(map(str, found))
