"""A self-contained HTML document: shown in a notebook, saved as a file."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from inspector.html import escape
from inspector.output import check_output, write_atomically

_ON_TOP = "; position: absolute; top: 0; left: 0; background: #fff"
SUFFIXES = (".html",)
"""What a page may be saved as."""


@dataclass(frozen=True)
class Page:
    """One HTML document that needs nothing beside itself."""

    title: str
    html: str = field(repr=False)
    height: int
    """The height at which nothing is cut off, in pixels."""
    picture: str = field(default="", repr=False)
    """The same as a picture, in HTML: it is seen where hosts drop frames, as on GitHub."""

    def save(self, path: str | os.PathLike[str], force: bool = False) -> Path:
        """Return the path of the file that the document was written to.

        Args:
            path: Where to write; the name ends in `.html`.
            force: Whether a file that exists may be replaced.

        Raises:
            InputError: If the name does not end in `.html`.
            OutputError: If the file exists and `force` is not given, or cannot be written.
        """
        target = check_output(path, suffixes=SUFFIXES, force=force)
        write_atomically(target, self.html.encode("utf-8"), force=force)
        return target

    def _repr_html_(self) -> str:
        """Return the document in a frame that may run its own script and nothing else.

        The frame lies on the picture, which is what is seen where it is dropped.
        """
        frame = (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" '
            f'title="{escape(self.title)}" width="100%" height="{self.height}" '
            f'style="border: 0{_ON_TOP if self.picture else ""}"></iframe>'
        )
        if not self.picture:
            return frame
        return (
            f'<div style="position: relative; min-height: {self.height}px">'
            f"{self.picture}{frame}</div>"
        )
