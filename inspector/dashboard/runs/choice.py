"""Which runs can be chosen: those that the settings name, and those below the folder for runs."""

import os
import re
from pathlib import Path

from inspector.dashboard.settings import Settings
from inspector.runs.background.job import JOBS
from inspector.runs.background.shelf import Listed, look_at, runs_below

DEFAULT = "default"
"""Code of a model's default run."""
KEY = 16
"""Letters of the hash that names a default run's folder."""
_DEFAULT_FOLDER = re.compile(f"[0-9a-f]{{{KEY}}}")


def root_of(settings: Settings) -> Path:
    """Return the folder below which runs are found and written."""
    if settings.runs is not None:
        return Path(settings.runs)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "inspector" / "runs"


def all_runs(settings: Settings) -> list[Listed]:
    """Return the runs that the settings name, then those below the folder for runs."""
    root = root_of(settings)
    below = runs_below(root)
    taken, known, given = {one.name for one in below}, {_whole(one.folder) for one in below}, []
    for folder in map(Path, settings.opened):
        if _whole(folder) in known:
            continue
        name, count = folder.name or "run", 1
        while name in taken:
            count += 1
            name = f"{folder.name}~{count}"
        taken.add(name)
        known.add(_whole(folder))
        given.append(look_at(folder, name))
    return [*given, *below]


def openable(settings: Settings, model: str) -> dict[str, Listed]:
    """Return the complete runs of a model by their names, those that the settings name first.

    What was made of a model that nobody can choose, as by another name, is offered with each.
    """
    named = {_whole(Path(folder)) for folder in settings.opened}
    found = [
        one
        for one in all_runs(settings)
        if (one.state == "complete" or _whole(one.folder) in named) and not is_default(one)
        if one.kind == "profile"
        if chosen_model(one, settings) in (None, model)
    ]
    found.sort(key=lambda one: _whole(one.folder) not in named)
    return {one.name: one for one in found}


def first(runs: dict[str, Listed], settings: Settings) -> str:
    """Return which run is shown at first: one that the settings name, else the default run."""
    named = {_whole(Path(folder)) for folder in settings.opened}
    return next((name for name, one in runs.items() if _whole(one.folder) in named), DEFAULT)


def chosen_model(run: Listed, settings: Settings) -> str | None:
    """Return which of the settings' models a run was made of; None if none is called so."""
    for name in settings.models:
        if name == run.model or (Path(name).is_dir() and _whole(Path(name)) == _whole(run.model)):
            return name
    return None


def is_lost(name: str, settings: Settings) -> bool:
    """Return whether there is no complete run of a name, as of one that was damaged or deleted."""
    return not any(one.name == name and one.state == "complete" for one in all_runs(settings))


def is_default(run: Listed) -> bool:
    """Return whether a run is the default run of a model, by the name of its folder."""
    return _DEFAULT_FOLDER.fullmatch(run.name) is not None


def job_folder(run: Listed, settings: Settings) -> Path:
    """Return where the job of a run stands."""
    return root_of(settings) / JOBS / run.name


def _whole(path: str | Path) -> Path:
    return Path(path).resolve()
