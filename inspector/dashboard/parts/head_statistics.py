"""What a head grid can show: roles, weights, behaviour, a relation, importance, being needed."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from inspector import plot, words
from inspector.dashboard import address, relations, store
from inspector.dashboard.parts import exports, head_grid
from inspector.dashboard.parts.head_grid import Head, HeadCells
from inspector.dashboard.settings import Visit
from inspector.frames import dtypes, frames
from inspector.plot.colors import NEEDED_COLORS, NEEDED_MARKS
from inspector.runs.run import Run

ROLES, NEEDED, IMPORTANCE = "roles", "needed", "importance"
WEIGHTS = tuple(name for name in dtypes("weights") if name not in ("layer", "head"))
_FIRST_WEIGHT = "ov_eigenvalue_positivity"
_IMPORTANCE_LINES = """import inspector
from inspector.dashboard import store

texts = store.some_sentences(store.SENTENCES{of})
importance = inspector.head_importance({model!r}, texts, check=False)
inspector.plot.head_grid(importance, 'importance')"""


def show(
    visit: Visit,
    run: Run | None,
    key: str,
    chosen: Head,
    *,
    default: str = ROLES,
    choice: str = "grid",
    marked: dict[Head, bool] | None = None,
) -> str:
    """Show the choice of a statistic and the grid of it; return which was chosen.

    Args:
        visit: Of the reader.
        run: The run at hand, if there is one.
        key: Of the grid.
        chosen: Layer and head.
        default: The statistic shown at first, where it is there.
        choice: Name of the choice in the URL.
        marked: Heads with a dot.
    """
    t, language = words.of("parts", visit.language), visit.language
    measured = _measured(visit, run)
    offered = _offered(measured)
    first = default if default in offered else _FIRST_WEIGHT
    statistic = address.select(
        t["statistic"], choice, list(offered), first,
        named=lambda code: _label(code, offered[code], language), help=t["statistic_help"],
    )  # fmt: skip
    of = offered[statistic]
    st.caption(_says(statistic, of, language))
    if of == "weights":
        measured["weights"] = store.weights(visit.model, language)
    cells = _cells(statistic, of, measured, language, marked)
    name = t["grid_name"].format(statistic=_label(statistic, of, language))
    head_grid.show(cells, key, name, chosen, language)
    drawn = partial(_chart, statistic, of, measured, language)
    figures = _figures(statistic, of, measured)
    exports.chart(drawn, key, language, _lines(statistic, of, visit), figures)
    return statistic


def _measured(visit: Visit, run: Run | None) -> dict[str, pd.DataFrame]:
    """Return the frames that are at hand; those of weights are computed when asked for."""
    found: dict[str, pd.DataFrame] = {}
    if run is not None:
        found = {ROLES: run.roles, "relations": run.relations, "behaviour": run.behaviour}
        if "needed" in run.claims and run.claims["needed"].isin(list(NEEDED_MARKS)).any():
            found[NEEDED] = run.claims
    measured = store.measured(visit)
    if measured is not None:
        found[IMPORTANCE] = measured.importance
    return found


def _offered(measured: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return code → what it is a statistic of."""
    found = {name: name for name in (ROLES, NEEDED, IMPORTANCE) if name in measured}
    if "relations" in measured:
        asked = measured["relations"][["relation", "direction"]].drop_duplicates()
        pairs = sorted(asked.itertuples(index=False, name=None))
        found |= dict.fromkeys((".".join(pair) for pair in pairs), "relations")
    if "behaviour" in measured:
        numbers = measured["behaviour"].select_dtypes("number").columns
        found |= {
            str(name): "behaviour" for name in numbers if name not in ("layer", "head", "queries")
        }
    return found | dict.fromkeys(WEIGHTS, "weights")


def _label(code: str, of: str, language: str) -> str:
    t = words.of("parts", language)
    if of == code:
        return t[f"of_{of}"]
    if of == "relations":
        relation, direction = code.rsplit(".", 1)
        said = words.of("specialization", language)[direction]
        code = f"{relations.label(relation, language)} · {said}"
    return f"{t[f'of_{of}']} · {code}"


def _says(code: str, of: str, language: str) -> str:
    """Return what a statistic means, as Markdown."""
    if of not in ("weights", "behaviour"):
        return words.of("parts", language)[f"says_{of}"]
    column = frames().column(of, code)
    return (
        f"${column.formula}$ – {column.says(language)}" if column.formula else column.says(language)
    )


def _cells(
    code: str,
    of: str,
    measured: Mapping[str, pd.DataFrame],
    language: str,
    marked: dict[Head, bool] | None,
) -> HeadCells:
    t, frame = words.of("specialization", language), measured[of]
    if of == ROLES:
        called = {
            role: f"{role} – {relations.role(role, language).name}"
            for role in set(frame["role"])
            if ":" in role
        }
        return head_grid.of_roles(frame, measured["behaviour"], {**t, **called}, marked)
    if of == NEEDED:
        named = {**{word: t[f"needed_{word}"] for word in NEEDED_MARKS}, "": t["needed_not asked"]}
        figures = _figures(code, of, measured)
        return head_grid.of_categories(figures, NEEDED, named, NEEDED_COLORS, NEEDED_MARKS)
    if of == "relations":
        lead = _figures(code, of, measured)
        return head_grid.of_numbers(lead, "lead", words.of("parts", language)["lead"])
    return head_grid.of_numbers(frame, code, code)


def _figures(code: str, of: str, measured: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what the grid shows, as a frame."""
    frame = measured[of]
    if of == ROLES:
        return frame
    if of == NEEDED:
        from inspector.plot.heads import needed_by_head  # imports Altair

        return needed_by_head(frame, measured["behaviour"])
    if of == "relations":
        relation, direction = code.rsplit(".", 1)
        rows = frame[(frame["relation"] == relation) & (frame["direction"] == direction)]
        return rows.assign(lead=rows["accuracy"] - rows["baseline_accuracy"])
    return frame[["layer", "head", code]]


def _chart(code: str, of: str, measured: Mapping[str, pd.DataFrame], language: str) -> Any:
    """Return the grid as a chart that can be kept as a picture."""
    names, t = words.of("charts", language), words.of("specialization", language)
    if of == ROLES:
        return plot.role_grid(measured[of], measured["behaviour"], names={**names, **t})
    if of == NEEDED:
        said = {word: t[f"needed_{word}"] for word in (*NEEDED_MARKS, "not asked")}
        called = {**names, **said, NEEDED: t["needed"]}
        return plot.needed_grid(measured[of], measured["behaviour"], names=called)
    column = "lead" if of == "relations" else code
    called = {**names, "lead": words.of("parts", language)["lead"]}
    return plot.head_grid(_figures(code, of, measured), column, names=called)


def _lines(code: str, of: str, visit: Visit) -> str:
    """Return the Python that draws the grid."""
    if of == IMPORTANCE:
        return _IMPORTANCE_LINES.format(model=visit.model, of=store.ablated_lines(visit))
    if of == "weights":
        made = f"inspector.weight_statistics({visit.model!r})"
        return f"import inspector\n\ninspector.plot.head_grid({made}, {code!r})"
    folder = store.folder_of_run(visit)
    if of == "relations":
        relation, direction = code.rsplit(".", 1)
        asked = f"relation == {relation!r} and direction == {direction!r}"
        rows = f'relations.query("{asked}")'
        opened = exports.of_run(folder, rows).replace("run.rel", "rows = run.rel")
        lead = "lead = rows['accuracy'] - rows['baseline_accuracy']"
        return f"{opened}\n{lead}\ninspector.plot.head_grid(rows.assign(lead=lead), 'lead')"
    drawn = {ROLES: "plot.roles()", NEEDED: "plot.needed()"}.get(of, f"plot.heads({code!r})")
    return exports.of_run(folder, drawn)
