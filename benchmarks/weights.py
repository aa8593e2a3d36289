"""Weight statistics of a bert-base-sized model against the dense way, on the same weights.

The dense way forms each head's d_model × d_model products in float64 and takes all singular
values and eigenvalues; it is timed on a few heads and scaled up to all.
Must not know: how the statistics are computed.
"""

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks.fresh import DIRECT_ALLOCATION, in_fresh_process, peak_megabytes
from benchmarks.subjects import random_bert
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.models import PretrainedModel

TIMES_FASTER, SECONDS, MEGABYTES, RELATIVE = 50.0, 2.0, 50.0, 1e-4
# Matrix entries beyond a head's rank have eigenvalues of pure rounding, as have singular values.
_STATISTICS = (
    "spectral_norm",
    "frobenius_norm",
    "effective_rank",
    "stable_rank",
    "symmetry",
    "eigenvalue_positivity",
)


@dataclass(frozen=True)
class Settings:
    """Size of the model, and how much of it goes the dense way."""

    n_layers: int = 12
    n_heads: int = 12
    d_model: int = 768
    dense_heads: int = 2
    repeats: int = 3
    memory_repeats: int = 2


def run(settings: Settings | None = None) -> list[Measure]:
    """Return time, ratio to the dense way, distance from its numbers, and peak memory."""
    import torch

    from inspector.heads import weight_statistics

    chosen = settings or Settings()
    size = (chosen.n_layers, chosen.n_heads, chosen.d_model)
    model = random_bert(*size)
    heads = [(number % chosen.n_layers, number) for number in range(chosen.dense_heads)]
    times = alternate(
        {
            "thin": lambda: weight_statistics(model),
            "dense": lambda: [dense_statistics(model, *head) for head in heads],
        },
        chosen.repeats,
    )
    scale = chosen.n_layers * chosen.n_heads / len(heads)
    frame: Any = weight_statistics(model).set_index(["layer", "head"])
    apart = max(
        abs(float(frame.at[head, name]) - value) / abs(value)
        for head in heads
        for name, value in dense_statistics(model, *head).items()
    )
    peak = max(
        in_fresh_process(
            peak_of_statistics, DIRECT_ALLOCATION, size=size, threads=torch.get_num_threads()
        )
        for _ in range(chosen.memory_repeats)
    )
    what = f"weights: {size[0]} × {size[1]} heads, d_model {size[2]}"
    return [
        Measure(
            f"{what}, median time of the processor", times.median("thin"), "s", at_most=SECONDS
        ),
        Measure(
            f"{what}, dense time over ours ({len(heads)} heads × {scale:g})",
            times.ratio("dense", "thin") * scale,
            "×",
            at_least=TIMES_FASTER,
        ),
        Measure(f"{what}, largest relative distance from dense", apart, at_most=RELATIVE),
        Measure(f"{what}, largest peak memory beyond weights", peak, "MB", at_most=MEGABYTES),
    ]


def dense_statistics(model: "PretrainedModel", layer: int, head: int) -> dict[str, float]:
    """Return the statistics of one head's products by their definitions, formed and in float64."""
    import torch

    weights = model.layer_weights(layer)
    rows = slice(head * model.d_head, (head + 1) * model.d_head)
    products = {
        "qk": weights.W_Q[rows].double().T @ weights.W_K[rows].double(),
        "ov": weights.W_O[:, rows].double() @ weights.W_V[rows].double(),
    }
    found: dict[str, float] = {}
    for prefix, matrix in products.items():
        singular = torch.linalg.svdvals(matrix)
        eigenvalues = torch.linalg.eigvals(matrix)
        share = singular / singular.sum()
        symmetric, skew = (matrix + matrix.T) / 2, (matrix - matrix.T) / 2
        square = float(matrix.square().sum())
        values = (
            singular[0],
            torch.linalg.matrix_norm(matrix),
            torch.exp(-torch.special.xlogy(share, share).sum()),
            square / singular[0] ** 2,
            (symmetric.square().sum() - skew.square().sum()) / square,
            eigenvalues.real.sum() / eigenvalues.abs().sum(),
        )
        for name, value in zip(_STATISTICS, values, strict=True):
            found[f"{prefix}_{name}"] = float(value)
    return found


def peak_of_statistics(size: list[int], threads: int) -> float:
    """Return the peak memory of the statistics beyond the weights, in MB, of this process.

    What the libraries keep once and for all is made by a model of one small layer before.
    """
    import torch

    from inspector.heads import weight_statistics

    torch.set_num_threads(threads)
    weight_statistics(_small())
    return peak_megabytes(partial(weight_statistics, random_bert(*size)))


@cache
def _small() -> "PretrainedModel":
    return random_bert(1, 2, 8)
