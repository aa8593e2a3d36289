"""A run: the frames of a profile and its manifest, as pages, charts and notebooks take them.

To open one needs neither torch nor a model. Must not know: how a frame is made.
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd

from inspector.arguments import as_path
from inspector.errors import InputError, OutputError
from inspector.plot.roles_table import roles_table
from inspector.plot.run_plots import RunPlots
from inspector.runs.passport.atlas import write_atlas
from inspector.runs.passport.passport import Passport, passport
from inspector.runs.run_frames import UNSURE, VOCABULARY_ROWS, expected_frames
from inspector.runs.store.folder_checks import FRAME_SUFFIX
from inspector.runs.store.manifest import Manifest
from inspector.runs.store.result import DamageError, check_columns
from inspector.runs.store.run_folder import RunFolder
from inspector.vocabulary import Vocabulary


@dataclass(frozen=True, repr=False)
class Run:
    """The frames of a profile, and what they were computed from.

    Example:
        >>> import inspector
        >>> run = inspector.profile("minilm", "The cat sat.", ablation=False)
        >>> run
        <Run: minilm on texts: 1 sentences, 4 words; ...>
        >>> run.frames["behaviour"] is run.behaviour
        True
    """

    manifest: Manifest
    frames: dict[str, pd.DataFrame]

    @classmethod
    def open(cls, path: str | PathLike[str]) -> "Run":
        """Return a run that stands in a folder.

        Raises:
            InputError: If it is no path.
            OutputError: If there is none, it is not complete, or it is damaged.
        """
        folder = RunFolder.open(as_path("run", path))
        folder.check_complete()
        frames = {name: folder.read_frame(name) for name in folder.frames}
        several = "corpus" in frames.get("behaviour", ())
        expected = expected_frames(folder.manifest.settings, several=several)
        for name, columns in expected.items():
            try:
                if name not in frames:
                    raise DamageError("it is not there")
                check_columns(frames[name], columns)
            except DamageError as error:
                raise OutputError(
                    f"frame ({folder.path / name}{FRAME_SUFFIX}) cannot be used, {error}: the run "
                    "was changed, or another version of inspector wrote it. Run the command again "
                    "with --resume, or profile anew."
                ) from None
        order = [*expected, *(name for name in frames if name not in expected)]
        return cls(folder.manifest, {name: frames[name] for name in order})

    @property
    def behaviour(self) -> pd.DataFrame:
        """Return where each head looks: a row per layer × head."""
        return self.frames["behaviour"]

    @property
    def relations(self) -> pd.DataFrame:
        """Return how often each head is right: a row per layer × head × relation × direction."""
        return self.frames["relations"]

    @property
    def claims(self) -> pd.DataFrame:
        """Return what may be said of relations: a row per relation × direction."""
        return self.frames["claims"]

    @property
    def controls(self) -> pd.DataFrame:
        """Return what heads were compared with: a row per claim or supported head × rung."""
        return self.frames["controls"]

    @property
    def semantic_controls(self) -> pd.DataFrame:
        """Return what is left of claims on meaning when simpler explanations are ruled out."""
        return self.frames["semantic_controls"]

    @property
    def roles(self) -> pd.DataFrame:
        """Return what heads may be called, and why."""
        return self.frames["roles"]

    @property
    def kinds(self) -> pd.DataFrame:
        """Return whether each relation is of 'syntax', 'semantic' or 'logical'."""
        return self.frames["kinds"]

    @property
    def power(self) -> pd.DataFrame:
        """Return how many documents each relation would need."""
        return self.frames["power"]

    @property
    def totals(self) -> pd.DataFrame:
        """Return how much was read, and how much was left out and why."""
        return self.frames["totals"]

    @property
    def vocabulary(self) -> Vocabulary:
        """Return how much of what was read the model's vocabulary knows, of all corpora."""
        counted = self.totals.groupby("what")["count"].sum()
        return Vocabulary(
            **{name: int(counted.get(row, 0)) for name, row in VOCABULARY_ROWS.items()}
        )

    @property
    def unsure(self) -> list[str]:
        """Return the relations of which the vocabulary knows too few words for any claim."""
        ending = f": {UNSURE}"
        found = {str(what) for what in self.totals["what"] if str(what).endswith(ending)}
        return sorted(what.removesuffix(ending) for what in found)

    @property
    def plot(self) -> RunPlots:
        """Return the charts of it, such as `run.plot.roles()` and `run.plot.relation("obj")`.

        Of several corpora `run.plot(corpus="name")` are those of one.
        """
        return RunPlots(self.manifest.model, self.manifest.corpus, self.frames)

    def passport(self, layer: int, head: int) -> Passport:
        """Return all that was found of one head, with hashes, versions and seeds.

        `.json()` and `.html()` are files to keep, `.cite` a line to cite.

        Raises:
            InputError: If the run has no such head.
        """
        return passport(self.frames, self.manifest, layer, head)

    def atlas(self, folder: str | PathLike[str]) -> list[Path]:
        """Write the run as pages in English and Chinese that open without a server.

        Args:
            folder: A new one, or an empty one.

        Raises:
            InputError: If it is no path, or holds something.
            OutputError: If it cannot be written.
        """
        place = as_path("folder", folder)
        try:
            if place.exists() and (not place.is_dir() or any(place.iterdir())):
                raise InputError(
                    f"folder ({place.name}) must be new or empty: give another, or delete it."
                )
            return write_atlas(self.frames, self.manifest, place)
        except OSError as error:
            raise OutputError(
                f"folder ({place.name}) could not be written: {error.strerror}. Choose another."
            ) from None

    def summary(self) -> str:
        """Return what was found in a sentence."""
        counted = self.totals.groupby("what")["count"].sum()
        supported = self.claims[self.claims["verdict"] == "supported"]
        named = sorted(set(supported["relation"]))
        return (
            f"{self.manifest.model} on {self.manifest.corpus}: {counted['sentences']} sentences, "
            f"{counted['words']} words; {len(supported)} of {len(self.claims)} claims supported"
            f"{', of ' + ', '.join(named) if named else ''}; {len(self.roles)} roles; "
            f"{self.vocabulary}."
        )

    def __repr__(self) -> str:
        """Return the summary: the frames are shown by their own names."""
        return f"<Run: {self.summary()}>"

    def _repr_html_(self) -> str:
        """Return the summary above a table of every head's roles, without any script."""
        return roles_table(self.roles, self.behaviour, self.summary())


def open_run(path: str | PathLike[str]) -> Run:
    """Return a run that stands in a folder.

    Args:
        path: The folder that `profile` wrote.

    Raises:
        InputError: If it is no path.
        OutputError: If there is none, it is not complete, or it is damaged.

    Example:
        >>> import inspector
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = inspector.profile("minilm", "The cat sat.", f"{folder}/run", ablation=False)
        ...     print(inspector.open_run(f"{folder}/run").manifest.model)
        minilm
    """
    return Run.open(path)
