"""Long texts without maps: time and peak memory of the observers against a bare forward pass.

On decoders of random weights: GPT-2 small's shape for time, two layers of eight heads for memory.
Must not know: what an observer computes.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks.fresh import (
    DIRECT_ALLOCATION,
    in_fresh_process,
    lifetime_peak_megabytes,
    peak_megabytes,
)
from benchmarks.table import Measure
from benchmarks.timing import alternate

if TYPE_CHECKING:
    from inspector.corpora import Sentence
    from inspector.heads.observers import AnnotatedBatch
    from inspector.models import PretrainedModel

SUMS, EVERYTHING, SLOPE, PROFILE_MB = 2.5, 3.5, 1.15, 2000.0
_WORDS = 500
_MAX_TOKENS = 32_768


@dataclass(frozen=True)
class Settings:
    """Shapes (layers, heads, width), tokens, and rounds."""

    shape: tuple[int, int, int] = (12, 12, 768)
    tokens: int = 4096
    repeats: int = 1
    dense_tokens: int = 2048
    memory_shape: tuple[int, int, int] = (2, 8, 512)
    memory: tuple[int, int] = (1000, 16_000)
    profile_shape: tuple[int, int, int] = (2, 4, 64)
    profile_tokens: int = 32_768


def run(settings: Settings | None = None) -> list[Measure]:
    """Return the ratios that are promised of long texts."""
    chosen = settings or Settings()
    return [*_times(chosen), *_memory(chosen)]


@cache
def decoder(n_layers: int, n_heads: int, d_model: int) -> "PretrainedModel":
    """Return a GPT-2 with random weights and a vocabulary of numbered words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (  # type: ignore[attr-defined]
        GPT2Config,
        GPT2Model,
        PreTrainedTokenizerFast,
    )

    import inspector

    names = ["<end>", ",", *(f"w{number}" for number in range(_WORDS))]
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, "<end>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    torch.manual_seed(0)
    network = GPT2Model(
        GPT2Config(
            vocab_size=len(names),
            n_positions=_MAX_TOKENS,
            n_layer=n_layers,
            n_head=n_heads,
            n_embd=d_model,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")  # noqa: S106
    return inspector.load(network, made)


def text(n_tokens: int) -> "Sentence":
    """Return a text of so many words, each a token, with a relation for every third."""
    from inspector.corpora import Relation, Sentence

    dice = random.Random(0)
    words = tuple(dice.choice((",", *(f"w{i}" for i in range(_WORDS)))) for _ in range(n_tokens))
    tags = tuple("PUNCT" if word == "," else "NOUN" for word in words)
    relations = tuple(Relation("syntax", "third", i, i - 3) for i in range(3, n_tokens, 3))
    return Sentence("long", "long", words, tags, relations)


def batch(model: "PretrainedModel", n_tokens: int) -> "AnnotatedBatch":
    """Return a text as a batch, with nothing computed of it yet."""
    from inspector.heads.observers import annotated_batches
    from inspector.models import word_batches

    one = text(n_tokens)
    cut = word_batches(model, [one.surface], 1)
    return annotated_batches(cut.batches, [one], [0], {"third": 0})[0]


def bare(model: "PretrainedModel", n_tokens: int) -> None:
    """Run the model with transformers' sdpa and look at nothing."""
    import torch

    from inspector.models import running

    inputs = batch(model, n_tokens).words.batch.inputs()
    with running(model, "sdpa"), torch.inference_mode():
        model.model(**inputs)


def observed(
    model: "PretrainedModel",
    n_tokens: int,
    *kinds: str,
    long: int | None = None,
    argmax: bool = True,
) -> None:
    """Run the model with new observers.

    Args:
        model: What runs.
        n_tokens: Of the text.
        kinds: Of the observers.
        long: From how many tokens rows are looked at.
        argmax: Whether the largest weight of each query is looked for, beside the sums.
    """
    from inspector.heads.observers import (
        Behaviour,
        NormBehaviour,
        RelationScores,
        behaviour,
        observe,
    )
    from inspector.models.forward import row_blocks

    shape = (model.n_layers, model.n_heads)
    known: dict[str, Callable[[], Any]] = {
        "weights": lambda: Behaviour(*shape, model.max_tokens),
        "norms": lambda: NormBehaviour(model),
        "relations": lambda: RelationScores(*shape, ["long"], ["third"]),
    }
    own: Any = behaviour
    before, largest = row_blocks.LONG, own.first_largest
    row_blocks.LONG = before if long is None else long
    if not argmax:
        own.first_largest = lambda rows: (rows[..., 0], rows[..., 0].long())
    try:
        observe(model, [batch(model, n_tokens)], [known[kind]() for kind in kinds])
    finally:
        row_blocks.LONG, own.first_largest = before, largest


def by_output_attentions(model: "PretrainedModel", n_tokens: int) -> None:
    """Do what a script would: keep every map, and take the entropies with numpy."""
    import numpy as np
    import torch

    from inspector.models import running

    inputs = batch(model, n_tokens).words.batch.inputs()
    with running(model, "eager"), torch.inference_mode():
        maps = model.model(**inputs, output_attentions=True).attentions
    for one in maps:
        weights = one.numpy()
        -(weights * np.log(np.maximum(weights, 1e-38))).sum(-1)
        weights.argmax(-1)


def _times(chosen: Settings) -> list[Measure]:
    model, n = decoder(*chosen.shape), chosen.tokens
    sums, everything = ("weights", "norms"), ("weights", "norms", "relations")
    bare(model, 64)
    ways: dict[str, Callable[[], object]] = {
        "bare": partial(bare, model, n),
        "sums": partial(observed, model, n, *sums, argmax=False),
        "everything": partial(observed, model, n, *everything),
    }
    times = alternate(ways, chosen.repeats, warm_ups=0)
    few = chosen.dense_tokens
    dense = alternate(
        {
            "rows": partial(observed, model, few, *sums),
            "dense": partial(observed, model, few, *sums, long=10**9),
            "script": partial(by_output_attentions, model, few),
        },
        1,
        warm_ups=0,
    )
    what = f"long_texts: {n} tokens, {'×'.join(map(str, chosen.shape))}"
    return [
        Measure(f"{what}, a bare sdpa pass", times.median("bare"), "s"),
        Measure(
            f"{what}, sums and entropy by weight and norm over the bare pass",
            times.ratio("sums", "bare"), "×", SUMS,
        ),
        Measure(
            f"{what}, with argmax and relations over the bare pass",
            times.ratio("everything", "bare"), "×", EVERYTHING,
        ),
        Measure(
            f"long_texts: {few} tokens, whole maps over rows", dense.ratio("dense", "rows"), "×"
        ),
        Measure(
            f"long_texts: {few} tokens, output_attentions and numpy over rows",
            dense.ratio("script", "rows"), "×",
        ),
    ]  # fmt: skip


def _memory(chosen: Settings) -> list[Measure]:
    peaks = {
        (way, n): in_fresh_process(
            peak_of_pass, DIRECT_ALLOCATION, shape=chosen.memory_shape, n_tokens=n, way=way
        )
        for way in ("bare", "observed")
        for n in chosen.memory
    }
    few, many = chosen.memory
    slopes = {way: peaks[way, many] - peaks[way, few] for way in ("bare", "observed")}
    whole = in_fresh_process(
        peak_of_profile, shape=chosen.profile_shape, n_tokens=chosen.profile_tokens
    )
    what = f"long_texts: peak from {few} to {many} tokens"
    return [
        Measure(f"{what}, a bare sdpa pass", slopes["bare"], "MB"),
        Measure(f"{what}, observed over bare", slopes["observed"] / slopes["bare"], "×", SLOPE),
        Measure(
            f"long_texts: profile of a text of {chosen.profile_tokens} tokens, all of the process",
            whole, "MB", PROFILE_MB,
        ),
    ]  # fmt: skip


def peak_of_pass(shape: list[int], n_tokens: int, way: str) -> float:
    """Return the peak of one pass over a text beyond the loaded model, in MB, of this process."""
    import torch

    torch.set_num_threads(1)
    model = decoder(*shape)
    bare(model, 64)
    observed(model, 1100, "weights", "norms", "relations")
    if way == "bare":
        return peak_megabytes(lambda: bare(model, n_tokens))
    return peak_megabytes(lambda: observed(model, n_tokens, "weights", "norms", "relations"))


def peak_of_profile(shape: list[int], n_tokens: int) -> float:
    """Return the peak memory of a process that profiles one text, in MB."""
    import inspector

    inspector.profile(decoder(*shape), [list(text(n_tokens).words)], progress=False)
    return lifetime_peak_megabytes()
