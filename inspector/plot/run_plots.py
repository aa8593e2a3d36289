"""The charts of a run: what `run.plot` offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from inspector.errors import InputError
from inspector.head_names import head_list

if TYPE_CHECKING:
    import altair as alt

Chart = TypeVar("Chart")


@dataclass(frozen=True, repr=False)
class RunPlots:
    """Altair charts of a run's frames, each returned, none shown."""

    model: str
    corpus: str
    frames: Mapping[str, pd.DataFrame]

    def __call__(self, corpus: str) -> "RunPlots":
        """Return the charts of one corpus of several.

        Raises:
            InputError: If there is no such corpus.
        """
        behaviour = self.frames["behaviour"]
        names = behaviour["corpus"].unique().tolist() if "corpus" in behaviour else []
        if corpus not in names:
            listed = ", ".join(names) or f"{self.corpus} alone: leave it out"
            raise InputError(f"corpus ({corpus}) must be one of the run's. Available: {listed}.")
        own = {
            name: frame[frame["corpus"] == corpus].drop(columns="corpus")
            for name, frame in self.frames.items()
        }
        return RunPlots(self.model, corpus, own)

    def __repr__(self) -> str:
        """Return what may be drawn."""
        drawn = "roles, needed, claims, relation, head, heads, dendrogram, head_map"
        return f"<charts of {self.model} on {self.corpus}: {drawn}>"

    def roles(self) -> "alt.LayerChart":
        """Return what every head may be called: a cell each, layers downwards, heads across."""
        from inspector.plot.roles import role_grid

        return self._titled("Roles", role_grid(self._frame("roles"), self._frame("behaviour")))

    def needed(self) -> "alt.LayerChart":
        """Return which heads are needed for what they follow, as ablation found.

        Raises:
            InputError: If it was not asked.
        """
        from inspector.plot.heads import needed_grid

        chart = needed_grid(self._frame("claims"), self._frame("behaviour"))
        return self._titled("Needed", chart)

    def claims(self, *, supported: bool = False) -> "alt.LayerChart":
        """Return the lift of every claim with its interval.

        Args:
            supported: Whether only claims that are supported are drawn.
        """
        from inspector.plot.forest import claims_forest

        claims = self._frame("claims")
        if supported:
            claims = claims[claims["verdict"] == "supported"]
        return self._titled("Lift of claims over the best fixed offset", claims_forest(claims))

    def relation(self, relation: str, direction: str | None = None) -> "alt.Chart":
        """Return every head's accuracy on a relation, a grid for each direction.

        Args:
            relation: Such as obj.
            direction: One of its directions alone.

        Raises:
            InputError: If it was not measured.
        """
        from inspector.plot.heads import relation_grid

        chart = relation_grid(self._frame("relations"), relation, direction=direction)
        return self._titled(f"Accuracy on {relation}", chart)

    def head(self, layer: int | str, head: int | None = None) -> "alt.HConcatChart":
        """Return where a head looks, and the relations on which it is best.

        Args:
            layer: Of the head; or the head, such as '2-8'.
            head: Its number.

        Raises:
            InputError: If there is no such head.
        """
        from inspector.plot.one_head import head_profile

        number = head_list(layer if head is None else (layer, head))[0]
        chart = head_profile(self._frame("behaviour"), self._frame("relations"), *number)
        return self._titled(f"Head {number[0]}-{number[1]}", chart)

    def heads(self, statistic: str = "entropy_nats") -> "alt.Chart":
        """Return one figure of the behaviour frame for every head.

        Args:
            statistic: Its column.

        Raises:
            InputError: If there is no such column of numbers.
        """
        from inspector.plot.heads import head_grid

        chart = head_grid(self._frame("behaviour"), statistic)
        return self._titled(statistic.replace("_", " "), chart)

    def dendrogram(self) -> "alt.LayerChart":
        """Return the heads as leaves of a tree that joins those that look alike.

        Raises:
            InputError: If the run has no distances.
        """
        from inspector.plot.cluster_charts import dendrogram

        chart = dendrogram(self._frame("distances"), self._frame("roles"))
        return self._titled("Heads that look alike", chart)

    def head_map(self) -> "alt.LayerChart":
        """Return the heads on a plane, near each other where they look alike.

        Raises:
            InputError: If the run has no distances.
        """
        from inspector.plot.cluster_charts import head_map

        chart = head_map(self._frame("distances"), self._frame("roles"))
        return self._titled("Heads by their distances", chart)

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self.frames:
            raise InputError(
                f"run ({self.model} on {self.corpus}) has no frame {name}: "
                f"profile with {name}=True."
            )
        frame = self.frames[name]
        if "corpus" in frame:
            raise InputError(
                f"run ({self.corpus}) is of several corpora: choose one with run.plot(corpus=...)."
            )
        return frame

    def _titled(self, what: str, chart: Chart) -> Chart:
        from inspector.plot.picture import show_without_hosts

        show_without_hosts()
        any_chart: Any = chart
        titled: Chart = any_chart.properties(title=f"{what}: {self.model} on {self.corpus}")
        return titled
