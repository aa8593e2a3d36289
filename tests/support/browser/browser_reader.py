"""A reader of the dashboard: a tab of a real browser, with what happened in it."""

import time
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

_RUNNING = "[data-testid='stApp'][data-test-script-state='{}']"
PATIENCE = 120_000
"""Of a first visit, in ms: it loads the model and verifies it; a busy machine takes its time."""


class Reader:
    """A tab on the dashboard, with what happened in it."""

    def __init__(self, page, server):
        self.page, self.server = page, server
        self.requests, self.errors, self.dialogs = [], [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.set_default_timeout(15_000)

    def open(self, path):
        self.page.goto(f"{self.server}/{path}")
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        self.settle()

    def settle(self):
        """Wait until the run that the last action caused is over."""
        time.sleep(0.25)
        self.page.wait_for_selector(_RUNNING.format("notRunning"), timeout=PATIENCE)
        time.sleep(0.15)

    def turn_to(self, name):
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        self.settle()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def choose(self, name):
        """Choose one of several options that stand side by side."""
        self.page.get_by_role("radio", name=name, exact=True).click()
        self.settle()

    def type(self, label, text):
        field = self.page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Control+Enter")
        self.settle()

    def cell(self, grid, layer, head):
        """Return a head's cell in a grid."""
        place = f"[data-layer='{layer}'][data-head='{head}']"
        return self.page.locator(f".st-key-{grid} .cell{place}")

    @property
    def query(self):
        return {key: value[0] for key, value in parse_qs(urlsplit(self.page.url).query).items()}

    def check_clean(self):
        """Assert that nothing went wrong and that nobody else was asked for anything."""
        own = urlsplit(self.server).netloc
        foreign = [
            url
            for url in self.requests
            if urlsplit(url).scheme not in ("data", "blob", "about") and urlsplit(url).netloc != own
        ]
        assert foreign == []
        assert self.errors == [], "\n".join(self.errors)
        assert self.dialogs == []
        assert self.page.get_by_test_id("stException").count() == 0
