"""Compare: two runs, and two of their heads, side by side."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from inspector import api, words
from inspector.dashboard import address, relations, store, widgets
from inspector.dashboard.guards import guarded, plain
from inspector.dashboard.parts import exports, head_grid
from inspector.dashboard.runs import choice, texts
from inspector.dashboard.settings import Visit
from inspector.errors import InputError
from inspector.frames import meanings
from inspector.plot import head_grid as grid_chart
from inspector.runs.background.shelf import Listed
from inspector.runs.run import Run

_GRID = "compare-grid"
_LINES = """import inspector

one = inspector.Run.open({one!r})
other = inspector.Run.open({other!r})
"""
_GRID_LINES = """{made}heads, claims = inspector.compare(one, other)
inspector.plot.head_grid(heads, {column!r})"""
_CALLS = ("match_heads(one, other)", "lost_roles(one, other)", "lost_roles(other, one)")
_KEY = ["relation", "direction"]
_DIFFERENCE = "_difference"
_FIRST = "entropy_nats"
_SUPPORTED = "supported"


def show(visit: Visit) -> None:
    """Show what differs between two runs: heads, roles, claims; then two heads of them."""
    t = words.of("compare", visit.language)
    widgets.heading(t["title"], t["purpose"])
    found = choice.all_runs(visit.settings)
    runs = {one.name: one for one in found if (one.state, one.kind) == ("complete", "profile")}
    if len(runs) < 2:
        st.markdown(t["too_few"])
        widgets.link(visit, "data", t["to_data"])
        return
    one, other, made = _chosen(runs, visit, t)
    with guarded():
        matched = api.match_heads(one, other)
    try:
        heads, claims = api.compare(one, other)
    except InputError:  # models of other shapes have no head in common
        st.info(t["other_shape"], icon=":material/info:")
    else:
        _differences(heads, claims, _pairs(one, other), made, visit)
    _roles(one, other, visit)
    _claims(one, other, visit)
    _heads(one, other, matched, visit)
    frames = {
        "matched_heads": matched,
        "roles_lost": api.lost_roles(one, other),
        "roles_gained": api.lost_roles(other, one),
    }
    calls = dict(zip(frames, _CALLS, strict=True))
    exports.frames(frames, lambda name: f"{made}inspector.{calls[name]}", visit.language)


def _chosen(runs: Mapping[str, Listed], visit: Visit, t: words.Words) -> tuple[Run, Run, str]:
    """Return the two runs that the reader chose, and the Python that opens them."""
    names = list(runs)
    shown = next((name for name, one in runs.items() if one.folder == visit.run), None)
    defaults = (name for name, one in runs.items() if choice.is_default(one))
    first = shown or next(defaults, names[0])

    def named(name: str) -> str:
        one = runs[name]
        what = t["default_run"] if choice.is_default(one) else name
        return f"{one.model} · {texts.called(one.corpus, visit.language)} · {what}"

    left, right = st.columns(2)
    with left:
        a = address.select(t["one"], "one", names, first, named=named)
    second = next(name for name in names if name != a)
    with right:
        b = address.select(t["other"], "other", names, second, named=named)
    with guarded():
        one, other = store.opened(runs[a].folder), store.opened(runs[b].folder)
    if one.manifest.corpus_sha256 != other.manifest.corpus_sha256:
        st.caption(t["other_text"])
    folders = [str(runs[name].folder) for name in (a, b)]
    return one, other, _LINES.format(one=folders[0], other=folders[1])


def _pairs(one: Run, other: Run) -> pd.DataFrame:
    """Return the claims of two runs side by side, and whether each and both say the same."""
    pairs = one.claims.merge(other.claims, on=_KEY, how="outer", suffixes=("", "_2"))
    held, held_too = pairs["verdict"] == _SUPPORTED, pairs["verdict_2"] == _SUPPORTED
    same = (pairs["layer"] == pairs["layer_2"]) & (pairs["head"] == pairs["head_2"])
    return pairs.assign(held=held, held_too=held_too, agree=held & held_too & same)


def _differences(
    heads: pd.DataFrame, claims: pd.DataFrame, pairs: pd.DataFrame, made: str, visit: Visit
) -> None:
    """Show how much differs, in a sentence and as a grid of one quantity."""
    t = words.of("compare", visit.language)
    changed = (heads["roles_lost"] > 0) | (heads["roles_gained"] > 0)
    st.markdown(
        t["outcome"].format(
            heads=len(heads), changed=int(changed.sum()),
            all=int((pairs["held"] | pairs["held_too"]).sum()), agree=int(pairs["agree"].sum()),
        )
    )  # fmt: skip
    st.header(t["grid"], anchor=False)
    quantities = [
        name.removesuffix(_DIFFERENCE) for name in heads.columns if name.endswith(_DIFFERENCE)
    ]
    says = meanings("behaviour", visit.language)
    quantity = address.select(t["quantity"], "quantity", quantities, _FIRST)
    st.caption(f"{says.get(quantity, '')} {t['grid_note']}")
    layer = address.choose("layer", range(int(heads["layer"].max()) + 1), 0)
    head = address.choose("head", range(int(heads["head"].max()) + 1), 0)
    column = f"{quantity}{_DIFFERENCE}"
    cells = head_grid.of_numbers(heads, column, f"{quantity}: B − A")
    head_grid.show(cells, _GRID, t["grid_alt"], (layer, head), visit.language)
    names, compared = words.of("charts", visit.language), f"{made}inspector.compare(one, other)"
    exports.chart(
        lambda: grid_chart(heads, column, names=names),
        _GRID,
        visit.language,
        _GRID_LINES.format(made=made, column=column),
    )
    frames = {"compared_heads": heads, "compared_claims": claims}
    places = {name: place for place, name in enumerate(frames)}
    exports.frames(frames, lambda name: f"{compared}[{places[name]}]", visit.language)


def _roles(one: Run, other: Run, visit: Visit) -> None:
    """Show which roles are lost, and which are new."""
    t, s = words.of("compare", visit.language), words.of("specialization", visit.language)
    for name, before, after in (("lost", one, other), ("gained", other, one)):
        rows = api.lost_roles(before, after)
        st.header(t[f"roles_{name}"].format(count=len(rows)), anchor=False)
        if rows.empty:
            st.markdown(t["none"])
            continue
        columns = {
            "head": s["head"], "role": s["role"], "in_words": s["in_words"],
            "effect": s["effect"], "interval": s["interval"],
        }  # fmt: skip
        shown = rows.sort_values("effect", ascending=False, kind="stable")
        widgets.frame_table(shown, f"roles-{name}", "roles", columns, visit.language, 240)


def _claims(one: Run, other: Run, visit: Visit) -> None:
    """Show the claims of which the two runs do not say the same, each with its interval."""
    t, s = words.of("compare", visit.language), words.of("specialization", visit.language)
    # Two a row: a unit in every cell would leave the relation no room.
    s = {**s, "lift": words.of("charts", visit.language)["lift in points"]}
    pairs = _pairs(one, other)
    held, held_too = pairs["held"], pairs["held_too"]
    for name, rows in (
        ("lost", pairs[held & ~held_too]),
        ("gained", pairs[held_too & ~held]),
        ("moved", pairs[held & held_too & ~pairs["agree"]]),
    ):
        st.header(t[f"claims_{name}"].format(count=len(rows)), anchor=False)
        if rows.empty:
            st.markdown(t["none"])
            continue
        widgets.text_table(
            [s["relation"], s["direction"], *(f"{t[which]}: {s[what]}" for which in ("a", "b")
             for what in ("head", "lift", "interval", "verdict"))],
            [_claim(row, visit.language) for row in rows.to_dict("records")],
        )  # fmt: skip


def _claim(row: Mapping[Any, Any], language: str) -> list[str]:
    s = words.of("specialization", language)
    cells = [relations.label(row["relation"], language), s[row["direction"]]]
    for end in ("", "_2"):
        if pd.isna(row[f"layer{end}"]):  # the relation is not in that run
            cells += ["–"] * 4
            continue
        own = {name: row[f"{name}{end}"] for name in ("ci_low", "ci_high")}
        verdict = row[f"verdict{end}"]
        cells += [
            f"{int(row[f'layer{end}'])}-{int(row[f'head{end}'])}",
            widgets.hundredths(row[f"lift{end}"]),
            widgets.between(own),
            s.get(verdict, words.term(verdict, language)),
        ]
    return cells


def _heads(one: Run, other: Run, matched: pd.DataFrame, visit: Visit) -> None:
    """Show which heads behave alike, and a head of each run side by side."""
    t = words.of("compare", visit.language)
    st.header(t["matched"], anchor=False)
    st.caption(t["matched_note"])
    same = (matched["layer"] == matched["other_layer"]) & (matched["head"] == matched["other_head"])
    st.markdown(t["matched_same"].format(same=int(same.sum()), all=len(matched)))
    columns = {
        "head": f"{t['a']}: {t['head']}",
        "partner": f"{t['b']}: {t['head']}",
        "distance": st.column_config.NumberColumn(t["distance"], format="%.3f"),
    }
    partners = zip(matched["other_layer"], matched["other_head"], strict=True)
    shown = matched.assign(partner=[f"{layer}-{head}" for layer, head in partners])
    widgets.frame_table(shown, "matched", "matched_heads", columns, visit.language, 280)
    st.header(t["two_heads"], anchor=False)
    fields = st.columns(4)
    sizes = [_size(run) for run in (one, other)]
    layer = address.number(t["layer"], "layer", sizes[0][0], on=fields[0])
    head = address.number(t["head"], "head", sizes[0][1], on=fields[1])
    widgets.head_links(visit, layer, head)
    partner = matched[(matched["layer"] == layer) & (matched["head"] == head)]
    best = (0, 0)
    if len(partner):
        best = int(partner["other_layer"].iloc[0]), int(partner["other_head"].iloc[0])
        st.caption(t["partner"].format(a=f"{layer}-{head}", b=f"{best[0]}-{best[1]}"))
    other_layer = address.number(t["other_layer"], "layer2", sizes[1][0], best[0], on=fields[2])
    other_head = address.number(t["other_head"], "head2", sizes[1][1], best[1], on=fields[3])
    _side_by_side((one, layer, head), (other, other_layer, other_head), visit)


def _side_by_side(left: tuple[Run, int, int], right: tuple[Run, int, int], visit: Visit) -> None:
    """Show the roles and the behaviour of two heads."""
    t, h = words.of("compare", visit.language), words.of("head", visit.language)
    s = words.of("specialization", visit.language)
    rows, names = [], []
    for place, (run, layer, head) in zip(st.columns(2), (left, right), strict=True):
        names.append(f"{run.manifest.model} {layer}-{head}")
        with place:
            st.subheader(plain(names[-1]), anchor=False)
            st.caption(plain(texts.called(run.manifest.corpus, visit.language)))
            own = _of_head(run.roles, layer, head)
            if own.empty:
                st.markdown(s["no_role"])
            else:
                widgets.text_table(
                    [s["role"], s["effect"], s["interval"]],
                    (
                        [
                            row["role"],
                            widgets.percent(row["effect"]),
                            widgets.interval(row),
                        ]
                        for row in own.to_dict("records")
                    ),
                )
        rows.append(_of_head(run.behaviour, layer, head).iloc[0])
    quantities = [name for name in rows[0].index if name not in ("layer", "head")]
    says = meanings("behaviour", visit.language)
    named = [f"{t[which]}: {name}" for which, name in zip("ab", names, strict=True)]
    widgets.text_table(
        [h["quantity"], *named, t["difference"], h["meaning"]],
        (
            [name, _figure(rows[0][name], ".4g"), _figure(rows[1][name], ".4g"),
             _figure(rows[1][name] - rows[0][name], "+.3g"), says.get(name, "")]
            for name in quantities
        ),
    )  # fmt: skip


def _figure(number: float, form: str) -> str:
    """Return a figure as it is shown; a count or a place has all its digits.

    Example:
        >>> _figure(19385.0, ".4g"), _figure(-0.4813, "+.3g")
        ('19385', '−0.481')
    """
    form = form if number % 1 else form.replace(form[-2:], "0f")
    return f"{number:{form}}".replace("-", "−")


def _of_head(frame: pd.DataFrame, layer: int, head: int) -> pd.DataFrame:
    return frame[(frame["layer"] == layer) & (frame["head"] == head)]


def _size(run: Run) -> tuple[int, int]:
    return int(run.behaviour["layer"].max()) + 1, int(run.behaviour["head"].max()) + 1
