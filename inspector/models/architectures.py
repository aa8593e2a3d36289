"""Which model types can be loaded with their tokenizer: one row each.

Where their weights are says `inspector.models.weight_layouts.layout_table`; what a row says besides
is what
loading must know. Must not know: how a model is loaded or run.
"""

from dataclasses import dataclass
from typing import Literal

from inspector.errors import UnsupportedModelError
from inspector.models.weight_layouts.layout import Layout

_BERT_LAYOUT = Layout()


@dataclass(frozen=True)
class Architecture:
    """One model type that reads texts, as far as loading it goes."""

    model_type: str
    """What `config.json` calls it."""
    kind: Literal["encoder", "decoder", "encoder of two"] = "encoder"
    """A decoder sees only what stands before; of an encoder-decoder the encoder is taken."""
    position_offset: int = 0
    """Rows of the position table that no token can use (RoBERTa counts from padding_idx + 1)."""
    layout: Layout = _BERT_LAYOUT
    """What a site that says no layout of its own is taken to have."""


# RoBERTa's way to count positions.
_COUNTED_FROM_TWO = (
    "roberta xlm-roberta camembert xlm-roberta-xl roberta-prelayernorm data2vec-text xmod "
    "markuplm mpnet luke"
)
_ENCODERS = (
    "bert electra distilbert albert ernie splinter bert-generation nomic_bert eurobert modernbert "
    "gte jina_embeddings_v3 ultrabert mobilebert layoutlm roc_bert rembert megatron-bert "
    "big_bird roformer deberta deberta-v2 xlm flaubert squeezebert clip_text_model"
)
_DECODERS = (
    "gpt2 gpt_bigcode gpt_neox opt biogpt llama mistral mixtral ministral ministral3 qwen2 "
    "qwen2_moe qwen3 qwen3_moe gemma gemma2 gemma3_text vaultgemma phi phi3 phimoe olmo olmo2 "
    "olmo3 olmoe flex_olmo granite granitemoe granitemoeshared cohere cohere2 stablelm starcoder2 "
    "persimmon nemotron glm glm4 glm4_moe exaone4 helium smollm3 ernie4_5 ernie4_5_moe arcee "
    "apertus seed_oss hunyuan_v1_dense hunyuan_v1_moe hyperclovax jais2 nanochat cwm dots1 "
    "solar_open minimax_m2 modernbert-decoder ctrl dbrx gpt_oss granite_swa llama4_text bitnet "
    "afmoe openai-gpt gpt_neo gptj gpt_neox_japanese codegen bloom falcon mpt xglm"
)
_ENCODERS_OF_TWO = (
    "t5 mt5 umt5 switch_transformers bart mbart plbart pegasus marian m2m_100 nllb-moe blenderbot "
    "blenderbot-small mvp"
)

ARCHITECTURES: dict[str, Architecture] = {
    row.model_type: row
    for row in (
        *(Architecture(name) for name in _ENCODERS.split()),
        *(Architecture(name, position_offset=2) for name in _COUNTED_FROM_TWO.split()),
        # Its position table is counted from its padding token, which stands at 1.
        Architecture("esm", position_offset=2),
        *(Architecture(name, "decoder") for name in _DECODERS.split()),
        *(Architecture(name, "encoder of two") for name in _ENCODERS_OF_TWO.split()),
    )
}


def architecture_for(model_type: str) -> Architecture:
    """Return the row of a model type.

    Raises:
        UnsupportedModelError: If the table has none.

    Example:
        >>> architecture_for("gpt2").kind
        'decoder'
    """
    try:
        return ARCHITECTURES[model_type]
    except KeyError:
        available = ", ".join(sorted(ARCHITECTURES))
        raise UnsupportedModelError(
            f"model_type ({model_type}) has no row in the table of architectures: inspector does "
            f"not know where it keeps its weights. Available: {available}."
        ) from None
