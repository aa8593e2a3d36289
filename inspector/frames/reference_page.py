"""The reference page of all frames, docs/frames.md, as lines of Markdown."""

from collections.abc import Iterator

from inspector.frames import ENGLISH, frames


def reference() -> str:
    """Return docs/frames.md: every frame, a table of its columns each."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    table = frames()
    yield "# Frames"
    yield ""
    yield "Made of frames.yaml by `python -m inspector.frames`; not written by hand."
    yield "A share is from 0 to 1; no figure is rounded. Columns in brackets are optional."
    for name, frame in table.frames.items():
        yield from ("", f"## {name}", "", frame.rows[ENGLISH], "")
        yield from ("| column | dtype | unit | meaning |", "|---|---|---|---|")
        for column in (*frame.columns, *frame.optional):
            row = table.column(name, column)
            shown = f"`{column}`" if column in frame.columns else f"(`{column}`)"
            cells = (shown, row.dtype, row.unit, row.says().replace("|", r"\|"))
            yield f"| {' | '.join(cells)} |"
