"""A whole run as pages that open without a server: a grid of heads, and each one's passport."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from inspector.frames import ENGLISH
from inspector.html import escape
from inspector.progress import Progress
from inspector.runs.passport.passport import page, passport, texts_of
from inspector.runs.store.manifest import Manifest

_OF_FIGURES = 0.5
"""Share of the time that it takes to find what is said of each head."""


def write_atlas(
    run_frames: Mapping[str, pd.DataFrame],
    manifest: Manifest,
    folder: Path,
    progress: Progress | None = None,
) -> list[Path]:
    """Write a whole run as pages in each language that open from a file, and return them.

    `index.html` is English; each page leads to the same one in the other language.

    Args:
        run_frames: The frames of a run.
        manifest: What they were computed from.
        folder: An empty one, or none yet.
        progress: Told how far it is.
    """
    show = progress or (lambda what, share: None)
    heads = run_frames["behaviour"][["layer", "head"]].drop_duplicates()
    places = list(heads.itertuples(index=False, name=None))
    papers = []
    for number, head in enumerate(places, start=1):
        papers.append(passport(run_frames, manifest, *head))
        show(f"Heads {number} of {len(places)}", _OF_FIGURES * number / len(places))
    strongest = run_frames["roles"].sort_values("effect", ascending=False, kind="stable")
    role_of = strongest.drop_duplicates(["layer", "head"]).set_index(["layer", "head"])["role"]
    written = []
    for language, other in ((ENGLISH, "zh"), ("zh", ENGLISH)):
        t, index = texts_of(language), _index(language)
        (folder / language).mkdir(parents=True, exist_ok=True)
        cells = {
            (layer, head): (
                f'<a href="{language}/{layer}-{head}.html">{layer}-{head}<br>'
                f"{escape(role_of.get((layer, head), t['no_role']))}</a>"
            )
            for layer, head in places
        }
        rows = [
            "<tr>" + "".join(f"<td>{cells[at]}</td>" for at in places if at[0] == layer) + "</tr>"
            for layer in sorted(set(heads["layer"]))
        ]
        title = t["atlas"].format(model=manifest.model, corpus=manifest.corpus)
        grid = f'<table class="grid">{"".join(rows)}</table>'
        content = (
            f'<p><a href="{_index(other)}">{escape(t["other"])}</a></p><h1>{escape(title)}</h1>'
            f"<p>{escape(t['atlas_note'])}</p><div>{grid}</div>"
        )
        written.append(_written(folder / index, page(title, content, language)))
        for paper in papers:
            links = (
                f'<p><a href="../{index}">{escape(title)}</a> · '
                f'<a href="../{other}/{paper.head}.html">{escape(t["other"])}</a></p>'
            )
            place = folder / language / f"{paper.head}.html"
            written.append(_written(place, paper.html(language, links=links)))
            share = len(written) / (2 * len(papers) + 2)
            show("Pages", _OF_FIGURES + (1 - _OF_FIGURES) * share)
    return written


def _index(language: str) -> str:
    return "index.html" if language == ENGLISH else f"index.{language}.html"


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
