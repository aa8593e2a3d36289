"""What each query looks at most, as a frame: of texts of any length, and while a model writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from inspector.arguments import checked, is_whole, refused
from inspector.errors import InputError
from inspector.frames import dtypes
from inspector.head_names import chosen_numbers
from inspector.models.forward.top_keys import CacheCheck, TopKeys, top_keys, written_keys
from inspector.models.loading.language_head import language_head
from inspector.models.loading.load_model import ModelOrName, loaded

TOP_COLUMNS = dtypes("top_keys")
"""The columns of `attend_top`, in their order, and their dtypes."""


@dataclass(frozen=True, eq=False, repr=False)
class Generation:
    """What a decoder wrote after a prompt, and where each head looked when it wrote each token."""

    prompt: str
    text: str
    """What was written."""
    tokens: list[str]
    """Of the prompt, then those that were written."""
    n_prompt: int
    """How many are the prompt's."""
    frame: pd.DataFrame
    """A row for each layer × head × written token × key: columns `TOP_COLUMNS`, and `written`."""
    check: CacheCheck
    """How far weights and hidden states are from those of one pass without a cache."""

    @property
    def difference(self) -> float:
        """Return the largest difference between these weights and those of one pass."""
        return self.check.difference

    def __repr__(self) -> str:
        """Return how much was written."""
        n = len(self.tokens) - self.n_prompt
        return f"<Generation: {n} tokens after {self.n_prompt}: {self.text!r}>"


@checked
def attend_top(
    model: ModelOrName,
    text: str,
    *,
    top: int = 10,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return the keys that each token of a text looks at most, by every head, at any length.

    The largest weight first. No map is made: of long texts rows are computed block by block.

    Args:
        model: A loaded model, or what `inspector.load` takes.
        text: What is read.
        top: Keys of each token, at most.
        layers: The layers that are kept; all where not given.
        heads: The heads of each that are kept; all where not given.

    Raises:
        InputError: If the text is no string, empty or too long; if there is no such layer or head.
        ModelError: If the model cannot be loaded.

    Example:
        >>> frame = attend_top("minilm", "The cat sat.", top=1, layers=[0], heads=[0])
        >>> list(frame.columns)
        ['layer', 'head', 'query', 'key', 'query_token', 'key_token', 'probability']
    """
    ready = loaded(model)
    chosen = _chosen(ready, top, layers, heads)
    batch = ready.encode([text])
    return _frame(top_keys(ready, batch, top, *chosen), batch.tokens[0])


@checked
def attend_generation(
    model: ModelOrName,
    prompt: str,
    max_new_tokens: int = 20,
    *,
    top: int = 10,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> Generation:
    """Return what a decoder writes after a prompt, and where each head looked at each token.

    Greedy, with a cache of keys and values as in `generate`; one pass without the cache checks its
    weights and hidden states (`.check`, with what the same comparison finds of a wrong token).

    Args:
        model: A decoder that was saved with its language-modelling head.
        prompt: What is read first.
        max_new_tokens: Tokens that are written, at most; an end of text is the last.
        top: Keys of each written token, at most: those that the token it was predicted from looks
            at most.
        layers: The layers that are kept; all where not given.
        heads: The heads of each that are kept; all where not given.

    Raises:
        InputError: If the model cannot write, or prompt and tokens are too long.
        ModelError: If the model cannot be loaded, or its cache gives other weights or states than
            one pass.

    Example:
        >>> attend_generation("gpt2", "The cat", 5, top=1).text  # doctest: +SKIP
    """
    if not is_whole(max_new_tokens) or max_new_tokens < 1:
        raise refused("max_new_tokens", max_new_tokens, "a whole number, at least 1")
    ready = loaded(model)
    chosen = _chosen(ready, top, layers, heads)
    head = language_head(ready)
    if head is None or head.kind != "causal":
        raise InputError(
            f"model ({ready.name}) cannot write: give a decoder that was saved with its "
            "language-modelling head (save_pretrained of an AutoModelForCausalLM)."
        )
    batch = ready.encode([prompt])
    written, found, check = written_keys(ready, head.logits, batch, max_new_tokens, top, *chosen)
    new: list[str] = ready.tokenizer.convert_ids_to_tokens(written)
    tokens = [*batch.tokens[0], *new]
    frame = _frame(found, tokens)
    frame["written"] = pd.Series([tokens[query + 1] for query in frame["query"]], dtype="str")
    text: str = ready.tokenizer.decode(written)
    return Generation(prompt, text, tokens, len(batch.tokens[0]), frame, check)


def _chosen(model: Any, top: Any, layers: Any, heads: Any) -> tuple[list[int], list[int]]:
    if not is_whole(top) or top < 1:
        raise refused("top", top, "a whole number, at least 1")
    return (
        chosen_numbers("layers", layers, range(model.n_layers)),
        chosen_numbers("heads", heads, range(model.n_heads)),
    )


def _frame(found: TopKeys, tokens: Sequence[str]) -> pd.DataFrame:
    keys = found.keys.numpy()
    places = (np.array(found.layers), np.array(found.heads), np.array(found.queries))
    layer, head, query, rank = (keys >= 0).nonzero()
    key, names = keys[layer, head, query, rank], np.array(tokens, dtype=object)
    columns = {
        "layer": places[0][layer],
        "head": places[1][head],
        "query": places[2][query],
        "key": key,
        "query_token": pd.Categorical(names[places[2][query]]),
        "key_token": pd.Categorical(names[key]),
        "probability": found.probabilities.numpy()[layer, head, query, rank],
    }
    return pd.DataFrame(columns).astype(TOP_COLUMNS)
