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
        "head_note": (
            "Lines run from the piece that looks (left) to the piece looked at (right). Click a "
            "colour to hide or show a head, double-click to see it alone."
        ),
        "model_note": "Every head of every layer. Click one to enlarge it.",
        "matrix_note": "Each row: where one piece looks. A row sums to 1.",
        "instead": "One head is shown instead.",
        "pieces": "{count} pieces",
        "frame": "All numbers of this layer",
        "alt": "{view} of {model}",
    },
    "zh": {
        "title": "注意力",
        "purpose": "在您自己的文本上,每个头看向哪里。",
        "sentence": "句子",
        "second": "第二个句子(可选)",
        "view": "视图",
        "view:head": "头视图",
        "view:model": "模型视图",
        "view:matrix": "单个头",
        "head_note": (
            "线从发出查询的词片(左)连到被查看的词片(右)。单击颜色可隐藏或显示一个头,双击只看这个"
            "头。"
        ),
        "model_note": "每一层的每一个头。点击可放大。",
        "matrix_note": "每一行:一个词片看向哪里。每行之和为 1。",
        "instead": "改为显示单个头。",
        "pieces": "{count} 个词片",
        "frame": "这一层的全部数字",
        "alt": "{model} 的{view}",
    },
}
