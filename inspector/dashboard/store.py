"""What sessions share: a model, its verification, its weight statistics, a run, its corpus.

Each is kept for the models last used only. Texts that readers type are never kept here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inspector import words
from inspector.corpora import Corpus
from inspector.corpora.default import DEFAULT_NAME, default_sha256
from inspector.corpora.sentence import Labels, Sentence
from inspector.dashboard import shared_corpora
from inspector.dashboard.guards import guarded, waiting
from inspector.dashboard.runs.choice import KEY, root_of
from inspector.dashboard.settings import Visit
from inspector.dashboard.shared_corpora import (
    OWN,
    Source,
    name_and_sha256,
    read,
    source_of,
)
from inspector.errors import InputError, ModelError, OutputError
from inspector.models.loading.model_files import file_hashes
from inspector.models.loading.model_names import model_folder
from inspector.models.loading.weight_files import check_weight_files
from inspector.records import json_text
from inspector.runs.background import processes
from inspector.runs.background.job import (
    ATLAS,
    CURVE,
    IMPORTANCE,
    Job,
    folder_of,
    write_job,
)
from inspector.runs.background.shelf import Listed, look_at
from inspector.runs.background.work import some_sentences as spread
from inspector.runs.profile.versions import identity_of, versions
from inspector.runs.run import Run
from inspector.runs.store.folder_checks import RESULT

if TYPE_CHECKING:
    from inspector.models import PretrainedModel
    from inspector.models.any_model.any_model import AnyModel
    from inspector.verification import VerificationReport

_MODELS = 2
SENTENCES, CURVE_SENTENCES = 200, 60
"""Sentences for the ablation of one head and for importance; fewer for the curve, which takes many
passes."""

SETTINGS = {"ablation_sentences": 64, "ablation_windows": 4, "shard_size": 32}
"""Of a profile that a reader waits for: fewer texts are read without each head than the command
line reads, and small parts, so that what is left can be told early."""
_WORKERS = min(2, os.cpu_count() or 1)
SHIPPED = Path(__file__).with_name("default_run")
"""minilm's default run, so that the first page answers at once: python -m tools.default_run."""


@dataclass(frozen=True)
class Measured:
    """What the Ablation page shows of a model, whichever head is chosen."""

    importance: pd.DataFrame
    curve: pd.DataFrame


class VerifiableOnly(Exception):
    """A model that can be run and verified, but of which no more is known; its text says why."""

    def __init__(self, reason: str, model: "AnyModel") -> None:
        """Keep what could be loaded."""
        super().__init__(reason)
        self.model = model


def model(name: str, language: str) -> "PretrainedModel":
    """Return a model, loaded once for all sessions; stops the page where that cannot be done.

    Raises:
        VerifiableOnly: If it can be verified, and nothing else.
    """
    with waiting(words.of("shell", language)["loading"]), guarded():
        try:
            loaded: PretrainedModel = _model(name)
        except ModelError as error:
            raise VerifiableOnly(str(error), _verifiable(name)) from None
    return loaded


def report(name: str, language: str) -> "VerificationReport":
    """Return a model's verification, run once for all sessions."""
    with waiting(words.of("shell", language)["verifying"]), guarded():
        verified: VerificationReport = _report(name)
    return verified


def weights(name: str, language: str) -> pd.DataFrame:
    """Return a model's weight statistics, computed once for all sessions."""
    model(name, language)
    with waiting(words.of("shell", language)["measuring"]), guarded():
        frame: pd.DataFrame = _weights(name)
    return frame


def vocabulary_circuits(name: str, language: str) -> pd.DataFrame | None:
    """Return a model's circuits in the vocabulary, None where it has no language-modelling head."""
    model(name, language)
    with waiting(words.of("shell", language)["measuring"]), guarded():
        frame: pd.DataFrame | None = _circuits(name)
    return frame


def chosen_run(visit: Visit) -> Run | None:
    """Return the run that was chosen, None where that is the model's default run.

    Stops the page where it cannot be shown.

    Raises:
        ModelError: If there is no such model.
    """
    if visit.run is None:
        return None
    files = _files(visit.model)
    with guarded():
        run = opened(visit.run)
        if run.manifest.model_files != files:
            raise InputError(
                f"run ({visit.run.name}) was made of other files than those of {visit.model}, of "
                f"{run.manifest.model}: choose that model, or another run."
            )
    return run


def opened(folder: Path) -> Run:
    """Return the run of a folder, read once for all sessions until it changes.

    Raises:
        OutputError: If there is none, it is not complete, or it is damaged.
    """
    files = sorted(one for one in folder.glob("*") if one.is_file())
    run: Run = _opened(str(folder), tuple((one.name, one.stat().st_mtime_ns) for one in files))
    return run


def default_run(visit: Visit) -> Run | None:
    """Return the model's default run; None where it is not complete."""
    return finished_run(_kept(visit))


def default_job(visit: Visit) -> Job:
    """Return what computes the model's default run, once for all sessions."""
    return Job(
        visit.model, DEFAULT_NAME, settings=SETTINGS, key=_key(visit, SETTINGS),
        workers=_WORKERS,
    )  # fmt: skip


def ablation_job(visit: Visit) -> Job:
    """Return what measures the model's heads by ablation, once for all sessions and a corpus."""
    settings = {"sentences": SENTENCES, "curve_sentences": CURVE_SENTENCES}
    source = ablated(visit)
    called, digest = name_and_sha256(source)
    made_of = settings if source == OWN else {**settings, "corpus": digest}
    key = f"ablation-{_key(visit, made_of)}"
    return Job(
        visit.model, called, source[0] or (), text_sha256=digest, settings=settings,
        kind="ablation", key=key,
    )  # fmt: skip


def atlas_job(visit: Visit, run: Run) -> Job:
    """Return what makes a run into pages that need no server."""
    folder = Path(folder_of_run(visit)).resolve()
    made_of = {"run": str(folder), "hashes": json_text(run.manifest.model_files), **versions()}
    changed = (folder / RESULT).stat().st_mtime_ns
    key = f"atlas-{_digest({**made_of, 'changed': str(changed)})}"
    called = run.manifest.corpus
    return Job(visit.model, called, (str(folder),), kind="atlas", key=key)


def listed(visit: Visit, job: Job) -> Listed:
    """Return how far a job is, whoever began it; it has none of its own before somebody did."""
    root = root_of(visit.settings)
    return look_at(root / job.name, job.name, folder_of(root, job.name))


def start(visit: Visit, job: Job) -> None:
    """Start a job, or go on with it, unless it is under way.

    Raises:
        InspectorError: If as many are under way as may be, or it cannot be written.
    """
    folder = write_job(root_of(visit.settings), job)
    processes.start(folder, visit.settings.most_runs)


def _kept(visit: Visit) -> Path:
    """Return where a model's default run is kept: by its files, the corpus, settings, versions.

    What comes with the package is taken where none of the reader's own versions was computed.
    """
    computed = root_of(visit.settings) / _key(visit, SETTINGS)
    if not (computed / RESULT).is_file() and (shipped := finished_run(SHIPPED)):
        made_of = (shipped.manifest.model_files, shipped.manifest.corpus_sha256)
        if made_of == (_files(visit.model), default_sha256()):
            return SHIPPED
    return computed


def _key(visit: Visit, settings: Mapping[str, object]) -> str:
    key: str = _key_of(_files(visit.model), json_text(dict(settings)))
    return key


def _digest(made_of: Mapping[str, str]) -> str:
    return sha256(json_text(dict(made_of)).encode()).hexdigest()[:KEY]


def folder_of_run(visit: Visit) -> str:
    """Return where the run that is shown can be opened."""
    return str(_kept(visit) if visit.run is None else visit.run)


def finished_run(folder: Path) -> Run | None:
    """Return the run of a folder; None where it is not complete, or of another version."""
    if not (folder / RESULT).is_file():
        return None
    try:
        return opened(folder)
    except OutputError:
        return None


def ablated(visit: Visit) -> Source:
    """Return the corpus of which sentences are read without a head.

    That is the one of the run that was chosen, where it is at hand, else inspector's own.
    """
    run = chosen_run(visit)
    with guarded():
        return OWN if run is None else source_of(run, visit) or OWN


def ablated_lines(visit: Visit) -> str:
    """Return what the Python that makes a figure says of these sentences, beside their number."""
    source = ablated(visit)
    return "" if source == OWN else f", *{source!r}"


def windows_of(run: Run, visit: Visit) -> tuple[Sentence, ...]:
    """Return the windows that a run's relations across sentences are shown in."""
    corpus, loaded = shared_corpora.corpus_of(run, visit), model(visit.model, visit.language)
    given = run.manifest.settings
    with guarded():
        texts: tuple[Sentence, ...] = _windows(
            loaded,
            corpus,
            visit.model,
            corpus.sha256,
            bool(given["coreference"]),
            int(given["window_tokens"]),
        )
    return texts


def measured(visit: Visit) -> Measured | None:
    """Return what was measured of a model's heads by ablation; None where it is not complete."""
    folder = folder_of(root_of(visit.settings), ablation_job(visit).name)
    try:
        stamps = tuple((folder / name).stat().st_mtime_ns for name in (IMPORTANCE, CURVE))
    except OSError:
        return None
    found: Measured = _measured(str(folder), stamps)
    return found


def atlas(visit: Visit, job: Job) -> Path:
    """Return the file that a job makes of a run."""
    return folder_of(root_of(visit.settings), job.name) / ATLAS


def without(visit: Visit, head: tuple[int, int]) -> pd.DataFrame:
    """Return the ablation frame of one head, computed once for all sessions and a corpus."""
    loaded, source = model(visit.model, visit.language), ablated(visit)
    frame: pd.DataFrame = _without(loaded, source, visit.model, read(*source).sha256, head)
    return frame


def some_sentences(
    n: int,
    files: tuple[str, ...] | None = None,
    labels: Labels = "universal",
    annotations: tuple[str, ...] = (),
) -> Corpus:
    """Return n sentences, spread over a corpus; mentions are not followed in them.

    Args:
        n: All where it has fewer.
        files: Of the corpus, inspector's own if None.
        labels: How far its relations are told apart.
        annotations: Further files of annotation.

    Example:
        >>> len(some_sentences(60).sentences)
        60
    """
    return spread(read(files, labels, annotations), n)


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _model(name: str) -> "PretrainedModel":
    from inspector import api

    loaded = api.load(name)
    _in_memory()[name] = loaded.file_hashes
    return loaded


@st.cache_resource(show_spinner=False)
def _in_memory() -> dict[str, dict[str, str]]:
    """Return name → hashes of the models that were loaded, which is what is shown."""
    return {}


def _files(name: str) -> dict[str, str]:
    """Return file → SHA-256 of a model that need not be in memory, in a hundredth of that time.

    Raises:
        ModelError: If there is no such model, or a file is missing.
    """
    known: dict[str, str] | None = _in_memory().get(name)
    hashes: dict[str, str] = _hashed(name) if known is None else known
    return hashes


@st.cache_data(max_entries=_MODELS, show_spinner=False)
def _hashed(name: str) -> dict[str, str]:
    folder = model_folder(name)
    return file_hashes(folder, check_weight_files(folder))


@st.cache_data(max_entries=8, show_spinner=False)
def _key_of(files: Mapping[str, str], settings: str) -> str:
    """Return the key of what is computed of a model; versions take long to ask for."""
    return _digest({**identity_of(files), "corpus": default_sha256(), "settings": settings})


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _verifiable(name: str) -> "AnyModel":
    """Return a model that `load` refused."""
    from inspector.models import PretrainedModel
    from inspector.models.any_model.any_model import AnyModel, load_to_run

    found = load_to_run(name)
    if isinstance(found, PretrainedModel):  # the files were fixed meanwhile
        return AnyModel(found.name, found.model, found.dtype, found.file_hashes)
    return found


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _report(name: str) -> "VerificationReport":
    from inspector import api

    try:
        loaded: PretrainedModel = _model(name)
    except ModelError:
        return api.verify(_verifiable(name))
    # Of an encoder-decoder the other pages read the encoder; all of it is verified.
    return api.verify(name if loaded.architecture.kind == "encoder of two" else loaded)


@st.cache_data(max_entries=_MODELS, show_spinner=False)
def _weights(name: str) -> pd.DataFrame:
    from inspector import api

    return api.weight_statistics(_model(name))


@st.cache_data(max_entries=_MODELS, show_spinner=False)
def _circuits(name: str) -> pd.DataFrame | None:
    from inspector.heads.weights.vocabulary_circuits import circuits_if_any

    return circuits_if_any(_model(name))


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _opened(folder: str, stamps: tuple[tuple[str, int], ...]) -> Run:
    return Run.open(folder)


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _windows(
    _model: "PretrainedModel",
    _corpus: Corpus,
    name: str,
    sha256: str,
    coreference: bool,
    tokens: int,
) -> tuple[Sentence, ...]:
    from inspector.runs.profile.job import ProfileSettings
    from inspector.runs.profile.plan import windows_of

    settings = ProfileSettings(coreference=coreference, window_tokens=tokens)
    return windows_of(_model, _corpus, settings).texts


@st.cache_resource(max_entries=_MODELS, show_spinner=False)
def _measured(folder: str, stamps: tuple[int, ...]) -> Measured:
    return Measured(*(pd.read_parquet(Path(folder) / name) for name in (IMPORTANCE, CURVE)))


@st.cache_data(max_entries=64, show_spinner=False)
def _without(
    _model: "PretrainedModel",
    _source: Source,
    name: str,
    sha256: str,
    head: tuple[int, int],
) -> pd.DataFrame:
    from inspector import api

    return api.ablate(_model, [head], some_sentences(SENTENCES, *_source))
