"""A GPU beside the CPU: the same code in each dtype, equal within its rounding; speed and memory.

`make gpu-check`. Without a GPU it says so and ends with 0; the tests run its comparison on the CPU.
"""

import sys
import time
from dataclasses import dataclass

import torch

import inspector
from inspector.corpora import default_corpus

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.06, "float16": 0.01}
"""Of attention weights and of means of them: the models themselves round hidden states of 12 layers
in each dtype."""
TEXT = "The keys to the old cabinet are on the kitchen table."
SENTENCES = 200


@dataclass(frozen=True)
class Comparison:
    """What a dtype on a device gives beside float32 on the CPU."""

    dtype: str
    verified: bool
    weights: float
    """Largest difference of an attention weight of one text."""
    behaviour: float
    """Largest difference of a mean attention of the behaviour frame."""
    tokens_per_second: float
    megabytes: float
    """Of the device at most; 0 on the CPU."""

    @property
    def holds(self) -> bool:
        """Return whether all is equal within the dtype's rounding."""
        most = TOLERANCES[self.dtype]
        return self.verified and self.weights <= most and self.behaviour <= most

    def __str__(self) -> str:
        """Return it as a line."""
        return (
            f"{self.dtype}: {'holds' if self.holds else 'DOES NOT HOLD'}; verified "
            f"{self.verified}; weights {self.weights:.2g}, behaviour {self.behaviour:.2g} apart; "
            f"{self.tokens_per_second:,.0f} tokens a second, {self.megabytes:,.0f} MB"
        )


def compare(
    device: str, dtype: str, name: str = "minilm", sentences: int = SENTENCES
) -> Comparison:
    """Return what a model gives in a dtype on a device, beside float32 on the CPU.

    Args:
        device: Such as 'cuda'.
        dtype: One of `TOLERANCES`.
        name: Of the model.
        sentences: Of inspector's own corpus that are profiled.
    """
    reference, model = inspector.load(name), inspector.load(name, dtype=dtype, device=device)
    weights = [inspector.attend(one, TEXT).probabilities for one in (reference, model)]
    texts = default_corpus()[:sentences]
    settings = inspector.ProfileSettings(random_init_seeds=(), ablation=False)
    frames, seconds = [], 0.0
    for one in (reference, model):
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        run = inspector.profile(one, texts, settings=settings, progress=False)
        seconds = time.perf_counter() - began
        frames.append(run.behaviour.filter(like="mass").to_numpy(float))
    n_tokens = int(run.totals.set_index("what")["count"]["tokens read"])
    peak = torch.cuda.max_memory_allocated() / 1e6 if device.startswith("cuda") else 0.0
    return Comparison(
        dtype,
        inspector.verify(name, dtype=dtype, device=device).passed,
        float(abs(weights[0] - weights[1]).max()),
        float(abs(frames[0] - frames[1]).max()),
        n_tokens / seconds,
        peak,
    )


def main() -> int:
    """Return 0 where every dtype holds or there is no GPU, 1 where one does not."""
    if not torch.cuda.is_available():
        print("skipped: torch sees no GPU here (torch.cuda.is_available() is False)")
        return 0
    print(torch.cuda.get_device_name(0))
    found = [compare("cuda", dtype) for dtype in TOLERANCES]
    print("\n".join(map(str, found)))
    return int(not all(one.holds for one in found))


if __name__ == "__main__":
    sys.exit(main())
