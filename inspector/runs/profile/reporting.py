"""A profile in a few figures, for logs: and what one run has lost that another had."""

from os import PathLike
from typing import Any

import pandas as pd

from inspector.corpora.annotation.annotated_corpus import Given
from inspector.errors import InputError
from inspector.heads.specialization.profile_comparison import compare_claims, compare_heads
from inspector.heads.specialization.profile_comparison import match_heads as matched_heads
from inspector.models import load
from inspector.models.loading.load_model import ModelOrName
from inspector.models.loading.trainer_callback import evaluation_callback
from inspector.runs.profile.profiling import profile
from inspector.runs.run import Run

RunOrFolder = Run | str | PathLike[str]


def opened(run: RunOrFolder) -> Run:
    """Return a run, or the one that stands in a folder."""
    return run if isinstance(run, Run) else Run.open(run)


def compare(run: RunOrFolder, other: RunOrFolder) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what differs between two profiles: of every head, and of every claim both make.

    Columns: `inspector.heads.specialization.profile_comparison.HEADS_COLUMNS` and
    `CLAIM_PAIRS_COLUMNS`; differences are other − run.

    Args:
        run: A profile, or the folder of one.
        other: Of a model with as many layers and heads.

    Raises:
        InputError: If the two have other layers or heads, or one is of several corpora.
        OutputError: If a folder holds no complete run.

    Example:
        >>> run = profile("minilm", "The cat sat.", ablation=False)
        >>> heads, claims = compare(run, run)
        >>> len(heads), len(claims)
        (72, 0)
    """
    one, two = _of_one_corpus(run, other)
    heads = compare_heads(one.behaviour, two.behaviour, one.roles, two.roles)
    counted = [(each.relations, each.frames["offsets"]) for each in (one, two)]
    return heads, compare_claims(one.claims, two.claims, *counted)


def _of_one_corpus(*runs: RunOrFolder) -> list[Run]:
    found = [opened(run) for run in runs]
    for each in found:
        if "corpus" in each.behaviour:
            raise InputError(
                f"run ({each.manifest.corpus}) is of several corpora: profile each by itself to "
                "compare it."
            )
    return found


def match_heads(run: RunOrFolder, other: RunOrFolder) -> pd.DataFrame:
    """Return which head of one profile behaves most like which of another, one to one.

    The columns are those of
    `inspector.heads.specialization.profile_comparison.MATCHED_HEADS_COLUMNS`.

    Args:
        run: A profile, or the folder of one.
        other: Of any model.

    Raises:
        InputError: If one is of several corpora.
        OutputError: If a folder holds no complete run.

    Example:
        >>> run = profile("minilm", "The cat sat.", ablation=False)
        >>> match_heads(run, run)["distance"].unique().tolist()
        [0.0]
    """
    one, two = _of_one_corpus(run, other)
    return matched_heads(one.behaviour, two.behaviour)


def lost_roles(run: RunOrFolder, other: RunOrFolder) -> pd.DataFrame:
    """Return the rows of one run's roles whose head does not have the role in the other.

    A gate for changes of a model: `assert inspector.lost_roles("before", "after").empty`.

    Args:
        run: A profile, or the folder of one: before.
        other: After.

    Raises:
        OutputError: If a folder holds no complete run.

    Example:
        >>> run = profile("minilm", "The cat sat.", ablation=False)
        >>> lost_roles(run, run).empty
        True
    """
    key = ["layer", "head", "role"]
    before, after = opened(run).roles, opened(other).roles
    kept = set(after[key].itertuples(index=False, name=None))
    lost = [place not in kept for place in before[key].itertuples(index=False, name=None)]
    return before[lost].reset_index(drop=True)


def report(
    model: ModelOrName,
    corpus: Given = None,
    *,
    before: RunOrFolder | None = None,
    tokenizer: Any = None,
    **options: Any,
) -> dict[str, float]:
    """Return a profile in a few figures, as training logs take them.

    `inspector/roles` and `inspector/heads_with_roles` count, so does `inspector/supported_claims`;
    `inspector/entropy_nats` is the mean of all heads; `inspector/lost_roles` is there with
    `before`.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        corpus: As `inspector.profile` takes it.
        before: A run that this one is compared with.
        tokenizer: Of a model in memory.
        options: Further keywords of `inspector.profile`; ablation is off where not given.

    Raises:
        InputError: If the corpus cannot be used.
        ModelError: If the model cannot be loaded.

    Example:
        >>> sorted(report("minilm", "The cat sat."))
        ['inspector/entropy_nats', 'inspector/heads_with_roles', 'inspector/roles',
         'inspector/supported_claims']
    """
    ready = model if tokenizer is None else load(model, tokenizer)
    run = profile(ready, corpus, **{"ablation": False, **options})
    found = {
        "roles": len(run.roles),
        "heads_with_roles": len(run.roles[["layer", "head"]].drop_duplicates()),
        "supported_claims": int((run.claims["verdict"] == "supported").sum()),
        "entropy_nats": float(run.behaviour["entropy_nats"].mean()),
    }
    if before is not None:
        found["lost_roles"] = len(lost_roles(before, run))
    return {f"inspector/{name}": float(figure) for name, figure in found.items()}


def trainer_callback(corpus: Given = None, **options: Any) -> Any:
    """Return a callback that adds a `report` to a transformers Trainer's log at each evaluation.

    `Trainer(…, callbacks=[inspector.trainer_callback(corpus)])`; its `.reports` are the same rows.

    Args:
        corpus: As `inspector.profile` takes it.
        options: Further keywords of `report`; the tokenizer is the Trainer's where not given.

    Example:
        >>> trainer_callback("The cat sat.").reports  # before the first evaluation
        []
    """
    tokenizer = options.pop("tokenizer", None)

    def look(model: Any, processing_class: Any) -> dict[str, float]:
        return report(model, corpus, tokenizer=tokenizer or processing_class, **options)

    return evaluation_callback(look)
