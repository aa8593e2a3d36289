"""A head's passport: all that a run found of one head, with what it was computed from.

Figures stand as the frames have them: unrounded in JSON, on a page to four digits, the whole number
where the reader points at it. Must not know: how a figure is computed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from inspector.errors import InputError
from inspector.frames import ENGLISH, frames, meanings
from inspector.heads.specialization.head_description import describe_head
from inspector.html import escape, table
from inspector.records import json_text, records
from inspector.runs.store.manifest import Manifest
from inspector.words import sentences
from inspector.yaml_file import read_own_yaml

_SHOWN = ("roles", "claims", "needed", "behaviour", "relations")
_STYLE = """body { font-family: sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem;
  line-height: 1.5; color: #111; background: #fff; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.7rem 0.2rem 0;
  border-bottom: 1px solid #ccc; }
.grid td { min-width: 4.4rem; padding: 0.3rem; border: 1px solid #ccc; overflow-wrap: anywhere; }
summary { margin: 0.4rem 0; cursor: pointer; }
div { overflow-x: auto; } code { overflow-wrap: anywhere; } a { color: #00639c; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #191919; }
  a { color: #56b4e9; } }"""


@dataclass(frozen=True, repr=False)
class Passport:
    """All that a run found of one head: a document, as JSON and as a page that needs no network."""

    document: dict[str, Any]
    """Plain data: the head, a sentence, its rows of each frame, and what they were made of."""

    @property
    def head(self) -> str:
        """Return the head's name, such as '3-1'."""
        return str(self.document["head"])

    @property
    def cite(self) -> str:
        """Return how to cite these figures: what was measured, on what, by which version."""
        return str(self.document["cite"])

    def __repr__(self) -> str:
        """Return what the head does, in a line."""
        return f"<Passport {self.head}: {self.document['says']}>"

    def _repr_html_(self) -> str:
        """Return the page's content."""
        return self._content(texts_of(ENGLISH), ENGLISH)

    def json(self) -> str:
        """Return the document as JSON, unrounded; what is not a number is null."""
        return json_text(self.document) + "\n"

    def html(self, language: str = ENGLISH, *, links: str = "") -> str:
        """Return a page that holds all of it and asks no host for anything.

        Args:
            language: Of the page, 'en' or 'zh'.
            links: Markup above the title.

        Raises:
            InputError: If there is no such language.
        """
        t = texts_of(language)
        title = t["title"].format(head=self.head, model=self.document["model"])
        return page(title, f"{links}<h1>{escape(title)}</h1>{self._content(t, language)}", language)

    def _content(self, t: Mapping[str, str], language: str) -> str:
        parts = [f"<p>{escape(self._says(t, language))}</p>", f"<p>{escape(t['terms_note'])}</p>"]
        for name in _SHOWN:
            rows = self.document[name]
            parts.append(f"<h2>{escape(t[name])}</h2>")
            parts.append(_rows(name, rows, language, t) if rows else f"<p>{escape(t['none'])}</p>")
        flat = [
            (f"{name}: {key}", value)
            for name, given in self.document["made_of"].items()
            for key, value in (given.items() if isinstance(given, dict) else [("", given)])
        ]
        parts += [f"<h2>{escape(t['made_of'])}</h2>", f"<div>{table(['', ''], flat)}</div>"]
        parts += [f"<h2>{escape(t['cite'])}</h2>", f"<p>{escape(self.cite)}</p>"]
        place = f"{self.document['layer']}, {self.document['number']}"
        again = f'inspector.Run.open("RUN").passport({place})'
        parts += [f"<h2>{escape(t['replicate'])}</h2>", f"<pre><code>{escape(again)}</code></pre>"]
        return "".join(parts)

    def _says(self, t: Mapping[str, str], language: str) -> str:
        """Return what the head does; in another language than English by its strongest role."""
        if language == ENGLISH:
            return str(self.document["says"])
        roles = self.document["roles"]
        if not roles:
            return t["says_none"].format(head=self.head)
        best = max(roles, key=lambda row: row["effect"] or 0.0)
        return t["says_role"].format(
            head=self.head, role=best["role"], effect=_digits(best["effect"])
        )


def passport(
    run_frames: Mapping[str, pd.DataFrame], manifest: Manifest, layer: int, head: int
) -> Passport:
    """Return the passport of a head.

    Args:
        run_frames: The frames of a run.
        manifest: What they were computed from.
        layer: Of the head, from 0.
        head: Its number, from 0.

    Raises:
        InputError: If the run has no such head.
    """
    behaviour = run_frames["behaviour"]
    own = {
        name: frame[(frame["layer"] == layer) & (frame["head"] == head)]
        for name, frame in run_frames.items()
        if name in _SHOWN
    }
    if own["behaviour"].empty:
        last = (int(behaviour["layer"].max()), int(behaviour["head"].max()))
        raise InputError(
            f"head ({layer}-{head}) must be one that was measured: layers 0 to {last[0]}, heads "
            f"0 to {last[1]}."
        )
    name = f"{layer}-{head}"
    versions = manifest.versions
    return Passport(
        {
            "head": name,
            "layer": int(layer),
            "number": int(head),
            "model": manifest.model,
            "says": describe_head(layer, head, run_frames["roles"], run_frames["claims"]),
            **{part: records(own[part]) if part in own else [] for part in _SHOWN},
            "made_of": {
                "run": manifest.run_id,
                "corpus": manifest.corpus,
                "corpus_sha256": manifest.corpus_sha256,
                "model_files": manifest.model_files,
                "settings": manifest.settings,
                "versions": versions,
            },
            "cite": (
                f"Head {name} of {manifest.model}, measured on {manifest.corpus} "
                f"(SHA-256 {manifest.corpus_sha256[:12]}) with inspector "
                f"{versions.get('inspector', '')}, run {manifest.run_id[:12]}."
            ),
        }
    )


def page(title: str, content: str, language: str) -> str:
    """Return a whole document; its policy allows its own style and nothing else."""
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{content}</main></body></html>\n"
    )


def _rows(name: str, rows: list[dict[str, Any]], language: str, t: Mapping[str, str]) -> str:
    """Return rows as a table, with what each column means; a single row of many downwards."""
    says = meanings(name, language)
    if name == "behaviour":
        columns = [column for column in rows[0] if column in frames().frames[name].columns]
        down = [(column, rows[0][column], says[column]) for column in columns]
        return _table(["", "", ""], down)
    columns = [column for column in rows[0] if column not in ("layer", "head")]
    if name == "roles":
        rows = [{**row, "evidence": _evidence(row["evidence"], language)} for row in rows]
    explained = table(["", ""], [(one, says[one]) for one in columns if one in says])
    return (
        _table(columns, [[row[column] for column in columns] for row in rows])
        + f"<details><summary>{escape(t['columns'])}</summary><div>{explained}</div></details>"
    )


def _evidence(text: Any, language: str) -> Any:
    """Return a role's evidence in a language, as far as its sentences are known there."""
    return sentences.said(text, "evidence", language) if isinstance(text, str) else text


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table whose figures are short; each whole one stands in its cell's title."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(value: Any) -> str:
    shown = _digits(value)
    title = "" if value is None or shown == str(value) else f' title="{escape(value)}"'
    return f"<td{title}>{escape(shown)}</td>"


def _digits(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def texts_of(language: str) -> Mapping[str, str]:
    """Return what passports and atlases say in a language.

    Raises:
        InputError: If there is no such language.
    """
    texts = _catalogue()
    if language not in texts:
        raise InputError(
            f"language ({language}) must be one that a passport is written in. "
            f"Available: {', '.join(texts)}."
        )
    return texts[language]


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = read_own_yaml(Path(__file__).with_name("passport.yaml"))
    return found
