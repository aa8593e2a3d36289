"""Words of the frame around the pages.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "overview": "Overview",
        "verification": "Verification",
        "weights": "Weights",
        "specialization": "Specialization",
        "cause": "Cause",
        "attention": "Attention",
        "concepts": "Concepts",
        "model": "Model",
        "model_help": "The operator's settings say which models can be chosen.",
        "language": "Language",
        "promise": "Everything is computed on this machine; what you type is not stored.",
        "loading": "Loading and checking the model …",
        "verifying": "Checking every layer against the library's own …",
        "measuring": "Measuring every head's weights …",
        "ignored": (
            "The address asks for {key} = {given}, which cannot be chosen here; {taken} is shown. "
            "Available: {available}."
        ),
        "only_verifiable": "**This model can be verified, but not profiled:**",
        "profiled_types": "Model types that can be profiled",
        "to_verification": "Read its verification",
        "layer": "Layer",
        "head": "Head",
        "csv": "Download CSV",
        "json": "Download JSON",
        "html": "Download HTML",
        "unknown": (
            "Unknown to the vocabulary: {unknown_words} of {words} words, {unknown_tokens} of "
            "{tokens} tokens."
        ),
    },
    "zh": {
        "overview": "概览",
        "verification": "验证",
        "weights": "权重",
        "specialization": "分工",
        "cause": "因果",
        "attention": "注意力",
        "concepts": "概念",
        "model": "模型",
        "model_help": "可选的模型由部署者在配置中列出。",
        "language": "语言",
        "promise": "一切都在本机计算；您输入的文字不会被保存。",
        "loading": "正在加载并检查模型……",
        "verifying": "正在将每一层与原库的结果对照……",
        "measuring": "正在测量每个头的权重……",
        "ignored": (
            "网址要求 {key} = {given}，这里不能这样选；现显示 {taken}。可选：{available}。"
        ),
        "only_verifiable": "**该模型可以验证，但不能剖析：**",
        "profiled_types": "可以剖析的模型类型",
        "to_verification": "查看它的验证",
        "layer": "层",
        "head": "头",
        "csv": "下载 CSV",
        "json": "下载 JSON",
        "html": "下载 HTML",
        "unknown": (
            "词表不认识：{words} 个词中的 {unknown_words} 个，"
            "{tokens} 个词元中的 {unknown_tokens} 个。"
        ),
    },
}
