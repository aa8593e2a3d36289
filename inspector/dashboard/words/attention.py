"""Words of the Attention page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Attention",
        "purpose": "Where each head looks, on your own text.",
        "sentence": "Sentence",
        "second": "Second sentence (optional)",
        "view": "View",
        "view:head": "Head view",
        "view:model": "Model view",
        "view:matrix": "One head",
        "matrix_note": "Each row: where one piece looks. A row sums to 1.",
        "instead": "One head is shown instead.",
        "pieces": "{count} pieces",
        "alt": "{view} of {model}",
    },
    "zh": {
        "title": "注意力",
        "purpose": "在您自己的文本上，每个头看向哪里。",
        "sentence": "句子",
        "second": "第二个句子（可选）",
        "view": "视图",
        "view:head": "头视图",
        "view:model": "模型视图",
        "view:matrix": "单个头",
        "matrix_note": "每一行：一个词片看向哪里。每行之和为 1。",
        "instead": "改为显示单个头。",
        "pieces": "{count} 个词片",
        "alt": "{model} 的{view}",
    },
}
