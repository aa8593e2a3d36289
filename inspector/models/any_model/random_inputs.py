"""Random inputs that suit a network, made from its configuration and its forward's arguments.

Ids of ordinary tokens, padded on the side that the family pads; pixels, samples, features of
sound. No tokenizer is needed.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from inspector.models.architectures import ARCHITECTURES

_LENGTHS, _TARGET_LENGTHS = (9, 6, 4), (7, 7, 5)
_BATCH = len(_LENGTHS)
_N_FRAMES, _IMAGE, _FEW_IDS = 12, 32, 100
MOST_TOKENS = 2048
"""Longer texts than this are not tried."""


def make_inputs(
    network: nn.Module, *, padded: bool = True, seed: int = 0, real: Tensor | None = None
) -> dict[str, Tensor]:
    """Return the keyword arguments of a forward pass.

    Args:
        network: A model of transformers.
        padded: Whether texts (and sounds, where the model takes a mask) differ in length.
        seed: Of the numbers drawn.
        real: (batch, token), False where padding stands: as many rows and tokens, as far as the
            model takes them; three short ones where not given. Sounds are padded on the right.

    Example:
        >>> from inspector.models.tiny_models import configuration
        >>> inputs = make_inputs(configuration("llama").build(), padded=True)
        >>> inputs["attention_mask"][1].tolist()
        [0, 0, 0, 1, 1, 1, 1, 1, 1]
    """
    if real is not None:
        padded = not bool(real.all())
    made = _Making(network, padded, torch.Generator().manual_seed(seed), real)
    names = made.arguments
    inputs: dict[str, Tensor] = {}
    for name, maker in _MAKERS.items():
        if name in names:
            inputs |= maker(made)
    dtype = next(p.dtype for p in network.parameters() if p.is_floating_point())
    place: Any = next(network.parameters()).device
    return {
        name: tensor.to(place, dtype) if tensor.is_floating_point() else tensor.to(place)
        for name, tensor in inputs.items()
    }


def pads_left(config: Any) -> bool:
    """Return whether texts are padded on the left: where a model only ever writes on.

    transformers counts it among the causal language models, and not among the masked ones.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if getattr(config, "is_encoder_decoder", False):
        return False
    kinds = {config.model_type, config.get_text_config().model_type}
    causal = kinds & set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    return bool(causal and not kinds & set(MODEL_FOR_MASKED_LM_MAPPING_NAMES))


class _Making:
    """What the makers of single inputs share."""

    def __init__(
        self, network: Any, padded: bool, generator: Generator, real: Tensor | None
    ) -> None:
        self.network, self.padded, self.generator = network, padded, generator
        self.real = real
        self.batch = _BATCH if real is None else len(real)
        self.n_frames = _N_FRAMES if real is None else real.shape[1]
        self.config = network.config
        self.arguments = set(inspect.signature(network.forward).parameters)

    def setting(self, *names: str, default: Any = None) -> Any:
        """Return the first setting there is, of the model's own or of its parts'."""
        return _setting(self.config, *names, default=default)

    def numbers(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator)

    def text(self, prefix: str, lengths: tuple[int, ...], left: bool) -> dict[str, Tensor]:
        """Return ids, and a mask where the model takes one and they are padded."""
        if self.real is None:
            steps, counts = torch.arange(max(lengths)), torch.tensor(lengths)[:, None]
            kept = (steps >= max(lengths) - counts) if left else (steps < counts)
        else:
            kept = self.real[:, : text_limit(self.config, prefix)]
        ordinary = self.ordinary_ids()
        ids = ordinary[self.drawn(len(ordinary), *kept.shape)]
        name = f"{prefix}attention_mask"
        if not self.padded or name not in self.arguments:
            return {f"{prefix}input_ids": ids}
        pad = self.setting("pad_token_id", default=0)
        return {f"{prefix}input_ids": ids.masked_fill(~kept, max(pad, 0)), name: kept.long()}

    def drawn(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self.generator)

    def ordinary_ids(self) -> Tensor:
        """Return the ids that stand for nothing special: not for padding, images or sounds."""
        parts = [self.config, *_inner(self.config)]
        sizes = [size for part in parts if isinstance(size := vars(part).get("vocab_size"), int)]
        special: set[int] = set()
        for part in parts:
            for name, value in vars(part).items():
                if name.endswith(("token_id", "token_index")):
                    special |= {v for v in (value if isinstance(value, list) else [value]) if v}
        ids = [number for number in range(1, min(sizes, default=_FEW_IDS)) if number not in special]
        return torch.tensor(ids)


def text_limit(config: Any, prefix: str = "") -> int:
    """Return how many tokens of a text are tried: those that a model has positions for, or 2,048.

    With the prefix 'decoder_', of what the decoder of an encoder-decoder is given.
    """
    side = "max_target_positions" if prefix else "max_source_positions"
    limit: Any = _setting(config, side, "max_position_embeddings", default=MOST_TOKENS)
    if not isinstance(limit, int) or limit < 1:
        return MOST_TOKENS
    row = ARCHITECTURES.get(config.get_text_config().model_type)
    if row is not None and row.position_offset:  # positions are counted from the padding's id
        padding = _setting(config, "pad_token_id", default=0)
        limit -= max(row.position_offset, padding + 1)
    return max(1, min(int(limit), MOST_TOKENS))


def _setting(config: Any, *names: str, default: Any = None) -> Any:
    for part in [config, *_inner(config)]:
        for name in names:
            value = getattr(part, name, None)
            if value is not None and not callable(value):
                return value
    return default


def _inner(config: Any) -> list[Any]:
    parts = [getattr(config, name, None) for name in config.sub_configs]
    return [part for part in parts if part is not None]


def _text(made: _Making) -> dict[str, Tensor]:
    longest = made.setting("max_position_embeddings", "n_positions", default=max(_LENGTHS))
    fit = longest if isinstance(longest, int) and longest > 0 else max(_LENGTHS)
    lengths = tuple(min(length, fit) for length in _LENGTHS)
    inputs = made.text("", lengths, pads_left(made.config))
    shape = inputs["input_ids"].shape
    if "bbox" in made.arguments:
        limit = made.setting("max_2d_position_embeddings", default=64)
        inputs["bbox"] = made.drawn(min(limit, 60), *shape, 4).sort(-1).values
    return inputs


def _pixels(made: _Making) -> dict[str, Tensor]:
    """Return pixels; none where a text would have to say where its images stand."""
    if made.setting("image_token_id", "image_token_index") is not None:
        return {}
    height, width = _two(made.setting("image_size", "input_size", default=_IMAGE))
    channels = made.setting("num_channels", "in_channels", "in_chans", default=3)
    frames = made.setting("num_frames")
    axes = (channels,) if frames is None else (frames, channels)
    return {"pixel_values": made.numbers(made.batch, *axes, height, width)}


def _video(made: _Making) -> dict[str, Tensor]:
    height, width = _two(made.setting("image_size", "crop_size", default=_IMAGE))
    frames = made.setting("num_frames", "frames_per_clip", default=2)
    channels = made.setting("num_channels", "in_chans", default=3)
    return {"pixel_values_videos": made.numbers(made.batch, frames, channels, height, width)}


def _samples(made: _Making) -> dict[str, Tensor]:
    """Return sound as samples, or as a spectrogram where the family calls that input_values."""
    bins = made.setting("num_mel_bins")
    if bins is not None and made.setting("conv_kernel") is None:
        return {
            "input_values": made.numbers(made.batch, made.setting("max_length", default=24), bins)
        }
    # Moonshine has its convolutions in its code.
    strides = made.setting("conv_stride", default=[64, 3, 2])
    kernels = made.setting("conv_kernel", default=[127, 7, 3])
    length = made.n_frames
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        length = (length - 1) * stride + kernel
    inputs = {"input_values": made.numbers(made.batch, length)}
    if made.padded and "attention_mask" in made.arguments and made.setting("conv_stride"):
        shares = [1.0, 2 / 3, 0.5] if made.real is None else made.real.float().mean(1).tolist()
        counts = torch.tensor([max(1, int(share * length)) for share in shares])[:, None]
        inputs["attention_mask"] = (torch.arange(length) < counts).long()
    return inputs


def _features(made: _Making) -> dict[str, Tensor]:
    """Return features of sound: (batch, bins, time) as in Whisper, (batch, time, bins) else."""
    bins = made.setting(
        "num_mel_bins", "input_feat_per_channel", "feature_projection_input_dim", default=80
    )
    length = made.setting("max_source_positions")
    others = made.setting("input_feat_per_channel", "feature_projection_input_dim")
    if length is not None and others is None:
        return {"input_features": made.numbers(made.batch, bins, 2 * length)}
    return {"input_features": made.numbers(made.batch, 4 * made.n_frames, bins)}


def _two(size: Any) -> tuple[int, int]:
    if isinstance(size, dict):
        return size["height"], size["width"]
    if isinstance(size, (list, tuple)):
        return (size[0], size[-1])
    return (math.ceil(size), math.ceil(size))


_MAKERS: dict[str, Callable[[_Making], dict[str, Tensor]]] = {
    "input_ids": _text,
    "pixel_values": _pixels,
    "pixel_values_videos": _video,
    "input_values": _samples,
    "input_features": _features,
    "decoder_input_ids": lambda made: made.text("decoder_", _TARGET_LENGTHS, left=False),
}
"""Argument of a forward → what makes it, with what belongs to it."""
