"""The public functions, each a short way through the rooms.

What `import inspector` offers by name; the command line and the dashboard call the same.
Must not know: formulas.
"""

import pandas as pd

from inspector.heads import weight_statistics as _weight_statistics
from inspector.models import DEFAULT_MODEL, PretrainedModel, attention_probabilities, load
from inspector.verification import VerificationReport
from inspector.verification import verify as _verify
from inspector.verification.verifier import Progress
from inspector.views.maps import AttentionMaps

__all__ = ["attend", "load", "verify", "weight_statistics"]


def verify(
    model: PretrainedModel | str = DEFAULT_MODEL, *, progress: Progress | None = None
) -> VerificationReport:
    """Return the proof, or disproof, that our equations compute what the model computes.

    See `inspector.verification` for the rule. `.passed`, `.frame` (a row per layer × stage),
    `.coverage` and `.controls` are what to look at; in a notebook the report shows itself.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        progress: Called with what is being done and the share that is done.

    Raises:
        ModelError: If the model cannot be loaded.

    Example:
        >>> verify("minilm").coverage
        {'reached': 6, 'total': 6, 'not_reached': []}
    """
    return _verify(_loaded(model), progress=progress)


def weight_statistics(model: PretrainedModel | str = DEFAULT_MODEL) -> pd.DataFrame:
    """Return a row of weight statistics for each layer × head.

    The columns are those of `inspector.heads.WEIGHTS_COLUMNS`, explained in
    `inspector.heads.weight_statistics`.

    Args:
        model: A loaded model, or what `inspector.load` takes.

    Raises:
        ModelError: If the model cannot be loaded.

    Example:
        >>> weight_statistics("minilm")["layer"].nunique()
        6
    """
    return _weight_statistics(_loaded(model))


def attend(model: PretrainedModel | str, text: str, text_pair: str | None = None) -> AttentionMaps:
    """Return every head's attention probabilities on one text, or on a pair of texts.

    Computed by our attention running inside the model; `.probabilities` is
    (layer, head, query, key), `.pieces` says what the axes are.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        text: What is read.
        text_pair: A second text, for models that read pairs.

    Raises:
        InputError: If a text is empty, too long, or not valid Unicode.
        ModelError: If the model cannot be loaded.

    Example:
        >>> attend("minilm", "The cat sat.").probabilities.shape
        (6, 12, 6, 6)
    """
    loaded = _loaded(model)
    batch = loaded.encode([text], None if text_pair is None else [text_pair])
    probabilities = attention_probabilities(loaded, batch)[:, 0]
    return AttentionMaps(
        probabilities=probabilities.float().cpu().numpy(),
        pieces=batch.pieces[0],
        text=text,
        text_pair=text_pair,
        model=loaded.name,
        sentence_b_start=batch.pair_starts[0],
    )


def _loaded(model: PretrainedModel | str) -> PretrainedModel:
    return load(model) if isinstance(model, str) else model
