"""Pages of the documentation site that are made of the code: hooks of MkDocs.

The notebooks with their stored outputs, the command line, contributing and the changelog.
"""

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

import griffe
import latex2mathml.converter
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_PLACE = "<!-- output {} -->"
_FORMULA = re.compile(r"\$([^$<>\n]+)\$")
_outputs: dict[str, str] = {}


class DoctestExamples(griffe.Extension):
    """Shows the examples of docstrings as code: mkdocstrings knows `Examples:` alone."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section of one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the files of docs/, and the pages that stand elsewhere or are made."""
    made = {
        "contributing.md": _within_docs((ROOT / "CONTRIBUTING.md").read_text("utf-8")),
        "changelog.md": _within_docs((ROOT / "CHANGELOG.md").read_text("utf-8")),
        "reference/command-line.md": command_line(),
    }
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        made[f"notebooks/{path.stem}.md"] = notebook(json.loads(path.read_text("utf-8")), path.stem)
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Return a page with formulas as MathML and its notebook's outputs in their places."""
    html = _FORMULA.sub(lambda found: latex2mathml.converter.convert(unescape(found[1])), html)
    for place, output in _outputs.items():
        html = html.replace(place, output)
    return html


def command_line() -> str:
    """Return the reference of every command: what it does, its arguments and options."""
    from typer.cli import get_docs_for_click

    from inspector.cli import app

    command: Any = typer.main.get_command(app)
    for one in command.commands.values():  # which would be cut off after a few words
        one.short_help = " ".join((one.help or "").split("\n\n")[0].split())
    context = typer.Context(command)
    return get_docs_for_click(obj=command, ctx=context, name="inspector", title="Command line")


def notebook(document: dict[str, Any], name: str) -> str:
    """Return a notebook as Markdown, its outputs as places that `on_page_content` fills."""
    return "\n\n".join(_cells(document, name))


def _cells(document: dict[str, Any], name: str) -> Iterator[str]:
    for number, cell in enumerate(document["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source.replace(".ipynb)", ".md)")
            continue
        yield f"```python\n{source}\n```"
        for index, output in enumerate(cell["outputs"]):
            place = _PLACE.format(f"{name}-{number}-{index}")
            _outputs[place] = f'<div class="output">{_shown(output.get("data", {}))}</div>'
            yield place


def _shown(data: dict[str, Any]) -> str:
    for kind in ("text/html", "image/svg+xml"):
        if kind in data:
            return "".join(data[kind])
    if "image/png" in data:
        return f'<img alt="" src="data:image/png;base64,{"".join(data["image/png"]).strip()}">'
    return f"<pre>{escape(''.join(data.get('text/plain', '')))}</pre>"


def _within_docs(text: str) -> str:
    """Return a page of the root with its links as they are from docs/."""
    return text.replace("](docs/", "](")
