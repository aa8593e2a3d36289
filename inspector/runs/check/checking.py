"""Claims by the public function: sentences, files or published ones, judged model by model.

Must not know: formulas, how a claim is written.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from inspector.arguments import are_several, checked, refused
from inspector.corpora import Corpus, Labels
from inspector.corpora.annotation.annotated_corpus import Given, read_annotated
from inspector.errors import InputError, ModelError
from inspector.models import DEFAULT_MODEL, PretrainedModel
from inspector.models.loading.load_model import ModelOrName, loaded
from inspector.progress import Progress, shown
from inspector.runs.check.check_claims import (
    Checked,
    check_claims,
    joined,
    not_asked,
)
from inspector.runs.check.claim import Claim
from inspector.runs.check.claim_text import claim_of_text
from inspector.runs.check.claims_file import read_claims
from inspector.runs.check.vocabulary import words
from inspector.runs.profile.job import profile_settings
from inspector.runs.profile.reading import check_documents, note_documents
from inspector.runs.profile.replicating import other_texts

PUBLISHED = {
    path.stem: path for path in sorted(Path(__file__).with_name("published").glob("*.yaml"))
}
"""Name → the file of published claims that ships with inspector."""
_SUFFIXES = (".yaml", ".yml")
Claims = str | PathLike[str] | Sequence[str | PathLike[str]]


@checked
def check(
    claims: Claims,
    corpus: Given | None = None,
    *,
    model: ModelOrName | None = None,
    replicate: Given | Sequence[Given] = (),
    annotations: str | Path | Sequence[str | Path] = (),
    labels: Labels | None = None,
    seed: int | None = None,
    batch_tokens: int | None = None,
    dtype: str | None = None,
    device: str | None = None,
    revision: str | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """Return a row for each claim and direction: does the head do what is said of it?

    Columns: the frame `checks` (docs/frames.md). A claim without a direction is asked in all three,
    corrected by Holm; it holds if one of them is 'supported'.

    Args:
        claims: "minilm 2-8 det", "layer 3 head 10 attends to the next token", a YAML file of
            claims, the name of published ones (`clark-2019`, …), or several of these.
        corpus: What they are judged on, as `profile` takes it; inspector's own where not given.
        model: Asked instead of the one that a claim names.
        replicate: Other text, on which heads and rules are scored as they stand.
        annotations: Files of further annotation of the corpus, as `profile` takes them.
        labels: Of the corpus; where not given, 'full' for a claim about a subtype (nsubj:pass).
        seed: Of the intervals and tests.
        batch_tokens: As `profile` takes it.
        dtype: In which a model is loaded.
        device: On which a model is loaded.
        revision: Branch, tag or commit of a hub id.
        progress: Called with what is being done and the share that is done; True for a bar, which
            notebooks and terminals have where nothing is given; False for none.

    Raises:
        InputError: If a claim cannot be understood, or a corpus cannot be used.
        ModelError: If a model cannot be loaded that no published claim is about.
        OutputError: If a file cannot be read.

    Example:
        >>> rows = check("minilm 0-2 attends to the previous token")  # doctest: +SKIP
        >>> rows[["layer", "head", "verdict"]].values.tolist()  # doctest: +SKIP
        [[0, 2, 'supported']]
    """
    with shown(progress) as show:
        return checked_claims(
            claims,
            corpus,
            model=model,
            replicate=replicate,
            annotations=annotations,
            labels=labels,
            seed=seed,
            batch_tokens=batch_tokens,
            dtype=dtype,
            device=device,
            revision=revision,
            progress=show,
        ).frame


def checked_claims(
    claims: Claims,
    corpus: Given | None = None,
    *,
    model: ModelOrName | None = None,
    replicate: Given | Sequence[Given] = (),
    annotations: str | Path | Sequence[str | Path] = (),
    labels: Labels | None = None,
    seed: int | None = None,
    batch_tokens: int | None = None,
    dtype: str | None = None,
    device: str | None = None,
    revision: str | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Return what became of claims, as `check` does, with the rows of the other text."""
    given = given_claims(claims)
    settings = profile_settings(seed=seed, ablation=False, labels=labels, batch_tokens=batch_tokens)
    groups: dict[tuple[str, Labels], list[tuple[int, Claim]]] = {}
    for number, (claim, _) in enumerate(given, 1):
        groups.setdefault((claim.model, labels or _labels(claim)), []).append((number, claim))
    texts = {
        kind: _texts(corpus, replicate, annotations, kind) for kind in {kind for _, kind in groups}
    }
    note_documents([one for one, _ in list(texts.values())[:1]])
    published = {number for number, (_, known) in enumerate(given, 1) if known}
    models: dict[str, PretrainedModel] = {}
    parts: list[Checked] = []
    rows: list[dict[str, Any]] = []
    for (named, kind), those in groups.items():
        try:
            if named not in models:
                asked = model if model is not None else named or DEFAULT_MODEL
                models[named] = loaded(asked, dtype=dtype, device=device, revision=revision)
        except ModelError as error:
            place = those[0][1].place
            if model is not None or not {number for number, _ in those} <= published:
                raise type(error)(f"{place}: {error}" if place else str(error)) from None
            reason = f"{named} is not here, and needs a hub or a folder (--model): {error}"
            rows += [not_asked(number, claim, named, reason) for number, claim in those]
            continue
        one, others = texts[kind]
        parts.append(
            check_claims(those, models[named], one, others, settings=settings, progress=progress)
        )
    return joined(parts, rows)


def given_claims(claims: Claims) -> list[tuple[Claim, bool]]:
    """Return what a user gives as claims, and whether it is a published one.

    Raises:
        InputError: If it is none.
        OutputError: If a file cannot be read.
    """
    if not (isinstance(claims, str | PathLike) or are_several(claims)):
        raise refused("claims", claims, "a claim, a YAML file of claims, or several of these")
    several = [claims] if isinstance(claims, str | PathLike) else list(claims)
    if not several:
        raise InputError(
            "claims ([]) must be at least one: give a claim, such as 'minilm 2-8 det'."
        )
    found: list[tuple[Claim, bool]] = []
    for one in several:
        text = str(one)
        if text in PUBLISHED:
            found += [(claim, True) for claim in read_claims(PUBLISHED[text])]
        elif isinstance(one, PathLike) or text.lower().endswith(_SUFFIXES):
            found += [(claim, False) for claim in read_claims(one)]
        else:
            found.append((_of_text(text), False))
    return found


def _of_text(text: str) -> Claim:
    try:
        return claim_of_text(text)
    except InputError as error:
        if len(text.split()) > 1:
            raise
        raise InputError(
            f"{error} Or give a .yaml file of claims, or published ones: {', '.join(PUBLISHED)}."
        ) from None


def _labels(claim: Claim) -> Labels:
    """Return the labels in which a corpus has the claim's relation."""
    base, _, subtype = claim.relation.partition(":")
    return "full" if subtype and base in words().relations else "universal"


def _texts(
    corpus: Given | None,
    replicate: Given | Sequence[Given],
    annotations: str | Path | Sequence[str | Path],
    labels: Labels,
) -> tuple[Corpus, list[Corpus]]:
    """Return what claims are judged on, and the other text; both of enough documents."""
    read = read_annotated(corpus, annotations, labels=labels)
    if len(read) > 1:
        raise InputError(f"corpus ({len(read)} of them) must be one: give the others as replicate.")
    check_documents(read[0])
    return read[0], other_texts(replicate, labels)
