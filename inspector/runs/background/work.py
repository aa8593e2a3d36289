"""What a job's process computes: a profile, the ablation of every head, a run as an atlas."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd

from inspector.corpora import Corpus
from inspector.errors import InputError
from inspector.output import write_atomically
from inspector.progress import Progress
from inspector.records import FRAME_WRITERS
from inspector.runs.background.job import ATLAS, CURVE, IMPORTANCE, Job

SENTENCES, CURVE_SENTENCES = "sentences", "curve_sentences"
"""Settings of an ablation: what importance is measured on, and the curve, of more passes."""
MOST_HEADS = 1024
"""Of a run that is made into pages, one for each head and language."""
_OF_IMPORTANCE = 0.2
"""Share of an ablation's time before the curve."""


def compute(folder: Path, job: Job, tell: Progress) -> None:
    """Compute a job; what an earlier process finished is not computed again.

    Args:
        folder: Of the job.
        job: Which.
        tell: Told how far it is.

    Raises:
        InspectorError: If it cannot be computed or written.
    """
    {"profile": _profile, "ablation": _ablation, "atlas": _atlas}[job.kind](folder, job, tell)


def some_sentences(corpus: Corpus, n: int) -> Corpus:
    """Return n sentences, or all of fewer, spread over a corpus; mentions are not followed in them.

    Example:
        >>> from inspector.corpora import default_corpus
        >>> len(some_sentences(default_corpus(), 60).sentences)
        60
    """
    n = min(n, len(corpus.sentences))
    step = len(corpus.sentences) / n
    taken = [corpus.sentences[int(number * step)] for number in range(n)]
    return replace(corpus, sentences=[replace(one, source="") for one in taken])


def _profile(folder: Path, job: Job, tell: Progress) -> None:
    from inspector.runs.profile.job import ProfileSettings
    from inspector.runs.profile.profiling import profile

    corpus = [folder / job.text] if job.text else list(job.corpus)
    profile(
        job.model,
        corpus or None,
        folder.parents[1] / job.name,
        settings=ProfileSettings(**job.settings),
        workers=job.workers,
        resume=True,
        progress=tell,
    )


def _ablation(folder: Path, job: Job, tell: Progress) -> None:
    from inspector.corpora.annotation.annotated_corpus import read_annotated
    from inspector.heads.ablation.corpus_pass import importance_over, robustness_over
    from inspector.models import load

    model, (corpus,) = load(job.model), read_annotated(list(job.corpus) or None)
    tell("Importance", 0.0)
    if not (folder / IMPORTANCE).is_file():
        texts = some_sentences(corpus, int(job.settings[SENTENCES]))
        _keep(folder / IMPORTANCE, importance_over(model, texts, check=False))
    texts = some_sentences(corpus, int(job.settings[CURVE_SENTENCES]))
    left = 1 - _OF_IMPORTANCE

    def told(what: str, share: float) -> None:
        tell(what, _OF_IMPORTANCE + left * share)

    _keep(folder / CURVE, robustness_over(model, texts, progress=told))


def _atlas(folder: Path, job: Job, tell: Progress) -> None:
    from inspector.runs.passport.atlas import write_atlas
    from inspector.runs.run import Run

    run = Run.open(job.corpus[0])
    if len(run.behaviour) > MOST_HEADS:
        raise InputError(
            f"run ({job.called}) has {len(run.behaviour)} heads, and an atlas made here at most "
            f"{MOST_HEADS}: write it to a folder, inspector.Run.open(…).atlas(folder)."
        )
    packed = folder / f"{ATLAS}.part"
    with TemporaryDirectory() as place:
        pages = write_atlas(run.frames, run.manifest, Path(place) / "atlas", tell)
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            for page in pages:
                archive.write(page, page.relative_to(place))
    packed.replace(folder / ATLAS)


def _keep(path: Path, frame: pd.DataFrame) -> None:
    write_atomically(path, FRAME_WRITERS[".parquet"](frame), force=True)
