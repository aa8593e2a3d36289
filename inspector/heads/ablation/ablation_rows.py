"""What changes when heads are ablated: a row for each head, relation and word."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int64

from inspector.frames import dtypes
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.heads.ablation.target_words import ALL_WORDS, ANY_WORD, ENDS
from inspector.heads.specialization.inference import (
    bootstrap_weights,
    flip_signs,
    ratio_intervals,
    sign_flip_p_values,
)

ABLATION_COLUMNS = dtypes("ablation")
"""Columns of the ablation frame, in order: column → dtype."""
_EFFECT = ("effect", "matched_effect", "difference", "ci_low", "ci_high", "p_value")
_LOSS = (
    "loss_increase", "matched_loss_increase", "loss_difference",
    "loss_ci_low", "loss_ci_high", "loss_p_value",
)  # fmt: skip


def ablation_frame(sums: StateChangeSums, how: str, seed: int = 0) -> pd.DataFrame:
    r"""Return how far ablated heads move the last hidden states, a row per head × relation × word.

    With z and z' a token's last hidden states with and without the heads, its change is
    $\lVert z' - z \rVert / \lVert z \rVert$; a word's is the mean over its tokens. Columns:

    - layer, head: the ablated head; −1 where several are ablated together.
    - heads: all that are ablated, as '2-8,3-1'; how: 'zero', 'mean' or 'uniform'.
    - relation: a relation's name, or '(all)' for all words.
    - word: which of the relation's two words is measured: 'dependent' (where it comes from) or
      'head' (where it goes to); '(any)' for all words.
    - n, documents: measured words, and the documents that have any.
    - effect: mean state change of the measured words, 0 for none.
    - matched_effect: mean state change of the words matched with them: of each word the mean over
      the words of its sentence and class (content or function) that take no part in the relation.
    - difference: effect − matched_effect: what is lost there and not everywhere; ci_low, ci_high:
      its 95 % bootstrap interval over documents, 10,000 draws; p_value: one-sided sign-flip test
      of it over documents, 10,000 flips.
    - cosine, matched_cosine: mean cosine between z and z' there, 1 for no change.

    And, for a model with a language-modelling head, in nats; else NaN, and loss_n 0:

    - loss_n: measured words that have a loss, and a match that has one. A word's loss is the mean
      over its tokens t of $-\log p_t$. Of a decoder $p_t = p(t \mid \text{tokens before } t)$: a
      token with none before it has no loss, nor has a word of such tokens alone. Of a masked model
      $p_t$ is that of t where all tokens of its word are the mask token, and so are those of
      every seventh word before and after it: a text is read seven times, each word masked once.
    - loss: mean loss of these words, nothing ablated; loss_increase: mean of what it is more
      without the heads; matched_loss_increase: the same of the words matched with them.
    - loss_difference: loss_increase − matched_loss_increase, with loss_ci_low, loss_ci_high and
      loss_p_value as for difference.

    Rows of relations without a measured word are left out; what is matched is NaN for all words.

    Args:
        sums: Of all batches; with its `losses` where there is a head.
        how: How the heads were ablated.
        seed: Of the draws.
    """
    n_documents = len(sums.documents)
    weights, signs = bootstrap_weights(n_documents, seed), flip_signs(n_documents, seed)
    # In order of the documents' ids, so that draws don't depend on the order of the corpus.
    by_id = sorted(range(n_documents), key=lambda place: sums.documents[place])
    first = [one[0] if len(one) == 1 else (-1, -1) for one in sums.variants]
    parts = []
    for cell in np.flatnonzero(sums.n.any(axis=0)):
        is_all = cell == sums.n.shape[1] - 1
        n = sums.n[by_id, cell]
        columns: dict[str, object] = {
            "layer": [layer for layer, _ in first],
            "head": [head for _, head in first],
            "heads": [head_names(one) for one in sums.variants],
            "how": how,
            "relation": ALL_WORDS if is_all else sums.names[cell // 2],
            "word": ANY_WORD if is_all else ENDS[cell % 2],
            "n": n.sum(),
            "documents": np.count_nonzero(n),
            "cosine": sums.cosine[:, cell].sum(axis=0) * UNIT / n.sum(),
            "matched_cosine": np.nan
            if is_all
            else sums.matched_cosine[:, cell].sum(axis=0) * UNIT / n.sum(),
            "loss_n": 0,
            **dict.fromkeys(("loss", *_LOSS), np.nan),
        }
        effect, matched = sums.effect[by_id, cell].T, sums.matched[by_id, cell].T
        columns |= _compared(_EFFECT, effect, None if is_all else matched, n, weights, signs)
        if sums.losses is not None and (known := sums.losses.n[by_id, cell]).any():
            columns |= {
                "loss_n": known.sum(),
                "loss": sums.losses.loss[:, cell].sum() * UNIT / known.sum(),
            }
            more, others = (it[by_id, cell].T for it in (sums.losses.increase, sums.losses.matched))
            columns |= _compared(_LOSS, more, None if is_all else others, known, weights, signs)
        parts.append(pd.DataFrame(columns)[list(ABLATION_COLUMNS)])
    if not parts:
        return pd.DataFrame({name: [] for name in ABLATION_COLUMNS}).astype(ABLATION_COLUMNS)
    frame = pd.concat(parts, ignore_index=True).astype(ABLATION_COLUMNS)
    return frame.sort_values(["layer", "head"], kind="stable", ignore_index=True)


def _compared(
    names: Sequence[str],
    measured: Int64[np.ndarray, "variant document"],
    matched: Int64[np.ndarray, "variant document"] | None,
    n: Int64[np.ndarray, " document"],
    weights: np.ndarray,
    signs: np.ndarray,
) -> dict[str, object]:
    """Return, under their names, two means, their difference, its interval and its p-value."""
    whole = n.sum()
    mean = measured.sum(axis=1) * UNIT / whole
    if matched is None:
        return dict(zip(names, (mean, *[np.nan] * 5), strict=True))
    apart = measured - matched
    intervals = ratio_intervals(apart, n, weights) * UNIT
    figures = (
        mean,
        matched.sum(axis=1) * UNIT / whole,
        apart.sum(axis=1) * UNIT / whole,
        intervals[:, 0],
        intervals[:, 1],
        sign_flip_p_values(apart, signs),
    )
    return dict(zip(names, figures, strict=True))


def head_names(heads: tuple[tuple[int, int], ...]) -> str:
    """Return heads as they are written.

    Example:
        >>> head_names(((2, 8), (3, 1)))
        '2-8,3-1'
    """
    return ",".join(f"{layer}-{head}" for layer, head in heads)
