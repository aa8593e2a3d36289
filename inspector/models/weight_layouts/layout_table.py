"""Which families keep their attention weights in which layout: the one table for all of them.

A family is a package of transformers.models: its attention modules' classes say which it is, so
that the parts of a composite model are found too. Several rows of one family are tried in order.
Must not know: how a model is loaded or run.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from inspector.models.weight_layouts.layout import Layout

_BERT = Layout()
_DENSE = Layout(output="dense")
_PROJECTION = Layout(output="proj")
_O_PROJ = Layout("q_proj", "k_proj", "v_proj", "o_proj")
_OUT_PROJ = Layout("q_proj", "k_proj", "v_proj", "out_proj")
_T5 = Layout("q", "k", "v", "o")
_LIN = Layout("q_lin", "k_lin", "v_lin", "out_lin")
_CONFORMER = Layout("linear_q", "linear_k", "linear_v", "linear_out")
_DEBERTA = Layout("query_proj", "key_proj", "value_proj", "../output.dense")


def _fused(name: str, output: str, fusion: str = "concatenated", kind: str = "Linear") -> Layout:
    return Layout(name, name, name, output, fusion, kind)  # type: ignore[arg-type]


_ROWS: tuple[tuple[Layout, str], ...] = (
    # Families that hand their attention to transformers' interface.
    (
        _BERT,
        (
            "bert roberta xlm_roberta xlm_roberta_xl camembert electra mobilebert ernie esm "
            "data2vec layoutlm splinter bert_generation roberta_prelayernorm roc_bert xmod "
            "markuplm yolos videomae dpt chinese_clip altclip align clap"
        ),
    ),
    (_DENSE, "albert"),
    (_LIN, "distilbert"),
    (
        _O_PROJ,
        (
            "llama mistral mixtral qwen2 qwen3 qwen2_moe qwen3_moe gemma gemma2 gemma3 "
            "vaultgemma t5gemma olmo olmo2 olmo3 olmoe flex_olmo granite granite_swa "
            "granitemoe granitemoeshared cohere cohere2 stablelm starcoder2 nemotron glm glm4 "
            "glm4_moe exaone4 helium smollm3 ernie4_5 ernie4_5_moe ministral ministral3 arcee "
            "apertus seed_oss hunyuan_v1_dense hunyuan_v1_moe hyperclovax jais2 nanochat doge "
            "cwm gpt_oss phimoe dots1 solar_open minimax minimax_m2 llama4 mimo_v2_flash "
            "nomic_bert eurobert jina_embeddings_v3 gte ultrabert vit deit beit swin dinov2 "
            "dinov2_with_registers dinov3_vit ijepa vit_mae vit_msn pixio vivit segformer "
            "audio_spectrogram_transformer parakeet lasr moonshine videoprism esmc emu3 mllama "
            "molmo2 qwen3_vl aria cohere2_moe exaone_moe granitemoe_swa hy_v3 mellum pixtral "
            "openai_privacy_filter qwen3_vl_moe qwen3_omni_moe sapiens2 tipsv2"
        ),
    ),
    (
        _OUT_PROJ,
        (
            "bart mbart pegasus marian m2m_100 nllb_moe blenderbot blenderbot_small plbart "
            "bigbird_pegasus pegasus_x opt biogpt whisper speech_to_text wav2vec2 hubert "
            "data2vec unispeech unispeech_sat sew clip siglip metaclip_2 chinese_clip altclip "
            "owlvit clipseg aimv2 git mlcd owlv2 siglip2 tipsv2 x_clip lfm2 idefics3 smolvlm "
            "qwen2_audio voxtral"
        ),
    ),
    (_T5, "t5 mt5 umt5 longt5 switch_transformers"),
    (_CONFORMER, "wav2vec2_conformer wav2vec2_bert"),
    (_PROJECTION, "vjepa2"),
    (Layout("q_proj", "k_proj", "v_proj", "projection_layer"), "janus"),
    (Layout("Wq", "Wk", "Wv", "dense"), "ctrl"),
    (Layout("q_proj", "k_proj", "v_proj", "dense"), "phi"),
    (Layout("q_proj", "k_proj", "v_proj", "Wo"), "modernbert_decoder"),
    (_fused("c_attn", "c_proj", kind="Conv1D"), "gpt2"),
    (_fused("c_attn", "c_proj"), "gpt_bigcode"),
    (_fused("c_attn", "c_proj", "per head"), "gpt_bigcode"),
    (_fused("qkv_proj", "o_proj"), "phi3"),
    (_fused("Wqkv", "Wo"), "modernbert"),
    (_fused("Wqkv", "out_proj"), "dbrx"),
    (_fused("qkv", "projection"), "blip_2"),
    (_fused("query_key_value", "dense", "per head"), "gpt_neox"),
    (_fused("query_key_value", "dense", "per head"), "persimmon"),
    # Families that compute attention by themselves.
    (
        _BERT,
        (
            "rembert megatron_bert big_bird luke roformer lilt bros tapas donut swinv2 glpn "
            "vilt visual_bert lxmert canine nystromformer longformer "
            "flava mobilevit pvt maskformer swin2sr"
        ),
    ),
    (Layout(output="../output"), "led"),
    (Layout(output="../post_attention.conv1d", kind="Conv1d"), "squeezebert"),
    (replace(_O_PROJ, between="a gate"), "afmoe hrm_text muse_glimmer"),
    (replace(_O_PROJ, gated=True, between="a gate"), "qwen3_next"),
    (replace(_O_PROJ, between="a norm"), "bitnet"),
    (Layout("query_proj", "key_proj", "value_proj", "out_proj"), "prophetnet"),
    (Layout("q_head", "k_head", "v_head", "post_proj"), "funnel"),
    (Layout("q", "k", "v", "o", kind="Parameter"), "xlnet"),
    (
        Layout(
            *("in_proj",) * 3,
            "../output.dense",
            "per head",
            query_bias="q_bias",
            value_bias="v_bias",
        ),
        "deberta",
    ),
    (_fused("qkv_proj", "out_proj", "quarters"), "codegen"),
    (_fused("qkv", "../output.dense"), "timesformer"),
    (_fused("qkv", "proj"), "hiera vitdet"),
    (_DEBERTA, "deberta_v2 sew_d"),
    (_T5, "mpnet"),
    (_LIN, "xlm flaubert"),
    (_OUT_PROJ, "gpt_neo gptj xglm mvp fsmt led wavlm groupvit"),
    (_PROJECTION, "pvt_v2"),
    (_fused("c_attn", "c_proj", kind="Conv1D"), "openai"),
    (_fused("c_attn", "c_proj", kind="Conv1D"), "imagegpt"),
    (_fused("qkv", "projection"), "blip"),
    (_fused("Wqkv", "out_proj"), "mpt"),
    (_fused("query_key_value", "dense", "per head"), "bloom"),
    (_fused("query_key_value", "dense", "per head"), "gpt_neox_japanese"),
    (_fused("query_key_value", "dense", "concatenated"), "falcon"),
    (_fused("query_key_value", "dense", "grouped"), "falcon"),
)


def _by_family() -> dict[str, tuple[Layout, ...]]:
    table: dict[str, tuple[Layout, ...]] = {}
    for layout, families in _ROWS:
        for family in families.split():
            table[family] = (*table.get(family, ()), layout)
    return table


LAYOUTS: dict[str, tuple[Layout, ...]] = _by_family()
"""Family → its layouts, in the order in which they are tried."""


_LOW_RANK = (
    "DeepseekV2Attention DeepseekV3Attention DeepseekV32Attention MiniCPM3Attention "
    "Glm4MoeLiteAttention GlmMoeDsaAttention YoutuAttention LongcatFlashMLA "
    "KimiLinearAttention Mistral4Attention AXK1Attention BailingHybridAttention"
)

UNDECLARED: dict[str, str] = {
    **dict.fromkeys(
        _LOW_RANK.split(),
        "queries or keys come from a low-rank factor with a norm behind it: there is no one W_K",
    ),
    "YosoSelfAttention": "each head's output is normed before W_O: no factor on W_V is seen in it",
    "IBertSelfAttention": "weights are rounded to integers whenever they are used",
    "ConvBertSelfAttention": "half of what W_O is given comes from a convolution, not from heads",
    "DiffLlamaAttention": "a head's output is that of one softmax less that of another",
    "JetMoeAttention": "queries and outputs come from experts that are chosen for each token",
}
"""Class of attention → why no layout can say where its W_Q, W_K, W_V and W_O are."""


def family_of(module: nn.Module) -> str:
    """Return the package of transformers.models that a module's class is from, or ''.

    Example:
        >>> family_of(nn.Linear(1, 1))
        ''
    """
    parts = type(module).__module__.split(".")
    return parts[2] if parts[:2] == ["transformers", "models"] else ""


def layouts_at(modules: dict[str, nn.Module], attention: str) -> tuple[Layout, ...]:
    """Return the layouts of the table that fit the module of a name, in order.

    Args:
        modules: Name → module, of the whole network.
        attention: Name of a module, of attention or not.
    """
    rows = LAYOUTS.get(family_of(modules[attention]), ())
    return tuple(layout for layout in rows if layout.fits(modules, attention))


def attention_sites(network: nn.Module) -> Iterator[tuple[str, tuple[Layout, ...]]]:
    """Yield name → layouts of every module of a network that the table knows."""
    modules = dict(network.named_modules())
    for name in modules:
        layouts = layouts_at(modules, name)
        if layouts:
            yield name, layouts
