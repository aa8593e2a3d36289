"""A model that stands in memory: how long until it can be asked, and its first attention.

Must not know: what a load checks.
"""

import time
from dataclasses import dataclass
from typing import Any

from benchmarks.table import Measure
from benchmarks.timing import alternate

PASSES = 1.5
"""What a load may cost, in forward passes of a text of the model's full length."""
SECONDS = 1.0


@dataclass(frozen=True)
class Settings:
    """Of which model, on how many tokens, how often."""

    model: str = "minilm"
    tokens: int = 512
    repeats: int = 5


def run(settings: Settings | None = None) -> list[Measure]:
    """Return what `load` of a model in memory adds to it, and the time of its first attention."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    import inspector

    chosen = settings or Settings()
    folder = inspector.load(chosen.model).folder
    network: Any = AutoModel.from_pretrained(str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = torch.arange(chosen.tokens)[None] % network.config.vocab_size

    def forward() -> None:
        with torch.inference_mode():
            network(input_ids=ids, attention_mask=torch.ones_like(ids))

    loads = {"load": lambda: inspector.load(network, tokenizer), "pass": forward}
    times = alternate(loads, chosen.repeats)
    loaded = inspector.load(network, tokenizer)
    start = time.process_time()
    inspector.attend(loaded, "The cat sat on the mat.")
    first = time.process_time() - start
    what = f"first use: {chosen.model} in memory"
    return [
        Measure(
            f"{what}, load over a pass of {chosen.tokens} tokens",
            times.ratio("load", "pass"),
            "×",
            at_most=PASSES,
        ),
        Measure(f"{what}, its first attend", first, "s", at_most=SECONDS),
    ]
