"""Parts of layout that several pages share.

Data goes through `inspector.html` or a view that escapes it; never into Markdown unescaped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import address, relations
from inspector.dashboard.guards import plain
from inspector.dashboard.parts import exports
from inspector.dashboard.settings import Visit
from inspector.frames import meanings
from inspector.html import table
from inspector.views.matrix import matrix_html
from inspector.vocabulary import Vocabulary
from inspector.words import sentences

if TYPE_CHECKING:
    import altair as alt
    from torch import Tensor

    from inspector.models import PretrainedModel

_MOST_UNKNOWN = 0.1
"""Share of the tokens; of more it is said what it means."""
# Longer tables scroll.
_ALL_ROWS = 20
_MATRIX = 64
"""Rows and columns of a matrix that can be scrolled to."""
_SHARES = (
    "accuracy", "baseline_accuracy", "random_init_accuracy", "nearest_mention",
    "nearest_same_head", "matched_accuracy", "effect", "matched_effect", "replicates",
)  # fmt: skip
_DIFFERENCES = ("lift", "lead", "apart_lift", "difference", "selectivity")
"""Columns of differences between shares, which are shown in points."""
_MADE = ("interval", "in_words")
"""Columns of a table that no frame has."""
_SCROLLED = """<style>
.st-key-scrolled-{key} {{ overflow-x: auto; }}
.st-key-scrolled-{key} > div {{ min-width: {least}px; }}
</style>
"""
_STYLE = Path(__file__).with_name("style.css")
_DOCUMENT = st.components.v2.component(
    "inspector.document", js=Path(__file__).with_name("document.js").read_text(encoding="utf-8")
)
_MIME = {
    ".csv": "text/csv", ".html": "text/html", ".json": "application/json",
    ".zip": "application/zip",
}  # fmt: skip


class Heads(NamedTuple):
    """How many there are, where no model is in memory."""

    n_layers: int
    n_heads: int


def style() -> None:
    """Give the page the style of what is shown here."""
    st.html(_STYLE)


def document(language: str) -> None:
    """Name the document's language, have Streamlit speak it, keep steps out of the history."""
    _DOCUMENT(key="document", data={"lang": language, "own": dict(words.of("streamlit", language))})


def heading(title: str, purpose: str) -> None:
    """Show a page's title and its purpose in one line."""
    st.title(title, anchor=False)
    st.markdown(purpose)


def only_verifiable(reason: str, t: words.Words) -> None:
    """Say that a model can be verified but not profiled, and why."""
    sentence, listed, available = reason.partition(" Available: ")
    st.info(f"{t['only_verifiable']} {plain(sentence)}", icon=":material/info:")
    if listed:
        with st.expander(t["profiled_types"]):
            st.markdown(plain(available))


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Show a table of plain data, escaped; it can be read aloud and copied."""
    st.html(f'<div class="inspector-table">{table(columns, rows)}</div>')


def download(label: str, data: Any, file: str) -> None:
    """Offer a file: what it holds, or a function that makes that when it is asked for."""
    st.download_button(
        label,
        data,
        file,
        _MIME[Path(file).suffix],
        key=file.replace(".", "-"),
        on_click="ignore",
        icon=":material/download:",
    )


def chart(
    drawing: "alt.Chart | alt.LayerChart",
    key: str,
    name: str,
    language: str,
    lines: str = "",
    *,
    width: Any = "stretch",
    least: int = 0,
) -> None:
    """Show a chart under a name that can be read aloud in the page's language, and its files.

    Args:
        drawing: The chart.
        key: Of the element, and what its files are called.
        name: What the chart shows.
        language: Of the page.
        lines: The Python that makes it.
        width: "stretch" fills the page, "content" keeps the chart's own.
        least: The width in pixels below which it is scrolled rather than squeezed.
    """
    drawing.description = name
    place = st.container(key=f"scrolled-{key}") if least or width == "content" else st.container()
    with place:
        if least or width == "content":
            st.html(_SCROLLED.format(key=key, least=least))
        st.altair_chart(drawing, key=key, width=width)
    exports.chart(drawing, key, language, lines)


def link(visit: Visit, page: str, label: str, **choices: object) -> None:
    """Show a link to another page, at which these choices are made."""
    chosen = {name: str(value) for name, value in choices.items()}
    st.page_link(visit.links[page], label=label, query_params={**address.of_all_pages(), **chosen})


def head_chooser(visit: Visit, model: "PretrainedModel | Heads") -> tuple[int, int]:
    """Show in the sidebar which head is chosen on all pages, and return layer and head."""
    t = words.of("shell", visit.language)
    with st.sidebar.container(key="chosen-head"):
        st.markdown(f"**{words.of('parts', visit.language)['chosen']}**")
        # Side by side they would be too narrow for their buttons.
        layer = address.number(t["layer"], "layer", model.n_layers)
        head = address.number(t["head"], "head", model.n_heads)
    head_links(visit, layer, head)
    return layer, head


def head_links(visit: Visit, layer: int, head: int) -> None:
    """Show in the sidebar links to what else is known of the head that is chosen."""
    t = words.of("shell", visit.language)
    with st.sidebar.container(key="head-links", horizontal=True, gap="small"):
        for page in ("head", "attention", "weights", "ablation"):
            link(visit, page, t[page], layer=layer, head=head)


def matrix(
    values: "Tensor",
    caption: str,
    shape: tuple[str, str],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    language: str,
) -> None:
    """Show a matrix with its name, its shape and its numbers."""
    numbers = values.detach().cpu().double().numpy()
    names = words.of("charts", language)
    table_of_numbers = matrix_html(numbers, rows, columns, caption, shape, names, _MATRIX)
    st.html(f'<div class="inspector-matrix">{table_of_numbers}</div>')


def weights_over(tokens: Sequence[str], probabilities: "Tensor", token: str, weight: str) -> None:
    """Show how one position's weight is spread over tokens, the largest first."""
    frame = pd.DataFrame({token: list(tokens), weight: probabilities.double().tolist()})
    frame.insert(0, "№", range(len(tokens)))
    st.dataframe(
        frame.sort_values(weight, ascending=False, kind="stable"),
        hide_index=True,
        height="content" if len(tokens) <= _ALL_ROWS else "auto",
        column_config={
            "№": st.column_config.NumberColumn(width=40),
            weight: st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="%.3f", color="primary"
            ),
        },
    )


def roles_table(roles: pd.DataFrame, head: tuple[int, int], language: str) -> None:
    """Show a head's roles with their evidence, or that it has none."""
    t = words.of("specialization", language)
    own = roles[(roles["layer"] == head[0]) & (roles["head"] == head[1])]
    if own.empty:
        st.markdown(t["no_role"])
        return
    own = own.sort_values("effect", ascending=False, kind="stable")
    evidence = [sentences.said(text, "evidence", language) for text in own["evidence"]]
    called = [relations.role(name, language).name for name in own["role"]]
    columns = [t["role"], t["in_words"], t["evidence"]]
    text_table(columns, zip(own["role"], called, evidence, strict=True))


def claims_table(
    claims: pd.DataFrame,
    key: str,
    language: str,
    *,
    replicated: bool = False,
    on_row: Any = "ignore",
) -> None:
    """Show claims, each figure beside what it must be seen against.

    Args:
        claims: Rows of the claims frame.
        key: Of the element.
        language: Of the page.
        replicated: Whether they were asked on other text too.
        on_row: Called when the reader chooses a row.
    """
    t = words.of("specialization", language)
    columns = {
        "relation": t["relation"],
        "in_words": t["in_words"],
        "direction": t["direction"],
        "head": t["head"],
        "verdict": t["verdict"],
        "explained_by": t["explained_by"],
        "n": t["pairs"],
        "accuracy": t["accuracy"],
        "baseline_accuracy": t["baseline"],
        "lift": t["lift"],
        "interval": t["interval"],
        "q_value": st.column_config.NumberColumn("q", format="%.2g"),
        "random_init_accuracy": t["random"],
        **({"replicates": t["replicates"]} if replicated else {}),
        "needed": t["needed"],
    }
    height = "content" if len(claims) <= _ALL_ROWS else 420
    frame_table(claims, key, "claims", columns, language, height, on_row)


def replication_table(replication: pd.DataFrame, key: str, language: str) -> None:
    """Show how supported claims do on other text, as they stand; nothing where none was asked."""
    t = words.of("specialization", language)
    asked = replication[replication["kept"] != "not asked"]
    if asked.empty:
        return
    st.subheader(t["replication"], anchor=False)
    for name, rows in asked.groupby("other_corpus", sort=False):
        counted = rows["kept"].value_counts()
        kept, lost, unclear = (int(counted.get(word, 0)) for word in ("yes", "no", "unclear"))
        said = {"corpus": plain(str(name)), "kept": kept, "lost": lost, "unclear": unclear}
        st.markdown(t["replication_outcome"].format(**said))
    st.caption(t["replication_note"])
    columns = {
        "relation": t["relation"],
        "direction": t["direction"],
        "head": t["head"],
        "other_corpus": t["other_corpus"],
        "kept": t["kept"],
        "n": t["pairs"],
        "accuracy": t["accuracy"],
        "baseline_accuracy": t["baseline"],
        "lift": t["lift"],
        "interval": t["interval"],
        "selectivity": t["selectivity"],
    }
    frame_table(asked, key, "replication", columns, language)


def frame_table(
    frame: pd.DataFrame,
    key: str,
    of: str,
    columns: Mapping[str, Any],
    language: str,
    height: Any = "auto",
    on_row: Any = "ignore",
) -> None:
    """Show some columns of a frame, shares in percent or points, with what each means.

    Args:
        frame: Its rows; the 'interval' is made of them, and some columns are put into words.
        key: Of the element.
        of: The frame that says what the columns mean.
        columns: Column → its label, or its configuration; in the order in which they stand.
        language: Of the page.
        height: Of the table.
        on_row: Called when the reader chooses a row.
    """
    t, rows = words.of("specialization", language), frame.to_dict("records")
    if "relation" in columns and "in_words" not in columns:
        at = list(columns).index("relation") + 1
        given = list(columns.items())
        columns = dict([*given[:at], ("in_words", t["in_words"]), *given[at:]])
    made: dict[str, Callable[[Mapping[Any, Any]], str]] = {
        "direction": lambda row: t[row["direction"]],
        "head": lambda row: f"{row['layer']}-{row['head']}",
        "explained_by": lambda row: words.term(row["explained_by"], language),
        "reason": lambda row: sentences.said(row["reason"], "reasons", language),
        "in_words": lambda row: (
            relations.gloss(row["relation"], language).name
            if "relation" in row
            else relations.role(row["role"], language).name
        ),
        "interval": lambda row: (
            interval(row) if of == "roles" else interval_in_points(row, language)
        ),
        "kept": lambda row: t[f"needed_{row['kept']}"],
        "needed": lambda row: t[f"needed_{row['needed']}"],
        "verdict": lambda row: t.get(row["verdict"], words.term(row["verdict"], language)),
        "word": lambda row: words.term(row["word"], language),
    }
    said = {
        name: [say(row) for row in rows]
        for name, say in made.items()
        if name in columns and (name in frame or name in _MADE)
    }
    labels = {
        name: _share_column(name, label, language) if name in (*_SHARES, *_DIFFERENCES) else label
        for name, label in columns.items()
    }
    st.dataframe(
        in_percent(frame).assign(**said),
        key=key,
        hide_index=True,
        height=height,
        on_select=on_row,
        selection_mode=["single-row", "single-cell"],
        column_order=list(columns),
        column_config=explained(of, language, labels),
        placeholder="–",
    )


def explained(frame: str, language: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return how columns are shown, with what each means where the reader points at its name.

    Args:
        frame: Whose columns they are; what it does not have gets no explanation.
        language: Of the explanations.
        columns: Column → its label, or its configuration.
    """
    says = {**meanings(frame, language)}
    if frame == "claims":
        says["verdict"] = relations.verdicts(language)
    configured = {
        name: st.column_config.Column(shown) if isinstance(shown, str) else shown
        for name, shown in columns.items()
    }
    return {
        name: {**shown, "help": says[name]} if name in says else shown
        for name, shown in configured.items()
    }


def unknown(known: Vocabulary, language: str) -> None:
    """Show how many words and tokens of what was read the model's vocabulary does not know."""
    t = words.of("shell", language)
    said = t["unknown"].format(**asdict(known))
    if known.unknown_tokens > _MOST_UNKNOWN * known.tokens:
        st.warning(f"{said} {t['unknown_many']}", icon=":material/translate:")
    else:
        st.caption(said)


def in_percent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose shares are percentages, and their differences points; it still sorts."""
    shares = [name for name in frame.columns if name in (*_SHARES, *_DIFFERENCES)]
    return frame.assign(**{name: 100 * frame[name] for name in shares})


def _share_column(name: str, label: str, language: str) -> Any:
    """Return how a column of shares, or of their differences, is shown."""
    unit = _in_points("%.1f", language) if name in _DIFFERENCES else "%.1f %%"
    return st.column_config.NumberColumn(label, format=unit)


def _in_points(number: str, language: str) -> str:
    return words.of("shell", language)["points"].format(points=number)


def points(difference: float, language: str) -> str:
    """Return a difference of shares as it is shown: points with one decimal.

    Example:
        >>> points(-0.0312, "en"), points(float("nan"), "en")
        ('−3.1 points', '–')
    """
    return "–" if pd.isna(difference) else _in_points(hundredths(difference), language)


def percent(share: float) -> str:
    """Return a share as it is shown: percent with one decimal.

    Example:
        >>> percent(-0.0312), percent(float("nan"))
        ('−3.1 %', '–')
    """
    return "–" if pd.isna(share) else f"{hundredths(share)} %"


def hundredths(share: float) -> str:
    """Return a share, or a difference of shares, with one decimal and no unit."""
    return "–" if pd.isna(share) else f"{100 * share:.1f}".replace("-", "−")


def between(row: Mapping[Any, Any]) -> str:
    """Return the 95 % interval of a row in `hundredths`, with no unit.

    Example:
        >>> between({"ci_low": -0.02, "ci_high": 0.03})
        '−2.0 … 3.0'
    """
    if pd.isna(row["ci_low"]):
        return "–"
    return f"{hundredths(row['ci_low'])} … {hundredths(row['ci_high'])}"


def interval(row: Mapping[Any, Any]) -> str:
    """Return the 95 % interval of a share as it is shown."""
    return "–" if pd.isna(row["ci_low"]) else f"{between(row)} %"


def interval_in_points(row: Mapping[Any, Any], language: str) -> str:
    """Return the 95 % interval of a difference of shares as it is shown."""
    return "–" if pd.isna(row["ci_low"]) else _in_points(between(row), language)


def figure(number: float) -> str:
    """Return a small number as it is shown: two digits and the power of ten."""
    return "0" if number == 0 else f"{number:.1e}"


def in_u(error: float) -> str:
    """Return an error in units of u as it is shown; 0 is said only of equal bits."""
    return "0" if error == 0 else f"{error:.2g}"
