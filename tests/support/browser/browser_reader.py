"""A reader of the dashboard: a tab of a real browser, with what happened in it."""

import time
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_RUNNING = "[data-testid='stApp'][data-test-script-state='{}']"
PATIENCE = 120_000
"""Of a first visit, in ms: it loads the model and verifies it; a busy machine takes its time."""
expect.set_options(timeout=PATIENCE / 4)


class Runs:
    """Whether a run that a tab asked the server for has still to begin or to end."""

    def __init__(self, page):
        self._asked = self._running = False
        page.on("websocket", self._listen)

    def _listen(self, socket):
        self._asked = self._running = False
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, message):
        self._asked |= BackMsg.FromString(message).WhichOneof("type") == "rerun_script"

    def _received(self, message):
        told = ForwardMsg.FromString(message)
        kind = told.WhichOneof("type")
        if kind == "new_session":
            self._asked, self._running = False, True
        elif kind == "script_finished":
            self._running = told.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN

    @property
    def are_over(self):
        return not (self._asked or self._running)


class Reader:
    """A tab on the dashboard, with what happened in it."""

    def __init__(self, page, server):
        self.page, self.server, self.runs = page, server, Runs(page)
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
        """Wait until the run that the last action caused, if any, is over and drawn."""
        self.page.wait_for_timeout(150)  # by then it is asked for, however busy the server
        end = time.monotonic() + PATIENCE / 1000
        while not self.runs.are_over and time.monotonic() < end:
            self.page.wait_for_timeout(20)
        self.page.wait_for_selector(_RUNNING.format("notRunning"), timeout=PATIENCE)
        self.page.wait_for_timeout(100)

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
