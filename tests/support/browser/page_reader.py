"""A page as a browser cuts it up, and the data in it."""

import json
from collections import Counter
from html.parser import HTMLParser


class Elements(HTMLParser):
    """Reads a page as a browser would cut it up."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.count: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: dict[str, list[str]] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.count[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attributes]
        self._open = tag
        if tag in ("script", "title"):
            self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open in ("script", "title"):
            self.text[self._open][-1] += data

    def value(self, tag, name):
        return next(value for t, n, value in self.attributes if (t, n) == (tag, name))


def data_of(page: str) -> dict:
    script = Elements(page).text["script"][2]
    return json.JSONDecoder().raw_decode(script.partition("const params = ")[2])[0]
