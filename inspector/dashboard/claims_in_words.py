"""Claims in the reader's words: which are the strongest, and a sentence for each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from inspector import words
from inspector.dashboard import address, relations, widgets
from inspector.dashboard.guards import plain
from inspector.dashboard.settings import Visit
from inspector.plot.colors import VERDICTS
from inspector.runs.run import Run

if TYPE_CHECKING:
    from inspector.models import PretrainedModel

SUPPORTED, EXPLAINED, _SURVIVES = "supported", "explained", "survives"
NEEDED = ("yes", "together", "no", "unclear")


def ordered(claims: pd.DataFrame) -> pd.DataFrame:
    """Return claims, supported ones first, the strongest first among those of one verdict."""
    rank = claims["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    by = claims.assign(_rank=rank).sort_values(
        ["_rank", "lift"], ascending=[True, False], kind="stable"
    )
    return by.drop(columns="_rank")


def beside_controls(claims: pd.DataFrame, controls: pd.DataFrame) -> pd.DataFrame:
    """Return claims of meaning and logic as what the tree of the sentence leaves of them.

    A supported one that does not survive its controls, the same word and paths of one or two
    edges, is explained by these: no head is said to follow a meaning that syntax is enough for.

    Args:
        claims: The frame of a run.
        controls: Its frame `semantic_controls`.
    """
    key = ["relation", "direction", "layer", "head"]
    fallen = controls.loc[controls["verdict"] != _SURVIVES, key]
    places = set(fallen.itertuples(index=False, name=None))
    verdicts = [
        EXPLAINED if verdict == SUPPORTED and place in places else verdict
        for verdict, place in zip(
            claims["verdict"], claims[key].itertuples(index=False, name=None), strict=True
        )
    ]
    return claims.assign(verdict=verdicts)


def strongest(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the supported claims, the strongest first, one of each relation.

    What is asked among mentions alone is easier: it is among them only where nothing else is.
    """
    held = claims[claims["verdict"] == SUPPORTED]
    open_to_all = held[~held["relation"].str.endswith(relations.MENTIONS)]
    return ordered(held if open_to_all.empty else open_to_all).drop_duplicates("relation")


def head_chooser(
    visit: Visit, run: Run | None, model: "PretrainedModel | widgets.Heads"
) -> tuple[int, int]:
    """Show which head is chosen, and return it; at first the run's strongest one."""
    if run is not None and (head := strongest_head(run)):
        address.suggest(dict(zip(("layer", "head"), head, strict=True)))
    return widgets.head_chooser(visit, model)


def strongest_head(run: Run) -> tuple[int, int] | None:
    """Return the head of the strongest claim that holds, or of the strongest role.

    A head that follows a relation comes before one of a claim among mentions alone, which is
    easier, and may have no role at all.
    """
    claims = strongest(beside_controls(run.claims, run.semantic_controls))
    is_easier = claims["relation"].str.endswith(relations.MENTIONS)
    roles = run.roles.sort_values("effect", ascending=False, kind="stable")
    follows = roles["role"].str.startswith(tuple(f"{one}:" for one in relations.FOLLOWING))
    for rows in (claims[~is_easier], roles[follows], claims, roles):
        if len(rows):
            first = rows.iloc[0]
            return int(first["layer"]), int(first["head"])
    return None


def sentence(row: Mapping[Any, Any], language: str) -> str:
    """Return what a claim says, as Markdown."""
    t, s = words.of("overview", language), words.of("specialization", language)
    found = relations.gloss(row["relation"], language)
    said = t["claim" if row["verdict"] == SUPPORTED else "claim_open"].format(
        head_name=f"{row['layer']}-{row['head']}",
        name=plain(found.name),
        relation=_code(row["relation"]),
        direction=s[row["direction"]],
        accuracy=widgets.percent(row["accuracy"]),
        n=int(row["n"]),
        lift=widgets.hundredths(row["lift"]),
        interval=widgets.between(row),
        verdict=s[row["verdict"]],
    )
    if row.get("explained_by"):
        said = f"{said} {t['claim_explained'].format(by=words.term(row['explained_by'], language))}"
    asked = row.get("needed") in NEEDED
    needed = s[f"needed_{row['needed']}"] if asked else t["claim_not_asked"]
    return f"{said} {t['claim_needed'].format(needed=needed)}"


def _code(name: str) -> str:
    """Return a name as it may stand between backticks, where nothing is escaped."""
    return " ".join(name.replace("`", "'").split())


def evidence_link(row: Mapping[Any, Any], visit: Visit) -> None:
    """Show the link from a claim to the texts in which its head hits and misses."""
    t = words.of("overview", visit.language)
    label = t["evidence"].format(head_name=f"{row['layer']}-{row['head']}")
    pair = f"{row['relation']}.{row['direction']}"
    widgets.link(visit, "head", label, layer=row["layer"], head=row["head"], pair=pair)


def open_chosen(claims: pd.DataFrame, key: str, visit: Visit) -> None:
    """Turn to the Head page with the claim that was clicked in a table, if one was."""
    event: Any = st.session_state.get(key)
    picked = event.selection if event else {}
    rows = [*picked.get("rows", ()), *(cell[0] for cell in picked.get("cells", ()))]
    if rows and rows[0] < len(claims):
        row = claims.iloc[rows[0]]
        chosen = {"layer": str(row["layer"]), "head": str(row["head"])}
        chosen["pair"] = f"{row['relation']}.{row['direction']}"
        # The fields of layer and head stand on the page already: the URL says what is chosen.
        st.switch_page(visit.links["head"], query_params={**address.of_all_pages(), **chosen})
