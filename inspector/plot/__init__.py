"""Frames → Altair charts, the same for the dashboard, for notebooks and for `run.plot`.

No chart sets a background or the colour of text outside its own marks, so that each follows the
page's theme. Every chart has a description, which is its accessible name. Altair loads when a
chart is first asked for.
Must not know: how a number came to be; torch, Streamlit.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inspector.public_names import public_names

if TYPE_CHECKING:
    from inspector.plot.ablation import robustness_curve as robustness_curve
    from inspector.plot.cluster_charts import dendrogram as dendrogram
    from inspector.plot.cluster_charts import head_map as head_map
    from inspector.plot.curves import cost_curve as cost_curve
    from inspector.plot.curves import eigenvalue_plane as eigenvalue_plane
    from inspector.plot.curves import spectrum as spectrum
    from inspector.plot.errors import error_grid as error_grid
    from inspector.plot.forest import claim_ladder as claim_ladder
    from inspector.plot.forest import claims_forest as claims_forest
    from inspector.plot.heads import attention_matrix as attention_matrix
    from inspector.plot.heads import head_grid as head_grid
    from inspector.plot.heads import needed_grid as needed_grid
    from inspector.plot.heads import relation_grid as relation_grid
    from inspector.plot.one_head import head_profile as head_profile
    from inspector.plot.picture import svg as svg
    from inspector.plot.roles import role_grid as role_grid

_MODULES = {
    "head_grid": "heads",
    "attention_matrix": "heads",
    "needed_grid": "heads",
    "role_grid": "roles",
    "claims_forest": "forest",
    "claim_ladder": "forest",
    "relation_grid": "heads",
    "head_profile": "one_head",
    "spectrum": "curves",
    "eigenvalue_plane": "curves",
    "cost_curve": "curves",
    "dendrogram": "cluster_charts",
    "head_map": "cluster_charts",
    "error_grid": "errors",
    "robustness_curve": "ablation",
    "svg": "picture",
}

__all__ = [
    "head_grid", "attention_matrix", "role_grid", "claims_forest", "relation_grid", "head_profile",
    "spectrum", "eigenvalue_plane", "cost_curve", "dendrogram", "head_map", "error_grid",
    "robustness_curve", "svg", "claim_ladder", "needed_grid",
]  # fmt: skip

_find, __dir__ = public_names(__name__, _MODULES)


def __getattr__(name: str) -> Any:
    """Return a function that makes a chart, importing Altair only now (PEP 562).

    Raises:
        AttributeError: If there is none of that name.
    """
    if name in _MODULES:
        import_module("inspector.plot.picture").show_without_hosts()
    return _find(name)
