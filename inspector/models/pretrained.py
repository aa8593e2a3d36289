"""A loaded model, and what the rest of inspector may ask of it.

Sizes, weights of a layer, texts turned into inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from inspector.attention import LayerWeights
from inspector.errors import InputError, UnsupportedModelError
from inspector.html import table
from inspector.models.architectures import Architecture
from inspector.models.tokenizing.guarded import check_text, tokenized
from inspector.models.weight_layouts.layout import HeadSizes, Layout

DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.bfloat16,
}
LOADED_IN = (*DTYPES, "float16")
"""What a model may be loaded in: what is computed in, and one whose weights are rounded to it."""


@dataclass(frozen=True)
class LayerSite:
    """Where one layer's attention sits in the module tree, in the order in which layers run."""

    layer: int
    attention: str
    """Name of the module that calls the attention function."""
    output: str
    """Name of the layer that holds W_O."""
    layout: Layout = field(default_factory=Layout)
    """How its weights are kept; as BERT keeps them where not given."""
    sizes: HeadSizes | None = None
    """Its heads; the model's where not given."""
    scaling: float | None = None
    """The factor on query · key; the module's own, or 1/√d_head, where not given."""
    causal: bool = False
    """Whether a query sees only itself and what stands before it."""
    before_rotation: bool = False
    """Whether W_Q and W_K give queries and keys before a rotation or a norm."""
    is_plain: bool = True
    """Whether every stage follows from hidden states, weights and mask alone: no rotation, norm,
    bias, cap or sink comes between."""
    own_term: str | None = None
    """The score term of a module that computes attention by mathematics of its own; None where it
    hands it to transformers."""


@dataclass(frozen=True)
class Batch:
    """Texts as a model's inputs."""

    input_ids: Int[Tensor, "batch token"]
    attention_mask: Int[Tensor, "batch token"]
    token_type_ids: Int[Tensor, "batch token"] | None = None
    tokens: list[list[str]] = field(default_factory=list)
    """The tokens of each text, padding left out; none where no text was told."""
    pair_starts: list[int | None] = field(default_factory=list)
    """For each text, the index of the first token of its second text, where it has one."""

    def inputs(self) -> dict[str, Tensor]:
        """Return the keyword arguments of the model's forward."""
        named = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        if self.token_type_ids is not None:
            named["token_type_ids"] = self.token_type_ids
        return named

    def cut(self, length: int) -> "Batch":
        """Return the first `length` tokens of each text."""
        kinds = self.token_type_ids
        return replace(
            self,
            input_ids=self.input_ids[:, :length],
            attention_mask=self.attention_mask[:, :length],
            token_type_ids=None if kinds is None else kinds[:, :length],
            tokens=[tokens[:length] for tokens in self.tokens],
            pair_starts=[
                start if start is not None and start < length else None
                for start in self.pair_starts
            ],
        )

    def texts(self, rows: Sequence[int]) -> "Batch":
        """Return some of the texts, padded as they are."""
        chosen, kinds = list(rows), self.token_type_ids
        return replace(
            self,
            input_ids=self.input_ids[chosen],
            attention_mask=self.attention_mask[chosen],
            token_type_ids=None if kinds is None else kinds[chosen],
            tokens=[self.tokens[row] for row in chosen] if self.tokens else [],
            pair_starts=[self.pair_starts[row] for row in chosen] if self.pair_starts else [],
        )


@dataclass(frozen=True, repr=False)
class PretrainedModel:
    """A model of transformers with its tokenizer, checked and proved at load.

    Example:
        >>> import inspector
        >>> model = inspector.load("minilm")
        >>> model.n_layers, model.n_heads, model.layer_weights(2).W_Q.shape
        (6, 12, torch.Size([384, 384]))
    """

    name: str
    """What the user called it."""
    folder: Path | None
    """Of its files; None where it was in memory."""
    model: nn.Module
    tokenizer: Any
    architecture: Architecture
    sites: tuple[LayerSite, ...]
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    max_tokens: int
    """The most tokens, special ones included, that one text may have."""
    dtype: str
    """One of 'float32', 'float64', 'bfloat16'."""
    file_hashes: dict[str, str]
    """File name → SHA-256 of the files the model was read from."""
    unused_tensors: tuple[str, ...]
    """Tensors of the checkpoint that the encoder has no use for (a task head's, as a rule)."""
    rounded: bool = False
    """Whether its weights were rounded to float16 before."""
    source: Any = field(default=None, repr=False, compare=False)
    """The user's own network in memory, where it is read from one."""
    lock: RLock = field(default_factory=RLock, repr=False, compare=False)
    """Held while the model runs with another attention than its own."""

    def __repr__(self) -> str:
        """Return what model it is, in a line."""
        return (
            f"<PretrainedModel {self.name}: {self.architecture.model_type}, {self.n_layers} layers "
            f"× {self.n_heads} heads, d_model {self.d_model}, {self.dtype}"
            f"{' of weights in float16' * self.rounded}>"
        )

    def _repr_html_(self) -> str:
        """Return what model it is as a table, escaped."""
        rows = [
            ("model type", self.architecture.model_type),
            ("layers × heads", f"{self.n_layers} × {self.n_heads}"),
            ("d_model, d_head", f"{self.d_model}, {self.d_head}"),
            ("most tokens", self.max_tokens),
            ("dtype, device", f"{self.dtype}, {self.device}"),
            ("attention modules", ", ".join(dict.fromkeys(
                site.attention for site in (self.sites[0], self.sites[-1])))),
            *((name, digest) for name, digest in self.file_hashes.items()),
        ]  # fmt: skip
        return table(["", self.name], rows)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Return the dtype of the parameters."""
        return DTYPES[self.dtype]

    @property
    def device(self) -> torch.device:
        """Return where the parameters are."""
        return next(self.model.parameters()).device

    @property
    def window(self) -> int | None:
        """Return how many tokens, itself among them, a query sees at most in any layer.

        None where some layer's attention slides over no window.
        """
        config: Any = self.model.config
        kinds = getattr(config, "layer_types", None) or ()
        if any(kind != "sliding_attention" for kind in kinds):
            return None
        used = getattr(config, "use_sliding_window", True)
        size = getattr(config, "sliding_window", None)
        return size if used and isinstance(size, int) else None

    @property
    def before_rotation(self) -> bool:
        """Return whether some layer's W_Q and W_K give queries and keys before a rotation."""
        return any(site.before_rotation for site in self.sites)

    @property
    def has_own_maths(self) -> bool:
        """Return whether some layer computes its attention by mathematics of its own."""
        return any(site.own_term is not None for site in self.sites)

    @property
    def is_plain(self) -> bool:
        """Return whether every stage follows from hidden states, weights and mask alone."""
        return all(site.is_plain for site in self.sites)

    def linear(self, place: int | LayerSite, projection: str) -> Any:
        """Return the layer that holds a projection, alone or with others.

        Args:
            place: A layer, counted from 0, or the site of its attention.
            projection: 'query', 'key', 'value' or 'output'.

        Raises:
            InputError: If there is no such layer.
            UnsupportedModelError: If what stands there is no linear layer.
        """
        site = place if isinstance(place, LayerSite) else self.sites[self.check_layer(place)]
        name = site.layout.names(site.attention)[projection]
        module: nn.Module | None
        try:
            module = self.model.get_submodule(name)
        except AttributeError:
            module = None
        if module is None or not site.layout.is_linear(module):
            found = "missing" if module is None else f"a {type(module).__name__}"
            raise UnsupportedModelError(
                f"module ({name}) is {found}, expected a linear layer: "
                f"the table of architectures does not fit model {self.name}."
            )
        return module

    def layer_weights(self, layer: int) -> LayerWeights:
        """Return the weights of one layer (the model's own tensors wherever that can be).

        Raises:
            InputError: If there is no such layer.
        """
        site = self.sites[self.check_layer(layer)]
        own: Any = getattr(self.model.get_submodule(site.attention), "scaling", None)
        scaling = own if site.scaling is None else site.scaling
        sizes = HeadSizes(self.n_heads, self.n_kv_heads, self.d_head, self.d_head)
        return site.layout.weights(
            dict(self.model.named_modules()),
            site.attention,
            site.sizes or sizes,
            scaling=self.d_head**-0.5 if scaling is None else float(scaling),
            causal=site.causal,
        )

    def check_layer(self, layer: int) -> int:
        """Return the layer if the model has it, an InputError if it does not."""
        return _there("layer", layer, self.n_layers)

    def check_head(self, head: int) -> int:
        """Return the head if the model has it, an InputError if it does not."""
        return _there("head", head, self.n_heads)

    def encode(
        self,
        texts: Sequence[Any],
        pairs: Sequence[Any] | None = None,
        *,
        special: bool = True,
        truncate: bool = False,
    ) -> Batch:
        """Return texts as one padded batch.

        Args:
            texts: At least one string, each with at least one token; what is none is refused.
            pairs: A second text for each, as for sentence-pair tasks.
            special: Whether the tokenizer's special tokens ([CLS], [SEP], …) are added.
            truncate: Whether a text that is too long is cut to `max_tokens`, not refused.

        Raises:
            InputError: If there is no text, or one is no string, empty, not valid Unicode, or too
                long.
        """
        if isinstance(texts, str):
            raise InputError("texts (str) must be a list: put the text in one.")
        if not texts:
            raise InputError("texts ([]) must hold at least one text.")
        for text in [*texts, *(pairs or [])]:
            check_text(text)
        arguments = (list(texts), list(pairs)) if pairs else (list(texts),)
        encoded = tokenized(
            self.tokenizer,
            *arguments,
            add_special_tokens=special,
            padding=len(texts) > 1,
            truncation=truncate,
            max_length=self.max_tokens if truncate else None,
            return_tensors="pt",
        )
        ids, attended = encoded["input_ids"], encoded["attention_mask"]
        self._check_tokens(texts, encoded, ids)
        kinds = encoded.get("token_type_ids")
        self._check_kinds(kinds)
        tokens = [
            self.tokenizer.convert_ids_to_tokens(row[keep.bool()].tolist())
            for row, keep in zip(ids, attended, strict=True)
        ]
        move = {"device": self.device}
        return Batch(
            ids.to(**move),
            attended.to(**move),
            None if kinds is None else kinds.to(**move),
            tokens,
            [
                of.index(1) if 1 in of else None
                for of in map(encoded.sequence_ids, range(len(texts)))
            ],
        )

    def _check_kinds(self, kinds: Tensor | None) -> None:
        config: Any = self.model.config
        most = getattr(config, "type_vocab_size", None)
        if kinds is not None and most and int(kinds.max()) >= most:
            raise InputError(
                f"second text cannot be read by model {self.name}, which tells {most} kind(s) of "
                "text apart: leave it out."
            )

    def _check_tokens(self, texts: Sequence[str], encoded: Any, ids: Tensor) -> None:
        if ids.shape[1] > self.max_tokens:
            raise InputError(
                f"text ({ids.shape[1]} tokens) must have at most {self.max_tokens} tokens, "
                f"special ones included, for model {self.name}: shorten it."
            )
        for row, text in enumerate(texts):
            if all(word is None for word in encoded.word_ids(row)):
                raise InputError(
                    f"text ({text[:40]!r}) has no token that this tokenizer knows: "
                    "give a text with at least one word."
                )


def _there(what: str, number: int, count: int) -> int:
    if not 0 <= number < count:
        raise InputError(
            f"{what} ({number}) must be one that the model has: {what}s count from 0 to "
            f"{count - 1}."
        )
    return number
