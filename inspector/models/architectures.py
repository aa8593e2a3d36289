"""Where each architecture keeps W_Q, W_K, W_V and W_O: one row of a table each.

A row is a claim. `inspector.models.proof` checks it at load, against what the model computes.
Must not know: how a model is loaded or run.
"""

import re
from dataclasses import dataclass

from inspector.errors import UnsupportedModelError


@dataclass(frozen=True)
class Architecture:
    """The names of one model type's attention modules and of the projections in them."""

    model_type: str
    """What `config.json` calls it."""
    block: str
    """Name of the attention block, with `*` for each number."""
    attention: str = "self"
    """Below the block: the module that calls the attention function ('' for the block itself)."""
    query: str = "query"
    """Below the attention module: the linear layer that holds W_Q."""
    key: str = "key"
    value: str = "value"
    output: str = "output.dense"
    """Below the block: the linear layer that holds W_O."""
    position_offset: int = 0
    """Rows of the position table that no piece can use (RoBERTa counts from padding_idx + 1)."""

    def attention_names(self, names: list[str]) -> dict[str, str]:
        """Return attention module → W_O, by name, for the modules that the row means."""
        pattern = re.compile(re.escape(self.block).replace(r"\*", r"\d+"))
        blocks = [name for name in names if pattern.fullmatch(name)]
        return {_join(block, self.attention): _join(block, self.output) for block in blocks}


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


_BERT_BLOCK = "encoder.layer.*.attention"

ARCHITECTURES: dict[str, Architecture] = {
    row.model_type: row
    for row in (
        Architecture("bert", _BERT_BLOCK),
        Architecture("roberta", _BERT_BLOCK, position_offset=2),
        Architecture("xlm-roberta", _BERT_BLOCK, position_offset=2),
        Architecture("camembert", _BERT_BLOCK, position_offset=2),
        Architecture("electra", _BERT_BLOCK),
        Architecture(
            "distilbert",
            "transformer.layer.*.attention",
            attention="",
            query="q_lin",
            key="k_lin",
            value="v_lin",
            output="out_lin",
        ),
        Architecture(
            "albert",
            "encoder.albert_layer_groups.*.albert_layers.*.attention",
            attention="",
            output="dense",
        ),
    )
}


def architecture_for(model_type: str) -> Architecture:
    """Return the row of a model type.

    Raises:
        UnsupportedModelError: If the table has none.

    Example:
        >>> architecture_for("bert").query
        'query'
    """
    try:
        return ARCHITECTURES[model_type]
    except KeyError:
        available = ", ".join(sorted(ARCHITECTURES))
        raise UnsupportedModelError(
            f"model_type ({model_type}) has no row in the table of architectures: inspector does "
            f"not know where it keeps its weights. Available: {available}."
        ) from None
