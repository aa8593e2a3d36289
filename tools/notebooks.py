"""The notebooks with their outputs, made anew: `python -m tools.notebooks [NAME …]`, all if none.

What is kept shows itself where no kernel runs: of a view its picture, without the page that lies on
top and holds other people's scripts; no bar, no time.
"""

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
_FRAME = re.compile(r'position: relative; |<iframe srcdoc="[^"]*"[^>]*></iframe>')


def kept(html: str) -> str:
    """Return what a notebook keeps of a view: all but the frame on top of a picture.

    Example:
        >>> kept('<div style="position: relative; a"><img><iframe srcdoc="b" c="d"></iframe></div>')
        '<div style="a"><img></div>'
    """
    return _FRAME.sub("", html) if "<img" in html else html


def main(names: list[str]) -> int:
    """Execute notebooks in place, one after the other; return the exit code."""
    os.environ["TQDM_DISABLE"] = "1"
    for path in [NOTEBOOKS / f"{name}.ipynb" for name in names] or sorted(
        NOTEBOOKS.glob("*.ipynb")
    ):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if "text/html" in data:
                    data["text/html"] = kept(data["text/html"])
        nbformat.write(notebook, path)
        print(path.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
