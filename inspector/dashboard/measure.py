"""How long attention takes on this machine, for growing lengths."""

from time import perf_counter

import pandas as pd
import torch

from inspector.attention import attention

LENGTHS = (32, 64, 128, 256, 512, 1024)
_REPEATS = 5


def attention_times(
    d_head: int, n_heads: int, lengths: tuple[int, ...] = LENGTHS, repeats: int = _REPEATS
) -> pd.DataFrame:
    """Return the shortest of several times of one layer's attention, for each length.

    Queries, keys and values are random; the clock runs over the library's `attention` only.

    Returns:
        A frame with `tokens` (int64), `seconds` (float64) and `series` (what was measured).
    """
    return pd.DataFrame(
        {
            "tokens": list(lengths),
            "seconds": [_fastest(d_head, n_heads, length, repeats) for length in lengths],
            "series": "attention",
        }
    )


def _fastest(d_head: int, n_heads: int, length: int, repeats: int) -> float:
    generator = torch.Generator().manual_seed(length)
    query, key, value = (
        torch.randn(1, n_heads, length, d_head, generator=generator) for _ in range(3)
    )
    times = []
    with torch.inference_mode():
        attention(query, key, value)
        for _ in range(repeats):
            start = perf_counter()
            attention(query, key, value)
            times.append(perf_counter() - start)
    return min(times)
