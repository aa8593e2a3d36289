"""The run that the pages show, or the offer to compute it."""

from inspector import words
from inspector.dashboard import store
from inspector.dashboard.runs import under_way
from inspector.dashboard.settings import Visit
from inspector.runs.run import Run


def run(visit: Visit) -> Run | None:
    """Return the run to show; where there is none yet, offer to compute it and return None."""
    found = at_hand(visit)
    if found is None:
        t = words.of("specialization", visit.language)
        under_way.show(visit, store.default_job(visit), "profile", t["no_run"], t["compute"])
    return found


def at_hand(visit: Visit) -> Run | None:
    """Return the run to show if there is one without any waiting."""
    return store.chosen_run(visit) or store.default_run(visit)
