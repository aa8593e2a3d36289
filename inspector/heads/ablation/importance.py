"""How much each head matters by one backward pass: the gradient to a gate on what it gives."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from inspector.frames import dtypes
from inspector.heads.ablation.state_change import UNIT, StateChangeSums
from inspector.models import PretrainedModel, WordBatch
from inspector.models.forward.head_ablation import gated

IMPORTANCE_COLUMNS = dtypes("importance")
"""Columns of the importance frame, in order: column → dtype."""
Step = Callable[[], None]


def head_importance(
    model: PretrainedModel,
    batches: Iterable[WordBatch],
    *,
    ablation: StateChangeSums | None = None,
    seed: int = 0,
    step: Step | None = None,
) -> pd.DataFrame:
    r"""Return how much each head matters: the slope of the last state to a gate on the head.

    A gate ξ multiplies what a head gives and is 1; z(ξ) is a token's last hidden state. Columns:

    - layer, head: counted from 0; texts: how many the means are over.
    - importance: $\sqrt{\mathrm{mean}\, \lVert \partial z / \partial \xi \rVert^2 / \lVert z
      \rVert^2}$ over the tokens but special ones: what ablating the head would move them by, were
      the model linear. Estimated without bias from one random direction a token, as
      $g^2 = (\sum_i r_i \cdot \partial z_i / \partial \xi / \lVert z_i \rVert)^2$ with r normal.
    - norm_gradient: mean over texts of $|\partial\, \mathrm{mean}_i \lVert z_i \rVert / \partial
      \xi|$: the head importance of the source, with the norm of the state for the loss. A model
      that ends in a layer norm holds that norm nearly still, so that it says little of it.
    - ablation_effect: the true mean state change without the head, from `ablation`; NaN without.

    attrs['rank_correlation'] is Spearman's of importance and ablation_effect, NaN without.

    Args:
        model: Whose heads.
        batches: Texts.
        ablation: The state change without each head, over the same texts.
        seed: Of the random directions.
        step: Called after each batch.

    Source: Michel et al. (2019), arXiv:1905.10650, sec. 4.1, eq. 2.
    """
    generator = torch.Generator(device=model.device).manual_seed(seed)
    shape = (model.n_layers, model.n_heads)
    squares = torch.zeros(shape, dtype=torch.float64, device=model.device)
    norms = torch.zeros_like(squares)
    n_texts = n_tokens = 0
    for batch in batches:
        counted = batch.batch.attention_mask.bool() & ~batch.special
        by_direction, by_norm = _gradients(model, batch, counted, generator)
        squares += by_direction.double().square().sum(1)
        norms += by_norm.double().abs().sum(1)
        n_texts += len(counted)
        n_tokens += int(counted.sum())
        if step is not None:
            step()
    layer, head = (axis.ravel() for axis in np.indices(shape))
    frame = pd.DataFrame(
        {
            "layer": layer,
            "head": head,
            "texts": n_texts,
            "importance": (squares / max(n_tokens, 1)).sqrt().flatten().cpu().numpy(),
            "norm_gradient": (norms / max(n_texts, 1)).flatten().cpu().numpy(),
            "ablation_effect": np.nan if ablation is None else _effects(ablation, layer, head),
        }
    ).astype(IMPORTANCE_COLUMNS)
    frame.attrs["rank_correlation"] = rank_correlation(
        frame["importance"].to_numpy(), frame["ablation_effect"].to_numpy()
    )
    return frame


def rank_correlation(one: Float64[np.ndarray, " row"], other: Float64[np.ndarray, " row"]) -> float:
    """Return Spearman's rank correlation, NaN where a value is missing or nothing varies.

    Example:
        >>> round(rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([3.0, 5.0, 5.5])), 12)
        1.0
    """
    if np.isnan(one).any() or np.isnan(other).any() or not one.std() or not other.std():
        return float("nan")
    ranks = [pd.Series(values).rank().to_numpy() for values in (one, other)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _gradients(
    model: PretrainedModel,
    batch: WordBatch,
    counted: Tensor,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "layer batch head"], Float[Tensor, "layer batch head"]]:
    """Return each text's slope of a random direction of its states, and of their mean norm."""
    gates = [
        torch.ones(
            len(counted), model.n_heads, dtype=model.torch_dtype, device=model.device
        ).requires_grad_()
        for _ in range(model.n_layers)
    ]
    with gated(model, dict(enumerate(gates))), _Frozen(model), torch.enable_grad():
        state = model.model(**batch.batch.inputs()).last_hidden_state
        norm = torch.linalg.vector_norm(state, dim=-1)
        direction = torch.randn(
            state.shape, generator=generator, dtype=state.dtype, device=state.device
        )
        kept = counted.to(state.dtype)
        projected = ((direction * state).sum(-1) / norm.detach() * kept).sum()
        mean_norm = ((norm * kept).sum(1) / kept.sum(1).clamp(min=1.0)).sum()
        by_direction = torch.autograd.grad(projected, gates, retain_graph=True)
        by_norm = torch.autograd.grad(mean_norm, gates)
    return torch.stack(by_direction), torch.stack(by_norm)


class _Frozen:
    """Leaves the weights out of the gradient: only gates are asked about."""

    def __init__(self, model: PretrainedModel) -> None:
        self._parameters = list(model.model.parameters())

    def __enter__(self) -> None:
        self._before = [one.requires_grad for one in self._parameters]
        for one in self._parameters:
            one.requires_grad_(False)

    def __exit__(self, *error: object) -> None:
        for one, before in zip(self._parameters, self._before, strict=True):
            one.requires_grad_(before)


def _effects(ablation: StateChangeSums, layer: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Return each head's mean state change over all words."""
    total = ablation.effect[:, -1].sum(axis=0) * UNIT / max(int(ablation.n[:, -1].sum()), 1)
    found = {variant[0]: total[place] for place, variant in enumerate(ablation.variants)}
    return np.array([found.get(one, np.nan) for one in zip(layer, head, strict=True)])
